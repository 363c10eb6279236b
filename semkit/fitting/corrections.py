"""Further tests of a model: small-sample corrections and the bootstrap test of Bollen and Stine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from semkit.errors import NotSupportedError, Problem
from semkit.estimate.smallsample import bartlett, swain, yuan, yuan_tian_yanagihara
from semkit.estimate.tests import Test, chi_square_p
from semkit.fitting.solution import Solution

if TYPE_CHECKING:
    from semkit.fitting.draws import Draws
    from semkit.fitting.fit import Fit

# Corrections are shown unasked below this number of respondents.
SMALL = 200
# Draws of the Bollen-Stine test.
TEST_DRAWS = 1000
CORRECTIONS = {"bartlett": "Bartlett correction", "swain": "Swain correction", "yuan": "Yuan (2005) correction",
               "yuan.tian.yanagihara": "Yuan, Tian & Yanagihara (2015) correction"}
_SCALED = ("yuan.bentler.mplus", "satorra.bentler")


def further_tests(fit: Fit, found: Mapping[str, Test]) -> dict[str, Test]:
    """Corrected tests (asked for, or with fewer than 200 respondents) and the Bollen-Stine test.

    A correction multiplies the scaled statistic where there is one, else the plain one.
    """
    solution = fit.solution
    asked = [name for name in CORRECTIONS if name in solution.options.test]
    out = dict(found)
    if not _why_not(solution) and (asked or fit.nobs < SMALL):
        names = tuple(CORRECTIONS) if fit.nobs < SMALL else tuple(asked)
        main = next((found[name] for name in _SCALED if name in found), found["standard"])
        out |= {test.test: test for test in corrected_tests(solution, main, names)}
    for draws in (fit.test_draws, fit.bootstrap_draws):
        if draws is not None and draws.kind == "bollen.stine" and "chisq" in draws.statistics:
            out["bollen.stine"] = bollen_stine(solution, draws)
    return out


def require_corrections(solution: Solution) -> None:
    """Refuse corrections that were asked for where none is derived.

    Raises
    ------
    NotSupportedError
        ``fitting.no-small-sample-correction``.
    """
    asked = [name for name in CORRECTIONS if name in solution.options.test]
    reason = _why_not(solution)
    if asked and reason:
        raise NotSupportedError(Problem("fitting.no-small-sample-correction", f"test={asked[0]!r}", reason,
                                        "test='standard' or 'bollen.stine'", "Leave the correction out."))


def _why_not(solution: Solution) -> str:
    """Why no correction is defined for a model; empty when they are."""
    if solution.table.n_groups > 1:
        return "is derived for one group"
    if solution.patterns is not None:
        return "is derived for complete data"
    if solution.sample is not None and solution.sample.sampling is not None:
        return "is derived for simple random samples"
    if solution.options.estimator not in ("ml", "mlr", "mlm"):
        return "is derived for maximum likelihood"
    return "" if solution.df > 0 else "needs degrees of freedom"


def corrected_tests(solution: Solution, main: Test, names: tuple[str, ...]) -> list[Test]:
    """Corrected statistics on the degrees of freedom of the model; those of factors only where there are any."""
    p, k, df = len(solution.table.variables.ov), len(solution.table.variables.lv), solution.df
    n = float(sum(group.nobs for group in solution.moments)) - 1.0
    factors = {"swain": swain(p, df, n), "yuan.tian.yanagihara": yuan_tian_yanagihara(p, p * (p + 1) // 2 - df, n)}
    if k:
        factors |= {"bartlett": bartlett(p, k, n), "yuan": yuan(p, k, n)}
    plain = main.stat * n / solution.total
    out = []
    for name in names:
        factor = factors.get(name, float("nan"))
        if not np.isfinite(factor):
            continue
        stat = plain * factor
        label = CORRECTIONS[name] if main.test == "standard" else f"{CORRECTIONS[name]} of the scaled statistic"
        out.append(Test(name, stat, df, chi_square_p(stat, df) if stat >= 0.0 else float("nan"),
                        main.stat / stat if stat else float("nan"), label=label))
    return out


def bollen_stine(solution: Solution, draws: Draws) -> Test:
    """The model's statistic with the p of data in which the model holds: ``(1 + #{T_b >= T}) / (B + 1)``.

    Draws that converged count, inadmissible ones included.

    References
    ----------
    Bollen & Stine (1992), Sociological Methods & Research 21, 205-229; Davison & Hinkley (1997), eq. 4.11.
    """
    stats = draws.statistics["chisq"]
    p = (1.0 + float(np.sum(stats >= solution.stat))) / (len(stats) + 1.0)
    return Test("bollen.stine", solution.stat, solution.df, p,
                label=f"Bollen-Stine bootstrap ({len(stats)} draws, seed {draws.seed})")


def with_test_draws(fit: Fit) -> Fit:
    """A copy of a fit that carries the draws of its Bollen-Stine test."""
    from semkit.fitting.bootstrap import bootstrap

    options = fit.recipe.options
    found = bootstrap(fit, options.bootstrap or TEST_DRAWS, options.seed, kind="bollen.stine", statistics=("chisq",))
    return replace(fit, test_draws=found, provenance={**fit.provenance, "test_seed": found.seed})
