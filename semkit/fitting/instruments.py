"""Which observed variables, and which of their products, are instruments of an equation: what the model implies.

Every latent variable is replaced by its marker less its error.  The composite error of an equation then holds the
disturbance of the outcome and the errors of the markers in it.  An observed variable is an instrument when nothing it
depends on is in that error or covaries with it (Bollen 1996).  Products of instruments of the factors of a product
(indicators other than markers) are instruments of the product, provided that errors, disturbances and exogenous
variables are independent, not only uncorrelated (Bollen & Paxton 1998).

References
----------
Bollen (1995), Sociological Methodology 25, 223-251; Bollen (1996), Psychometrika 61, 109-121; Bollen & Paxton (1998),
Structural Equation Modeling 5, 267-293.
"""

from __future__ import annotations

from dataclasses import dataclass

from semkit.model import ModelSpec, Term

Source = tuple[str, str]


@dataclass(frozen=True)
class Equation:
    """One structural equation in observed variables.

    Parameters
    ----------
    outcome : str
    predictors : tuple of str
        Names as in the model, products last or in between.
    instruments : tuple of tuple of str
        Columns to multiply: one name for a variable, two for a product or a square.
    """

    outcome: str
    predictors: tuple[str, ...]
    instruments: tuple[tuple[str, ...], ...]


def markers(spec: ModelSpec) -> dict[str, str]:
    """First indicator of every construct."""
    out: dict[str, str] = {}
    for term in spec.terms:
        if term.op == "=~":
            out.setdefault(term.lhs, term.rhs)
    return out


def fixed_at(term: Term) -> float | None:
    """The number a term is fixed at, or None."""
    found = term.modifier("fixed")
    value = found.values[0] if found is not None else None
    return None if value is None else float(value)


def equations(spec: ModelSpec) -> tuple[Equation, ...]:
    """The structural equations with their model-implied instruments."""
    loads = [(t.lhs, t.rhs) for t in spec.terms if t.op == "=~"]
    marker, items = markers(spec), dict.fromkeys(rhs for _, rhs in loads)
    paths = [t for t in spec.terms if t.op == "~"]
    inner = dict.fromkeys([*spec.latents, *(v for t in paths for v in (t.lhs, *t.rhs.split(":")))])
    plain = [name for name in inner if name not in spec.latents]
    exact = _without_error(spec, loads)
    sources = _sources(paths, list(inner))
    depends = {name: set(sources[name]) for name in plain}
    for item in items:
        depends[item] = {s for lhs, rhs in loads if rhs == item for s in sources[lhs]}
        depends[item] |= set() if item in exact else {("error", item)}
    tied = _tied(spec, set(items), paths)
    out = []
    for outcome in dict.fromkeys(t.lhs for t in paths):
        own = [t for t in paths if t.lhs == outcome]
        factors = dict.fromkeys(v for t in own for v in t.rhs.split(":"))
        error = {("disturbance", outcome)}
        error |= {("error", marker[v]) for v in (outcome, *factors) if v in marker and marker[v] not in exact}
        error |= {b for a in tuple(error) for b in tied.get(a, ())}
        valid = [name for name, has in depends.items() if not has & error]
        found: dict[tuple[str, ...], None] = dict.fromkeys((name,) for name in valid)
        for a, b in (t.rhs.split(":") for t in own if ":" in t.rhs):
            left, right = (_measures(v, loads, valid) for v in (a, b))
            found |= dict.fromkeys((min(x, y), max(x, y)) for x in left for y in right)
        out.append(Equation(outcome, tuple(t.rhs for t in own), tuple(found)))
    return tuple(out)


def _measures(name: str, loads: list[tuple[str, str]], valid: list[str]) -> list[str]:
    """Instruments that measure a factor; an observed factor measures itself."""
    return [v for v in valid if v == name or (name, v) in loads]


def _without_error(spec: ModelSpec, loads: list[tuple[str, str]]) -> set[str]:
    """Indicators whose error variance is 0: written so, or the only one of a construct and nothing written."""
    written = {t.rhs: fixed_at(t) for t in spec.terms if t.op == "~~" and t.lhs == t.rhs}
    out = {name for name, value in written.items() if value == 0.0}
    for latent in {lhs for lhs, _ in loads}:
        own = [rhs for lhs, rhs in loads if lhs == latent]
        out |= {own[0]} if len(own) == 1 and own[0] not in written else set()
    return out


def _sources(paths: list[Term], inner: list[str]) -> dict[str, set[Source]]:
    """Exogenous variables and disturbances every variable depends on; loops are followed until nothing is added."""
    out: dict[str, set[Source]] = {name: {("disturbance", name)} for name in inner}
    moved = True
    while moved:
        moved = False
        for term in paths:
            more = {s for v in term.rhs.split(":") for s in out[v]} - out[term.lhs]
            out[term.lhs] |= more
            moved |= bool(more)
    return out


def _tied(spec: ModelSpec, items: set[str], paths: list[Term]) -> dict[Source, set[Source]]:
    """Errors and disturbances that covary: as written, and disturbances of outcomes that predict nothing."""
    def source(name: str) -> Source:
        return ("error" if name in items else "disturbance", name)

    pairs = {frozenset((t.lhs, t.rhs)): fixed_at(t) for t in spec.terms if t.op == "~~" and t.lhs != t.rhs}
    last = list(dict.fromkeys(t.lhs for t in paths))
    used = {v for t in paths for v in t.rhs.split(":")}
    last = [name for name in last if name not in used]
    for k, a in enumerate(last):
        for b in last[:k]:
            pairs.setdefault(frozenset((a, b)), None)
    out: dict[Source, set[Source]] = {}
    for pair, value in pairs.items():
        if value != 0.0:
            left, right = (source(name) for name in pair)
            out.setdefault(left, set()).add(right)
            out.setdefault(right, set()).add(left)
    return out
