// mkdir -p /tmp/vectors-messaging && cp tests/vectors/make/messaging/package.json /tmp/vectors-messaging &&
// npm install --ignore-scripts --prefix /tmp/vectors-messaging &&
// NODE_PATH=/tmp/vectors-messaging/node_modules node --no-warnings tests/vectors/make/messaging/make.js
const { isUtf8 } = require("node:buffer");
const { createHash, createHmac, createPrivateKey, createPublicKey, sign } = require("node:crypto");
const { readFileSync, writeFileSync } = require("node:fs");
const { join } = require("node:path");
const { verifySlackRequest } = require("@slack/bolt/dist/receivers/verify-request");
const { verifyKey } = require("discord-interactions");
const { WebhooksHelper } = require("square");
const { Webhook } = require("standardwebhooks");
const twilio = require("twilio");

const { bodies } = JSON.parse(readFileSync(join(__dirname, "../bodies.json"), "utf8"));
const body = (number) => Buffer.from(bodies[number], "base64");
const text = (string) => Buffer.from(string);
const [EMPTY, ONE_BYTE, LENGTH_63, LENGTH_64, CRLF, SCRIPTS, ALL_BYTES, LARGE] = [0, 1, 4, 5, 14, 15, 16, 17].map(body);
const TEXTS = [
  ["empty body", EMPTY], ["one byte", ONE_BYTE], ["63 bytes", LENGTH_63], ["64 bytes", LENGTH_64],
  ["JSON with CRLF", CRLF], ["several scripts", SCRIPTS],
];
const BINARIES = [["every byte value", ALL_BYTES], ["4096 bytes", LARGE]];
const T = 1719342000;
const vectors = [];
const counts = {};

// Adds the vector after checking that `accepts` is true for its body, and false for the body with one byte changed.
// A body that is not UTF-8 is written in base64.
async function add(sender, what, { keys, headers, bytes, verified_by = "k", ...rest }, accepts) {
  const changed = Buffer.from(bytes.length ? bytes : "x");
  if (bytes.length) changed[changed.length - 1] ^= 1;
  if (!(await accepts(bytes))) throw new Error(`${sender}: ${what}: refused`);
  if (await accepts(changed)) throw new Error(`${sender}: ${what}: accepted with another body`);
  counts[sender] = (counts[sender] ?? 0) + 1;
  const content = isUtf8(bytes) ? { body: bytes.toString() } : { body_base64: bytes.toString("base64") };
  vectors.push({ name: `${sender} ${counts[sender]}: ${what}`, sender, ...rest, keys, headers, ...content, verified_by });
}
const one = (secret) => [{ id: "k", secret }];
const pair = (first, second) => [{ id: "first", secret: first }, { id: "second", secret: second }];
const hmac = (hash, key, encoding, ...parts) => {
  const mac = createHmac(hash, key);
  parts.forEach((part) => mac.update(part));
  return mac.digest(encoding);
};
const accepted = (verify) => { try { verify(); return true; } catch { return false; } };
const pathAndQuery = (url) => /^\w+:\/\/[^/?]*(.*)$/.exec(url)[1] || "/";

async function slack() {
  const delivery = (what, bytes, { secret = "8f742231b10e8888abcd99yyyzzz85a5", timestamp = T, now = T + 1, signature, keys, verified_by } = {}) => {
    signature ??= `v0=${hmac("sha256", secret, "hex", `v0:${timestamp}:`, bytes)}`;
    return add("slack", what, {
      now, keys: keys ?? one(secret), bytes, verified_by,
      headers: [["X-Slack-Signature", signature], ["X-Slack-Request-Timestamp", String(timestamp)]],
    }, (candidate) => accepted(() => verifySlackRequest({
      signingSecret: secret, body: candidate.toString(), nowMilliseconds: now * 1000,
      headers: { "x-slack-signature": signature, "x-slack-request-timestamp": timestamp },
    })));
  };
  await delivery("published in slack_sdk's test_signature_verifier.py, from Slack's documentation", text(
    "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar" +
    "&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com" +
    "%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"),
  { timestamp: 1531420618, now: 1531420618, signature: "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503" });
  for (const [what, bytes] of TEXTS) await delivery(what, bytes);
  await delivery("exactly 300 seconds old", CRLF, { now: T + 300 });
  await delivery("exactly 300 seconds in the future", CRLF, { now: T - 300 });
  await delivery("signed with the second of two secrets", CRLF, { secret: "new-secret", keys: pair("old-secret", "new-secret"), verified_by: "second" });
}

