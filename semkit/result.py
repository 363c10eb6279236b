"""The one contract every result keeps: what probe, verdict and report may ask of it.

A latent-variable fit, a regression, a pooled or a resampled result all offer the same
names.  Whoever reads results reads only these.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from semkit.errors import Note, OptionError, Problem, spelling

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Reference:
    """Reference distribution of ``est / se``: standard normal, or t with ``df``."""

    kind: Literal["z", "t"] = "z"
    df: float | None = None


@dataclass(frozen=True, eq=False)
class Variable:
    """What is known of one observed or latent variable of a result.

    Parameters
    ----------
    name : str
    kind : {"observed", "latent"}
    mean, sd : float
        Moments in the analysed sample (observed) or implied by the model (latent).
    minimum, maximum : float
        Range of ``values``; NaN when there are none.
    values : ndarray (nobs,) or None
        Observed values, or factor scores (regression method) of a latent variable.
    center : float
        What was subtracted before a product was formed; 0 for latent variables.  The slope
        of ``y`` on ``x`` at moderator value ``w`` is ``b_x + b_xw * (w - center)``.
    binary : bool
        Takes the values 0 and 1 only: a standardised coefficient does not rescale it.
    group : str
        Group label, empty for one-group results.
    """

    name: str
    kind: Literal["observed", "latent"]
    mean: float
    sd: float
    minimum: float = float("nan")
    maximum: float = float("nan")
    values: FloatArray | None = None
    center: float = 0.0
    binary: bool = False
    group: str = ""


@dataclass(frozen=True, slots=True)
class Term:
    """One term of one equation: ``factors`` has one name for a main effect, two or three for a product.

    ``name`` is the entry of ``Result.names`` that holds its coefficient.
    """

    outcome: str
    factors: tuple[str, ...]
    name: str
    group: str = ""


@runtime_checkable
class Result(Protocol):
    """What every result offers.

    Attributes
    ----------
    method : str
        Short name for headers, for example ``"MLR"``, ``"OLS (HC3)"``.
    names : tuple of str (k,)
        One name per quantity: the label if it has one, else ``"lhs op rhs"`` (``".g2"`` style suffixes
        for groups).  Free parameters first, then defined parameters (``:=``).
    est, std_est : ndarray (k,)
        Estimates, raw and fully standardised (binary predictors: outcome only; products
        ``b * sd(a) * sd(b) / sd(y)``, never the product term's own SD).
    vcov, std_vcov : ndarray (k, k)
        Covariance matrices of these (delta method for defined and standardised ones).
    draws, std_draws : ndarray (B, k) or None
        Bootstrap draws that converged and were admissible, in the same order.
    reference : Reference
    variables : Mapping of str to Variable
        By name; those of later groups as ``name.g2`` ...
    terms : tuple of Term
    nobs_received, nobs : int
        Respondents given and respondents used.
    converged, admissible : bool
    notes : tuple of Note
    recipe : Any
        Frozen description from which the result can be made again.
    provenance : Mapping of str to Any
        Versions, seed, counts of draws (``draws_requested``, ``draws_failed``, ``draws_inadmissible``) ...
    """

    @property
    def method(self) -> str: ...
    @property
    def names(self) -> tuple[str, ...]: ...
    @property
    def est(self) -> FloatArray: ...
    @property
    def vcov(self) -> Any: ...  # ndarray, or a DataFrame with names on both axes
    @property
    def draws(self) -> FloatArray | None: ...
    @property
    def std_est(self) -> FloatArray: ...
    @property
    def std_vcov(self) -> Any: ...
    @property
    def std_draws(self) -> FloatArray | None: ...
    @property
    def reference(self) -> Reference: ...
    @property
    def variables(self) -> Mapping[str, Variable]: ...
    @property
    def terms(self) -> tuple[Term, ...]: ...
    @property
    def nobs_received(self) -> int: ...
    @property
    def nobs(self) -> int: ...
    @property
    def converged(self) -> bool: ...
    @property
    def admissible(self) -> bool: ...
    @property
    def notes(self) -> tuple[Note, ...]: ...
    @property
    def recipe(self) -> Any: ...
    @property
    def provenance(self) -> Mapping[str, Any]: ...


@dataclass(frozen=True, slots=True)
class Quantity:
    """An estimate with its uncertainty; p and interval always come from the same method."""

    name: str
    est: float
    se: float
    ci_lower: float
    ci_upper: float
    pvalue: float
    method: Literal["normal", "t", "percentile"]
    level: float = 0.95


def percentile_pvalue(draws: FloatArray) -> FloatArray:
    """Two-sided p from bootstrap draws: ``2 (1 + min(#<=0, #>=0)) / (B + 1)``, at most 1.

    Parameters
    ----------
    draws : ndarray (B, ...)

    Returns
    -------
    ndarray (...)

    References
    ----------
    Davison & Hinkley (1997), Bootstrap Methods and their Application, eq. 4.11 (the ``+ 1`` rule).
    """
    below = np.sum(draws <= 0.0, axis=0)
    above = np.sum(draws >= 0.0, axis=0)
    pvalue: FloatArray = np.minimum(1.0, 2.0 * (1.0 + np.minimum(below, above)) / (draws.shape[0] + 1.0))
    return pvalue


def percentile_interval(draws: FloatArray, level: float = 0.95) -> tuple[FloatArray, FloatArray]:
    """Ends of the percentile interval: the order statistics ``(B + 1) alpha / 2`` from either end, rounded outwards.

    It leaves 0 out exactly when :func:`percentile_pvalue` is at most ``1 - level``.  With fewer than ``2 / alpha - 1``
    draws the ends are the smallest and the largest draw.

    Parameters
    ----------
    draws : ndarray (B, ...)
    level : float

    Returns
    -------
    lower, upper : ndarray (...)

    References
    ----------
    Davison & Hinkley (1997), sec. 5.2.1 and 5.3.1.
    """
    count = draws.shape[0]
    rank = max(int(np.floor((count + 1) * 0.5 * (1.0 - level) + 1e-9)), 1)
    ordered = np.partition(draws, (rank - 1, count - rank), axis=0)
    return np.asarray(ordered[rank - 1]), np.asarray(ordered[count - rank])


def summarise(
    name: str,
    est: float,
    se: float,
    *,
    draws: FloatArray | None = None,
    reference: Reference | None = None,
    level: float = 0.95,
) -> Quantity:
    """Interval and p of one number, from its draws if there are any, else from its standard error."""
    reference = reference or Reference()
    if draws is not None and draws.size:
        lower, upper = percentile_interval(draws, level)
        return Quantity(
            name, est, float(np.std(draws, ddof=1)) if draws.size > 1 else float("nan"),
            float(lower), float(upper), float(percentile_pvalue(draws)), "percentile", level,
        )
    from scipy.special import ndtr, ndtri, stdtr, stdtrit

    if reference.kind == "t" and reference.df is not None:
        crit = float(stdtrit(reference.df, 0.5 + level / 2.0))
        pvalue = 2.0 * float(stdtr(reference.df, -abs(est / se))) if se > 0 else float("nan")
        return Quantity(name, est, se, est - crit * se, est + crit * se, pvalue, "t", level)
    crit = float(ndtri(0.5 + level / 2.0))
    pvalue = 2.0 * float(ndtr(-abs(est / se))) if se > 0 else float("nan")
    return Quantity(name, est, se, est - crit * se, est + crit * se, pvalue, "normal", level)


def quantity(
    result: Result,
    name: str,
    *,
    standardized: bool = False,
    method: Literal["auto", "draws", "normal"] = "auto",
    level: float = 0.95,
) -> Quantity:
    """Return one named quantity of a result with interval and p.

    Parameters
    ----------
    result : Result
    name : str
        An entry of ``result.names``.
    standardized : bool
    method : {"auto", "draws", "normal"}
        ``"auto"`` uses draws when the result has them.
    level : float

    Raises
    ------
    OptionError
        ``result.unknown-name`` for a name the result does not have; ``result.no-draws``.
    """
    if name not in result.names:
        raise OptionError(
            Problem(
                "result.unknown-name", f'quantity "{name}"', "the result has no such parameter",
                ", ".join(result.names), spelling(name, result.names),
            )
        )
    index = result.names.index(name)
    est = result.std_est if standardized else result.est
    vcov = np.asarray(result.std_vcov if standardized else result.vcov, dtype=float)
    draws = result.std_draws if standardized else result.draws
    if method == "draws" and draws is None:
        raise OptionError(
            Problem("result.no-draws", f'quantity "{name}"', "the result has no bootstrap draws", "method='normal'",
                    "Fit with bootstrap=2000 to have draws.")
        )
    column = draws[:, index] if draws is not None and method != "normal" else None
    se = float(np.sqrt(max(vcov[index, index], 0.0)))
    return summarise(name, float(est[index]), se, draws=column, reference=result.reference, level=level)
