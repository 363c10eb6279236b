"""Claims, decision rules, gates and verdicts."""

from semkit.verdict.evidence import evidence
from semkit.verdict.gates import (
    Thresholds,
    distinctness,
    estimation,
    group_sizes,
    measurement_fit,
    omitted,
    reliability,
    sample_size,
    unavailable,
    variation,
)
from semkit.verdict.judgement import judge, robustness_tag, rule_of, with_checks
from semkit.verdict.multiplicity import holm
from semkit.verdict.records import (
    ASSOCIATION,
    OUTCOMES,
    Check,
    Claim,
    Evidence,
    GateCheck,
    Index,
    Line,
    LineVerdict,
    Part,
    PartVerdict,
    Verdict,
    Verdicts,
)
from semkit.verdict.rules import RULES, Judgement, Rule, path

__all__ = [
    "ASSOCIATION",
    "OUTCOMES",
    "RULES",
    "Check",
    "Claim",
    "Evidence",
    "GateCheck",
    "Index",
    "Judgement",
    "Line",
    "LineVerdict",
    "Part",
    "PartVerdict",
    "Rule",
    "Thresholds",
    "Verdict",
    "Verdicts",
    "distinctness",
    "estimation",
    "evidence",
    "group_sizes",
    "holm",
    "judge",
    "measurement_fit",
    "omitted",
    "path",
    "reliability",
    "robustness_tag",
    "rule_of",
    "sample_size",
    "unavailable",
    "variation",
    "with_checks",
]
