"""From claims, results and gates to verdicts.  The same function serves a study and the simulation of its power."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from semkit.errors import OptionError, Problem, SemkitError, spelling
from semkit.result import Result
from semkit.verdict.evidence import evidence
from semkit.verdict.gates import blocking, capping, unavailable
from semkit.verdict.multiplicity import holm
from semkit.verdict.records import (
    ASSOCIATION,
    Check,
    Claim,
    Evidence,
    GateCheck,
    Line,
    LineVerdict,
    Part,
    PartVerdict,
    Tag,
    Verdict,
    Verdicts,
)
from semkit.verdict.rules import RULES, Judgement, Rule, path

Gates = Mapping[str, tuple[GateCheck, ...]]


def rule_of(name: str) -> Rule:
    """The rule called ``name``; an unknown one is an error that lists those offered."""
    if name not in RULES:
        raise OptionError(
            Problem(
                "verdict.unknown-rule",
                f'rule "{name}"',
                "no such decision rule",
                ", ".join(RULES),
                spelling(name, RULES),
            )
        )
    return RULES[name]


def judge(
    claims: Sequence[Claim],
    results: Mapping[str, Result],
    gates: Gates,
    *,
    alpha: float = 0.05,
    attenuation: Mapping[str, float] | None = None,
) -> Verdicts:
    """Judge every claim.

    Parameters
    ----------
    claims : sequence of Claim
    results : mapping of model id to Result
        Models that could not be estimated are absent; their claims become ``not_testable``.
    gates : mapping of model id to checks
    alpha : float
    attenuation : mapping of part id to float, optional
        For estimates from composites (see :class:`Evidence`); error-corrected otherwise.

    Returns
    -------
    Verdicts
    """
    shrink = attenuation or {}
    judged = [
        (claim, tuple(_judge_part(part, results, gates, alpha, shrink.get(part.id, 1.0)) for part in claim.parts))
        for claim in claims
    ]
    pvalues = [_claim_p(claim, parts) for claim, parts in judged]
    adjusted = [float("nan")] * len(claims)
    families: dict[str, int] = {}
    for family in dict.fromkeys(claim.family for claim in claims):
        members = [i for i, claim in enumerate(claims) if claim.family == family]
        families[family] = sum(pvalues[i] == pvalues[i] for i in members)
        for i, value in zip(members, holm([pvalues[i] for i in members]), strict=True):
            adjusted[i] = float(value)
    items = tuple(
        _conclude(claim, parts, p, p_holm, alpha)
        for (claim, parts), p, p_holm in zip(judged, pvalues, adjusted, strict=True)
    )
    return Verdicts(items, alpha, families)


def _judge_part(part: Part, results: Mapping[str, Result], gates: Gates, alpha: float, shrink: float) -> PartVerdict:
    checks = gates.get(part.model, ())
    found: Evidence | None = None
    if part.model in results:
        try:
            found = evidence(results[part.model], part.parameter, attenuation=shrink)
        except SemkitError as error:
            if blocking(checks) is None:
                checks = (*checks, unavailable(str(error.problems[0])))
    elif blocking(checks) is None:
        checks = (*checks, unavailable(f'model "{part.model}" was not estimated'))
    failed = blocking(checks)
    if failed is not None or found is None:
        return PartVerdict(part, "not_testable", failed.reason if failed else "no_model", _why(failed), found, checks)
    judged = path(found, part.direction, part.delta, found.pvalue, alpha)
    return PartVerdict(part, judged.verdict, judged.reason, judged.detail, found, checks)


def _why(check: GateCheck | None) -> str:
    if check is None:
        return "The model could not be estimated."
    place = f" ({check.about})" if check.about else ""
    if check.threshold == 1.0 and check.figure in (0.0, 1.0):
        return f"Gate {check.gate} failed{place}: {check.what}."
    return f"Gate {check.gate} failed{place}: {check.what} {check.figure:.4g}, limit {check.threshold:.4g}."


def _claim_p(claim: Claim, parts: tuple[PartVerdict, ...]) -> float:
    """One p per claim; NaN unless every primary part has one."""
    found = [part.evidence.pvalue for part in parts if part.part.primary and part.evidence is not None]
    if len(found) != len(claim.primary):
        return float("nan")
    return rule_of(claim.rule).claim_p(found)


def _decide(rule: str, parts: Sequence[PartVerdict], p: float, alpha: float) -> Judgement:
    """Apply a rule to judged parts: gates first, then the rule."""
    blocked = next((part for part in parts if part.verdict == "not_testable"), None)
    if blocked is not None:
        detail = blocked.detail if len(parts) == 1 else f"Part {blocked.part.id}: {blocked.detail}"
        return Judgement("not_testable", blocked.reason, detail)
    entries = [
        (part.part, part.evidence, Judgement(part.verdict, part.reason, part.detail))
        for part in parts
        if part.evidence is not None
    ]
    judged = rule_of(rule).decide(entries, p, alpha)
    cap = next((found for part in parts if (found := capping(part.gates)) is not None), None)
    if cap is not None and judged.verdict in ("supported", "contradicted"):
        return Judgement("inconclusive", cap.reason, f"{_why(cap)} The numbers alone would say: {judged.verdict}.")
    return judged


def _conclude(claim: Claim, parts: tuple[PartVerdict, ...], p: float, p_holm: float, alpha: float) -> Verdict:
    primary = [part for part in parts if part.part.primary]
    judged = _decide(claim.rule, primary, p_holm, alpha)
    capped = tuple(_cap(part) for part in parts)
    return Verdict(
        claim=claim,
        verdict=judged.verdict,
        reason=judged.reason,
        detail=judged.detail,
        pvalue=p,
        p_holm=p_holm,
        nobs=min((part.evidence.nobs for part in primary if part.evidence is not None), default=0),
        models=tuple(dict.fromkeys(part.part.model for part in primary)),
        parts=capped,
        lines=tuple(_line(line, parts, alpha) for line in claim.lines),
        gates=tuple(dict.fromkeys(check for part in primary for check in part.gates)),
        sentence=ASSOCIATION if judged.verdict == "supported" else "",
    )


def _cap(part: PartVerdict) -> PartVerdict:
    cap = capping(part.gates)
    if cap is None or part.verdict not in ("supported", "contradicted"):
        return part
    detail = f"{_why(cap)} The numbers alone would say: {part.verdict}."
    return replace(part, verdict="inconclusive", reason=cap.reason, detail=detail)


def _line(line: Line, parts: Sequence[PartVerdict], alpha: float) -> LineVerdict:
    """A line has its own p (uncorrected) and no place in the family."""
    chosen = [part for part in parts if part.part.id in line.parts]
    found = [part.evidence.pvalue for part in chosen if part.evidence is not None]
    p = rule_of(line.rule).claim_p(found) if len(found) == len(chosen) else float("nan")
    judged = _decide(line.rule, chosen, p, alpha)
    return LineVerdict(line, judged.verdict, judged.reason, judged.detail, p)


def robustness_tag(verdict: str, checks: Sequence[Check], needed: Sequence[str] = ()) -> Tag:
    """``robust``: every check gives the same verdict; ``fragile``: most disagree; else ``mixed``; "" without checks.

    Checks that were not testable are not applicable.  A check in ``needed`` that was not run withholds ``robust``.
    """
    checks = [check for check in checks if check.verdict != "not_testable"]
    if not checks:
        return ""
    same = sum(check.verdict == verdict for check in checks)
    if same == len(checks):
        done = {check.id for check in checks}
        return "robust" if all(name in done for name in needed) else "mixed"
    return "fragile" if same < len(checks) - same else "mixed"


def with_checks(verdicts: Verdicts, checks: Mapping[str, Sequence[Check]]) -> Verdicts:
    """The same verdicts with their robustness checks and tags; a verdict itself never changes."""
    items = tuple(
        replace(
            item,
            checks=tuple(checks.get(item.claim.id, ())),
            robustness=""
            if item.verdict == "not_testable"
            else robustness_tag(item.verdict, checks.get(item.claim.id, ()), item.claim.robust_needs),
        )
        for item in verdicts.items
    )
    return Verdicts(items, verdicts.alpha, verdicts.families)
