"""Claims, parts, families, lines, evidence and robustness together."""

from __future__ import annotations

import numpy as np
import pytest

from semkit.errors import OptionError, ResultError
from semkit.result import Reference, Term, percentile_pvalue
from semkit.verdict import (
    ASSOCIATION,
    Check,
    Claim,
    Line,
    Part,
    evidence,
    judge,
    robustness_tag,
    sample_size,
    with_checks,
)
from tests.verdict.results import SmallResult, path_result


def several(estimates, ses, **options):
    names = tuple(f"b{i}" for i in range(len(estimates)))
    terms = tuple(Term("y", (f"x{i}",), name) for i, name in enumerate(names))
    return SmallResult(names, np.array(estimates), np.array(ses), terms=terms, **options)


def compound(count, lines=(), rule="R-ALL"):
    parts = tuple(Part(f"H-1.{i}", "M", f"b{i}") for i in range(count))
    return Claim("H-1", {"en": "all"}, "explicit", rule, parts, lines)


@pytest.mark.parametrize(
    ("estimates", "ses", "verdict", "reason"),
    [
        ([0.3, 0.2], [0.05, 0.05], "supported", "effect"),
        ([0.3, 0.2], [0.05, 0.15], "inconclusive", "imprecise"),
        ([0.3, 0.05], [0.05, 0.01], "inconclusive", "too_small"),
        ([0.3, -0.3], [0.05, 0.05], "contradicted", "opposite"),
        ([0.3, 0.0], [0.05, 0.02], "contradicted", "negligible"),
        ([0.3, 0.0], [0.2, 0.02], "contradicted", "negligible"),  # one part against is enough
    ],
)
def test_all_parts(estimates, ses, verdict, reason):
    item = judge([compound(2)], {"M": several(estimates, ses)}, {})["H-1"]
    assert (item.verdict, item.reason) == (verdict, reason)
    assert item.pvalue == max(part.evidence.pvalue for part in item.parts)
    assert item.sentence == (ASSOCIATION if verdict == "supported" else "")


def test_all_parts_wait_for_holm():
    weak = [0.25, 0.25]
    result = several(weak, [0.12, 0.05])  # p = .037
    claims = [compound(2), Claim("H-2", {"en": "b"}, "explicit", "R-PATH", (Part("H-2.0", "N", "b"),))]
    both = judge(claims, {"M": result, "N": path_result(0.2, 0.1)}, {})  # p = .0455: 2 x .037 > .05
    assert (both["H-1"].verdict, both["H-1"].reason) == ("inconclusive", "imprecise")
    assert all(part.verdict == "supported" for part in both["H-1"].parts)
    alone = judge(claims[:1], {"M": result}, {})
    assert alone["H-1"].verdict == "supported"


def test_families_are_corrected_apart_and_claims_without_p_stand_outside():
    def claim(name, family, model):
        return Claim(name, {"en": name}, family, "R-PATH", (Part(f"{name}.0", model, "b"),))

    claims = [claim("H-1", "a", "M"), claim("H-2", "a", "N"), claim("H-3", "b", "M"), claim("H-4", "a", "missing")]
    verdicts = judge(claims, {"M": path_result(0.3, 0.1), "N": path_result(0.3, 0.12)}, {})
    p1, p2 = verdicts["H-1"].pvalue, verdicts["H-2"].pvalue
    assert verdicts["H-1"].p_holm == pytest.approx(2 * p1)
    assert verdicts["H-2"].p_holm == pytest.approx(max(2 * p1, p2))
    assert verdicts["H-3"].p_holm == pytest.approx(p1)
    assert (verdicts["H-4"].verdict, verdicts["H-4"].reason) == ("not_testable", "no_model")
    assert np.isnan(verdicts["H-4"].p_holm) and "missing" in verdicts["H-4"].detail
    assert dict(verdicts.families) == {"a": 2, "b": 1}


def test_secondary_parts_and_lines_do_not_count():
    parts = (Part("H-1.0", "M", "b0"), *(Part(f"H-1.{i}", "M", f"b{i}", primary=False) for i in (1, 2)))
    line = Line("H-1.all", "R-ALL", ("H-1.0", "H-1.1", "H-1.2"), "through all")
    claim = Claim("H-1", {"en": "x"}, "f", "R-PATH", parts, (line,))
    item = judge([claim], {"M": several([0.4, 0.3, 0.01], [0.05, 0.05, 0.02])}, {})["H-1"]
    assert item.verdict == "supported"
    assert item.pvalue == item.parts[0].evidence.pvalue
    assert (item.lines[0].verdict, item.lines[0].reason) == ("contradicted", "negligible")
    assert item.lines[0].pvalue == item.parts[2].evidence.pvalue
    frame = judge([claim], {"M": several([0.4, 0.3, 0.01], [0.05, 0.05, 0.02])}, {}).frame
    assert list(frame["kind"]) == ["claim", "primary", "secondary", "secondary", "line"]
    assert list(frame["verdict"]) == ["supported", "supported", "supported", "contradicted", "contradicted"]


