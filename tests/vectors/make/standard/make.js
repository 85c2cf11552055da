// mkdir -p /tmp/make-standard && cp tests/vectors/make/standard/package.json /tmp/make-standard
// npm install --ignore-scripts --prefix /tmp/make-standard
// NODE_PATH=/tmp/make-standard/node_modules node tests/vectors/make/standard/make.js
// Signs with the senders' own libraries and writes tests/vectors/standard.json.
const assert = require("node:assert/strict");
const { createHash, createHmac, createPrivateKey, createPublicKey, sign } = require("node:crypto");
const { readFileSync, writeFileSync } = require("node:fs");
const { join } = require("node:path");
const { pathToFileURL } = require("node:url");
require("@shopify/shopify-api/adapters/node");
const { ApiVersion, shopifyApi } = require("@shopify/shopify-api");
const standardwebhooks = require("standardwebhooks");
const { webhooks: stripe } = require("stripe");
const svix = require("svix");
const nacl = require("tweetnacl");

const folder = join(__dirname, "../..");
const shared = JSON.parse(readFileSync(join(folder, "make/bodies.json"), "utf8")).bodies
  .map((body) => Buffer.from(body, "base64"));
const BODIES = {
  "no body": shared[0],
  "one byte": shared[1],
  "63 bytes": shared[4],
  "128 bytes": shared[12],
  "CRLF": shared[14],
  "text in several scripts": shared[15],
  "JSON": Buffer.from('{"type":"order.created","data":{"id":"ord_1","note":"50 € – ‘quoted’ \\u00e9 / \\/"}}'),
};
const { "no body": _, ...NOT_EMPTY } = BODIES;
const EVERY_BYTE = shared[16];
const PUBLISHED = Buffer.from('{"test": 2432232314}');
const ID = "msg_2KWPBgLlAfxdpx2AI54pPJ85f4W";
const TIME = 1719342000;

// Every key in this script is a test key, derived from a fixed text and used nowhere else.
const testKey = (text, length) => createHash("shake256", { outputLength: length }).update(text).digest();
const whsec = (text, length) => `whsec_${testKey(text, length).toString("base64")}`;
const keyPair = (seed) => {
  const pkcs8 = Buffer.concat([Buffer.from("302e020100300506032b657004220420", "hex"), seed]);
  const private_ = createPrivateKey({ key: pkcs8, format: "der", type: "pkcs8" });
  const spki = createPublicKey(private_).export({ format: "der", type: "spki" });
  return { private_, shown: `whpk_${spki.subarray(-32).toString("base64")}` };
};

const vectors = [];
// `accepts(body)` asks the sender's library.
async function add({ name, sender, now, keys, headers, body, verified_by = "k" }, accepts) {
  const changed = body.length === 0 ? Buffer.from("x") : Buffer.from(body);
  if (body.length > 0) changed[0] ^= 1;
  assert.equal(await accepts(body), true, `${sender}, ${name}: refused`);
  assert.equal(await accepts(changed), false, `${sender}, ${name}: accepted with another body`);
  const text = body.toString();
  const as = Buffer.from(text).equals(body) ? { body: text } : { body_base64: body.toString("base64") };
  vectors.push({ name: `${sender}: ${name}`, sender, now, keys, headers, ...as, verified_by });
}

function acceptsAt(now, check) {
  const real = Date.now;
  Date.now = () => now * 1000;
  try {
    check();
    return true;
  } catch (error) {
    // The library parses the body as JSON only after the signature is verified.
    if (error instanceof SyntaxError) return true;
    if (error.name === "WebhookVerificationError") return false;
    throw error;
  } finally {
    Date.now = real;
  }
}

