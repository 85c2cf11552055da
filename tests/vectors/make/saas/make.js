// mkdir -p /tmp/saas && cp tests/vectors/make/saas/package.json /tmp/saas/ && npm install --ignore-scripts --prefix /tmp/saas
// NODE_PATH=/tmp/saas/node_modules node tests/vectors/make/saas/make.js    (Node 20; writes tests/vectors/saas.json)
const crypto = require("node:crypto");
const { readFileSync, writeFileSync } = require("node:fs");
const { join } = require("node:path");
const { mock } = require("node:test");
const { Paddle } = require("@paddle/paddle-node-sdk");
const { LinearWebhookClient } = require("@linear/sdk/webhooks");
const { Signature: HubSpot } = require("@hubspot/api-client");
const { EventWebhook } = require("@sendgrid/eventwebhook");
const { Ecdsa, PrivateKey } = require("starkbank-ecdsa");
const { AwsLambdaReceiver } = require("@zoom/rivet/users");
const { WebhooksManager } = require("box-node-sdk/lib/managers/webhooks");

const SENT = 1719342000; // 2024-06-25T19:00:00Z
const NOW = SENT + 1;
const SENT_TEXT = "2024-06-25T19:00:00Z";
const hmac = (secret, message, encoding) => crypto.createHmac("sha256", secret).update(message).digest(encoding);

const stored = JSON.parse(readFileSync(join(__dirname, "..", "bodies.json"), "utf8")).bodies;
const text = (number) => Buffer.from(stored[number], "base64").toString("utf8");
const EVENT = '{"event":"order.created","id":42,"note":"Größe 尺寸 مقاس 👟"}';
const bodies = [
  ["no body", ""], ["one byte", text(1)], ["56 bytes", text(3)], ["129 bytes", text(13)],
  ["CRLF", text(14)], ["multibyte body", text(15)], ["event", EVENT],
];

// Flips one bit of the last letter or digit. JSON stays JSON, so a library can only refuse the signature.
const changed = (body) => {
  const at = body.search(/[0-9A-Za-z][^0-9A-Za-z]*$/);
  return at < 0 ? `${body}x` : body.slice(0, at) + String.fromCharCode(body.charCodeAt(at) ^ 1) + body.slice(at + 1);
};
const verdict = async (accepts, body) => {
  try {
    return await accepts(body);
  } catch {
    return false;
  }
};

const vectors = [];
const count = {};
// `accepts` asks the sender's library, if it has one, at the receiver's time `now`.
async function vector(sender, note, { keys = [], secret, public_key, now, ...fields }, accepts) {
  if (accepts) {
    mock.timers.setTime((now ?? NOW) * 1000);
    if (!(await verdict(accepts, fields.body))) throw new Error(`${sender} ${note}: refused`);
    if (await verdict(accepts, changed(fields.body))) throw new Error(`${sender} ${note}: accepted when changed`);
  }
  count[sender] = (count[sender] ?? 0) + 1;
  const { url, method, target, headers, body } = fields;
  const others = keys.map((other, number) => ({ id: `other-${number}`, secret: other }));
  vectors.push({
    name: `${sender} ${count[sender]}: ${note}`, sender, url, method, target, now,
    keys: [...others, { id: "k", secret, public_key }], headers, body, verified_by: "k",
  });
}