async function square() {
  const delivery = (what, url, bytes, { secret = "Ibxx_5AKakO-3qeNVR61Dw", signature, keys, verified_by } = {}) => {
    signature ??= hmac("sha256", secret, "base64", url, bytes);
    return add("square", what, {
      url, method: "POST", target: pathAndQuery(url), keys: keys ?? one(secret), bytes, verified_by,
      headers: [["x-square-hmacsha256-signature", signature]],
    }, (candidate) => WebhooksHelper.verifySignature({
      requestBody: candidate.toString(), signatureHeader: signature, signatureKey: secret, notificationUrl: url,
    }));
  };
  const source = "published in square-nodejs-sdk's tests/integration/webhooks.test.ts";
  await delivery(`${source}: pass`, "https://webhook.site/679a4f3a-dcfa-49ee-bac5-9d0edad886b9",
    text('{"merchant_id":"MLEFBHHSJGVHD","type":"webhooks.test_notification","event_id":"ac3ac95b-f97d-458c-a6e6-18981597e05f",' +
      '"created_at":"2022-07-13T20:30:59.037339943Z","data":{"type":"webhooks","id":"bc368e64-01aa-407e-b46e-3231809b1129"}}'),
    { signature: "GF4YkrJgGBDZ9NIYbNXBnMzqb2HoL4RW/S6vkZ9/2N4=" });
  await delivery(`${source}: unescaped`, "https://webhook.site/webhooks", text('{"data":{"type":"webhooks","id":"fake_id"}}'),
    { secret: "signature-key", signature: "W3FlCNk5IA3ZQ2LHTWoajvzfaDu/OwY2tNHIHC3IUOA=" });
  await delivery(`${source}: escaped`, "https://webhook.site/webhooks", text('{"data":{"type":"webhooks","id":">id<"}}'),
    { secret: "signature-key", signature: "Cxt7+aTi4rKgcA0bC4g9EHdVtLSDWdqccmL5MvihU4U=" });
  for (const [what, bytes] of TEXTS) await delivery(what, "https://example.com/hook", bytes);
  await delivery("URL with a query, escapes and a port", "https://example.com:8443/h%6Fok/?a=%7e+b&c", CRLF);
  await delivery("signed with the second of two keys", "https://example.com/hook", CRLF,
    { secret: "new_signature-key", keys: pair("old_signature-key", "new_signature-key"), verified_by: "second" });
}

const TOKEN = "12345"; // the token of the published vectors
const NODE = "published in twilio-node's spec/validation.spec.js";
const DOCS = "published in https://www.twilio.com/docs/usage/security";
const MYAPP = "https://mycompany.com/myapp.php?foo=1&bar=2";

