"""Path diagram: latent ellipses, observed boxes, moderation as an arrow onto the path it moderates.

The picture is laid out here, without any program of the system.  Labels are put where they cover nothing: each has a
few places along its line, and takes the first that is free.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from semkit.report import rounding
from semkit.report.drawing import (
    BLUE,
    INK,
    PAPER,
    SOFT,
    Curve,
    Drawing,
    Ellipse,
    Line,
    Point,
    Rect,
    Shape,
    Text,
    fitted,
    shorten,
    text_width,
    wrap,
)
from semkit.report.geometry import Box, along, aside, leave_box, leave_ellipse, on_curve, overlap
from semkit.report.graph import Edge, Graph, Moderation, Node, Value, read_graph
from semkit.report.layout import (
    DROP,
    ITEM_GAP,
    ITEM_H,
    ITEM_W,
    REACH,
    ROW_GAP,
    ROW_H,
    ROW_W,
    RX,
    RY,
    Plan,
    plan,
    row_width,
)
from semkit.report.wording import name_of

Labels = Mapping[str, str]
LONGEST_CONTROL = 36
MAX_WITH_PATHS, MAX_WITHOUT_PATHS = 3, 10


def draw_diagram(
    estimates: pd.DataFrame,
    *,
    labels: Labels | None = None,
    controls: Iterable[str] | None = None,
    r2: Mapping[str, float] | None = None,
    group: Any = None,
) -> Drawing | None:
    """Draw a model from its table of estimates.

    Parameters
    ----------
    estimates : DataFrame
        As :attr:`semkit.report.content.ModelPart.estimates`; standardised values are printed.
    labels : mapping of variable to text, optional
    controls : iterable of str, optional
        Covariates to fold into one node (None: chosen as in :func:`semkit.report.graph.read_graph`).
    r2 : mapping of variable to float, optional
        Printed inside the nodes.
    group : optional
        Group of a multi-group model (default: the first).

    Returns
    -------
    Drawing or None
        None for a model without any structure to draw.
    """
    if estimates.empty:
        return None
    graph = read_graph(estimates, tuple(controls) if controls else None, group)
    if not graph.nodes:
        return None
    canvas = Canvas(graph, plan(graph), labels or {}, r2 or {})
    return canvas.finish()


@dataclass
class Canvas:
    """A diagram while it is drawn: lines, then nodes, then labels, and the places that are taken."""

    graph: Graph
    plan: Plan
    labels: Labels
    r2: Mapping[str, float]
    lines: list[Shape] = field(default_factory=list)
    nodes: list[Shape] = field(default_factory=list)
    words: list[Shape] = field(default_factory=list)
    taken: list[Box] = field(default_factory=list)

    def finish(self) -> Drawing:
        """Draw everything and close the picture."""
        for node in self.graph.nodes:
            self._node(node)
        todo = [self._edge(edge) for edge in self.graph.edges if self._placed(edge.source, edge.target)]
        todo += [self._moderation(m, at) for m, at in self._junctions()]
        todo += self._covariances()
        for value, points, ink in todo:
            self._label(value, points, ink)
        if self.graph.controls:
            self._controls()
        shapes = (*self.lines, *self.nodes, *self.words)
        return fitted("Path diagram", describe(self.graph, self.labels), shapes)

    def _placed(self, *names: str) -> bool:
        return all(name in self.plan.places for name in names)

    def _center(self, name: str) -> Point:
        place = self.plan.places[name]
        return place.x, place.y

    def _border(self, name: str, toward: Point, shift: Point = (0.0, 0.0)) -> Point:
        """Where the line from a node's centre to ``toward`` leaves the node; both ends moved by ``shift``."""
        x, y = self._center(name)
        direction = toward[0] - x, toward[1] - y
        if direction == (0.0, 0.0):
            return x, y
        if self.graph.node(name).latent:
            dx, dy = leave_ellipse((RX, RY), shift, direction)
        else:
            dx, dy = leave_box((RX, RY - 6), shift, direction)
        return x + dx, y + dy

    def _node(self, node: Node) -> None:
        if node.name not in self.plan.places:
            return
        x, y = self._center(node.name)
        if node.latent:
            self.nodes.append(Ellipse(x, y, RX, RY, PAPER, INK, 1.5))
        else:
            self.nodes.append(Rect(x - RX, y - RY + 6, 2 * RX, 2 * RY - 12, PAPER, INK, 1.5))
        self.taken.append((x - RX, y - RY, x + RX, y + RY))
        explained = self.r2.get(node.name, math.nan)
        extra = math.isfinite(explained) and self._caused(node)
        words = name_of(node.name, self.labels)
        lines, size = wrap(words, 2 * RX - 18, 12, lines=2, bold=True), 12.0
        if any(line.endswith("…") for line in lines):
            lines, size = wrap(words, 2 * RX - 14, 10.5, lines=3, bold=True), 10.5
        step = size + 2
        top = y + 4 - step / 2 * (len(lines) - 1) - (7 if extra else 0)
        self.nodes += [Text(x, top + step * i, line, size, bold=True) for i, line in enumerate(lines)]
        if extra:
            text = f"R² = {rounding.number(explained, leading=False)}"
            self.nodes.append(Text(x, top + step * len(lines), text, 10, fill=SOFT))
        self._indicators(node, x, y)
        if math.isfinite(node.residual) and self._caused(node):
            self._residual(node, x, y)

    def _caused(self, node: Node) -> bool:
        """Whether a path that is drawn ends here; what controls alone explain stays in the table."""
        return any(edge.target == node.name for edge in self.graph.edges)

    def _residual(self, node: Node, x: float, y: float) -> None:
        """Short arrow of the unexplained variance onto a node's upper right."""
        side = self.plan.places[node.name].side
        if side == "above":
            tip, start = (x, y + RY), (x, y + RY + 18)
        elif side == "below":
            tip, start = (x, y - RY), (x, y - RY - 18)
        else:
            tip, start = (x + 0.55 * RX, y - 0.83 * RY), (x + 0.8 * RX, y - RY - 14)
        if not node.latent:
            tip = (tip[0], y + (RY - 6 if side == "above" else 6 - RY))
        self.lines.append(Line((start, tip), SOFT, 1.0, head=True))
        words = rounding.number(node.residual, leading=False)
        if side in ("above", "below"):
            text = Text(start[0] + 5, start[1] + 3, words, 10, "start", SOFT)
        else:
            text = Text(start[0], start[1] - 4, words, 10, fill=SOFT)
        self.words.append(text)
        self.taken.append(text.box())

    def _indicators(self, node: Node, x: float, y: float) -> None:
        side = self.plan.places[node.name].side
        n = len(node.indicators)
        for i, (name, value) in enumerate(node.indicators):
            if side in ("left", "right"):
                sign = 1.0 if side == "right" else -1.0
                middle = y + (i - (n - 1) / 2) * (ITEM_H + ITEM_GAP)
                left = x + RX + REACH if side == "right" else x - RX - REACH - ITEM_W
                width, height, top = ITEM_W, ITEM_H, middle - ITEM_H / 2
                tip = x + sign * (RX + REACH), middle
            else:
                sign = 1.0 if side == "below" else -1.0
                left = x - row_width(node) / 2 + i * (ROW_W + ROW_GAP)
                width, height = ROW_W, ROW_H
                edge = y + sign * (RY + DROP)
                top = edge if side == "below" else edge - ROW_H
                tip = left + ROW_W / 2, edge
            start = self._border(node.name, tip)
            self.lines.append(Line((start, tip), SOFT, 1.0, head=True))
            self.nodes.append(Rect(left, top, width, height, PAPER, SOFT, 1.0))
            self.taken.append((left, top, left + width, top + height))
            self._item_name(name, left, top, width, height)
            share = 0.62
            at = start[0] + share * (tip[0] - start[0]), start[1] + share * (tip[1] - start[1])
            text = Text(at[0], at[1] + 3.5, value.short, 10, fill=INK, halo=True)
            self.words.append(text)
            self.taken.append(text.box())

    def _item_name(self, name: str, left: float, top: float, width: float, height: float) -> None:
        """Name of an indicator: its label if two lines hold it, else its variable's name."""
        size, room = 9.5, 2 if height > 24 else 1
        lines = wrap(self.labels.get(name, name), width - 8, size, lines=room)
        if any(line.endswith("…") for line in lines):
            lines = (shorten(name, width - 6, size),)
        first = top + height / 2 + 3.5 - 5.5 * (len(lines) - 1)
        self.nodes += [Text(left + width / 2, first + 11 * i, line, size) for i, line in enumerate(lines)]

    def _edge(self, edge: Edge) -> tuple[Value, list[Point], str]:
        """Draw a path and return where its label may stand."""
        way = self.plan.ways.get((edge.source, edge.target), ())
        # Two paths against each other run side by side.
        back = any((e.source, e.target) == (edge.target, edge.source) for e in self.graph.edges)
        shift = aside(self._center(edge.source), self._center(edge.target), 17.0 if back else 0.0)
        start = self._border(edge.source, way[0] if way else self._center(edge.target), shift)
        end = self._border(edge.target, way[-1] if way else self._center(edge.source), shift)
        clear = edge.value.clear
        # Solid where the interval is clear of zero, dashed where it holds zero: readable without colour.
        points = (start, *way, end)
        self.lines.append(Line(points, INK, 1.6 if clear else 1.2, "" if clear else "6 4", head=True))
        middle = len(points) // 2
        a, b = points[middle - 1], points[middle]
        return edge.value, along(a, b), INK

    def _junctions(self) -> list[tuple[Moderation, float]]:
        """Where each moderation meets its path: spread along it from left to right."""
        out: list[tuple[Moderation, float]] = []
        pairs = dict.fromkeys((m.focal, m.outcome) for m in self.graph.moderations)
        for focal, outcome in pairs:
            own = [m for m in self.graph.moderations if (m.focal, m.outcome) == (focal, outcome)]
            own = [m for m in own if self._placed(m.moderator, focal, outcome)]
            own.sort(key=lambda m: self.plan.places[m.moderator].x)
            n = len(own)
            out += [(m, 0.5 if n == 1 else 0.25 + 0.5 * i / (n - 1)) for i, m in enumerate(own)]
        return out

    def _moderation(self, m: Moderation, share: float) -> tuple[Value, list[Point], str]:
        a = self._border(m.focal, self._center(m.outcome))
        b = self._border(m.outcome, self._center(m.focal))
        way = (a, *self.plan.ways.get((m.focal, m.outcome), ()), b)
        middle = len(way) // 2
        p, q = way[middle - 1], way[middle]
        at = p[0] + share * (q[0] - p[0]), p[1] + share * (q[1] - p[1])
        start = self._border(m.moderator, at)
        self.lines.append(Line((start, at), BLUE, 2.2, "" if m.value.clear else "6 4", head=True))
        self.nodes.append(Ellipse(at[0], at[1], 3.2, 3.2, BLUE, BLUE, 1.0))
        self.taken.append((at[0] - 6, at[1] - 6, at[0] + 6, at[1] + 6))
        return m.value, along(start, at), BLUE

    def _covariances(self) -> list[tuple[Value, list[Point], str]]:
        """Curved double arrows; more than a few would hide the paths and stay in the table."""
        pairs = [c for c in self.graph.covariances if self._placed(c[0], c[1])]
        if len(pairs) > (MAX_WITH_PATHS if self.graph.edges else MAX_WITHOUT_PATHS):
            return []
        out: list[tuple[Value, list[Point], str]] = []
        for first, second, value in pairs:
            a, b = self._center(first), self._center(second)
            if abs(a[0] - b[0]) < 1.0:
                out.append((value, self._arc(first, second), SOFT))
                continue
            bend = (a[0], b[1]) if b[1] < a[1] else (b[0], a[1])
            start, end = self._border(first, bend), self._border(second, bend)
            half = (start[0] + bend[0]) / 2, (start[1] + bend[1]) / 2
            other = (end[0] + bend[0]) / 2, (end[1] + bend[1]) / 2
            curve = Curve((start, half, other, end), SOFT, 1.0, "", True, True)
            self.lines.append(curve)
            out.append((value, [on_curve(curve, t) for t in (0.5, 0.4, 0.6, 0.3, 0.7)], SOFT))
        return out

    def _arc(self, first: str, second: str) -> list[Point]:
        """Arc between two nodes of one column, on the side that is free of indicators."""
        (x, ya), (_, yb) = self._center(first), self._center(second)
        sign = 1.0 if self.plan.places[first].side in ("left", "below") else -1.0
        edge = x + sign * RX
        bulge = edge + sign * (16.0 + 0.26 * abs(yb - ya))
        curve = Curve(
            ((edge - sign * 1.5, ya), (bulge, ya), (bulge, yb), (edge - sign * 1.5, yb)), SOFT, 1.0, "", True, True
        )
        self.lines.append(curve)
        return [on_curve(curve, t) for t in (0.5, 0.42, 0.58, 0.35, 0.65, 0.28, 0.72)]

    def _label(self, value: Value, places: list[Point], ink: str) -> None:
        """Print a value at the first of ``places`` where it covers nothing, else where it covers least."""
        lines, size = ((value.short,), 10.0) if ink == SOFT else (value.lines, 11.0)
        width = max(text_width(line, size, bold=i == 0) for i, line in enumerate(lines)) + 4
        height = 13.0 * len(lines) + 3

        def box(p: Point) -> Box:
            return p[0] - width / 2, p[1] - height / 2, p[0] + width / 2, p[1] + height / 2

        best = min(places, key=lambda p: sum(overlap(box(p), other) for other in self.taken))
        area = box(best)
        self.taken.append(area)
        self.words.append(Rect(area[0], area[1], width, height, PAPER, PAPER, 0.0))
        for i, line in enumerate(lines):
            fill = ink if i == 0 else SOFT
            self.words.append(Text(best[0], area[1] + 12 + 13 * i, line, size, fill=fill, bold=i == 0))

    def _controls(self) -> None:
        """One box for all covariates, under the layers."""
        # What a label adds in brackets is for the tables.
        words = {name: name_of(name, self.labels).split(" (")[0] for name in self.graph.controls}
        names = [text if len(text) <= LONGEST_CONTROL else name for name, text in words.items()]
        width = min(430.0, self.plan.width - 28.0)
        lines = wrap(", ".join(names), width - 20, 10.5, lines=3)
        width = min(width, max(150.0, *(text_width(line, 10.5) + 24 for line in lines)))
        height = 42.0 + 14.0 * len(lines)
        x, y = 14.0, self.plan.height + 4
        outcomes = [name_of(name, self.labels) for name in self.graph.controlled]
        acts = "on " + ", ".join(outcomes)
        if len(outcomes) == len(self.graph.nodes):
            acts = "on every variable shown"
        elif len(outcomes) > 1 and set(self.graph.controlled) == {edge.target for edge in self.graph.edges}:
            acts = "on every outcome"
        width = min(430.0, max(width, text_width(acts, 10.5) + 24))
        acts = shorten(acts, width - 20, 10.5)
        self.nodes.append(Rect(x, y, width, height, PAPER, SOFT, 1.0, 4))
        self.nodes.append(Text(x + 10, y + 17, f"Controls ({len(names)})", 11, "start", bold=True, fill=SOFT))
        self.nodes += [Text(x + 10, y + 32 + 14 * i, line, 10.5, "start", SOFT) for i, line in enumerate(lines)]
        self.nodes.append(Text(x + 10, y + 32 + 14 * len(lines), acts, 10.5, "start", SOFT, italic=True))
        self.plan.height = y + height + 14
        if len(self.graph.controlled) == 1 and self._placed(self.graph.controlled[0]):
            target = self.graph.controlled[0]
            start = x + width, y + height / 2
            below = self._center(target)[0], y + height / 2
            tip = self._border(target, below)
            if self.plan.places[target].side == "right" and below[0] > start[0] + 10:
                self.lines.append(Line((start, below, tip), SOFT, 1.0, head=True))


def describe(graph: Graph, labels: Labels) -> str:
    """The diagram in sentences, for those who cannot see it."""
    said = []
    for edge in graph.edges:
        verb = "loads" if edge.kind == "loading" else "acts"
        said.append(f"{name_of(edge.source, labels)} {verb} on {name_of(edge.target, labels)}: {edge.value.lines[0]}")
    for m in graph.moderations:
        said.append(
            f"{name_of(m.moderator, labels)} moderates the path from {name_of(m.focal, labels)} to "
            f"{name_of(m.outcome, labels)}: {m.value.lines[0]}"
        )
    for first, second, value in graph.covariances:
        said.append(f"{name_of(first, labels)} and {name_of(second, labels)} covary: {value.short}")
    measured = [f"{name_of(n.name, labels)} by {len(n.indicators)}" for n in graph.nodes if n.indicators]
    text = "Standardised estimates. " + "; ".join(said) + ("." if said else "")
    if measured:
        text += " Indicators: " + ", ".join(measured) + "."
    if graph.controls:
        text += f" {len(graph.controls)} controls are folded into one node."
    return text
