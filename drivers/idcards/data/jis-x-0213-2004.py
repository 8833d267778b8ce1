#!/usr/bin/env python3
"""Makes jis-x-0213-2004.txt beside this file, from CPython's codec shift_jis_2004.

Run it with no arguments; the result does not depend on the version of Python 3.
Shift_JIS-2004 holds JIS X 0213:2004, ASCII's graphic characters and the half-width katakana of JIS X 0201
and nothing else. (The codec euc_jis_2004 does not serve: it also takes JIS X 0212.)
"""

import pathlib

# The same characters of JIS X 0208 under the code points that the standard's own table, or the widespread
# mapping of code page 932, gives them, where the codec knows only one of the two.
ALIASES = {
    0x2014: "1-1-29 EM DASH, the codec has U+2015",
    0xFF5E: "1-2-18 TILDE, the codec has U+007E",
    0xFF3C: "1-1-32 REVERSE SOLIDUS, the codec has U+005C",
    0xFFE0: "1-1-81 CENT SIGN, the codec has U+00A2",
    0xFFE1: "1-1-82 POUND SIGN, the codec has U+00A3",
    0xFFE2: "1-2-44 NOT SIGN, the codec has U+00AC",
}


def encodes(text):
    try:
        text.encode("shift_jis_2004")
    except UnicodeEncodeError:
        return False
    return True


def sequences():
    """Two code points that are one character of JIS X 0213: two bytes that decode to two characters."""
    for high in range(0x81, 0xFD):
        for low in range(0x40, 0xFD):
            try:
                text = bytes([high, low]).decode("shift_jis_2004")
            except UnicodeDecodeError:
                continue
            # A lead byte that is half-width katakana by itself also gives two characters.
            if len(text) == 2 and text.encode("shift_jis_2004") == bytes([high, low]) and ord(text[1]) > 0x2E0:
                if not 0xFF61 <= ord(text[0]) <= 0xFF9F:
                    yield text


def main():
    planes = [range(0x20, 0xD800), range(0xE000, 0x110000)]
    members = {code for plane in planes for code in plane if encodes(chr(code)) and code != 0x7F}
    members |= set(ALIASES)
    pages = {}
    for code in members:
        pages[code >> 8] = pages.get(code >> 8, 0) | 1 << (255 - (code & 0xFF))
    pairs = sorted(set(sequences()))
    lines = [
        "# The repertoire of JIS X 0213:2004, with ASCII and the half-width katakana of JIS X 0201.",
        "# Made by jis-x-0213-2004.py from CPython's codec shift_jis_2004: every code point that it encodes,",
        "# without control characters, and with these, which are the same characters under another code point:",
        *(f"# U+{code:04X}: {why}." for code, why in sorted(ALIASES.items())),
        f"# {len(members)} code points and {len(pairs)} sequences of two.",
        "# A line 'PPPP bits' holds the code points PPPP00 to PPPPFF, most significant bit first.",
        "# A line '+ A B' holds two code points that are one character.",
        *(f"{page:04X} {bits:064X}" for page, bits in sorted(pages.items())),
        *(f"+ {ord(pair[0]):04X} {ord(pair[1]):04X}" for pair in pairs),
    ]
    target = pathlib.Path(__file__).with_name("jis-x-0213-2004.txt")
    target.write_text("\n".join(lines) + "\n", encoding="ascii")


if __name__ == "__main__":
    main()
