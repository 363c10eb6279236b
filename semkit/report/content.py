"""What a report is made of: plain frozen records of raw numbers, filled by ``study``, drawn by ``document``.

Nothing here is rounded, escaped or worded for HTML: numbers are floats (NaN for 'not estimated'), texts are as
their authors wrote them.  Every part but the title may be empty; the report then leaves its section out or says
in one line that it was not computed, so that one table that fails never removes the others.

The functions of ``semkit.report.reading`` make these parts from the records of the other rooms:
``read_fit(fit, ...) -> ModelPart``, ``read_validation(validation) -> QualityPart``, ``read_flow(cleaned) -> Flow``,
``read_verdicts(verdicts) -> tuple[Claim, ...]``.

Examples
--------
>>> content = ReportContent(title="Border study", claims=(Claim("H-B1", "Networks raise performance", "supported"),))
>>> content.claims[0].verdict
'supported'
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from semkit.errors import Note

NAN = float("nan")


@dataclass(frozen=True, slots=True)
class Evidence:
    """One part of a claim: the number it rests on, and how its rule read that number.

    Parameters
    ----------
    id : str
        ``"H-B1.0"``.
    name : str
        The quantity: label or expression of the model (``"total"``, ``"b3"``).
    meaning : str
        The quantity in words, ``"indirect effect through market access"``; may be empty.
    model : str
        ``ModelPart.id`` of the model it comes from.
    rule : str
        ``"R-PATH"`` ...
    direction : {"+", "-", ""}
        The side the claim says.
    est, se, ci_lower, ci_upper, pvalue, p_holm : float
        Standardised estimate (the metric of ``delta``) with interval and p of the same method.
    raw_est : float
        The same quantity in raw units.
    delta : float
        Smallest effect of interest, positive, in the metric of ``est``.
    n : int or None
        Respondents used.
    method : str
        ``"normal"``, ``"t"`` or ``"percentile"``.
    verdict, reason : str
        As of :class:`Claim`.
    decides : bool
        False for parts that are printed beside the claim and do not count.
    """

    id: str
    name: str
    meaning: str = ""
    model: str = ""
    rule: str = ""
    direction: str = "+"
    est: float = NAN
    se: float = NAN
    ci_lower: float = NAN
    ci_upper: float = NAN
    pvalue: float = NAN
    p_holm: float = NAN
    raw_est: float = NAN
    delta: float = NAN
    n: int | None = None
    method: str = ""
    verdict: str = ""
    reason: str = ""
    decides: bool = True


@dataclass(frozen=True, slots=True)
class Gate:
    """One gate of a claim: ``passed`` is True, False, or None when it does not apply."""

    id: str
    what: str
    passed: bool | None
    value: str = ""


@dataclass(frozen=True, slots=True)
class Check:
    """One robustness check: the claim's deciding number again, under another analysis.

    ``est`` and the interval are standardised as in :class:`Evidence`; ``agrees`` is None when the check could not run
    (``remark`` then says why).
    """

    id: str
    label: str
    est: float = NAN
    ci_lower: float = NAN
    ci_upper: float = NAN
    pvalue: float = NAN
    n: int | None = None
    verdict: str = ""
    agrees: bool | None = None
    remark: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """A further reading of a claim's parts ("through all three"), printed under the claim; not a second verdict."""

    id: str
    text: str
    rule: str = ""
    verdict: str = ""
    reason: str = ""
    pvalue: float = NAN


@dataclass(frozen=True, slots=True)
class Claim:
    """A claim and its verdict.

    Parameters
    ----------
    id : str
        ``"H-B1"``.
    statement : str
        The claim in English.
    verdict : {"supported", "contradicted", "inconclusive", "not_testable"}
    reason : str
        Reason code of the verdict (``"imprecise"``, ``"too_small"``, ``"opposite"``, ``"negligible"``, a gate ...).
    statement_local : str
        The claim in the questionnaire's language; ``local_language`` is its BCP-47 tag.
    answer : str
        Plain-language answer; when empty the report words it from verdict, reason and evidence.
    caveat : str
        The fixed sentence about association.
    family, rule : str
        Holm family, decision rule.
    pvalue, p_holm : float
        The claim's one p and the same after Holm.
    parts : tuple of Evidence
    readings : tuple of Reading
    gates : tuple of Gate
    detail : str
        The rule's own words about how it came to the verdict.
    robustness : {"robust", "mixed", "fragile", ""}
    checks : tuple of Check
    """

    id: str
    statement: str
    verdict: str
    reason: str = ""
    statement_local: str = ""
    local_language: str = "id"
    answer: str = ""
    caveat: str = ""
    family: str = ""
    rule: str = ""
    pvalue: float = NAN
    p_holm: float = NAN
    parts: tuple[Evidence, ...] = ()
    readings: tuple[Reading, ...] = ()
    detail: str = ""
    gates: tuple[Gate, ...] = ()
    robustness: str = ""
    checks: tuple[Check, ...] = ()


@dataclass(frozen=True, slots=True)
class FlowStep:
    """One box of the respondents' flow: who is left, and who left just before (reason, count)."""

    label: str
    count: int
    left: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Flow:
    """Respondents from received to analysed.

    Parameters
    ----------
    steps : tuple of FlowStep
        First ``received``, last the analysed sample.  ``count[i] = count[i - 1] - sum(left[i])``.
    branches : tuple of (label, count)
        Models and the respondents each used, drawn under the last box.
    """

    steps: tuple[FlowStep, ...]
    branches: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, eq=False)
