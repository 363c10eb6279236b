"""Axes: from values to places on a drawing, with round ticks and a histogram to lay under a curve."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from semkit.report import rounding
from semkit.report.drawing import FAINT, INK, SOFT, Area, Line, Rect, Shape, Text

FloatArray = NDArray[np.float64]


def ticks(low: float, high: float, target: int = 6) -> tuple[float, ...]:
    """Round numbers inside [low, high]: as near to ``target`` of them as steps 1, 2 or 5 times a power of ten allow.

    Examples
    --------
    >>> ticks(0.0, 1.1)
    (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
    """
    span = high - low
    if not math.isfinite(span) or span <= 0:
        return ()
    raw = span / max(target, 1)
    power = 10.0 ** math.floor(math.log10(raw))
    steps = [m * power for m in (1.0, 2.0, 5.0, 10.0)]
    ends = [(math.ceil(low / s - 1e-9), math.floor(high / s + 1e-9)) for s in steps]
    # of two equally near the coarser: fewer numbers are easier to read
    step, (first, last) = min(zip(steps, ends, strict=True), key=lambda e: (abs(e[1][1] - e[1][0] + 1 - target), -e[0]))
    # + 0.0 turns a negative zero into zero.
    return tuple(round(i * step, 12) + 0.0 for i in range(first, last + 1))


def tick_text(values: Sequence[float]) -> tuple[str, ...]:
    """Print ticks with as many decimals as their step needs."""
    step = min((b - a for a, b in pairwise(values)), default=1.0)
    digits = max(0, min(6, -math.floor(math.log10(step) + 1e-9))) if step > 0 else 2
    return tuple(rounding.number(value, digits) if value else rounding.number(0.0, digits) for value in values)


@dataclass(frozen=True, slots=True)
class Axis:
    """A linear axis from [low, high] to places [start, end] (``end < start`` for an upward axis)."""

    low: float
    high: float
    start: float
    end: float

    def at(self, value: float) -> float:
        """Place of a value."""
        return self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)

    @classmethod
    def around(cls, values: Iterable[float], start: float, end: float, *, pad: float = 0.04) -> Axis:
        """Axis that holds all finite ``values`` with a margin of ``pad`` on each side."""
        finite = [float(v) for v in values if math.isfinite(v)]
        low, high = (min(finite), max(finite)) if finite else (0.0, 1.0)
        if high - low < 1e-12:
            low, high = low - 0.5, high + 0.5
        margin = pad * (high - low)
        return cls(low - margin, high + margin, start, end)


def bottom_axis(axis: Axis, y: float, title: str, *, ticks_at: Sequence[float] | None = None) -> list[Shape]:
    """Horizontal axis at height ``y`` with ticks and title under it (needs 40 units below)."""
    values = ticks(axis.low, axis.high) if ticks_at is None else tuple(ticks_at)
    shapes: list[Shape] = [Line(((axis.start, y), (axis.end, y)), INK)]
    for value, text in zip(values, tick_text(values), strict=True):
        x = axis.at(value)
        shapes += [Line(((x, y), (x, y + 4)), INK), Text(x, y + 17, text, 11, fill=SOFT)]
    return [*shapes, Text((axis.start + axis.end) / 2, y + 35, title, 12)]


def left_axis(axis: Axis, x: float, title: str, *, title_x: float) -> list[Shape]:
    """Vertical axis at ``x`` with ticks at its left and a turned title at ``title_x``."""
    values = ticks(axis.low, axis.high, 5)
    shapes: list[Shape] = [Line(((x, axis.start), (x, axis.end)), INK)]
    for value, text in zip(values, tick_text(values), strict=True):
        y = axis.at(value)
        shapes += [Line(((x - 4, y), (x, y)), INK), Text(x - 8, y + 4, text, 11, "end", fill=SOFT)]
    return [*shapes, Text(title_x, (axis.start + axis.end) / 2, title, 12, turned=True)]


def bars(
    axis: Axis, left: FloatArray, right: FloatArray, amount: FloatArray, base: float, height: float
) -> list[Shape]:
    """Bars of a histogram that was counted elsewhere: [left, right) holds ``amount``."""
    top = float(np.max(amount)) if amount.size else 0.0
    shapes: list[Shape] = []
    for low, high, count in zip(left, right, amount, strict=True):
        if count <= 0 or high < axis.low or low > axis.high:
            continue
        size = height * float(count) / top
        start, end = axis.at(max(float(low), axis.low)), axis.at(min(float(high), axis.high))
        shapes.append(Rect(start + 0.5, base - size, max(end - start - 1.0, 0.8), size, FAINT, FAINT, 0.0))
    return shapes


def band(axis_x: Axis, axis_y: Axis, x: FloatArray, lower: FloatArray, upper: FloatArray, fill: str,
         opacity: float = 0.18) -> list[Shape]:  # fmt: skip
    """Filled area between two curves."""
    keep = np.isfinite(x) & np.isfinite(lower) & np.isfinite(upper)
    if keep.sum() < 2:
        return []
    up = [(axis_x.at(float(a)), axis_y.at(float(b))) for a, b in zip(x[keep], upper[keep], strict=True)]
    down = [(axis_x.at(float(a)), axis_y.at(float(b))) for a, b in zip(x[keep], lower[keep], strict=True)]
    return [Area((*up, *reversed(down)), fill, opacity)]


def curve(axis_x: Axis, axis_y: Axis, x: FloatArray, y: FloatArray, stroke: str, width: float = 2.0,
          dash: str = "") -> list[Shape]:  # fmt: skip
    """A line through the finite points."""
    keep = np.isfinite(x) & np.isfinite(y)
    if keep.sum() < 2:
        return []
    points = tuple((axis_x.at(float(a)), axis_y.at(float(b))) for a, b in zip(x[keep], y[keep], strict=True))
    return [Line(points, stroke, width, dash)]
