"""Fits under a sampling design: pseudo maximum likelihood with errors and tests from the design.

Weights make the moments (or the pattern likelihood) those of the population; the covariance matrix of the weighted
scores under the design replaces the sum of their squares in the sandwich, and in both halves of the scaling factor of
the Yuan-Bentler statistic.  With replicate weights the estimates are computed from each replicate instead, and
tests from the scores under each replicate's weights.

References
----------
Binder (1983), International Statistical Review 51, 279-292; Muthen & Satorra (1995), Sociological Methodology 25,
267-316 (clusters, strata and weights in structural equations); Asparouhov (2005), Structural Equation Modeling 12,
411-434 (pseudo maximum likelihood); Asparouhov & Muthen (2005), Proc. Federal Committee on Statistical Methodology
(scaled tests); Rao & Tausi (2004), Communications in Statistics - Theory and Methods 33, 2087-2095 (replicate weights
applied to scores).
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from semkit.errors import Note, NotSupportedError, OptionError, Problem, SampleError
from semkit.estimate.fiml import pattern_scores
from semkit.estimate.implied import imply, jacobian
from semkit.estimate.information import sandwich, scores
from semkit.estimate.scaling import root_of_rows
from semkit.estimate.weights import Root, influence, places
from semkit.numerics.linearisation import kish_effective
from semkit.sample import Design, Sampling

if TYPE_CHECKING:
    from semkit.fitting.solution import Solution

FloatArray = NDArray[np.float64]

_UNEVEN = 0.5  # effective share of the respondents below which weights are noted
_ROOM = 4_000_000  # numbers in one block of case-wise scores


def design_options(design: Design | None, options: dict[str, Any], moments: bool) -> dict[str, Any]:
    """Options of a fit under a design: ``ml`` gets the errors and tests of ``mlr``; what has no meaning is refused.

    Unless respondents were drawn one by one, means are part of the model by default, as in lavaan with clusters: both
    halves of the scaling factor then count them, which matters where the model is wrong (for the baseline).

    Raises
    ------
    OptionError
        ``fitting.design-and-moments``.
    NotSupportedError
        ``fitting.not-with-design``.
    """
    if design is None or design.trivial:
        return options
    if moments:
        raise OptionError(Problem("fitting.design-and-moments", "design, moments", "moments have no respondents to be "
                                  "weighted", "data with a design, or moments", "Pass the data."))
    allowed = {
        "estimator": ("ml", "mlr", "mlm", "mlmv", "mlmvs"),
        "se": (None, "robust", "robust.huber.white", "robust.mlr", "robust.sem", "robust.mlm", "none", "bootstrap"),
        "test": (None, "standard", "mlr", "yuan.bentler", "yuan.bentler.mplus", "satorra.bentler", "mlm", "mlmv",
                 "mlmvs", "scaled.shifted", "mean.var.adjusted", "none"),
        "information": (None, "observed", "expected"), "likelihood": ("normal",), "conditional_x": (False,),
        "missing": ("listwise", "complete", "fiml", "ml", "direct", "fiml.x", "ml.x", "direct.x"),
        "auxiliary": ((), None),
    }
    refused = []
    for name, values in allowed.items():
        given = options.get(name, values[0])
        for value in given if name == "test" and isinstance(given, (tuple, list)) else (given,):
            if (value.strip().lower() if isinstance(value, str) else value) not in values:
                known = ", ".join(str(one) for one in values if one)
                refused.append(Problem("fitting.not-with-design", f"{name}={value!r}", "has no form for sampling "
                                       "designs here", known or "the default", "Use estimator='mlr'."))
    if refused:
        raise NotSupportedError(*refused)
    usual: dict[str, Any] = {}
    if str(options.get("estimator", "ml")).strip().lower() == "ml":
        usual = {"se": "robust.huber.white", "test": "yuan.bentler.mplus", "information": "observed"}
    if design.strata or design.cluster or design.fpc or design.replicates or design.calibration:
        usual["meanstructure"] = True
    return options | {name: value for name, value in usual.items() if options.get(name) is None}


def part_of(solution: Solution, g: int) -> slice:
    """Where the respondents of a group are among all."""
    sizes = np.cumsum([0, *(len(part) for part in solution.data)])
    return slice(int(sizes[g]), int(sizes[g + 1]))


def weighted_scores(solution: Solution) -> FloatArray:
    """Case-wise scores times the sampling weights ``(n, q)``, group after group."""
    assert solution.sample is not None
    q, given = solution.layout.n_parameters, solution.given[0]
    out = []
    for block, group, moments in zip(solution.layout.blocks, solution.sample.groups, solution.moments, strict=True):
        if solution.patterns is not None:
            part = pattern_scores(block, solution.theta, given, group.data, q)
        else:
            part = scores(block, solution.theta, given, group.data, q, moments.mean[0])
        out.append(group.weights[:, None] * part)
    return np.concatenate(out)


def meat(solution: Solution, sampling: Sampling) -> FloatArray:
    """Covariance matrix of the scores under the design, per respondent, ``(q, q)``."""
    return sampling.covariance(solution.case_scores, small_sample=False) / solution.total


def replicate_vcov(solution: Solution, sampling: Sampling) -> FloatArray:
    """Covariance matrix of the estimates from those of the replicates, ``(q, q)``."""
    return sampling.replicate_covariance(solution.replicate_estimates(sampling), solution.theta)


def simple_covariance(solution: Solution, sampling: Sampling) -> FloatArray:
    """Covariance matrix of the estimates if as many respondents had been drawn one by one with equal probability."""
    n = solution.total
    values = solution.case_scores
    own = values.T @ (values / sampling.weights[:, None]) / n
    factor = 1.0 if sampling.weights_only else n / (n - 1.0)
    return sandwich(solution.bread, own) * (factor / n)


@lru_cache(maxsize=4)
def replicate_estimates(solution: Solution, sampling: Sampling) -> FloatArray:
    """Estimates ``(R, q)`` of all replicates, in one batch.

    Raises
    ------
    SampleError
        ``fitting.replicates-failed``.
    """
    from semkit.fitting.refit import refit
    from semkit.fitting.resampling import reweighted

    evidence = reweighted(solution, replicate_parts(solution, sampling))
    theta, converged, _ = refit(solution, evidence)
    require_all(converged)
    if solution.constraints is None:  # the draws' stopping rule leaves 1e-6 of a standard error: one step more
        theta = theta - np.linalg.solve(evidence.hessian(theta), evidence.gradient(theta)[:, :, None])[:, :, 0]
    return np.asarray(theta)


def require_all(converged: NDArray[np.bool_]) -> None:
    """Refuse errors from replicates ``(R,)`` of which some did not converge."""
    failed = len(converged) - int(np.sum(converged))
    if failed:
        raise SampleError(Problem("fitting.replicates-failed", "design.replicates",
                                  f"{failed} of {len(converged)} replicates did not converge",
                                  "a model that every replicate can estimate", "Simplify the model."))


def replicate_parts(solution: Solution, sampling: Sampling) -> list[FloatArray]:
    """Replicate weights of each group, scaled to the group's sum of weights, ``(R, n_g)``."""
    assert sampling.replicates is not None
    parts = []
    for g, moments in enumerate(solution.moments):
        own = sampling.replicates[:, part_of(solution, g)]
        total = own.sum(axis=1, keepdims=True)
        if np.any(total <= 0.0):
            raise SampleError(Problem("fitting.replicates-failed", "design.replicates",
                                      f"a replicate has nobody in group {g + 1}", "respondents of every group",
                                      "Join groups."))
        parts.append(own * (moments.nobs / total))
    return parts