async function twilioForm() {
  const fields = (bytes) => {
    const parsed = new URLSearchParams(bytes.toString());
    return Object.fromEntries([...parsed.keys()].map((name) => [name, parsed.getAll(name)]));
  };
  // `signed` is the URL that Twilio signed, which is the one to configure. Its library also accepts `url`.
  const delivery = (what, form, { url = "https://example.com/hook", signed = url, method = "POST", token = TOKEN, signature, keys, verified_by } = {}) => {
    const bytes = text(form);
    const expected = twilio.getExpectedTwilioSignature(token, signed, fields(bytes));
    if (signature && signature !== expected) throw new Error(`${what}: ${expected}`);
    return add("twilio-form", what, {
      url: signed, method, target: pathAndQuery(url), keys: keys ?? one(token), bytes, verified_by,
      headers: [["X-Twilio-Signature", expected]],
    }, (candidate) => twilio.validateRequest(token, expected, url, fields(candidate)));
  };
  const call = (number) =>
    `To=%2B18005551212&From=%2B${number}&Digits=1234&Caller=%2B${number}&CallSid=CA1234567890ABCDE`;
  const test = call("14158675309");
  const http = "http://mycompany.com";
  const rest = "/myapp.php?foo=1&bar=2";
  await delivery(DOCS, call("14158675310"), { url: "https://example.com/myapp.php?foo=1&bar=2", signature: "L/OH5YylLD5NRKLltdqwSvS0BnU=" });
  await delivery(`${NODE}: correct signature`, test, { url: MYAPP, signature: "RSOYDt4T1cUTdK1PDd93/VVr8B8=" });
  await delivery(`${NODE}: special characters`, test, { url: `${MYAPP}&Body=It's+amazing`, signature: "dsq4Ehbj6cs+KdTkpF5sSSplOWw=" });
  for (const form of ["MessagingBinding.Address=%2B1325xxxxxxx&MessagingBinding.Address=%2B1415xxxxxxx",
    "MessagingBinding.Address=%2B1415xxxxxxx&MessagingBinding.Address=%2B1325xxxxxxx"]) {
    await delivery(`${NODE}: array parameter`, form, { url: MYAPP, signature: "83O6e2vORAoJHUNzJjDWN1jz+BA=" });
  }
  await delivery(`${NODE}: multiple params and values`, "Sid=CA123&SidAccount=AC123&Digits=5678&Digits=1234&Digits=1234",
    { url: MYAPP, signature: "IK+Dwps556ElfBT0I3Rgjkr1wJU=" });
  await delivery(`${NODE}: http with a port`, test, { url: `${http}:1234${rest}`, signature: "Zmvh+3yNM1Phv2jhDCwEM3q5ebU=" });
  await delivery(`port: ${NODE}: https, signed without the port`, test,
    { url: MYAPP.replace(".com", ".com:1234"), signed: MYAPP, signature: "RSOYDt4T1cUTdK1PDd93/VVr8B8=" });
  await delivery(`port: ${NODE}: https, signed with :443`, test,
    { url: MYAPP, signed: MYAPP.replace(".com", ".com:443"), signature: "kvajT1Ptam85bY51eRf/AJRuM3w=" });
  await delivery(`port: ${NODE}: http, signed with :80`, test,
    { url: `${http}${rest}`, signed: `${http}:80${rest}`, signature: "0ZXoZLH/DfblKGATFgpif+LLRf4=" });
  await delivery("https with a port, signed with it", "Body=hi", { url: "https://example.com:8443/hook" });
  await delivery("no fields", "");
  await delivery("GET: the fields are in the URL", "", { url: "https://example.com/hook?From=%2B1415&Body=a+b", method: "GET" });
  await delivery("escapes in the URL's query stay", "Body=hi", { url: "https://example.com/h%6Fok?x=%7e+%20&y='&z" });
  await delivery("empty values, with and without =", "Body=&NumMedia&From=%2B1415");
  await delivery("empty pieces", "&a=1&&b=2&");
  await delivery("= in a value", "a=b=c&d==");
  await delivery("plus and percent", "Body=a+b%2Bc%26d%3De%25&Na+m%65=%7E~*-._");
  await delivery("lower-case percent escapes", "Body=%c3%b6%2b");
  await delivery("several scripts", `Body=${encodeURIComponent(SCRIPTS)}`);
  await delivery("several scripts, not escaped", `Body=${SCRIPTS}`);
  await delivery("white space and CRLF kept", "Body=++hi%09+%0D%0A&a=%20");
  await delivery("names in byte order", "b=1&B=2&a=3&A=4&_=5&10=6&9=7&%C3%B6=8");
  await delivery("a name is the prefix of another", "SidAccount=1&Sid=2&Si=3&Sida=4");
  await delivery("values in byte order, once each", "d=b&d=a&c=1&d=B&d=&d=a&d=10&d=9");
  await delivery("signed with the primary token beside a secondary one", "Body=hi",
    { token: "primary-token", keys: pair("secondary-token", "primary-token"), verified_by: "second" });
}

