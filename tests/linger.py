#!/usr/bin/env python3
"""tests/linger.py [--tries 60]

Counts the refused senders that see their answer. Starts each example receiver and delivers with Python's http.client, which,
like most senders, writes the whole body before it reads the answer. Fails unless every try is answered with the right status.
"""

import argparse
import collections
import http.client
import os
import pathlib
import socket
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
PATH = "/webhooks/moduslink"
SIGNED = {"x-moduslink-hmac-sha256": "A" * 43 + "="}  # well-formed, so that the body is what decides


def chunks(size):
    for start in range(0, size, 16384):
        yield b"x" * min(16384, size - start)


CASES = [
    ("413, 2 MB", 413, SIGNED, lambda: b"x" * 2_000_000),
    ("413, 1 MiB + 1", 413, SIGNED, lambda: b"x" * (2**20 + 1)),
    ("413, 1 MiB + 1 chunked", 413, SIGNED, lambda: chunks(2**20 + 1)),
    ("413, 2 MB chunked", 413, SIGNED, lambda: chunks(2_000_000)),
    ("401, 900 kB unsigned", 401, {}, lambda: b"x" * 900_000),
    ("401, 900 kB unsigned chunked", 401, {}, lambda: chunks(900_000)),
    ("401, 5 bytes unsigned", 401, {}, lambda: b"hello"),
]


def deliver(port, headers, body):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("POST", PATH, body=body, headers=headers)
        response = connection.getresponse()
        response.read()
        return str(response.status)
    except OSError as error:
        return type(error).__name__
    finally:
        connection.close()


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def start(binary):
    port = free_port()
    environment = {**os.environ, "ADDR": f"127.0.0.1:{port}", "RUST_LOG": "off"}
    server = subprocess.Popen([binary], env=environment)
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return server, port
        except OSError:
            time.sleep(0.05)
    sys.exit(f"{binary} does not listen")


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    arguments.add_argument("--tries", type=int, default=60)
    arguments.add_argument("binaries", nargs="*", help="receivers that are built already")
    settings = arguments.parse_args()
    binaries = settings.binaries
    if not binaries:
        subprocess.run(["cargo", "build", "--quiet", "-p", "axum-receiver", "-p", "actix-receiver"], cwd=ROOT, check=True)
        target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
        binaries = [target / "debug" / "axum-receiver", target / "debug" / "actix-receiver"]
    failed = False
    for binary in binaries:
        server, port = start(binary)
        try:
            for name, status, headers, body in CASES:
                answers = collections.Counter(deliver(port, headers, body()) for _ in range(settings.tries))
                failed |= answers[str(status)] != settings.tries
                print(f"{pathlib.Path(binary).name:15} {name:30} {dict(answers)}", flush=True)
        finally:
            server.terminate()
            server.wait()
    sys.exit(failed)


if __name__ == "__main__":
    main()