class QualityPart:
    """Quality of the instruments.

    Parameters
    ----------
    constructs : DataFrame
        One row a construct: ``construct``, ``label``, ``items`` (number), ``n``, ``alpha``, ``omega``, ``cr``,
        ``ave``; optional ``alpha_lower``, ``alpha_upper``, ``mean``, ``sd``, ``missing`` (share).
    htmt : DataFrame
        Square, construct names on both axes (either triangle may be NaN).
    items : DataFrame
        One row an item: ``item``, ``label``, ``construct``, ``n``, ``missing``, ``mean``, ``sd``, ``floor``,
        ``ceiling`` (shares), ``loading``, ``item_rest``; columns may be absent.
    fit : DataFrame
        One row a measurement model: ``model``, ``chisq``, ``df``, ``pvalue``, ``cfi``, ``rmsea``, ``srmr``, ``n``.
    notes : tuple of Note
    """

    constructs: pd.DataFrame = field(default_factory=pd.DataFrame)
    htmt: pd.DataFrame = field(default_factory=pd.DataFrame)
    items: pd.DataFrame = field(default_factory=pd.DataFrame)
    fit: pd.DataFrame = field(default_factory=pd.DataFrame)
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True, eq=False)
class Agreement:
    """A second engine's numbers for the same model.

    ``table`` has ``name``, ``est``, ``other`` and ``difference_se`` (difference in standard errors) for every compared
    parameter; ``agrees`` is None when the second engine could not run (``remark`` says why).
    """

    engine: str
    version: str = ""
    agrees: bool | None = None
    compared: int = 0
    largest: float = NAN
    tolerance: float = NAN
    table: pd.DataFrame = field(default_factory=pd.DataFrame)
    remark: str = ""


@dataclass(frozen=True, eq=False)
class ModelPart:
    """One fitted model.

    Parameters
    ----------
    id, title : str
    estimates : DataFrame
        ``lhs op rhs group label est se z pvalue ci_lower ci_upper std_all`` and, where there, ``std_se``,
        ``std_ci_lower``, ``std_ci_upper``.  The diagram is drawn from it too.
    fit_measures : Mapping of str to float
        Under lavaan's dotted names; scaled and robust ones beside the naive ones where they apply.
    r2, r2_linear : Mapping of str to float
        Explained variance, and the same in the model without latent products where that is known.
    interaction : str
        The sentence on how latent products were estimated; ``product_test`` says how the model without them does.
    nobs_received, nobs : int
    method : str
        Estimator and test, ``"MLR, Yuan-Bentler test, percentile bootstrap (2000 draws)"``.
    converged, admissible : bool
    text : str
        The expanded model, as fitted, printed and hashed.
    probes : tuple of Probe, TwoModerators, ConditionalEffects or ResponseSurface
    agreement : Agreement or None
    notes : tuple of Note
    controls : tuple of str
        Observed covariates the diagram folds into one node and the table prints apart.
    draws_requested, draws_failed, draws_inadmissible : int
    """

    id: str
    title: str = ""
    estimates: pd.DataFrame = field(default_factory=pd.DataFrame)
    fit_measures: Mapping[str, float] = field(default_factory=dict)
    r2: Mapping[str, float] = field(default_factory=dict)
    nobs_received: int = 0
    nobs: int = 0
    method: str = ""
    converged: bool = True
    admissible: bool = True
    text: str = ""
    probes: tuple[Any, ...] = ()
    agreement: Agreement | None = None
    notes: tuple[Note, ...] = ()
    controls: tuple[str, ...] = ()
    draws_requested: int = 0
    draws_failed: int = 0
    draws_inadmissible: int = 0
    r2_linear: Mapping[str, float] = field(default_factory=dict)
    interaction: str = ""
    product_test: str = ""


@dataclass(frozen=True, eq=False)
class ReportContent:
    """Everything a report prints.

    Parameters
    ----------
    title : str
    subtitle, authors, date : str
        As the study file gives them (``date`` as text, not reformatted).
    synthetic : str
        Not empty: the sentence of the banner, for example ``"Invented data; no respondent exists."``.
    summary : str
        Optional paragraph above the verdicts.
    claims : tuple of Claim
    flow : Flow or None
    quality : QualityPart or None
    models : tuple of ModelPart
    labels : Mapping of str to str
        Variable name -> text for people, used in tables, diagrams and plots.
    method_text : tuple of str
        Paragraphs to paste into a paper; when empty the report words them from the other parts.
    references : tuple of str
        Full citations of what ``method_text`` cites; when empty, those of the methods used.
    notes : tuple of (str, Note)
        Diagnoses of the study's stages: (stage or model, note).  Notes inside parts are collected as well.
    provenance : Mapping of str to Mapping of str to str
        Section -> key -> value: ``{"Versions": {"semkit": "0.1.0"}, "Inputs": {"responses.csv": "sha256 ..."}}``.
    """

    title: str
    subtitle: str = ""
    authors: str = ""
    date: str = ""
    synthetic: str = ""
    summary: str = ""
    claims: tuple[Claim, ...] = ()
    flow: Flow | None = None
    quality: QualityPart | None = None
    models: tuple[ModelPart, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    method_text: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    notes: tuple[tuple[str, Note], ...] = ()
    provenance: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
