"""Products of variables that are outcomes themselves, by LMS."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import semkit as sk
from semkit.errors import NotSupportedError
from semkit.interaction.conditioning import condition
from semkit.interaction.crossing import Roles
from semkit.interaction.placing import place
from semkit.interaction.total import totals

ITEMS = "".join(f"{v} =~ {v.lower()}1 + {v.lower()}2 + {v.lower()}3\n" for v in "XMNY")


def chain(n: int, seed: int, *, moved: float = 0.0) -> pd.DataFrame:
    """M and N are moved by X (M also by its square), Y by M, N, .3 M N and .15 M M."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal(n)
    m = 0.5 * x + moved * x * x + 0.8 * rng.standard_normal(n)
    v = 0.4 * x + 0.8 * rng.standard_normal(n)
    y = 0.3 * m + 0.2 * v + 0.3 * m * v + 0.15 * m * m + 0.7 * rng.standard_normal(n)
    return pd.DataFrame({f"{name}{i}": 2.0 + load * f + 0.5 * rng.standard_normal(n)
                         for name, f in (("x", x), ("m", m), ("n", v), ("y", y))
                         for i, load in ((1, 1.0), (2, 0.9), (3, 0.8))})


def test_outcomes_without_error_give_least_squares() -> None:
    """Equation by equation: a recursive path model with uncorrelated disturbances, products centred at sample means."""
    data = chain(400, 1, moved=0.2)
    y, m, v, x = (data[name].to_numpy() for name in ("y1", "m1", "n1", "x1"))
    mc, vc = m - m.mean(), v - v.mean()
    design = np.column_stack([np.ones(400), m, v, x, mc * vc, mc * mc])
    ols = np.linalg.lstsq(design, y, rcond=None)[0][1:]
    paths = "m1 ~ x1\nn1 ~ x1 + m1\ny1 ~ m1 + n1 + x1 + m1:n1 + m1:m1"
    plain = sk.sem(paths, data, interaction="lms")
    np.testing.assert_allclose(plain.estimates.query("op == '~' and lhs == 'y1'").est, ols, atol=1e-8)
    text = "X =~ x1\nM =~ m1\nN =~ n1\nY =~ y1\nM ~ X\nN ~ X + M\nY ~ M + N + X + M:N + M:M"
    single = sk.sem(text, data, interaction="lms")
    np.testing.assert_allclose(single.estimates.query("op == '~' and lhs == 'Y'").est, ols, atol=1e-8)
    assert single.solution.objective.parts[0].model.d == 0
    for fit, focal, other in ((plain, "m1", "n1"), (single, "M", "N")):
        found = sk.probe(fit, focal, other).slopes
        value = np.asarray(found["value"], dtype=float)
        where = value - v.mean() if focal == "m1" else value - fit.variables["N"].center
        np.testing.assert_allclose(found["slope"], ols[0] + ols[3] * where, atol=1e-6)


def test_gaps_where_a_value_must_be_known_are_refused() -> None:
    data = chain(100, 2)
    data.loc[3, "m1"] = np.nan
    with pytest.raises(NotSupportedError) as caught:
        sk.sem("m1 ~ x1\ny1 ~ m1 + x1 + m1:m1", data, interaction="lms", missing="fiml")
    assert caught.value.code == "interaction.known-with-gaps"
    fit = sk.sem("Z =~ n1 + n2 + n3\nm1 ~ x1\ny1 ~ m1 + Z + m1:Z", data, interaction="lms", missing="fiml")
    assert fit.converged and fit.nobs == 100  # elsewhere it stays a variable and may have gaps


def test_outcomes_and_exogenous_factors_that_say_the_same_have_one_likelihood() -> None:
    """M, N on X with correlated disturbances and three correlated factors are two spellings of one model."""
    data = chain(300, 3)
    inner = sk.sem(ITEMS + "M ~ X\nN ~ X\nM ~~ N\nY ~ M + N + X + M:N + M:M", data, interaction=sk.LMS(nodes=40))
    outer = sk.sem(ITEMS + "Y ~ M + N + X + M:N + M:M", data, interaction=sk.LMS(nodes=40))
    assert inner.solution.objective.parts[0].model.roles.inner and not outer.solution.objective.parts[
        0].model.roles.inner
    assert abs(inner.fit_measures["logl"] - outer.fit_measures["logl"]) < 1e-6
    same = inner.estimates.merge(outer.estimates, on=["lhs", "op", "rhs"], suffixes=("", "_o")).query("op == '~'")
    assert len(same) == 5
    np.testing.assert_allclose(same.est, same.est_o, atol=1e-5)
    np.testing.assert_allclose(same.se, same.se_o, atol=1e-5)
    np.testing.assert_allclose(same.std_all, same.std_all_o, atol=1e-5)
    np.testing.assert_allclose(inner.implied["cov"], outer.implied["cov"], atol=1e-4)


