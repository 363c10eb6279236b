"""Plane geometry of a diagram: where lines leave nodes, places along lines, boxes that share an area."""

from __future__ import annotations

import math

from semkit.report.drawing import Curve, Point

Box = tuple[float, float, float, float]


def leave_ellipse(radii: Point, start: Point, toward: Point) -> Point:
    """Where a ray from ``start`` (inside) along ``toward`` leaves the ellipse around the origin."""
    (a, b), (x, y), (dx, dy) = radii, start, toward
    # The larger root of |((x + t dx) / a, (y + t dy) / b)| = 1.
    square = (dx / a) ** 2 + (dy / b) ** 2
    half = x * dx / a**2 + y * dy / b**2
    rest = (x / a) ** 2 + (y / b) ** 2 - 1.0
    t = (-half + math.sqrt(max(half * half - square * rest, 0.0))) / square
    return x + t * dx, y + t * dy


def leave_box(radii: Point, start: Point, toward: Point) -> Point:
    """Where a ray from ``start`` (inside) along ``toward`` leaves the box of half sizes ``radii`` around the origin."""
    (a, b), (x, y), (dx, dy) = radii, start, toward
    times = []
    if dx:
        times.append((math.copysign(a, dx) - x) / dx)
    if dy:
        times.append((math.copysign(b, dy) - y) / dy)
    t = min(times)
    return x + t * dx, y + t * dy


def aside(a: Point, b: Point, distance: float) -> Point:
    """Vector of length ``distance`` to the left of the way from ``a`` to ``b``."""
    dx, dy = b[0] - a[0], b[1] - a[1]
    length = math.hypot(dx, dy) or 1.0
    return dy / length * distance, -dx / length * distance


def along(a: Point, b: Point) -> list[Point]:
    """Places for a label along a line, the middle first."""
    shares = (0.5, 0.43, 0.57, 0.36, 0.64, 0.3, 0.7, 0.24, 0.76)
    return [(a[0] + t * (b[0] - a[0]), a[1] + t * (b[1] - a[1])) for t in shares]


def on_curve(curve: Curve, t: float) -> Point:
    """Point of a cubic Bezier curve at ``t``."""
    weights = ((1 - t) ** 3, 3 * (1 - t) ** 2 * t, 3 * (1 - t) * t**2, t**3)
    pairs = list(zip(weights, curve.points, strict=True))
    return sum(w * p[0] for w, p in pairs), sum(w * p[1] for w, p in pairs)


def overlap(a: Box, b: Box) -> float:
    """Area two boxes share."""
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    return width * height if width > 0 and height > 0 else 0.0
