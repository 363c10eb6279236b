"""Each gate passes and fails on its own limit, and does to the verdict what it should."""

from __future__ import annotations

import math

import pytest

from semkit.verdict import (
    Claim,
    Part,
    Thresholds,
    distinctness,
    estimation,
    group_sizes,
    judge,
    measurement_fit,
    omitted,
    reliability,
    sample_size,
    unavailable,
    variation,
)
from tests.verdict.results import path_result

CLAIM = Claim("H-1", {"en": "x raises y"}, "explicit", "R-PATH", (Part("H-1.0", "M", "b"),))
LIMITS = Thresholds()


def judged(gates, estimate=0.3, se=0.05):
    return judge([CLAIM], {"M": path_result(estimate, se)}, {"M": tuple(gates)})["H-1"]


@pytest.mark.parametrize(
    ("gates", "reason", "gate"),
    [
        ([sample_size(149, 150)], "n", "G1"),
        (estimation(False, True), "not_converged", "G2"),
        (estimation(True, False), "not_admissible", "G2"),
        (estimation(True, True, identified=False), "not_identified", "G2"),
        ([unavailable("singular")], "no_model", "G2"),
        (reliability({"x": 0.59}, 0.60), "reliability", "G3"),
        (reliability({"x": math.nan}, 0.60), "reliability", "G3"),
        (distinctness({("x", "y"): 0.90}, 0.90), "htmt", "G4"),
        (distinctness({("x", "y"): math.nan}, 0.90), "htmt", "G4"),
        (variation({"x": 0.29}, 0.30), "variation", "G5"),
        (group_sizes({"yes": 99}, 100), "group_n", "G5"),
        ([omitted("no column x")], "no_variable", "G8"),
    ],
)
def test_a_failed_gate_makes_the_claim_not_testable(gates, reason, gate):
    verdict = judged(gates)
    assert (verdict.verdict, verdict.reason) == ("not_testable", reason)
    assert gate in verdict.detail
    assert verdict.sentence == ""
    assert verdict.parts[0].evidence is not None  # still printed


@pytest.mark.parametrize(
    "gates",
    [
        [sample_size(150, 150)], estimation(True, True), reliability({"x": 0.60}, 0.60),
        distinctness({("x", "y"): 0.8999}, 0.90), variation({"x": 0.30}, 0.30), group_sizes({"yes": 100}, 100),
        measurement_fit(0.90, 0.08, 0.08, LIMITS), measurement_fit(math.nan, math.nan, math.nan, LIMITS),
    ],
)  # fmt: skip
def test_a_gate_on_its_limit_passes(gates):
    assert judged(gates).verdict == "supported"


@pytest.mark.parametrize("figures", [(0.899, 0.08, 0.08), (0.90, 0.081, 0.08), (0.90, 0.08, 0.081)])
def test_measurement_fit_only_caps(figures):
    gates = measurement_fit(*figures, LIMITS)
    for estimate, uncapped in ((0.3, "supported"), (-0.3, "contradicted")):
        verdict = judged(gates, estimate)
        assert (verdict.verdict, verdict.reason) == ("inconclusive", "fit")
        assert uncapped in verdict.detail
        assert verdict.parts[0].verdict == "inconclusive"
    # what was inconclusive keeps its own reason
    assert judged(gates, 0.05, 0.02).reason == "too_small"
    # a failed gate that blocks goes before one that caps
    assert judged([*gates, sample_size(1, 150)]).reason == "n"