def test_one_untestable_part_blocks_a_compound_claim():
    parts = (Part("H-1.0", "M", "b0"), Part("H-1.1", "N", "b"))
    claim = Claim("H-1", {"en": "x"}, "f", "R-ALL", parts)
    results = {"M": several([0.4], [0.05]), "N": path_result(0.4, 0.05)}
    item = judge([claim], results, {"N": (sample_size(10, 100),)})["H-1"]
    assert (item.verdict, item.reason) == ("not_testable", "n")
    assert "H-1.1" in item.detail and item.parts[0].verdict == "supported"


def test_single_paths_use_the_standard_error_products_and_definitions_the_draws():
    draws = np.random.default_rng(3).normal([0.2, 0.1, 0.3], 0.05, (999, 3))
    terms = (Term("y", ("x",), "b"), Term("y", ("x", "z"), "i"))
    result = SmallResult(("b", "i", "d"), np.array([0.2, 0.1, 0.3]), np.array([0.04] * 3), draws, terms)
    path_, product, defined = (evidence(result, name) for name in ("b", "i", "d"))
    assert path_.method == "normal" and path_.se == pytest.approx(0.04)
    for found, column in ((product, 1), (defined, 2)):
        assert found.method == "percentile"
        assert (found.ci_lower, found.ci_upper) == tuple(np.sort(draws[:, column])[[24, 974]])
        assert found.pvalue == pytest.approx(percentile_pvalue(draws[:, column]))
    assert path_.raw == pytest.approx(0.4)  # units of the model


def test_t_reference_is_used_for_regressions():
    found = evidence(path_result(0.2, 0.1, reference=Reference("t", 10)), "b")
    from scipy.stats import t

    assert found.pvalue == pytest.approx(2 * t.sf(2.0, 10)) and found.method == "t"


def test_expressions_of_labels():
    rng = np.random.default_rng(5)
    result = several([0.4, 0.3], [0.05, 0.04])
    found = evidence(result, "b0*b1")
    assert found.estimate == pytest.approx(0.12)
    # delta method for a product of independent estimates: sqrt(b1^2 s0^2 + b0^2 s1^2)
    assert found.se == pytest.approx(np.hypot(0.3 * 0.05, 0.4 * 0.04), rel=1e-6)
    draws = rng.normal([0.4, 0.3], [0.05, 0.04], (1999, 2))
    drawn = evidence(several([0.4, 0.3], [0.05, 0.04], std_draws=draws), "b0*b1")
    assert (drawn.ci_lower, drawn.ci_upper) == tuple(np.sort(draws.prod(axis=1))[[49, 1949]])
    # one standard deviation of x is 1 on the standardised scale, 2 in the units of the model
    scaled = evidence(result, "b0 + b1*sd(x)")
    assert scaled.estimate == pytest.approx(0.7) and scaled.raw == pytest.approx(0.8 + 0.6 * 2.0)


def test_what_evidence_refuses():
    with pytest.raises(ResultError) as caught:
        evidence(path_result(0.2, 0.1, converged=False), "b")
    assert caught.value.code == "verdict.not-converged"
    with pytest.raises(OptionError) as unknown:
        evidence(path_result(0.2, 0.1), "c*2")
    assert unknown.value.code == "verdict.unknown-parameter"
    item = judge([compound(2)], {"M": path_result(0.2, 0.1, converged=False)}, {})["H-1"]
    assert item.verdict == "not_testable" and item.parts[0].evidence is None


def test_robustness_tag():
    def check(name, verdict):
        return Check(name, name, verdict)

    same, other = check("RC3", "supported"), check("RC7", "inconclusive")
    assert robustness_tag("supported", []) == ""
    assert robustness_tag("supported", [same, check("RC7", "supported")]) == "robust"
    assert robustness_tag("supported", [same, other]) == "mixed"
    assert robustness_tag("supported", [other]) == "fragile"
    assert robustness_tag("supported", [same, other, check("RC8", "contradicted")]) == "fragile"
    assert robustness_tag("supported", [same], ["RC10"]) == "mixed"
    assert robustness_tag("supported", [same, check("RC7", "not_testable")]) == "robust"
    assert robustness_tag("supported", [check("RC7", "not_testable")]) == ""
    verdicts = judge([compound(2)], {"M": several([0.3, 0.2], [0.05, 0.05])}, {})
    tagged = with_checks(verdicts, {"H-1": [same, other]})["H-1"]
    assert tagged.robustness == "mixed" and tagged.verdict == "supported" and tagged.checks == (same, other)


def test_unknown_claim_is_named():
    verdicts = judge([compound(2)], {}, {})
    with pytest.raises(OptionError) as caught:
        verdicts["H-9"]
    assert caught.value.code == "verdict.unknown-claim" and "H-1" in caught.value.problems[0].allowed
