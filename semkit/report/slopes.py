"""Simple slopes: the outcome along the focal predictor at chosen values of the moderator.

Under the lines lies the moderator's distribution with the chosen values marked, so that nobody reads a line where
there is nobody.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from semkit.report import rounding
from semkit.report.charts import Axis, FloatArray, band, bars, bottom_axis, curve, left_axis
from semkit.report.drawing import (
    BLUE,
    FAINT,
    INK,
    ORANGE,
    SOFT,
    Area,
    Drawing,
    Ellipse,
    Line,
    Shape,
    Text,
    shorten,
    text_width,
    wrap,
)

WIDTH, LEFT, RIGHT = 700.0, 66.0, 440.0
TOP, BASE = 14.0, 250.0
STYLES = ((ORANGE, "2 3"), (INK, "8 4"), (BLUE, ""), (SOFT, "8 3 2 3"), ("#6a4c93", "12 3"))
"""Colour and dash of the lines from the lowest moderator value to the highest: dashes alone tell them apart."""


@dataclass(frozen=True, eq=False)
class SlopeLine:
    """One line: ``label`` names the moderator's value, ``slope`` is printed under it; arrays (m,) along the focal."""

    label: str
    slope: str
    at: float
    x: FloatArray
    y: FloatArray
    lower: FloatArray
    upper: FloatArray


@dataclass(frozen=True, eq=False)
class Counts:
    """A histogram: bin edges and counts, shape (m,) each."""

    left: FloatArray
    right: FloatArray
    count: FloatArray

    @classmethod
    def of(cls, values: FloatArray, bins: int = 24) -> Counts:
        """Count raw values; 12 or fewer distinct ones get a bar each."""
        finite = np.asarray(values, dtype=float)
        finite = finite[np.isfinite(finite)]
        distinct = np.unique(finite)
        if 1 < distinct.size <= 12:
            half = 0.3 * float(np.min(np.diff(distinct)))
            count = np.array([np.sum(finite == value) for value in distinct], dtype=float)
            return cls(distinct - half, distinct + half, count)
        count, edges = np.histogram(finite, bins) if finite.size else (np.zeros(0), np.zeros(1))
        return cls(edges[:-1], edges[1:], count.astype(float))


def slopes_plot(
    lines: Sequence[SlopeLine], moderator: Counts | None, *, focal: str, outcome: str, moderated_by: str
) -> Drawing | None:
    """Draw the lines with their intervals over the moderator's distribution; None without lines."""
    if not lines:
        return None
    lines = sorted(lines, key=lambda line: line.at)
    across = Axis.around([v for line in lines for v in line.x], LEFT, RIGHT, pad=0.02)
    up = Axis.around([v for line in lines for v in (*line.lower, *line.upper, *line.y)], BASE, TOP)
    styles = _styles(len(lines))
    shapes: list[Shape] = []
    for line, (stroke, _) in zip(lines, styles, strict=True):
        shapes += band(across, up, line.x, line.lower, line.upper, stroke, 0.10)
    for line, (stroke, dash) in zip(lines, styles, strict=True):
        shapes += curve(across, up, line.x, line.y, stroke, 2.2, dash)
    shapes += bottom_axis(across, BASE, shorten(focal, RIGHT - LEFT, 12))
    shapes += left_axis(up, LEFT, shorten(outcome, BASE - TOP + 20, 12), title_x=16)
    shapes += _legend(lines, styles, [up.at(float(line.y[-1])) for line in lines], moderated_by)
    height = BASE + 44
    if moderator is not None and moderator.count.size:
        more = _under(lines, styles, moderator, moderated_by, height + 8)
        shapes += more
        height += 130
    said = "; ".join(f"at {line.label}: {line.slope}" for line in lines)
    return Drawing(
        f"Simple slopes of {outcome} on {focal}",
        f"{outcome} along {focal} at values of {moderated_by}, with 95 % intervals. {said}.",
        WIDTH, height, tuple(shapes),
    )  # fmt: skip


def _styles(n: int) -> list[tuple[str, str]]:
    """Styles spread from low to high; three lines are orange dotted, dark dashed, blue solid."""
    if n == 1:
        return [STYLES[2]]
    if n == 2:
        return [STYLES[0], STYLES[2]]
    return [STYLES[i % len(STYLES)] for i in range(n)]


def _legend(
    lines: Sequence[SlopeLine], styles: list[tuple[str, str]], ends: list[float], moderated_by: str
) -> list[Shape]:
    """Labels at the lines' right ends, pushed apart so that none covers another."""
    room = WIDTH - RIGHT - 52
    order = np.argsort(ends)
    places = {}
    y = TOP + 24.0
    for i in order:
        y = max(y, ends[i] - 6)
        places[int(i)] = y
        y += 40
    excess = max(0.0, y - 40 - (BASE - 8))
    title = wrap(moderated_by, room + 26, 11, lines=1)[0]
    out: list[Shape] = [Text(RIGHT + 18, TOP + 2, title, 11, "start", SOFT)]
    for i, line in enumerate(lines):
        place = max(TOP + 20, places[i] - excess)
        stroke, dash = styles[i]
        out += [
            Line(((RIGHT + 18, place), (RIGHT + 42, place)), stroke, 2.2, dash),
            Text(RIGHT + 48, place + 4, shorten(line.label, room, 12, bold=True), 12, "start", bold=True),
            Text(RIGHT + 48, place + 19, shorten(line.slope, room, 11), 11, "start", SOFT),
        ]
    return out