async function hmacList(sender, prefix, Webhook) {
  const k = { id: "k", secret: whsec(`${sender} k`, 32) };
  const old = { id: "old", secret: whsec(`${sender} old`, 24) };
  const long = { id: "k", secret: whsec(`${sender} long`, 64) };
  const short = { id: "k", secret: whsec(`${sender} short`, 24) };
  const signed = (key, body, { id = ID, time = TIME } = {}) =>
    new Webhook(key.secret).sign(id, new Date(time * 1000), body.toString());
  const make = (name, body, list, { id = ID, time = TIME, now = TIME + 1, keys = [k], by = "k" } = {}) => {
    const headers = [["signature", list], ["id", id], ["timestamp", String(time)]]
      .map(([part, value]) => [`${prefix}-${part}`, value]);
    const { secret } = keys.find((key) => key.id === by);
    return add({ name, sender, now, keys, headers, body, verified_by: by }, (bytes) =>
      acceptsAt(now, () => new Webhook(secret).verify(bytes, Object.fromEntries(headers))));
  };

  for (const [name, body] of Object.entries(BODIES)) await make(name, body, signed(k, body));
  const body = BODIES.JSON;
  const right = signed(k, body);
  const stale = signed(old, body);
  const ed25519 = `v1a,${Buffer.alloc(64, 7).toString("base64")}`;
  await make("a key of 24 bytes", body, signed(short, body), { keys: [short] });
  await make("a key of 64 bytes", body, signed(long, body), { keys: [long] });
  await make("signed with an old and a new secret, the receiver has the new one", body, `${stale} ${right}`);
  await make("signed with a new and an old secret, the receiver has the old one", body, `${right} ${stale}`,
    { keys: [old], by: "old" });
  await make("signed with the old one of the receiver's two secrets", body, stale, { keys: [k, old], by: "old" });
  await make("v1a and an unknown version beside the right signature", body, `${ed25519} v2,${right.slice(3)} ${right}`);
  await make("sent 300 seconds ago", body, right, { now: TIME + 300 });
  await make("sent by a clock 300 seconds ahead", body, right, { now: TIME - 300 });

  const published = { id: "msg_p5jXN8AQM9LWM0D4loKWxJek", time: 1614265330 };
  const sample = { id: "k", secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw" };
  const expected = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
  assert.equal(signed(sample, PUBLISHED, published), expected);
  await make("published, libraries/javascript/src/webhook.test.ts of standard-webhooks/standard-webhooks",
    PUBLISHED, expected, { ...published, now: 1614265330, keys: [sample] });
  await make("the published one among the wrong signatures of the same test", PUBLISHED, [
    "v1,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc=", "v2,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc=",
    expected, "v1,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc=",
  ].join(" "), { ...published, now: 1614265330, keys: [sample] });
  const rust = { id: "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk", time: 1649367553 };
  const rustKey = { id: "k", secret: "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD" };
  const user = Buffer.from('{"email":"test@example.com","username":"test_user"}');
  assert.equal(signed(rustKey, user, rust), "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=");
  await make("published, libraries/rust/src/lib.rs of standard-webhooks/standard-webhooks", user,
    signed(rustKey, user, rust), { ...rust, now: 1649367553, keys: [rustKey] });
  if (prefix === "webhook") {
    const gitlab = { id: "f5e5f430-f57b-4e6e-9fac-d9128cd7232f", time: TIME };
    const push = Buffer.from('{"object_kind":"push","ref":"refs/heads/main"}');
    await make("as GitLab's signing token does it", push, signed(k, push, gitlab), gitlab);
  }
}

// No library on npm verifies v1a, so tweetnacl verifies it here by the specification.
async function ed25519List() {
  const sender = "standard-webhooks-ed25519";
  const k = keyPair(testKey(`${sender} k`, 32));
  const old = keyPair(testKey(`${sender} old`, 32));
  const content = (id, time, body) => Buffer.concat([Buffer.from(`${id}.${time}.`), body]);
  const signed = (pair, body, { id = ID, time = TIME } = {}) =>
    `v1a,${sign(null, content(id, time, body), pair.private_).toString("base64")}`;
  const make = (name, body, list, { id = ID, time = TIME, now = TIME + 1, keys = { k: k.shown }, by = "k" } = {}) => {
    const headers = [["webhook-signature", list], ["webhook-id", id], ["webhook-timestamp", String(time)]];
    const publicKey = Buffer.from(keys[by].slice("whpk_".length), "base64");
    const shown = Object.entries(keys).map(([id, public_key]) => ({ id, public_key }));
    return add({ name, sender, now, keys: shown, headers, body, verified_by: by }, (bytes) =>
      Math.abs(now - time) <= 300 && list.split(" ").map((entry) => entry.split(","))
        .filter(([version]) => version === "v1a")
        .some(([, signature]) => nacl.sign.detached.verify(
          content(id, time, bytes), Buffer.from(signature, "base64"), publicKey)));
  };

  for (const [name, body] of Object.entries({ ...BODIES, "every byte value": EVERY_BYTE })) {
    await make(name, body, signed(k, body));
  }
  const body = BODIES.JSON;
  const right = signed(k, body);
  const stale = signed(old, body);
  await make("signed with an old and a new key, the receiver has the new one", body, `${stale} ${right}`);
  await make("signed with the old one of the receiver's two keys", body, stale,
    { keys: { k: k.shown, old: old.shown }, by: "old" });
  const hmac = new standardwebhooks.Webhook(whsec(sender, 32)).sign(ID, new Date(TIME * 1000), body.toString());
  await make("v1 and an unknown version beside the right signature", body, `${hmac} v2a,${right.slice(4)} ${right}`);
  await make("sent 300 seconds ago", body, right, { now: TIME + 300 });

  const published = { id: "msg_p5jXN8AQM9LWM0D4loKWxJek", time: 1614265330 };
  await make("published, server/svix-server/src/worker.rs of svix/svix-webhooks", PUBLISHED,
    "v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg==",
    { ...published, now: 1614265330, keys: { k: "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=" } });
  // The published private key of that test.
  const go = keyPair(Buffer.from("VEVTVFNJR05JTkdLRVlET05PVFVTRVRISVNGT1JBTlk=", "base64"));
  const expected = "v1a,tQ9V2XOqn7jL/DQenEFpqIugdBVtiMmER5mhSkXBNwM0mkATuDe6KYYUuxqtaiHeYGb7KaaBRdM5WqyeFiL8Ag==";
  assert.equal(signed(go, PUBLISHED, published), expected);
  await make("published, libraries/go/webhook_asymmetric_test.go of standard-webhooks/standard-webhooks",
    PUBLISHED, expected, { ...published, now: 1614265330, keys: { k: go.shown } });
}

async function github(octokit) {
  const make = async (name, body, { secrets = { k: "github-test-secret" }, by = "k", expected } = {}) => {
    const value = await octokit.sign(secrets[by], body.toString());
    if (expected) assert.equal(value, `sha256=${expected}`);
    const keys = Object.entries(secrets).map(([id, secret]) => ({ id, secret }));
    await add({ name, sender: "github", keys, headers: [["X-Hub-Signature-256", value]], body, verified_by: by },
      (bytes) => octokit.verifyWithFallback(secrets.k, bytes.toString(), value, Object.values(secrets)));
  };
  for (const [name, body] of Object.entries(NOT_EMPTY)) await make(name, body);
  await make("a secret with letters beyond ASCII", BODIES.JSON, { secrets: { k: "Größe 尺寸 👟" } });
  await make("signed with the old one of the receiver's two secrets", BODIES.JSON,
    { secrets: { k: "github-test-secret", old: "github-old-test-secret" }, by: "old" });
  await make("a form", Buffer.from("payload=%7B%22zen%22%3A%22Keep+it+logically+awesome.%22%7D"));
  await make("published, docs.github.com: validating webhook deliveries", Buffer.from("Hello, World!"), {
    secrets: { k: "It's a Secret to Everybody" },
    expected: "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17",
  });
  await make("published, test/sign.test.ts of octokit/webhooks-methods.js", Buffer.from('{"foo":"bar"}'), {
    secrets: { k: "mysecret" },
    expected: "4864d2759938a15468b5df9ade20bf161da9b4f737ea61794142f3484236bda3",
  });
}

function gitlab() {
  const secret = "gitlab-test-token";
  for (const name of ["no body", "JSON"]) {
    // Not through `add`, because a token does not cover the body: another body is accepted too.
    vectors.push({
      name: `gitlab-unsigned-token: ${name}`, sender: "gitlab-unsigned-token", keys: [{ id: "k", secret }],
      headers: [["X-Gitlab-Token", secret]], body: BODIES[name].toString(), verified_by: "k",
    });
  }
}

async function shopify() {
  const make = (name, body, { secrets = { k: "shpss_0123456789abcdef0123456789abcdef" }, by = "k" } = {}) => {
    const value = createHmac("sha256", secrets[by]).update(body).digest("base64");
    const app = shopifyApi({
      apiKey: "k", apiSecretKey: secrets[by], hostName: "example.com", isEmbeddedApp: false,
      apiVersion: ApiVersion.July26, logger: { log: () => {} },
    });
    const headers = {
      "X-Shopify-Hmac-Sha256": value, "X-Shopify-Topic": "orders/create", "X-Shopify-API-Version": "2026-07",
      "X-Shopify-Shop-Domain": "shop.myshopify.com", "X-Shopify-Webhook-Id": "b54557e4-bdd9-4b37-8a5f-bf7d70bcd043",
    };
    const keys = Object.entries(secrets).map(([id, secret]) => ({ id, secret }));
    return add({
      name, sender: "shopify", keys, headers: [["X-Shopify-Hmac-Sha256", value]], body, verified_by: by,
    }, async (bytes) => {
      const rawRequest = { method: "POST", url: "/", headers };
      const result = await app.webhooks.validate({ rawBody: bytes.toString(), rawRequest, rawResponse: {} });
      if (!result.valid) assert.equal(result.reason, "invalid_hmac");
      return result.valid;
    });
  };
  for (const [name, body] of Object.entries(NOT_EMPTY)) await make(name, body);
  await make("a hexadecimal secret, used as text", BODIES.JSON,
    { secrets: { k: "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff" } });
  await make("signed with the old one of the receiver's two secrets", BODIES.JSON, {
    secrets: { k: "shpss_0123456789abcdef0123456789abcdef", old: "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" },
    by: "old",
  });
}

async function stripeHeader() {
  const k = "whsec_test_secret_of_the_endpoint";
  const old = "whsec_old_test_secret_of_the_endpoint";
  const header = (secret, body, scheme = "v1") =>
    stripe.generateTestHeaderString({ payload: body.toString(), secret, timestamp: TIME, scheme });
  const item = (...of) => header(...of).split(",")[1];
  const make = (name, body, value, { now = TIME + 1, secrets = { k }, by = "k" } = {}) => {
    const keys = Object.entries(secrets).map(([id, secret]) => ({ id, secret }));
    return add({ name, sender: "stripe", now, keys, headers: [["Stripe-Signature", value]], body, verified_by: by },
      (bytes) => {
        try {
          return stripe.signature.verifyHeader(bytes, value, secrets[by], 300, null, now * 1000);
        } catch (error) {
          if (error.type === "StripeSignatureVerificationError") return false;
          throw error;
        }
      });
  };
  for (const [name, body] of Object.entries(NOT_EMPTY)) await make(name, body, header(k, body));
  const body = BODIES.JSON;
  await make("signed with an old and a new secret, the receiver has the new one", body,
    `${header(old, body)},${item(k, body)}`);
  await make("signed with a new and an old secret, the receiver has the old one", body,
    `${header(k, body)},${item(old, body)}`, { secrets: { old }, by: "old" });
  await make("signed with the old one of the receiver's two secrets", body, header(old, body),
    { secrets: { k, old }, by: "old" });
  await make("v0 behind the signature", body, `${header(k, body)},${item(k, body, "v0")}`);
  await make("a wrong v0 and an unknown scheme before it", body,
    `t=${TIME},v0=${"6f".repeat(32)},v2=${"00".repeat(32)},${item(k, body)}`);
  await make("sent 300 seconds ago", body, header(k, body), { now: TIME + 300 });
  await make("sent by a clock 5 seconds ahead", body, header(k, body), { now: TIME - 5 });
}

async function main() {
  await hmacList("standard-webhooks", "webhook", standardwebhooks.Webhook);
  await ed25519List();
  await hmacList("svix", "svix", svix.Webhook);
  // An ES module, which NODE_PATH does not resolve.
  const octokit = join(process.env.NODE_PATH, "@octokit/webhooks-methods/dist-node/index.js");
  await github(await import(pathToFileURL(octokit)));
  gitlab();
  await shopify();
  await stripeHeader();
  const { dependencies } = require("./package.json");
  const provenance = [
    `Node ${process.version}: tests/vectors/make/standard/make.js, with`,
    Object.entries(dependencies).map(([name, version]) => `${name} ${version}`).join(", ") + ".",
    "The senders' libraries signed standard-webhooks, svix, github and stripe; Node's crypto signed shopify and v1a.",
    "Except for gitlab-unsigned-token, the sender's library (for v1a: tweetnacl, by the specification) accepted every",
    "vector and rejected it with one byte of the body changed. Vectors named \"published\" come from the source in",
    "their name; svix has the published vectors of standard-webhooks under its own header names.",
  ].join(" ");
  writeFileSync(join(folder, "standard.json"), JSON.stringify({ provenance, vectors }, null, 1) + "\n");
}

main();
