"""Composites ``c <~ x1 + x2``: weighted sums of observed variables with free weights.

With weights ``w`` the composite is ``c = w'x``; its indicators have covariances ``T`` of their own, and covary with
everything else through the composite only: ``x = nu + lambda c + e`` with ``Cov(e) = Theta``.  That ``c`` is the sum
and no factor behind it are constraints, written down as rows of the engine's own:

    w'lambda = 1,   Theta w = 0,   w'nu = 0

so that degrees of freedom, errors and full information follow as for any model.  ``T`` is held at the sample's
covariances, or is a parameter (``composites_cov_free``); it stands in the table as ``x1 ~~ x2``, the means of the
indicators as ``x1 ~1``, and both are tied to what is implied (:mod:`semkit.estimate.held`).  Variance and mean of the
composite follow: ``w'Tw`` and ``w'E(x)``, less what predicts it.  The first weight is 1 unless all are free and the
composite has variance 1 (``std_lv``).

References
----------
Henseler & Ogasawara's specification: Schuberth (2023), Psychological Methods 28, 843-859; Schamberger, Schuberth,
Henseler & Rosseel (2025), arXiv:2508.06112 (weights as parameters); Dijkstra (2017), in Latan & Noonan (eds), Partial
Least Squares Path Modeling, 55-80.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations_with_replacement
from typing import TYPE_CHECKING

from semkit.errors import Problem
from semkit.model.expression import Expression
from semkit.model.nodes import Atom, Node
from semkit.model.rows import Row
from semkit.model.statements import ModelSpec, Term

if TYPE_CHECKING:
    from semkit.model.table import ParameterTable

# loadings, residual covariances and intercepts that belong to a composite; never shown
LOADING, RESIDUAL, INTERCEPT = "<=~", "<~~", "<~1"
HIDDEN = (LOADING, RESIDUAL, INTERCEPT)


def parts_of(terms: Sequence[Term]) -> dict[str, tuple[str, ...]]:
    """Indicators of every composite, in order."""
    out: dict[str, list[str]] = {}
    for term in terms:
        if term.op == "<~" and term.rhs not in out.setdefault(term.lhs, []):
            out[term.lhs].append(term.rhs)
    return {name: tuple(items) for name, items in out.items()}


def composite_problems(spec: ModelSpec) -> list[Problem]:
    """What cannot be a composite or one of its indicators, per group block."""
    out: list[Problem] = []
    everywhere = {term.lhs for term in spec.terms if term.op == "<~"}
    for product in spec.products:
        out += [Problem("model.composite-product", f'product "{product}"', f'"{name}" is a composite',
                        "products of observed variables, of factors, or of means (composites=)",
                        "Give the composite fixed weights as a mean: composites={...}.")
                for name in product.split(":") if name in everywhere]
    for block in spec.blocks or ("",):
        terms = [term for term in spec.terms if term.block == block]
        parts = parts_of(terms)
        owner: dict[str, str] = {}
        for name, items in parts.items():
            if any(term.op == "=~" and name == term.lhs for term in terms):
                out.append(Problem("model.composite", f'composite "{name}"', "also stands left of =~",
                                   "a composite (<~) or a factor (=~)", "Give them different names."))
            for item in items:
                others = [term for term in terms if term.op != "<~" and item in (term.lhs, term.rhs)]
                if item in owner and owner[item] != name:
                    what = f'is an indicator of "{owner[item]}" too'
                elif item in parts or item in spec.latents:
                    what = "is no observed variable"
                elif others:
                    what = f'also stands in "{others[0].lhs} {others[0].op} {others[0].rhs}"'.replace(" ~1 ", " ~ 1")
                else:
                    owner.setdefault(item, name)
                    continue
                out.append(Problem("model.composite-indicator", f'indicator "{item}" of composite "{name}"', what,
                                   "an observed variable that belongs to this composite alone",
                                   "Use the composite itself in the other statements."))
    return out


def composite_rows(
    rows: dict[tuple[str, str, str], Row], parts: dict[str, tuple[str, ...]], block: int, *, means: bool,
    first_fixed: bool,
) -> None:
    """Add the hidden rows of every composite and fix its first weight."""
    for name, items in parts.items():
        if first_fixed:
            rows[(name, "<~", items[0])].fix(1.0)
        for item in items:
            rows[(name, LOADING, item)] = Row(name, LOADING, item, block)
        for a, b in combinations_with_replacement(items, 2):
            rows[(a, RESIDUAL, b)] = Row(a, RESIDUAL, b, block)
        for item in items if means else ():
            rows[(item, INTERCEPT, "")] = Row(item, INTERCEPT, "", block)


def indicator_rows(table: ParameterTable) -> frozenset[int]:
    """Rows with the covariances and means of indicators of composites: what is implied, not cells of matrices."""
    inside = {(int(block), rhs) for block, op, rhs in zip(table.block, table.op, table.rhs, strict=True) if op == "<~"}
    return frozenset(i for i, (block, lhs, op) in enumerate(zip(table.block, table.lhs, table.op, strict=True))
                     if op in ("~~", "~1") and (int(block), lhs) in inside)


def composite_constraints(rows: list[Row], *, std_lv: bool = False) -> list[Expression]:
    """``w'lambda - 1``, ``Theta w`` and ``w'nu`` of every composite of every group.

    With ``std_lv`` composites that something predicts have total variance 1: ``sd(c) - 1``.
    """
    out: list[Expression] = []
    numbered: dict[tuple[int, str, str, str], tuple[int, Row]] = {
        (row.block, row.lhs, row.op, row.rhs): (number, row) for number, row in enumerate(rows, start=1)}
    groups = dict.fromkeys((row.block, row.lhs) for row in rows if row.op == "<~")
    for block, name in groups:
        items = [row.rhs for row in rows if row.op == "<~" and (row.block, row.lhs) == (block, name)]
        weight = {item: _leaf(numbered[(block, name, "<~", item)]) for item in items}
        out.append(_dot([(weight[x], _leaf(numbered[(block, name, LOADING, x)])) for x in items], 1.0))
        for a in items:
            pairs = [(weight[b], _leaf(numbered.get((block, a, RESIDUAL, b)) or numbered[(block, b, RESIDUAL, a)]))
                     for b in items]
            out.append(_dot(pairs, 0.0))
        if std_lv and _scaled(numbered, block, name, items):
            atom = Node("atom", atom=Atom("sd", name if block == 1 else f"{name}.g{block}"))
            out.append(Expression(Node("-", (atom, Node("number", value=1.0)))))
        if (block, items[0], INTERCEPT, "") in numbered:
            out.append(_dot([(weight[x], _leaf(numbered[(block, x, INTERCEPT, "")])) for x in items], 0.0))
    return out


def _scaled(
    numbered: dict[tuple[int, str, str, str], tuple[int, Row]], block: int, name: str, items: list[str]
) -> bool:
    """Whether nothing else sets a composite's scale: a fixed variance, or weights that are fixed or another group's."""
    own = [numbered[(block, name, "<~", x)][1] for x in items]
    first = [numbered.get((1, name, "<~", x), (0, None))[1] for x in items]
    shared = block > 1 and all(a is not None and a.label and a.label == b.label
                               for a, b in zip(first, own, strict=True))
    return numbered[(block, name, "~~", name)][1].free and all(row.free for row in own) and not shared


def _leaf(numbered: tuple[int, Row]) -> Node:
    number, row = numbered
    if not row.free:
        return Node("number", value=row.value)
    row.label = row.label or f".p{number}."
    return Node("atom", atom=Atom("label", row.label))


def _dot(pairs: list[tuple[Node, Node]], level: float) -> Expression:
    node: Node | None = None
    for left, right in pairs:
        product = Node("*", (left, right))
        node = product if node is None else Node("+", (node, product))
    assert node is not None
    return Expression(Node("-", (node, Node("number", value=level))))
