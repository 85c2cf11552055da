// node tests/vectors/make/node.js > tests/vectors/node.json
// Signs with Node's built-in crypto.
const { createHmac, createSign } = require("node:crypto");
const { readFileSync } = require("node:fs");
const { join } = require("node:path");

const folder = join(__dirname, "..");
const { bodies } = JSON.parse(readFileSync(join(__dirname, "bodies.json"), "utf8"));
const vectors = [];
const vector = (name, sender, key, header, value, body) =>
  vectors.push({
    name, sender, keys: [{ id: "k", ...key }], headers: [[header, value]],
    body_base64: body.toString("base64"), verified_by: "k",
  });

bodies.forEach((encoded, number) => {
  const body = Buffer.from(encoded, "base64");
  const hmac = (encoding, message = body) => createHmac("sha256", "node-secret").update(message).digest(encoding);
  const secret = { secret: "node-secret" };
  vector(`moduslink ${number}`, "moduslink", secret, "X-Moduslink-HMAC-SHA256", hmac("base64"), body);
  vector(`ewarehousing ${number}`, "ewarehousing", secret, "X-Hmac-SHA256", hmac("base64"), body);
  vector(`extend ${number}`, "extend", secret, "ms-signature", `SHA256 = ${hmac("hex")}`, body);
  const signed = Buffer.concat([Buffer.from("1719342000."), body]);
  vector(`modern-dropship ${number}`, "modern-dropship", secret, "Convictional-Signature",
    `t=1719342000,v1=${hmac("hex", signed)}`, body);
  for (const bits of [1024, 2048]) {
    const sign = (hash) => createSign(hash).update(body)
      .sign(readFileSync(join(folder, `keys/rsa-${bits}-private.pem`)), "base64");
    const key = { public_key: `keys/rsa-${bits}-public.pem` };
    vector(`fluent ${number}, ${bits} bits`, "fluent", key, "fluent-signature", sign("sha512"), body);
    vector(`fluent md5 ${number}, ${bits} bits`, "fluent-legacy-md5", key, "flex.signature", sign("md5"), body);
  }
});

const provenance = `Node ${process.version}: node tests/vectors/make/node.js`;
process.stdout.write(JSON.stringify({ provenance, vectors }, null, 1) + "\n");