async function twilioJson() {
  const sha256 = (bytes) => createHash("sha256").update(bytes).digest("hex");
  // Twilio appends bodySHA256 to the query of the configured URL.
  const delivery = (what, bytes, { url = "https://example.com/hook", target, port = "", token = TOKEN, signature, keys, verified_by } = {}) => {
    target ??= `${pathAndQuery(url)}${url.includes("?") ? "&" : "?"}bodySHA256=${sha256(bytes)}`;
    const [origin] = /^\w+:\/\/[^/?]*/.exec(url);
    const expected = twilio.getExpectedTwilioSignature(token, origin + port + target, {});
    if (signature && signature !== expected) throw new Error(`${what}: ${expected}`);
    return add("twilio-json", what, {
      url: url.replace(origin, origin + port), method: "POST", target, keys: keys ?? one(token), bytes, verified_by,
      headers: [["X-Twilio-Signature", expected]],
    }, (candidate) => twilio.validateRequestWithBody(token, expected, origin + target, candidate));
  };
  const test = text('{"property": "value", "boolean": true}');
  await delivery("body and URL of Twilio's documentation, which does not give the token of its signature",
    text('{"CallSid":"CA1234567890ABCDE","Caller":"+12349013030"}'), { url: "https://example.com/myapp" });
  await delivery(`${NODE}: request body`, test, { url: MYAPP, signature: "a9nBmqA0ju/hNViExpshrM61xv4=" });
  await delivery(`${NODE}: only sha param`, test, { url: "https://mycompany.com/myapp.php", signature: "y77kIzt2vzLz71DgmJGsen2scGs=" });
  await delivery(`port: ${NODE}: request body when empty, signed with :443`, text("{}"),
    { url: MYAPP, port: ":443", signature: "Ldidvp12m26NI7eqEvxnEpkd9Hc=" });
  for (const [what, bytes] of [...TEXTS, ...BINARIES]) await delivery(what, bytes);
  await delivery("URL with a query, escapes and a port", CRLF, { url: "https://example.com:8443/h%6Fok?a=%7e+b&c" });
  await delivery("bodySHA256 is not last", CRLF,
    { url: "https://example.com/hook?a=1&z=2", target: `/hook?a=1&bodySHA256=${sha256(CRLF)}&z=2` });
  await delivery("signed with the primary token beside a secondary one", CRLF,
    { token: "primary-token", keys: pair("secondary-token", "primary-token"), verified_by: "second" });
}

async function discord() {
  // Test keys: each Ed25519 private key repeats one byte 32 times, in PKCS #8.
  const privateKey = (byte) => createPrivateKey({
    key: Buffer.concat([Buffer.from("302e020100300506032b657004220420", "hex"), Buffer.alloc(32, byte)]), format: "der", type: "pkcs8",
  });
  const publicHex = (key) => createPublicKey(key).export({ format: "der", type: "spki" }).subarray(-32).toString("hex");
  const [first, second] = [privateKey(7), privateKey(8)];
  const delivery = (what, bytes, { key = first, timestamp = String(T), keys, verified_by } = {}) => {
    const signature = sign(null, Buffer.concat([text(timestamp), bytes]), key).toString("hex");
    return add("discord", what, {
      now: T + 1, keys: keys ?? [{ id: "k", public_key: publicHex(key) }], bytes, verified_by,
      headers: [["X-Signature-Ed25519", signature], ["X-Signature-Timestamp", timestamp]],
    }, (candidate) => verifyKey(candidate, signature, timestamp, publicHex(key)));
  };
  await delivery("PING", text('{"type":1}'));
  for (const [what, bytes] of [...TEXTS, ...BINARIES]) await delivery(what, bytes);
  await delivery("signed for the second of two applications", CRLF, {
    key: second, verified_by: "second",
    keys: [{ id: "first", public_key: publicHex(first) }, { id: "second", public_key: publicHex(second) }],
  });
}

