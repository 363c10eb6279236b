"""Words: names for people, plain-language answers, sentences of the method section and the works it cites."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from semkit.report import rounding
from semkit.report.content import Claim, Evidence, ModelPart, ReportContent

VERDICT = {
    "supported": "Supported",
    "contradicted": "Contradicted",
    "inconclusive": "Inconclusive",
    "not_testable": "Not testable",
}
SIGN = {"supported": "✓", "contradicted": "✕", "inconclusive": "○", "not_testable": "–"}
"""A sign beside each verdict, so that colour carries nothing alone."""

REASON = {
    "effect": "the effect is on the claimed side and large enough",
    "opposite": "the effect is on the other side of zero",
    "negligible": "an effect as large as the smallest effect of interest is ruled out",
    "imprecise": "the interval is too wide to decide",
    "too_small": "the sign is clear, but the effect is below the smallest effect of interest",
}

REFERENCES = {
    "arbuckle": "Arbuckle, J. L. (1996). Full information estimation in the presence of incomplete data. In G. A. "
    "Marcoulides & R. E. Schumacker (Eds.), Advanced structural equation modeling (pp. 243–277). Lawrence Erlbaum.",
    "holm": "Holm, S. (1979). A simple sequentially rejective multiple test procedure. Scandinavian Journal of "
    "Statistics, 6(2), 65–70.",
    "lakens": "Lakens, D. (2017). Equivalence tests: A practical primer for t tests, correlations, and meta-analyses. "
    "Social Psychological and Personality Science, 8(4), 355–362.",
    "berger": "Berger, R. L. (1982). Multiparameter hypothesis testing and acceptance sampling. Technometrics, 24(4), "
    "295–300.",
    "marsh": "Marsh, H. W., Wen, Z., & Hau, K.-T. (2004). Structural equation models of latent interactions: "
    "Evaluation of alternative estimation strategies and indicator construction. Psychological Methods, 9(3), "
    "275–300.",
    "lin": "Lin, G.-C., Wen, Z., Marsh, H. W., & Lin, H.-S. (2010). Structural equation models of latent interactions: "
    "Clarification of orthogonalizing and double-mean-centering strategies. Structural Equation Modeling, 17(3), "
    "374–391.",
    "yuan": "Yuan, K.-H., & Bentler, P. M. (2000). Three likelihood-based methods for mean and covariance structure "
    "analysis with nonnormal missing data. Sociological Methodology, 30(1), 165–200.",
    "davison": "Davison, A. C., & Hinkley, D. V. (1997). Bootstrap methods and their application. Cambridge University "
    "Press.",
    "mcdonald": "McDonald, R. P. (1999). Test theory: A unified treatment. Lawrence Erlbaum.",
    "fornell": "Fornell, C., & Larcker, D. F. (1981). Evaluating structural equation models with unobservable "
    "variables and measurement error. Journal of Marketing Research, 18(1), 39–50.",
    "henseler": "Henseler, J., Ringle, C. M., & Sarstedt, M. (2015). A new criterion for assessing discriminant "
    "validity in variance-based structural equation modeling. Journal of the Academy of Marketing Science, 43(1), "
    "115–135.",
    "aiken": "Aiken, L. S., & West, S. G. (1991). Multiple regression: Testing and interpreting interactions. Sage.",
    "bollen": "Bollen, K. A. (1996). An alternative two stage least squares (2SLS) estimator for latent variable "
    "equations. Psychometrika, 61(1), 109–121.",
    "bollenpaxton": "Bollen, K. A., & Paxton, P. (1998). Interactions of latent variables in structural equation "
    "models. Structural Equation Modeling, 5(3), 267–293.",
    "dawson": "Dawson, J. F., & Richter, A. W. (2006). Probing three-way interactions in moderated multiple "
    "regression: Development and application of a slope difference test. Journal of Applied Psychology, 91(4), "
    "917–926.",
    "edwards": "Edwards, J. R., & Parry, M. E. (1993). On the use of polynomial regression equations as an "
    "alternative to difference scores in organizational research. Academy of Management Journal, 36(6), 1577–1613.",
    "hayes": "Hayes, A. F. (2015). An index and test of linear moderated mediation. Multivariate Behavioral Research, "
    "50(1), 1–22.",
    "klein": "Klein, A., & Moosbrugger, H. (2000). Maximum likelihood estimation of latent interaction effects with "
    "the LMS method. Psychometrika, 65(4), 457–474.",
    "kleinmuthen": "Klein, A. G., & Muthén, B. O. (2007). Quasi-maximum likelihood estimation of structural equation "
    "models with multiple interaction and quadratic effects. Multivariate Behavioral Research, 42(4), 647–673.",
    "little": "Little, T. D., Bovaird, J. A., & Widaman, K. F. (2006). On the merits of orthogonalizing powered and "
    "product terms: Implications for modeling interactions among latent variables. Structural Equation Modeling, "
    "13(4), 497–519.",
    "preacher": "Preacher, K. J., Rucker, D. D., & Hayes, A. F. (2007). Addressing moderated mediation hypotheses: "
    "Theory, methods, and prescriptions. Multivariate Behavioral Research, 42(1), 185–227.",
    "rosseel": "Rosseel, Y., & Loh, W. W. (2024). A structural after measurement approach to structural equation "
    "modeling. Psychological Methods, 29(3), 561–588.",
    "skrondal": "Skrondal, A., & Laake, P. (2001). Regression among factor scores. Psychometrika, 66(4), 563–575.",
    "bauer": "Bauer, D. J., & Curran, P. J. (2005). Probing interactions in fixed and multilevel regression: "
    "Inferential and graphical techniques. Multivariate Behavioral Research, 40(3), 373–400.",
}


LONGEST, LONGEST_ITEM = 48, 28


PROBED = {
    "Probe": "It was probed by simple slopes and Johnson–Neyman regions (Bauer & Curran, 2005).",
    "TwoModerators": "Simple slopes were compared at combinations of two moderators (Aiken & West, 1991; Dawson & "
    "Richter, 2006).",
    "ConditionalEffects": "Direct and indirect effects were taken at values of the moderators, with indices of "
    "moderated mediation (Hayes, 2015; Preacher et al., 2007).",
    "ResponseSurface": "The surface was described by its shape along the lines of congruence and incongruence and by "
    "its principal axes (Edwards & Parry, 1993).",
}
"""Kind of probe -> what the method section says of it."""


def name_of(variable: str, labels: Mapping[str, str]) -> str:
    """Text for people of a variable; a product ``a:b`` becomes ``A × B``."""
    if variable in labels:
        return labels[variable]
    if ":" in variable:
        return " × ".join(labels.get(part, part) for part in variable.split(":"))
    return variable


def parameter_of(lhs: str, op: str, rhs: str, labels: Mapping[str, str]) -> str:
    """A parameter in words and arrows; an indicator whose label is a whole question keeps its name."""
    left, right = name_of(lhs, labels), name_of(rhs, labels)
    if len(right) > (LONGEST_ITEM if op == "=~" else LONGEST):
        right = rhs.replace(":", " × ")
    if len(left) > LONGEST:
        left = lhs.replace(":", " × ")
    match op:
        case "=~":
            return f"{left} → {right}"
        case "~":
            return f"{left} ← {right}"
        case "~~":
            return f"Variance of {left}" if lhs == rhs else f"{left} ↔ {right}"
        case "~1":
            return f"Intercept of {left}"
        case ":=":
            return labels.get(lhs, lhs)
        case _:
            return f"{left} {op} {right}".strip()


def sentence(text: str) -> str:
    """``text`` with a full stop at its end, unless it ends in a sign already or is empty."""
    text = text.strip()
    return text if not text or text[-1] in ".!?:…" else f"{text}."


def deciding(claim: Claim) -> Evidence | None:
    """The part that decides: the only one, or of several the one with the largest p (the weakest link)."""
    parts = [part for part in claim.parts if part.decides and math.isfinite(part.est)]
    return max(parts, key=lambda part: part.pvalue if math.isfinite(part.pvalue) else -1.0, default=None)


def evidence_phrase(part: Evidence) -> str:
    """``total effect = .52, 95 % CI [.43, .61], p < .001``."""
    pieces = [
        f"{part.meaning or part.name}{rounding.BLANK}={rounding.BLANK}{rounding.number(part.est, leading=False)}",
        f"95{rounding.THIN}% CI {rounding.interval(part.ci_lower, part.ci_upper, leading=False)}",
        rounding.p_phrase(part.pvalue),
    ]
    return ", ".join(piece for piece in pieces if piece)


def answer(claim: Claim) -> str:
    """The verdict as one or two plain sentences (the study's own answer if it gives one)."""
    if claim.answer:
        return claim.answer
    part = deciding(claim)
    primary = [p for p in claim.parts if p.decides]
    several = len(primary) > 1
    shown = ""
    if part is not None:
        shown = f" {'Its weakest part' if several else 'Estimate'}: {evidence_phrase(part)}."
    smallest = rounding.number(part.delta, leading=False) if part is not None else rounding.ABSENT
    match claim.verdict, claim.reason:
        case "supported", _:
            whole = f"all {len(primary)} parts of the claim" if several else "the claim"
            return f"Yes. The data are consistent with {whole}.{shown}"
        case "contradicted", "opposite":
            return f"No. The effect runs against the claim.{shown}"
        case "contradicted", _:
            return f"No. An effect as large as the smallest effect of interest ({smallest}) is ruled out.{shown}"
        case "inconclusive", "too_small" | "imprecise" if several:
            good = sum(p.verdict == "supported" for p in primary)
            if good == len(primary):
                return f"Not decided. Every part holds by itself. {sentence(claim.detail)}{shown}"
            return f"Not decided. The data support {good} of the {len(primary)} parts the claim needs.{shown}"
        case "inconclusive", "too_small":
            return f"Not decided. The sign is as claimed, but the effect is smaller than {smallest}.{shown}"
        case "inconclusive", "imprecise" if not claim.detail:
            return f"Not decided. The data allow both no effect and one that matters.{shown}"
        case "inconclusive", _:
            return f"Not decided. {sentence(claim.detail or REASON.get(claim.reason, claim.reason))}{shown}"
        case _:
            why = claim.detail or REASON.get(claim.reason, claim.reason)
            return f"These data cannot answer the claim. {why}".strip()


def method_paragraphs(content: ReportContent) -> tuple[str, ...]:
    """Paragraphs to paste into a paper, worded from what the report holds."""
    if content.method_text:
        return content.method_text
    pieces = (_sample(content), _measures(content), *map(_model, content.models), _decision(content))
    return tuple(piece for piece in pieces if piece)


def _sample(content: ReportContent) -> str:
    flow = content.flow
    if flow is None or len(flow.steps) < 2:
        return ""
    first, last = flow.steps[0], flow.steps[-1]
    gone = [(reason, n) for step in flow.steps for reason, n in step.left if n]
    why = "; ".join(f"{reason}, n{rounding.BLANK}={rounding.BLANK}{rounding.count(n)}" for reason, n in gone)
    return (
        f"Of {rounding.count(first.count)} records received, {rounding.count(last.count)} were analysed"
        + (f" (left out: {why})" if why else "")
        + ". Rules for exclusion were fixed in the study file, and every exclusion is a row of the ledger."
    )


def _range(values: Sequence[float]) -> str:
    known = [v for v in values if isinstance(v, int | float) and math.isfinite(v)]
    if not known:
        return ""
    low, high = (rounding.number(f(known), leading=False) for f in (min, max))
    return low if low == high else f"{low} to {high}"


def _measures(content: ReportContent) -> str:
    quality = content.quality
    if quality is None or quality.constructs.empty:
        return ""
    table = quality.constructs
    said = []
    for column, words in (("alpha", "coefficient alpha"), ("omega", "omega (McDonald, 1999)"),
                          ("ave", "average variance extracted (Fornell & Larcker, 1981)")):  # fmt: skip
        span = _range(list(table[column])) if column in table else ""
        if span:
            said.append(f"{words} was {span}")
    text = f"{len(table)} constructs were measured; " + ", ".join(said) + "." if said else ""
    if not quality.htmt.empty:
        ratios = quality.htmt.to_numpy(dtype=float)
        known = [float(v) for (i, j), v in np.ndenumerate(ratios) if i != j and math.isfinite(v)]
        if known:
            largest = rounding.number(max(known), leading=False)
            text += f" The largest heterotrait–monotrait ratio (Henseler et al., 2015) was {largest}."
    return text.strip()


def _model(model: ModelPart) -> str:
    title = model.id if not model.title or model.title == model.id else f"{model.id} ({model.title})"
    text = f"Model {title} was estimated on {rounding.count(model.nobs)} respondents"
    text += f" by {model.method}." if model.method else "."
    if any(note.code == "sample.full-information" for note in model.notes):
        text += " Respondents with missing answers were used by full information (Arbuckle, 1996)."
    text += "".join(f" {said}" for said in (model.interaction, model.product_test) if said)
    said = dict.fromkeys(PROBED.get(type(probe).__name__, PROBED["Probe"]) for probe in model.probes)
    text += "".join(f" {words}" for words in said)
    if model.draws_requested:
        text += (
            f" Intervals and p values of interactions and of products of paths are percentile bootstrap ones "
            f"({rounding.count(model.draws_requested)} draws; {rounding.count(model.draws_failed)} did not converge, "
            f"{rounding.count(model.draws_inadmissible)} were inadmissible; Davison & Hinkley, 1997)."
        )
    fit = model.fit_measures
    if math.isfinite(fit.get("cfi", math.nan)):
        robust = "cfi.robust" in fit and math.isfinite(fit["cfi.robust"])
        tail = ".robust" if robust else ""
        scaled = ".scaled" if "chisq.scaled" in fit and math.isfinite(fit["chisq.scaled"]) else ""
        kind = "Yuan–Bentler scaled (Yuan & Bentler, 2000) " if scaled else ""
        text += (
            f" Fit: {kind}χ²({rounding.count(fit.get('df' + scaled, fit.get('df')))}) = "
            f"{rounding.number(fit.get('chisq' + scaled))}, {rounding.p_phrase(fit.get('pvalue' + scaled))}, "
            f"CFI = {rounding.number(fit.get('cfi' + tail), 3, leading=False)}, "
            f"RMSEA = {rounding.number(fit.get('rmsea' + tail), 3, leading=False)}, "
            f"SRMR = {rounding.number(fit.get('srmr'), 3, leading=False)}" + (" (robust versions)." if robust else ".")
        )
    return text


def has_latent_product(model: ModelPart) -> bool:
    """Whether a product factor is measured by product indicators."""
    frame = model.estimates
    return not frame.empty and bool(((frame["op"] == "=~") & frame["lhs"].astype(str).str.contains(":")).any())


def _decision(content: ReportContent) -> str:
    if not content.claims:
        return ""
    deltas = sorted({p.delta for c in content.claims for p in c.parts if math.isfinite(p.delta)})
    said = ", ".join(rounding.number(d, leading=False) for d in deltas)
    text = (
        "A claim counts as supported when the 95 % interval of its standardised effect lies on the claimed side, its "
        "p value after Holm's (1979) correction over the claims of its family is below .05, and the estimate reaches "
        f"the smallest effect of interest{f' ({said})' if said else ''}; as contradicted when the interval rules out "
        "an effect of that size (Lakens, 2017); and as inconclusive otherwise."
    )
    if any(sum(p.decides for p in c.parts) > 1 for c in content.claims):
        text += " A claim of several parts needs every part (intersection–union test; Berger, 1982)."
    return text + " The rules and the sizes are part of the study file."


def references(content: ReportContent) -> tuple[str, ...]:
    """Works the method text cites, in alphabetical order."""
    if content.references or content.method_text:
        return content.references
    text = " ".join(method_paragraphs(content))
    cites = {
        "holm": "Holm", "lakens": "Lakens", "berger": "Berger", "marsh": "Marsh", "lin": "Lin et al.",
        "davison": "Davison", "mcdonald": "McDonald", "fornell": "Fornell", "henseler": "Henseler",
        "arbuckle": "Arbuckle", "bauer": "Bauer", "yuan": "Yuan &", "aiken": "Aiken", "bollen": "Bollen, 1996",
        "bollenpaxton": "Bollen & Paxton", "dawson": "Dawson", "edwards": "Edwards & Parry", "hayes": "Hayes",
        "klein": "Klein & Moosbrugger", "kleinmuthen": "Klein & Muthén", "little": "Little et al.",
        "preacher": "Preacher et al.", "rosseel": "Rosseel", "skrondal": "Skrondal",
    }  # fmt: skip
    keys = {key for key, mark in cites.items() if mark in text}
    return tuple(sorted(REFERENCES[key] for key in keys))
