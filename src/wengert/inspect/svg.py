"""A scene as SVG, and SVG as PNG."""

from __future__ import annotations

from functools import cache
from importlib import resources

from wengert.core.errors import WengertError
from wengert.inspect.scene import Curve, Rectangle, Scene, Text

#: No picture is wider or higher than this many pixels.
_LARGEST = 16_000
_FONT = "DejaVu Sans, Verdana, sans-serif"


def escape(text: str) -> str:
    """Text that is safe between tags and in attributes; characters that XML does not allow are dropped."""
    clean = "".join(c for c in text if c >= " " or c in "\n\t")
    for character, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;"), ("'", "&#39;")):
        clean = clean.replace(character, entity)
    return clean


def svg_of(scene: Scene) -> str:
    """The scene as a document: lengths in pixels, all text escaped, explanations as ``<title>``."""
    width, height = scene.width, scene.height
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
        f'viewBox="0 0 {width:.0f} {height:.0f}" font-family="{_FONT}">',
        f"<title>{escape(scene.title or 'computational graph')}</title>",
        f'<rect width="{width:.0f}" height="{height:.0f}" fill="#ffffff"/>',
    ]
    for number, (top, bottom) in enumerate(scene.strips):
        left = number * scene.strip_width
        parts.append(
            f'<svg x="{left:.1f}" y="0" width="{scene.strip_width:.1f}" height="{bottom - top:.1f}" '
            f'viewBox="0 {top:.1f} {scene.strip_width:.1f} {bottom - top:.1f}">'
        )
        parts += map(_shape, scene.within(top, bottom))
        parts.append("</svg>")
        if number:
            parts.append(f'<path d="M{left:.1f} 0V{height:.1f}" stroke="#e2e8f0"/>')
    return "\n".join([*parts, "</svg>", ""])


def _shape(shape: Rectangle | Text | Curve) -> str:
    if isinstance(shape, Rectangle):
        return _rectangle(shape)
    return _text(shape) if isinstance(shape, Text) else _curve(shape)


def _rectangle(shape: Rectangle) -> str:
    dashes = ' stroke-dasharray="4 3"' if shape.dashed else ""
    title = f"<title>{escape(shape.title)}</title>" if shape.title else ""
    return (
        f'<rect x="{shape.x:.1f}" y="{shape.y:.1f}" width="{shape.width:.1f}" height="{shape.height:.1f}" '
        f'rx="{shape.radius:.1f}" fill="{shape.fill}" stroke="{shape.stroke}" '
        f'stroke-width="{shape.stroke_width}"{dashes}>{title}</rect>'
    )


def _text(shape: Text) -> str:
    bold = ' font-weight="bold"' if shape.bold else ""
    return (
        f'<text x="{shape.x:.1f}" y="{shape.y:.1f}" font-size="{shape.size}" fill="{shape.color}" '
        f'text-anchor="{shape.anchor}"{bold}>{escape(shape.text)}</text>'
    )


def _curve(shape: Curve) -> str:
    dashes = ' stroke-dasharray="3 3"' if shape.dashed else ""
    title = f"<title>{escape(shape.title)}</title>" if shape.title else ""
    (x, y), up = shape.points[-1], shape.points[-1][1] < shape.points[-2][1]
    back = 6.5 if up else -6.5
    arrow = f"M{x:.1f} {y:.1f}L{x - 3:.1f} {y + back:.1f}L{x + 3:.1f} {y + back:.1f}Z"
    return (
        f'<g stroke="{shape.color}" stroke-width="{shape.width}"{dashes}>{title}'
        f'<path d="{path_of(shape)}" fill="none"/>'
        f'<path d="{arrow}" fill="{shape.color}" stroke="none"/></g>'
    )


def pieces_of(shape: Curve) -> list[tuple[tuple[float, float], ...]]:
    """The pieces of a curve: an end point, or two control points and an end point."""
    found: list[tuple[tuple[float, float], ...]] = []
    for (x0, y0), (x1, y1) in zip(shape.points, shape.points[1:], strict=False):
        if abs(x0 - x1) < 0.5:
            found.append(((x1, y1),))
        else:
            level = min(1.0, abs(x1 - x0) / 60) * shape.shift
            middle = (y0 + y1) / 2 - (level if (x1 > x0) == (y1 > y0) else -level)
            found.append(((x0, middle), (x1, middle), (x1, y1)))
    return found


def path_of(shape: Curve) -> str:
    """The curve as an SVG path."""
    x, y = shape.points[0]
    parts = [f"M{x:.1f} {y:.1f}"]
    for piece in pieces_of(shape):
        parts.append(("L" if len(piece) == 1 else "C") + " ".join(f"{px:.1f} {py:.1f}" for px, py in piece))
    return "".join(parts)


@cache
def _fonts() -> tuple[str, ...]:
    folder = resources.files("wengert.inspect") / "fonts"
    return tuple(str(folder / name) for name in ("DejaVuSans.ttf", "DejaVuSans-Bold.ttf"))


def png_of(svg: str, width: float, height: float, scale: float = 2.0) -> bytes:
    """SVG as PNG, at ``scale`` pixels a unit, or less for pictures that would become very large.

    Needs ``pip install wengert[viz]``; no system library, no system font.
    """
    try:
        import resvg_py
    except ImportError as error:
        raise WengertError(
            "a PNG needs the package resvg_py: pip install 'wengert[viz]'. SVG, PDF and DOT need nothing"
        ) from error
    scale = min(scale, _LARGEST / max(width, height, 1.0))
    found = resvg_py.svg_to_bytes(
        svg_string=svg,
        width=max(1, round(width * scale)),
        font_files=list(_fonts()),
        skip_system_fonts=True,
        font_family="DejaVu Sans",
    )
    return bytes(found)
