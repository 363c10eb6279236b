"""Drawings as data: a few shapes, printed as SVG here and as pixels by ``raster``.

A :class:`Drawing` is frozen; figures build a list of shapes and close it.  Text is measured with the widths of
Helvetica, so that layouts can keep labels apart without a browser.  Shapes carry no reference to anything outside.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from semkit.errors import OptionError, Problem
from semkit.writing import escape, write_text

FONT = "Helvetica, Arial, 'Liberation Sans', 'Noto Sans', sans-serif"
INK = "#1b1f24"
SOFT = "#5a636e"
FAINT = "#b9c0c8"
SHADE = "#e9ecef"
PAPER = "#ffffff"
BLUE = "#1f5a96"
ORANGE = "#b35a00"
"""Blue and burnt orange differ in hue for every common colour vision and in lightness on a grey printer."""

# Advance widths of Helvetica (Adobe AFM), in thousandths of the size, by character class.
_WIDTHS = {
    **dict.fromkeys("ijl'|", 222), **dict.fromkeys("ftI!.,:;/\\[] \u2009\u00a0", 278), **dict.fromkeys("r()-`", 333),
    **dict.fromkeys("ckvxyzsJ", 500), **dict.fromkeys("mM%W", 880), **dict.fromkeys("wCDHNRUGOQ", 735),
    **dict.fromkeys("ABEKPSVXYFTZL", 640), **dict.fromkeys("+<>=~\u2212×±", 584), "@": 1015,
}  # fmt: skip

Anchor = Literal["start", "middle", "end"]
Point = tuple[float, float]


def text_width(text: str, size: float, *, bold: bool = False) -> float:
    """Width of ``text`` in the drawing's units; other scripts count as one em (wide) or 0.6 em."""
    total = 0.0
    for char in text:
        if char in _WIDTHS:
            total += _WIDTHS[char]
        elif ord(char) >= 0x1100:
            total += 556 if 0x2000 <= ord(char) < 0x2E80 else 1000
        else:
            total += 556 if ord(char) < 0x80 else 600
    return total * size / 1000.0 * (1.07 if bold else 1.0)


def shorten(text: str, width: float, size: float, *, bold: bool = False) -> str:
    """Cut ``text`` with an ellipsis so that it fits ``width``."""
    if text_width(text, size, bold=bold) <= width:
        return text
    while text and text_width(text + "…", size, bold=bold) > width:
        text = text[:-1]
    return text.rstrip() + "…"


def wrap(text: str, width: float, size: float, *, lines: int = 3, bold: bool = False) -> tuple[str, ...]:
    """Break ``text`` at spaces and underscores into at most ``lines`` lines of ``width``; the rest is cut with '…'."""
    words = text.replace("_", "_\u200b").replace("\u200b", " \u200b").split(" ")
    out: list[str] = []
    current = ""
    for word in words:
        piece = word.removeprefix("\u200b")
        joined = f"{current}{piece}" if word.startswith("\u200b") or not current else f"{current} {piece}"
        if current and text_width(joined, size, bold=bold) > width:
            out.append(current)
            current = piece
        else:
            current = joined
    out.append(current)
    if len(out) > lines:
        out = [*out[: lines - 1], " ".join(out[lines - 1 :])]
    return tuple(shorten(line, width, size, bold=bold) for line in out)


@dataclass(frozen=True, slots=True)
class Line:
    """A polyline; ``head`` puts an arrowhead on its end, ``tail`` on its start."""

    points: tuple[Point, ...]
    stroke: str = INK
    width: float = 1.0
    dash: str = ""
    head: bool = False
    tail: bool = False


@dataclass(frozen=True, slots=True)
class Curve:
    """A cubic Bezier from ``points[0]`` to ``points[3]``."""

    points: tuple[Point, Point, Point, Point]
    stroke: str = INK
    width: float = 1.0
    dash: str = ""
    head: bool = False
    tail: bool = False


@dataclass(frozen=True, slots=True)
class Rect:
    """A rectangle from its upper left corner."""

    x: float
    y: float
    width: float
    height: float
    fill: str = PAPER
    stroke: str = INK
    line: float = 1.0
    radius: float = 0.0