async function paddle() {
  const secret = "pdl_ntfset_01test_aB3/dE+fG7hI9jK1lM3nO5pQ7rS9tU";
  const former = "pdl_ntfset_01test_former/secret+of+a+test";
  const library = new Paddle("no API key is used").webhooks;
  const sign = (body, key = secret) => hmac(key, `${SENT}:${body}`, "hex");
  const send = (note, header, body, more = {}) =>
    vector("paddle", note, { now: NOW, secret, headers: [["Paddle-Signature", header]], body, ...more },
      (received) => library.isSignatureValid(received, more.secret ?? secret, more.asked ?? header));
  for (const [note, body] of bodies) await send(note, `ts=${SENT};h1=${sign(body)}`, body);
  await send("two h1, the second by this key", `ts=${SENT};h1=${sign(EVENT, former)};h1=${sign(EVENT)}`, EVENT);
  // The library reads the last h1 only, so it gets a header with this key's h1 alone.
  await send("two h1, the first by this key", `ts=${SENT};h1=${sign(EVENT)};h1=${sign(EVENT, former)}`, EVENT,
    { asked: `ts=${SENT};h1=${sign(EVENT)}` });
  await send("two keys at the receiver", `ts=${SENT};h1=${sign(EVENT)}`, EVENT, { keys: [former] });
  await send("unknown h2 before h1", `ts=${SENT};h2=${"0f".repeat(64)};h1=${sign(EVENT)}`, EVENT);
  const pythons = "pdl_ntf_01hbpjmytsa32fhr36nqgc3kgb_";
  await send("published, test_verifier of paddle-python-sdk 1.16.1",
    "ts=1696195954;h1=dummy;h1=d96299976a6eb066f484d7fde011ac56fc32b38fc9940bc419d6e537fdc6ef02", "hello-world", {
      now: 1696195954, secret: `${pythons}WvRO0eL4Bj9rgYYIBZY6wZhG4EHy9jzh`,
      keys: [`${pythons}TjIG2BXbm83HPXqNfziwe506sBEdqL/4`, `${pythons}vB/yIOnTOCWIvpBadM5jzBZPHc7OmdSo`],
    });
}

async function linear() {
  const secret = "lin_wh_testSecret0123456789";
  const library = new LinearWebhookClient(secret);
  const send = (note, body, keys) => {
    const signature = hmac(secret, body, "hex");
    return vector("linear", note, { secret, keys, headers: [["Linear-Signature", signature]], body },
      (received) => library.verify(Buffer.from(received), signature));
  };
  // The library expects the time of sending in the body.
  const event = (data) => ({ webhookTimestamp: SENT * 1000, action: "update", type: "Issue", data });
  for (const [note, data] of bodies) await send(note, JSON.stringify(event(data)));
  await send("indented, CRLF", JSON.stringify(event({ title: "Größe" }), null, 2).replaceAll("\n", "\r\n"));
  await send("escaped", JSON.stringify(event("ab")).replace("ab", "\\u0061\\/b"));
  await send("two keys at the receiver", JSON.stringify(event("x")), ["lin_wh_another"]);
}

async function zendesk() {
  const testSecret = "dGhpc19zZWNyZXRfaXNfZm9yX3Rlc3Rpbmdfb25seQ=="; // documented for test deliveries
  const send = (note, body, secret, keys, time = SENT_TEXT) => vector("zendesk", note, {
    now: NOW, secret, keys, body,
    headers: [
      ["X-Zendesk-Webhook-Signature", hmac(secret, time + body, "base64")],
      ["X-Zendesk-Webhook-Signature-Timestamp", time],
    ],
  });
  for (const [note, body] of bodies) await send(note, body, testSecret);
  await send("a secret that is not base64", EVENT, "HRkRd4BeOAoUkfZr-test_only");
  await send("two keys at the receiver", EVENT, testSecret, ["YW5vdGhlcg=="]);
}

async function hubspot() {
  const secret = "yyyyyyyy-yyyy-yyyy-yyyy-yyyyyyyyyyyy"; // from HubSpot's own examples
  const timestamp = String(SENT * 1000);
  // `signed` is the URL with the documented escapes decoded. The library leaves decoding to its caller.
  const send = (note, target, body, { method = "POST", signed = target, keys } = {}) => {
    const options = (requestBody) => ({ clientSecret: secret, requestBody, url: `https://example.com${signed}`, timestamp });
    const signature = HubSpot.getSignature(method, "v3", options(body));
    return vector("hubspot-v3", note, {
      url: `https://example.com${target}`, method, target, now: NOW, secret, keys, body,
      headers: [["X-HubSpot-Signature-v3", signature], ["X-HubSpot-Request-Timestamp", timestamp]],
    }, (received) => HubSpot.isValid({ ...options(received), signature, method, signatureVersion: "v3" }));
  };
  for (const [note, body] of bodies) await send(note, "/hook", body);
  await send("query", "/hook?b=2&a=1", EVENT);
  await send("GET with a query", "/card?userId=1&associatedObjectType=CONTACT", "", { method: "GET" });
  await send("the twelve escapes that are decoded", "/hook?q=%3A%2F%3F%40%21%24%27%28%29%2A%2C%3B&r=1", EVENT,
    { signed: "/hook?q=:/?@!$'()*,;&r=1" });
  await send("escapes that stay", "/hook?q=a%20b%25%26%3D%2B%22%C3%A9&r=%253A", EVENT);
  await send("an e-mail address in a query", "/hook?email=a%40example.com&x=%20", "",
    { method: "GET", signed: "/hook?email=a@example.com&x=%20" });
  await send("two keys at the receiver", "/hook", EVENT, { keys: ["zzzzzzzz-zzzz-zzzz-zzzz-zzzzzzzzzzzz"] });
}

