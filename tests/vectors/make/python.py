"""python3 tests/vectors/make/python.py > tests/vectors/python.json

Signs with Python's standard hmac, hashlib and base64."""
import base64
import hashlib
import hmac
import json
import pathlib
import sys

here = pathlib.Path(__file__).parent
bodies = [base64.b64decode(body) for body in json.loads((here / "bodies.json").read_text())["bodies"]]
vectors = []


def vector(name, sender, secret, header, value, body):
    vectors.append({
        "name": name, "sender": sender, "keys": [{"id": "k", "secret": secret}],
        "headers": [[header, value]], "body_base64": base64.b64encode(body).decode(), "verified_by": "k",
    })


def sign(secret, message):
    return hmac.new(secret.encode(), message, hashlib.sha256)


times = {
    "s": ("1719342000", "1719342000123"),
    "Schlüssel": ("2024-06-25T19:00:00Z", "2024-06-25T21:00:00.5+02:00"),
}
long_secret = "a secret of more than sixty-four bytes is hashed before it keys the HMAC: RFC 2104"
for number, body in enumerate(bodies):
    for secret in ("s", "Schlüssel", long_secret):
        digest = sign(secret, body).digest()
        encoded = base64.b64encode(digest).decode()
        name = f"{number}, a secret of {len(secret.encode())} bytes"
        vector(f"moduslink {name}", "moduslink", secret, "x-moduslink-hmac-sha256", encoded, body)
        vector(f"ewarehousing {name}", "ewarehousing", secret, "x-hmac-sha256", encoded, body)
        vector(f"extend {name}", "extend", secret, "MS-Signature", "sha256=" + digest.hex(), body)
        if secret == long_secret:
            continue
        for time in times[secret]:
            signature = sign(secret, time.encode() + b"." + body).hexdigest()
            other = sign("another", time.encode() + b"." + body).hexdigest()
            vector(f"modern-dropship {name}, {time}", "modern-dropship", secret, "Convictional-Signature",
                   f"{time},{other},{signature}", body)
            vector(f"modern-dropship {name}, {time}, labelled", "modern-dropship", secret,
                   "Convictional-Signature", f"t={time}, v0=unknown, v1={signature.upper()}", body)

json.dump({"provenance": f"Python {sys.version.split()[0]}: python3 tests/vectors/make/python.py",
           "vectors": vectors}, sys.stdout, indent=1, ensure_ascii=False)
print()