@dataclass(frozen=True, slots=True)
class Ellipse:
    """An ellipse from its centre."""

    x: float
    y: float
    rx: float
    ry: float
    fill: str = PAPER
    stroke: str = INK
    line: float = 1.0


@dataclass(frozen=True, slots=True)
class Area:
    """A filled polygon."""

    points: tuple[Point, ...]
    fill: str = SHADE
    opacity: float = 1.0


@dataclass(frozen=True, slots=True)
class Text:
    """One line of text on its baseline; ``halo`` keeps it readable over lines."""

    x: float
    y: float
    text: str
    size: float = 12.0
    anchor: Anchor = "middle"
    fill: str = INK
    bold: bool = False
    italic: bool = False
    halo: bool = False
    turned: bool = False

    def box(self) -> tuple[float, float, float, float]:
        """Return (left, top, right, bottom) of the text as measured."""
        width = text_width(self.text, self.size, bold=self.bold)
        if self.turned:
            return self.x - 0.8 * self.size, self.y - width / 2, self.x + 0.25 * self.size, self.y + width / 2
        left = self.x - {"start": 0.0, "middle": width / 2.0, "end": width}[self.anchor]
        return left, self.y - 0.8 * self.size, left + width, self.y + 0.25 * self.size


Shape = Line | Curve | Rect | Ellipse | Area | Text


def moved(shape: Shape, dx: float, dy: float) -> Shape:
    """Return the shape ``dx`` further right and ``dy`` further down."""
    match shape:
        case Curve():
            a, b, c, d = ((x + dx, y + dy) for x, y in shape.points)
            return replace(shape, points=(a, b, c, d))
        case Line() | Area():
            return replace(shape, points=tuple((x + dx, y + dy) for x, y in shape.points))
        case _:
            return replace(shape, x=shape.x + dx, y=shape.y + dy)


def extent(shape: Shape) -> tuple[float, float, float, float]:
    """Return (left, top, right, bottom) of a shape; of a curve those of its control points."""
    match shape:
        case Text():
            return shape.box()
        case Rect():
            return shape.x, shape.y, shape.x + shape.width, shape.y + shape.height
        case Ellipse():
            return shape.x - shape.rx, shape.y - shape.ry, shape.x + shape.rx, shape.y + shape.ry
        case _:
            xs, ys = [x for x, _ in shape.points], [y for _, y in shape.points]
            return min(xs), min(ys), max(xs), max(ys)


def fitted(title: str, description: str, shapes: tuple[Shape, ...], *, margin: float = 8.0) -> Drawing:
    """Close a drawing around its shapes."""
    boxes = [extent(shape) for shape in shapes]
    left, top = min(b[0] for b in boxes) - margin, min(b[1] for b in boxes) - margin
    right, bottom = max(b[2] for b in boxes) + margin, max(b[3] for b in boxes) + margin
    return Drawing(title, description, right - left, bottom - top, tuple(moved(s, -left, -top) for s in shapes))


@dataclass(frozen=True, slots=True)
class Drawing:
    """A finished picture.

    Parameters
    ----------
    title : str
        What the picture is, for those who cannot see it and for the tooltip.
    description : str
        What it shows, in sentences: the alternative text.
    width, height : float
    shapes : tuple of Shape
        Painted in order.
    """

    title: str
    description: str
    width: float
    height: float
    shapes: tuple[Shape, ...] = field(repr=False)

    @property
    def svg(self) -> str:
        """The drawing as one self-contained SVG element."""
        body = "".join(_svg_shape(shape) for shape in self.shapes)
        mark = hashlib.sha256(f"{self.title}\0{self.description}\0{body}".encode()).hexdigest()[:10]
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_n(self.width)} {_n(self.height)}" '
            f'width="{_n(self.width)}" height="{_n(self.height)}" role="img" '
            f'aria-labelledby="t{mark} d{mark}" font-family="{escape(FONT)}">'
            f'<title id="t{mark}">{escape(self.title)}</title><desc id="d{mark}">{escape(self.description)}</desc>'
            f"{body}</svg>"
        )

    def _repr_svg_(self) -> str:
        return self.svg

    def save(self, path: str | Path) -> Path:
        """Write the drawing as ``.svg`` or ``.png`` (200 dots per inch, white ground).

        Raises
        ------
        OptionError
            ``report.picture-format`` for another suffix.
        """
        target = Path(path)
        if target.suffix.lower() == ".svg":
            write_text(target, f'<?xml version="1.0" encoding="UTF-8"?>\n{self.svg}\n')
        elif target.suffix.lower() == ".png":
            from semkit.report.raster import paint

            paint(self, target)
        else:
            raise OptionError(
                Problem("report.picture-format", f'path "{target.name}"', "no such picture format", ".svg, .png")
            )
        return target


