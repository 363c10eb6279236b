"""Effect coding: a construct gets the metric of its indicators' average instead of that of one marker."""

from __future__ import annotations

import numpy as np

from semkit.errors import OptionError, Problem, spelling
from semkit.model.expression import Expression
from semkit.model.nodes import Atom, Node
from semkit.model.rows import Row
from semkit.model.table import Variables

CODED = ("loadings", "intercepts")


def coded_classes(value: bool | str | tuple[str, ...] | list[str], *, std_lv: bool = False) -> tuple[str, ...]:
    """What ``effect_coding=`` asks for: nothing, or among ``loadings`` and ``intercepts``.

    Raises
    ------
    OptionError
        ``model.effect-coding``: an unknown class, or loadings together with ``std_lv``.
    """
    if value is True:
        wanted: tuple[str, ...] = CODED
    elif value is False or value is None:
        wanted = ()
    else:
        wanted = (value,) if isinstance(value, str) else tuple(value)
    problems = [
        Problem("model.effect-coding", f'effect_coding="{name}"', "no such class of parameters", ", ".join(CODED),
                spelling(str(name), CODED))
        for name in wanted if name not in CODED
    ]  # fmt: skip
    if "loadings" in wanted and std_lv:
        problems.append(Problem("model.effect-coding", "effect_coding, std_lv", "both set the scale of the constructs",
                                "one of them", "Leave std_lv out."))
    if problems:
        raise OptionError(*problems)
    return wanted


def free_means(rows: list[Row], found: Variables) -> None:
    """Free the default means of constructs: the intercepts of their indicators have a mean of zero instead.

    The mean of a composite follows from its indicators.
    """
    for row in rows:
        if row.op == "~1" and row.lhs in found.lv and row.lhs not in found.lv_c and not row.user:
            row.free, row.value = True, float("nan")


def effect_constraints(rows: list[Row], found: Variables, wanted: tuple[str, ...]) -> list[Expression]:
    """Expressions that are zero: loadings of a construct have mean 1, intercepts of its indicators mean 0.

    Rows get a label of the engine's own where they have none.  Groups that share all labels share one constraint;
    a construct none of whose loadings is free needs none.

    References
    ----------
    Little, Slegers & Card (2006), Structural Equation Modeling 13, 59-72.
    """
    out: dict[tuple[str, ...], Expression] = {}
    if not wanted:
        return []
    for block in dict.fromkeys(row.block for row in rows):
        own = [(number, row) for number, row in enumerate(rows, start=1) if row.block == block]
        for latent in found.lv:
            loadings = [(n, row) for n, row in own if row.op == "=~" and row.lhs == latent]
            items = {row.rhs for _, row in loadings}
            intercepts = [(n, row) for n, row in own if row.op == "~1" and row.lhs in items]
            for name, part, level in (("loadings", loadings, float(len(loadings))), ("intercepts", intercepts, 0.0)):
                if name in wanted and any(row.free for _, row in part):
                    expression = _sum_less(part, level)
                    out.setdefault((name, latent, *(row.label for _, row in part)), expression)
    return list(out.values())


def _sum_less(part: list[tuple[int, Row]], level: float) -> Expression:
    """``row + row + ... - level``; fixed rows count with their number."""
    node: Node | None = None
    for number, row in part:
        if row.free:
            row.label = row.label or f".p{number}."
            term = Node("atom", atom=Atom("label", row.label))
        else:
            term = Node("number", value=0.0 if np.isnan(row.value) else row.value)
        node = term if node is None else Node("+", (node, term))
    assert node is not None
    return Expression(Node("-", (node, Node("number", value=level))))
