// A service in Node behind `countersign serve`: node service.mjs
import { createHash } from "node:crypto";
import { createServer } from "node:http";

// A service with a database keeps these there, in the transaction of the effect.
const handled = new Set();

const server = createServer(async (request, response) => {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  // The bytes that the sender signed: parse them only now.
  const body = Buffer.concat(chunks);
  const sender = request.headers["countersign-sender"];
  const identity = request.headers["countersign-identity"];
  if (!sender || !identity) {
    // `serve` sets them always, so somebody came around it.
    response.statusCode = 500;
    response.end("not behind countersign serve\n");
    return;
  }
  const isNew = !handled.has(identity);
  handled.add(identity);
  const answer = { sender, bytes: body.length, sha256: createHash("sha256").update(body).digest("hex"), new: isNew };
  response.setHeader("content-type", "application/json");
  response.end(JSON.stringify(answer));
});

// On the loopback alone: nobody reaches it but `serve`.
server.listen(process.env.PORT ?? 3000, "127.0.0.1", () => {
  console.log(`listening on 127.0.0.1:${server.address().port}`);
});
