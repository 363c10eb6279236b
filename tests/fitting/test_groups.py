"""What a fit says of every group, not of the first one only."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import semkit as sk

DATA = Path(__file__).parents[1] / "golden" / "data" / "groups.csv"
MODEL = "f1 =~ q1 + q2 + q3\nf2 =~ q4 + q5 + q6\nf2 ~ c(a1, a2)*f1 + z1"


@pytest.fixture(scope="module")
def data() -> pd.DataFrame:
    return pd.read_csv(DATA)


def test_moments_of_every_group_are_those_of_separate_fits(data: pd.DataFrame) -> None:
    both = sk.sem(MODEL, data, group="g")
    assert isinstance(both.cov_lv, list)
    for k, label in enumerate(both.table.groups):
        alone = sk.sem(MODEL.replace("c(a1, a2)*", ""), data[data["g"] == int(label)], meanstructure=True)
        np.testing.assert_allclose(both.cov_lv[k], alone.cov_lv, rtol=1e-6)
        for name in ("f1", "f2", "q1", "z1"):
            own, other = both.variables[name if k == 0 else f"{name}.g2"], alone.variables[name]
            assert own.name == name and own.group == label
            assert (own.mean, own.sd) == pytest.approx((other.mean, other.sd), rel=1e-6, abs=1e-6)
            assert own.values is not None and other.values is not None
            np.testing.assert_allclose(own.values, other.values, atol=1e-5)


def test_standard_deviations_of_every_group_in_expressions(data: pd.DataFrame) -> None:
    fit = sk.sem(MODEL + "\nd1 := a1*sd(f1)/sd(f2)\nd2 := a2*sd(f1.g2)/sd(f2.g2)", data, group="g")
    rows = fit.standardized()
    for name, group in (("d1", "1"), ("d2", "2")):
        own = rows[(rows["lhs"] == "f2") & (rows["rhs"] == "f1") & (rows["group"] == group) & (rows["op"] == "~")]
        found = fit.estimates[fit.estimates["lhs"] == name]
        np.testing.assert_allclose(found[["est", "se"]], own[["est_std", "se"]], rtol=1e-8)


def test_standard_deviations_of_every_group_in_constraints(data: pd.DataFrame) -> None:
    fit = sk.sem(MODEL + "\nsd(f1) == sd(f1.g2)", data, group="g")
    assert fit.converged and fit.variables["f1"].sd == pytest.approx(fit.variables["f1.g2"].sd, rel=1e-8)
    equal = sk.sem(MODEL.replace("f2 ~", "f1 ~~ c(v, v)*f1\nf2 ~"), data, group="g")
    assert fit.fit_measures["chisq"] == pytest.approx(equal.fit_measures["chisq"], rel=1e-8)
    assert fit.wald("sd(f1) == sd(f1.g2)").stat == pytest.approx(0.0, abs=1e-8)


def test_a_group_that_is_not_there_is_named(data: pd.DataFrame) -> None:
    with pytest.raises(sk.SemkitError, match=r'"f1.g3" in sd\(\) is not in the model'):
        sk.sem(MODEL + "\nd := sd(f1.g3)", data, group="g")


def test_a_variable_with_such_a_name_is_that_variable(data: pd.DataFrame) -> None:
    renamed = data.rename(columns={"z1": "q1.g2"})
    fit = sk.sem("q4 ~ q1 + q1.g2\nd := sd(q1.g2)", renamed)
    assert fit.est[-1] == pytest.approx(np.std(renamed.dropna(subset=["q1", "q4"])["q1.g2"]), rel=1e-8)


def test_every_group_can_be_probed(data: pd.DataFrame) -> None:
    complete = data.dropna()
    model = "q4 ~ q1 + z1 + q1:z1"
    both = sk.sem(model, complete, group="g")
    for label in both.table.groups:
        alone = sk.sem(model, complete[complete["g"] == int(label)], meanstructure=True)
        mine, theirs = sk.probe(both, "q1", "z1", group=label), sk.probe(alone, "q1", "z1")
        for column in ("value", "slope", "se"):
            np.testing.assert_allclose(mine.slopes[column], theirs.slopes[column], rtol=1e-6)