// WooCommerce publishes no verifier, so `accepts` repeats its signing rule (class-wc-webhook.php, generate_signature).
async function woocommerce() {
  const delivery = (what, bytes, { secret = "woocommerce-secret", keys, verified_by } = {}) => {
    const signature = hmac("sha256", secret, "base64", bytes);
    return add("woocommerce", what, {
      keys: keys ?? one(secret), bytes, verified_by, headers: [["X-WC-Webhook-Signature", signature]],
    }, (candidate) => hmac("sha256", secret, "base64", candidate) === signature);
  };
  for (const [what, bytes] of [...TEXTS, ...BINARIES]) await delivery(what, bytes);
  await delivery("a secret like those that WordPress generates", CRLF, { secret: "p&W'\"#x!{q~^ /=Ö$%|`@;:" });
  await delivery("signed with the second of two secrets", CRLF, { secret: "new-secret", keys: pair("old-secret", "new-secret"), verified_by: "second" });
}

async function bigcommerce() {
  const id = "msg_2Kk3wXq9sYbRz7";
  const CLIENT_SECRET = "1u6lqnxmlhd3s5dh0n0x2yyp8v3c3u1";
  // BigCommerce's documentation base64-encodes the client secret for the library.
  const webhook = (secret) => new Webhook(Buffer.from(secret).toString("base64"));
  const sign = (secret, bytes) => webhook(secret).sign(id, new Date(T * 1000), bytes.toString());
  const delivery = (what, bytes, { secret = CLIENT_SECRET, now = T + 1, header = (signature) => signature, keys, verified_by } = {}) => {
    const signature = header(sign(secret, bytes));
    const headers = [["webhook-signature", signature], ["webhook-id", id], ["webhook-timestamp", String(T)]];
    return add("bigcommerce", what, { now, keys: keys ?? one(secret), headers, bytes, verified_by }, (candidate) => accepted(() => {
      Date.now = () => now * 1000; // the library reads no other clock
      webhook(secret).verify(candidate.toString(), Object.fromEntries(headers), { jsonParse: false });
    }));
  };
  for (const [what, bytes] of TEXTS) await delivery(what, bytes);
  await delivery("exactly 300 seconds old", CRLF, { now: T + 300 });
  await delivery("exactly 300 seconds in the future", CRLF, { now: T - 300 });
  await delivery("a signature by another secret first", CRLF, { header: (signature) => `${sign("other-secret", CRLF)} ${signature}` });
  await delivery("a signature by another secret last", CRLF, { header: (signature) => `${signature} ${sign("other-secret", CRLF)}` });
  await delivery("unknown versions beside v1", CRLF, { header: (signature) => `v2,AAAA ${signature} v1a,BBBB` });
  await delivery("signed with the second of two secrets", CRLF, { secret: "new-secret", keys: pair("old-secret", "new-secret"), verified_by: "second" });
}

(async () => {
  for (const sender of [slack, square, twilioForm, twilioJson, discord, woocommerce, bigcommerce]) await sender();
  const { dependencies } = require("./package.json");
  const libraries = Object.entries(dependencies).map(([name, version]) => `${name} ${version}`).join(", ");
  const provenance = `node tests/vectors/make/messaging/make.js with ${libraries}. Twilio's library signed its vectors, ` +
    "and standardwebhooks signed BigCommerce's. Node's crypto signed Slack's, Square's and Discord's, and the sender's library accepted them. " +
    "Node's crypto alone made WooCommerce's, which publishes no verifier. Each vector is rejected with one byte of the body changed. " +
    "The names of published vectors give their source. In Twilio's vectors named \"port\", the signed URL, which is the one to " +
    "configure, adds or drops a port.";
  writeFileSync(join(__dirname, "../../messaging.json"), JSON.stringify({ provenance, vectors }, null, 1) + "\n");
  console.log(counts);
})();
