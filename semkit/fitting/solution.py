"""From a table and moments to estimates: the numbers every other table is made of."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from semkit.estimate.discrepancy import Observed, discrepancy, expected_information, observe
from semkit.estimate.expressions import TableConstraints, make_constraints
from semkit.estimate.fiml import PatternObjective, pattern_discrepancy, pattern_first_order
from semkit.estimate.implied import Implied, imply
from semkit.estimate.information import first_order, invert, sandwich, tangent
from semkit.estimate.layout import Layout, make_layout
from semkit.estimate.leastsquares import LeastSquares, squares
from semkit.estimate.optimise import LikelihoodObjective, solve
from semkit.estimate.scaling import Pieces
from semkit.estimate.standardize import Scales, scales
from semkit.fitting import twostage, weighting
from semkit.fitting.ladder import starts, variance_parameters
from semkit.fitting.options import Options
from semkit.fitting.quadratic import least_squares, moment_pieces, normal_pieces
from semkit.model import ParameterTable
from semkit.numerics.em import Patterns, deviance, make_patterns
from semkit.numerics.newton import Minimum, Objective
from semkit.sample import GroupMoments, Sample, Sampling

FloatArray = NDArray[np.float64]


def given_values(table: ParameterTable, layout: Layout, groups: tuple[GroupMoments, ...], composites: tuple[str, ...],
                 divisor: tuple[float, ...]) -> FloatArray:
    """Data-dependent fixed values ``(B, d)``: moments of fixed covariates, error variances of composites."""
    out = np.zeros((groups[0].cov.shape[0], len(layout.given_rows)))
    names = table.variables.ov
    for k, row in enumerate(layout.given_rows):
        g = int(table.block[row]) - 1
        lhs, rhs = table.lhs[row], table.rhs[row]
        if table.op[row] == "~1":
            out[:, k] = groups[g].mean[:, names.index(lhs)]
        elif lhs == rhs and lhs in composites and not table.exo[row]:
            out[:, k] = groups[g].error[:, composites.index(lhs)] * divisor[g]
        else:
            out[:, k] = groups[g].cov[:, names.index(lhs), names.index(rhs)] * divisor[g]
    return out


@dataclass(frozen=True, eq=False)
class Solution:
    """A model fitted to moments.

    Parameters
    ----------
    table, layout : ParameterTable, Layout
    options : Options
    sample : Sample or None
        None when moments were given.
    moments : tuple of GroupMoments
        With divisor ``N``.
    observed : tuple of Observed
        What the discrepancy used (divisor ``N - 1`` under ``likelihood="wishart"`` and least squares).
    given : ndarray (1, d)
    minimum : Minimum
    total : float
        ``N``, or ``N - G`` under Wishart and least squares: what the discrepancy is multiplied by.
    patterns : tuple of Patterns or None
        Missing patterns of each group under full information; ``moments`` are then those of the saturated model.
    gamma : tuple of ndarray or None
        Covariances of the saturated moments (times N) after two stages.
    nacov : tuple of ndarray or None
        ``Gamma`` of each group, when it was given with moments.
    least : LeastSquares or None
        The least-squares problem that was solved; None under maximum likelihood.
    """

    table: ParameterTable
    layout: Layout
    options: Options
    sample: Sample | None
    moments: tuple[GroupMoments, ...]
    observed: tuple[Observed, ...]
    given: FloatArray
    minimum: Minimum
    total: float
    patterns: tuple[Patterns, ...] | None = None
    gamma: tuple[FloatArray, ...] | None = None
    least: LeastSquares | None = None
    nacov: tuple[FloatArray, ...] | None = None

    @property
    def by_moments(self) -> bool:
        """Whether means and covariances are all that the estimates use, so that parameters can outnumber them."""
        return True

    @property
    def tried(self) -> str:
        """What was tried, for the note on a fit that did not converge."""
        return (f"{self.minimum.attempts} starts were tried (instrumental variables, factors with variance 1, "
                "solutions within bounds, simple values, disturbed ones); the best ended with a discrepancy of "
                f"{float(self.minimum.f[0]):.3f}.")

    @property
    def theta(self) -> FloatArray:
        """Estimates of the different parameters, shape ``(q,)``."""
        return np.asarray(self.minimum.x[0])

    @property
    def converged(self) -> bool:
        return bool(self.minimum.converged[0])

    @property
    def weights(self) -> tuple[float, ...]:
        return tuple(group.weight for group in self.observed)

    @cached_property
    def implied(self) -> tuple[Implied, ...]:
        """Implied moments of each group (batch of one)."""
        return tuple(imply(block, self.minimum.x, self.given) for block in self.layout.blocks)

    def scales_at(self, theta: FloatArray, given: FloatArray, *, slopes: bool = True) -> Scales:
        """Standard deviations of all variables at parameters ``(B, q)``, with derivatives."""
        implied = self.implied if theta is self.minimum.x else None
        return scales(self.layout, theta, given, slopes=slopes, implied=implied)

    def posterior_moments(self) -> list[tuple[FloatArray, FloatArray]] | None:
        """Posterior means and variances of the latent variables by group where they are not normal; else None."""
        return None

    @cached_property
    def constraints(self) -> TableConstraints | None:
        """The constraints of the table, or None."""
        return make_constraints(self.table, self.layout, self.given)

    @cached_property
    def basis(self) -> FloatArray:
        """Directions the binding constraints allow, shape ``(q, r)``.

        Covariances of composites' indicators that are held at the sample's values move with the sample: for errors
        and tests they are as good as free.
        """
        constraints = self.constraints
        return self._allowed() if constraints is None else self._allowed(
            (self.minimum.active[0] | constraints.equality) & ~constraints.from_data)

    @cached_property
    def equality_basis(self) -> FloatArray:
        """Directions the equality constraints alone allow, shape ``(q, r)``; what degrees of freedom count."""
        constraints = self.constraints
        return self._allowed() if constraints is None else self._allowed(constraints.equality & ~constraints.from_data)

    @cached_property
    def error_basis(self) -> FloatArray:
        """Directions in which parameters have errors; held covariances that are called known do not move."""
        constraints = self.constraints
        if constraints is None or self.options.composites_cov != "known":
            return self.basis
        return self._allowed(self.minimum.active[0] | constraints.equality)

    def _allowed(self, binding: NDArray[np.bool_] | None = None) -> FloatArray:
        if self.constraints is None:
            return np.eye(self.layout.n_parameters)
        _, jacobian = self.constraints.evaluate(self.minimum.x, np.arange(1))
        return tangent(jacobian[0][binding])

    @property
    def n_held(self) -> int:
        """Moments of composites' indicators that are held at the sample's values."""
        return 0 if self.constraints is None else int(self.constraints.from_data.sum())

    @cached_property
    def equality_rank(self) -> int:
        """How many parameters the equality constraints take away."""
        return self.layout.n_parameters - int(self.equality_basis.shape[1]) + self.n_held

    @cached_property
    def expected(self) -> FloatArray:
        """Expected information of complete data per respondent (``Delta'W Delta`` under least squares), ``(q, q)``."""
        if self.least is not None:
            return self.pieces.information
        return np.asarray(expected_information(self.layout, self.implied, self.weights)[0])

    @cached_property
    def expected_with_gaps(self) -> FloatArray:
        """Expected information under the missing patterns (completely at random), ``(q, q)``."""
        if self.patterns is None:
            return self.expected
        value = pattern_discrepancy(self.layout, self.minimum.x, self.patterns, self.given, 0.0, "expected")
        assert value.hessian is not None
        return np.asarray(0.5 * value.hessian[0])

    @cached_property
    def observed_information(self) -> FloatArray:
        """Observed information per respondent; curvature of binding constraints is part of it."""
        if self.patterns is not None:
            value = pattern_discrepancy(self.layout, self.minimum.x, self.patterns, self.given, 0.0, "exact")
        elif self.least is not None:
            value = squares(self.least.model, self.minimum.x, self.least.groups, "exact")
        else:
            value = discrepancy(self.layout, self.minimum.x, self.observed, self.given, "exact")
        assert value.hessian is not None
        hessian = value.hessian[0]
        constraints = self.constraints
        if constraints is not None:
            hessian = hessian + constraints.curvature(self.minimum.x, np.arange(1), self.minimum.multiplier)[0]
        return np.asarray(0.5 * hessian)

    @cached_property
    def data(self) -> tuple[FloatArray, ...]:
        assert self.sample is not None
        return tuple(group.data for group in self.sample.groups)

    @property
    def sampling(self) -> Sampling | None:
        """The sampling design of the respondents, or None."""
        return None if self.sample is None else self.sample.sampling

    @cached_property
    def case_scores(self) -> FloatArray:
        """Scores of the respondents times their sampling weights ``(n, q)``, group after group."""
        return weighting.weighted_scores(self)

    def replicate_estimates(self, sampling: Sampling) -> FloatArray:
        """Estimates ``(R, q)`` under each replicate's weights."""
        return weighting.replicate_estimates(self, sampling)

    @cached_property
    def meat(self) -> FloatArray:
        """First-order information per respondent, or the covariance matrix of the scores under the design."""
        if self.sampling is not None:
            return weighting.meat(self, self.sampling)
        if self.patterns is not None:
            return pattern_first_order(self.layout, self.theta, self.given[0], self.data)
        return first_order(self.layout, self.theta, self.given[0], self.data)

    @cached_property
    def information(self) -> FloatArray:
        """The information asked for, per respondent."""
        if self.options.information == "observed":
            return self.observed_information
        return self.meat if self.options.information == "first.order" else self.expected_with_gaps

    @cached_property
    def bread(self) -> FloatArray:
        """Inverse information along the tangent, ``(q, q)``; NaN when singular."""
        return invert(self.information, self.error_basis)

    @cached_property
    def vcov(self) -> FloatArray:
        """Covariance matrix of the different parameters, ``(q, q)``."""
        if self.options.se == "none":
            return np.full((self.layout.n_parameters,) * 2, np.nan)
        if self.gamma is not None:
            return twostage.covariance(self)
        if self.sampling is not None and self.sampling.replicates is not None:
            return weighting.replicate_vcov(self, self.sampling)
        if self.options.se == "robust.huber.white":
            return sandwich(self.bread, self.meat) / self.total
        if self.options.se == "robust.sem":
            return sandwich(self.bread, self.pieces.meat) / self.total
        if self.options.estimator == "uls":  # the unit matrix is no covariance matrix: normal theory stands in
            return sandwich(self.bread, normal_pieces(self).meat) / self.total
        return self.bread / self.total

    @cached_property
    def simple_vcov(self) -> FloatArray:
        """Of the same estimates if as many respondents had been drawn one by one with equal probability."""
        assert self.sampling is not None
        return weighting.simple_covariance(self, self.sampling)

    @cached_property
    def pieces(self) -> Pieces:
        """Derivatives, weights and the covariance matrix of the moments at the estimates."""
        return moment_pieces(self)

    @property
    def n_free(self) -> int:
        """Free parameters net of equality constraints."""
        return self.layout.n_parameters - self.equality_rank

    @cached_property
    def df(self) -> int:
        """Degrees of freedom: distinct moments less parameters; moments held at the sample's values do not count."""
        p = len(self.table.variables.ov)
        fixed = len(self.table.variables.ov_x) if np.any(self.table.exo) else 0
        each = p * (p + 1) // 2 - fixed * (fixed + 1) // 2
        if self.table.meanstructure:
            each += p - fixed
        return each * self.table.n_groups - self.n_held - self.n_free

    @cached_property
    def stat(self) -> float:
        """``N F``."""
        return self.total * float(self.minimum.f[0])


def fit_moments(
    table: ParameterTable, options: Options, moments: tuple[GroupMoments, ...], sample: Sample | None,
    composites: tuple[str, ...] = (), start: FloatArray | None = None, gamma: tuple[FloatArray, ...] | None = None,
    nacov: tuple[FloatArray, ...] | None = None,
) -> Solution:
    """Estimate a model from the moments of each group."""
    layout = make_layout(table)
    counts = [group.nobs - 1 if options.unbiased else group.nobs for group in moments]
    total = float(sum(counts))
    inflate = tuple(group.nobs / (group.nobs - 1) if options.unbiased else 1.0 for group in moments)
    observed = tuple(
        observe(group.cov * ratio, group.mean, count / total)
        for group, ratio, count in zip(moments, inflate, counts, strict=True)
    )
    given = given_values(table, layout, moments, composites, inflate)
    constraints = make_constraints(table, layout, given)
    patterns = None
    objective: Objective = LikelihoodObjective(layout, observed, given)
    if options.fiml and sample is not None:
        patterns = tuple(make_patterns(group.data, sample.weights_of(g)) for g, group in enumerate(sample.groups))
        level = sum(deviance(part, one.mean[0], one.cov[0]) for part, one in zip(patterns, moments, strict=True))
        objective = PatternObjective(layout, patterns, given, level)
    least = least_squares(layout, options, observed, given, sample, nacov) if options.least_squares else None
    minimum = solve(objective if least is None else least, starts(table, layout, observed, given, start), constraints,
                    positive=None if start is not None else variance_parameters(table))
    return Solution(table, layout, options, sample, moments, observed, given, minimum, total, patterns, gamma,
                    least, nacov)
