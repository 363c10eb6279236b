"""Decision rules: pure functions from evidence to an outcome and its reason.

A rule is one small function and one entry of :data:`RULES`.  Reason codes are part of the results' contract:
``effect`` (supported), ``opposite`` and ``negligible`` (contradicted), ``imprecise`` and ``too_small`` (inconclusive).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from semkit.verdict.records import Direction, Evidence, Outcome, Part


@dataclass(frozen=True, slots=True)
class Judgement:
    """Outcome of a rule, its reason code, and one sentence without rounding rules of its own."""

    verdict: Outcome
    reason: str
    detail: str


def oriented(evidence: Evidence, direction: Direction) -> tuple[float, float, float]:
    """Estimate and interval with the sign turned so that the claim says "> 0"."""
    if direction == "+":
        return evidence.estimate, evidence.ci_lower, evidence.ci_upper
    return -evidence.estimate, -evidence.ci_upper, -evidence.ci_lower


def path(evidence: Evidence, direction: Direction, delta: float, p: float, alpha: float = 0.05) -> Judgement:
    """R-PATH: a directional parameter.

    Parameters
    ----------
    evidence : Evidence
        Standardised estimate with its 95 % interval.
    direction : {"+", "-"}
        What the claim states; below, theta is turned so that the claim says theta > 0.
    delta : float
        Smallest effect of interest (standardised).
    p : float
        The p that must fall below ``alpha``: Holm-adjusted for a claim, uncorrected for a part.

    Returns
    -------
    Judgement
        ``supported`` (``effect``): interval above 0, p < alpha, estimate >= delta.
        ``contradicted``: interval not above 0 and its upper end below delta; ``opposite`` if the upper end is below 0,
        else ``negligible``.  From composites, ``negligible`` needs the upper end below ``delta * attenuation``, since
        measurement error shrinks their effects; with unknown reliability it is never concluded.
        ``inconclusive``: ``too_small`` when the interval is above 0 but the estimate below delta, else ``imprecise``.

    Notes
    -----
    The comparison of the interval's upper end with delta is the one-sided half of an equivalence test (Schuirmann
    1987; Lakens 2017, Social Psychological and Personality Science 8, 355-362), at .025 instead of .05.
    """
    estimate, lower, upper = oriented(evidence, direction)
    if not np.all(np.isfinite([estimate, lower, upper, p])):
        return Judgement("inconclusive", "imprecise", "No finite interval or p value.")
    above_zero = lower > 0.0
    if above_zero and estimate >= delta and p < alpha:
        return Judgement("supported", "effect", "The interval lies on the claimed side and the effect is large enough.")
    if not above_zero and upper < 0.0:
        return Judgement("contradicted", "opposite", "The whole interval lies on the other side of zero.")
    shrunk = delta * evidence.attenuation
    if not above_zero and np.isfinite(shrunk) and upper < shrunk:
        return Judgement(
            "contradicted", "negligible", "Any effect on the claimed side is below the smallest effect of interest."
        )
    if above_zero and estimate < delta:
        return Judgement(
            "inconclusive", "too_small", "The sign is clear, the size is below the smallest effect of interest."
        )
    if above_zero and estimate >= delta:
        return Judgement("inconclusive", "imprecise", "The p value after Holm's correction is not below alpha.")
    return Judgement("inconclusive", "imprecise", "The interval allows both no effect and an effect that matters.")


PartJudgements = Sequence[tuple[Part, Evidence, Judgement]]


def single(parts: PartJudgements, p_holm: float, alpha: float) -> Judgement:
    """R-PATH of a claim: its one primary part at the Holm-adjusted p."""
    part, evidence, _ = parts[0]
    return path(evidence, part.direction, part.delta, p_holm, alpha)


def every(parts: PartJudgements, p_holm: float, alpha: float) -> Judgement:
    """R-ALL: every part meets R-PATH at its own uncorrected p, and the claim's Holm-adjusted p is below alpha.

    Contradicted as soon as one part is; the reason is that part's.  Parts need no correction among themselves: the
    claim is their intersection (intersection-union test; Berger 1982, Technometrics 24, 295-300).
    """
    against = [(part, judged) for part, _, judged in parts if judged.verdict == "contradicted"]
    if against:
        part, judged = against[0]
        return Judgement("contradicted", judged.reason, f"Part {part.id} is contradicted: {judged.detail}")
    short = [(part, judged) for part, _, judged in parts if judged.verdict != "supported"]
    if short:
        reasons = {judged.reason for _, judged in short}
        reason = "too_small" if reasons == {"too_small"} else "imprecise"
        names = ", ".join(part.id for part, _ in short)
        return Judgement("inconclusive", reason, f"Not every part is supported; missing: {names}.")
    if not p_holm < alpha:
        return Judgement("inconclusive", "imprecise", "The p value after Holm's correction is not below alpha.")
    return Judgement("supported", "effect", "Every part is supported.")


def largest(pvalues: Sequence[float]) -> float:
    """The p of an intersection: the largest of its parts' p values."""
    return float(max(pvalues)) if pvalues else float("nan")


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule as data: how parts are decided, how they combine to one p, how many parts are needed."""

    name: str
    decide: Callable[[PartJudgements, float, float], Judgement]
    claim_p: Callable[[Sequence[float]], float]
    minimum_parts: int
    maximum_parts: int | None
    text: str


RULES: Mapping[str, Rule] = {
    "R-PATH": Rule("R-PATH", single, largest, 1, 1, "one directional parameter"),
    "R-ALL": Rule("R-ALL", every, largest, 2, None, "every part holds"),
}
