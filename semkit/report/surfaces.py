"""Response surface as a contour map: grey levels, labelled contours, congruence, and where the respondents are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from semkit.report.charts import Axis, FloatArray, bottom_axis, left_axis, tick_text, ticks
from semkit.report.drawing import INK, ORANGE, PAPER, SOFT, Drawing, Ellipse, Line, Rect, Shape, Text, shorten

WIDTH, LEFT, RIGHT = 700.0, 66.0, 446.0
TOP, BASE = 14.0, 394.0
LIGHT, DARK = 252, 158
"""Grey of the lowest and of the highest level: dark enough to be told apart, light enough for lines and dots."""
STRIPS = 150
Segment = tuple[tuple[float, float], tuple[float, float]]


@dataclass(frozen=True, eq=False)
class SurfaceMap:
    """What is drawn: ``height`` (n, m) over ``x`` (n,) and ``z`` (m,), people (r,) each, and points of interest.

    ``axis`` is intercept and slope of the first principal axis in the predictors' metric, or None; levels
    are chosen over ``reach``, the heights that respondents have, because the corners are extrapolated.
    """

    x: FloatArray
    z: FloatArray
    height: FloatArray
    people_x: FloatArray
    people_z: FloatArray
    origin: float
    stationary: tuple[float, float] | None
    axis: tuple[float, float] | None
    lines: tuple[str, ...]
    reach: tuple[float, float]


def surface_plot(
    surface: SurfaceMap, words: Mapping[str, str], *, x: str, z: str, outcome: str, title: str, description: str
) -> Drawing:
    """Draw the map with its key at the right."""
    across = Axis(float(surface.x[0]), float(surface.x[-1]), LEFT, RIGHT)
    up = Axis(float(surface.z[0]), float(surface.z[-1]), BASE, TOP)
    levels = np.array(ticks(*surface.reach, 8))
    shapes: list[Shape] = _ground(across, up, surface, levels)
    for px, pz in _places(across, up, surface):
        shapes.append(Ellipse(px, pz, 1.5, 1.5, INK, INK))
    names = tick_text(levels.tolist())
    labels: list[Shape] = []
    for level, name in zip(levels, names, strict=True):
        for way in chains(contour_segments(surface.x, surface.z, surface.height, float(level))):
            points = tuple((across.at(a), up.at(b)) for a, b in way)
            shapes.append(Line(points, SOFT, 0.9))
            if len(points) > 12:
                at = points[len(points) // 2]
                labels.append(Text(at[0], at[1] + 4, name, 10.5, "middle", INK, halo=True))
    shapes += _straight(across, up, surface.origin, 1.0, surface.origin, INK, "")
    shapes += _straight(across, up, surface.origin, -1.0, surface.origin, INK, "7 4")
    if surface.axis is not None:
        shapes += _straight(across, up, 0.0, surface.axis[1], surface.axis[0], ORANGE, "2 3")
    shapes += labels
    if surface.stationary is not None and inside((across.low, across.high), (up.low, up.high), *surface.stationary):
        shapes += cross(across.at(surface.stationary[0]), up.at(surface.stationary[1]))
    shapes += bottom_axis(across, BASE, shorten(x, RIGHT - LEFT, 12))
    shapes += left_axis(up, LEFT, shorten(z, BASE - TOP, 12), title_x=16)
    shapes += surface_key(surface, words, levels, names, outcome, dots=surface.people_x.size > 0)
    shapes.append(Line(((LEFT, TOP), (RIGHT, TOP), (RIGHT, BASE)), INK))
    return Drawing(title, description, WIDTH, BASE + 44, tuple(shapes))


def inside(across: tuple[float, float], up: tuple[float, float], x: float, z: float) -> bool:
    """Whether a point lies in a rectangle."""
    return across[0] <= x <= across[1] and up[0] <= z <= up[1]


def grey(share: float) -> str:
    """Grey of a height, 0 the lowest step and 1 the highest."""
    value = round(LIGHT + (DARK - LIGHT) * share)
    return f"#{value:02x}{value:02x}{value:02x}"


def _ground(across: Axis, up: Axis, surface: SurfaceMap, levels: FloatArray) -> list[Shape]:
    """Thin strips, each cut where the surface passes a level."""
    out: list[Shape] = []
    edges = np.linspace(up.low, up.high, STRIPS + 1)
    fine = np.linspace(across.low, across.high, 1 + 2 * round(RIGHT - LEFT))
    for low, high in pairwise(edges):
        middle = 0.5 * (low + high)
        k = int(np.clip(np.searchsorted(surface.z, middle) - 1, 0, len(surface.z) - 2))
        part = (middle - surface.z[k]) / (surface.z[k + 1] - surface.z[k])
        row = (1 - part) * surface.height[:, k] + part * surface.height[:, k + 1]
        step = np.searchsorted(levels, np.interp(fine, surface.x, row))
        cuts = np.flatnonzero(np.diff(step)) + 1
        starts, ends = np.r_[0, cuts], np.r_[cuts, len(fine) - 1]
        for a, b in zip(starts, ends, strict=True):
            left, right = across.at(float(fine[a])), across.at(float(fine[b]))
            fill = grey(float(step[a]) / max(len(levels), 1))
            top, bottom = up.at(float(high)), up.at(float(low))
            out.append(Rect(left, top, right - left + 0.3, min(bottom - top + 0.3, BASE - top), fill, fill, 0.0))
    return out


def _places(across: Axis, up: Axis, surface: SurfaceMap) -> list[tuple[float, float]]:
    """Respondents, one dot for those within three units of each other."""
    keep = np.isfinite(surface.people_x) & np.isfinite(surface.people_z)
    found: dict[tuple[int, int], tuple[float, float]] = {}
    for a, b in zip(surface.people_x[keep], surface.people_z[keep], strict=True):
        if inside((across.low, across.high), (up.low, up.high), float(a), float(b)):
            at = across.at(float(a)), up.at(float(b))
            found.setdefault((round(at[0] / 3), round(at[1] / 3)), at)
    return list(found.values())


def _straight(across: Axis, up: Axis, about: float, slope: float, height: float, stroke: str, dash: str) -> list[Shape]:
    """The part of ``z = height + slope (x - about)`` inside the map."""
    x = np.linspace(across.low, across.high, 801)
    z = height + slope * (x - about)
    keep = np.flatnonzero((z >= up.low) & (z <= up.high))
    if keep.size < 2:
        return []
    ends = [(across.at(float(x[i])), up.at(float(z[i]))) for i in (keep[0], keep[-1])]
    return [Line((ends[0], ends[1]), PAPER, 3.6), Line((ends[0], ends[1]), stroke, 1.8, dash)]


def cross(x: float, y: float) -> list[Shape]:
    """The mark of a stationary point."""
    return [Ellipse(x, y, 5.5, 5.5, PAPER, ORANGE, 1.8), Ellipse(x, y, 1.6, 1.6, ORANGE, ORANGE)]


def surface_key(
    surface: SurfaceMap, words: Mapping[str, str], levels: FloatArray, names: Sequence[str], outcome: str, *, dots: bool
) -> list[Shape]:  # fmt: skip
    """What grey, lines and dots mean, and the shape in numbers, at the right of a surface."""
    left, room = RIGHT + 26, WIDTH - RIGHT - 34
    out: list[Shape] = [
        Text(left, TOP + 8, shorten(words["predicted"].format(outcome=outcome), room, 11), 11, "start", SOFT)
    ]
    count, y = len(levels), TOP + 18
    size = min(17.0, 120.0 / (count + 1))
    for i in reversed(range(count + 1)):
        out.append(Rect(left, y, 26, size, grey(i / max(count, 1)), SOFT, 0.5))
        if i:
            out.append(Text(left + 33, y + size + 4, names[i - 1], 10.5, "start", SOFT))
        y += size
    y += 24
    entries: list[tuple[str, str, str]] = [
        (INK, "", words["congruence"]), (INK, "7 4", words["incongruence"]),
    ]  # fmt: skip
    if surface.axis is not None:
        entries.append((ORANGE, "2 3", words["axis"]))
    for stroke, dash, text in entries:
        out += [Line(((left, y), (left + 26, y)), stroke, 1.8, dash),
                Text(left + 33, y + 4, shorten(text, room - 33, 11), 11, "start")]  # fmt: skip
        y += 19
    if surface.stationary is not None:
        out += [*cross(left + 13, y), Text(left + 33, y + 4, shorten(words["stationary"], room - 33, 11), 11, "start")]
        y += 19
    if dots:
        out += [Ellipse(left + 13, y, 1.5, 1.5, INK, INK),
                Text(left + 33, y + 4, shorten(words["respondents"], room - 33, 11), 11, "start")]  # fmt: skip
        y += 19
    y += 12
    for line in surface.lines:
        out.append(Text(left, y, shorten(line, room, 11), 11, "start", SOFT))
        y += 16
    return out


# Corners counted from lower left, counter-clockwise; which sides a level crosses for each pattern of high corners.
_SIDES: Mapping[int, tuple[tuple[int, int], ...]] = {
    0: (), 15: (), 1: ((3, 0),), 14: ((3, 0),), 2: ((0, 1),), 13: ((0, 1),), 4: ((1, 2),), 11: ((1, 2),),
    8: ((2, 3),), 7: ((2, 3),), 3: ((3, 1),), 12: ((3, 1),), 6: ((0, 2),), 9: ((0, 2),),
    5: ((3, 0), (1, 2)), 10: ((0, 1), (2, 3)),
}  # fmt: skip


def contour_segments(x: FloatArray, z: FloatArray, height: FloatArray, level: float) -> list[Segment]:
    """Pieces of the line ``height = level`` in each cell of the grid, linear along its sides (marching squares)."""
    above = height > level
    code = above[:-1, :-1] + 2 * above[1:, :-1] + 4 * above[1:, 1:] + 8 * above[:-1, 1:]
    out: list[Segment] = []
    for i, k in zip(*np.nonzero((code > 0) & (code < 15)), strict=True):
        corner = ((i, k), (i + 1, k), (i + 1, k + 1), (i, k + 1))

        def cut(side: int, corner: tuple[tuple[int, int], ...] = corner) -> tuple[float, float]:
            (a, b), (c, d) = sorted((corner[side], corner[(side + 1) % 4]))
            part = (level - height[a, b]) / (height[c, d] - height[a, b])
            return float(x[a] + part * (x[c] - x[a])), float(z[b] + part * (z[d] - z[b]))

        out += [(cut(first), cut(second)) for first, second in _SIDES[int(code[i, k])]]
    return [segment for segment in out if segment[0] != segment[1]]  # a level that only touches a corner


def chains(segments: Sequence[Segment]) -> list[list[tuple[float, float]]]:
    """Join pieces that share an end to polylines."""
    ends: dict[tuple[float, float], list[int]] = {}
    for i, segment in enumerate(segments):
        for point in segment:
            ends.setdefault(point, []).append(i)
    left, out = set(range(len(segments))), []
    while left:
        i = left.pop()
        way = list(segments[i])
        for _ in range(2):
            while True:
                following = [k for k in ends[way[-1]] if k in left]
                if not following:
                    break
                left.remove(following[0])
                a, b = segments[following[0]]
                way.append(b if a == way[-1] else a)
            way.reverse()
        out.append(way)
    return out