def _under(
    lines: Sequence[SlopeLine], styles: list[tuple[str, str]], moderator: Counts, title: str, top: float
) -> list[Shape]:
    """The moderator's histogram with the chosen values marked."""
    base = top + 72
    values = [*moderator.left, *moderator.right, *(line.at for line in lines)]
    axis = Axis.around(values, LEFT, RIGHT, pad=0.02)
    out: list[Shape] = bars(axis, moderator.left, moderator.right, moderator.count, base, 56)
    for line, (stroke, dash) in zip(lines, styles, strict=True):
        x = axis.at(line.at)
        out += [Line(((x, top + 2), (x, base)), stroke, 2.0, dash), Ellipse(x, top + 2, 3, 3, stroke, stroke)]
    out += bottom_axis(axis, base, shorten(f"{title}: distribution and values shown", RIGHT - LEFT + 60, 12))
    count = int(np.sum(moderator.count))
    out.append(Text(RIGHT + 18, base - 4, f"n = {rounding.count(count)}", 11, "start", SOFT))
    return out


@dataclass(frozen=True, eq=False)
class Region:
    """A Johnson-Neyman analysis on a grid of moderator values, shape (m,) each.

    ``boundaries`` are the values at which the interval touches zero, inside the moderator's range; ``shares`` are
    (words, share of respondents) printed under the plot.
    """

    x: FloatArray
    est: FloatArray
    lower: FloatArray
    upper: FloatArray
    boundaries: tuple[float, ...]
    shares: tuple[tuple[str, float], ...] = ()
    observed: tuple[float, float] = (float("nan"), float("nan"))


def region_plot(
    region: Region, moderator: Counts | None, *, focal: str, outcome: str, moderated_by: str
) -> Drawing | None:
    """Draw the slope along the moderator, its interval, the region where it differs from zero, and who is there."""
    keep = np.isfinite(region.est)
    if keep.sum() < 2:
        return None
    right = WIDTH - 16
    across = Axis.around(region.x[keep], LEFT, right, pad=0.0)
    up = Axis.around([*region.lower[keep], *region.upper[keep], 0.0], BASE, TOP)
    clear = (region.lower > 0) | (region.upper < 0)
    shapes: list[Shape] = _shade(across, region.x, clear)
    shapes += band(across, up, region.x, region.lower, region.upper, BLUE, 0.20)
    zero = up.at(0.0)
    shapes.append(Line(((LEFT, zero), (right, zero)), SOFT, 1.0, "3 3"))
    shapes += curve(across, up, region.x, region.est, BLUE, 2.2)
    height = BASE + 4
    if moderator is not None and moderator.count.size:
        shapes += bars(across, moderator.left, moderator.right, moderator.count, BASE + 66, 56)
        shapes.append(Text(16, BASE + 40, "people", 11, turned=True, fill=SOFT))
        height = BASE + 66
    for value in region.boundaries:
        x = across.at(value)
        if LEFT <= x <= right:
            shapes.append(Line(((x, TOP), (x, height)), ORANGE, 1.6, "6 3"))
            text = rounding.number(value)
            side = x + 5 if x + 12 + text_width(text, 12, bold=True) < right else x - 5
            anchor = "start" if side > x else "end"
            shapes.append(Text(side, TOP + 10, text, 12, anchor, ORANGE, bold=True, halo=True))  # type: ignore[arg-type]
    shapes += bottom_axis(across, height, shorten(moderated_by, right - LEFT, 12))
    shapes += left_axis(up, LEFT, shorten(f"Slope of {focal}", BASE - TOP + 20, 12), title_x=16)
    y = height + 58
    said = [f"{rounding.share(share)} {words}" for words, share in region.shares]
    for line in said:
        shapes.append(Text(LEFT, y, shorten(line, right - LEFT, 12), 12, "start"))
        y += 17
    if not clear.all():
        shapes.append(Text(LEFT, y, "Grey ground: the interval holds zero.", 11, "start", SOFT))
        y += 17
    edges = ", ".join(rounding.number(value) for value in region.boundaries) or "none inside the observed range"
    return Drawing(
        f"Johnson-Neyman plot: slope of {outcome} on {focal} along {moderated_by}",
        f"Slope of {focal} with 95 % interval along {moderated_by}. Boundaries of significance: {edges}. "
        + "; ".join(said) + ("." if said else ""),
        WIDTH, y, tuple(shapes),
    )  # fmt: skip


def _shade(axis: Axis, x: FloatArray, clear: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> list[Shape]:
    """Grey ground where the interval holds zero."""
    out: list[Shape] = []
    start: float | None = None
    for value, free in zip([*x, float("nan")], [*clear, True], strict=True):
        if not free and start is None:
            start = float(value)
        if free and start is not None:
            end = float(value) if np.isfinite(value) else float(x[-1])
            left, right = axis.at(start), axis.at(end)
            if right > left:
                out.append(Area(((left, TOP), (right, TOP), (right, BASE), (left, BASE)), FAINT, 0.28))
            start = None
    return out
