"""What a fit may be asked for, checked once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from semkit.errors import NotSupportedError, OptionError, Problem, suggest
from semkit.fitting.estimators import ESTIMATORS, RESIDUAL, SCALED

_ALLOWED: dict[str, tuple[str, ...]] = {
    "estimator": tuple(ESTIMATORS),
    "missing": ("listwise", "fiml", "fiml.x", "two.stage", "robust.two.stage"),
    "information": ("expected", "observed", "first.order"),
    "likelihood": ("normal", "wishart"),
    "se": ("standard", "robust.huber.white", "robust.sem", "bootstrap", "two.stage", "robust.two.stage", "none"),
    "composites_cov": ("fixed", "free", "known"),
    "bounds": ("none", "standard", "wide", "pos.var", "pos.ov.var", "pos.lv.var"),
    "test": ("standard", *SCALED, *RESIDUAL, "bollen.stine", "bartlett", "swain", "yuan", "yuan.tian.yanagihara",
             "none"),
}
_PLAIN_ML = "Use estimator='ml' or 'mlr'."
_OTHERS = ("dwls", "wlsmv", "wlsm", "ulsmv", "pml", "bayes")
_COMPLETE = "Use missing='fiml' or 'listwise'; the number of respondents used is shown."
_GAPS = ("pairwise", "available.cases")
_LATER: dict[str, dict[str, str]] = {
    "estimator": dict.fromkeys(_OTHERS, _PLAIN_ML),
    "missing": dict.fromkeys(_GAPS, _COMPLETE),
}
_ALIASES: dict[str, dict[str, str]] = {
    "se": {"robust": "robust.huber.white", "boot": "bootstrap", "robust.mlr": "robust.huber.white",
           "robust.mlm": "robust.sem"},
    "test": {"chisq": "standard", "mlr": "yuan.bentler.mplus", "mlm": "satorra.bentler", "mlmv": "scaled.shifted",
             "mlmvs": "mean.var.adjusted", "browne": "browne.residual.adf", "bootstrap": "bollen.stine",
             "boot": "bollen.stine"},
    "information": {"first_order": "first.order"},
    "missing": {"complete": "listwise", "ml": "fiml", "direct": "fiml", "ml.x": "fiml.x", "direct.x": "fiml.x",
                "two_stage": "two.stage", "robust_two_stage": "robust.two.stage"},
}


@dataclass(frozen=True, slots=True)
class Options:
    """Checked options of a fit (see :func:`semkit.fitting.sem` for their meaning)."""

    call: str = "sem"
    estimator: str = "ml"
    missing: str = "listwise"
    information: str = "expected"
    likelihood: str = "normal"
    se: str = "standard"
    test: tuple[str, ...] = ("standard",)
    fixed_x: bool = True
    conditional_x: bool = False
    meanstructure: bool | None = None
    std_lv: bool = False
    orthogonal: bool = False
    group: str | None = None
    group_equal: tuple[str, ...] = ()
    group_partial: tuple[str, ...] = ()
    effect_coding: tuple[str, ...] = ()
    bounds: str = "none"
    auxiliary: tuple[str, ...] = ()
    ordered: tuple[str, ...] = ()
    parameterization: str = "delta"
    composites_cov: str = "fixed"
    bootstrap: int = 0
    seed: int | None = None

    @property
    def fiml(self) -> bool:
        """Whether respondents with gaps are used by full information."""
        return self.missing in ("fiml", "fiml.x")

    @property
    def two_stage(self) -> bool:
        """Whether the model is fitted to saturated moments of data with gaps."""
        return self.missing in ("two.stage", "robust.two.stage")

    @property
    def scaled(self) -> str:
        """The corrected test that the ``.scaled`` measures come from (the first one asked for), or ``""``."""
        return next((name for name in self.test if name in SCALED), "")

    @property
    def robust(self) -> bool:
        """Whether a scaled test is part of the fit."""
        return bool(self.scaled)

    @property
    def least_squares(self) -> bool:
        """Whether the discrepancy is a sum of weighted squares of residual moments."""
        return bool(self.ordered) or ESTIMATORS[self.estimator].least_squares

    @property
    def unbiased(self) -> bool:
        """Whether moments have divisor ``N - 1`` and statistics the factor ``N - 1``."""
        return self.likelihood == "wishart" or self.least_squares


def choose(option: str, value: Any) -> str:
    """One checked option value in its plain spelling.

    Raises
    ------
    OptionError
        ``fitting.unknown-option-value``.
    NotSupportedError
        ``fitting.not-supported``: a value of other software that is not offered.
    """
    allowed = _ALLOWED[option]
    text = str(value).strip().lower()
    text = _ALIASES.get(option, {}).get(text, text)
    if text in allowed:
        return text
    if text in _LATER.get(option, {}):
        raise NotSupportedError(
            Problem("fitting.not-supported", f"{option}={value!r}", "is not offered", ", ".join(allowed),
                    _LATER[option][text])
        )
    raise OptionError(
        Problem("fitting.unknown-option-value", f"{option}={value!r}", "is not a known value", ", ".join(allowed),
                suggest(text, allowed).strip() or "Choose one of them.")
    )


def draw_count(value: Any) -> int:
    """A checked number of bootstrap draws."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1:
        raise OptionError(Problem("fitting.bootstrap-count", f"bootstrap={value!r}", "is not a number of draws",
                                  "a whole number, 1 or more", "Write for example bootstrap=2000."))
    return int(value)