async function sendgrid() {
  const library = new EventWebhook();
  // starkbank-ecdsa adds randomness to RFC 6979. Without the randomness, every run gives the same signatures.
  mock.method(crypto, "randomBytes", (length) => Buffer.alloc(length));
  // A test key, made for these vectors.
  const privateKey = PrivateKey.fromPem(`-----BEGIN EC PRIVATE KEY-----
MHcCAQEEILyctBuE1DmsNlthYQuVYZtCV2pX4JiYpSjX8eXnxsO9oAoGCCqGSM49AwEHoUQDQgAEDE3pnGSJp14ygncqArGhL8zbJA7RD11LXWvDW4CX
hbI1WeLh1db9KjyyCVBIMUl1paGoQdRkA2MSh5i0E+gUXQ==
-----END EC PRIVATE KEY-----`);
  const ours = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEDE3pnGSJp14ygncqArGhL8zbJA7RD11LXWvDW4CXhbI1WeLh1db9KjyyCVBIMUl1paGoQdRkA2MSh5i0E+gUXQ==";
  const send = (note, body, signature, public_key = ours, time = SENT) => vector("sendgrid", note, {
    now: time + 1, public_key, body,
    headers: [
      ["X-Twilio-Email-Event-Webhook-Signature", signature],
      ["X-Twilio-Email-Event-Webhook-Timestamp", String(time)],
    ],
  }, (received) =>
    library.verifySignature(library.convertPublicKeyToECDSA(public_key), received, signature, String(time)));
  for (const [note, body] of [...bodies, ["events with CRLF", `[${EVENT},\r\n${EVENT}]\r\n`]])
    await send(note, body, Ecdsa.sign(`${SENT}${body}`, privateKey).toBase64());

  const ids = { sg_message_id: "LRzXl_NHStOGhQ4kofSm_A.filterdrecv-p3mdw1-756b745b58-kmzbl-18-5F5FC76C-9.0",
    "smtp-id": "<LRzXl_NHStOGhQ4kofSm_A@ismtpd0039p1iad1.sendgrid.net>" };
  const dropped = { email: "hello@world.com", event: "dropped", reason: "Bounced Address",
    sg_event_id: "ZHJvcC0xMDk5NDkxOS1MUnpYbF9OSFN0T0doUTRrb2ZTbV9BLTA", ...ids, timestamp: 1600112492 };
  await send("published, eventwebhook.spec.js, a single event", `${JSON.stringify([dropped])}\r\n`,
    "MEUCIGHQVtGj+Y3LkG9fLcxf3qfI10QysgDWmMOVmxG0u6ZUAiEAyBiXDWzM+uOe5W0JuG+luQAbPIqHh89M15TluLtEZtM=",
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE83T4O/n84iotIvIW4mdBgQ/7dAfSmpqIM8kF9mN1flpVKS3GRqe62gw+2fNNRaINXvVpiglSI8eNEc6wEA3F+g==",
    1600112502);
  const more = { sg_message_id: "qNwBLgPQQjW6DJvKQwSAbw.filterdrecv-canary-547b64655b-cw6zx-1-6089EA4A-56.0",
    "smtp-id": "<qNwBLgPQQjW6DJvKQwSAbw@ismtpd0178p1mdw1.sendgrid.net>" };
  const processed = { email: "invalid@gmail.com", event: "processed", send_at: 0,
    sg_event_id: "cHJvY2Vzc2VkLTE5OTQyMTEyLXFOd0JMZ1BRUWpXNkRKdktRd1NBYnctMA", ...more, timestamp: 1619651146 };
  const bounce = { email: "invalid@gmail.com", event: "bounce", ip: "167.89.101.76",
    reason: "552 5.2.2 The email account that you tried to reach is over quota and inactive. Please direct the recipient to https://support.google.com/mail/?p=OverQuotaPerm c17si1130468pgv.34 - gsmtp",
    sg_event_id: "Ym91bmNlLTAtMTk5NDIxMTItcU53QkxnUFFRalc2REp2S1F3U0Fidy0w", ...more,
    status: "5.2.2", timestamp: 1619651147, tls: 1, type: "blocked" };
  await send("published, eventwebhook.spec.js, several events",
    `[${JSON.stringify(processed)},\r\n${JSON.stringify(bounce)}]\r\n`,
    "MEYCIQC/I4o6vCgqRYrTljjoVWB/GRWNtxeePlLMHr3x9ETeRQIhAIpV+03nREPTTHWSW0wIOA0EoMPdcNgXa70yCaqDJlu5",
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEQ4LIFtWztlsF7skFqOncjD1lun4H5w8XOhyOArHW9RcIx/FfEzx6cikC/yPfUvwaX/JScE7Fc9CJD2afQ9Ok3Q==",
    1619651159);
}

