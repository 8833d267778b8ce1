"""Makes codes.tsv: v/bin/pip install zxing-cpp==3.1.1 pillow && v/bin/python codes.py > codes.tsv

Codes are drawn by zint 2.11.1 (the command stands in the first column) and read by zxing-cpp, which shares
no code with it. What a scanner transmits follows from what zxing-cpp reads: the symbology identifier and the
bytes, or, where the code names charsets, its rendering in the ECI protocol (text mode HexECI).
Columns: zint's arguments, what is transmitted (hexadecimal), the bytes of the symbol (hexadecimal), the text
or "-" where it is none.
"""
import shlex, subprocess, sys, tempfile
import zxingcpp
from PIL import Image

def code(arguments, data, text, eci=False):
    with tempfile.NamedTemporaryFile(suffix=".png") as png, tempfile.NamedTemporaryFile() as source:
        source.write(data)
        source.flush()
        command = ["zint", *shlex.split(arguments), "--scale=3", "-o", png.name, "-i", source.name]
        subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
        image = Image.open(png.name).convert("L")
    [found] = zxingcpp.read_barcodes(image)
    content = bytes(found.bytes)
    if eci:
        [found] = zxingcpp.read_barcodes(image, text_mode=zxingcpp.TextMode.HexECI)
        sent = bytes.fromhex(found.text)
    else:
        sent = found.symbology_identifier.encode() + content
    sys.stdout.write(f"{arguments}\t{sent.hex()}\t{content.hex()}\t{text if text is not None else '-'}\n")

name = "山田 太郎 御坊市薗350番地"
sjis = name.encode("cp932")
code("-b QRCODE --binary", sjis, name)
code("-b QRCODE --binary", name.encode(), name)
code("-b QRCODE --eci=20", name.encode(), name, eci=True)
code("-b QRCODE --eci=26", name.encode(), name, eci=True)
code("-b QRCODE --eci=3", "Größe\\1".encode(), "Größe\\1", eci=True)
code("-b QRCODE --eci=25", name.encode(), name, eci=True)
code("-b QRCODE --binary", bytes(range(256)), None)
code("-b QRCODE --binary", bytes(range(128, 256)) * 8, None)
code("-b QRCODE", b"A-0012", "A-0012")
code("-b QRCODE --gs1", b"[01]04912345123459[10]LOT-7[17]271130", "010491234512345910LOT-7\x1d17271130")
code("-b GS1_128", b"[01]04912345123459[10]LOT-7[17]271130", "010491234512345910LOT-7\x1d17271130")
code("-b DATAMATRIX --gs1", b"[01]04912345123459[3103]000500[21]S1", "0104912345123459310300050021S1")
code("-b DATAMATRIX --eci=26", name.encode(), name, eci=True)
code("-b PDF417 --binary", sjis, name)
code("-b AZTEC --eci=26", name.encode(), name, eci=True)
code("-b CODABAR", b"A1234567B", "A1234567B")
code("-b EANX", b"491234567890", "4912345678904")
code("-b CODE39", b"LIB-123", "LIB-123")
code("-b DBAR_EXP", b"[01]04912345123459[15]261121", "010491234512345915261121")