def saturated_trace(solution: Solution, sampling: Sampling, x: list[int], fixed: bool) -> float:
    """``tr(A^-1 B)`` of the saturated model: slopes and intercepts on the covariates, residual covariances.

    Scores are whitened, so that the trace is the sum of squares of their totals' deviations under the design.
    """
    total, means = 0.0, solution.table.meanstructure
    for g, data in enumerate(solution.data):
        y = [k for k in range(data.shape[1]) if not (fixed and k in x)]
        w = _weights(solution, g)
        for values in _whitened(data[:, y], data[:, x] if fixed else data[:, :0], w, means):
            rows = sampling.deviations(w[:, None] * values, part_of(solution, g), small_sample=False)
            total += float(np.sum(rows**2)) / float(w.sum())
    return total


def independence_trace(solution: Solution, sampling: Sampling, x: list[int], y: list[int], fixed: bool) -> float:
    """``tr(A^-1 B)`` of the independence model; covariates that are not fixed are saturated among themselves."""
    total, means = 0.0, solution.table.meanstructure
    for g, data in enumerate(solution.data):
        blocks = [[k] for k in y] + ([x] if x and not fixed else [])
        w = _weights(solution, g)
        for values in (part for block in blocks for part in _whitened(data[:, block], data[:, :0], w, means)):
            rows = sampling.deviations(w[:, None] * values, part_of(solution, g), small_sample=False)
            total += float(np.sum(rows**2)) / float(w.sum())
    return total