async function zoom() {
  const secret = "zoomTestSecretToken_22ch";
  const receive = new AwsLambdaReceiver({ webhooksSecretToken: secret }).start();
  const send = (note, body, keys) => {
    const headers = [
      ["x-zm-signature", `v0=${hmac(secret, `v0:${SENT}:${body}`, "hex")}`], ["x-zm-request-timestamp", String(SENT)],
    ];
    return vector("zoom", note, { now: NOW, secret, keys, headers, body }, async (received) =>
      (await receive({ body: received, headers: Object.fromEntries(headers), isBase64Encoded: false }, {})).statusCode === 200);
  };
  // The library verifies the body as parsed and serialized again, so these are JSON without spaces.
  const event = (topic) => JSON.stringify({ event: "meeting.started", payload: { object: { topic } }, event_ts: SENT * 1000 });
  for (const [note, topic] of bodies) await send(note, event(topic));
  await send("URL validation", '{"event":"endpoint.url_validation","payload":{"plainToken":"qgg8vlvZRS6UYooatFL8Aw"}}');
  await send("two keys at the receiver", event("x"), ["another"]);
}

async function box() {
  const [primary, secondary] = ["SamplePrimaryKey", "SampleSecondaryKey"]; // from the SDK's own tests
  // Makes one vector for each of the two headers. The library sees that header alone.
  const send = async (note, body, time, now, signatures, keys) => {
    for (const [sender, header, secret] of [
      ["box-primary", "BOX-SIGNATURE-PRIMARY", primary], ["box-secondary", "BOX-SIGNATURE-SECONDARY", secondary],
    ]) {
      const signature = signatures ? signatures[sender] : hmac(secret, body + time, "base64");
      if (!signature) continue;
      const seen = { "box-delivery-timestamp": time, "box-signature-version": "1", "box-signature-algorithm": "HmacSHA256",
        [header.toLowerCase()]: signature };
      await vector(sender, note, { now, secret, keys, headers: [[header, signature], ["BOX-DELIVERY-TIMESTAMP", time]], body },
        (received) => WebhooksManager.validateMessage(received, seen, primary, { secondaryKey: secondary }));
    }
  };
  for (const [note, body] of bodies) await send(note, body, SENT_TEXT, NOW);
  await send("a time with an offset", EVENT, "2024-06-25T12:00:00-07:00", NOW);
  await send("two keys at the receiver", EVENT, SENT_TEXT, NOW, undefined, ["another"]);

  const published = (note, name, signature) => send(
    `published, webhooks.test.ts of box-node-sdk, ${note}`,
    `{"webhook":{"id":"1234567890"},"trigger":"FILE.UPLOADED","source":{"id":"1234567890","type":"file","name":"${name}"}}`,
    "2020-01-01T00:00:00-07:00", 1577862001, { "box-primary": signature });
  // The SDK's test shows the first two decoded. The signatures cover the escaped bytes, as Box sends them.
  const katakana = "\\u30b9\\u30af\\u30ea\\u30fc\\u30f3\\u30b7\\u30e7\\u30c3\\u30c8";
  await published("Japanese", `${katakana} 2020-08-05.txt`, "LV2uCu+5NJtIHrCXDYgZ0v/PP5THGRuegw3RtdnEyuE=");
  await published("emoji", "\\ud83d\\ude00 2020-08-05.txt", "xF/SDZosX4le+v4A0Qn59sZhuD1RqY5KRUKzVMSbh0E=");
  await published("carriage return", "test \\r", "SVkbKgy3dEEf2PbbzpNu2lDZS7zZ/aboU7HOZgBGrJk=");
  await published("slash", "\\/", "t41PWT5ZB6OcysnD6SDy9Ud+p9hdXxIdXqcdweyZv/Q=");
  await published("backslash", "\\\\", "ERpMZwUQsGDTfj82ehdX6VvDZfvOhK5ULNfVmwVAGe0=");
  await send("published, webhooks.test.ts of box-node-sdk",
    '{"type":"webhook_event","webhook":{"id":"1234567890"},"trigger":"FILE.UPLOADED","source":{"id":"1234567890","type":"file","name":"Test.txt"}}',
    "2020-01-01T00:00:00-07:00", 1577862001, {
      "box-primary": "6TfeAW3A1PASkgboxxA5yqHNKOwFyMWuEXny/FPD5hI=", "box-secondary": "v+1CD1Jdo3muIcbpv5lxxgPglOqMfsNHPV899xWYydo=",
    });
}

