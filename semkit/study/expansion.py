"""From a study's model text to plain lavaan syntax: ``measure``, sets of controls, covariances of exogenous factors.

The expanded text is what is fitted, printed, hashed and exported.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from semkit.errors import ModelError, Problem, suggest

if TYPE_CHECKING:
    from semkit.model import ModelSpec

_MEASURE = re.compile(r"^\s*measure\b\s*(.*?)\s*(?:[#!].*)?$")


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What model text may refer to.

    Parameters
    ----------
    constructs : mapping of str to tuple of str
        Construct code -> its scored items.
    composites : tuple of str
    controls : mapping of str to tuple of str
        Name of a set -> its columns, those that are constant in the sample left out.
    product_factors : bool, default True
        Whether latent products are factors with indicators of their own; by likelihood they are no variables.
    """

    constructs: Mapping[str, tuple[str, ...]]
    composites: tuple[str, ...] = ()
    controls: Mapping[str, tuple[str, ...]] | None = None
    product_factors: bool = True


@dataclass(frozen=True, slots=True)
class Expansion:
    """An expanded model.

    Parameters
    ----------
    text : str
        Plain lavaan syntax.
    written : tuple of str
        What the author wrote about, without the lines added here.
    measured : mapping of construct to items, for ``measure``
    composites : tuple of str
        Composites the model uses.
    controls : tuple of str
        Control columns the model uses.
    dropped : tuple of (outcome, column, reason)
    exogenous : tuple of str
        Factors whose regressions on the observed exogenous variables were written out.
    """

    text: str
    measured: Mapping[str, tuple[str, ...]]
    composites: tuple[str, ...]
    controls: tuple[str, ...]
    dropped: tuple[tuple[str, str, str], ...]
    exogenous: tuple[str, ...]


def expand(text: str, vocabulary: Vocabulary, where: str = "model", group: str = "") -> Expansion:
    """Expand one model text.

    ``measure a b`` (a line of its own) becomes ``a =~ a_1 + a_2 ...``.  The name of a set of controls on the right of
    ``~`` becomes its columns; one that the equation names already, or that defines the groups, is dropped.  Exogenous
    latent variables, composites and products are regressed on every exogenous observed variable and covary with each
    other: by default lavaan leaves a latent and an observed exogenous variable uncorrelated, which the data are not.

    Raises
    ------
    ModelError
        ``study.measure-unknown``, ``study.measure-empty``, ``study.controls-misused``.
    ModelSyntaxError
        From the parser, with line and column of the text as written.
    """
    from semkit.model import parse

    lines, measured, measure_lines = _measure(text, vocabulary, where)
    spec = parse("\n".join(lines))
    sets = dict(vocabulary.controls or {})
    _refuse_misuse(spec.terms, sets, where)
    dropped: list[tuple[str, str, str]] = []
    places: dict[tuple[int, int], tuple[str, list[str]]] = {}
    for term in spec.terms:
        if term.op == "~" and term.rhs in sets:
            key = (term.position.line, term.position.column)
            places.setdefault(key, (term.rhs, []))[1].append(term.lhs)
    used: dict[str, None] = {}
    for (line, column), (name, outcomes) in sorted(places.items(), reverse=True):
        named = {t.rhs for t in spec.terms if t.op == "~" and t.lhs in outcomes} | set(outcomes)
        columns = []
        for control in sets[name]:
            reason = "named in the equation" if control in named else "defines the groups" if control == group else ""
            if reason:
                dropped.extend((outcome, control, reason) for outcome in outcomes)
            else:
                columns.append(control)
        row = lines[line - 1]
        lines[line - 1] = _put(row, column - 1, name, columns, where)
        used.update(dict.fromkeys(columns))
    for number in measure_lines:
        lines[number] = lines[number].replace(" ; ", "\n")
    full = "\n".join(lines).strip("\n")
    expanded = parse(full)
    present = tuple(name for name in vocabulary.composites if name in expanded.names)
    added, exogenous = _exogenous(expanded, present, product_factors=vocabulary.product_factors)
    order = [column for columns in sets.values() for column in columns if column in used]
    if added:
        full = "\n".join(
            [full, "# exogenous factors: regressed on the exogenous observed variables, covarying", *added]
        )
    return Expansion(full, measured, present, tuple(dict.fromkeys(order)), tuple(reversed(dropped)), exogenous)


