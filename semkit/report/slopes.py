"""Simple slopes: the outcome along the focal predictor at chosen values of the moderator.

Under the lines lies the moderator's distribution with the chosen values marked, so that nobody reads a line where
there is nobody.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from semkit.report import rounding
from semkit.report.captions import WORDS
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
    """A histogram: bin edges and counts, shape (m,) each; ``rug`` are the values themselves when they are many."""

    left: FloatArray
    right: FloatArray
    count: FloatArray
    rug: FloatArray = field(default_factory=lambda: np.empty(0))

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
        return cls(edges[:-1], edges[1:], count.astype(float), distinct)


def slopes_plot(
    lines: Sequence[SlopeLine], moderator: Counts | None, *, focal: str, outcome: str, moderated_by: str,
    words: Mapping[str, str] = WORDS["en"], level: str = "95 %",
) -> Drawing | None:  # fmt: skip
    """Draw the lines with their intervals over the moderator's distribution; None without lines."""
    if not lines:
        return None
    lines = sorted(lines, key=lambda line: line.at)
    across = Axis.around([v for line in lines for v in line.x], LEFT, RIGHT, pad=0.02)
    up = Axis.around([v for line in lines for v in (*line.lower, *line.upper, *line.y)], BASE, TOP)
    styles = line_styles(len(lines))
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
        more = _under(lines, styles, moderator, words["shown"].format(moderator=moderated_by), height + 8)
        shapes += more
        height += 130
    said = "; ".join(f"{words['at'].format(value=line.label)}: {line.slope}" for line in lines if line.slope)
    about = words["slopes_said"].format(outcome=outcome, focal=focal, moderator=moderated_by, level=level)
    return Drawing(
        words["slopes"].format(outcome=outcome, focal=focal),
        f"{about} {said}." if said else words["curve"].format(outcome=outcome, focal=focal, level=level),
        WIDTH, height, tuple(shapes),
    )  # fmt: skip


def line_styles(n: int) -> list[tuple[str, str]]:
    """Colour and dash of n lines, spread from low to high; three lines are orange dotted, dark dashed, blue solid."""
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
    if not any(line.slope for line in lines):
        return []  # a curve has its slopes in the other plot
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
    out: list[Shape] = [*bars(axis, moderator.left, moderator.right, moderator.count, base, 56),
                        *rug(axis, moderator.rug, base)]  # fmt: skip
    for line, (stroke, dash) in zip(lines, styles, strict=True):
        if not line.slope:
            continue
        x = axis.at(line.at)
        out += [Line(((x, top + 2), (x, base)), stroke, 2.0, dash), Ellipse(x, top + 2, 3, 3, stroke, stroke)]
    out += bottom_axis(axis, base, shorten(title, RIGHT - LEFT + 60, 12))
    count = int(np.sum(moderator.count))
    out.append(Text(RIGHT + 18, base - 4, f"n = {rounding.count(count)}", 11, "start", SOFT))
    return out


@dataclass(frozen=True, eq=False)
class Region:
    """A Johnson-Neyman analysis on a grid of moderator values, shape (m,) each.

    ``boundaries`` are the values at which the interval touches zero, inside the moderator's range; ``unclear`` are the
    stretches where it holds zero; ``shares`` are
    (words, share of respondents) printed under the plot.  In ``description``, the alternative text, ``{edges}`` stands
    for the boundaries.
    """

    x: FloatArray
    est: FloatArray
    lower: FloatArray
    upper: FloatArray
    boundaries: tuple[float, ...]
    unclear: tuple[tuple[float, float], ...]
    shares: tuple[tuple[str, float], ...] = ()
    title: str = ""
    description: str = ""


def region_plot(
    region: Region, moderator: Counts | None, *, effect: str, moderated_by: str,
    words: Mapping[str, str] = WORDS["en"], note: str = "",
) -> Drawing | None:  # fmt: skip
    """Draw the slope along the moderator, its interval, the region where it differs from zero, and who is there."""
    keep = np.isfinite(region.est)
    if keep.sum() < 2:
        return None
    right = WIDTH - 16
    across = Axis.around(region.x[keep], LEFT, right, pad=0.0)
    up = Axis.around([*region.lower[keep], *region.upper[keep], 0.0], BASE, TOP)
    shapes: list[Shape] = _shade(across, region.unclear)
    shapes += band(across, up, region.x, region.lower, region.upper, BLUE, 0.20)
    zero = up.at(0.0)
    shapes.append(Line(((LEFT, zero), (right, zero)), SOFT, 1.0, "3 3"))
    shapes += curve(across, up, region.x, region.est, BLUE, 2.2)
    height = BASE + 4
    if moderator is not None and moderator.count.size:
        shapes += bars(across, moderator.left, moderator.right, moderator.count, BASE + 66, 56)
        shapes += rug(across, moderator.rug, BASE + 66)
        shapes.append(Text(16, BASE + 36, shorten(words["people"], 64, 11), 11, turned=True, fill=SOFT))
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
    shapes += left_axis(up, LEFT, shorten(effect, BASE - TOP + 20, 12), title_x=16)
    y = height + 58
    if note:
        shapes.append(Text(LEFT, y, shorten(note, right - LEFT, 12, bold=True), 12, "start", bold=True))
        y += 17
    said = [f"{rounding.share(share)} {words}" for words, share in region.shares]
    for line in said:
        shapes.append(Text(LEFT, y, shorten(line, right - LEFT, 12), 12, "start"))
        y += 17
    if region.unclear:
        shapes.append(Text(LEFT, y, words["ground"], 11, "start", SOFT))
        y += 17
    edges = ", ".join(rounding.number(value) for value in region.boundaries) or words["no_edge"]
    return Drawing(
        region.title, " ".join([region.description.replace("{edges}", edges), *(f"{line}." for line in said)]),
        WIDTH, y, tuple(shapes),
    )  # fmt: skip


def rug(axis: Axis, values: FloatArray, base: float) -> list[Shape]:
    """A short stroke for each value, one for those within half a unit of each other."""
    inside = values[(values >= axis.low) & (values <= axis.high)]
    places = np.unique(np.round([2.0 * axis.at(float(value)) for value in inside]) / 2.0)
    return [Line(((float(x), base - 6), (float(x), base)), SOFT, 0.5) for x in places]


def _shade(axis: Axis, unclear: Sequence[tuple[float, float]]) -> list[Shape]:
    """Grey ground where the interval holds zero."""
    out: list[Shape] = []
    for start, end in unclear:
        left, right = axis.at(max(start, axis.low)), axis.at(min(end, axis.high))
        if right > left:
            out.append(Area(((left, TOP), (right, TOP), (right, BASE), (left, BASE)), FAINT, 0.28))
    return out