@pytest.mark.parametrize("text", ["M ~ X\nN ~ X\nY ~ M + N + M:X", "M ~ X + X:X\nN ~ X\nY ~ M + N + M:X"])
def test_which_factor_is_integrated_changes_nothing(text: str) -> None:
    """The likelihood and the moments of the model do not depend on what is given: X, M, or both."""
    data = chain(150, 4, moved=0.2)
    fit = sk.sem(ITEMS + text, data, interaction=sk.LMS(nodes=48))
    objective = fit.solution.objective
    part, theta = objective.parts[0], fit.solution.theta
    block, crossings, q = fit.solution.layout.blocks[0], part.model.crossings, len(theta)
    x, m = block.eta.index("X"), block.eta.index("M")
    choices = [Roles((x, m), (), (m,))] + ([] if "X:X" in text else [Roles((m,), (), (m,))])
    mine = objective.at(theta)
    for roles in choices:
        model = condition(block, crossings, roles, q)
        points = place(model, theta, objective.given, part.who, 60, adaptive=True)
        again = replace(objective, parts=(replace(part, model=model, points=points),)).at(theta)
        assert abs(again.logl - mine.logl) < 1e-6
        np.testing.assert_allclose(again.outer, mine.outer, atol=1e-6 * np.abs(mine.outer).max())
        one, two = (totals(m_, theta[None], objective.given, part.values, part.share) for m_ in (part.model, model))
        np.testing.assert_allclose(one.eta_cov, two.eta_cov, atol=1e-10)
        np.testing.assert_allclose(one.eta_mean, two.eta_mean, atol=1e-10)


def test_totals_by_brute_force() -> None:
    """Moments over all disturbances by a full grid: the structural equations as they are written."""
    data = chain(120, 5, moved=0.2)
    text = ITEMS + "M ~ X + X:X\nN ~ X\nM ~~ N\nY ~ M + N + M:N + M:X"
    fit = sk.sem(text, data, interaction=sk.LMS(nodes=16, check=False))
    v = dict(zip(fit.names, fit.est, strict=True))
    u, w = np.polynomial.hermite_e.hermegauss(7)
    grid = np.array(list(itertools.product(u, repeat=4)))
    weight = np.prod(np.array(list(itertools.product(w / w.sum(), repeat=4))), axis=1)
    noise = np.linalg.cholesky([[v["M ~~ M"], v["M ~~ N"]], [v["M ~~ N"], v["N ~~ N"]]])
    x, y0 = grid[:, 0] * np.sqrt(v["X ~~ X"]), grid[:, 3] * np.sqrt(v["Y ~~ Y"])
    zm, zn = noise @ grid[:, 1:3].T
    m = v["M ~ X"] * x + v["M ~ X:X"] * x * x + zm
    n = v["N ~ X"] * x + zn
    y = v["Y ~ M"] * m + v["Y ~ N"] * n + v["Y ~ M:N"] * m * n + v["Y ~ M:X"] * m * x + y0
    eta = np.column_stack([x, m, n, y])
    mean = weight @ eta
    cov = (eta - mean).T @ ((eta - mean) * weight[:, None])
    pick = [fit.solution.layout.blocks[0].eta.index(name) for name in "XMNY"]
    found = fit.solution.implied[0]
    np.testing.assert_allclose(found.eta_mean[0][pick], mean, atol=1e-10)
    np.testing.assert_allclose(found.eta_cov[0][np.ix_(pick, pick)], cov, atol=1e-9)


def test_planted_products_of_outcomes_are_recovered() -> None:
    data = chain(4000, 6, moved=0.2)
    fit = sk.sem(ITEMS + "M ~ X + X:X\nN ~ X\nY ~ M + N + M:N + M:M", data, interaction=sk.LMS(nodes=16, check=False))
    rows = fit.estimates.set_index(["lhs", "op", "rhs"])
    truth = {("Y", "M:N"): 0.3, ("Y", "M:M"): 0.15, ("M", "X:X"): 0.2, ("Y", "M"): 0.3, ("Y", "N"): 0.2}
    for (lhs, rhs), value in truth.items():
        row = rows.loc[(lhs, "~", rhs)]
        assert abs(row.est - value) < 3 * row.se and row.se < 0.04, (lhs, rhs)


def test_draws_of_products_of_outcomes() -> None:
    """A draw is what a fit to its rows gives, centring included."""
    data = chain(120, 7)
    text = "m1 ~ x1\nn1 ~ x1\ny1 ~ m1 + n1 + m1:n1 + m1:m1"
    fit = sk.sem(text, data, interaction="lms", bootstrap=2, seed=3)
    from semkit.numerics.jobs import Job, resample_counts

    counts = resample_counts(next(iter(Job(replicates=2, seed=3, chunk=50).chunks())), 120)
    for b, count in enumerate(counts.astype(int)):
        again = sk.sem(text, data.iloc[np.repeat(np.arange(120), count)], interaction="lms")
        np.testing.assert_allclose(fit.draws[b], again.est, atol=1e-5)
        np.testing.assert_allclose(fit.std_draws[b], again.std_est, atol=1e-5)