// Calendly and Meta have no library that verifies, so these vectors follow their documentation alone.
async function withoutLibrary() {
  for (const [note, body, keys] of [...bodies, ["two keys at the receiver", EVENT, ["another"]]]) {
    const signingKey = "calendly-test-signing-key";
    const signature = `t=${SENT},v1=${hmac(signingKey, `${SENT}.${body}`, "hex")}`;
    await vector("calendly", note,
      { now: NOW, secret: signingKey, keys, headers: [["Calendly-Webhook-Signature", signature]], body });
    const appSecret = "0123456789abcdef0123456789abcdef";
    await vector("meta", note,
      { secret: appSecret, keys, headers: [["X-Hub-Signature-256", `sha256=${hmac(appSecret, body, "hex")}`]], body });
  }
}

async function main() {
  console.debug = () => {}; // rivet prints every event
  mock.timers.enable({ apis: ["Date"] });
  for (const make of [paddle, linear, zendesk, hubspot, sendgrid, zoom, box, withoutLibrary]) await make();
  const { dependencies } = require("./package.json");
  const libraries = Object.entries(dependencies).map(([name, version]) => `${name} ${version}`).join(", ");
  const provenance = `tests/vectors/make/saas/make.js (its first lines say how to run it) with ${libraries}. HubSpot's library signed its vectors, and starkbank-ecdsa signed SendGrid's. Node's crypto signed Paddle's, Linear's, Zoom's and Box's by the documented rules. The libraries of these six senders accepted every vector of their sender and rejected it with one bit of the body changed. Paddle's library reads only the last h1, so it got the valid h1 alone; HubSpot's got the URL with the documented escapes decoded. Zendesk, Calendly and Meta have no such library: their vectors follow their documentation alone. The vectors named published are from the tests of paddle-python-sdk 1.16.1, @sendgrid/eventwebhook and box-node-sdk.`;
  writeFileSync(join(__dirname, "..", "..", "saas.json"), JSON.stringify({ provenance, vectors }, null, 1) + "\n");
  process.stdout.write(JSON.stringify(count) + "\n");
}
main();
