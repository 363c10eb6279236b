"""Every outcome of every rule, on scalars."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from semkit.errors import OptionError
from semkit.verdict import RULES, Evidence, holm, path, rule_of


def found(estimate: float, lower: float, upper: float, p: float = 0.01, attenuation: float = 1.0) -> Evidence:
    return Evidence(estimate, (upper - lower) / 3.92, lower, upper, p, attenuation=attenuation)


@pytest.mark.parametrize(
    ("evidence", "p", "verdict", "reason"),
    [
        (found(0.20, 0.05, 0.35), 0.01, "supported", "effect"),
        (found(0.10, 0.01, 0.19), 0.01, "supported", "effect"),  # the estimate may equal delta
        (found(0.20, 0.05, 0.35), 0.05, "inconclusive", "imprecise"),  # Holm
        (found(0.06, 0.02, 0.09), 0.001, "inconclusive", "too_small"),  # upper end below delta, but above zero
        (found(0.06, 0.02, 0.15), 0.001, "inconclusive", "too_small"),
        (found(0.20, -0.05, 0.45), 0.10, "inconclusive", "imprecise"),
        (found(-0.20, -0.35, -0.05), 0.01, "contradicted", "opposite"),
        (found(0.01, -0.05, 0.07), 0.70, "contradicted", "negligible"),
        (found(0.0, -0.11, 0.10), 0.90, "inconclusive", "imprecise"),  # upper end equal to delta decides nothing
        (found(0.0, -0.11, 0.0999), 0.90, "contradicted", "negligible"),
        (found(np.nan, np.nan, np.nan), np.nan, "inconclusive", "imprecise"),
    ],
)
def test_path_outcomes(evidence, p, verdict, reason):
    judged = path(evidence, "+", 0.10, p)
    assert (judged.verdict, judged.reason) == (verdict, reason)
    mirrored = Evidence(-evidence.estimate, evidence.se, -evidence.ci_upper, -evidence.ci_lower, evidence.pvalue)
    other = path(mirrored, "-", 0.10, p)
    assert (other.verdict, other.reason) == (verdict, reason)


def test_negligible_needs_an_error_corrected_estimate():
    plain = found(0.01, -0.03, 0.045)
    assert path(plain, "+", 0.05, 0.7).reason == "negligible"
    # reliabilities .8 .8 .8 of an interaction: sqrt(.512) = .7155, so delta becomes .0358
    shrunk = found(0.01, -0.03, 0.045, attenuation=float(np.sqrt(0.8**3)))
    assert (path(shrunk, "+", 0.05, 0.7).verdict, path(shrunk, "+", 0.05, 0.7).reason) == ("inconclusive", "imprecise")
    tight = found(0.01, -0.03, 0.034, attenuation=float(np.sqrt(0.8**3)))
    assert path(tight, "+", 0.05, 0.7).reason == "negligible"
    unknown = found(0.01, -0.03, 0.034, attenuation=float("nan"))
    assert path(unknown, "+", 0.05, 0.7).reason == "imprecise"
    # opposite needs no correction: error shrinks towards zero and does not turn a sign
    assert path(found(-0.2, -0.3, -0.1, attenuation=float("nan")), "+", 0.05, 0.01).reason == "opposite"


@given(
    st.floats(-1, 1), st.floats(0.001, 0.5), st.floats(0.001, 0.5), st.floats(0, 1), st.floats(0.01, 0.5),
)  # fmt: skip
def test_path_is_total_and_supported_only_above_zero(estimate, below, above, p, delta):
    evidence = found(estimate, estimate - below, estimate + above, p)
    judged = path(evidence, "+", delta, p)
    assert judged.verdict in {"supported", "contradicted", "inconclusive"}
    assert (judged.verdict == "supported") == (estimate - below > 0 and estimate >= delta and p < 0.05)
    assert (judged.verdict == "contradicted") == (estimate - below <= 0 and estimate + above < delta)


def test_unknown_rule_lists_those_offered():
    with pytest.raises(OptionError) as caught:
        rule_of("R-PAHT")
    problem = caught.value.problems[0]
    assert problem.code == "verdict.unknown-rule"
    assert all(name in problem.allowed for name in RULES)
    assert "R-PATH" in problem.remedy


def test_holm_by_hand_and_against_statsmodels():
    # ordered .01 .02 .04: 3*.01 = .03, max(.03, 2*.02) = .04, max(.04, .04) = .04
    assert holm([0.04, 0.01, 0.02]) == pytest.approx([0.04, 0.03, 0.04])
    assert holm([0.9, 0.8]) == pytest.approx([1.0, 1.0])
    assert holm([]).size == 0
    mixed = holm([0.02, np.nan, 0.03])
    assert mixed[[0, 2]] == pytest.approx([0.04, 0.04]) and np.isnan(mixed[1])
    from statsmodels.stats.multitest import multipletests

    p = np.random.default_rng(1).uniform(0, 0.1, 17)
    assert holm(p) == pytest.approx(multipletests(p, method="holm")[1])
