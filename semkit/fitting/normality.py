"""Whether the latent variables of products look normal, which their likelihood takes for granted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from semkit.errors import Note
from semkit.interaction.conditioning import condition
from semkit.interaction.crossing import Roles, error_free, find_crossings
from semkit.interaction.mixture import make_respondents
from semkit.interaction.placing import linear_posterior

if TYPE_CHECKING:
    from semkit.fitting.moderated import ModeratedSolution

_SKEW, _KURTOSIS = 0.5, 1.0


def normality_notes(solution: ModeratedSolution) -> tuple[Note, ...]:
    """A warning for every latent factor of a product whose indicators together are skewed or heavy-tailed.

    Looked at are the (weighted) factor scores of the linear model, as normal as the factors or more so: skewness
    beyond 0.5 or excess kurtosis beyond 1, more than three standard errors (``sqrt(6/n)``, ``sqrt(24/n)``) from 0.
    """
    notes = []
    crossings = find_crossings(solution.table, solution.layout)
    assert solution.sample is not None
    everyone = zip(solution.layout.blocks, crossings, solution.sample.groups, strict=True)
    for g, (block, own, group) in enumerate(everyone):
        factors = sorted({f for c in own for f in c.factors} - set(error_free(block)) - {c.outcome for c in own})
        if not factors:
            continue
        model = condition(block, (), Roles(tuple(factors), ()), solution.layout.n_parameters)
        who = make_respondents(group.data, np.zeros((group.nobs, 0)))
        scores, _ = linear_posterior(model, solution.theta, solution.given[0], who)
        share = group.weights / group.weights.sum()
        z = scores - share @ scores
        n, variance = len(z), np.maximum(share @ z**2, 1e-300)
        skew, kurtosis = share @ z**3 / variance**1.5, share @ z**4 / variance**2 - 3.0
        suffix = f" (group {solution.table.groups[g]})" if solution.table.n_groups > 1 else ""
        for k, j in enumerate(factors):
            far = abs(skew[k]) > max(_SKEW, 3.0 * np.sqrt(6.0 / n))
            if far or abs(kurtosis[k]) > max(_KURTOSIS, 3.0 * np.sqrt(24.0 / n)):
                notes.append(Note(
                    "fitting.latent-not-normal", "warning",
                    f"its scores have skewness {skew[k]:.2f} and excess kurtosis {kurtosis[k]:.2f}.",
                    block.eta[j] + suffix,
                    "The method assumes normal latent variables; skewed ones can pass for an interaction or hide one.",
                    "Compare with interaction='product' and estimator='mlr', and add quadratic terms.",
                ))
    return tuple(notes)
