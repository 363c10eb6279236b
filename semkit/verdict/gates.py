"""Gates: preconditions of a verdict, as pure functions from figures to checks.

A gate that fails makes a claim ``not_testable``; G7 (fit of the measurement part) only caps it at ``inconclusive``.
All figures belong to the respondents the model used.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields

from semkit.verdict.records import GateCheck


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Limits of the gates; every one can be set in the study file and is printed in the report.

    Parameters
    ----------
    n : int
        G1, smallest number of respondents used.
    omega : float
        G3, smallest omega of a reflective construct.
    htmt : float
        G4, largest heterotrait-monotrait ratio between two constructs of a claim (must stay below).
    sd : float
        G5, smallest standard deviation on the 1-5 answer scale.
    group_n : int
        G5, smallest group for claims about group parameters.
    cfi, rmsea, srmr : float
        G7, fit of the measurement part (robust versions).
    """

    n: int = 150
    omega: float = 0.60
    htmt: float = 0.90
    sd: float = 0.30
    group_n: int = 100
    cfi: float = 0.90
    rmsea: float = 0.08
    srmr: float = 0.08

    @classmethod
    def names(cls) -> tuple[str, ...]:
        return tuple(item.name for item in fields(cls))


def sample_size(nobs: int, minimum: int) -> GateCheck:
    """G1: enough respondents used by the model."""
    return GateCheck("G1", nobs >= minimum, nobs, minimum, "n", "respondents used by the model")


def estimation(converged: bool, admissible: bool, identified: bool = True) -> tuple[GateCheck, ...]:
    """G2: converged, identified, no negative variance."""
    return (
        GateCheck("G2", converged, float(converged), 1.0, "not_converged", "the estimation converged"),
        GateCheck("G2", identified, float(identified), 1.0, "not_identified", "the model is identified"),
        GateCheck("G2", admissible, float(admissible), 1.0, "not_admissible", "no negative variance"),
    )


def unavailable(what: str) -> GateCheck:
    """G2 when the model could not be estimated at all; ``what`` says why."""
    return GateCheck("G2", False, 0.0, 1.0, "no_model", what)


def omitted(what: str) -> GateCheck:
    """G8 when the data lack a variable the model needs."""
    return GateCheck("G8", False, 0.0, 1.0, "no_variable", what)


def reliability(omegas: Mapping[str, float], minimum: float) -> tuple[GateCheck, ...]:
    """G3: omega of every reflective construct of the claim; an omega that cannot be computed does not pass."""
    return tuple(
        GateCheck("G3", bool(value >= minimum), value, minimum, "reliability", "omega", name)
        for name, value in omegas.items()
    )


def distinctness(htmt: Mapping[tuple[str, str], float], limit: float) -> tuple[GateCheck, ...]:
    """G4: the constructs of the claim are distinct (HTMT below the limit; Henseler, Ringle & Sarstedt 2015).

    A ratio that cannot be computed (NaN: items of one construct do not correlate positively) does not pass.
    """
    return tuple(
        GateCheck("G4", bool(value < limit), value, limit, "htmt", "HTMT", f"{first} and {second}")
        for (first, second), value in htmt.items()
    )


def variation(sds: Mapping[str, float], minimum: float) -> tuple[GateCheck, ...]:
    """G5: the respondents differ in every construct of the claim (SD of its mean on the answer scale)."""
    return tuple(
        GateCheck("G5", bool(value >= minimum), value, minimum, "variation", "standard deviation", name)
        for name, value in sds.items()
    )


def group_sizes(sizes: Mapping[str, int], minimum: int) -> tuple[GateCheck, ...]:
    """G5 for claims about group parameters: every group is large enough."""
    return tuple(
        GateCheck("G5", size >= minimum, size, minimum, "group_n", "respondents in the group", name)
        for name, size in sizes.items()
    )


def measurement_fit(cfi: float, rmsea: float, srmr: float, limits: Thresholds) -> tuple[GateCheck, ...]:
    """G7: fit of the measurement part; caps the verdict at ``inconclusive``.

    NaN (a measurement part without degrees of freedom) passes: such a part cannot misfit.
    """

    def check(name: str, value: float, limit: float, higher: bool) -> GateCheck:
        good = math.isnan(value) or (value >= limit if higher else value <= limit)
        return GateCheck("G7", good, value, limit, "fit", name, "measurement part", caps=True)

    return (
        check("CFI", cfi, limits.cfi, True),
        check("RMSEA", rmsea, limits.rmsea, False),
        check("SRMR", srmr, limits.srmr, False),
    )


def blocking(checks: tuple[GateCheck, ...]) -> GateCheck | None:
    """The first failed gate that makes a claim not testable."""
    return next((check for check in checks if not check.passed and not check.caps), None)


def capping(checks: tuple[GateCheck, ...]) -> GateCheck | None:
    """The first failed gate that caps a verdict at inconclusive."""
    return next((check for check in checks if not check.passed and check.caps), None)
