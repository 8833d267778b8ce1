"""Makes pages that lie askew, with Pillow: other code than ours draws and turns them.

Run with Pillow and the font of Debian's fonts-morisawa-bizud-gothic (or any Japanese one, as first argument).
"""

import pathlib
import sys

from PIL import Image, ImageDraw, ImageFont

FONT = sys.argv[1] if len(sys.argv) > 1 else "/usr/share/fonts/truetype/morisawa-bizud-gothic/BIZUDGothic-Regular.ttf"
HERE = pathlib.Path(__file__).parent
TEXT = "住民票の写しの交付を申請します氏名生年月日住所電話番号世帯主との続柄" * 40
# A5 at 600 dots per inch, brought down to 100 after turning.
WIDTH, HEIGHT, PITCH = 3496, 4960, 180


def page(kind):
    image = Image.new("L", (WIDTH, HEIGHT), 255)
    draw = ImageDraw.Draw(image)
    font = ImageFont.truetype(FONT, 90)
    if kind == "form":
        small = ImageFont.truetype(FONT, 80)
        for line in range(12):
            y = 500 + line * 330
            draw.rectangle((400, y, WIDTH - 400, y + 330), outline=0, width=8)
            draw.line((1200, y, 1200, y + 330), fill=0, width=8)
            draw.text((450, y + 110), TEXT[line * 5 : line * 5 + 5], font=small, fill=0)
        return image
    lines = range(400, (HEIGHT if kind == "rows" else WIDTH) - 400, PITCH)
    for number, start in enumerate(lines):
        length = 24 if kind == "rows" else 40
        # Paragraphs end somewhere in their last line.
        length -= (number * 7) % 11 if number % 4 == 3 else 0
        text = TEXT[number * 13 : number * 13 + length]
        for place, letter in enumerate(text):
            along = 400 + place * 100
            where = (along, start) if kind == "rows" else (WIDTH - start - 100, along)
            draw.text(where, letter, font=font, fill=0)
    return image


for kind, hundredths in [("rows", 230), ("rows", -487), ("rows", 33), ("columns", -140), ("columns", 412), ("form", 75), ("form", -310)]:
    # Positive angles of Pillow are counterclockwise: such a page must be turned clockwise by as much.
    turned = page(kind).rotate(hundredths / 100, Image.Resampling.BICUBIC, fillcolor=255)
    small = turned.resize((WIDTH // 6, HEIGHT // 6), Image.Resampling.BOX)
    small.point(lambda level: 255 if level > 150 else 0).convert("1").save(HERE / f"askew-{kind}-{hundredths:+d}.png", optimize=True)

form = page("form").resize((290, 413), Image.Resampling.BOX)
form.save(HERE / "page-gray.jpg", quality=60)
Image.merge("RGB", (form, form.point(lambda level: min(255, level + 30)), form)).save(HERE / "page-colour.jpg", quality=60)
