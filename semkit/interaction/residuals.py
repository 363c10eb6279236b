r"""Residual covariances and variances of product indicators.

With :math:`x_i = \lambda_i \xi + e_i` and :math:`w = \lambda_w \omega + e_w` (all centred), the residual of
:math:`x_i w` is :math:`\lambda_i \xi e_w + \lambda_w \omega e_i + e_i e_w`.  Hence

* two products of the indicators of one construct with the **one indicator** w of another covary by
  :math:`\theta_w (\lambda_i \lambda_j \varphi_\xi + \theta_{ij}) + \lambda_w^2 \varphi_\omega \theta_{ij}`, with
  :math:`\varphi` total (model-implied) variances, :math:`\theta_{ij}` a residual covariance that the model has
  between :math:`x_i` and :math:`x_j` (else 0).  Left out, the interaction is attenuated;
* the product of two single indicators has the error variance
  :math:`\lambda_x^2 \varphi_\xi \theta_w + \lambda_w^2 \varphi_\omega \theta_x + \theta_x \theta_w`, and the square
  of one :math:`4 \lambda^2 \varphi \theta + 2 \theta^2` (normal errors);
* products of two interactions that share the single indicator w covary by
  :math:`\theta_w \lambda_i \lambda_j \operatorname{Cov}(\xi, \tau)` (twice that for each square of w);
* products that share an indicator of a construct with several indicators have free covariances.

The first three follow from the moments of products of independent centred variables (Kenny & Judd 1984,
Psychological Bulletin 96, 201-210; Jöreskog & Yang 1996), the last is the unconstrained approach of
Marsh, Wen & Hau (2004), Psychological Methods 9, 275-300.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from semkit.errors import NotSupportedError, Problem
from semkit.interaction.factors import Factor, Pair
from semkit.model import Atom, Expression, Formula, ModelSpec, Modifier, Term, parse_expression
from semkit.model.nodes import Node


class Multiplied(Protocol):
    """What is needed of an interaction here."""

    @property
    def name(self) -> str: ...
    @property
    def factors(self) -> tuple[Factor, ...]: ...
    @property
    def one(self) -> Factor: ...
    @property
    def two(self) -> Factor: ...
    @property
    def pairs(self) -> tuple[Pair, ...]: ...
    @property
    def columns(self) -> tuple[str, ...]: ...


@dataclass
class Draft:
    """A model while labels and constraints are added to it."""

    spec: ModelSpec
    single_group: bool
    formulas: list[Formula] = field(default_factory=list)

    def new_label(self, *parts: str) -> str:
        """An internal label; internal labels begin with a dot."""
        label = "." + ".".join(part.replace(":", ".") for part in parts)
        taken = {*self.spec.labels, *(str(formula.lhs) for formula in self.formulas)}
        while label in taken:
            label += "_"
        return label

    def constrain(self, label: str, factors: list[str]) -> None:
        """``label == product of factors``."""
        self.constrain_to(label, "*".join(factors))

    def constrain_to(self, label: str, text: str) -> None:
        self._require_one_group()
        left = Expression(Node("atom", atom=Atom("label", label)))
        self.formulas.append(Formula(left, "==", parse_expression(text)))

    def _require_one_group(self) -> None:
        if not self.single_group:
            raise NotSupportedError(
                Problem("interaction.groups", "model",
                        "this interaction needs constraints inside one group, and there are several groups",
                        "in groups: constructs of several indicators with first loadings 1, or observed moderators",
                        "Fit the groups one by one, or measure the moderator by several indicators.")
            )

    def label(self, lhs: str, op: str, rhs: str, kind: str) -> str | None:
        """Label of a parameter the model writes out, given if it has none; None if it is not written."""
        self._require_one_group()
        found: str | None = None
        terms = list(self.spec.terms)
        for i, term in enumerate(terms):
            same = (term.lhs, term.rhs) == (lhs, rhs) or (op == "~~" and (term.rhs, term.lhs) == (lhs, rhs))
            if term.op != op or not same:
                continue
            modifier = term.modifier("label")
            if modifier is not None:
                return str(modifier.values[0])
            if found is None:
                found = self.new_label(kind, *dict.fromkeys((lhs, rhs)))
                terms[i] = replace(term, modifiers=(*term.modifiers, Modifier("label", (found,))))
        if found is not None:
            self.spec = replace(self.spec, terms=tuple(terms))
        return found

    def loading(self, factor: Factor, column: str) -> str:
        """A factor's loading in an expression: its label, or 1 for an observed factor."""
        if not factor.latent:
            return "1"
        if factor.via:
            part = factor.via[factor.indicators.index(column)]
            pair = self.label(factor.name, "=~", part, "load"), self.label(part, "=~", column, "load")
            return "*".join(label for label in pair if label) or "1"
        return self.label(factor.name, "=~", column, "load") or "1"

    def error(self, factor: Factor) -> str:
        """Error variance of a single indicator: its label, or 0."""
        if not factor.error:
            return "0"
        column = factor.indicators[0]
        return self.label(column, "~~", column, "error") or "0"

    def covariance(self, a: str, b: str, product: str) -> str:
        """Covariance of two constructs as a label; both must be exogenous."""
        outcomes = {term.lhs for term in self.spec.terms if term.op == "~"}
        if a in outcomes or b in outcomes or not {a, b} <= set(self.spec.latents):
            raise NotSupportedError(
                Problem("interaction.shared-single-indicator", f'"{product}"',
                        f'two interactions share a single indicator with error, and the covariance of "{a}" and "{b}" '
                        "is not a parameter of the model",
                        "interactions that share constructs with several indicators, or exogenous constructs",
                        "Test the interactions in two models, or measure the shared construct by several indicators.")
            )
        written = self.label(a, "~~", b, "cov")
        if written is None:
            written = self.new_label("cov", a, b)
            self.spec = self.spec.extend([Term(a, "~~", b, (Modifier("label", (written,)),))])
        return written


