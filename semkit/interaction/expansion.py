"""A model with ``a:b`` becomes a model with product factors, and columns to build."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace

import numpy as np

from semkit.errors import ModelError, Note, NotSupportedError, Problem
from semkit.interaction.constrained import constrain, is_exact
from semkit.interaction.factors import Factor, Pair, choose_pairs, describe_product
from semkit.interaction.option import ProductIndicators
from semkit.interaction.residuals import Draft, add_residuals
from semkit.model import ModelSpec, Modifier, Term
from semkit.sample import Product


@dataclass(frozen=True, slots=True)
class Interaction:
    """One product of the model.

    Parameters
    ----------
    name : str
        As written, ``"a:b"``; the name of the product factor or product column.
    factors : tuple of Factor
        Two or three.
    pairs : tuple of tuples of str
        Columns that are multiplied.
    """

    name: str
    factors: tuple[Factor, ...]
    pairs: tuple[Pair, ...]

    @property
    def one(self) -> Factor:
        return self.factors[0]

    @property
    def two(self) -> Factor:
        return self.factors[1]

    @property
    def latent(self) -> bool:
        """Whether there is a product factor (else the product is one observed column)."""
        return any(factor.latent for factor in self.factors)

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(":".join(pair) for pair in self.pairs) if self.latent else (self.name,)


@dataclass(frozen=True)
class Expansion:
    """See the contract in :mod:`semkit.interaction`."""

    spec: ModelSpec
    products: tuple[Product, ...] = ()
    interactions: tuple[Interaction, ...] = ()
    notes: tuple[Note, ...] = ()


def expand(
    spec: ModelSpec,
    option: ProductIndicators | None = None,
    *,
    n_groups: int = 1,
    std_lv: bool = False,
) -> Expansion:
    """Turn products into product columns, product factors and residual covariances.

    Parameters
    ----------
    spec : ModelSpec
        Composites must have their ``=~`` and residual terms already.
    option : ProductIndicators, optional
    n_groups : int
    std_lv : bool
        As in the fit.  The product factor keeps the metric of the product: its variance stays free.

    Returns
    -------
    Expansion

    Raises
    ------
    ModelError
        ``interaction.product-twice`` (``a:b`` and ``b:a``), ``interaction.unknown-pair``, ``interaction.unknown-rank``.
    NotSupportedError
        ``interaction.three-way``, ``interaction.too-many-factors``, ``interaction.second-order``,
        ``interaction.cross-loading``, ``interaction.column-twice``, ``interaction.groups``,
        ``interaction.shared-single-indicator``, ``interaction.constrained``.

    Notes
    -----
    * The loading of the first product is the product of the loadings of its two columns (1 when both are
      markers), so that the coefficient is that of the product of the two constructs in their own metric.
    * Residuals of product indicators that share an indicator: see :mod:`semkit.interaction.residuals`.
    * The product factor covaries with exogenous constructs by lavaan's default; where regressions on
      observed covariates switch that default off, the covariances are written out.  With an observed
      factor the product is regressed on it (a covariance would make a fixed covariate random).
    """
    option = option or ProductIndicators()
    if not spec.products:
        return Expansion(spec)
    _refuse_twins(spec)
    interactions: list[Interaction] = []
    notes: list[Note] = []
    for name in spec.products:
        if name.count(":") == 1 and _is_product_column(spec, name):
            continue
        factors = describe_product(spec, name, std_lv=std_lv)
        pairs, found = choose_pairs(name, factors, option)
        notes += found
        interactions.append(Interaction(name, factors, _marker_first(factors, pairs)))
    interactions.sort(key=lambda interaction: len(interaction.factors))
    if option.centering == "residual":
        notes += [_slopes_below(i.name) for i in interactions if len(i.factors) > 2]
    products: dict[str, Product] = {}
    for interaction in interactions:
        on = _below(interaction, interactions) if option.centering == "residual" else ()
        for column, pair in zip(interaction.columns, interaction.pairs, strict=True):
            if column in products:
                raise NotSupportedError(Problem(
                    "interaction.column-twice", f'"{interaction.name}"', f"{column} measures another product too",
                    "products of different indicators",
                    "Take interaction='lms', or leave one of the two products out (a second-order construct and its "
                    "own part)."))
            products[column] = Product(column, pair[0], pair[1], option.centering, on, *pair[2:])
    latent = [interaction for interaction in interactions if interaction.latent]
    draft = Draft(spec, single_group=n_groups == 1 and not spec.blocks)
    if option.constrained and latent:
        measurement, rest = constrain(draft, latent, std_lv=std_lv)
        if not all(factor.latent for factor in latent[0].factors):
            rest = [*_covariances(spec, interactions), *rest]
    else:
        measurement = [term for interaction in latent for term in _measurement(draft, interaction, std_lv=std_lv)]
        orthogonal = option.centering == "residual"
        rest = [*_covariances(spec, interactions), *add_residuals(draft, latent, orthogonal=orthogonal)]
    if option.centering == "mean":
        rest += [term for i in latent for term in _means(
            draft, i, option.constrained and not any(is_exact(factor) for factor in i.factors))]
    expanded = _assemble(draft, measurement, rest)
    return Expansion(expanded, tuple(products.values()), tuple(interactions), tuple(notes))


def _is_product_column(spec: ModelSpec, name: str) -> bool:
    """Products of columns that are indicators already (a model that was expanded before)."""
    return any(term.op == "=~" and term.rhs == name for term in spec.terms)


def _refuse_twins(spec: ModelSpec) -> None:
    seen: dict[tuple[str, ...], str] = {}
    for name in (*spec.products, *(latent for latent in spec.latents if ":" in latent)):
        other = seen.setdefault(tuple(sorted(name.split(":"))), name)
        if other != name:
            raise ModelError(
                Problem("interaction.product-twice", "model", f'"{other}" and "{name}" are the same product',
                        "one spelling of a product", f'Write "{other}" everywhere.')
            )


def _slopes_below(name: str) -> Note:
    return Note(
        "interaction.slopes-below", "info", "the slopes of the terms below it are averages over its moderators.", name,
        "Residual centring gives what the product shares with these terms to them; of a product of three that is not "
        "nothing, even for normal variables.", "Use centering='double' for slopes at the moderators' means.")


def _below(interaction: Interaction, others: list[Interaction]) -> tuple[str, ...]:
    """Columns a residual-centred product is regressed on: all indicators, and products of two among the factors."""
    names = {factor.name for factor in interaction.factors}
    out = [column for factor in interaction.factors for column in factor.columns]
    if len(interaction.factors) > 2:
        out += [column for other in others if len(other.factors) == 2
                and {factor.name for factor in other.factors} <= names for column in other.columns]
    return tuple(dict.fromkeys(out))


def _marker_first(factors: tuple[Factor, ...], pairs: tuple[Pair, ...]) -> tuple[Pair, ...]:
    """A pair whose loadings are all known gives the product factor its metric; it goes first."""
    for pair in pairs:
        if all(factor.loading(name) is not None for factor, name in zip(factors, pair, strict=True)):
            return (pair, *(other for other in pairs if other != pair))
    return pairs


def _measurement(draft: Draft, interaction: Interaction, *, std_lv: bool) -> list[Term]:
    """``a:b =~ x1:z1 + ...`` with the first loading the product of those of its columns."""
    both = tuple(zip(interaction.factors, interaction.pairs[0], strict=True))
    known = [factor.loading(column) for factor, column in both]
    terms = [Term(interaction.name, "=~", column) for column in interaction.columns]
    if all(value is not None for value in known):
        first = float(np.prod([value for value in known if value is not None]))
        terms[0] = replace(terms[0], modifiers=(Modifier("fixed", (first,)),))
    else:
        label = draft.new_label("load", interaction.name, interaction.columns[0])
        terms[0] = replace(terms[0], modifiers=(Modifier("fixed", (None,)), Modifier("label", (label,))))
        draft.constrain(label, [draft.loading(factor, column) for factor, column in both])
    if std_lv:
        terms.append(Term(interaction.name, "~~", interaction.name, (Modifier("fixed", (None,)),)))
    return terms


def _means(draft: Draft, interaction: Interaction, constrained: bool) -> list[Term]:
    """A mean of the product factor, through which alone its products have means: the covariance of its factors."""
    modifiers = [Modifier("fixed", (None,))]
    if constrained:
        label = draft.new_label("mean", interaction.name)
        draft.constrain(label, [draft.covariance(interaction.one.name, interaction.two.name, interaction.name)])
        modifiers.append(Modifier("label", (label,)))
    out = [Term(interaction.name, "~1", "", tuple(modifiers))]
    return out + [Term(column, "~1", "", (Modifier("fixed", (0.0,)),)) for column in interaction.columns]


def _covariances(spec: ModelSpec, interactions: list[Interaction]) -> list[Term]:
    """Covariances of product factors with exogenous constructs that lavaan's default does not give.

    Product factors in and below a product of three are regressed on all of its observed terms: moments of odd order
    vanish for normal variables, not for a dummy.
    """
    latent = [interaction for interaction in interactions if interaction.latent]
    products = {interaction.name for interaction in latent}
    constructs = {*spec.latents, *products}
    predictors: dict[str, set[str]] = {}
    for term in spec.terms:
        if term.op == "~":
            predictors.setdefault(term.lhs, set()).add(term.rhs)
    written = {frozenset((t.lhs, t.rhs)) for t in spec.terms if t.op == "~~"}
    out: list[Term] = []
    for interaction in latent:
        for name in _observed_terms(interaction, interactions):
            known = predictors.setdefault(interaction.name, set())
            if name not in known and frozenset((interaction.name, name)) not in written:
                known.add(name)
                out.append(Term(interaction.name, "~", name))
    measured = {term.rhs for term in spec.terms if term.op == "=~"}
    used = {term.rhs for term in spec.terms if term.op == "~"} | {f.name for i in latent for f in i.factors}
    exogenous = [
        name for name in (*spec.latents, *(interaction.name for interaction in latent))
        if not predictors.get(name, set()) & constructs and name not in measured
        and (name in used or not predictors.get(name))
    ]
    for a, b in itertools.combinations(exogenous, 2):
        involved = (a in products or b in products) and (predictors.get(a) or predictors.get(b))
        if involved and frozenset((a, b)) not in written:
            out.append(Term(a, "~~", b))
    return out


def _observed_terms(interaction: Interaction, interactions: list[Interaction]) -> tuple[str, ...]:
    """Observed variables, and products of them, in the product itself or in a product of three that it is below."""
    own = {factor.name for factor in interaction.factors}
    wide = [i for i in interactions if len(i.factors) > 2 and own <= {factor.name for factor in i.factors}]
    out = [factor.name for i in (interaction, *wide) for factor in i.factors if not factor.latent]
    for triple in wide:
        names = {factor.name for factor in triple.factors}
        out += [i.name for i in interactions if not i.latent and {factor.name for factor in i.factors} <= names]
    return tuple(dict.fromkeys(out))


def _assemble(draft: Draft, measurement: list[Term], rest: list[Term]) -> ModelSpec:
    """Product factors after the last ``=~``, the rest at the end; once in every group block."""
    spec = draft.spec
    terms: list[Term] = []
    for block in spec.blocks or ("",):
        own = [term for term in spec.terms if term.block == block]
        last = max((i for i, term in enumerate(own) if term.op == "=~"), default=-1) + 1
        added = [replace(term, block=block) for term in measurement]
        terms += [*own[:last], *added, *own[last:], *(replace(term, block=block) for term in rest)]
    return replace(spec, terms=tuple(terms), formulas=(*spec.formulas, *draft.formulas))