def make_options(
    call: str, *, estimator: str, missing: str, information: str | None, likelihood: str, se: str | None,
    test: str | tuple[str, ...] | list[str] | None, bootstrap: int | None, seed: int | None, **rest: Any,
) -> Options:
    """Check options and fill in what the estimator implies (:data:`semkit.fitting.estimators.ESTIMATORS`)."""
    name = choose("estimator", estimator)
    usual = ESTIMATORS[name]
    tests = (test,) if isinstance(test, str) else tuple(test or (usual.test,))
    chosen = tuple(dict.fromkeys(("standard", *(choose("test", one) for one in tests))))
    draws = 0 if bootstrap is None or bootstrap is False else draw_count(bootstrap)
    if str(se).strip().lower() == "robust" and usual.se != "robust.huber.white" and name != "ml":
        se = "robust.sem"
    errors = choose("se", se) if se is not None else usual.se
    if errors == "bootstrap" and draws == 0:
        draws = 1000
    if likelihood != "normal" and name != "ml":
        raise OptionError(Problem("fitting.contradictory-options", f"likelihood={likelihood!r}",
                                  f"does not go with estimator={estimator!r}", "likelihood='normal'",
                                  "Use estimator='ml' or leave likelihood out."))
    gaps = choose("missing", missing)
    rest["bounds"] = choose("bounds", rest.get("bounds", "none"))
    rest["composites_cov"] = choose("composites_cov", rest.get("composites_cov", "fixed"))
    filled = gaps in ("fiml", "fiml.x")
    ordinary = "observed" if filled and name != "mlf" else usual.information
    kind = choose("information", information) if information is not None else ordinary
    if filled:
        _full_information(name, likelihood, chosen, errors, rest)
    if gaps in ("two.stage", "robust.two.stage"):
        chosen, errors = _two_stages(name, gaps, likelihood, test, se, draws, rest)
    elif rest.get("auxiliary") and gaps == "listwise":
        raise OptionError(Problem("fitting.auxiliary-without-gaps", "auxiliary=",
                                  "does nothing with missing='listwise'",
                                  "missing='fiml' or 'two.stage'", "Choose how missing values are treated."))
    if kind == "first.order" and any(one in SCALED for one in chosen):
        raise OptionError(Problem("fitting.contradictory-options", f"information={kind!r}",
                                  "does not go with a corrected test", "information='expected' or 'observed'",
                                  "Use another information, or test='standard'."))
    if rest.get("conditional_x"):
        _given_covariates(kind, chosen)
    if usual.least_squares:
        _least_squares(name, kind, chosen, errors, rest)
        rest = rest | {"fixed_x": False}
    return Options(
        call=call, estimator=name, missing=gaps, information=kind,
        likelihood=choose("likelihood", likelihood), se=errors, test=chosen, bootstrap=draws, seed=seed, **rest,
    )


def _given_covariates(information: str, tests: tuple[str, ...]) -> None:
    """Refuse tests that are not defined for the moments given covariates."""
    other = [name for name in tests if name in SCALED and name != "yuan.bentler.mplus"]
    refused = [f"test={name!r}" for name in tests if name == "browne.residual.adf.model"]
    refused += [f"information='observed', test={name!r}" for name in other if information == "observed"]
    if refused:
        raise NotSupportedError(*(
            Problem("fitting.not-with-conditional-x", where, "is not offered for moments given covariates",
                    "information='expected', fixed_x=True", "Use fixed_x=True instead.") for where in refused))


