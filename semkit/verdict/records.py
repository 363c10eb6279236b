"""What a claim is, what speaks for or against it, and what is concluded: records without behaviour."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from semkit.errors import OptionError, Problem, spelling

if TYPE_CHECKING:
    import pandas as pd

Outcome = Literal["supported", "contradicted", "inconclusive", "not_testable"]
Direction = Literal["+", "-"]
Tag = Literal["robust", "mixed", "fragile", ""]

OUTCOMES: tuple[Outcome, ...] = ("supported", "contradicted", "inconclusive", "not_testable")

#: Printed with every claim that is supported: the design of the data allows no more.
ASSOCIATION = "Association in cross-sectional self-reports, consistent with the claim; not proof of cause."


@dataclass(frozen=True, slots=True)
class Index:
    """An index of moderated mediation: how much the effect along ``path`` changes with the moderator (Hayes 2015)."""

    path: tuple[str, ...]
    moderator: str

    def __str__(self) -> str:
        return f"index of {' -> '.join(self.path)} by {self.moderator}"


@dataclass(frozen=True, slots=True)
class Part:
    """One number a claim rests on.

    Parameters
    ----------
    id : str
        ``"H-B1.0"``.
    model : str
        Id of the model that holds the number.
    parameter : str or Index
        A label of that model, an expression over its labels in the safe grammar, or an index of moderated mediation.
    direction : {"+", "-"}
        The sign the claim states.
    delta : float
        Smallest effect of interest, on the standardised scale, positive.
    primary : bool
        Secondary parts are judged and printed, but count neither for the verdict nor for its p.
    about : str
        Words for tables: what the number is.
    """

    id: str
    model: str
    parameter: str | Index
    direction: Direction = "+"
    delta: float = 0.10
    primary: bool = True
    about: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """A further reading of a claim's parts, printed apart; not a second verdict and outside Holm's family."""

    id: str
    rule: str
    parts: tuple[str, ...]
    text: str = ""


@dataclass(frozen=True, slots=True)
class Claim:
    """A proposition with the rule that decides it.

    Parameters
    ----------
    id : str
    statement : Mapping of language to text
    family : str
        Holm's correction runs over the claims of one family within a study.
    rule : str
        A key of :data:`semkit.verdict.RULES`.
    parts : tuple of Part
    lines : tuple of Line
    robust_needs : tuple of str
        Checks without which the tag ``robust`` is not given (for example an objective outcome
        where items name their own cause).
    caveat : str
        Printed with the verdict, whatever it is.
    """

    id: str
    statement: Mapping[str, str]
    family: str
    rule: str
    parts: tuple[Part, ...]
    lines: tuple[Line, ...] = ()
    robust_needs: tuple[str, ...] = ()
    caveat: str = ""

    @property
    def primary(self) -> tuple[Part, ...]:
        """The parts that count for the verdict."""
        return tuple(part for part in self.parts if part.primary)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the data say about one part, on the standardised scale; interval and p from one method.

    Parameters
    ----------
    estimate, se, ci_lower, ci_upper : float
        Standardised, in the direction of the parameter (not turned into the claim's direction).
    pvalue : float
        Two-sided.
    raw : float
        Estimate in the units of the model.
    method : {"normal", "t", "percentile"}
    nobs : int
        Respondents used.
    attenuation : float
        1 for error-corrected estimates; for composites ``sqrt(rho_x rho_y)`` (path) or
        ``sqrt(rho_x rho_z rho_y)`` (two-way interaction); NaN when no reliability is known, and then
        ``negligible`` is never concluded.
    """

    estimate: float
    se: float
    ci_lower: float
    ci_upper: float
    pvalue: float
    raw: float = float("nan")
    method: str = "normal"
    nobs: int = 0
    attenuation: float = 1.0


@dataclass(frozen=True, slots=True)
class GateCheck:
    """One precondition, with its figure.

    ``caps`` gates (G7) turn a decided verdict into ``inconclusive``; the others make the claim ``not_testable``.
    """

    gate: str
    passed: bool
    figure: float
    threshold: float
    reason: str
    what: str
    about: str = ""
    caps: bool = False


@dataclass(frozen=True, slots=True)
class PartVerdict:
    """The judgement of one part at its own uncorrected p."""

    part: Part
    verdict: Outcome
    reason: str
    detail: str
    evidence: Evidence | None = None
    gates: tuple[GateCheck, ...] = ()


@dataclass(frozen=True, slots=True)
class LineVerdict:
    """The judgement of a :class:`Line`, printed under the claim."""

    line: Line
    verdict: Outcome
    reason: str
    detail: str
    pvalue: float = float("nan")