def add_residuals(draft: Draft, interactions: Sequence[Multiplied], *, orthogonal: bool = False) -> list[Term]:
    """Terms for the residuals of all product indicators; constraints go to the draft.

    Parameters
    ----------
    orthogonal : bool
        Products are residual centred: those of three covary with nothing below them.
    """
    out: list[Term] = []
    for interaction in interactions:
        out += _within(draft, interaction)
        if len(interaction.factors) > 2 and not orthogonal:
            several = _several(interaction)
            out += [Term(name, "~~", column) for column, parts in zip(
                interaction.columns, interaction.pairs, strict=True) for name in parts if name in several]
    for p, q in itertools.combinations(interactions, 2):
        if not orthogonal or len(p.factors) == len(q.factors):
            out += _between(draft, p, q)
    return out


def _within(draft: Draft, p: Multiplied) -> list[Term]:
    if len(p.pairs) == 1:
        return _single_product(draft, p)
    out: list[Term] = []
    for (a, left), (b, right) in itertools.combinations(zip(p.columns, p.pairs, strict=True), 2):
        several = set(left) & set(right) & _several(p)
        if several:
            out.append(Term(a, "~~", b))
            continue
        shared = next((f for f in p.factors if f.single and f.error), None)
        if shared is None:
            continue
        one, two = p.one, p.two
        other = two if shared is one else one
        at = 1 if shared is one else 0
        out.append(_constrained_pair(draft, (a, b), (left[at], right[at]), other, shared))
    return out


def _several(p: Multiplied) -> set[str]:
    """Indicators of the constructs with several indicators."""
    return {column for factor in p.factors if len(factor.indicators) > 1 for column in factor.indicators}


def _constrained_pair(
    draft: Draft, products: tuple[str, str], items: tuple[str, str], other: Factor, shared: Factor
) -> Term:
    theta = draft.error(shared)
    text = f"{draft.loading(other, items[0])}*{draft.loading(other, items[1])}*sd({other.name})^2*{theta}"
    both = draft.label(items[0], "~~", items[1], "rescov")
    if both is not None:
        w = draft.loading(shared, shared.indicators[0])
        text += f" + {theta}*{both} + {w}^2*sd({shared.name})^2*{both}"
    label = draft.new_label("rescov", *products)
    draft.constrain_to(label, text)
    return Term(products[0], "~~", products[1], (Modifier("label", (label,)),))


def _single_product(draft: Draft, p: Multiplied) -> list[Term]:
    """Error variance of the one product of a product factor."""
    column = p.columns[0]
    if not any(factor.error for factor in p.factors):
        return [Term(column, "~~", column, (Modifier("fixed", (0.0,)),))]
    one, two = p.one, p.two
    (x, z), theta_x, theta_z = p.pairs[0], draft.error(one), draft.error(two)
    if one.name == two.name:
        lam = draft.loading(one, x)
        text = f"4*{lam}^2*sd({one.name})^2*{theta_x} + 2*{theta_x}^2"
    else:
        parts = []
        if two.error:
            parts.append(f"{draft.loading(one, x)}^2*sd({one.name})^2*{theta_z}")
        if one.error:
            parts.append(f"{draft.loading(two, z)}^2*sd({two.name})^2*{theta_x}")
        if one.error and two.error:
            parts.append(f"{theta_x}*{theta_z}")
        text = " + ".join(parts)
    label = draft.new_label("error", column)
    draft.constrain_to(label, text)
    return [Term(column, "~~", column, (Modifier("fixed", (None,)), Modifier("label", (label,))))]


def _between(draft: Draft, p: Multiplied, q: Multiplied) -> list[Term]:
    """Products of two interactions that share an indicator."""
    out: list[Term] = []
    several = _several(p) & _several(q)
    singles = {f.indicators[0]: f for f in p.factors if f.single and f.error}
    for (a, left), (b, right) in itertools.product(
        zip(p.columns, p.pairs, strict=True), zip(q.columns, q.pairs, strict=True)
    ):
        if a == b:
            continue
        common = set(left) & set(right)
        if common & several:
            out.append(Term(a, "~~", b))
            continue
        for column in sorted(common & set(singles)):
            text = _shared_single(draft, singles[column], (p, left), (q, right))
            label = draft.new_label("rescov", a, b)
            draft.constrain_to(label, text)
            out.append(Term(a, "~~", b, (Modifier("label", (label,)),)))
    return out


def _shared_single(
    draft: Draft, shared: Factor, first: tuple[Multiplied, Pair], second: tuple[Multiplied, Pair]
) -> str:
    column = shared.indicators[0]
    times = 1
    others: list[tuple[Factor, str]] = []
    for p, pair in (first, second):
        times *= pair.count(column)
        at = 1 if pair[0] == column else 0
        others.append(((p.one, p.two)[at], pair[at]))
    (xi, x), (tau, t) = others
    cov = draft.covariance(xi.name, tau.name, first[0].name)
    return f"{times}*{draft.error(shared)}*{draft.loading(xi, x)}*{draft.loading(tau, t)}*{cov}"
