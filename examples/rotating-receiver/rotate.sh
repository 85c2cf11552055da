#!/usr/bin/env bash
# Rotates a receiver's keys under load, and counts deliveries that are wrongly refused or taken. From the root of the repository:
#
#   examples/rotating-receiver/rotate.sh            # 100 rotations by file and 100 by configuration, in axum and in actix-web
#   examples/rotating-receiver/rotate.sh 10         # fewer
#
# The load is ab's (Debian: apache2-utils), with openssl's signatures: one load with the key in use, which changes with each rotation,
# and one forged. Each load runs on while the next key is put in place.
set -euo pipefail
rotations=${1:-100} requests=2000 body='{"Id":"1","Notifications":[]}'
for tool in ab openssl curl; do command -v "$tool" >/dev/null || { echo "$tool is not installed" >&2; exit 1; }; done
cargo build --quiet -p rotating-receiver
receiver=$(cargo metadata --format-version 1 --no-deps | sed 's/.*"target_directory":"\([^"]*\)".*/\1/')/debug/rotating-receiver
folder=$(mktemp -d) pid=
trap '[ -z "$pid" ] || kill "$pid"; rm -rf "$folder"' EXIT
cd "$folder"
umask 077
printf %s "$body" >body

sign() { printf %s "$body" | openssl dgst -sha256 -hmac "$1" -r | cut -d ' ' -f 1; }
status() { curl -s -o /dev/null -w '%{http_code}' -H "ms-signature: sha256=$1" --data-binary @body "$url" || true; }
load() { # load SIGNATURE LOG [OPTION]
  ab -q "${@:3}" -c 8 -n "$requests" -p body -T application/json -H "ms-signature: sha256=$1" "$url" >"$2" 2>&1
}
count() { awk -v what="$1" -F ': *' '$1 == what { n += $2 } END { print n + 0 }' "${@:2}"; }
until_status() { # until_status STATUS SIGNATURE
  for _ in $(seq 300); do [ "$(status "$2")" = "$1" ] && return; sleep 0.1; done
  echo "no $1 within 30 seconds" >&2
  exit 1
}
replace() { cat >next && mv next "$1"; }
config() { # config KEY FILE [KEY FILE]
  local keys=
  while [ $# -gt 0 ]; do keys+="{ id = \"$1\", secret = { file = \"$2\" } },"; shift 2; done
  printf '[[senders]]\nsender = "extend"\nkeys = [%s]\n' "$keys" | replace rotating.toml
}
# Puts the secret of rotation $1 in place of that of two rotations before.
by_file() { echo "$secret" | replace "slot-$(($1 % 2))"; }
by_config() {
  echo "$secret" >"secret-$1"
  config "key-$(($1 - 1))" "secret-$(($1 - 1))" "key-$1" "secret-$1"
}

run() { # run FRAMEWORK MODE
  rm -f ./*.log secret-* slot-*
  local before gone='' forged signature secret
  secret=$(openssl rand -hex 32) before=$secret
  if [ "$2" = by_file ]; then
    echo "$secret" >slot-0 && openssl rand -hex 32 >slot-1 && config a slot-0 b slot-1
  else
    echo "$secret" >secret-0 && config key-0 secret-0
  fi
  RUST_LOG=error ADDR=127.0.0.1:$port "$receiver" "$1" rotating.toml >receiver.out 2>&1 &
  pid=$!
  url=http://127.0.0.1:$port/webhooks forged=$(sign "$(openssl rand -hex 32)") signature=$(sign "$secret")
  until_status 200 "$signature"
  for rotation in $(seq "$rotations"); do
    load "$signature" "good-$rotation.log" -k &
    good=$!
    # Without keep-alive: a rejection closes its connection.
    load "$forged" "forged-$rotation.log" &
    bad=$!
    secret=$(openssl rand -hex 32)
    "$2" "$rotation"
    until_status 200 "$(sign "$secret")"
    # The key of two rotations before is out of use.
    [ -z "$gone" ] || until_status 401 "$(sign "$gone")"
    wait "$good" && wait "$bad"
    gone=$before before=$secret signature=$(sign "$secret")
  done
  kill "$pid" && wait "$pid" || true
  pid=
  local sent refused failed forgeries unauthorized
  sent=$(count 'Complete requests' good-*.log) refused=$(count 'Non-2xx responses' good-*.log)
  failed=$(count 'Failed requests' good-*.log) forgeries=$(count 'Complete requests' forged-*.log)
  unauthorized=$(count 'Non-2xx responses' forged-*.log)
  echo "$1 $2: $rotations rotations; $sent good deliveries, $((refused + failed)) wrongly refused; $forgeries forged, $((forgeries - unauthorized)) wrongly taken"
  [ "$sent" = $((rotations * requests)) ] && [ "$forgeries" = "$sent" ] && [ $((refused + failed + forgeries - unauthorized)) = 0 ]
}

port=${PORT:-3911}
for framework in axum actix; do
  for mode in by_file by_config; do
    run "$framework" "$mode"
    port=$((port + 1))
  done
done
