"""Makes parts.tsv: v/bin/python parts.py > parts.tsv, with the packages of codes.py.

Messages in several codes with the header of docs/devices/code-scanners.md, written here anew; drawn by zint,
read by zxing-cpp. Each line: the message (hexadecimal), then what is transmitted for each part.
"""
import functools, operator, subprocess, sys, tempfile
import zxingcpp
from PIL import Image

def transmitted(data, *arguments):
    with tempfile.NamedTemporaryFile(suffix=".png") as png, tempfile.NamedTemporaryFile() as source:
        source.write(data)
        source.flush()
        subprocess.run(["zint", *arguments, "--scale=3", "-o", png.name, "-i", source.name], check=True, stderr=subprocess.DEVNULL)
        [found] = zxingcpp.read_barcodes(Image.open(png.name).convert("L"))
        return found.symbology_identifier.encode() + bytes(found.bytes)

messages = [("山田 太郎 御坊市薗350番地".encode("cp932"), 2, "QRCODE"), (bytes(range(256)) * 3, 5, "QRCODE"),
            (open("preapplication.tsv").read().splitlines()[7].split("\t")[0].encode(), 3, "QRCODE"),
            ("分割されたコード".encode(), 16, "DATAMATRIX")]
for message, total, symbology in messages:
    parity = functools.reduce(operator.xor, message)
    cuts = [len(message) * place // total for place in range(total + 1)]
    parts = [b"MSA:%02d%02d%02X:" % (place, total, parity) + message[cuts[place - 1]:cuts[place]] for place in range(1, total + 1)]
    sent = [transmitted(part, "-b", symbology, "--binary").hex() for part in parts]
    sys.stdout.write("\t".join([message.hex(), *sent]) + "\n")