def _weights(solution: Solution, g: int) -> FloatArray:
    assert solution.sample is not None
    return solution.sample.groups[g].weights


def _whitened(y: FloatArray, x: FloatArray, w: FloatArray, means: bool) -> Iterator[FloatArray]:
    """Whitened scores of the regression of ``y`` on ``x`` with free residual covariances, some columns at a time.

    Scores times the root of the inverse information: ``L^-1 e x (X'X)^-1/2`` and ``(z z' - I) / sqrt(2)`` with
    ``z = L^-1 e``.  Memory is bounded: no more columns at once than make ``_ROOM`` numbers.
    """
    share = w / w.sum()
    centred_x = x - share @ x
    e = y - share @ y
    left = centred_x
    if x.shape[1]:
        root = np.linalg.cholesky(centred_x.T @ (centred_x * share[:, None]))
        left = np.linalg.solve(root, centred_x.T).T
        e = e - left @ (left.T @ (e * share[:, None]))
    if means:
        left = np.column_stack([np.ones(len(y)), left])
    z = np.linalg.solve(np.linalg.cholesky(e.T @ (e * share[:, None])), e.T).T
    for k in range(left.shape[1]):
        yield z * left[:, [k]]
    rows, cols = np.tril_indices(z.shape[1])
    # each pair below the diagonal stands for two cells of (z z' - I) / sqrt(2)
    scale = np.where(rows == cols, np.sqrt(0.5), 1.0)
    width = max(1, _ROOM // len(z))
    for start in range(0, len(rows), width):
        a, b = rows[start : start + width], cols[start : start + width]
        yield scale[start : start + width] * (z[:, a] * z[:, b] - (a == b))


def require_groups_apart(solution: Solution) -> None:
    """Refuse corrections from the moments' covariances where those of different groups are correlated.

    Raises
    ------
    NotSupportedError
        ``fitting.not-with-design``: clusters, or replicates, that cross groups.
    """
    sampling = solution.sampling
    if sampling is None:
        return
    units = [set(sampling.psu[part_of(solution, g)].tolist()) for g in range(len(solution.moments))]
    crossing = sum(map(len, units)) > len(set().union(*units))
    if crossing or (sampling.replicates is not None and len(units) > 1):
        raise NotSupportedError(Problem("fitting.not-with-design", "test, se", "corrections from the moments' "
                                        "covariances have no form for clusters that cross groups", "estimator='mlr'",
                                        "Use estimator='mlr'; for differences method='satorra.bentler.2001'."))


def moment_roots(
    solution: Solution, sampling: Sampling, means: bool, fixed: tuple[int, ...]
) -> tuple[Root, ...]:
    """Roots ``R_g`` of the covariance matrix of each group's moments under the design, ``R'R = n_g Var``.

    Raises
    ------
    NotSupportedError
        As :func:`require_groups_apart`.
    """
    require_groups_apart(solution)
    out = []
    for g, data in enumerate(solution.data):
        w = _weights(solution, g)
        rows = sampling.deviations(w[:, None] * influence(data, means, fixed, w), part_of(solution, g),
                                   small_sample=False)
        out.append(root_of_rows(rows * np.sqrt(len(rows) / w.sum())))
    return tuple(out)


def moment_meat(solution: Solution, g: int, values: FloatArray) -> FloatArray:
    """Mean outer product of case-wise scores ``(n_g, k)`` of a group, or their covariance matrix under the design."""
    sampling = solution.sampling
    if sampling is None:
        return np.asarray(values.T @ values / len(values))
    w = _weights(solution, g)
    rows = sampling.deviations(w[:, None] * values, part_of(solution, g), small_sample=False)
    return np.asarray(rows.T @ rows / w.sum())


def independence_scores(solution: Solution, g: int, y: list[int]) -> FloatArray:
    """Whitened scores ``(n_g, 2 len(y))`` of the means and variances of single variables with gaps.

    References
    ----------
    Yuan & Bentler (2000), Sociological Methodology 30, 165-200.
    """
    data, w = solution.data[g][:, y], _weights(solution, g)
    seen = (~np.isnan(data)).astype(np.float64)
    filled = np.where(np.isnan(data), 0.0, data)
    share = w @ seen
    mean = w @ filled / share
    z = (filled - mean) * seen
    z = z / np.sqrt(w @ z**2 / share)
    scale = np.sqrt(w.sum() / share)
    return np.column_stack([z * scale, (z**2 - seen) * (scale * np.sqrt(0.5))])


def residual_variances(solution: Solution, sampling: Sampling, g: int, standardized: bool) -> FloatArray:
    """``N Var(s_ij - sigma_ij)`` (or of ``s_ij`` alone) under the design, ``(p, p)``, from influence values.

    References
    ----------
    Hampel (1974), Journal of the American Statistical Association 69, 383-393; Binder (1983).
    """
    p, n = solution.data[g].shape[1], solution.total
    rows, cols = places(p)
    at, w = part_of(solution, g), _weights(solution, g)
    names = solution.table.variables
    fixed = tuple(names.ov.index(name) for name in names.ov_x) if np.any(solution.table.exo) else ()
    values = np.zeros((len(sampling.weights), len(rows)))
    values[at] = w[:, None] * influence(solution.data[g], False, fixed, w) / w.sum()
    if standardized:
        block = solution.layout.blocks[g]
        by_cov, _ = jacobian(block, imply(block, solution.minimum.x, solution.given))
        slope = np.zeros((solution.layout.n_parameters, len(rows)))
        np.add.at(slope, block.free.source, by_cov[0][:, rows, cols])
        values -= solution.case_scores @ (solution.bread @ slope) / n
    spread = sampling.deviations(values, small_sample=False)
    out = np.zeros((p, p))
    out[rows, cols] = out[cols, rows] = n * np.sum(spread**2, axis=0)
    return out


def notes(solution: Solution) -> tuple[Note, ...]:
    """What a reader must know of the design behind a fit."""
    sampling = solution.sampling
    if sampling is None:
        return ()
    df = sampling.df
    found = [Note("fitting.design", "info", sampling.summary, "design")]
    effective = kish_effective(sampling.weights)
    if effective < _UNEVEN * len(sampling.weights):
        share = float(np.sort(sampling.weights)[-max(1, len(sampling.weights) // 100) :].sum() / len(sampling.weights))
        found.append(Note(
            "fitting.uneven-weights", "warning",
            f"{len(sampling.weights)} respondents tell as much as {effective:.0f} with equal weights; one in a hundred "
            f"holds {share:.0%} of all weight.", "design", "A few respondents decide.",
            "Look at the largest weights; trim them (design.rake(..., trim=(0.2, 5))) and compare.",
        ))
    if df < solution.n_free:
        found.append(Note(
            "fitting.few-units", "warning",
            f"{df:.0f} degrees of freedom of the design for {solution.n_free} parameters.", "design",
            "The covariance matrix of the estimates is not of full rank, and errors are too small with few "
            "clusters.", "Read single errors with care; do not test many parameters at once; simplify the model.",
        ))
    return tuple(found)


