#!/usr/bin/env bash
# bash tests/vectors/make/openssl.sh > tests/vectors/openssl.json
# Signs with the openssl command line. python3 only reads and writes JSON.
set -euo pipefail
cd "$(dirname "$0")/.."
body=$(mktemp)
trap 'rm -f "$body"' EXIT

hmac() { openssl dgst -sha256 -hmac "$1" -binary "$body"; }
one_line() { base64 -w 0; }

vector() { # name sender key-field key header value
  printf '%s\0' "$1" "$2" "$3" "$4" "$5" "$6" "$encoded"
}

vectors() {
  local number=0 encoded
  while read -r encoded; do
    encoded=${encoded#body:}
    printf '%s' "$encoded" | base64 -d > "$body"
    vector "moduslink $number" moduslink secret key-one X-Moduslink-HMAC-SHA256 "$(hmac key-one | one_line)"
    vector "moduslink $number, unpadded" moduslink secret key-one X-Moduslink-HMAC-SHA256 "$(hmac key-one | one_line | tr -d =)"
    vector "ewarehousing $number" ewarehousing secret ABC12345 X-Hmac-SHA256 "$(hmac ABC12345 | one_line)"
    vector "extend $number" extend secret secret123 ms-signature "sha256=$(hmac secret123 | od -An -v -tx1 | tr -d ' \n' | tr a-f A-F)"
    vector "extend $number, lower case" extend secret secret123 ms-signature "sha256=$(hmac secret123 | od -An -v -tx1 | tr -d ' \n')"
    for bits in 1024 2048 4096; do
      vector "fluent $number, $bits bits" fluent public_key "keys/rsa-$bits-public.pem" fluent-signature \
        "$(openssl dgst -sha512 -sign "keys/rsa-$bits-private.pem" "$body" | one_line)"
      vector "fluent md5 $number, $bits bits" fluent-legacy-md5 public_key "keys/rsa-$bits-public.pem" flex.signature \
        "$(openssl dgst -md5 -sign "keys/rsa-$bits-private.pem" "$body" | one_line)"
    done
    printf '1719342000.' | cat - "$body" > "$body.signed"
    mv "$body.signed" "$body"
    vector "modern-dropship $number" modern-dropship secret new-secret Convictional-Signature \
      "1719342000,$(hmac new-secret | od -An -v -tx1 | tr -d ' \n')"
    number=$((number + 1))
  done < <(python3 -c 'import json
for body in json.load(open("make/bodies.json"))["bodies"]: print("body:" + body)')
}

vectors | python3 -c '
import itertools, json, sys
fields = sys.stdin.read().split("\0")[:-1]
rows = [fields[i:i + 7] for i in range(0, len(fields), 7)]
json.dump({
    "provenance": sys.argv[1] + ": bash tests/vectors/make/openssl.sh",
    "vectors": [{
        "name": name, "sender": sender, "keys": [{"id": "k", field: key}],
        "headers": [[header, value]], "body_base64": body, "verified_by": "k",
    } for name, sender, field, key, header, value, body in rows],
}, sys.stdout, indent=1)
print()' "$(openssl version)"
