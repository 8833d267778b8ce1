"""Verifies a sealed container without this project's software.

Usage: verify_container.py CONTAINER PUBLIC_KEY [INKML [FILE ...]]

PUBLIC_KEY holds the 32 bytes of the device's Ed25519 key.  Prints one JSON object; exit code 0 if
nothing is wrong, 1 otherwise.  Needs cbor2, cryptography and pycose from PyPI.
"""

import hashlib
import json
import sys

import cbor2
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pycose.keys import OKPKey
from pycose.messages import CoseMessage

CONTENT_TYPE = "application/prs.madoguchi.pen-signature+cbor"


def read(path):
    with open(path, "rb") as file:
        return file.read()


def sha256(data):
    return hashlib.sha256(data).digest()


def by_hand(parts, key, defects):
    """The signature, with nothing but CBOR and Ed25519 (RFC 9052, section 4.4)."""
    protected, unprotected, payload, signature = parts
    header = cbor2.loads(protected)
    thumbprint = sha256(cbor2.dumps({1: 1, -1: 6, -2: key}, canonical=True))
    if header != {1: -8, 3: CONTENT_TYPE, 4: thumbprint} or unprotected != {}:
        defects.append("header")
    signed = cbor2.dumps(["Signature1", protected, b"", payload])
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, signed)
    except InvalidSignature:
        defects.append("signature")


def by_pycose(container, key, defects):
    """The same through a COSE library."""
    message = CoseMessage.decode(container)
    message.key = OKPKey(crv="ED25519", x=key, optional_params={"ALG": "EDDSA"})
    if not message.verify_signature():
        defects.append("signature (pycose)")


def ink(statement, apart, defects):
    part = statement.get("ink")
    if (part is not None) != (statement["outcome"] == "signed"):
        defects.append("ink and outcome")
    for what, data in (("inside", (part or {}).get("data")), ("apart", apart)):
        if data is None:
            continue
        if part is None or sha256(data) != part["sha256"] or len(data) != part["length"]:
            defects.append(f"ink {what}")


def main(container_path, key_path, inkml_path=None, *files):
    container, key = read(container_path), read(key_path)
    defects, statement = [], {}
    try:
        value = cbor2.loads(container)
        if value.tag != 18 or cbor2.dumps(value, canonical=True) != container:
            defects.append("envelope")
        by_hand(value.value, key, defects)
        by_pycose(container, key, defects)
        statement = cbor2.loads(value.value[2])
        if cbor2.dumps(statement, canonical=True) != value.value[2]:
            defects.append("statement is not deterministic")
        ink(statement, read(inkml_path) if inkml_path else None, defects)
        known = set()
        for document in statement["documents"]:
            known.add(document["source-sha256"])
            known.update(picture["uploaded-sha256"] for picture in document["pictures"])
        defects.extend(f"file {path}" for path in files if sha256(read(path)) not in known)
    except Exception as error:  # Whatever it is: the container is not one.
        defects.append(f"unreadable: {type(error).__name__}")
    shown = {
        "valid": not defects,
        "defects": defects,
        "outcome": statement.get("outcome"),
        "counter": statement.get("counter"),
    }
    print(json.dumps(shown, ensure_ascii=False))
    return 1 if defects else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
