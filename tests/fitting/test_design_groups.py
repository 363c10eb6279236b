"""Designs with groups and with gaps: clusters that cross groups against R's survey, weighted full information."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import semkit as sk
from semkit.fitting.gaps import corrected

GOLDEN = Path(__file__).parents[1] / "golden"
PEER = json.loads((GOLDEN / "survey_groups.json").read_text(encoding="utf-8"))["designs"]
DATA = pd.read_csv(GOLDEN / "survey_design.csv")
GAPS = "f =~ m1 + m2 + m3\ng =~ m4 + m5 + m6"


@pytest.mark.parametrize(("name", "design"), [
    ("cluster", sk.Design(weights="weight", cluster="village")),
    ("both", sk.Design(weights="weight", strata="region", cluster="village")),
    ("fpc", sk.Design(weights="weight", strata="region", cluster="village", fpc="villages")),
])
def test_clusters_that_cross_groups_are_those_of_survey(name: str, design: sk.Design) -> None:
    """Groups are domains: a village with women and men is one unit, so that slopes of both are correlated."""
    fit = sk.sem("z ~ x + w", DATA, design=design, group="sex", meanstructure=True)
    at = [fit.names.index(one) for one in ("z ~1", "z ~1.g2", "z ~ x", "z ~ x.g2", "z ~ w", "z ~ w.g2")]
    np.testing.assert_allclose(fit.est[at], PEER[name]["est"], rtol=1e-9)
    wanted = np.array(PEER[name]["vcov"]).reshape(6, 6)
    np.testing.assert_allclose(fit.vcov[np.ix_(at, at)], wanted, rtol=1e-7, atol=1e-13)
    # a comparison of the groups needs their covariance
    labelled = sk.sem("z ~ c(a, b)*x + w", DATA, design=design, group="sex", meanstructure=True)
    gap = PEER[name]["est"][2] - PEER[name]["est"][3]
    assert labelled.wald("a == b").stat == pytest.approx(
        gap**2 / (wanted[2, 2] + wanted[3, 3] - 2 * wanted[2, 3]), rel=1e-7)
    assert abs(wanted[2, 3]) > 0.02 * np.sqrt(wanted[2, 2] * wanted[3, 3])


def test_who_answered_nothing_has_no_say_in_a_weighted_likelihood() -> None:
    """Their rows may stand anywhere; weights stay with those they belong to."""
    weights = sk.Design(weights="weight")
    few = DATA.iloc[:200]
    gone = few.iloc[::17].index
    empty = few.copy()
    empty.loc[gone, [f"m{k}" for k in range(1, 7)]] = np.nan
    with_rows = sk.cfa(GAPS, empty, missing="fiml", design=weights)
    without = sk.cfa(GAPS, empty.drop(gone), missing="fiml", design=weights)
    np.testing.assert_allclose(with_rows.est, without.est, rtol=0, atol=1e-8)
    np.testing.assert_allclose(np.diag(with_rows.vcov), np.diag(without.vcov), rtol=1e-6)
    for name in ("chisq", "chisq.scaled", "logl", "baseline.chisq", "rmsea.robust", "cfi.robust", "srmr"):
        assert with_rows.fit_measures[name] == pytest.approx(without.fit_measures[name], rel=1e-6), name


def test_weighted_likelihood_with_gaps_has_the_errors_of_a_jackknife() -> None:
    """Each respondent in turn counts a thousandth less: the sandwich without a score or a Hessian."""
    n, step = len(DATA), 1e-3
    columns = tuple(f"r{k}" for k in range(n))
    made = pd.DataFrame((1.0 - step * np.eye(n)) * DATA["weight"].to_numpy()[:, None], columns=columns)
    replicates = sk.Replicates(columns, "other", scale=step**-2, rscales=(1.0,) * n, mse=True)
    frame = pd.concat([DATA, made], axis=1)
    sandwich = sk.cfa(GAPS, frame, missing="fiml", design=sk.Design(weights="weight"))
    jackknife = sk.cfa(GAPS, frame, missing="fiml", design=sk.Design(weights="weight", replicates=replicates))
    np.testing.assert_allclose(np.sqrt(np.diag(jackknife.vcov)), np.sqrt(np.diag(sandwich.vcov)), rtol=5e-4)


def test_groups_weigh_in_robust_indices_by_their_weights() -> None:
    """Weights equal within groups, nothing shared: statistic and mean are weighted sums of those of each group."""
    frame = DATA.assign(heavy=np.where(DATA["sex"] == 1, 3.0, 1.0))
    both = sk.cfa(GAPS, frame, missing="fiml", group="sex", design=sk.Design(weights="heavy"))
    scale = len(frame) / frame["heavy"].sum()
    found = corrected(both.solution)
    apart = {sex: corrected(sk.cfa(GAPS, frame[frame["sex"] == sex], missing="fiml", estimator="mlr").solution)
             for sex in (0, 1)}
    for which in ("model", "baseline"):
        wanted = scale * (np.array(apart[0][which]) + 3.0 * np.array(apart[1][which]))
        np.testing.assert_allclose(found[which], wanted, rtol=1e-6)