def _measure(text: str, vocabulary: Vocabulary, where: str) -> tuple[list[str], dict[str, tuple[str, ...]], list[int]]:
    """Replace ``measure`` lines, one line for one line, so that later places are those of the author."""
    problems, measured, changed = [], {}, []
    lines = text.replace("\r\n", "\n").split("\n")
    for number, line in enumerate(lines):
        match = _MEASURE.match(line)
        if not match or re.match(r"\s*(=~|~|:=|==|<|>|\*|:|\+)", match.group(1)):
            continue
        names = match.group(1).replace(",", " ").split()
        place = f"{where}, line {number + 1}"
        if not names:
            problems.append(
                Problem(
                    "study.measure-empty", place, "`measure` names no construct", "measure cn_acc cn_knw", "Name it."
                )
            )
        for name in names:
            if name not in vocabulary.constructs:
                problems.append(
                    Problem(
                        "study.measure-unknown",
                        place,
                        f"`measure {name}`: no instrument of the study has this construct with items",
                        ", ".join(vocabulary.constructs) or "(no construct)",
                        suggest(name, vocabulary.constructs).strip() or "Add its instrument to the study.",
                    )
                )
            else:
                measured[name] = vocabulary.constructs[name]
        lines[number] = " ; ".join(f"{name} =~ {' + '.join(measured[name])}" for name in names if name in measured)
        changed.append(number)
    if problems:
        raise ModelError(*problems)
    return lines, measured, changed


def _refuse_misuse(terms: Sequence[object], sets: Mapping[str, object], where: str) -> None:
    """A set of controls may only be a plain term on the right of ``~``."""
    problems = []
    for term in terms:
        lhs, op, rhs = (getattr(term, name) for name in ("lhs", "op", "rhs"))
        parts = {*lhs.split(":"), *rhs.split(":")} & set(sets)
        plain = op == "~" and rhs in sets and not getattr(term, "modifiers", ()) and lhs not in sets
        if parts and not plain:
            name = sorted(parts)[0]
            position = getattr(term, "position", None)
            line = f", line {position.line}" if position is not None and position.line else ""
            problems.append(
                Problem(
                    "study.controls-misused",
                    f"{where}{line}",
                    f'"{name}" is a set of control variables and stands in "{lhs} {op} {rhs}"',
                    f"a term of its own on the right of ~, as in y ~ b*x + {name}",
                    "Name single columns where a label or a product is wanted.",
                )
            )
    if problems:
        raise ModelError(*problems)


def _put(row: str, at: int, name: str, columns: Sequence[str], where: str) -> str:
    """Replace the set's name at its place by its columns; without columns the ``+`` beside it goes too."""
    if row[at : at + len(name)] != name:
        raise AssertionError(f"{where}: the parser's place of {name} is not in the text")
    before, after = row[:at], row[at + len(name) :]
    if columns:
        return before + " + ".join(columns) + after
    if before.rstrip().endswith("+"):
        return before.rstrip()[:-1].rstrip() + after
    if after.lstrip().startswith("+"):
        return before + after.lstrip()[1:].lstrip()
    raise ModelError(
        Problem(
            "study.controls-empty",
            where,
            f'nothing of "{name}" varies in these data, and the equation has no other predictor: {row.strip()}',
            "an equation with a predictor",
            "Remove the equation, or add a predictor.",
        )
    )


def _exogenous(
    spec: ModelSpec, composites: tuple[str, ...], *, product_factors: bool
) -> tuple[list[str], tuple[str, ...]]:
    """Lines that let exogenous factors covary with each other and with the exogenous observed variables."""
    terms = spec.terms
    latents = spec.latents
    factors = [*latents, *(name for name in composites if name not in latents)]
    products = [t.rhs for t in terms if t.op == "~" and ":" in t.rhs]
    outcomes = {t.lhs for t in terms if t.op == "~"}
    indicators = {t.rhs for t in terms if t.op == "=~"}
    observed = dict.fromkeys(
        t.rhs
        for t in terms
        if t.op == "~" and ":" not in t.rhs and t.rhs not in factors and t.rhs not in outcomes | indicators
    )
    # a product of observed variables alone is a column, not a factor
    latent_products = [p for p in dict.fromkeys(products) if set(p.split(":")) & set(factors)]
    whole = [*factors, *(latent_products if product_factors else [])]
    candidates = [f for f in whole if f not in outcomes and f not in indicators]
    if not observed or not candidates:
        return [], ()
    lines = [f"{name} ~ {' + '.join(observed)}" for name in candidates]
    stated = {frozenset((t.lhs, t.rhs)) for t in terms if t.op == "~~"}
    for position, name in enumerate(candidates):
        rest = [other for other in candidates[position + 1 :] if frozenset((name, other)) not in stated]
        if rest:
            lines.append(f"{name} ~~ {' + '.join(rest)}")
    return lines, tuple(candidates)