@dataclass(frozen=True, slots=True)
class Check:
    """One robustness check: the verdict the same rule gives on another analysis of the same claim."""

    id: str
    text: str
    verdict: Outcome
    reason: str = ""
    detail: str = ""
    evidence: Evidence | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """One claim's verdict with everything it rests on."""

    claim: Claim
    verdict: Outcome
    reason: str
    detail: str
    pvalue: float
    p_holm: float
    nobs: int
    models: tuple[str, ...]
    parts: tuple[PartVerdict, ...]
    lines: tuple[LineVerdict, ...] = ()
    gates: tuple[GateCheck, ...] = ()
    checks: tuple[Check, ...] = ()
    robustness: Tag = ""
    sentence: str = ""

    @property
    def evidence(self) -> Evidence | None:
        """Evidence of the part that has the claim's p (the weakest primary part of a compound claim)."""
        known = [p.evidence for p in self.parts if p.part.primary and p.evidence is not None]
        return max(known, key=lambda item: item.pvalue, default=None)


@dataclass(frozen=True, slots=True)
class Verdicts:
    """All verdicts of a study, in the order of its claims."""

    items: tuple[Verdict, ...]
    alpha: float = 0.05
    families: Mapping[str, int] = field(default_factory=dict)

    def __iter__(self) -> Any:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, claim: str) -> Verdict:
        for item in self.items:
            if item.claim.id == claim:
                return item
        known = [item.claim.id for item in self.items]
        raise OptionError(
            Problem(
                "verdict.unknown-claim",
                f'claim "{claim}"',
                "no such claim was judged",
                ", ".join(known),
                spelling(claim, known),
            )
        )

    @property
    def frame(self) -> pd.DataFrame:
        """One row a claim, then one a part and one a line (columns of ``verdicts.csv``)."""
        import pandas as pd

        rows: list[dict[str, Any]] = []
        for item in self.items:
            rows.append(_claim_row(item))
            rows.extend(_part_row(item, part) for part in item.parts)
            rows.extend(_line_row(item, line) for line in item.lines)
        return pd.DataFrame(rows, columns=list(COLUMNS))


COLUMNS = (
    "claim",
    "part",
    "kind",
    "rule",
    "family",
    "model",
    "parameter",
    "direction",
    "delta",
    "estimate",
    "se",
    "ci_lower",
    "ci_upper",
    "p",
    "p_holm",
    "n",
    "method",
    "raw_estimate",
    "verdict",
    "reason",
    "robustness",
    "detail",
    "sentence",
)


#: Words instead of signs: a cell that begins with a sign is a formula to a spreadsheet.
_SIDE = {"+": "positive", "-": "negative"}


def _numbers(evidence: Evidence | None) -> dict[str, Any]:
    if evidence is None:
        return {}
    return {
        "estimate": evidence.estimate,
        "se": evidence.se,
        "ci_lower": evidence.ci_lower,
        "ci_upper": evidence.ci_upper,
        "n": evidence.nobs,
        "method": evidence.method,
        "raw_estimate": evidence.raw,
    }


def _claim_row(item: Verdict) -> dict[str, Any]:
    single = item.claim.primary[0] if len(item.claim.primary) == 1 else None
    row: dict[str, Any] = {
        "claim": item.claim.id,
        "part": "",
        "kind": "claim",
        "rule": item.claim.rule,
        "family": item.claim.family,
        "model": " ".join(item.models),
        "parameter": str(single.parameter) if single else "",
        "direction": _SIDE[single.direction] if single else "",
        "delta": single.delta if single else float("nan"),
        **(_numbers(item.evidence) if single else {}),
        "p": item.pvalue,
        "p_holm": item.p_holm,
        "n": item.nobs,
        "verdict": item.verdict,
        "reason": item.reason,
        "robustness": item.robustness,
        "detail": item.detail,
        "sentence": item.sentence,
    }
    return row


def _part_row(item: Verdict, part: PartVerdict) -> dict[str, Any]:
    return {
        "claim": item.claim.id,
        "part": part.part.id,
        "kind": "primary" if part.part.primary else "secondary",
        "rule": "R-PATH",
        "family": item.claim.family,
        "model": part.part.model,
        "parameter": str(part.part.parameter),
        "direction": _SIDE[part.part.direction],
        "delta": part.part.delta,
        **_numbers(part.evidence),
        "p": part.evidence.pvalue if part.evidence else float("nan"),
        "verdict": part.verdict,
        "reason": part.reason,
        "detail": part.detail,
    }


def _line_row(item: Verdict, line: LineVerdict) -> dict[str, Any]:
    return {
        "claim": item.claim.id,
        "part": line.line.id,
        "kind": "line",
        "rule": line.line.rule,
        "family": item.claim.family,
        "p": line.pvalue,
        "verdict": line.verdict,
        "reason": line.reason,
        "detail": line.detail,
    }
