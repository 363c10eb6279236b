"""Where the nodes of a path diagram stand: layers from cause to effect, moderators above the path they act on.

Layers follow the longest path (Sugiyama, Tagawa & Toda 1981, IEEE Transactions on Systems, Man, and Cybernetics
11, 109-125); an edge that skips layers gets a place of its own in each of them, so that no line runs through a node.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from semkit.report.graph import Edge, Graph, Node

RX, RY = 62.0, 30.0
ITEM_W, ITEM_H, ITEM_GAP = 92.0, 28.0, 8.0
ROW_W, ROW_H, ROW_GAP = 58.0, 22.0, 8.0
REACH = 52.0
"""Length of loading arrows to a column of indicators; rows of indicators hang ``DROP`` away."""
DROP = 40.0
BETWEEN = 132.0
MARGIN = 14.0


@dataclass(frozen=True, slots=True)
class Place:
    """Centre of a node and the side its indicators are on."""

    x: float
    y: float
    side: str


@dataclass
class Plan:
    """Places of nodes, ways of edges that bend, and the size of the picture."""

    places: dict[str, Place] = field(default_factory=dict)
    ways: dict[tuple[str, str], tuple[tuple[float, float], ...]] = field(default_factory=dict)
    width: float = 0.0
    height: float = 0.0


def plan(graph: Graph) -> Plan:
    """Place every node of ``graph``."""
    above = _above(graph)
    names = [node.name for node in graph.nodes if node.name not in above]
    edges = [e for e in graph.edges if e.source in names and e.target in names]
    layer = _layers(names, edges)
    columns, skips = _columns(names, edges, layer)
    out = Plan()
    top = _band_height(graph, above)
    last = len(columns) - 1
    x = MARGIN
    heights = [sum(_slot(graph, name, i, last) for name in column) for i, column in enumerate(columns)]
    tallest = max(heights, default=0.0)
    spread = max(BETWEEN + 100.0, _row_width(graph, above) - 2 * RX) if len(columns) == 2 and above else BETWEEN
    for i, column in enumerate(columns):
        left, right = _reach(graph, column, i, last)
        centre = x + left
        y = top + MARGIN + (tallest - heights[i]) / 2
        real = [name for name in column if name not in skips]
        for name in column:
            slot = _slot(graph, name, i, last)
            if name in skips:
                key = skips[name]
                bend = ((centre - left, y + slot / 2), (centre + right, y + slot / 2))
                out.ways[key] = (*out.ways.get(key, ()), *bend)
            else:
                side = _side(i, last)
                shift = (DROP + ROW_H) / 2 if side == "below" and graph.node(name).indicators else 0.0
                if side == "below" and real.index(name) < (len(real) - 1) / 2 and not above:
                    # In the upper half paths come from below, so indicators go above.
                    side, shift = "above", -shift
                middle = y + slot / 2 - shift
                out.places[name] = Place(centre, middle, side)
            y += slot
        x = centre + right + (spread if i < last else 0.0)
    out.width, out.height = x + MARGIN, top + tallest + 2 * MARGIN
    _place_above(graph, above, out)
    return out


def _above(graph: Graph) -> list[str]:
    """Moderators that nothing in the model explains stand above the path they act on."""
    focal = {m.focal for m in graph.moderations}
    explained = {edge.target for edge in graph.edges}
    outcomes = {m.outcome for m in graph.moderations}
    chosen = []
    for name in dict.fromkeys(m.moderator for m in graph.moderations):
        goes = {edge.target for edge in graph.edges if edge.source == name}
        if name not in focal and name not in explained and goes <= outcomes:
            chosen.append(name)
    return chosen


def _layers(names: list[str], edges: list[Edge]) -> dict[str, int]:
    """Longest-path layers; edges that would close a circle are left out."""
    forward: list[tuple[str, str]] = []
    following: dict[str, set[str]] = {name: set() for name in names}

    def reaches(start: str, goal: str) -> bool:
        seen, todo = set(), [start]
        while todo:
            here = todo.pop()
            if here == goal:
                return True
            if here not in seen:
                seen.add(here)
                todo += following[here]
        return False

    for edge in edges:
        if not reaches(edge.target, edge.source):
            following[edge.source].add(edge.target)
            forward.append((edge.source, edge.target))
    layer = dict.fromkeys(names, 0)
    for _ in names:
        for source, target in forward:
            layer[target] = max(layer[target], layer[source] + 1)
    # A cause stands right before its first effect, not at the far left.
    for name in names:
        after = [layer[target] for source, target in forward if source == name]
        if after and not any(target == name for _, target in forward):
            layer[name] = min(after) - 1
    return layer


def _columns(
    names: list[str], edges: list[Edge], layer: dict[str, int]
) -> tuple[list[list[str]], dict[str, tuple[str, str]]]:
    """Columns of names with a stand-in for every skipped layer, ordered by the mean place of their neighbours."""
    count = max(layer.values(), default=-1) + 1
    columns: list[list[str]] = [[n for n in names if layer[n] == i] for i in range(count)]
    skips: dict[str, tuple[str, str]] = {}
    before: dict[str, list[str]] = {}
    for edge in edges:
        low, high = layer[edge.source], layer[edge.target]
        previous = edge.source
        for i in range(low + 1, high):
            stand = f"\0{edge.source}\0{edge.target}\0{i}"
            columns[i].append(stand)
            skips[stand] = (edge.source, edge.target)
            before[stand] = [previous]
            previous = stand
        if high > low:
            before.setdefault(edge.target, []).append(previous)
    for i in range(1, count):
        rank = {name: k / max(len(columns[i - 1]) - 1, 1) for k, name in enumerate(columns[i - 1])}
        where = {name: [rank[b] for b in before.get(name, []) if b in rank] for name in columns[i]}
        columns[i].sort(key=lambda name: sum(where[name]) / len(where[name]) if where[name] else 0.5)
    return columns, skips


def _side(i: int, last: int) -> str:
    if i == last:
        return "right"
    return "left" if i == 0 else "below"


def _slot(graph: Graph, name: str, i: int, last: int) -> float:
    """Height a node needs."""
    if name.startswith("\0"):
        return 46.0
    node = graph.node(name)
    if _side(i, last) == "below":
        return 2 * RY + (DROP + ROW_H if node.indicators else 0.0) + 52.0
    return max(2 * RY + 26.0, len(node.indicators) * (ITEM_H + ITEM_GAP) + 20.0)


def _reach(graph: Graph, column: list[str], i: int, last: int) -> tuple[float, float]:
    """Width a column needs left and right of its centre."""
    left = right = RX
    for node in (graph.node(name) for name in column if not name.startswith("\0")):
        if not node.indicators:
            continue
        match _side(i, last):
            case "left":
                left = RX + REACH + ITEM_W
            case "right":
                right = RX + REACH + ITEM_W
            case _:
                half = row_width(node) / 2
                left, right = max(left, half), max(right, half)
    return left, right


def row_width(node: Node) -> float:
    """Width of a row of indicators."""
    return len(node.indicators) * (ROW_W + ROW_GAP) - ROW_GAP


def _row_width(graph: Graph, names: list[str]) -> float:
    return sum(max(2 * RX, row_width(graph.node(name))) + 24.0 for name in names)


def _band_height(graph: Graph, names: list[str]) -> float:
    """Height of the band above the layers."""
    if not names:
        return 0.0
    items = any(graph.node(name).indicators for name in names)
    return 2 * RY + (DROP + ROW_H if items else 0.0) + 64.0


def _place_above(graph: Graph, names: list[str], out: Plan) -> None:
    """Moderators side by side, over the middle of the paths they act on."""
    if not names:
        return
    middles = []
    for m in graph.moderations:
        if m.moderator in names and m.focal in out.places and m.outcome in out.places:
            middles.append((out.places[m.focal].x + out.places[m.outcome].x) / 2)
    centre = sum(middles) / len(middles) if middles else out.width / 2
    total = _row_width(graph, names)
    x = max(MARGIN, centre - total / 2)
    items = any(graph.node(name).indicators for name in names)
    y = MARGIN + RY + (DROP + ROW_H if items else 0.0)
    for name in names:
        width = max(2 * RX, row_width(graph.node(name))) + 24.0
        out.places[name] = Place(x + width / 2, y, "above")
        x += width
    out.width = max(out.width, x + MARGIN)
