"""Least squares as array functions: robust covariance, influence, standardising, resampling."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from semkit.result import FloatArray

ErrorKind = Literal["classical", "HC0", "HC1", "HC2", "HC3", "HC4"]
ERROR_KINDS: tuple[str, ...] = get_args(ErrorKind)


DECIDES = 1e-9
"""A leverage closer to 1 than this is 1."""


def undetermined(design: FloatArray) -> NDArray[np.bool_]:
    """Coefficients that a single row decides (leverage 1): least squares knows nothing of their error.

    The others are those of the fit without that row (and without the column it decides).

    Parameters
    ----------
    design : ndarray (n, k)

    Returns
    -------
    ndarray (k,) of bool
    """
    alone = leverage(design) > 1.0 - DECIDES
    root = np.linalg.pinv(design)
    scale = np.abs(root).max(axis=1)
    return np.asarray((np.abs(root[:, alone]) > 1e-8 * scale[:, None]).any(axis=1))


def leverage(design: FloatArray) -> FloatArray:
    """Diagonal of the hat matrix ``X (X'X)^-1 X'``, from the QR decomposition.

    Parameters
    ----------
    design : ndarray (n, k)

    Returns
    -------
    ndarray (n,)
    """
    q, _ = np.linalg.qr(design)
    return np.asarray(np.sum(q * q, axis=1))


def residual_weights(hat: FloatArray, n_coef: int, kind: ErrorKind) -> FloatArray:
    r"""Multipliers ``m_i`` such that the HC covariance is built from ``(m_i e_i)^2``.

    HC0: 1 (White 1980).  HC1: ``sqrt(n / (n - k))`` (Hinkley 1977).  HC2:
    ``(1 - h_i)^(-1/2)`` and HC3: ``(1 - h_i)^-1`` (MacKinnon & White 1985).  HC4:
    ``(1 - h_i)^(-d_i / 2)``, ``d_i = min(4, n h_i / k)``
    (Cribari-Neto 2004, Computational Statistics & Data Analysis 45, 215-233).

    Parameters
    ----------
    hat : ndarray (n,)
        Leverages.
    n_coef : int
        k, the number of coefficients with the intercept.
    kind : {"HC0", "HC1", "HC2", "HC3", "HC4"}

    Returns
    -------
    ndarray (n,)
    """
    n = hat.shape[0]
    # a row that alone decides a coefficient has residual 0 and leverage 1: it adds nothing to the others
    hat = np.where(hat > 1.0 - DECIDES, 0.0, hat)
    if kind == "HC1":
        return np.full(n, np.sqrt(n / (n - n_coef)))
    if kind == "HC2":
        return np.asarray((1.0 - hat) ** -0.5)
    if kind == "HC3":
        return np.asarray(1.0 / (1.0 - hat))
    if kind == "HC4":
        return np.asarray((1.0 - hat) ** (-0.5 * np.minimum(4.0, n * hat / n_coef)))
    return np.ones(n)


def coefficient_influence(design: FloatArray, residual: FloatArray, kind: ErrorKind) -> FloatArray:
    """Rows ``psi_i = (X'X)^-1 x_i m_i e_i``; ``psi' psi`` is the HC covariance matrix.

    Parameters
    ----------
    design : ndarray (n, k)
    residual : ndarray (n,)
    kind : {"HC0", ..., "HC4"}

    Returns
    -------
    ndarray (n, k)
    """
    multiplier = residual_weights(leverage(design), design.shape[1], kind)
    return np.asarray(np.linalg.pinv(design).T * (multiplier * residual)[:, None])


def coefficient_covariance(design: FloatArray, residual: FloatArray, kind: ErrorKind) -> FloatArray:
    """Covariance matrix of least-squares coefficients.

    ``"classical"`` is ``s^2 (X'X)^-1`` with ``s^2 = e'e / (n - k)``; the others are
    sandwiches, see :func:`residual_weights`.

    Returns
    -------
    ndarray (k, k)
    """
    n, k = design.shape
    if kind == "classical":
        root = np.linalg.pinv(design)
        return np.asarray(root @ root.T * (residual @ residual) / (n - k))
    psi = coefficient_influence(design, residual, kind)
    return np.asarray(psi.T @ psi)


def inflation(design: FloatArray, weights: FloatArray | None = None) -> FloatArray:
    """Variance inflation factors ``1 / (1 - R_j^2)`` of the non-constant columns.

    They are the diagonal of the inverse correlation matrix (Marquardt 1970).

    Parameters
    ----------
    design : ndarray (n, k)
        First column: the intercept.
    weights : ndarray (n,), optional

    Returns
    -------
    ndarray (k,)
        NaN for the intercept.
    """
    cov = np.atleast_2d(np.cov(design[:, 1:], rowvar=False, aweights=weights))
    sd = np.sqrt(np.diagonal(cov))
    corr = cov / np.outer(sd, sd)
    return np.concatenate([[np.nan], np.diag(np.linalg.inv(corr))])


def standardise(coef: FloatArray, variance: FloatArray, powers: FloatArray, outcome_variance: FloatArray) -> FloatArray:
    """Standardised coefficients ``b_j prod_v sd(v)^powers[j, v] / sd(y)``.

    A product counts the SDs of its factors, never its own; a 0/1 variable counts 1 (power 0).

    Parameters
    ----------
    coef : ndarray (..., k)
    variance : ndarray (..., v)
        Variances of the variables that may scale a coefficient.
    powers : ndarray (k, v)
        1 where variable v scales coefficient j, else 0.
    outcome_variance : ndarray (...)

    Returns
    -------
    ndarray (..., k)
    """
    scale = np.exp(0.5 * np.log(variance) @ powers.T)
    return np.asarray(coef * scale / np.sqrt(outcome_variance)[..., None])


def _variance_influence(values: FloatArray) -> FloatArray:
    """Rows ``((v_i - mean)^2 - s^2) / (n - 1)``: influence of each case on the variances."""
    squares = (values - values.mean(axis=0)) ** 2
    return np.asarray((squares - squares.mean(axis=0)) / (values.shape[0] - 1))


def standardised_covariance(
    design: FloatArray,
    residual: FloatArray,
    coef: FloatArray,
    scaling: FloatArray,
    outcome: FloatArray,
    powers: FloatArray,
    kind: ErrorKind,
) -> FloatArray:
    r"""Delta-method covariance of standardised coefficients; the SDs are random, too.

    With the joint covariance ``J`` of ``(b, s_v^2, s_y^2)`` and
    ``d b*_j / d b_j = b*_j / b_j``, ``d b*_j / d s_v^2 = powers b*_j / (2 s_v^2)``,
    ``d b*_j / d s_y^2 = -b*_j / (2 s_y^2)``, the result is ``D J D'``.

    For HC kinds ``J`` is the sum of outer products of the cases' influence functions (for
    the coefficients those of the sandwich, so the block of ``b`` is exactly the HC matrix);
    nothing is assumed about distributions (Dudgeon 2017).  For ``"classical"`` the errors are
    taken as normal, homoscedastic and independent of the predictors, which gives
    ``cov(b, s_v^2) = 0``, ``cov(b, s_y^2) = 2 s^2 (X'X)^-1 X'f / (n - 1)`` with the centred
    fitted values ``f``, and ``var(s_y^2) = var(s_f^2) + (4 s^2 s_f^2 + 2 s^4) / (n - 1)``;
    the distribution of the predictors stays free.

    Parameters
    ----------
    design : ndarray (n, k)
    residual, outcome : ndarray (n,)
    coef : ndarray (k,)
    scaling : ndarray (n, v)
        Values of the variables whose SDs scale coefficients.
    powers : ndarray (k, v)
    kind : {"classical", "HC0", ..., "HC4"}

    Returns
    -------
    ndarray (k, k)

    References
    ----------
    Dudgeon (2017), Psychometrika 82, 928-951.  Yuan & Chan (2011), Psychometrika 76, 670-690.
    """
    k, v = powers.shape
    variance, out_var = scaling.var(axis=0, ddof=1), outcome.var(ddof=1)
    joint = np.zeros((k + v + 1, k + v + 1))
    if kind == "classical":
        n = design.shape[0]
        fitted = (outcome - residual) - (outcome - residual).mean()
        s2 = float(residual @ residual) / (n - k)
        spread = _variance_influence(np.column_stack([scaling, fitted]))
        joint[k:, k:] = spread.T @ spread
        joint[-1, -1] += (4.0 * s2 * fitted.var(ddof=1) + 2.0 * s2 * s2) / (n - 1)
        joint[:k, :k] = coefficient_covariance(design, residual, kind)
        joint[:k, -1] = joint[-1, :k] = 2.0 * s2 * (np.linalg.pinv(design) @ fitted) / (n - 1)
    else:
        psi = np.column_stack(
            [coefficient_influence(design, residual, kind), _variance_influence(np.column_stack([scaling, outcome]))]
        )
        joint = psi.T @ psi
    return scaled_covariance(coef, variance, float(out_var), powers, joint)


def scaled_covariance(
    coef: FloatArray, variance: FloatArray, outcome_variance: float, powers: FloatArray, joint: FloatArray
) -> FloatArray:
    """``D J D'`` of :func:`standardised_covariance` from the joint covariance ``(k + v + 1, k + v + 1)``."""
    scale = standardise(np.ones(len(coef)), variance, powers, np.asarray(outcome_variance))
    std = coef * scale
    by_variance = std[:, None] * powers / (2.0 * variance)
    derivative = np.column_stack([np.diag(scale), by_variance, -std / (2.0 * outcome_variance)])
    return np.asarray(derivative @ joint @ derivative.T)


def resampled_fits(
    design: FloatArray, outcome: FloatArray, scaling: FloatArray, counts: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Least squares for many resamples at once, from weighted cross-products.

    ``X' diag(c) X`` for all draws is one matrix product of the counts with the cases'
    outer products; the solves are batched.

    Parameters
    ----------
    design : ndarray (n, k)
    outcome : ndarray (n,)
    scaling : ndarray (n, v)
    counts : ndarray (B, n)
        How often each case is in each draw.

    Returns
    -------
    coef : ndarray (B, k)
    variance : ndarray (B, v)
    outcome_variance : ndarray (B,)
    ok : ndarray (B,) of bool
        False where the draw's design is singular (its coefficients are NaN).
    """
    n, k = design.shape
    table = np.column_stack([design, outcome])
    outer = (table[:, :, None] * table[:, None, :]).reshape(n, -1)
    cross = (counts @ outer).reshape(-1, k + 1, k + 1)
    gram, right = cross[:, :k, :k], cross[:, :k, k]
    # the pivots are judged on the correlation scale, so that units do not matter
    diagonal = np.sqrt(np.einsum("bii->bi", gram))
    ok = np.all(diagonal > 0, axis=1)
    safe = np.where(diagonal > 0, diagonal, 1.0)
    scaled = gram / safe[:, :, None] / safe[:, None, :]
    ok &= np.linalg.eigvalsh(scaled)[:, 0] > 1e-10
    scaled[~ok] = np.eye(k)
    coef = np.linalg.solve(scaled, (right / safe)[..., None])[..., 0] / safe
    coef[~ok] = np.nan
    columns = np.column_stack([scaling, outcome])
    columns = columns - columns.mean(axis=0)  # a shift loses no digits here and changes no variance
    total = counts.sum(axis=1)[:, None]
    mean = counts @ columns / total
    var = (counts @ columns**2 / total - mean**2) * total / (total - 1.0)
    ok &= np.all(var > 0, axis=1)
    return coef, var[:, :-1], var[:, -1], ok
