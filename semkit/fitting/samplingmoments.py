"""Moments of ordinal and mixed data under a sampling design: their covariance matrix and what may be asked of it.

Thresholds, slopes, variances and correlations are pseudo maximum likelihood estimates: weights multiply the terms of
both steps.  Up to a remainder each is a weighted sum of influence values; their totals by sampling unit have the
covariance matrix ``V`` of the design (Taylor linearisation), or ``V`` comes from estimates under replicate weights.
``Gamma_g = (n_g - 1) V_g``, so that weighted least squares, robust errors and corrected tests, which divide by
``n_g - 1``, rest on ``V`` as it is.  Clusters that reach over groups make moments of different groups correlated.

References
----------
Binder (1983), International Statistical Review 51, 279-292; Skinner (1989), in Skinner, Holt & Smith (eds), Analysis
of Complex Surveys, ch. 3; Muthen & Satorra (1995), Sociological Methodology 25, 267-316; Asparouhov & Muthen (2005),
Proc. Federal Committee on Statistical Methodology; Asparouhov & Muthen (2006), Proc. Survey Research Methods Section,
American Statistical Association, 2718-2726 (weighted least squares under stratification, clusters and weights).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from semkit.errors import NotSupportedError, Problem, SampleError
from semkit.estimate.categorical import Categorical, Spread
from semkit.estimate.replication import replicate_moments
from semkit.fitting.options import Options
from semkit.sample import Design, Sample, Sampling

FloatArray = NDArray[np.float64]

_NOTHING = 1e-12  # share of the variance of a simple random sample that is rounding error


@dataclass(frozen=True, eq=False)
class Answers:
    """The data of one group: ``outcomes (n, p)``, number of categories of each, ``covariates (n, k)`` or None."""

    outcomes: FloatArray
    categories: tuple[int, ...]
    covariates: FloatArray | None


def require_design_options(design: Design | None, options: Options) -> None:
    """Refuse what has no form for ordinal indicators under a design.

    Raises
    ------
    NotSupportedError
        ``fitting.not-with-design``.
    """
    if design is None or design.trivial:
        return
    if options.se == "standard" and options.estimator != "wls":
        raise NotSupportedError(Problem("fitting.not-with-design", "se='standard'", "does not know the design",
                                        "robust.sem, none", "Leave it out."))


def under_design(parts: Sequence[Categorical], answers: Sequence[Answers], sampling: Sampling) -> list[Categorical]:
    """The moments of each group with their covariance matrix under the design.

    Raises
    ------
    SampleError
        ``fitting.replicates-failed``.
    """
    rows = _replicated(parts, answers, sampling) if sampling.replicates is not None else _linearised(parts, sampling)
    joint = len(parts) > 1 and (sampling.replicates is not None or (sampling.centred and not sampling.weights_only))
    scaled = [own * np.sqrt(part.nobs - 1.0) for own, part in zip(rows, parts, strict=True)]
    roots = _split(_short(np.concatenate(scaled, axis=1)), scaled) if joint else [_short(own) for own in scaled]
    out = []
    for part, root, weights in zip(parts, roots, _by_group(parts, sampling.weights), strict=True):
        assert part.influence is not None
        simple = part.nobs * (part.influence.T @ (part.influence / weights[:, None]))
        out.append(replace(part, gamma=root.T @ root, influence=None, spread=Spread(root, simple, joint)))
    return out


def _by_group(parts: Sequence[Categorical], values: FloatArray) -> list[FloatArray]:
    """Values of the respondents of each group, from those of all along the last axis."""
    ends = np.cumsum([0 if part.influence is None else len(part.influence) for part in parts])
    return np.split(values, ends[:-1], axis=-1)


def _linearised(parts: Sequence[Categorical], sampling: Sampling) -> list[FloatArray]:
    """Rows whose sum of outer products is the covariance matrix of each group's moments, from influence values.

    Respondents drawn one by one bring ``n_g / (n_g - 1)`` in each group, as clusters of one in each group do.
    """
    out, start = [], 0
    for part in parts:
        assert part.influence is not None
        at = slice(start, start + len(part.influence))
        start = at.stop
        if sampling.weights_only:
            out.append(part.influence * np.sqrt(part.nobs / (part.nobs - 1.0)))
        else:
            out.append(sampling.deviations(part.influence, at))
    return out


def _replicated(
    parts: Sequence[Categorical], answers: Sequence[Answers], sampling: Sampling
) -> list[FloatArray]:
    """The same from estimates under each replicate's weights."""
    assert sampling.replicates is not None
    found, failed = [], np.zeros(len(sampling.replicates), dtype=bool)
    for part, own, weights in zip(parts, answers, _by_group(parts, sampling.replicates), strict=True):
        total = weights.sum(axis=1, keepdims=True)
        scaled = weights * (part.nobs / np.where(total > 0.0, total, 1.0))
        found.append(replicate_moments(own.outcomes, own.categories, own.covariates, scaled, len(part.vector)))
        failed |= found[-1].failed
    if failed.any():
        raise SampleError(Problem(
            "fitting.replicates-failed", "design.replicates", f"{int(failed.sum())} of {len(failed)} replicates have "
            "nobody in some category, or a correlation without an estimate", "moments that every replicate can give",
            "Join rare categories, or describe strata and clusters instead of replicates."))
    return [sampling.replicate_deviations(one.vectors, part.vector) for one, part in zip(found, parts, strict=True)]


