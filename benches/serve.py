#!/usr/bin/env python3
"""Measures `countersign serve` beside its stack without the guard and beside nginx, all in front of the same nginx:

    benches/serve.py [--seconds 10] [--rounds 5] [--connections 64]

Prints requests per second of the proxy's CPU time, and the latency that wrk sees. Builds what it needs; nginx and wrk are Debian's.
"""

import argparse
import hashlib
import hmac
import os
import pathlib
import re
import signal
import socket
import statistics
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
SECRET = "9vTq2LxW7cRm4ZpK8sHd"
UPSTREAM, PROXY = 18080, 18081
SIZES = {"1 KiB": 1024, "64 KiB": 64 * 1024}

NGINX = """
worker_processes {workers};
daemon off;
pid {folder}/{name}.pid;
error_log {folder}/{name}.error;
events {{ worker_connections 20000; }}
http {{
    access_log /dev/null;
    client_body_temp_path {folder}/{name}-body;
    proxy_temp_path {folder}/{name}-proxy;
    fastcgi_temp_path {folder}/{name}-fastcgi;
    uwsgi_temp_path {folder}/{name}-uwsgi;
    scgi_temp_path {folder}/{name}-scgi;
    client_max_body_size 2m;
    client_body_buffer_size 128k;
    keepalive_requests 1000000000;
    {content}
}}
"""
SERVICE = "server { listen 127.0.0.1:%d backlog=4096; location / { return 200 'ok'; } }" % UPSTREAM
NGINX_PROXY = """
upstream service { server 127.0.0.1:%d; keepalive 128; keepalive_requests 1000000000; }
server {
    listen 127.0.0.1:%d backlog=4096;
    location = /hook {
        proxy_pass http://service;
        proxy_http_version 1.1;
        proxy_set_header Connection "";
        proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
    }
}
""" % (UPSTREAM, PROXY)
CONFIG = """
listen = "127.0.0.1:%d"
upstream = "http://127.0.0.1:%d"
[[route]]
path = "/hook"
senders = [{ sender = "extend", keys = [{ id = "2026-q4", secret = { env = "SECRET" } }] }]
""" % (PROXY, UPSTREAM)


def nginx(folder, name, content):
    file = folder / f"{name}.conf"
    file.write_text(NGINX.format(folder=folder, name=name, workers=os.cpu_count(), content=content))
    return ["/usr/sbin/nginx", "-e", f"{folder}/{name}.error", "-c", str(file)]


class Running:
    """A server and its children, from when it listens."""

    def __init__(self, command, port, **more):
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **more)
        deadline = time.monotonic() + 30
        while socket.socket().connect_ex(("127.0.0.1", port)):
            assert self.process.poll() is None and time.monotonic() < deadline, command
            time.sleep(0.05)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()

    def cpu(self):
        """The seconds of CPU that it has used."""
        ids = [self.process.pid]
        children = pathlib.Path(f"/proc/{ids[0]}/task/{ids[0]}/children").read_text().split()
        total = 0
        for pid in ids + children:
            fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
            total += int(fields[11]) + int(fields[12])
        return total / os.sysconf("SC_CLK_TCK")


def wrk(folder, size, settings):
    """The requests that were answered, and the latencies at the median and the 99th percentile in milliseconds."""
    body = b"x" * size
    signature = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    script = folder / "post.lua"
    script.write_text(
        f'wrk.method = "POST"\nwrk.body = string.rep("x", {size})\nwrk.headers["ms-signature"] = "sha256={signature}"\n'
        'wrk.headers["content-type"] = "application/json"\n'
        "function done(summary, latency)\n"
        "  local errors = summary.errors\n"
        '  io.write(string.format("RESULT %d %d %f %f\\n", summary.requests,\n'
        "    errors.connect + errors.read + errors.write + errors.status + errors.timeout,\n"
        "    latency:percentile(50) / 1000, latency:percentile(99) / 1000))\n"
        "end\n"
    )
    command = ["wrk", "-t1", f"-c{settings.connections}", f"-d{settings.seconds}s", "-s", str(script)]
    printed = subprocess.check_output([*command, f"http://127.0.0.1:{PROXY}/hook"], text=True)
    requests, errors, median, slow = re.search(r"RESULT (\d+) (\d+) (\S+) (\S+)", printed).groups()
    assert int(errors) == 0, printed
    return int(requests), float(median), float(slow)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--connections", type=int, default=64)
    settings = parser.parse_args()
    for folder, package in [(ROOT, "countersign-cli"), (ROOT / "benches", "bare-proxy")]:
        subprocess.check_call(["cargo", "build", "--release", "--locked", "-p", package], cwd=folder)
    binaries = {name: ROOT / folder / "release" / name for name, folder in
                [("countersign", "target"), ("bare-proxy", "benches/target")]}
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        (folder / "countersign.toml").write_text(CONFIG)
        bare = [binaries["bare-proxy"], "--listen", f"127.0.0.1:{PROXY}", "--upstream", f"127.0.0.1:{UPSTREAM}"]
        proxies = {
            "bare": bare,
            "bare, hashing": [*bare, "--hash"],
            "serve": [binaries["countersign"], "serve", "--config", folder / "countersign.toml"],
            "nginx": nginx(folder, "proxy", NGINX_PROXY),
        }
        figures = {}
        with Running(nginx(folder, "service", SERVICE), UPSTREAM):
            for size in SIZES:
                for _ in range(settings.rounds):
                    # Each round has all of them, so that none has the quiet minute for itself.
                    for name, command in proxies.items():
                        with Running(command, PROXY, env={**os.environ, "SECRET": SECRET}) as proxy:
                            before = proxy.cpu()
                            requests, median, slow = wrk(folder, SIZES[size], settings)
                            rate = requests / (proxy.cpu() - before)
                        figures.setdefault((size, name), []).append((rate, median, slow))
    print("| body | proxy | requests per CPU second (least to most) | of bare, hashing | of nginx | median | p99 |")
    print("|---|---|---|---|---|---|---|")
    middle = {key: [statistics.median(column) for column in zip(*rows)] for key, rows in figures.items()}
    for (size, name), (rate, median, slow) in middle.items():
        rates = [row[0] for row in figures[size, name]]
        of = [rate / middle[size, other][0] for other in ("bare, hashing", "nginx")]
        print(f"| {size} | {name} | {rate:,.0f} ({min(rates):,.0f} to {max(rates):,.0f}) | {of[0]:.2f} | {of[1]:.2f} "
              f"| {median:.2f} ms | {slow:.2f} ms |")


main()
