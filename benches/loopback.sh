#!/usr/bin/env bash
# Measures whole servers over loopback and writes benches/results/loopback.json. Takes about 10 minutes on a quiet machine.
# `--quick` tries everything in a minute or two. `--help` lists the flags.
set -euo pipefail
cd "$(dirname "$0")"

if ! command -v wrk >/dev/null; then
    as_root=()
    [[ $EUID == 0 ]] || as_root=(sudo)
    "${as_root[@]}" apt-get install --yes wrk
fi
ulimit -n "$(ulimit -Hn)" # 200 uploads are 400 sockets
cargo build --release --locked --package loopback
exec target/release/loopback "$@"
