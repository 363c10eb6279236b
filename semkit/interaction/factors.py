"""What the factors of a product are, and which of their indicators are multiplied."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

from semkit.errors import ModelError, Note, NotSupportedError, Problem
from semkit.interaction.option import ProductIndicators
from semkit.model import ModelSpec, Term

Pair = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Factor:
    """One factor of a product.

    Parameters
    ----------
    name : str
    indicators : tuple of str
        Empty for an observed column, which stands for itself.
    loadings : tuple of float or None
        Fixed loading of each indicator, None where it is free.
    error : bool
        Has one indicator whose residual variance is not fixed at zero.
    via : tuple of str
        For a second-order construct: the construct that each indicator measures directly.
    """

    name: str
    indicators: tuple[str, ...] = ()
    loadings: tuple[float | None, ...] = ()
    error: bool = False
    via: tuple[str, ...] = ()

    @property
    def latent(self) -> bool:
        return bool(self.indicators)

    @property
    def single(self) -> bool:
        return len(self.indicators) == 1

    @property
    def columns(self) -> tuple[str, ...]:
        return self.indicators or (self.name,)

    def loading(self, column: str) -> float | None:
        """Fixed loading of a column; an observed factor measures itself with loading 1."""
        return self.loadings[self.indicators.index(column)] if self.latent else 1.0


def describe(spec: ModelSpec, name: str, *, std_lv: bool) -> Factor:
    """Look a factor up in the model.

    A second-order construct is measured by the first indicator of each of its parts: ``a1`` is ``lambda gamma F`` and a
    uniqueness (disturbance of its part and error) that it shares with no other of these.
    """
    indicators, loadings = _measures(spec, name, std_lv=std_lv)
    latents = set(spec.latents)
    if indicators and all(part in latents for part in indicators):
        below = [_measures(spec, part, std_lv=std_lv) for part in indicators]
        both = [None if above is None or own[0] is None else above * own[0]
                for above, (_, own) in zip(loadings, below, strict=True)]
        return Factor(name, tuple(columns[0] for columns, _ in below), tuple(both), False, indicators)
    error = len(indicators) == 1 and has_error(spec, indicators[0])
    return Factor(name, indicators, tuple(loadings), error)


def _measures(spec: ModelSpec, name: str, *, std_lv: bool) -> tuple[tuple[str, ...], list[float | None]]:
    """What a construct is measured by, and the fixed loadings."""
    terms: dict[str, list[Term]] = {}
    for term in spec.terms:
        if term.op == "=~" and term.lhs == name:
            terms.setdefault(term.rhs, []).append(term)
    loadings: list[float | None] = []
    for position, same in enumerate(terms.values()):
        loading: float | None = 1.0 if position == 0 and not std_lv else None
        for term in same:
            modifier = term.modifier("fixed")
            if modifier is not None:
                value = modifier.values[0]
                loading = None if value is None or len(set(modifier.values)) > 1 else float(value)
        loadings.append(loading)
    return tuple(terms), loadings


def has_error(spec: ModelSpec, column: str) -> bool:
    """Whether the one indicator of a construct has a residual variance: only if the model says so."""
    for term in spec.terms:
        if term.op == "~~" and term.lhs == term.rhs == column:
            modifier = term.modifier("fixed")
            if modifier is None or any(value is None or value != 0.0 for value in modifier.values):
                return True
    return False


def describe_product(spec: ModelSpec, product: str, *, std_lv: bool) -> tuple[Factor, ...]:
    """The factors of ``a:b`` or ``a:b:c``.

    Raises
    ------
    NotSupportedError
        ``interaction.too-many-factors``, ``interaction.three-way``, ``interaction.second-order``,
        ``interaction.cross-loading``.
    """
    names = product.split(":")
    factors = tuple(describe(spec, name, std_lv=std_lv) for name in names)
    if len(names) > 3:
        raise NotSupportedError(
            Problem("interaction.too-many-factors", f'"{product}"', f"is a product of {len(names)} factors",
                    "products of two or three", "Use interaction='lms'.")
        )
    if len(names) == 3:
        _refuse_triple(product, factors)
    latents = set(spec.latents)
    for factor in factors:
        if any(name in latents for name in factor.indicators):
            raise NotSupportedError(
                Problem("interaction.second-order", f'"{product}"',
                        f'"{factor.name}" is measured by constructs and indicators together, or over three levels',
                        "constructs measured by observed indicators, or by constructs that are",
                        f'Use interaction=\'lms\', or measure "{factor.name}" by parcels: one mean score for each of '
                        "its dimensions.")
            )
        inside = sorted({other.name for other in factors} & set(factor.via))
        if inside:
            raise NotSupportedError(
                Problem("interaction.second-order", f'"{product}"', f'"{inside[0]}" is a part of "{factor.name}"',
                        "a second-order construct and a construct outside it",
                        "Use interaction='lms', or the parts themselves.")
            )
    if any(factor.latent for factor in factors):
        _refuse_cross_loadings(spec, product, factors)
    return factors


def _refuse_triple(product: str, factors: tuple[Factor, ...]) -> None:
    """Products of three whose residuals depend on the latent variables' distribution."""
    noisy = [factor.name for factor in factors if factor.single and factor.error]
    latent = [factor.name for factor in factors if len(factor.indicators) > 1 or factor.error]
    twice = sorted({name for name in latent if latent.count(name) > 1})
    found = []
    wide = sorted({factor.name for factor in factors if factor.via})
    if wide:
        found.append((f"{', '.join(wide)} is of second order: the products share disturbances of its parts",
                      "first-order constructs"))
    if noisy:
        found.append((f"{', '.join(dict.fromkeys(noisy))} has one indicator with error: the residuals of the products "
                      "depend on fourth moments of the other factors", "several indicators, or one without error"))
    if twice:
        found.append((f"{', '.join(twice)} is multiplied with itself: the squared error of an indicator does not "
                      "average out of a product of three", "three different factors"))
    if found:
        raise NotSupportedError(*(
            Problem("interaction.three-way", f'"{product}"', what, allowed, "Use interaction='lms'.")
            for what, allowed in found))


