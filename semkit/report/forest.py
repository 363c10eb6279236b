"""Forest plot: the standardised numbers the verdicts rest on, with intervals and smallest effects of interest."""

from __future__ import annotations

import math
from collections.abc import Iterable

from semkit.report import rounding
from semkit.report.charts import Axis, bottom_axis
from semkit.report.content import Claim, Evidence
from semkit.report.drawing import FAINT, INK, PAPER, SHADE, SOFT, Area, Drawing, Ellipse, Line, Rect, Shape, Text, wrap

WIDTH = 760.0
LEFT, RIGHT = 286.0, 566.0
ROW, HEAD = 34.0, 28.0

READING = {
    "supported": "supported",
    "contradicted": "contradicted",
    "inconclusive": "inconclusive",
    "not_testable": "not testable",
    "": "",
}


def forest(claims: Iterable[Claim]) -> Drawing | None:
    """Draw the parts of all claims; None when no part has an estimate.

    The shaded stretch of a row runs from minus to plus the smallest effect of interest.  A filled disc is a supported
    part, a filled square a contradicted one, an open disc everything else; parts that do not decide are grey.
    """
    shown = [(claim, [p for p in claim.parts if math.isfinite(p.est)]) for claim in claims]
    shown = [(claim, parts) for claim, parts in shown if parts]
    if not shown:
        return None
    everything = [p for _, parts in shown for p in parts]
    axis = Axis.around([v for p in everything for v in (p.est, p.ci_lower, p.ci_upper, p.delta, -p.delta, 0.0)],
                       LEFT, RIGHT)  # fmt: skip
    top, y = 34.0, 34.0
    rows: list[Shape] = []
    for claim, parts in shown:
        rows.append(Text(0, y + 18, claim.id, 12, "start", bold=True))
        y += HEAD
        for part in parts:
            rows += _row(axis, part, y)
            y += ROW
        y += 6
    zero = axis.at(0.0)
    head: list[Shape] = [
        Text(0, 16, "Part of the claim", 11, "start", SOFT),
        Text((LEFT + RIGHT) / 2, 16, "Standardised estimate, 95 % interval", 11, fill=SOFT),
        Text(RIGHT + 18, 16, "Estimate [interval]", 11, "start", SOFT),
        Line(((0, 24), (WIDTH, 24)), INK, 0.8),
        Line(((zero, top - 4), (zero, y)), SOFT, 1.0, "3 3"),
    ]
    foot = bottom_axis(axis, y, "Standardised estimate (shaded: smaller than the smallest effect of interest)")
    return Drawing(
        "Estimates behind the verdicts", _describe(everything), WIDTH, y + 46, tuple(_order(head, rows, foot))
    )


def _order(head: list[Shape], rows: list[Shape], foot: list[Shape]) -> list[Shape]:
    """Shading first, so that lines and text lie over it."""
    ground = [shape for shape in rows if isinstance(shape, Rect) and shape.fill == SHADE]
    return [*ground, *head, *(shape for shape in rows if shape not in ground), *foot]


def _row(axis: Axis, part: Evidence, y: float) -> list[Shape]:
    """Label, shading, interval, point and numbers of one part."""
    middle = y + ROW / 2 - 3
    ink = INK if part.decides else SOFT
    label = part.meaning or part.name
    lines = wrap(label, LEFT - 92, 12, lines=2)
    first = middle + 4 - 7 * (len(lines) - 1)
    out: list[Shape] = [Text(10, middle + 4, wrap(part.id, 64, 11, lines=1)[0], 11, "start", SOFT)]
    out += [Text(78, first + 14 * i, line, 12, "start", ink) for i, line in enumerate(lines)]
    if math.isfinite(part.delta):
        left, right = axis.at(-part.delta), axis.at(part.delta)
        out.append(Rect(left, y, right - left, ROW - 6, SHADE, SHADE, 0.0))
    if math.isfinite(part.ci_lower) and math.isfinite(part.ci_upper):
        low, high = axis.at(part.ci_lower), axis.at(part.ci_upper)
        out.append(Line(((low, middle), (high, middle)), ink, 1.6))
        out += [Line(((x, middle - 4), (x, middle + 4)), ink, 1.6) for x in (low, high)]
    out.append(_point(axis.at(part.est), middle, part, ink))
    numbers = f"{rounding.number(part.est, leading=False)} " + rounding.interval(
        part.ci_lower, part.ci_upper, leading=False
    )
    out.append(Text(RIGHT + 18, middle + 4, numbers, 12, "start", ink))
    if part.verdict:
        out.append(Text(RIGHT + 18, middle + 17, READING.get(part.verdict, part.verdict), 10, "start", SOFT))
    return out


def _point(x: float, y: float, part: Evidence, ink: str) -> Shape:
    if part.verdict == "contradicted":
        return Area(((x - 5, y - 5), (x + 5, y - 5), (x + 5, y + 5), (x - 5, y + 5)), ink)
    fill = ink if part.verdict == "supported" else PAPER
    return Ellipse(x, y, 4.6, 4.6, fill, ink if ink != FAINT else SOFT, 1.6)


def _describe(parts: list[Evidence]) -> str:
    said = [
        f"{p.id} {p.meaning or p.name}: {rounding.number(p.est, leading=False)} "
        f"{rounding.interval(p.ci_lower, p.ci_upper, leading=False)}, {READING.get(p.verdict, p.verdict)}"
        for p in parts
    ]
    return "Forest plot of standardised estimates with 95 % intervals. " + "; ".join(said) + "."
