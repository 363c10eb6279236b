"""What a fit to ordinal indicators may be asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from semkit.errors import NotSupportedError, OptionError, Problem, suggest
from semkit.fitting.options import Options, choose, draw_count


@dataclass(frozen=True, slots=True)
class OrdinalEstimator:
    """Weight of the moments (inverse covariance matrix, its inverse diagonal, none) and default errors and test."""

    weight: str
    se: str
    test: str


ORDINAL_ESTIMATORS: dict[str, OrdinalEstimator] = {
    "wlsmv": OrdinalEstimator("diagonal", "robust.sem", "scaled.shifted"),
    "wlsm": OrdinalEstimator("diagonal", "robust.sem", "satorra.bentler"),
    "wlsmvs": OrdinalEstimator("diagonal", "robust.sem", "mean.var.adjusted"),
    "dwls": OrdinalEstimator("diagonal", "robust.sem", "standard"),
    "wls": OrdinalEstimator("full", "standard", "standard"),
    "uls": OrdinalEstimator("none", "robust.sem", "standard"),
    "ulsm": OrdinalEstimator("none", "robust.sem", "satorra.bentler"),
    "ulsmv": OrdinalEstimator("none", "robust.sem", "scaled.shifted"),
    "ulsmvs": OrdinalEstimator("none", "robust.sem", "mean.var.adjusted"),
}
ORDINAL_ONLY = tuple(name for name in ORDINAL_ESTIMATORS if name not in ("wls", "uls"))
_ALLOWED: dict[str, tuple[str, ...]] = {
    "estimator": tuple(ORDINAL_ESTIMATORS),
    "missing": ("listwise", "pairwise"),
    "se": ("standard", "robust.sem", "none"),
    "test": ("standard", "satorra.bentler", "scaled.shifted", "mean.var.adjusted", "none"),
    "parameterization": ("delta", "theta"),
}
_ALIASES = {"robust": "robust.sem", "available.cases": "pairwise", "complete": "listwise", "chisq": "standard"}
_KNOWN = {
    "estimator": ("ml", "mlr", "mlm", "mlmv", "mlmvs", "mlf", "gls", "pml", "bayes"),
    "missing": ("fiml", "ml", "direct", "fiml.x", "two.stage", "robust.two.stage"),
    "se": ("bootstrap", "boot", "robust.huber.white"),
    "test": ("bollen.stine", "yuan.bentler", "yuan.bentler.mplus", "browne.residual.adf", "browne.residual.nt"),
}


def _choose(option: str, value: Any) -> str:
    text = str(value).strip().lower()
    text = _ALIASES.get(text, text)
    allowed = _ALLOWED[option]
    if text in allowed:
        return text
    if text in _KNOWN.get(option, ()):
        raise NotSupportedError(Problem("fitting.not-with-ordinal", f"{option}={value!r}",
                                        "is not offered for ordinal indicators", ", ".join(allowed),
                                        "Use one of them, or treat the items as numbers with estimator='mlr'."))
    raise OptionError(Problem("fitting.unknown-option-value", f"{option}={value!r}", "is not a known value",
                              ", ".join(allowed), suggest(text, allowed).strip() or "Choose one of them."))


def _bounds(name: str, parameterization: str) -> list[tuple[str, str, str]]:
    """Kinds of bounds that have no meaning under a parameterisation: what, why and what else."""
    if parameterization == "delta" and name in ("pos.var", "pos.ov.var"):
        return [(f"bounds={name!r}", "residual variances of responses are no parameters under delta",
                 "Use bounds='standard' or 'pos.lv.var', or parameterization='theta'.")]
    if parameterization == "theta" and name in ("standard", "wide"):
        return [(f"bounds={name!r}", "responses have no variance of their own under theta to take bounds from",
                 "Use parameterization='delta'.")]
    return []


def make_ordinal_options(call: str, ordered: tuple[str, ...], options: Mapping[str, Any]) -> Options:
    """Check options for ordinal indicators and fill in what the estimator implies.

    Raises
    ------
    OptionError
        ``fitting.unknown-option-value``.
    NotSupportedError
        ``fitting.not-with-ordinal``.
    """
    rest = dict(options)
    name = _choose("estimator", rest.pop("estimator", None) or "wlsmv")
    usual = ORDINAL_ESTIMATORS[name]
    se, test = rest.pop("se", None), rest.pop("test", None)
    tests = (test,) if isinstance(test, str) else tuple(test or (usual.test,))
    refused = []
    draws = rest.pop("bootstrap", None)
    if rest.pop("likelihood", "normal") != "normal":
        refused.append(("likelihood=", "there is no likelihood", "Leave it out."))
    if rest.pop("information", None) not in (None, "expected"):
        refused.append(("information=", "errors rest on derivatives and weights", "Leave it out."))
    kind = _choose("parameterization", rest.pop("parameterization", None) or "delta")
    rest["bounds"] = choose("bounds", rest.get("bounds") or "none")
    refused += _bounds(rest["bounds"], kind)
    if "intercepts" in rest.get("effect_coding", ()):
        refused.append(("effect_coding=", "ordinal variables have thresholds instead of intercepts",
                        "Use effect_coding='loadings'."))
    if rest.get("auxiliary"):
        refused.append(("auxiliary=", "is not offered", "Leave it out."))
    if rest.get("meanstructure") is False:
        refused.append(("meanstructure=False", "thresholds need it", "Leave it out."))
    if rest.get("fixed_x") is False:
        refused.append(("fixed_x=False", "covariates are always given", "Leave it out."))
    rest.pop("conditional_x", None)
    if refused:
        raise NotSupportedError(*(Problem("fitting.not-with-ordinal", where, f"with ordinal indicators: {what}",
                                          "the defaults", fix) for where, what, fix in refused))
    return Options(
        call=call, estimator=name, missing=_choose("missing", rest.pop("missing", "listwise")), information="expected",
        se=_choose("se", se) if se is not None else usual.se,
        test=tuple(dict.fromkeys(("standard", *(_choose("test", one) for one in tests)))), ordered=ordered,
        parameterization=kind,
        bootstrap=0 if draws is None or draws is False else draw_count(draws), seed=rest.pop("seed", None),
        **rest | {"conditional_x": True},
    )
