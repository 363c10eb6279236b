"""Draws: the same as refitting, the same bits, one kernel call an iteration and chunk."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import semkit as sk
from semkit.errors import OptionError
from semkit.fitting.bootstrap import Refit, bootstrap
from semkit.fitting.resampling import make_scheme
from semkit.numerics.jobs import Chunk, Job
from tests.fitting.test_identities import CFA, MODERATED, study

COMPOSITE = """
f =~ x1 + x2 + x3
h =~ y1 + y2 + y3
h ~ a*f + b*comp + c*f:comp
"""


def composite_study() -> tuple[pd.DataFrame, dict[str, sk.Composite]]:
    r = np.random.default_rng(2)
    data = study(500)
    for k in range(4):
        data[f"i{k}"] = data["w1"] + r.normal(size=500)
        data[f"j{k}"] = data["w2"] + r.normal(size=500)
    data["m_i"] = data[[f"i{k}" for k in range(4)]].mean(axis=1)
    data["m_j"] = data[[f"j{k}" for k in range(4)]].mean(axis=1)
    items = {f"m_{p}": tuple(f"{p}{k}" for k in range(4)) for p in "ij"}
    return data, {"comp": sk.Composite(("m_i", "m_j"), items)}


@pytest.mark.parametrize("kind", ["latent", "composite", "means", "labels"])
def test_a_draw_is_a_refit_of_the_resampled_rows(kind: str) -> None:
    """Products, composites and their error variances are rebuilt; compare with really resampled frames."""
    data, composites = composite_study()
    model, options = {
        "latent": (MODERATED, {}),
        "composite": (COMPOSITE, {"composites": composites}),
        "means": (CFA, {"meanstructure": True}),
        "labels": ("f =~ x1 + l*x2 + m*x3\nl == 0.5*m + 0.3*m^2\ny1 ~ f + w1", {}),
    }[kind]
    fit = sk.sem(model, data, **options)
    draws = bootstrap(fit, 4, seed=9)
    assert len(draws.est) == 4
    for generator, est, std in zip(Chunk(0, 0, 4, 9).generators(), draws.est, draws.std, strict=True):
        rows = generator.integers(0, len(data), len(data))
        again = sk.sem(model, data.iloc[rows], **options)
        se = np.sqrt(np.diag(fit.vcov)) + 1e-9
        assert np.abs((est - again.est) / se).max() < 1e-4
        assert np.abs(std - again.std_est).max() < 1e-4


def test_the_same_seed_gives_the_same_bits_for_any_number_of_workers() -> None:
    fit = sk.cfa(CFA, study())
    a, b, c = (bootstrap(fit, 70, seed=3, chunk=20, workers=w) for w in (1, 1, 3))
    np.testing.assert_array_equal(a.est, b.est)
    np.testing.assert_array_equal(a.std, c.std)
    d = bootstrap(fit, 70, seed=3, chunk=70)
    np.testing.assert_allclose(a.est, d.est, rtol=1e-9, atol=1e-12)
    assert not np.array_equal(a.est, bootstrap(fit, 70, seed=4).est)


def test_a_thousand_draws_use_as_many_kernel_calls_an_iteration_and_chunk_as_fifty() -> None:
    """Calls count evaluations of the discrepancy, whatever the number of draws in them."""
    fit = sk.sem(MODERATED, study())
    scheme = make_scheme(fit.solution, "ordinary")
    few, many = Refit(fit, scheme), Refit(fit, scheme)
    for chunk in Job(50, 1, 50).chunks():
        few(chunk)
    for chunk in Job(1000, 1, 500).chunks():
        many(chunk)
    assert len(few.calls) == 1 and len(many.calls) == 2
    assert max(many.calls) <= 3 * few.calls[0] < 150


def test_errors_intervals_and_p_values_come_from_the_draws() -> None:
    fit = sk.cfa(CFA, study(), bootstrap=100, seed=1)
    assert fit.draws is not None
    row = fit.estimates.set_index(["lhs", "op", "rhs"]).loc[("f", "=~", "x2")]
    column = fit.draws[:, fit.names.index("f =~ x2")]
    assert row["se"] == pytest.approx(column.std(ddof=1))
    assert [row["ci_lower"], row["ci_upper"]] == np.sort(column)[[1, -2]].tolist()
    assert row["pvalue"] == pytest.approx(2 / 101)
    assert fit.provenance["seed"] == 1 and fit.provenance["draws_requested"] == 100
    assert fit.recipe.options.bootstrap == 100
    assert "100 draws" in repr(fit)


def test_bootstrap_errors_are_near_the_robust_ones() -> None:
    """Both are consistent for the same variance; 600 draws leave about 3 % of Monte Carlo error."""
    fit = sk.cfa(CFA, study(1000), estimator="mlr")
    draws = bootstrap(fit, 600, seed=2)
    ratio = draws.est.std(axis=0, ddof=1) / np.sqrt(np.diag(fit.vcov))
    assert np.abs(ratio - 1).max() < 0.15


def test_inadmissible_draws_are_counted_and_left_out() -> None:
    """A factor with almost no common variance: some draws have negative variances."""
    r = np.random.default_rng(3)
    f = r.normal(size=60)
    data = pd.DataFrame({f"x{k}": 0.6 * f + r.normal(size=60) for k in range(1, 4)})
    fit = sk.cfa("f =~ x1 + x2 + x3", data, bootstrap=200, seed=1)
    found = fit.bootstrap_draws
    assert found is not None and found.inadmissible > 0
    assert len(found.est) + found.failed + found.inadmissible == 200
    variances = [k for k, name in enumerate(fit.names) if " ~~ " in name]
    assert found.est[:, variances].min() >= -1e-10


def test_draws_of_groups_are_taken_within_groups() -> None:
    data = study().assign(place=lambda d: np.where(np.arange(len(d)) < 150, "p", "q"))
    fit = sk.cfa(CFA, data, group="place")
    evidence = make_scheme(fit.solution, "ordinary")(Chunk(0, 0, 5, 1))
    assert [part.weight for part in evidence.observed] == [150 / 400, 250 / 400]
    assert bootstrap(fit, 20, seed=1).failed == 0


def test_a_binding_inequality_is_kept_in_every_draw() -> None:
    data = study()
    free = sk.sem("y1 ~ a*x1 + x2", data)
    limit = free.est[free.names.index("a")] + 0.05
    fit = sk.sem(f"y1 ~ a*x1 + x2\na > {limit}", data, bootstrap=50, seed=1)
    assert fit.draws is not None
    a = fit.draws[:, fit.names.index("a")]
    assert a.min() >= limit - 1e-8 and a.max() > limit


@pytest.mark.parametrize("count", [0, -5, 2.5, True, "many"])
def test_counts_that_are_none(count: object) -> None:
    with pytest.raises(OptionError) as caught:
        sk.cfa(CFA, study(), bootstrap=count)
    assert caught.value.code == "fitting.bootstrap-count"