def _refuse_cross_loadings(spec: ModelSpec, product: str, factors: tuple[Factor, ...]) -> None:
    for factor in factors:
        owner = dict(zip(factor.indicators, factor.via or (factor.name,) * len(factor.indicators), strict=True))
        others = sorted({t.rhs for t in spec.terms if t.op == "=~" and t.rhs in owner and t.lhs != owner[t.rhs]}
                        | {t.rhs for t in spec.terms if t.op == "=~" and t.rhs in factor.via and t.lhs != factor.name})
        if others:
            raise NotSupportedError(
                Problem("interaction.cross-loading", f'"{product}"',
                        f"{', '.join(others)} measure(s) another construct besides {factor.name}",
                        "indicators of one construct each", "Remove the cross-loading or the product.")
            )


def choose_pairs(
    product: str, factors: tuple[Factor, ...], option: ProductIndicators
) -> tuple[tuple[Pair, ...], tuple[Note, ...]]:
    """Which columns are multiplied; a factor with one column is multiplied with all the others.

    Raises
    ------
    ModelError
        ``interaction.unknown-pair``, ``interaction.unknown-rank``.
    """
    several = [factor for factor in factors if len(factor.columns) > 1]
    if len(several) < 2:
        return tuple(itertools.product(*(factor.columns for factor in factors))), ()
    if option.match == "pairs":
        return _given_pairs(product, factors, option), ()
    ranked = [_ranked(factor, option) if factor.latent else factor.columns for factor in factors]
    if option.match == "all":
        if len(factors) == 2 and factors[0].name == factors[1].name:
            return tuple(itertools.combinations_with_replacement(ranked[0], 2)), ()
        return tuple(itertools.product(*ranked)), ()
    count = min(len(factor.columns) for factor in several)
    unused = [name for columns in dict.fromkeys(ranked) if len(columns) > 1 for name in columns[count:]]
    notes: tuple[Note, ...] = ()
    if unused:
        sizes = " and ".join(f"{factor.name} has {len(factor.columns)}" for factor in several)
        notes = (
            Note("interaction.unmatched-indicators", "warning",
                 f"{count} matched pairs; without a partner: {', '.join(unused)}.", product,
                 f"{sizes} indicators.",
                 "Parcel the longer construct to as many indicators, or use ProductIndicators(match='all')."),
        )  # fmt: skip
    matched = [columns[:count] if len(columns) > 1 else columns * count for columns in ranked]
    return tuple(zip(*matched, strict=True)), notes


def _ranked(factor: Factor, option: ProductIndicators) -> tuple[str, ...]:
    if option.match != "loading":
        return factor.indicators
    order = option.ranks.get(factor.name, factor.indicators)
    if set(order) != set(factor.indicators) or len(order) != len(factor.indicators):
        raise ModelError(
            Problem("interaction.unknown-rank", f'ranks["{factor.name}"]', ", ".join(order) or "nothing",
                    "each of " + ", ".join(factor.indicators) + " once", "Correct the order.")
        )
    return tuple(order)


def _given_pairs(product: str, factors: tuple[Factor, ...], option: ProductIndicators) -> tuple[Pair, ...]:
    pairs = option.pairs.get(product, ())
    wrong = [":".join(pair) for pair in pairs if len(pair) != len(factors)
             or any(name not in factor.columns for name, factor in zip(pair, factors, strict=True))]
    if len(pairs) < 2 or wrong or len(set(pairs)) != len(pairs):
        kind = "pairs" if len(factors) == 2 else "triples"
        places = " with one of ".join(f"({', '.join(factor.columns)})" for factor in factors)
        raise ModelError(
            Problem("interaction.unknown-pair", f'pairs["{product}"]',
                    ", ".join(wrong) or ("a pair twice" if len(pairs) > 1 else f"{len(pairs)} {kind} for this product"),
                    f"two or more {kind} of one of {places}", f"Correct the {kind}.")
        )
    return pairs
