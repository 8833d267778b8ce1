"""Makes gs1.tsv: python3 -m venv v && v/bin/pip install biip==5.2.0 && v/bin/python gs1.py > gs1.tsv

Each line: content in hexadecimal, a tab, and the element strings that biip reads in it, or "-" where it
refuses. The contents are made from the formats that biip's own table states, with a fixed seed: for each
identifier a right value alone and before another element, and one that is too short, too long or of the
wrong characters. Check digits are made by biip. Whether a check digit is wrong biip tells beside the
element, so such a message counts as refused; so does an empty value, which biip reads for some.
Not taken up, because biip's patterns are looser or stricter there than the General Specifications:
dates that do not exist, dates of eight digits, the second date of (7007), the closed lists of country codes, coupon (8110, 8112), IBAN and component forms.
"""
import json, random, re, sys
from importlib.resources import files
import biip
from biip import checksums
from biip.gs1_messages import GS1Message

random.seed(20261121)
TABLE = json.loads(files("biip.gs1_application_identifiers").joinpath("_application_identifiers.json").read_text())
CHECKED = {"00": 18, "01": 14, "02": 14, "03": 14, "253": 13, "255": 13, "402": 17, "8003": 14, "8006": 14,
           "8026": 14, "8017": 18, "8018": 18, **{str(ai): 13 for ai in range(410, 418)}}
DATED = {"11", "12", "13", "15", "16", "17", "4324", "4325", "4326", "7003", "7006", "7007", "7011", "8008"}
SKIP = {"8007", "8010", "8030", "8110", "8112", "7040", "4309", "7258", "8043"}
X = "!\"%&'()*+,-./0123456789:;<=>?ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"

def piece(kind, length):
    return "".join(random.choice("0123456789" if kind == "N" else X) for _ in range(length))

def value(ai, form):
    out = ""
    form = form.split("+", 1)[1]
    for optional, kind, upto, length in re.findall(r"(\[\+)?([NX])(\.\.)?(\d+)", form):
        if optional and random.random() < 0.5:
            continue
        length = int(length)
        out += piece(kind, random.randint(1, length) if upto else length)
    if ai == "8003":
        out = "0" + out[1:]
    if ai in CHECKED:
        n = CHECKED[ai]
        out = out[: n - 1] + str(checksums.gs1_standard_check_digit(out[: n - 1])) + out[n:]
    if ai in DATED:
        date = "%02d%02d%02d" % (random.randint(0, 99), random.randint(1, 12), random.randint(1, 28))
        out = date + out[6:]
        if ai in ("4324", "4325", "7003"):
            out = date + "%02d%02d" % (random.randint(0, 23), random.randint(0, 59))
        if ai == "7007":
            out = date
        if ai == "7011" and len(out) == 10:
            out = date + "1530"
        if ai == "8008":
            out = date + random.choice(["12", "1230", "123059"])
    if ai in ("423", "425"):
        out = piece("N", 3 * random.randint(1, 5))
    if ai in ("4307", "4317"):
        out = "JP"
    if ai in ("7250", "7251"):
        out = "202611211530"[: 8 if ai == "7250" else 12]
    if ai in ("4321", "4322", "4323"):
        out = random.choice("01")
    if ai == "7252":
        out = random.choice("0129")
    return out

def read(content):
    try:
        message = GS1Message.parse(content)
    except Exception:
        return "-"
    for element in message.element_strings:
        if not element.value or element.gtin_error or element.sscc_error or element.gln_error:
            return "-"
        if element.ai.ai in CHECKED:
            digits = element.value[: CHECKED[element.ai.ai]]
            if str(checksums.gs1_standard_check_digit(digits[:-1])) != digits[-1]:
                return "-"
    return "".join(f"({e.ai.ai}){e.value}" for e in message.element_strings)

def line(content):
    sys.stdout.write(f"{content.encode('ascii').hex()}\t{read(content)}\n")

for entry in TABLE:
    ai, form = entry["ai"], entry["format"]
    if ai in SKIP:
        continue
    right = value(ai, form)
    line(ai + right)
    line(ai + right + ("\x1d" if entry["separator_required"] else "") + "10LOT")
    if len(ai) < 4 or ai[3] == "0" or not ai.startswith("3"):
        line(ai + right + "A" * 91)
        line(ai)
        line(ai + "~" + right[1:])
