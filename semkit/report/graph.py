"""A model as a graph: what the path diagram draws, read from the table of estimates."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from semkit.report import rounding

NAN = float("nan")
Rows = list[Mapping[Any, Any]]


@dataclass(frozen=True, slots=True)
class Value:
    """An estimate as the diagram prints it; ``free`` is False for fixed parameters."""

    est: float
    lower: float = NAN
    upper: float = NAN
    pvalue: float = NAN
    free: bool = True

    @property
    def short(self) -> str:
        """The estimate alone."""
        return rounding.number(self.est, leading=False)

    @property
    def clear(self) -> bool:
        """Whether the interval, if there is one, leaves zero out."""
        return not self.lower * self.upper <= 0.0

    @property
    def lines(self) -> tuple[str, ...]:
        """Estimate with interval, and p under it."""
        if not self.free:
            return (self.short,)
        span = rounding.interval(self.lower, self.upper, leading=False)
        first = self.short if span == rounding.ABSENT else f"{self.short} {span}"
        p = rounding.p_phrase(self.pvalue)
        return (first, p) if p else (first,)


@dataclass(frozen=True, slots=True)
class Node:
    """A variable of the structural part, with its indicators as (name, loading)."""

    name: str
    latent: bool
    indicators: tuple[tuple[str, Value], ...] = ()
    residual: float = NAN


@dataclass(frozen=True, slots=True)
class Edge:
    """A directed path; ``kind`` is ``"path"`` or ``"loading"`` (of a factor on a higher factor)."""

    source: str
    target: str
    value: Value
    kind: str = "path"


@dataclass(frozen=True, slots=True)
class Moderation:
    """``moderator`` changes the path from ``focal`` to ``outcome``."""

    moderator: str
    focal: str
    outcome: str
    value: Value


@dataclass(frozen=True, slots=True)
class Graph:
    """The structural part, indicators folded into their factors and controls into one node."""

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    moderations: tuple[Moderation, ...]
    covariances: tuple[tuple[str, str, Value], ...]
    controls: tuple[str, ...] = ()
    controlled: tuple[str, ...] = ()

    def node(self, name: str) -> Node:
        """The node of that name."""
        return next(node for node in self.nodes if node.name == name)


def read_graph(estimates: pd.DataFrame, controls: Iterable[str] | None = None, group: Any = None) -> Graph:
    """Read the graph from estimates.

    Parameters
    ----------
    estimates : DataFrame
        ``lhs op rhs est se pvalue std_all``; optional ``std_se``, ``std_ci_lower``, ``std_ci_upper``, ``group``.
    controls : iterable of str, optional
        Variables to fold; by default, in a model with latent variables, the observed exogenous ones outside products.
    group : optional
        Group to draw; the first one by default.
    """
    frame = estimates
    if "group" in frame and len(frame):
        groups = list(frame.loc[frame["op"].isin(["=~", "~", "~~"]), "group"].unique())
        frame = frame[frame["group"] == (groups[0] if group is None and groups else group)]
    rows: Rows = list(frame.to_dict("records")) if len(frame) else []
    loadings = [row for row in rows if row["op"] == "=~" and ":" not in str(row["lhs"])]
    paths = [row for row in rows if row["op"] == "~" and ":" not in str(row["lhs"])]
    latents = tuple(dict.fromkeys(str(row["lhs"]) for row in loadings))
    folded = _controls(paths, latents, controls)
    edges = [Edge(str(r["lhs"]), str(r["rhs"]), value_of(r), "loading") for r in loadings if r["rhs"] in latents]
    edges += [
        Edge(str(r["rhs"]), str(r["lhs"]), value_of(r))
        for r in paths if ":" not in str(r["rhs"]) and r["rhs"] not in folded
    ]  # fmt: skip
    moderations, plain = _moderations(paths, edges)
    edges += plain
    indicators = {name: tuple((str(r["rhs"]), value_of(r)) for r in loadings
                              if r["lhs"] == name and r["rhs"] not in latents) for name in latents}  # fmt: skip
    hidden = {item for items in indicators.values() for item, _ in items}
    names = list(dict.fromkeys([*latents, *(end for edge in edges for end in (edge.source, edge.target)),
                                *(m.moderator for m in moderations)]))  # fmt: skip
    targets = {edge.target for edge in edges} | {str(r["lhs"]) for r in paths}
    nodes = tuple(
        Node(name, name in latents, indicators.get(name, ()), _residual(rows, name) if name in targets else NAN)
        for name in names if name not in hidden or any(name in (e.source, e.target) for e in edges)
    )  # fmt: skip
    known = {node.name for node in nodes}
    covariances = tuple(
        (str(r["lhs"]), str(r["rhs"]), value_of(r)) for r in rows
        if r["op"] == "~~" and r["lhs"] != r["rhs"] and r["lhs"] in known and r["rhs"] in known and value_of(r).free
    )  # fmt: skip
    controlled = tuple(dict.fromkeys(str(r["lhs"]) for r in paths if r["rhs"] in folded and str(r["lhs"]) in known))
    return Graph(nodes, tuple(edges), tuple(moderations), covariances, folded, controlled)


def value_of(row: Mapping[Any, Any]) -> Value:
    """The standardised value of a row, or the raw one where nothing was standardised."""

    def at(key: str) -> float:
        found = row.get(key)
        return NAN if found is None else float(found)

    se = at("se")
    free = math.isfinite(se) and se > 0.0
    std = at("std_all")
    if not math.isfinite(std):
        return Value(at("est"), at("ci_lower"), at("ci_upper"), at("pvalue"), free)
    lower, upper = at("std_ci_lower"), at("std_ci_upper")
    std_se = at("std_se")
    if not math.isfinite(lower) and math.isfinite(std_se) and std_se > 0.0:
        lower, upper = std - 1.959964 * std_se, std + 1.959964 * std_se
    # A marker loading is fixed in raw units and has no p; its standardised value is an estimate all the same.
    return Value(std, lower, upper, at("pvalue") if free else NAN, free)


def _controls(paths: Rows, latents: tuple[str, ...], given: Iterable[str] | None) -> tuple[str, ...]:
    predictors = dict.fromkeys(str(row["rhs"]) for row in paths if ":" not in str(row["rhs"]))
    if given is not None:
        return tuple(name for name in predictors if name in set(given))
    if not latents:
        return ()
    outcomes = {str(row["lhs"]) for row in paths}
    factors = {part for row in paths if ":" in str(row["rhs"]) for part in str(row["rhs"]).split(":")}
    chosen = tuple(n for n in predictors if n not in latents and n not in outcomes and n not in factors)
    return chosen if len(chosen) > 1 else ()


def _moderations(paths: Rows, edges: list[Edge]) -> tuple[list[Moderation], list[Edge]]:
    """Products as moderations of a path that is there; a product without its path stays a node of its own."""
    there = {(edge.source, edge.target) for edge in edges}
    found: list[Moderation] = []
    plain: list[Edge] = []
    for row in paths:
        if ":" not in str(row["rhs"]):
            continue
        factors, outcome = str(row["rhs"]).split(":"), str(row["lhs"])
        focal = next((name for name in factors if (name, outcome) in there), None)
        others = [name for name in factors if name != focal]
        if focal is None or not others or others[-1] == outcome:
            plain.append(Edge(str(row["rhs"]), outcome, value_of(row)))
        else:
            found.append(Moderation(others[-1], focal, outcome, value_of(row)))
    return found, plain


def _residual(rows: Rows, name: str) -> float:
    for row in rows:
        if row["op"] == "~~" and row["lhs"] == name and row["rhs"] == name:
            return value_of(row).est
    return NAN