def _short(rows: FloatArray) -> FloatArray:
    """Rows with the same ``R'R``, no more than columns."""
    return rows if len(rows) <= rows.shape[1] else np.asarray(np.linalg.qr(rows, mode="r"))


def _split(whole: FloatArray, like: Sequence[FloatArray]) -> list[FloatArray]:
    ends = np.cumsum([part.shape[1] for part in like])
    return np.split(whole, ends[:-1], axis=1)


def moment_names(part: Categorical, outcomes: Sequence[str], covariates: Sequence[str]) -> list[str]:
    """What each moment of a group is, in order, as model text has it."""
    names = [f"{name} | t{t + 1}" if count else f"{name} ~1"
             for name, level, count in zip(outcomes, part.levels, part.categories, strict=True)
             for t in range(len(level))]
    names += [f"{name} ~ {x}" for x in covariates for name in outcomes]
    names += [f"{name} ~~ {name}" for name, count in zip(outcomes, part.categories, strict=True) if not count]
    cols, rows = np.triu_indices(len(outcomes), 1)
    return names + [f"{outcomes[j]} ~~ {outcomes[i]}" for i, j in zip(rows.tolist(), cols.tolist(), strict=True)]


def require_variation(
    parts: Sequence[Categorical], sample: Sample, outcomes: Sequence[str], covariates: Sequence[str], weight: str
) -> None:
    """Refuse weights of moments that the design leaves without variance, and full weights with too few units.

    Raises
    ------
    SampleError
        ``sample.no-design-variance``, ``sample.singular-gamma``.
    NotSupportedError
        ``fitting.not-with-design``: full weights where moments of groups are correlated.
    """
    if weight == "none":
        return
    problems = []
    for part, group in zip(parts, sample.groups, strict=True):
        assert part.spread is not None
        where = f'group "{group.label}"' if group.label else "data"
        still = np.diagonal(part.gamma) <= _NOTHING * np.diagonal(part.spread.simple)
        if still.any():
            names = moment_names(part, outcomes, covariates)
            fixed = [names[k] for k in np.flatnonzero(still)]
            problems.append(Problem(
                "sample.no-design-variance", where, f"{', '.join(fixed[:8])} cannot vary under the design: strata, "
                "known margins or a whole population fix them", "moments that vary from sample to sample",
                "Use estimator='ulsmv', whose weights do not need variances, or leave the variable out."))
    if problems:
        raise SampleError(*problems)
    if weight == "full":
        _require_full(parts, sample)


def _require_full(parts: Sequence[Categorical], sample: Sample) -> None:
    """Full weights need the groups apart, and more degrees of freedom of the design than moments."""
    if any(part.spread is not None and part.spread.joint for part in parts):
        raise NotSupportedError(Problem(
            "fitting.not-with-design", "estimator='wls'", "full weights of each group know nothing of strata, clusters "
            "or replicates that groups share", "estimator='wlsmv'", "Use estimator='wlsmv'."))
    sampling, problems = sample.sampling, []
    assert sampling is not None
    for part, group in zip(parts, sample.groups, strict=True):
        units = np.unique(group.cluster)
        free = len(units) - len(np.unique(sampling.stratum[units]))
        if sampling.replicates is not None:
            free = int(sampling.df)
        if free < len(part.gamma):
            where = f'group "{group.label}"' if group.label else "estimator='wls'"
            problems.append(Problem(
                "sample.singular-gamma", where, f"{free} degrees of freedom of the design (units less strata) for "
                f"{len(part.gamma)} thresholds and correlations: their covariance matrix cannot be inverted",
                "clearly more sampling units than moments", "Use estimator='wlsmv'."))
    if problems:
        raise SampleError(*problems)
