"""What the factors of a product are, and which of their indicators are multiplied."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

from semkit.errors import ModelError, Note, NotSupportedError, Problem
from semkit.interaction.option import ProductIndicators
from semkit.model import ModelSpec, Term

Pair = tuple[str, str]


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
    """

    name: str
    indicators: tuple[str, ...] = ()
    loadings: tuple[float | None, ...] = ()
    error: bool = False

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
    """Look a factor up in the model."""
    terms: dict[str, list[Term]] = {}
    for term in spec.terms:
        if term.op == "=~" and term.lhs == name:
            terms.setdefault(term.rhs, []).append(term)
    if not terms:
        return Factor(name)
    loadings: list[float | None] = []
    for position, same in enumerate(terms.values()):
        loading: float | None = 1.0 if position == 0 and not std_lv else None
        for term in same:
            modifier = term.modifier("fixed")
            if modifier is not None:
                value = modifier.values[0]
                loading = None if value is None or len(set(modifier.values)) > 1 else float(value)
        loadings.append(loading)
    indicators = tuple(terms)
    return Factor(name, indicators, tuple(loadings), len(indicators) == 1 and has_error(spec, indicators[0]))


def has_error(spec: ModelSpec, column: str) -> bool:
    """Whether the one indicator of a construct has a residual variance: only if the model says so."""
    for term in spec.terms:
        if term.op == "~~" and term.lhs == term.rhs == column:
            modifier = term.modifier("fixed")
            if modifier is None or any(value is None or value != 0.0 for value in modifier.values):
                return True
    return False


def describe_product(spec: ModelSpec, product: str, *, std_lv: bool) -> tuple[Factor, Factor]:
    """The two factors of ``a:b``.

    Raises
    ------
    NotSupportedError
        ``interaction.three-way``, ``interaction.second-order``, ``interaction.cross-loading``.
    """
    names = product.split(":")
    if len(names) > 2:
        raise NotSupportedError(
            Problem("interaction.three-way", f'"{product}"', "products of three factors are not estimated",
                    "products of two, a:b",
                    "Compare the two-way interaction between groups (group=), or use moderated_regression on means; "
                    "double mean centring has no error rule for triple products.")
        )
    one, two = (describe(spec, name, std_lv=std_lv) for name in names)
    latents = set(spec.latents)
    for factor in (one, two):
        if any(name in latents for name in factor.indicators):
            raise NotSupportedError(
                Problem("interaction.second-order", f'"{product}"', f'"{factor.name}" is measured by other constructs',
                        "constructs measured by observed indicators",
                        f'Measure "{factor.name}" by parcels: one mean score for each of its dimensions.')
            )
    if one.latent or two.latent:
        _refuse_cross_loadings(spec, product, (one, two))
    return one, two


def _refuse_cross_loadings(spec: ModelSpec, product: str, factors: tuple[Factor, Factor]) -> None:
    for factor in factors:
        others = sorted(
            {t.rhs for t in spec.terms if t.op == "=~" and t.rhs in factor.indicators and t.lhs != factor.name}
        )
        if others:
            raise NotSupportedError(
                Problem("interaction.cross-loading", f'"{product}"',
                        f"{', '.join(others)} measure(s) another construct besides {factor.name}",
                        "indicators of one construct each", "Remove the cross-loading or the product.")
            )


def choose_pairs(
    product: str, one: Factor, two: Factor, option: ProductIndicators
) -> tuple[tuple[Pair, ...], tuple[Note, ...]]:
    """Which columns are multiplied.

    Raises
    ------
    ModelError
        ``interaction.unknown-pair``, ``interaction.unknown-rank``.
    """
    if not one.latent or not two.latent or one.single or two.single:
        return tuple(itertools.product(one.columns, two.columns)), ()
    if option.match == "pairs":
        return _given_pairs(product, one, two, option), ()
    left, right = _ranked(one, option), _ranked(two, option)
    if option.match == "all":
        if one.name == two.name:
            return tuple(itertools.combinations_with_replacement(left, 2)), ()
        return tuple(itertools.product(left, right)), ()
    count = min(len(left), len(right))
    unused = [*left[count:], *right[count:]]
    notes: tuple[Note, ...] = ()
    if unused:
        notes = (
            Note("interaction.unmatched-indicators", "warning",
                 f"{count} matched pairs; without a partner: {', '.join(unused)}.", product,
                 f"{one.name} has {len(left)} indicators, {two.name} has {len(right)}.",
                 "Parcel the longer construct to as many indicators, or use ProductIndicators(match='all')."),
        )  # fmt: skip
    return tuple(zip(left[:count], right[:count], strict=True)), notes


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


def _given_pairs(product: str, one: Factor, two: Factor, option: ProductIndicators) -> tuple[Pair, ...]:
    pairs = option.pairs.get(product, ())
    wrong = [f"{a}:{b}" for a, b in pairs if a not in one.columns or b not in two.columns]
    if len(pairs) < 2 or wrong or len(set(pairs)) != len(pairs):
        raise ModelError(
            Problem("interaction.unknown-pair", f'pairs["{product}"]',
                    ", ".join(wrong) or ("a pair twice" if len(pairs) > 1 else f"{len(pairs)} pairs for this product"),
                    f"two or more pairs of one of ({', '.join(one.columns)}) with one of ({', '.join(two.columns)})",
                    "Correct the pairs.")
        )
    return pairs
