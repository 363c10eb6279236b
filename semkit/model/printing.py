"""Models as text: what was written (``parse . print = identity``), or the whole expanded table.

Other engines get text printed from the table under neutral names ``v1 ... vk`` and ``p1 ...``,
so that no name of a stranger reaches a program that would execute it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from itertools import groupby

import numpy as np

from semkit.errors import ModelError, Problem
from semkit.model.composites import HIDDEN, indicator_rows
from semkit.model.statements import ModelSpec, Modifier, Term
from semkit.model.table import PARAMETER_OPERATORS, ParameterTable, Variables

_PLAIN = re.compile(r"(?:[^\W\d]|\.(?![0-9]))[\w.]*\Z")


def print_model(model: ModelSpec | ParameterTable) -> str:
    """Write a model in lavaan's syntax.

    Parameters
    ----------
    model : ModelSpec or ParameterTable
        A spec is printed as written: ``parse(print_model(spec)) == spec``.  A table is printed with
        every parameter written out (for lavaan's ``lavaan()``, which adds nothing but the moments of
        exogenous observed variables).

    Returns
    -------
    str

    Raises
    ------
    ModelError
        ``model.value-from-data``: a fixed value that is computed from the sample is not known yet.

    Examples
    --------
    >>> from semkit.model import parse
    >>> print(print_model(parse("f=~x1+a * x2;y~f")))
    f =~ x1 + a*x2
    y ~ f
    """
    if isinstance(model, ParameterTable):
        return _print_table(model)
    lines = []
    block = ""
    for (term_block, lhs, op), terms in groupby(model.terms, key=lambda t: (t.block, t.lhs, t.op)):
        if term_block != block:
            block = term_block
            lines.append(f"group: {_label(block) if not block.isdigit() else block}")
        sign = "~" if op == "~1" else op
        lines.append(f"{lhs} {sign} " + " + ".join(_term(term) for term in terms))
    lines += [f"{formula.lhs} {formula.op} {formula.rhs}" for formula in model.formulas]
    return "\n".join(lines)


def _term(term: Term) -> str:
    return "".join(f"{_modifier(modifier)}*" for modifier in term.modifiers) + (term.rhs or "1")


def _modifier(modifier: Modifier) -> str:
    kind = modifier.kind
    if kind == "label":
        shown = [_label(str(value)) if value else "NA" for value in modifier.values]
    elif kind == "equal":
        shown = ['"' + str(value) + '"' if '"' not in str(value) else f"'{value}'" for value in modifier.values]
    else:
        shown = [number(value) for value in modifier.values]
    inner = f"c({', '.join(shown)})" if len(shown) > 1 else shown[0]
    return inner if kind in ("fixed", "label") else f"{kind}({inner})"


def _label(text: str) -> str:
    if _PLAIN.match(text) and text != "NA":
        return text
    return f"'{text}'" if '"' in text else f'"{text}"'


def number(value: float | str | None) -> str:
    """A number so that it reads back to the same bits; NA for none."""
    if value is None:
        return "NA"
    real = float(value)
    if np.isnan(real):
        raise ModelError(
            Problem("model.value-from-data", "model", "a fixed value is computed from the sample",
                    "a table whose values have been filled in", "Print the model of a fit.")
        )  # fmt: skip
    return str(int(real)) if real == round(real) and abs(real) < 1e15 else repr(real)


def _print_table(table: ParameterTable) -> str:
    lines = []
    block = 0
    first: set[tuple[int, str]] = set()
    inside = indicator_rows(table)
    for i in range(len(table)):
        lhs, op, rhs = table.lhs[i], table.op[i], table.rhs[i]
        if op in HIDDEN or i in inside or (op == "==" and not table.user[i] and _inside(table, i)):
            continue
        if op not in PARAMETER_OPERATORS:
            lines.append(f"{lhs} {op} {rhs}")
            continue
        if table.exo[i]:
            continue
        if table.block[i] != block and len(table.groups) > 1:
            block = int(table.block[i])
            lines.append(f"group: {block}")
        modifiers = []
        if table.free[i] == 0:
            modifiers.append(number(float(table.value[i])))
        elif op in ("=~", "<~") and (int(table.block[i]), lhs) not in first:
            modifiers.append("NA")
        if op in ("=~", "<~"):
            first.add((int(table.block[i]), lhs))
        if table.label[i]:
            modifiers.append(_label(table.label[i]))
        for name, column, none in (
            ("start", table.start, np.nan), ("lower", table.lower, -np.inf), ("upper", table.upper, np.inf)
        ):  # fmt: skip
            value = float(column[i])
            if value != none and not np.isnan(value):
                modifiers.append(f"{name}({number(value)})")
        if op == "=~" and lhs == rhs:
            lines.append(f"{lhs} =~ 0")
            continue
        term = rhs or "1"
        # One modifier a mention: every version of lavaan reads that.
        shown = " + ".join(f"{modifier}*{term}" for modifier in modifiers) or term
        lines.append(f"{lhs} {'~' if op == '~1' else op} {shown}")
    return "\n".join(lines)


def _inside(table: ParameterTable, row: int) -> bool:
    """Whether a constraint of the engine's own is about hidden rows or the variance of a composite."""
    hidden = {label for label, op in zip(table.label, table.op, strict=True) if label and op in HIDDEN}
    expression = table._expressions[row]
    return bool(expression.sd_names) or any(name in hidden for name in expression.names)


@dataclass(frozen=True)
class NeutralNames:
    """A table under neutral names, and how to read it back.

    Parameters
    ----------
    table : ParameterTable
    variables, labels : dict of str to str
        Own name to neutral name (``v1 ...``, ``p1 ...``).
    """

    table: ParameterTable
    variables: dict[str, str]
    labels: dict[str, str]


def neutral_names(table: ParameterTable) -> NeutralNames:
    """Rename variables to ``v1 ... vk`` (observed first) and labels to ``p1 ...``.

    Parameters
    ----------
    table : ParameterTable

    Returns
    -------
    NeutralNames
    """
    known = (*table.variables.ov, *table.variables.lv)
    variables = {name: f"v{i}" for i, name in enumerate(dict.fromkeys(known), start=1)}
    labels = {name: f"p{i}" for i, name in enumerate(dict.fromkeys(name for name in table.label if name), start=1)}

    def side(i: int, text: str) -> str:
        if table.op[i] in PARAMETER_OPERATORS:
            return variables.get(text, text) if table.op[i] != "|" or text == table.lhs[i] else text
        return labels.get(text, "") if table.op[i] == ":=" else ""

    groups = range(2, len(table.groups) + 1)
    inside = {f"{name}.g{g}": f"{short}.g{g}" for name, short in variables.items() for g in groups} | variables
    expressions = {i: e.rename(labels, inside) for i, e in table._expressions.items()}
    lhs = [side(i, text) for i, text in enumerate(table.lhs)]
    rhs = [side(i, text) for i, text in enumerate(table.rhs)]
    op = list(table.op)
    for i, expression in expressions.items():
        rhs[i] = str(expression)
        if op[i] != ":=":  # the expression is "left - right", or "right - left" for <
            lhs[i], rhs[i], op[i] = str(expression), "0", "==" if op[i] == "==" else ">"
    v = table.variables
    renamed = Variables(
        **{name: tuple(variables[x] for x in getattr(v, name)) for name in Variables.__dataclass_fields__}
    )
    out = replace(
        table, lhs=tuple(lhs), op=tuple(op), rhs=tuple(rhs),
        label=tuple(labels.get(name, "") for name in table.label), variables=renamed, _expressions=expressions,
    )  # fmt: skip
    return NeutralNames(out, variables, labels)
