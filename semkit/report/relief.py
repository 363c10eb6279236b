"""Response surface as a relief: the mesh seen from above the corner where both predictors are low.

Grey tells the height as in the contour map; cells outside the respondents' hull are left white, because nobody
shows what happens there.  Cells are painted from the far corner to the near one, so that nearer ones hide.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from semkit.report.charts import FloatArray, tick_text, ticks
from semkit.report.drawing import (
    FAINT,
    INK,
    ORANGE,
    PAPER,
    SOFT,
    Area,
    Drawing,
    Ellipse,
    Line,
    Point,
    Shape,
    Text,
    shorten,
    wrap,
)
from semkit.report.surfaces import LIGHT, SurfaceMap, cross, grey, inside, surface_key

WIDTH, MIDDLE, TOP = 700.0, 245.0, 26.0
SCALE, TALL, BELOW = 292.0, 216.0, 0.3
"""Units for one side of the floor and for the height of the box; how far it reaches below the surface."""
TURN, TILT = math.radians(38.0), math.radians(27.0)
CELLS = 20
"""Cells of the mesh along each side."""
EDGE = "#7d8590"
Place = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class View:
    """Parallel projection of a box: x to the lower right, z to the lower left, heights upwards."""

    x: tuple[float, float]
    z: tuple[float, float]
    height: tuple[float, float]

    def at(self, x: float, z: float, height: float) -> Point:
        """Place on the page of a point in the metric of the data."""
        u, v, w = (
            (value - low) / (high - low) for value, (low, high) in zip((x, z, height), (self.x, self.z, self.height),
                                                                      strict=True)
        )  # fmt: skip
        across = (u - 0.5) * math.cos(TURN) - (v - 0.5) * math.sin(TURN)
        away = u * math.sin(TURN) + v * math.cos(TURN)
        top = TOP + TALL + SCALE * math.sin(TILT) * (math.sin(TURN) + math.cos(TURN))
        return MIDDLE + SCALE * across, top - SCALE * math.sin(TILT) * away - TALL * w


def relief_plot(
    surface: SurfaceMap, words: Mapping[str, str], *, x: str, z: str, outcome: str, title: str, description: str
) -> Drawing:
    """Draw the mesh in its box, the lines of congruence and incongruence on it, and the key of the contour map."""
    one, two, height = _mesh(surface)
    levels = np.array(ticks(*surface.reach, 8))
    view = View((float(one[0]), float(one[-1])), (float(two[0]), float(two[-1])), _span(height))
    shapes: list[Shape] = [*_box(view, height), *_floor(view, surface)]
    crowd = hull(surface.people_x, surface.people_z)
    paths = _paths(surface, view)
    for i in reversed(range(len(one) - 1)):
        for k in reversed(range(len(two) - 1)):
            shapes += _cell(view, one, two, height, (i, k), levels, crowd)
            shapes += [part for line in paths for part in _pieces(line, view, one, two, height, (i, k))]
    if surface.stationary is not None and inside(view.x, view.z, *surface.stationary):
        shapes += cross(*view.at(*surface.stationary, _height_at(one, two, height, *surface.stationary)))
    shapes += [*_front(view), *_scales(view, x, z, outcome)]
    bottom = view.at(view.x[0], view.z[0], view.height[0])[1] + 40
    shapes += surface_key(surface, words, levels, tick_text(levels.tolist()), outcome, dots=surface.people_x.size > 0)
    return Drawing(title, description, WIDTH, max(bottom, 400.0), tuple(shapes))


def _mesh(surface: SurfaceMap) -> tuple[FloatArray, FloatArray, FloatArray]:
    """The surface at the mesh's corners, bilinear between the grid's points."""
    one, two = (np.linspace(part[0], part[-1], CELLS + 1) for part in (surface.x, surface.z))
    rows = np.stack([np.interp(two, surface.z, row) for row in surface.height])
    return one, two, np.stack([np.interp(one, surface.x, column) for column in rows.T], axis=1)


def _span(height: FloatArray) -> tuple[float, float]:
    """The box reaches below the surface, so that the respondents on its floor can be seen."""
    low, high = float(height.min()), float(height.max())
    return (low - BELOW * (high - low), high) if high - low > 1e-12 else (low - 0.5, high + 0.5)


def _height_at(one: FloatArray, two: FloatArray, height: FloatArray, x: float, z: float) -> float:
    rows = np.array([np.interp(z, two, row) for row in height])
    return float(np.interp(x, one, rows))


def _box(view: View, height: FloatArray) -> list[Shape]:
    """Floor, back edges and lines of equal height on the two walls behind."""
    (x0, x1), (z0, z1), (low, high) = view.x, view.z, view.height
    floor = tuple(view.at(a, b, low) for a, b in ((x0, z0), (x1, z0), (x1, z1), (x0, z1)))
    out: list[Shape] = [Area(floor, f"#{LIGHT:02x}{LIGHT:02x}{LIGHT:02x}")]
    for level in (low, *ticks(low, high, 5)):
        way = tuple(view.at(a, b, level) for a, b in ((x0, z1), (x1, z1), (x1, z0)))
        out.append(Line(way, FAINT, 0.6))
    out += [Line((view.at(a, b, low), view.at(a, b, high)), FAINT, 0.6) for a, b in ((x1, z1), (x1, z0))]
    return out


def _floor(view: View, surface: SurfaceMap) -> list[Shape]:
    """Respondents on the floor, one dot for those within three units of each other."""
    found: dict[tuple[int, int], Point] = {}
    for a, b in zip(surface.people_x, surface.people_z, strict=True):
        if math.isfinite(a) and math.isfinite(b) and inside(view.x, view.z, float(a), float(b)):
            at = view.at(float(a), float(b), view.height[0])
            found.setdefault((round(at[0] / 3), round(at[1] / 3)), at)
    return [Ellipse(px, py, 1.1, 1.1, SOFT, SOFT, 0.0) for px, py in found.values()]


def hull(x: FloatArray, z: FloatArray) -> FloatArray:
    """Corners (m, 2) of the convex hull of the respondents, counter-clockwise (Andrew 1979); empty below three.

    Examples
    --------
    >>> hull(np.array([0.0, 2.0, 2.0, 0.0, 1.0]), np.array([0.0, 0.0, 2.0, 2.0, 1.0])).shape
    (4, 2)
    """
    keep = np.isfinite(x) & np.isfinite(z)
    points = sorted({(float(a), float(b)) for a, b in zip(x[keep], z[keep], strict=True)})
    if len(points) < 3:
        return np.empty((0, 2))

    def chain(order: Iterable[Point]) -> list[Point]:
        out: list[Point] = []
        for p in order:
            while len(out) > 1 and _turn(out[-2], out[-1], p) <= 0:
                out.pop()
            out.append(p)
        return out[:-1]

    return np.array([*chain(points), *chain(reversed(points))])


def _turn(a: Point, b: Point, c: Point) -> float:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def _within(crowd: FloatArray, x: float, z: float) -> bool:
    if len(crowd) < 3:
        return True
    ends = np.roll(crowd, -1, axis=0)
    turns = (ends[:, 0] - crowd[:, 0]) * (z - crowd[:, 1]) - (ends[:, 1] - crowd[:, 1]) * (x - crowd[:, 0])
    return bool((turns >= 0).all())


def _cell(
    view: View, one: FloatArray, two: FloatArray, height: FloatArray, at: tuple[int, int], levels: FloatArray,
    crowd: FloatArray,
) -> list[Shape]:  # fmt: skip
    i, k = at
    corners = [(i, k), (i + 1, k), (i + 1, k + 1), (i, k + 1)]
    points = tuple(view.at(float(one[a]), float(two[b]), float(height[a, b])) for a, b in corners)
    middle = float(np.mean([height[a, b] for a, b in corners]))
    known = _within(crowd, float(one[i] + one[i + 1]) / 2, float(two[k] + two[k + 1]) / 2)
    fill = grey(np.searchsorted(levels, middle) / max(len(levels), 1)) if known else PAPER
    edge, width = (EDGE, 0.7) if known else (FAINT, 0.6)
    return [Area(points, fill), Line((*points, points[0]), edge, width)]


@dataclass(frozen=True, slots=True)
class Way:
    """A straight line over the floor, ``z = height + slope (x - about)``, that is drawn on the surface."""

    about: float
    height: float
    slope: float
    stroke: str
    dash: str


def _paths(surface: SurfaceMap, view: View) -> list[Way]:
    ways = [Way(surface.origin, surface.origin, 1.0, INK, ""), Way(surface.origin, surface.origin, -1.0, INK, "7 4")]
    if surface.axis is not None:
        ways.append(Way(0.0, surface.axis[0], surface.axis[1], ORANGE, "2 3"))
    return ways


def _pieces(
    way: Way, view: View, one: FloatArray, two: FloatArray, height: FloatArray, at: tuple[int, int]
) -> list[Shape]:  # fmt: skip
    """The part of a way over one cell; dashes are cut here, so that they do not begin anew in every cell."""
    i, k = at
    cut = [float(one[i]), float(one[i + 1])]
    if way.slope:
        sides = sorted(way.about + (float(side) - way.height) / way.slope for side in (two[k], two[k + 1]))
        cut = [max(cut[0], sides[0]), min(cut[1], sides[1])]
    if cut[1] - cut[0] <= 1e-9 * (view.x[1] - view.x[0]):
        return []
    # a phase along the whole line: its length on the floor in units of the page
    unit = math.hypot(1.0 / (view.x[1] - view.x[0]), way.slope / (view.z[1] - view.z[0])) * SCALE
    marks = [v for v in _dashes(way.dash, unit, view.x[0], cut) if v[1] > v[0]]
    out: list[Shape] = []
    for start, end in marks:
        points = []
        for x in np.linspace(start, end, 4):
            z = way.height + way.slope * (float(x) - way.about)
            points.append(view.at(float(x), z, _height_at(one, two, height, float(x), z)))
        out += [Line(tuple(points), PAPER, 3.2), Line(tuple(points), way.stroke, 2.0)]
    return out


def _dashes(dash: str, unit: float, zero: float, cut: Sequence[float]) -> list[tuple[float, float]]:
    if not dash:
        return [(cut[0], cut[1])]
    on, off = (float(part) / unit for part in dash.split())
    first = math.floor((cut[0] - zero) / (on + off))
    last = math.ceil((cut[1] - zero) / (on + off))
    starts = [zero + n * (on + off) for n in range(first, last + 1)]
    return [(max(start, cut[0]), min(start + on, cut[1])) for start in starts]


def _front(view: View) -> list[Shape]:
    """Edges of the box that carry scales."""
    (x0, x1), (z0, z1), (low, high) = view.x, view.z, view.height
    corners = [(x0, z1, high), (x0, z1, low), (x0, z0, low), (x1, z0, low)]
    return [Line((view.at(*a), view.at(*b)), INK) for a, b in pairwise(corners)]


def _scales(view: View, x: str, z: str, outcome: str) -> list[Shape]:
    """Ticks, their numbers and the three titles."""
    (x0, x1), (z0, z1), (low, high) = view.x, view.z, view.height
    out: list[Shape] = []
    for values, place, step in (
        (ticks(x0, x1, 5), lambda v: (v, z0, low), (4.0, 3.0)),
        (ticks(z0, z1, 5), lambda v: (x0, v, low), (-4.0, 3.0)),
        (ticks(low, high, 5), lambda v: (x0, z1, v), (-4.0, 0.0)),
    ):
        for value, text in zip(values, tick_text(values), strict=True):
            px, py = view.at(*place(value))
            out.append(Line(((px, py), (px + step[0], py + step[1])), INK))
            side = "start" if step[0] > 0 else "end"
            lower = 4.0 if step[1] == 0 else 11.0
            out.append(Text(px + 1.6 * step[0], py + lower, text, 11, side, SOFT))  # type: ignore[arg-type]
    front, right, left = (view.at(a, b, low) for a, b in ((x0, z0), (x1, z0), (x0, z1)))
    for corner, name, anchor, room in ((right, x, "start", WIDTH), (left, z, "end", front[0])):
        px, py = 0.5 * (front[0] + corner[0]), 0.5 * (front[1] + corner[1])
        away = 30.0 if anchor == "start" else -30.0
        width = 190.0 if anchor == "start" else px + away - 6
        for n, line in enumerate(wrap(name, min(width, room), 12, lines=2)):
            out.append(Text(px + away, py + 24 + 14 * n, line, 12, anchor))  # type: ignore[arg-type]
    head = view.at(x0, z1, high)
    out.append(Text(max(head[0] - 44, 4), head[1] - 12, shorten(outcome, 260, 12), 12, "start"))
    return out
