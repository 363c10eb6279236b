"""Does a model make sense, and does it fit the data's columns?  All problems at once."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from semkit.errors import ModelError, Problem, spelling
from semkit.model.composites import composite_problems
from semkit.model.expression import Expression
from semkit.model.statements import ModelSpec, Term
from semkit.model.tokens import Position, Source

MAX_NODES = 5_000
MAX_HEIGHT = 150
_IN_GROUP = re.compile(r"(?P<name>.+)\.g(?P<group>[2-9]|[1-9][0-9]{1,3})")


def check(spec: ModelSpec, columns: Iterable[str] | None = None) -> None:
    """Raise every problem of a model at once.

    Parameters
    ----------
    spec : ModelSpec
    columns : iterable of str, optional
        Columns of the data.  Without them names of observed variables are not checked.

    Raises
    ------
    ModelError
        ``model.unknown-variable``, ``model.latent-is-column``, ``model.construct-defined-twice``,
        ``model.own-covariance``, ``model.duplicate-entry``, ``model.own-predictor``, ``model.product-sign``,
        ``model.unknown-label``, ``model.unknown-group``, ``model.definition-cycle``,
        ``model.defined-twice``, ``model.loading-cycle``.
    """
    known = None if columns is None else tuple(columns)
    problems = [
        *composite_problems(spec), *_term_problems(spec), *_construct_problems(spec), *formula_problems(spec),
        *product_sign_problems(spec, known or ()),
    ]
    if known is not None:
        problems += _column_problems(spec, known)
    if problems:
        raise ModelError(*problems)


def check_columns(spec: ModelSpec, columns: Iterable[str]) -> None:
    """The part of :func:`check` that needs the columns of the data, for a model that has passed the rest."""
    known = tuple(columns)
    problems = [*product_sign_problems(spec, known), *_column_problems(spec, known)]
    if problems:
        raise ModelError(*problems)


def place(spec: ModelSpec, position: Position, code: str, what: str, allowed: str = "", remedy: str = "") -> Problem:
    """A problem at a position of the model's text (without a picture when the model has no text)."""
    if position.line == 0 or not spec.text:
        return Problem(code, "model", what, allowed, remedy)
    source = Source(spec.text.lstrip("\ufeff"))
    return source.problem(code, source.offset(position), what, allowed, remedy)


def product_sign_problems(spec: ModelSpec, columns: Sequence[str] = ()) -> list[Problem]:
    """``x*y`` where both are variables: a product was meant, not a label."""
    variables = {*spec.names, *columns}
    out = []
    seen = set()
    for term in spec.terms:
        for modifier in term.modifiers:
            label = modifier.values[0]
            if modifier.kind != "label" or len(modifier.values) != 1 or label not in variables or label in seen:
                continue
            seen.add(label)
            rhs = term.rhs or "1"
            out.append(
                place(
                    spec, modifier.position, "model.product-sign",
                    f'"{label}*{rhs}": "{label}" is a variable, but * puts a label or a number before a variable',
                    f'"{label}:{rhs}" for the product of the two, or a label that is not a variable',
                    f'Did you mean "{label}:{rhs}"?',
                )
            )
    return out


def _key(term: Term) -> tuple[str, str, str, str]:
    one, two = (term.rhs, term.lhs) if term.op == "~~" and term.rhs < term.lhs else (term.lhs, term.rhs)
    return term.block, term.op, one, two


def _phantom(term: Term) -> bool:
    """``f =~ 0*f``, also written ``f =~ 0``: a factor without indicators."""
    fixed = term.modifier("fixed")
    return term.op == "=~" and fixed is not None and all(value == 0.0 for value in fixed.values)


