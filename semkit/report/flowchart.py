"""Respondents' flow: from received to analysed, who left at each step and why (after CONSORT/STROBE)."""

from __future__ import annotations

from semkit.report import rounding
from semkit.report.content import Flow, FlowStep
from semkit.report.drawing import INK, PAPER, SHADE, SOFT, Drawing, Line, Rect, Shape, Text, shorten, wrap

WIDTH = 700.0
BOX, SIDE = 250.0, 300.0
SIDE_X = WIDTH - SIDE - 2
SPINE = 30.0 + BOX / 2


def flowchart(flow: Flow) -> Drawing | None:
    """Draw the flow; None when it has no steps.

    Boxes of those who stay stand in a column, boxes of those who left at its right with one line a reason; models and
    the respondents each used hang under the last box.
    """
    if not flow.steps:
        return None
    shapes: list[Shape] = []
    y = 2.0
    bottom = y
    for index, step in enumerate(flow.steps):
        if index:
            height = _side_height(step)
            end = bottom + max(34.0, height + 20)
            shapes.append(Line(((SPINE, bottom), (SPINE, end)), INK, 1.2, head=True))
            if step.left:
                shapes += _side(step, bottom + (end - bottom - height) / 2, height)
            y = end
        last = index == len(flow.steps) - 1
        box, bottom = _box(step.label, step.count, y, last)
        shapes += box
    if flow.branches:
        more, bottom = _branches(flow, bottom)
        shapes += more
    return Drawing("Respondents' flow", _describe(flow), WIDTH, bottom + 3, tuple(shapes))


def _box(label: str, count: int, y: float, last: bool) -> tuple[list[Shape], float]:
    lines = wrap(label, BOX - 24, 12.5, lines=3, bold=last)
    height = 34.0 + 16.0 * len(lines)
    out: list[Shape] = [Rect(SPINE - BOX / 2, y, BOX, height, SHADE if last else PAPER, INK, 1.4 if last else 1.0, 3)]
    out += [Text(SPINE, y + 20 + 16 * i, line, 12.5, bold=last) for i, line in enumerate(lines)]
    out.append(Text(SPINE, y + 22 + 16 * len(lines), f"n = {rounding.count(count)}", 12.5, bold=last))
    return out, y + height


def _side_height(step: FlowStep) -> float:
    return 32.0 + 16.0 * len(step.left) if step.left else 0.0


def _side(step: FlowStep, y: float, height: float) -> list[Shape]:
    """Box of those who left at this step."""
    total = sum(n for _, n in step.left)
    out: list[Shape] = [
        Line(((SPINE, y + height / 2), (SIDE_X, y + height / 2)), INK, 1.0, head=True),
        Rect(SIDE_X, y, SIDE, height, PAPER, SOFT, 1.0, 3),
        Text(SIDE_X + 12, y + 19, f"Left out (n = {rounding.count(total)})", 12, "start", bold=True),
    ]
    for i, (reason, n) in enumerate(step.left):
        line = y + 36 + 16 * i
        out.append(Text(SIDE_X + 12, line, shorten(reason, SIDE - 70, 11.5), 11.5, "start", SOFT))
        out.append(Text(SIDE_X + SIDE - 12, line, rounding.count(n), 11.5, "end", SOFT))
    return out


def _branches(flow: Flow, top: float) -> tuple[list[Shape], float]:
    """Models under the last box, in rows of three."""
    gap, columns = 14.0, min(3, len(flow.branches))
    width = (WIDTH - 4 - gap * 2) / 3
    labels = [wrap(label, width - 16, 12, lines=2) for label, _ in flow.branches]
    tall = 37.0 + 15.0 * max(len(words) for words in labels)
    out: list[Shape] = []
    y = top + 34
    bar = top + 17
    centres: list[float] = []
    for i, ((_, n), words) in enumerate(zip(flow.branches, labels, strict=True)):
        x = 2 + (i % 3) * (width + gap)
        place = y + (i // 3) * (tall + gap)
        centres.append(x + width / 2)
        out.append(Rect(x, place, width, tall, PAPER, INK, 1.0, 3))
        out += [Text(x + width / 2, place + 20 + 15 * k, line, 12) for k, line in enumerate(words)]
        out.append(Text(x + width / 2, place + 22 + 15 * len(words), f"n = {rounding.count(n)}", 12))
    first = centres[:columns]
    lines: list[Shape] = [
        Line(((SPINE, top), (SPINE, bar)), INK, 1.2),
        Line(((min([*first, SPINE]), bar), (max([*first, SPINE]), bar)), INK, 1.2),
        *(Line(((x, bar), (x, y)), INK, 1.2, head=True) for x in first),
    ]
    rows = (len(flow.branches) + 2) // 3
    return [*lines, *out], y + (rows - 1) * (tall + gap) + tall


def _describe(flow: Flow) -> str:
    parts = []
    for step in flow.steps:
        gone = ", ".join(f"{reason}: {rounding.count(n)}" for reason, n in step.left)
        parts.append((f"left out {gone}; " if gone else "") + f"{step.label}: n = {rounding.count(step.count)}")
    used = "; ".join(f"{label} uses n = {rounding.count(n)}" for label, n in flow.branches)
    return "Flow of respondents. " + ". ".join(parts) + "." + (f" {used}." if used else "")
