"""Latent products in a report: by which method they were estimated, and what they add to the model without them."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from semkit.report import rounding
from semkit.report.quality import Labels
from semkit.report.table import Table
from semkit.report.wording import name_of

if TYPE_CHECKING:
    from semkit.report.content import ModelPart

NAN = float("nan")

_BY = {
    "lms": "latent moderated structural equations (Klein & Moosbrugger, 2000)",
    "qml": "quasi-maximum likelihood (Klein & Muthén, 2007)",
    "sam": "the structural-after-measurement approach (Rosseel & Loh, 2024)",
    "factor_score": "regression on factor scores of two kinds (Skrondal & Laake, 2001)",
    "2sls": "two-stage least squares with model-implied instruments (Bollen, 1996; Bollen & Paxton, 1998)",
}
_CENTRED = {
    "double": "double mean centring (Lin et al., 2010; Marsh et al., 2004)",
    "mean": "mean centring (Marsh et al., 2004)",
    "residual": "residual centring (Little et al., 2006)",
}
_METHODS = {
    "LMS": "maximum likelihood of the model with its products (LMS)",
    "QML": "quasi-maximum likelihood (QML)",
    "SAM": "structure after measurement (SAM)",
    "2SLS": "two-stage least squares (2SLS)",
}
_ERRORS = {"ML": "", "MLR": "robust (sandwich) standard errors", "robust": "robust standard errors"}


def estimated_by(fit: Any) -> str:
    """The sentence on how latent products were estimated; empty without any."""
    method = getattr(fit.recipe, "interaction", None)
    name = method.lower() if isinstance(method, str) else type(method).__name__.lower()
    if name in ("product", "productindicators"):
        frame = fit.estimates
        if not ((frame["op"] == "=~") & frame["lhs"].astype(str).str.contains(":")).any():
            return ""
        pairs = "all pairs of" if getattr(method, "match", "") == "all" else "matched"
        centred = _CENTRED[getattr(method, "centering", "double")]
        return f"The latent interaction was estimated by {pairs} product indicators with {centred}."
    if name not in _BY or not any(len(term.factors) > 1 for term in fit.terms):
        return ""
    nodes = getattr(getattr(getattr(fit, "moderated", None), "method", None), "nodes", None)
    points = f", {nodes} integration points for each integrated variable" if nodes else ""
    return f"Products of latent variables were estimated by {_BY[name]}{points}."


def method_of(method: str) -> str:
    """``LMS (MLR)`` in words; empty for other methods."""
    found = re.fullmatch(r"([A-Z0-9]+)(?: \((\w+)\))?", method)
    if found is None or found.group(1) not in _METHODS:
        return ""
    errors = _ERRORS.get(found.group(2) or "", "")
    return _METHODS[found.group(1)] + (f" with {errors}" if errors else "")


def without_products(fit: Any) -> dict[str, float]:
    """R2 of outcomes in the model without its products, where the fit knows it."""
    change = getattr(fit, "r2_change", None)
    if change is None:
        return {}
    return {str(name): float(value) for name, value in zip(change["name"], change["r2_linear"], strict=True)}


def product_table(models: Iterable[ModelPart]) -> Table:
    """Models estimated by the likelihood of their products, each beside itself without them."""
    table = Table.of(
        [
            ("model", "Model", "text"), ("received", "N received", "count"), ("n", "N used", "count"),
            ("logl", "Log-likelihood", "number"), ("npar", "Parameters", "count"), ("aic", "AIC", "number"),
            ("bic", "BIC", "number"), ("chisq", "χ² of the products", "number"), ("df", "df", "count"), ("p", "p", "p"),
        ],
        caption="Models with and without their products",
    )  # fmt: skip
    for model in models:
        fit = model.fit_measures
        if "logl.linear" not in fit:
            continue
        for tail, head in (("", model.id), (".linear", f"{model.id}, without products")):
            test = dict(zip(("chisq", "df", "p"), _test(fit), strict=True))
            table = table.add(
                model=head, received=model.nobs_received, n=model.nobs, logl=fit.get("logl" + tail),
                npar=fit.get("npar" + tail), aic=fit.get("aic" + tail), bic=fit.get("bic" + tail),
                **(dict.fromkeys(test, NAN) if tail else test),
            )  # fmt: skip
    return table.note(
        "Both log-likelihoods are of the same answers on one scale; χ² compares them, scaled where standard errors are "
        "robust. Such models have no χ² against all covariance matrices, and no CFI or RMSEA."
    )


def _test(fit: Mapping[str, float]) -> tuple[float, float, float]:
    """Likelihood ratio of the products, scaled where the errors are robust: statistic, degrees of freedom, p."""
    tail = ".scaled" if "chisq.diff.scaled" in fit else ""
    return fit.get("chisq.diff" + tail, NAN), fit.get("df.diff", NAN), fit.get("pvalue.diff" + tail, NAN)


def r2_table(model: ModelPart, labels: Labels) -> Table:
    """Explained variance, one row an outcome; with and without the products where both are known."""
    columns: list[tuple[str, str, str]] = [("name", "Variable", "text"), ("r2", "R²", "std")]
    if model.r2_linear:
        columns += [("linear", "Without products", "std"), ("change", "Change", "std")]
    table = Table.of(columns, caption=f"Explained variance in {model.id}")
    for name, value in model.r2.items():
        linear = model.r2_linear.get(str(name), NAN)
        more = {"linear": linear, "change": value - linear} if model.r2_linear else {}
        table = table.add(name=name_of(str(name), labels), r2=value, **more)
    return table


def said_of_change(measures: Mapping[str, float]) -> str:
    """The likelihood ratio test of the products, in one sentence; empty when there is none."""
    stat, df, p = _test(measures)
    if not (math.isfinite(stat) and math.isfinite(df)):
        return ""
    scaled = "scaled " if "chisq.diff.scaled" in measures else ""
    return (
        f"Against the model without products: {scaled}χ²({rounding.count(df)}) = {rounding.number(stat)}, "
        f"{rounding.p_phrase(p)}."
    )
