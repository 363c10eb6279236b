"""Simple slopes at two moderators: one panel for each value of the second, one line for each of the first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from semkit.report.charts import Axis, band, bottom_axis, curve, left_axis, ticks
from semkit.report.drawing import INK, SOFT, Drawing, Line, Shape, Text, moved, shorten
from semkit.report.slopes import SlopeLine, line_styles

LEFT, PANEL, GAP = 182.0, 164.0, 16.0
TOP, BASE = 40.0, 250.0
ROW = 3


@dataclass(frozen=True, eq=False)
class Panel:
    """Lines at one value of the second moderator; ``said``, its name and value, is printed over it."""

    said: tuple[str, str]
    lines: tuple[SlopeLine, ...]


def panels_plot(
    panels: Sequence[Panel], *, focal: str, outcome: str, moderated_by: str, numbers: str, title: str, description: str
) -> Drawing:
    """Draw the panels on common axes, three in a row, each with its slopes and intervals beneath."""
    lines = [line for panel in panels for line in panel.lines]
    low_high = [v for line in lines for v in (*line.lower, *line.upper)]
    up = Axis.around(low_high, BASE, TOP)
    shapes: list[Shape] = []
    count = len(panels[0].lines)
    tall = BASE + 66 + 18 * count
    rows = [panels[i : i + ROW] for i in range(0, len(panels), ROW)]
    for r, row in enumerate(rows):
        for c, panel in enumerate(row):
            part = _panel(panel, up, LEFT + c * (PANEL + GAP), focal, numbers)
            shapes += [moved(shape, 0.0, r * tall) for shape in part]
        ends = left_axis(up, LEFT, shorten(outcome, BASE - TOP, 12), title_x=LEFT - 52)
        styles = line_styles(count)
        ends.append(Text(10, BASE + 62, shorten(moderated_by, LEFT - 16, 11), 11, "start", SOFT))
        for i, (line, (stroke, dash)) in enumerate(zip(_ordered(row[0]), styles, strict=True)):
            y = BASE + 80 + 18 * i
            ends += [Line(((10, y - 4), (34, y - 4)), stroke, 2.2, dash),
                     Text(40, y, shorten(line.label, LEFT - 44, 11), 11, "start")]  # fmt: skip
        shapes += [moved(shape, 0.0, r * tall) for shape in ends]
    width = LEFT + ROW * PANEL + (ROW - 1) * GAP + 12
    return Drawing(title, description, width, len(rows) * tall + 26, tuple(shapes))


def _ordered(panel: Panel) -> list[SlopeLine]:
    return sorted(panel.lines, key=lambda line: line.at)


def _panel(panel: Panel, up: Axis, left: float, focal: str, numbers: str) -> list[Shape]:
    lines = _ordered(panel)
    across = Axis.around([float(v) for line in lines for v in line.x], left, left + PANEL, pad=0.02)
    styles = line_styles(len(lines))
    middle = left + PANEL / 2
    out: list[Shape] = [
        Text(middle, TOP - 28, shorten(panel.said[0], PANEL + 8, 11), 11, fill=SOFT),
        Text(middle, TOP - 12, shorten(panel.said[1], PANEL + 8, 12, bold=True), 12, bold=True),
        Text(middle, BASE + 62, shorten(numbers, PANEL + 8, 11), 11, fill=SOFT),
    ]
    for line, (stroke, _) in zip(lines, styles, strict=True):
        out += band(across, up, line.x, line.lower, line.upper, stroke, 0.10)
    for line, (stroke, dash) in zip(lines, styles, strict=True):
        out += curve(across, up, line.x, line.y, stroke, 2.2, dash)
    out += bottom_axis(across, BASE, shorten(focal, PANEL, 12), ticks_at=ticks(across.low, across.high, 4))
    for i, line in enumerate(lines):
        out.append(Text(middle, BASE + 80 + 18 * i, shorten(line.slope, PANEL + 6, 11), 11, fill=INK))
    return out
