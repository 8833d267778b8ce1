"""Verifies an envelope without this project's software.

Usage: verify_envelope.py CASE GRAMMAR

CASE is a JSON file with `topic`, `publicKey` and `envelope` (hexadecimal digits), and `view`, what the
payload says.  GRAMMAR is telemetry.cddl.  Prints one JSON object; exit code 0 if nothing is wrong, 1
otherwise.  Needs cbor2, cryptography, cwt, pycddl and pycose from PyPI.
"""

import hashlib
import json
import sys

import cbor2
import pycddl
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cwt import COSE, COSEKey
from pycose.keys import OKPKey
from pycose.messages import CoseMessage


def by_hand(envelope, topic, key, defects):
    """The signature, with nothing but CBOR and Ed25519 (RFC 9052, section 4.4)."""
    protected, unprotected, payload, signature = cbor2.loads(envelope).value
    header = cbor2.loads(protected)
    if header[1] != -8 or header[4] != hashlib.sha256(key).digest()[:8] or unprotected != {}:
        defects.append("header")
    lane = topic.split("/")[5]
    if header[-65537][2] != lane or header[15][1] != issuer(topic):
        defects.append("stamp")
    signed = cbor2.dumps(["Signature1", protected, topic.encode(), payload])
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, signed)
    except InvalidSignature:
        defects.append("signature")
    return protected, payload


def issuer(topic):
    return "urn:madoguchi:{2}:{3}".format(*topic.split("/"))


def by_pycose(envelope, topic, key, defects):
    message = CoseMessage.decode(envelope)
    message.external_aad = topic.encode()
    message.key = OKPKey(crv="ED25519", x=key, optional_params={"ALG": "EDDSA"})
    if not message.verify_signature():
        defects.append("signature (pycose)")


def by_cwt(envelope, topic, key, defects):
    identifier = hashlib.sha256(key).digest()[:8]
    jwk = COSEKey.new({1: 1, 2: identifier, 3: -8, -1: 6, -2: key, 4: [2]})
    try:
        COSE.new().decode(envelope, keys=[jwk], external_aad=topic.encode())
    except Exception as error:  # whatever it raises, it does not accept the envelope
        defects.append(f"signature (cwt): {error}")


def by_next_key(payload, topic, key, defects):
    """The proof in a key statement: the next key follows this one, for this device."""
    said = cbor2.loads(payload)
    try:
        proved = cbor2.dumps(["NextKey1", issuer(topic), key, said["key"]])
        Ed25519PublicKey.from_public_bytes(said["key"]).verify(said["proof"], proved)
    except (InvalidSignature, KeyError, ValueError):
        defects.append("proof of the next key")


def by_grammar(protected, payload, topic, grammar, defects):
    # pycddl 0.6.4 does not look into byte strings that stand in an array, so each is given to it alone.
    rules = {"protected": protected, topic.split("/")[6]: payload}
    for rule, data in rules.items():
        # A grammar begins with the rule that it describes.
        try:
            pycddl.Schema(f"start = {rule}\n{grammar}").validate_cbor(data)
        except pycddl.ValidationError as error:
            defects.append(f"grammar ({rule}): {error}")


def plain(value):
    """As JSON shows it: bytes are hexadecimal digits."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        case = json.load(file)
    with open(sys.argv[2], encoding="utf-8") as file:
        grammar = file.read()
    topic = case["topic"]
    envelope, key = bytes.fromhex(case["envelope"]), bytes.fromhex(case["publicKey"])
    defects = []
    protected, payload = by_hand(envelope, topic, key, defects)
    by_pycose(envelope, topic, key, defects)
    by_cwt(envelope, topic, key, defects)
    by_grammar(protected, payload, topic, grammar, defects)
    if topic.split("/")[6] == "key":
        by_next_key(payload, topic, key, defects)
    if plain(cbor2.loads(payload)) != case["view"]:
        defects.append("view")
    if cbor2.dumps(cbor2.loads(payload), canonical=True) != payload:
        defects.append("payload not deterministic")
    print(json.dumps({"topic": topic, "defects": defects}))
    return 1 if defects else 0


if __name__ == "__main__":
    sys.exit(main())
