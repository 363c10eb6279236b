"""Measurement apart from structure: which constructs are measured together, and who has scores on all of them.

Constructs are measured by one model when they share indicators, residual covariances, labels or constraints, or
belong to one second-order factor.  The structural model is about *scored* constructs (second-order factors stand for
their parts) and about observed variables in equations.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semkit.errors import NotSupportedError, Problem
from semkit.fitting.expansion import composite_column
from semkit.fitting.options import Options
from semkit.fitting.recipe import Recipe
from semkit.model import ModelSpec, Term
from semkit.model.statements import Formula
from semkit.sample import Sample, make_sample

FloatArray = NDArray[np.float64]
MEASURED = ("loadings", "intercepts", "residuals", "residual.covariances")


@dataclass(frozen=True)
class MeasurementBlock:
    """Constructs that are measured together.

    Parameters
    ----------
    scored : tuple of str
        Constructs the structural model is about.
    items : tuple of str
        Observed indicators.
    spec : ModelSpec
    """

    scored: tuple[str, ...]
    items: tuple[str, ...]
    spec: ModelSpec

    @property
    def name(self) -> str:
        return ", ".join(self.scored)


@dataclass(frozen=True)
class Parted:
    """A model in two steps.

    Parameters
    ----------
    blocks : tuple of MeasurementBlock
    observed : tuple of str
        Observed variables in equations.
    structure : ModelSpec
        The structural part as a model of the constructs themselves.
    """

    blocks: tuple[MeasurementBlock, ...]
    observed: tuple[str, ...]
    structure: ModelSpec

    @property
    def constructs(self) -> tuple[str, ...]:
        return tuple(name for block in self.blocks for name in block.scored)

    @property
    def items(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(item for block in self.blocks for item in block.items))


def scored_constructs(spec: ModelSpec) -> tuple[str, ...]:
    """Constructs that are not parts of others."""
    parts = {t.rhs for t in spec.terms if t.op == "=~"}
    return tuple(name for name in spec.latents if name not in parts)


def structural_names(spec: ModelSpec) -> tuple[str, ...]:
    """Scored constructs, and observed variables in equations."""
    inside = [v for t in spec.terms if t.op == "~" for v in (t.lhs, *t.rhs.split(":"))]
    return tuple(dict.fromkeys((*scored_constructs(spec), *inside)))


def part(spec: ModelSpec) -> Parted:
    """Measurement models and the structural model of a model.

    Raises
    ------
    NotSupportedError
        ``fitting.steps-not-apart``: something that belongs to both steps.
    """
    inner = structural_names(spec)
    _require_apart(spec, inner)
    families = _families(spec)
    above = [t for t in spec.terms if t.op == "~" or (t.op == "~~" and t.lhs in inner and t.rhs in inner)]
    taken = {id(t) for t in above}
    below = [t for t in spec.terms if id(t) not in taken]
    blocks = [_block(spec, names, below, set(inner)) for names in families]
    structure = replace(spec, terms=tuple(above), formulas=())
    blocks, structure = _with_formulas(spec, blocks, structure)
    observed = tuple(name for name in inner if name not in spec.latents)
    return Parted(tuple(blocks), observed, _with_covariances(_with_endogenous_products(structure)))


def _require_apart(spec: ModelSpec, inner: tuple[str, ...]) -> None:
    """What stands in an equation is scored, and nothing else is."""
    items = {t.rhs for t in spec.terms if t.op == "=~"}
    problems = [Problem("fitting.steps-not-apart", name, "is an indicator (or part of a second-order factor) and "
                        "stands in an equation", "constructs and observed variables that measure nothing",
                        "Use interaction='lms'.") for name in inner if name in items]
    for term in spec.terms:
        if term.op == "~1" and term.lhs in inner:
            problems.append(Problem("fitting.steps-not-apart", f"{term.lhs} ~ 1", "an intercept of the structural part",
                                    "covariances of the structural part", "Leave it out, or use interaction='lms'."))
        if term.op == "~~" and (term.lhs in inner) != (term.rhs in inner):
            problems.append(Problem("fitting.steps-not-apart", f"{term.lhs} ~~ {term.rhs}",
                                    "joins measurement and structure", "covariances within one of them",
                                    "Leave it out, or use interaction='lms'."))
    if problems:
        raise NotSupportedError(*problems)


def _labels(terms: Iterable[Term]) -> set[str]:
    return {str(v) for t in terms for m in t.modifiers if m.kind in ("label", "equal") for v in m.values if v}


def _families(spec: ModelSpec) -> list[tuple[str, ...]]:
    """Constructs by what they are measured together with, in order."""
    home = {name: k for k, name in enumerate(spec.latents)}
    owner: dict[str, str] = {}
    ties: list[tuple[str, str]] = []
    for term in (t for t in spec.terms if t.op == "=~"):
        if term.rhs in home:
            ties.append((term.rhs, term.lhs))
        ties.append((owner.setdefault(term.rhs, term.lhs), term.lhs))
    for term in spec.terms:
        known = [owner[v] for v in (term.lhs, term.rhs) if v in owner]
        if term.op == "~~" and len(known) == 2:
            ties.append((known[0], known[1]))
        if term.op != "=~" and not known:
            continue
        for label in _labels([term]):
            place = f" {label}"  # a space: no name of a variable
            ties.append((owner.setdefault(place, known[0] if known else term.lhs), known[0] if known else term.lhs))
            if "=~" in label:
                ties.append((label.split("=~")[0].strip(), term.lhs))
    for formula in spec.formulas:
        used = [owner[f" {name}"] for name in (*formula.lhs.names, *formula.rhs.names) if f" {name}" in owner]
        ties += [(used[0], other) for other in used[1:]]
    for a, b in ties:
        old, new = home[b], home[a]
        home = {name: new if k == old else k for name, k in home.items()}
    return [tuple(n for n in spec.latents if home[n] == k) for k in dict.fromkeys(home.values())]


def _block(spec: ModelSpec, names: tuple[str, ...], below: list[Term], inner: set[str]) -> MeasurementBlock:
    inside = {t.rhs for t in spec.terms if t.op == "=~" and t.lhs in names}
    own = [t for t in below if (t.op == "=~" and t.lhs in names) or (t.op != "=~" and t.lhs in inside)]
    outcomes = {t.lhs for t in spec.terms if t.op == "~"}
    for term in spec.terms:  # a variance that gives an exogenous construct its scale
        if term.op == "~~" and term.lhs == term.rhs and term.lhs in names and term.lhs in inner - outcomes:
            found = term.modifier("fixed")
            own += [term] if found is not None and found.values[0] is not None else []
    order = {block: k for k, block in enumerate(spec.blocks)}
    own.sort(key=lambda t: order.get(t.block, 0))
    items = tuple(dict.fromkeys(t.rhs for t in own if t.op == "=~" and t.rhs not in spec.latents))
    return MeasurementBlock(tuple(n for n in names if n in inner), items, ModelSpec(tuple(own), (), spec.blocks))


def _with_formulas(
    spec: ModelSpec, blocks: list[MeasurementBlock], structure: ModelSpec
) -> tuple[list[MeasurementBlock], ModelSpec]:
    """Every formula goes where its labels are."""
    known = [_labels(structure.terms), *(_labels(block.spec.terms) for block in blocks)]
    held: list[list[Formula]] = [[] for _ in known]
    mixed = sorted(known[0] & set().union(*known[1:]))
    wrong = [f'label "{name}"' for name in mixed]
    for formula in spec.formulas:
        sides = (formula.rhs,) if formula.op == ":=" else (formula.lhs, formula.rhs)
        used = {name for side in sides for name in (*side.names, *side.std_names)}
        at = next((k for k, labels in enumerate(known) if used <= labels), None)
        if at is None:
            wrong.append(f"{formula.lhs} {formula.op} {formula.rhs}")
            continue
        held[at].append(formula)
        if formula.op == ":=":
            known[at].add(str(formula.lhs))
    if wrong:
        raise NotSupportedError(*(Problem("fitting.steps-not-apart", where, "joins measurement and structure",
                                          "labels of one step", "Use interaction='lms'.") for where in wrong))
    filled = [replace(block, spec=replace(block.spec, formulas=tuple(own)))
              for block, own in zip(blocks, held[1:], strict=True)]
    return filled, replace(structure, formulas=tuple(held[0]))


def _with_endogenous_products(structure: ModelSpec) -> ModelSpec:
    """Free covariances of products of mediators with the disturbances they contain.

    ``M:X`` holds the disturbance of ``M``; their covariance, ``E(zeta_M M X)``, is 0 only where third moments vanish
    and ``X`` has mean 0, so that it must not be held at 0.
    """
    paths = [t for t in structure.terms if t.op == "~"]
    inside: dict[str, set[str]] = {}
    for term in paths:
        inside.setdefault(term.lhs, set()).update(term.rhs.split(":"))
    reach = {name: set(found) for name, found in inside.items()}
    for _ in inside:
        for found in reach.values():
            found |= {v for name in tuple(found) for v in reach.get(name, ())}
    written = {(t.block, frozenset((t.lhs, t.rhs))) for t in structure.terms if t.op == "~~"}
    more: dict[tuple[str, str, str], Term] = {}
    for term in (t for t in paths if ":" in t.rhs):
        held = {name for v in term.rhs.split(":") for name in (v, *reach.get(v, ())) if name in inside}
        for name in sorted(held - {term.lhs}):
            if (term.block, frozenset((name, term.rhs))) not in written:
                more[term.block, name, term.rhs] = Term(name, "~~", term.rhs, block=term.block)
    order = {block: k for k, block in enumerate(structure.blocks)}
    terms = sorted((*structure.terms, *more.values()), key=lambda t: order.get(t.block, 0))
    return replace(structure, terms=tuple(terms))


def _with_covariances(structure: ModelSpec) -> ModelSpec:
    """All covariances of exogenous variables written out where some are.

    In the structural model constructs are columns, and a column whose moments are partly written has no free ones by
    default; constructs and products covary unless the text says otherwise.
    """
    kinds = structure.blocks or ("",)
    more: list[Term] = []
    for kind in kinds:
        own = [t for t in structure.terms if t.block == kind]
        outcomes = {t.lhs for t in own if t.op == "~"}
        names = dict.fromkeys([*(t.rhs for t in own if t.op == "~"), *(v for t in own if t.op == "~~"
                                                                       for v in (t.lhs, t.rhs))])
        outer = [name for name in names if name not in outcomes]
        written = {frozenset((t.lhs, t.rhs)) for t in own if t.op == "~~"}
        if not any(set(outer) & pair for pair in written):
            continue
        more += [Term(a, "~~", b, block=kind) for k, a in enumerate(outer) for b in outer[k + 1 :]
                 if frozenset((a, b)) not in written]
    order = {kind: k for k, kind in enumerate(structure.blocks)}
    terms = sorted((*structure.terms, *more), key=lambda t: order.get(t.block, 0))
    return replace(structure, terms=tuple(terms))


def block_options(options: Options, block: MeasurementBlock) -> Options:
    """Options of a measurement model: what is equal across groups in the measurement, and nothing of the structure."""
    own = {t.lhs + "=~" + t.rhs for t in block.spec.terms if t.op == "=~"} | {f"{item}~1" for item in block.items}
    own |= {f"{a}~~{b}" for a in block.items for b in block.items}
    return replace(
        options, call="sem", meanstructure=True, bootstrap=0, fixed_x=False,
        group_equal=tuple(name for name in options.group_equal if name in MEASURED),
        group_partial=tuple(text for text in options.group_partial if "".join(text.split()) in own))


def structural_options(options: Options) -> Options:
    """Options of the structural model, which is fitted to moments by maximum likelihood."""
    kept = tuple(name for name in options.group_equal if name == "regressions")
    partial = tuple(text for text in options.group_partial if not any(op in text for op in ("~~", "=~", "~1")))
    return Options(call="sem", estimator="ml", fixed_x=False, meanstructure=False, group=options.group,
                   group_equal=kept, group_partial=partial if kept else ())


@dataclass(frozen=True, eq=False)
class Respondents:
    """Who is used in both steps.

    Parameters
    ----------
    frame : DataFrame
        As given, but with nothing answered by those who are not used.
    sample : Sample
        Indicators, then observed variables of equations.
    left_out : int
        Respondents who answered something, but nothing of some construct.
    """

    frame: Any
    sample: Sample
    left_out: int


def respondents(
    parted: Parted, recipe: Recipe, data: Any, *, scored: tuple[MeasurementBlock, ...] | None = None,
    complete: tuple[str, ...] | None = None,
) -> Respondents:
    """Those with all answers, or under full information with scores on every construct and all observed variables.

    Parameters
    ----------
    parted : Parted
    recipe : Recipe
    data : DataFrame or object with ``.frame``
    scored : tuple of MeasurementBlock, optional
        Blocks whose answers must determine scores (default: all); of the others some answer is enough.
    complete : tuple of str, optional
        Observed variables that must be there under full information (default: all in equations).
    """
    options = recipe.options
    scored = parted.blocks if scored is None else scored
    complete = parted.observed if complete is None else complete
    names = tuple(dict.fromkeys((*parted.items, *parted.observed)))
    formed = {composite_column(name): composite for name, composite in recipe.composites.items()}
    columns = tuple(dict.fromkeys(part for name in names
                                  for part in (formed[name].parts if name in formed else (name,))))

    def sampled(frame: Any) -> Sample:
        return make_sample(frame, names, group=options.group, missing=options.missing, design=recipe.design,
                           complete=complete, composites=formed)

    table = getattr(data, "frame", data)
    first = sampled(table)
    known = [_determined(parted.blocks, scored, first.names, group.patterns)[group.pattern] for group in first.groups]
    used = np.concatenate([group.rows[keep] for group, keep in zip(first.groups, known, strict=True)])
    left_out = first.nobs - len(used)
    if len(used) == len(table):
        return Respondents(table, first, 0)
    frame = table.copy()
    empty = np.ones(len(table), dtype=bool)
    empty[used] = False
    for name in columns:
        column = np.asarray(frame[name].to_numpy(dtype=np.float64, na_value=np.nan)).copy()
        column[empty] = np.nan
        frame[name] = column
    last = sampled(frame) if left_out else first
    return Respondents(frame, replace(last, notes=first.notes), left_out)


def _determined(
    blocks: tuple[MeasurementBlock, ...], scored: tuple[MeasurementBlock, ...], names: tuple[str, ...],
    patterns: NDArray[np.bool_],
) -> NDArray[np.bool_]:
    """Whether the answers of each pattern ``(h, p)`` are enough; to be scored: the rank of generic loadings."""
    out = np.ones(len(patterns), dtype=bool)
    numbers = np.random.default_rng(1)  # any numbers do: a generic matrix has the rank its zeros allow
    for block in blocks:
        seen = patterns[:, [names.index(item) for item in block.items]]
        if block not in scored:
            out &= seen.any(axis=1)
            continue
        loads = _generic_loadings(block, numbers)
        out &= np.linalg.matrix_rank(seen[:, :, None] * loads) == len(block.scored)
    return out


def _generic_loadings(block: MeasurementBlock, numbers: np.random.Generator) -> FloatArray:
    """Loadings ``(items, scored)`` of arbitrary size where the model has some, directly or through parts."""
    below = [(t.lhs, t.rhs) for t in block.spec.terms if t.op == "=~"]
    out = np.zeros((len(block.items), len(block.scored)))
    for k, name in enumerate(block.scored):
        reached = {name}
        for _ in below:
            reached |= {rhs for lhs, rhs in below if lhs in reached}
        for j, item in enumerate(block.items):
            out[j, k] = numbers.uniform(0.5, 1.5) if item in reached else 0.0
    return out
