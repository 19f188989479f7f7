"""Papers and cards of the demo, written when they are needed."""

import io

from PIL import Image, ImageDraw

from inbox.demo.people import CUSTOMERS
from inbox.demo.pictures import INK, SIZE, bicycle


def paper(name):
    """(mime type, bytes): a PDF of one page."""
    page = Image.new("RGB", (620, 877), (252, 250, 246))
    draw = ImageDraw.Draw(page)
    draw.text((60, 60), name.rpartition(".")[0], fill=INK, font_size=30)
    for line in range(12):
        draw.rectangle((60, 140 + line * 26, 560 - line % 4 * 60, 146 + line * 26), fill=(206, 200, 192))
    drawing = Image.new("RGB", SIZE, (252, 250, 246))
    bicycle(ImageDraw.Draw(drawing), shift=0)
    page.paste(drawing.resize((500, 375)), (60, 470))
    stream = io.BytesIO()
    page.save(stream, "PDF")
    return "application/pdf", stream.getvalue()


def contact(name):
    """(mime type, bytes): the vCard of the customer after whom the file is named."""
    name = name.rpartition(".")[0]
    customer = next(customer for customer in CUSTOMERS if customer.name == name)
    first, _, last = name.partition(" ")
    lines = ["BEGIN:VCARD", "VERSION:3.0", f"N:{last};{first};;;", f"FN:{name}"]
    lines += [f"TEL;TYPE=CELL:{customer.number}", "END:VCARD", ""]
    return "text/vcard", "\r\n".join(lines).encode()
