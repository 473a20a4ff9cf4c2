"""A scene as PDF: one page, vector graphics, the standard fonts that every reader has (ISO 32000-1, 9.6.2.2)."""

from __future__ import annotations

import zlib

from wengert.inspect.scene import Curve, Rectangle, Scene, Text, text_width
from wengert.inspect.svg import pieces_of

#: A circle's quarter as a cubic: how far its control points are from the corner.
_ROUND = 0.448
#: Readers are not obliged to show pages beyond this (200 inches).
_LARGEST = 14_400.0
#: What the standard fonts' encoding lacks, in other words.
_SPELLED = str.maketrans({"∂": "d", "∇": "grad", "≤": "<=", "≥": ">=", "≈": "~", "∞": "inf", "−": "-"})


def pdf_of(scene: Scene) -> bytes:
    """The scene as a document of one page; a point is a pixel, or less for very large pictures."""
    scale = min(1.0, _LARGEST / max(scene.width, scene.height, 1.0))
    body = [f"{scale:.5f} 0 0 {-scale:.5f} 0 {scene.height * scale:.2f} cm"]
    for number, (top, bottom) in enumerate(scene.strips):
        left, wide = number * scene.strip_width, scene.strip_width
        body.append(f"q 1 0 0 1 {left:.1f} {-top:.1f} cm 0 {top:.1f} {wide:.1f} {bottom - top:.1f} re W n")
        body += map(_shape, scene.within(top, bottom))
        body.append("Q")
    content = zlib.compress("\n".join(body).encode("cp1252", "replace"))
    font = "<< /Type /Font /Subtype /Type1 /BaseFont /%s /Encoding /WinAnsiEncoding >>"
    box = f"[0 0 {scene.width * scale:.2f} {scene.height * scale:.2f}]"
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        (
            f"<< /Type /Page /Parent 2 0 R /MediaBox {box} /Contents 4 0 R "
            "/Resources << /Font << /F 5 0 R /B 6 0 R >> >> >>"
        ).encode(),
        b"<< /Length %d /Filter /FlateDecode >>\nstream\n%s\nendstream" % (len(content), content),
        (font % "Helvetica").encode(),
        (font % "Helvetica-Bold").encode(),
    ]
    return _document(objects)


def _shape(shape: Rectangle | Text | Curve) -> str:
    if isinstance(shape, Rectangle):
        return _rectangle(shape)
    return _text(shape) if isinstance(shape, Text) else _curve(shape)


def _document(objects: list[bytes]) -> bytes:
    out = bytearray(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
    offsets = []
    for number, content in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    out += b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start)
    return bytes(out)


def _color(color: str, operator: str) -> str:
    return " ".join(f"{int(color[i : i + 2], 16) / 255:.3f}" for i in (1, 3, 5)) + f" {operator}"


def _rectangle(shape: Rectangle) -> str:
    x, y, right, bottom = shape.x, shape.y, shape.x + shape.width, shape.y + shape.height
    r = min(shape.radius, shape.width / 2, shape.height / 2)
    k = r * _ROUND
    return (
        f"{_color(shape.fill, 'rg')} {_color(shape.stroke, 'RG')} {shape.stroke_width} w "
        f"{'[4 3] 0 d' if shape.dashed else '[] 0 d'}\n"
        f"{x + r:.1f} {y:.1f} m {right - r:.1f} {y:.1f} l "
        f"{right - k:.1f} {y:.1f} {right:.1f} {y + k:.1f} {right:.1f} {y + r:.1f} c {right:.1f} {bottom - r:.1f} l "
        f"{right:.1f} {bottom - k:.1f} {right - k:.1f} {bottom:.1f} {right - r:.1f} {bottom:.1f} c "
        f"{x + r:.1f} {bottom:.1f} l {x + k:.1f} {bottom:.1f} {x:.1f} {bottom - k:.1f} {x:.1f} {bottom - r:.1f} c "
        f"{x:.1f} {y + r:.1f} l {x:.1f} {y + k:.1f} {x + k:.1f} {y:.1f} {x + r:.1f} {y:.1f} c b"
    )


def _text(shape: Text) -> str:
    text = shape.text.translate(_SPELLED)
    # Helvetica is about a tenth narrower than the font that boxes are measured in.
    width = text_width(text, shape.size, shape.bold) * 0.9
    x = shape.x - (width / 2 if shape.anchor == "middle" else 0)
    escaped = "".join("\\" + c if c in "()\\" else c for c in text if c >= " ")
    font = "B" if shape.bold else "F"
    return f"BT {_color(shape.color, 'rg')} /{font} {shape.size} Tf 1 0 0 -1 {x:.1f} {shape.y:.1f} Tm ({escaped}) Tj ET"


def _curve(shape: Curve) -> str:
    x, y = shape.points[0]
    parts = [
        f"{_color(shape.color, 'RG')} {shape.width} w {'[3 3] 0 d' if shape.dashed else '[] 0 d'} {x:.1f} {y:.1f} m"
    ]
    for piece in pieces_of(shape):
        parts.append(" ".join(f"{px:.1f} {py:.1f}" for px, py in piece) + (" l" if len(piece) == 1 else " c"))
    (x, y), up = shape.points[-1], shape.points[-1][1] < shape.points[-2][1]
    back = 6.5 if up else -6.5
    parts.append("S")
    parts.append(
        f"{_color(shape.color, 'rg')} {x:.1f} {y:.1f} m {x - 3:.1f} {y + back:.1f} l {x + 3:.1f} {y + back:.1f} l f"
    )
    return " ".join(parts)
