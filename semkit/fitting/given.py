"""Moments that were given instead of data: checked, put in the model's order, with their sampling covariances."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from semkit.errors import ModelError, Note, OptionError, Problem, spelling
from semkit.estimate.weights import places
from semkit.fitting.estimators import SCALED
from semkit.fitting.options import Options
from semkit.model import ParameterTable
from semkit.sample import GroupMoments, Moments
from semkit.sample.dependence import require_positive_definite

FloatArray = NDArray[np.float64]
Given = Moments | Mapping[str, Moments]


def parts_of(moments: Given) -> tuple[Moments, ...]:
    """The moments group by group."""
    return (moments,) if isinstance(moments, Moments) else tuple(moments.values())


def labels_of(moments: Given) -> tuple[str, ...]:
    """Group labels; one empty one without groups."""
    return ("",) if isinstance(moments, Moments) else tuple(str(name) for name in moments)


def given_moments(
    moments: Given, table: ParameterTable, options: Options
) -> tuple[tuple[GroupMoments, ...], tuple[FloatArray, ...] | None]:
    """Moments of each group in the model's order, and ``Gamma`` if it was given and is needed.

    Raises
    ------
    OptionError
        ``fitting.no-raw-data``, ``fitting.no-gamma``, ``fitting.no-means``, ``fitting.gamma-with-covariates``.
    ModelError
        ``fitting.unknown-variable``.
    SampleError
        ``sample.not-positive-definite``.
    """
    wanted = _needs_gamma(options)
    _require(moments, table, options, wanted)
    names = table.variables.ov
    out, gamma = [], []
    for part in parts_of(moments):
        pick = [part.names.index(name) for name in names]
        mean = part.vector if part.vector is not None else np.zeros(len(part.names))
        cov = part.matrix[np.ix_(pick, pick)]
        require_positive_definite(cov, names)
        out.append(GroupMoments(mean[pick][None], cov[None], np.zeros((1, 0)), float(part.nobs)))
        if wanted:
            gamma.append(_picked(part, pick, table.meanstructure))
    return tuple(out), tuple(gamma) if wanted else None


def _needs_gamma(options: Options) -> str:
    """The option that needs the covariance matrix of the moments; empty when none does."""
    if options.estimator == "wls":
        return "estimator='wls'"
    if options.se == "robust.sem":
        return "se='robust.sem'"
    tests = {*SCALED, "browne.residual.adf"} - {"yuan.bentler.mplus"}
    return next((f"test={name!r}" for name in options.test if name in tests), "")


def _require(moments: Given, table: ParameterTable, options: Options, wanted: str) -> None:
    parts = parts_of(moments)
    raw = ("yuan.bentler.mplus", "browne.residual.adf.model")
    problems = []
    if options.se == "robust.huber.white" or options.information == "first.order" or set(raw) & set(options.test):
        problems.append(Problem("fitting.no-raw-data", "moments=", "sums over respondents need raw data",
                                "estimator='ml', 'gls' or 'uls'; 'mlm' or 'wls' with Moments(gamma=)",
                                "Pass data, or use another estimator."))
    if wanted and any(part.gamma is None for part in parts):
        problems.append(Problem("fitting.no-gamma", f"moments=, {wanted}", "needs the covariances of the moments",
                                "Moments(..., gamma=)", "Give gamma=, pass data, or use estimator='ml'."))
    if wanted and np.any(table.exo):
        problems.append(Problem("fitting.gamma-with-covariates", f"moments=, {wanted}",
                                "gamma says how moments vary with the covariates, which are held fixed",
                                "fixed_x=False", "Set fixed_x=False."))
    if table.meanstructure and any(part.vector is None for part in parts):
        problems.append(Problem("fitting.no-means", "moments=", "the model has a mean structure but no means",
                                "Moments(cov, mean, nobs)", "Give the means or leave the intercepts out."))
    if problems:
        raise OptionError(*problems)
    lacking = [(name, part) for part in parts for name in table.variables.ov if name not in part.names]
    if lacking:
        raise ModelError(*(Problem("fitting.unknown-variable", f'variable "{name}"', "is not in the moments",
                                   ", ".join(part.names), spelling(name, part.names)) for name, part in lacking))


def _picked(part: Moments, pick: list[int], means: bool) -> FloatArray:
    """``Gamma`` of some variables, with their means only under a mean structure."""
    assert part.gamma is not None
    p = len(part.names)
    rows, cols = places(p)
    number = np.zeros((p, p), dtype=np.int64)
    number[rows, cols] = number[cols, rows] = np.arange(len(rows))
    own_rows, own_cols = places(len(pick))
    at = np.array(pick)
    below = number[at[own_rows], at[own_cols]]
    gamma = np.asarray(part.gamma, dtype=np.float64)
    if part.vector is not None:
        below = np.concatenate([at, p + below]) if means else p + below
    return np.asarray(gamma[np.ix_(below, below)])


def correlation_note(moments: Given) -> tuple[Note, ...]:
    """What a correlation matrix that is analysed as a covariance matrix is good for."""
    plain = [part for part in parts_of(moments) if part.is_correlation]
    if not plain:
        return ()
    return (Note(
        "fitting.correlation-matrix", "warning",
        "the diagonal is all ones; it is analysed as a covariance matrix.", "moments.cov",
        "Raw estimates are in standard deviations of the sample, and their errors do not know that those vary.",
        "Use fit.standardized(), whose errors are right where the model does not depend on units, or give sd=.",
    ),)
