"""Makes preapplication.tsv: v/bin/pip install cryptography && v/bin/python preapplication.py > preapplication.tsv

Written from the specification in docs/devices/code-scanners.md, sharing no code with the driver. Each line:
the text of the code, content, public key of the form, private key of the counter (hexadecimal), sealed.
"""
import hashlib, struct, sys
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, PrivateFormat, NoEncryption

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"

def base45(data):
    out = ""
    for i in range(0, len(data) - 1, 2):
        n = data[i] * 256 + data[i + 1]
        out += ALPHABET[n % 45] + ALPHABET[n // 45 % 45] + ALPHABET[n // 2025]
    if len(data) % 2:
        out += ALPHABET[data[-1] % 45] + ALPHABET[data[-1] // 45]
    return out

def seed(name):
    return hashlib.sha256(name.encode()).digest()

raw = lambda key: key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)

def content(procedure, **fields):
    text = lambda value, form: struct.pack(form, len(value.encode())) + value.encode()
    ordered = sorted(fields.items(), key=lambda field: field[0].encode())
    return text(procedure, ">B") + b"".join(text(name, ">B") + text(value, ">H") for name, value in ordered)

contents = [content(""), content("sealCertificate"), content("転入届", 氏名="山田 太郎", 住所="御坊市薗350番地"),
            content("residentRecord", name="\U00020BB7田 葛\U000E0100", copies="2", note="x" * 300)]
for number, content in enumerate(contents):
    for sealed in (0, 1):
        form = Ed25519PrivateKey.from_private_bytes(seed(f"form {number}"))
        counter = X25519PrivateKey.from_private_bytes(seed(f"counter {number}"))
        header = struct.pack(">BBII16sIII", 1, sealed, 302058, 7, seed(f"id {number} {sealed}")[:16],
                             1795000000, 1795086400, 3 if sealed else 0)
        body = content
        if sealed:
            ephemeral = X25519PrivateKey.from_private_bytes(seed(f"ephemeral {number}"))
            material = HKDF(hashes.SHA256(), 44, salt=raw(ephemeral) + raw(counter),
                            info=b"madoguchi pre-application 1 content\0" + header).derive(ephemeral.exchange(counter.public_key()))
            body = raw(ephemeral) + AESGCM(material[:32]).encrypt(material[32:], content, header)
        signature = form.sign(b"madoguchi pre-application 1 signature\0" + header + body)
        private = counter.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
        sys.stdout.write("\t".join(["MPA1:" + base45(header + body + signature), content.hex(), raw(form).hex(), private.hex(), str(sealed)]) + "\n")
