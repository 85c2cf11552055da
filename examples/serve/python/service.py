"""A service in Python behind `countersign serve`: python3 service.py"""

import hashlib
import json
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

# A service with a database keeps these there, in the transaction of the effect.
handled = set()


class Webhook(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Answers go out at once.
    wbufsize = -1

    def do_POST(self):
        # `serve` always sends the length, also of a body that arrived in chunks. These are the bytes that the sender signed.
        body = self.rfile.read(int(self.headers["Content-Length"]))
        sender, identity = self.headers["Countersign-Sender"], self.headers["Countersign-Identity"]
        if sender is None or identity is None:
            # `serve` sets them always, so somebody came around it.
            return self.answer(500, b"not behind countersign serve\n")
        is_new = identity not in handled
        handled.add(identity)
        facts = {"sender": sender, "bytes": len(body), "sha256": hashlib.sha256(body).hexdigest(), "new": is_new}
        self.answer(200, json.dumps(facts).encode())

    def answer(self, status, content):
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        """`serve` has the access log."""


# On the loopback alone: nobody reaches it but `serve`.
server = ThreadingHTTPServer(("127.0.0.1", int(os.environ.get("PORT", 3000))), Webhook)
print(f"listening on 127.0.0.1:{server.server_port}", flush=True)
server.serve_forever()
