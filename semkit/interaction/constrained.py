r"""Product indicators whose parameters all follow from those of their components.

With :math:`x_i = \lambda_i \xi + e_i`, :math:`z_j = \lambda_j \zeta + e_j`, all normal, centred and the errors
independent, the product factor :math:`\xi\zeta` and the products :math:`x_i z_j` have

- loadings :math:`\lambda_i \lambda_j`, factor variance :math:`\varphi_\xi \varphi_\zeta + \varphi_{\xi\zeta}^2`, no
  covariance with :math:`\xi` and :math:`\zeta`;
- error variances :math:`\lambda_i^2 \varphi_\xi \theta_j + \lambda_j^2 \varphi_\zeta \theta_i + \theta_i \theta_j`;
- error covariances :math:`\lambda_j \lambda_k \varphi_\zeta \theta_i` of :math:`x_i z_j` with :math:`x_i z_k`.

With a moderator :math:`w` without error (an observed column, a dummy too) the error of :math:`x_i w` is
:math:`\varepsilon_i w`: its variance is :math:`\theta_i \operatorname{Var}(w)` whatever the distributions, the loading
:math:`\lambda_i`, and :math:`x_i w` and :math:`x_j w` share no error.  Variance and covariances of the product factor
stay free: they follow from those of its factors for normal ones only, and a dummy is not.

References
----------
Kenny & Judd (1984), Psychological Bulletin 96, 201-210; Algina & Moulder (2001), Structural Equation Modeling 8, 40-52.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from semkit.errors import NotSupportedError, Problem
from semkit.interaction.factors import Factor
from semkit.interaction.residuals import Draft, Multiplied
from semkit.model import Modifier, Term


def constrain(draft: Draft, interactions: Sequence[Multiplied], *, std_lv: bool) -> tuple[list[Term], list[Term]]:
    """Measurement terms, then variances and covariances, of a model's one constrained interaction.

    Raises
    ------
    NotSupportedError
        ``interaction.constrained``: several interactions, a square, two observed factors, an outcome (unless the other
        factor has no error).
    """
    p = interactions[0]
    outcomes = {term.lhs for term in draft.spec.terms if term.op == "~"}
    exact = any(is_exact(factor) for factor in (p.one, p.two))
    wrong = [
        (len(interactions) > 1, "several interactions"), (len(p.factors) > 2, "a product of three"),
        (any(factor.via for factor in p.factors), "a second-order factor"),
        (p.one.name == p.two.name, "a square"),
        (not (p.one.latent or p.two.latent), "two observed factors"),
        (not exact and (p.one.name in outcomes or p.two.name in outcomes), "a factor that is an outcome"),
    ]
    found = [what for bad, what in wrong if bad]
    if found:
        raise NotSupportedError(Problem(
            "interaction.constrained", f'"{p.name}"', f"constraints are not written for {' and '.join(found)}",
            "one product of two exogenous constructs", "Use constrained=False, or interaction='lms'."))
    if exact:
        return _by_exact(draft, p)
    fixed = Modifier("fixed", (None,))
    measurement, rest = [], []
    pairs = [(pair[0], pair[1]) for pair in p.pairs]
    for column, (a, b) in zip(p.columns, pairs, strict=True):
        label = draft.new_label("load", p.name, column)
        draft.constrain(label, [draft.loading(p.one, a), draft.loading(p.two, b)])
        measurement.append(Term(p.name, "=~", column, (fixed, Modifier("label", (label,)))))
    both = draft.covariance(p.one.name, p.two.name, p.name)
    variance = draft.new_label("var", p.name)
    draft.constrain_to(variance, f"sd({p.one.name})^2*sd({p.two.name})^2 + {both}^2")
    rest.append(Term(p.name, "~~", p.name, (fixed, Modifier("label", (variance,)))))
    rest += [Term(p.name, "~~", f.name, (Modifier("fixed", (0.0,)),)) for f in (p.one, p.two)]
    error = {column: _error(draft, column) for pair in p.pairs for column in pair}
    for column, (a, b) in zip(p.columns, pairs, strict=True):
        la, lb = draft.loading(p.one, a), draft.loading(p.two, b)
        label = draft.new_label("error", column)
        draft.constrain_to(label, f"{la}^2*sd({p.one.name})^2*{error[b]} + {lb}^2*sd({p.two.name})^2*{error[a]} + "
                                  f"{error[a]}*{error[b]}")
        rest.append(Term(column, "~~", column, (fixed, Modifier("label", (label,)))))
    rest += _shared(draft, p, error)
    return measurement, rest


def is_exact(factor: Factor) -> bool:
    """Whether the factor has no error of measurement."""
    return not factor.latent or (factor.single and not factor.error)


def _by_exact(draft: Draft, p: Multiplied) -> tuple[list[Term], list[Term]]:
    """Terms where one factor has no error: loadings, error variances, and covariances of errors that covary."""
    fixed = Modifier("fixed", (None,))
    at = 0 if is_exact(p.one) else 1
    known, other = (p.one, p.two)[at], (p.one, p.two)[1 - at]
    scale = f"{draft.loading(known, known.columns[0])}^2*sd({known.name})^2"
    measurement, rest = [], []
    both = [(column, pair[at], pair[1 - at]) for column, pair in zip(p.columns, p.pairs, strict=True)]
    for column, w, x in both:
        label = draft.new_label("load", p.name, column)
        draft.constrain(label, [draft.loading(other, x), draft.loading(known, w)])
        measurement.append(Term(p.name, "=~", column, (fixed, Modifier("label", (label,)))))
        if other.single and not other.error:
            rest.append(Term(column, "~~", column, (Modifier("fixed", (0.0,)),)))
            continue
        error = draft.new_label("error", column)
        draft.constrain_to(error, f"{_error(draft, x)}*{scale}")
        rest.append(Term(column, "~~", column, (fixed, Modifier("label", (error,)))))
    rest.append(Term(p.name, "~~", p.name, (fixed,)))
    for (one, _, x), (two, _, z) in itertools.combinations(both, 2):
        covary = draft.label(x, "~~", z, "rescov")
        if covary is not None:
            label = draft.new_label("rescov", one, two)
            draft.constrain_to(label, f"{covary}*{scale}")
            rest.append(Term(one, "~~", two, (Modifier("label", (label,)),)))
    return measurement, rest


def _shared(draft: Draft, p: Multiplied, error: dict[str, str]) -> list[Term]:
    """Error covariances of products that share an indicator."""
    out = []
    for (one, left), (two, right) in itertools.combinations(zip(p.columns, p.pairs, strict=True), 2):
        for at, other in ((0, p.two), (1, p.one)):
            if left[at] == right[at]:
                loads = (draft.loading(other, pair[1 - at]) for pair in (left, right))
                label = draft.new_label("rescov", one, two)
                draft.constrain_to(label, f"{'*'.join(loads)}*sd({other.name})^2*{error[left[at]]}")
                out.append(Term(one, "~~", two, (Modifier("label", (label,)),)))
    return out


def _error(draft: Draft, column: str) -> str:
    """Label of an indicator's error variance, written out if it was a default."""
    written = draft.label(column, "~~", column, "error")
    if written is None:
        written = draft.new_label("error", column)
        draft.spec = draft.spec.extend([Term(column, "~~", column, (Modifier("label", (written,)),))])
    return written