def _least_squares(
    estimator: str, information: str, tests: tuple[str, ...], errors: str, rest: dict[str, Any]
) -> None:
    """Refuse what has no meaning without a likelihood, or is not offered without one, all at once."""
    refused = []
    if errors == "robust.huber.white":
        refused.append((f"se={errors!r}", "its sandwich is made of the likelihood's scores", "Use se='robust.sem'."))
    if information == "first.order":
        refused.append((f"information={information!r}", "there are no scores of a likelihood",
                        "Use information='expected'."))
    for name in tests:
        if name.startswith("yuan.bentler"):
            refused.append((f"test={name!r}", "it corrects a likelihood ratio", "Use test='satorra.bentler'."))
    if rest.get("conditional_x"):
        refused.append(("conditional_x=True", "the likelihood given covariates is fitted only", "Leave it out."))
    if refused:
        raise NotSupportedError(*(
            Problem("fitting.not-with-least-squares", where, f"with estimator={estimator!r}: {what}",
                    "estimator='ml' or 'mlr'", fix) for where, what, fix in refused
        ))


def _full_information(
    estimator: str, likelihood: str, tests: tuple[str, ...], errors: str, rest: dict[str, Any]
) -> None:
    """Refuse what is not defined or not offered with missing='fiml', all at once."""
    remedy = "Use estimator='ml' or 'mlr', or missing='listwise'."
    refused = []
    complete = {*SCALED, *RESIDUAL} - {"yuan.bentler.mplus", "browne.residual.nt.model"}
    if ESTIMATORS[estimator].se == "robust.sem" or ESTIMATORS[estimator].least_squares:
        refused.append((f"estimator={estimator!r}", "needs complete data", remedy))
    refused += [(f"test={name!r}", "needs complete data", remedy) for name in tests if name in complete]
    if errors == "robust.sem":
        refused.append((f"se={errors!r}", "needs complete data", remedy))
    if likelihood != "normal":
        refused.append((f"likelihood={likelihood!r}", "is defined for complete data only", "Leave likelihood out."))
    if rest.get("conditional_x"):
        refused.append(("conditional_x=True", "is fitted to complete data only", "Use fixed_x=True instead."))
    if rest.get("meanstructure") is False:
        refused.append(("meanstructure=False", "full information needs the means", "Leave meanstructure out."))
    if refused:
        raise NotSupportedError(*(
            Problem("fitting.not-with-fiml", where, f"with missing='fiml': {what}", "estimator='ml' or 'mlr'", fix)
            for where, what, fix in refused
        ))


def _two_stages(
    estimator: str, missing: str, likelihood: str, test: Any, se: Any, draws: int, rest: dict[str, Any]
) -> tuple[tuple[str, ...], str]:
    """Tests and errors of two-stage estimation; what it does not go with is refused, all at once."""
    refused = []
    if estimator != "ml":
        refused.append((f"estimator={estimator!r}", "has errors and tests of its own",
                        "Leave estimator out; missing='robust.two.stage' is robust."))
    if likelihood != "normal":
        refused.append((f"likelihood={likelihood!r}", "is defined for complete data only", "Leave likelihood out."))
    if draws:
        refused.append(("bootstrap=", "does not resample incomplete data", "Use missing='robust.two.stage'."))
    if rest.get("conditional_x"):
        refused.append(("conditional_x=True", "is fitted to complete data only", "Use fixed_x=True instead."))
    if rest.get("meanstructure") is False:
        refused.append(("meanstructure=False", "the first stage estimates means", "Leave meanstructure out."))
    if se is not None and str(se).lower() not in ("two.stage", "robust.two.stage", "none", missing):
        refused.append((f"se={se!r}", "ignores the first stage", "Leave se out."))
    names = {str(one).lower() for one in ((test,) if isinstance(test, str) else test or ())}
    if not names <= {"standard", "satorra.bentler", "none"}:
        refused.append((f"test={test!r}", "ignores the first stage", "Leave test out."))
    if refused:
        raise NotSupportedError(*(
            Problem("fitting.not-with-two-stage", where, f"with missing={missing!r}: {what}", "estimator='ml'", fix)
            for where, what, fix in refused
        ))
    return ("standard", "satorra.bentler"), "none" if se == "none" else missing