def _n(value: float) -> str:
    """Print a coordinate: two decimals, no trailing zeros."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def _points(points: tuple[Point, ...]) -> str:
    return " ".join(f"{_n(x)},{_n(y)}" for x, y in points)


def arrowhead(tip: Point, before: Point, width: float) -> tuple[Point, Point, Point]:
    """Triangle of an arrowhead at ``tip`` for a line that comes from ``before``."""
    dx, dy = tip[0] - before[0], tip[1] - before[1]
    length = (dx * dx + dy * dy) ** 0.5 or 1.0
    ux, uy = dx / length, dy / length
    long, wide = 5.5 + 1.5 * width, 2.4 + 0.8 * width
    base = tip[0] - long * ux, tip[1] - long * uy
    return tip, (base[0] - wide * uy, base[1] + wide * ux), (base[0] + wide * uy, base[1] - wide * ux)


def heads(shape: Line | Curve) -> tuple[Area, ...]:
    """Arrowheads of a line as filled triangles (no markers: ids inside one page would collide)."""
    points, out = shape.points, []
    if shape.head:
        out.append(Area(arrowhead(points[-1], points[-2], shape.width), shape.stroke))
    if shape.tail:
        out.append(Area(arrowhead(points[0], points[1], shape.width), shape.stroke))
    return tuple(out)


def _svg_shape(shape: Shape) -> str:
    """Print one shape."""
    match shape:
        case Line() | Curve():
            dash = f' stroke-dasharray="{shape.dash}"' if shape.dash else ""
            style = f'fill="none" stroke="{shape.stroke}" stroke-width="{_n(shape.width)}"{dash}'
            if isinstance(shape, Line):
                path = f'<polyline points="{_points(shape.points)}" {style}/>'
            else:
                p = shape.points
                path = f'<path d="M{_points(p[:1])} C{_points(p[1:])}" {style}/>'
            return path + "".join(_svg_shape(head) for head in heads(shape))
        case Rect():
            radius = f' rx="{_n(shape.radius)}"' if shape.radius else ""
            return (
                f'<rect x="{_n(shape.x)}" y="{_n(shape.y)}" width="{_n(shape.width)}" height="{_n(shape.height)}"'
                f'{radius} fill="{shape.fill}" stroke="{shape.stroke}" stroke-width="{_n(shape.line)}"/>'
            )
        case Ellipse():
            return (
                f'<ellipse cx="{_n(shape.x)}" cy="{_n(shape.y)}" rx="{_n(shape.rx)}" ry="{_n(shape.ry)}" '
                f'fill="{shape.fill}" stroke="{shape.stroke}" stroke-width="{_n(shape.line)}"/>'
            )
        case Area():
            opacity = f' fill-opacity="{_n(shape.opacity)}"' if shape.opacity < 1.0 else ""
            return f'<polygon points="{_points(shape.points)}" fill="{shape.fill}"{opacity}/>'
        case Text():
            return _svg_text(shape)


def _svg_text(text: Text) -> str:
    style = f' font-weight="{"bold" if text.bold else "normal"}"' if text.bold else ""
    style += ' font-style="italic"' if text.italic else ""
    if text.halo:
        style += f' stroke="{PAPER}" stroke-width="3" stroke-linejoin="round" paint-order="stroke"'
    if text.turned:
        style += f' transform="rotate(-90 {_n(text.x)} {_n(text.y)})"'
    return (
        f'<text x="{_n(text.x)}" y="{_n(text.y)}" font-size="{_n(text.size)}" text-anchor="{text.anchor}" '
        f'fill="{text.fill}"{style}>{escape(text.text)}</text>'
    )
