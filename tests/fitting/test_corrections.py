"""Small-sample corrections and the Bollen-Stine test: published and hand-computed numbers, simulation, refusals."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2

import semkit as sk
from semkit.errors import NotSupportedError
from semkit.estimate.smallsample import bartlett, swain, yuan, yuan_tian_yanagihara
from semkit.fitting.bootstrap import bootstrap
from tests.reference.harness import DATA

CHILDREN = "visual =~ x1 + x2 + x3\ntextual =~ x4 + x5 + x6\nspeed =~ x7 + x8 + x9"
H = pd.read_csv(DATA / "HolzingerSwineford1939.csv")


def test_factors_by_hand() -> None:
    """Swain's is the example of the Stata module by Antonakis and Bastardoz: 22 variables, 208 df, N = 50."""
    q = (np.sqrt(1 + 4 * 22 * 23 - 8 * 208) - 1) / 2
    assert q == 9.0
    assert swain(22, 208, 49) == pytest.approx(1 - (22 * 1033 - 9 * 188) / (12 * 208 * 49))
    assert chi2.sf(265.71, 208) < 0.01 < 0.2 < chi2.sf(265.71 * swain(22, 208, 49), 208)
    assert 49 * bartlett(9, 3, 49) == pytest.approx(49 - (2 * 9 + 5) / 6 - 2 * 3 / 3)  # as R's factanal has it
    assert 49 * yuan(9, 3, 49) == pytest.approx(49 - (2 * 9 + 7) / 6 - 3 / 3)
    assert 99 * yuan_tian_yanagihara(20, 43, 99) == pytest.approx(100 - 2.381 - 7.22 - 0.258)


def test_shown_below_two_hundred_or_when_asked_for() -> None:
    small = sk.cfa(CHILDREN, H.iloc[:150])
    names = {"bartlett", "swain", "yuan", "yuan.tian.yanagihara"}
    assert names <= set(small.tests) and "Swain correction" in repr(small)
    stat = small.fit_measures["chisq"] * 149 / 150 * swain(9, 24, 149)
    assert small.tests["swain"].stat == pytest.approx(stat)
    assert small.tests["swain"].pvalue == pytest.approx(chi2.sf(stat, 24))
    large = sk.cfa(CHILDREN, H)
    assert not names & set(large.tests) and "Swain" not in repr(large)
    assert set(sk.cfa(CHILDREN, H, test="swain").tests) & names == {"swain"}
    wishart = sk.cfa(CHILDREN, H.iloc[:150], likelihood="wishart")
    assert wishart.tests["swain"].stat == pytest.approx(wishart.fit_measures["chisq"] * swain(9, 24, 149))
    robust = sk.cfa(CHILDREN, H.iloc[:150], estimator="mlr")
    assert robust.tests["bartlett"].stat == pytest.approx(
        robust.fit_measures["chisq.scaled"] * 149 / 150 * bartlett(9, 3, 149))
    path = sk.sem("x1 ~ x2\nx2 ~ x3", H.iloc[:100])
    assert "swain" in path.tests and "bartlett" not in path.tests


def test_corrected_statistics_have_the_right_mean_in_small_samples() -> None:
    """Normal samples of 100 from a model that holds: the plain mean is above df, the corrected ones are near."""
    fit = sk.cfa(CHILDREN, H)
    small = sk.cfa(CHILDREN, moments=sk.Moments(fit.implied["cov"], nobs=100, divisor="n"))
    stats = bootstrap(small, 3000, seed=1, kind="parametric", statistics=("chisq",)).statistics["chisq"]
    mean, error = stats.mean() * 99 / 100, stats.std() / np.sqrt(len(stats))
    assert mean > 24 + 5 * error
    for factor in (swain(9, 24, 99), yuan_tian_yanagihara(9, 21, 99), yuan(9, 3, 99)):
        assert mean * factor == pytest.approx(24.0, abs=3 * error)
    assert 24 - 5 * error < mean * bartlett(9, 3, 99) < 24.0  # made for exploratory models: a little too much here


def test_bollen_stine_as_a_test_of_the_call() -> None:
    fit = sk.cfa(CHILDREN, H, test="bollen.stine", seed=4)
    test = fit.tests["bollen.stine"]
    assert test.pvalue == pytest.approx(1 / (len(fit.test_draws.statistics["chisq"]) + 1))
    assert fit.draws is None and fit.provenance["test_seed"] == 4 and "Bollen-Stine bootstrap" in repr(fit)
    again = fit.bootstrap(50, seed=1, kind="bollen.stine")
    assert again.tests["bollen.stine"].pvalue == pytest.approx(1 / 51)


def test_refused_where_not_derived() -> None:
    for options in ({"group": "school"}, {"missing": "fiml"}):
        with pytest.raises(NotSupportedError) as caught:
            sk.cfa(CHILDREN, H, test="swain", **options)
        assert caught.value.code == "fitting.no-small-sample-correction"
        assert "swain" not in sk.cfa(CHILDREN, H.iloc[:190], **options).tests
