"""Interactions by several methods in one table."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import semkit as sk
from semkit.errors import OptionError
from semkit.fitting.methods import differences
from tests.interaction.test_lms import SIMPLE, planted


def test_one_table_has_what_each_fit_says() -> None:
    frame = planted()
    found = sk.compare_methods(SIMPLE, frame, methods=("product", "lms", sk.LMS(nodes=32), "qml"))
    assert list(found.frame.method) == ["product", "lms", "lms'", "qml"] == list(found.fits)
    for row in found.frame.itertuples():
        fit = found.fits[row.method]
        own = fit.estimates.query("op == '~' and rhs == 'X:Z'").iloc[0]
        std = fit.standardized().query("op == '~' and rhs == 'X:Z'").iloc[0]
        assert (row.est, row.se, row.pvalue, row.ci_lower) == (own.est, own.se, own.pvalue, own.ci_lower)
        assert (row.std_est, row.std_se, row.n) == (std.est_std, std.se, 300)
        assert row.seconds > 0
    assert np.ptp(found.frame.est) < 0.05 and "lms" in repr(found)


def test_a_method_that_cannot_takes_nothing_from_the_others() -> None:
    text = "X =~ x1 + x2 + x3\nM =~ z1 + z2 + z3\nY =~ y1 + y2 + y3\nM ~ X + X:X\nY ~ M + X + M:X"
    found = sk.compare_methods(text, planted(200), methods=("lms", "qml"))
    frame = found.frame.set_index(["method", "product"])
    assert np.isfinite(frame.loc[("lms", "M:X"), "est"])
    assert np.isnan(frame.loc[("qml", "M:X"), "est"]) and "moved by a product" in frame.loc[("qml", "M:X"), "notes"]


ALL = ("product", "lms", "qml", "sam", "factor_score", "2sls")


def test_standardised_effects_do_not_know_the_scales() -> None:
    """Every item shifted and rescaled by itself: same standardised effects and errors, whatever the method."""
    frame = planted(400)
    other = frame * np.linspace(0.4, 5.0, 9) + np.arange(-4.0, 5.0)
    one, two = (sk.compare_methods(SIMPLE, part, methods=ALL, estimator="mlr").frame for part in (frame, other))
    assert list(one["method"]) == list(ALL) and np.isfinite(one["std_se"]).all()
    np.testing.assert_allclose(two["std_est"], one["std_est"], rtol=1e-4)
    np.testing.assert_allclose(two["std_se"], one["std_se"], rtol=1e-3)
    np.testing.assert_allclose(two["est"] / two["se"], one["est"] / one["se"], rtol=1e-3)
    assert np.ptp(one["std_est"]) < 2.0 * one["std_se"].max()


def test_groups_designs_and_gaps_go_through_to_every_method() -> None:
    frame = planted(300)
    frame["g"], frame["w"], frame["unit"] = np.where(np.arange(300) % 2, "b", "a"), 1.0 + np.arange(300) % 3, range(300)
    groups = sk.compare_methods(SIMPLE, frame, methods=ALL, group="g").frame
    assert list(groups["group"]) == ["a", "b"] * 6 and groups["est"].notna().all()
    for row in groups.itertuples():
        alone = sk.sem(SIMPLE, frame[frame["g"] == row.group], interaction=row.method)
        assert abs(row.est - alone.est[alone.names.index("Y ~ X:Z")]) < 1e-3
    design = sk.Design(weights="w", cluster="unit")
    weighted = sk.compare_methods(SIMPLE, frame, methods=ALL, design=design)
    assert weighted.frame["est"].notna().all()
    assert all("sampling design" in fit.method for fit in weighted.fits.values())
    frame.loc[::7, "x1"] = np.nan
    gaps = sk.compare_methods(SIMPLE, frame, methods=ALL, missing="fiml", group="g").frame
    left = gaps[gaps["est"].isna()]
    assert set(left["method"]) == {"2sls"} and list(left["group"]) == ["a", "b"] and set(left["outcome"]) == {"Y"}
    assert left["notes"].str.contains("missing='fiml'").all()


@pytest.mark.parametrize("method", ALL)
def test_every_method_can_be_probed_judged_and_reported(method: str) -> None:
    from semkit.report.reading import read_fit
    from semkit.result import quantity
    from semkit.verdict.gates import sample_size
    from semkit.verdict.judgement import judge
    from semkit.verdict.records import Claim, Part

    fit = sk.sem(SIMPLE.replace("X:Z", "h*X:Z"), planted(300), interaction=method, estimator="mlr")
    assert len(sk.probe(fit, "X", "Z").slopes) == 3 and len(sk.conditional_effects(fit, "X", "Y").effects)
    part = read_fit(fit, "m")
    row = part.estimates.query("rhs == 'X:Z' and op == '~'").iloc[0]
    assert (np.isfinite(row["std_all"]) and "scaled test" not in part.method) or method in ("product", "lms", "qml")
    assert quantity(fit, "h", standardized=True).est == pytest.approx(row["std_all"])
    assert "<div" in fit._repr_html_() and fit.method.split()[0] in repr(fit)
    claim = Claim("H", {"en": "Z strengthens X"}, "explicit", "R-PATH", (Part("H.0", "m", "h"),))
    found = judge((claim,), {"m": fit}, {"m": (sample_size(fit.nobs, 100),)})
    assert next(iter(found)).verdict == "supported"


def test_disagreement_is_said() -> None:
    frame = planted(400, skew=True, square=0.4)
    found = sk.compare_methods(SIMPLE, frame)
    assert list(found.frame["method"]) == ["product", "lms", "qml", "sam", "factor_score", "2sls"]  # each by itself
    assert [note.code for note in found.notes] == ["fitting.methods-disagree"]


def test_nothing_to_compare() -> None:
    with pytest.raises(OptionError):
        sk.compare_methods("Y =~ y1 + y2 + y3", planted(60))
    with pytest.raises(OptionError):
        sk.compare_methods(SIMPLE, planted(60), methods="lms")


@pytest.mark.parametrize(("estimate", "said"), [(0.38, False), (0.50, True)])
def test_a_larger_error_alone_is_no_disagreement(estimate: float, said: bool) -> None:
    """Errors .05 and .08: differences vary by sqrt(.08^2 - .05^2), so .122 is chance (Hausman 1978)."""
    frame = pd.DataFrame({"group": "", "outcome": "Y", "product": "X:Z", "est": [0.30, estimate], "se": [0.05, 0.08],
                          "pvalue": [0.0, 0.0]})
    assert bool(differences(frame)) is said