def _term_problems(spec: ModelSpec) -> list[Problem]:
    out: list[Problem] = []
    first: dict[tuple[str, str, str, str], Term] = {}
    for term in spec.terms:
        shown = f"{term.lhs} {term.op} {term.rhs}".rstrip()
        if term.op in ("=~", "<~", "~") and term.lhs == term.rhs and not _phantom(term):
            code = "model.own-predictor"
            out.append(place(spec, term.position, code, f'"{shown}": a variable cannot predict or measure itself'))
        earlier = first.setdefault(_key(term), term)
        if earlier is term:
            continue
        kinds = {modifier.kind for modifier in earlier.modifiers}
        added = {modifier.kind for modifier in term.modifiers}
        if not added or kinds & added:
            out.append(
                place(
                    spec, term.position, "model.duplicate-entry", f'"{shown}" is in the model twice',
                    "each parameter once; a second mention may only add a modifier of another kind",
                    "Remove one of them.",
                )
            )
    return out


def _construct_problems(spec: ModelSpec) -> list[Problem]:
    """Constructs defined twice, and constructs that measure each other."""
    out: list[Problem] = []
    statement: dict[tuple[str, str], Position] = {}
    indicators: dict[tuple[str, str], list[str]] = {}
    for term in spec.terms:
        if term.op != "=~":
            continue
        key = (term.block, term.lhs)
        known = indicators.setdefault(key, [])
        begun = statement.setdefault(key, term.lhs_position)
        if begun != term.lhs_position and term.rhs not in known:
            out.append(
                place(
                    spec, term.lhs_position, "model.construct-defined-twice",
                    f'construct "{term.lhs}" is defined twice (first in {begun})',
                    "one =~ statement a construct", "Put all its indicators in one statement.",
                )
            )
            statement[key] = term.lhs_position
        known.append(term.rhs)
    for block in {block for block, _ in indicators}:
        graph = {name: items for (b, name), items in indicators.items() if b == block}
        cycle = find_cycle(graph)
        if len(cycle) > 2:  # a =~ a is reported as its own predictor
            what = "constructs measure each other: " + " =~ ".join(cycle)
            out.append(place(spec, statement[(block, cycle[0])], "model.loading-cycle", what))
    return out


def _column_problems(spec: ModelSpec, columns: Sequence[str]) -> list[Problem]:
    out = []
    present = set(columns)
    latents = set(spec.latents)
    done: set[str] = set()
    for term in spec.terms:
        for name, position in ((term.lhs, term.lhs_position), (term.rhs, term.position)):
            if not name or name in done or (term.op == "|" and name == term.rhs):
                continue
            done.add(name)
            if name in latents:
                if name in present:
                    out.append(
                        place(
                            spec, position, "model.latent-is-column", f'"{name}" is both a construct and a column',
                            "a construct's name that is not a column of the data", "Rename the construct.",
                        )
                    )
                continue
            if name in present:
                continue
            for part in name.split(":"):
                if part not in present and part not in latents and (part == name or part not in done):
                    done.add(part)
                    out.append(_unknown_variable(spec, part, position, (*columns, *spec.latents)))
    return out


def _unknown_variable(spec: ModelSpec, name: str, position: Position, known: Sequence[str]) -> Problem:
    shown = ", ".join(known[:40]) + (" ..." if len(known) > 40 else "")
    return place(
        spec, position, "model.unknown-variable",
        f'"{name}" is neither a column of the data nor a construct (left of =~)', shown, spelling(name, known),
    )


def plain_name(name: str, groups: int | None = None) -> str:
    """``x`` of ``x.g2``, the variable in the second group; the name itself when there is no such group."""
    match = _IN_GROUP.fullmatch(name)
    if match is None or (groups is not None and int(match["group"]) > groups):
        return name
    return match["name"]


