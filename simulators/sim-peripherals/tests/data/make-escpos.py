"""Makes the byte streams of python-escpos (3.1): `pip install python-escpos pillow`, then `python make-escpos.py`."""
from escpos.printer import Dummy
from PIL import Image, ImageDraw

def save(name, build):
    p = Dummy(profile="TM-T88V")
    build(p)
    open(name, "wb").write(p.output)

def picture():
    im = Image.new("1", (384, 120), 1)
    d = ImageDraw.Draw(im)
    d.rectangle((8, 8, 375, 111), outline=0, width=4)
    d.line((8, 8, 375, 111), fill=0, width=3)
    d.ellipse((150, 20, 230, 100), fill=0)
    return im

def text(p):
    p.set(align="center", double_height=True, double_width=True)
    p.text("A-017\n")
    p.set(align="left")
    p.text("Counter 3\nWait about 20 minutes\n")
    p.cut()

def raster(p):
    p.image(picture(), impl="bitImageRaster")
    p.cut()

def graphics(p):
    p.image(picture(), impl="graphics")
    p.cut(mode="PART")

def column(p):
    p.image(picture(), impl="bitImageColumn")
    p.cut()

def qr(p):
    p.qr("https://example.invalid/t/8KQ2M4", size=6, native=True)
    p.cut()

for name, build in [("text", text), ("raster", raster), ("graphics", graphics), ("column", column), ("qr", qr)]:
    save(f"python-escpos-{name}.bin", build)