def formula_problems(spec: ModelSpec, groups: int | None = None) -> list[Problem]:
    """Unknown labels, definitions made twice or in a circle; ``sd(x.g2)`` is allowed if there may be two groups."""
    out: list[Problem] = []
    labels = set(spec.labels)
    defined: dict[str, Expression] = {}
    for formula in spec.formulas:
        if formula.op != ":=":
            continue
        name = formula.lhs.names[0]
        if name in defined or name in labels:
            what = f'"{name}" is defined twice' if name in defined else f'"{name}" is already a label in the model'
            out.append(place(spec, formula.position, "model.defined-twice", what, "a new name"))
        defined[name] = formula.rhs
    known = {*labels, *defined}
    variables = set(spec.names)
    for formula in spec.formulas:
        sides = (formula.rhs,) if formula.op == ":=" else (formula.lhs, formula.rhs)
        if formula.op != ":=" and not any((*side.names, *side.std_names, *side.sd_names) for side in sides):
            what = f'"{formula.lhs} {formula.op} {formula.rhs}" restricts nothing: it has no label'
            out.append(place(spec, formula.position, "model.empty-constraint", what,
                             "a label given with label*variable",
                             "Name the parameter in the model, then in the constraint."))
        for side in sides:
            for name in (*side.names, *side.std_names):
                if name not in known:
                    out.append(
                        place(
                            spec, formula.position, "model.unknown-label",
                            f'"{name}" in "{formula.lhs} {formula.op} {formula.rhs}" is not a label of the model',
                            ", ".join(sorted(known)) or "a label given with label*variable",
                            spelling(name, known),
                        )
                    )
            for name in side.sd_names:
                if name not in variables and plain_name(name, groups) not in variables:
                    out.append(
                        place(
                            spec, formula.position, "model.unknown-label", f'"{name}" in sd() is not in the model',
                            ", ".join(sorted(variables)), spelling(name, variables),
                        )
                    )
    cycle = find_cycle({name: [*e.names, *e.std_names] for name, e in defined.items()})
    if cycle:
        position = next(f.position for f in spec.formulas if f.op == ":=" and f.lhs.names[0] == cycle[0])
        what = "definitions go round in a circle: " + " -> ".join(cycle)
        out.append(place(spec, position, "model.definition-cycle", what, "definitions that end in labels"))
    return out


def find_cycle(graph: dict[str, list[str]]) -> list[str]:
    """A cycle ``[a, b, ..., a]`` of a directed graph, or an empty list."""
    state: dict[str, int] = {}
    for root in graph:
        path: list[str] = []
        stack = [(root, iter(graph[root]))] if root not in state else []
        while stack:
            node, children = stack[-1]
            if node not in state:
                state[node] = 1
                path.append(node)
            for child in children:
                if state.get(child) == 1:
                    return [*path[path.index(child) :], child]
                if child in graph and child not in state:
                    stack.append((child, iter(graph[child])))
                    break
            else:
                state[node] = 2
                path.pop()
                stack.pop()
    return []


def expand_definitions(spec: ModelSpec) -> dict[str, Expression]:
    """Every ``:=`` as an expression over labels only, in an order in which each uses earlier ones.

    Raises
    ------
    ModelError
        ``model.expression-too-large`` when writing the definitions out needs too many terms.
    """
    waiting = {f.lhs.names[0]: f for f in spec.formulas if f.op == ":="}
    done: dict[str, Expression] = {}
    while waiting:
        ready = [
            name for name, f in waiting.items()
            if not any(used in waiting for used in (*f.rhs.names, *f.rhs.std_names))
        ]
        for name in ready:
            formula = waiting.pop(name)
            done[name] = substitute(spec, formula.rhs, done, formula.position)
        if not ready:  # pragma: no cover - formula_problems reports cycles first
            raise ModelError(Problem("model.definition-cycle", "model", "definitions go round in a circle"))
    return done


def substitute(spec: ModelSpec, expression: Expression, done: dict[str, Expression], position: Position) -> Expression:
    """Write definitions out, unless that would need too many terms."""
    used = [done[name] for name in (*expression.names, *expression.std_names) if name in done]
    if not used:
        return expression
    nodes, height = expression.size
    largest, deepest = max(e.size[0] for e in used), max(e.size[1] for e in used)
    if nodes * largest > MAX_NODES * 20 or height + deepest > MAX_HEIGHT:
        raise ModelError(_too_large(spec, position))
    out = expression.substitute(done)
    if out.size[0] > MAX_NODES:
        raise ModelError(_too_large(spec, position))
    return out


def _too_large(spec: ModelSpec, position: Position) -> Problem:
    return place(
        spec, position, "model.expression-too-large", "definitions that use each other grow too large when written out",
        f"at most {MAX_NODES} terms", "Define fewer quantities by each other.",
    )
