"""Step one of two: pieces whose scores the second step uses, and how respondents move them.

A piece has parameters, each respondent's influence on them and a rule from parameters to scores.  What the second step
makes of scores then depends on respondents directly and through the parameters:

    IF = IF of the second step given scores + (d second step / d theta_1) IF_1,   V = sum_i w_i^2 IF_i IF_i' / N^2

Under a sampling design the sum of squares is the covariance matrix of the total of ``w_i IF_i`` under the design.

References
----------
Newey & McFadden (1994), Handbook of Econometrics 4, sec. 6 (two-step estimators); Binder (1983), International
Statistical Review 51, 279-292 (designs).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from semkit.errors import Note, Problem, SampleError
from semkit.estimate.fiml import pattern_scores
from semkit.estimate.implied import Implied, imply
from semkit.estimate.information import invert
from semkit.fitting.calls import fit_spec
from semkit.fitting.fit import Fit
from semkit.fitting.measurement import MeasurementBlock, Respondents, block_options
from semkit.fitting.recipe import Recipe
from semkit.fitting.scores import given_factors
from semkit.interaction.mapping import Scores
from semkit.model import print_model
from semkit.numerics.em import masked_inverse
from semkit.sample import Sample
from semkit.sample.arrays import composite_errors

FloatArray = NDArray[np.float64]
Rule = Callable[[Implied, list[int], FloatArray, NDArray[np.bool_], NDArray[np.int64]], Scores]

_STEP = 1e-5
_CHUNK = 256  # weight vectors at a time


class Piece(Protocol):
    """What one part of the first step offers.

    Attributes
    ----------
    names : tuple of str
        Variables that are scored.
    theta : ndarray (q,)
    influence : ndarray (n, q)
        Of every respondent, group after group: estimates less parameters are its (weighted) mean.
    """

    @property
    def names(self) -> tuple[str, ...]: ...
    @property
    def theta(self) -> FloatArray: ...
    @property
    def influence(self) -> FloatArray: ...
    def at(self, theta: FloatArray) -> tuple[Scores, ...]: ...


@dataclass(frozen=True, eq=False)
class Measured:
    """Constructs (and observed variables) with one measurement model for all groups.

    Parameters
    ----------
    names : tuple of str
    fit : Fit
    rule : callable
        Scores of one group from implied moments, positions among eta and the observed variables after it, data
        ``(n, p)``, patterns and everyone's pattern.
    """

    names: tuple[str, ...]
    fit: Fit
    rule: Rule

    @property
    def theta(self) -> FloatArray:
        return self.fit.solution.theta

    @cached_property
    def influence(self) -> FloatArray:
        solution = self.fit.solution
        own = [pattern_scores(block, solution.theta, solution.given[0], data, solution.layout.n_parameters)
               for block, data in zip(solution.layout.blocks, solution.data, strict=True)]
        return np.asarray(np.concatenate(own) @ invert(solution.observed_information, solution.basis))

    @cached_property
    def _patterns(self) -> list[tuple[NDArray[np.bool_], NDArray[np.int64]]]:
        out = []
        for data in self.fit.solution.data:
            mask, index = np.unique(~np.isnan(data), axis=0, return_inverse=True)
            out.append((mask, np.asarray(index, dtype=np.int64).ravel()))
        return out

    def at(self, theta: FloatArray) -> tuple[Scores, ...]:
        solution = self.fit.solution
        out = []
        for block, data, (mask, index) in zip(solution.layout.blocks, solution.data, self._patterns, strict=True):
            implied = imply(block, theta[None], solution.given)
            places = (*block.eta, *block.observed)
            out.append(self.rule(implied, [places.index(name) for name in self.names], data, mask, index))
        return tuple(out)


@dataclass(frozen=True, eq=False)
class Observed:
    """Observed variables, centred at the means of each group; the means are the parameters."""

    names: tuple[str, ...]
    sample: Sample

    @cached_property
    def _values(self) -> list[FloatArray]:
        pick = [self.sample.names.index(name) for name in self.names]
        return [group.data[:, pick] for group in self.sample.groups]

    @cached_property
    def means(self) -> list[FloatArray]:
        """Of each group, weighted."""
        return [np.average(values, axis=0, weights=group.weights)
                for values, group in zip(self._values, self.sample.groups, strict=True)]

    @property
    def theta(self) -> FloatArray:
        return np.concatenate(self.means)

    @property
    def influence(self) -> FloatArray:
        count, k, total = len(self._values), len(self.names), float(self.sample.nobs)
        out = np.zeros((self.sample.nobs, count * k))
        start = 0
        for g, (values, group) in enumerate(zip(self._values, self.sample.groups, strict=True)):
            rows = slice(start, start + len(values))
            out[rows, g * k : (g + 1) * k] = (values - self.means[g]) * (total / group.weights.sum())
            start += len(values)
        return out

    def at(self, theta: FloatArray) -> tuple[Scores, ...]:
        k = len(self.names)
        level = theta.reshape(len(self._values), k)
        return tuple(Scores(values - level[g], np.zeros((1, k, k))) for g, values in enumerate(self._values))


@dataclass(frozen=True, eq=False)
class Averaged:
    """A composite with equal weights: its deviation from its mean, with the error variance that its items tell.

    Means and error variances of the groups are the parameters.
    """

    name: str
    column: str
    sample: Sample

    @property
    def names(self) -> tuple[str, ...]:
        return (self.name,)

    def _errors(self, g: int, weights: FloatArray) -> FloatArray:
        return composite_errors(self.sample, g, weights)[:, list(self.sample.composites).index(self.column)]

    @cached_property
    def theta(self) -> FloatArray:
        out = []
        for g, group in enumerate(self.sample.groups):
            mean = float(np.average(self.sample.column(self.column, g), weights=group.weights))
            out += [mean, float(self._errors(g, group.weights[None])[0])]
        return np.array(out)

    @cached_property
    def influence(self) -> FloatArray:
        out, start = np.zeros((self.sample.nobs, len(self.theta))), 0
        for g, group in enumerate(self.sample.groups):
            rows = slice(start, start + group.nobs)
            start += group.nobs
            share = group.weights.sum() / self.sample.nobs
            out[rows, 2 * g] = (self.sample.column(self.column, g) - self.theta[2 * g]) / share
            out[rows, 2 * g + 1] = self._error_influence(g) / share
        return out

    def _error_influence(self, g: int) -> FloatArray:
        """Derivative of the error variance when the weight of one respondent grows, ``(n_g,)``."""
        weights = self.sample.groups[g].weights
        total, step = float(weights.sum()), _STEP * float(weights.sum())
        out = np.empty(len(weights))
        for start in range(0, len(weights), _CHUNK):
            rows = np.arange(start, min(start + _CHUNK, len(weights)))
            more = np.repeat(weights[None], len(rows), axis=0)
            more[np.arange(len(rows)), rows] += step
            out[rows] = (self._errors(g, more) - self.theta[2 * g + 1]) * (total + step) / step
        return np.asarray(out - np.average(out, weights=weights))  # forward differences leave a small mean

    def at(self, theta: FloatArray) -> tuple[Scores, ...]:
        return tuple(Scores((self.sample.column(self.column, g) - theta[2 * g])[:, None],
                            np.full((1, 1, 1), theta[2 * g + 1])) for g in range(len(self.sample.groups)))


def bartlett(
    implied: Implied, pick: list[int], data: FloatArray, mask: NDArray[np.bool_], index: NDArray[np.int64]
) -> Scores:
    """Unbiased scores ``E(eta) + (K'WK)^-1 K'W (y - mu)`` and their errors ``(K'WK)^-1 - Cov(eta)``.

    ``K`` are the slopes on the scored constructs: parts of second-order factors are errors of measurement.
    """
    slopes, _ = given_factors(implied, pick)
    w, _ = masked_inverse(implied.sigma, mask)
    right = w @ slopes
    inner = slopes.T @ right
    inside = np.linalg.inv(inner)
    weight = inside @ right.swapaxes(1, 2)
    z = np.where(np.isnan(data), 0.0, data - implied.mu[0])
    value = z @ weight[0].T if len(mask) == 1 else np.einsum("nkp,np->nk", weight[index], z)
    error = inside - implied.eta_cov[0][np.ix_(pick, pick)]
    return Scores(implied.eta_mean[0][pick] + value, error if len(mask) == 1 else error[index])


def expected(
    implied: Implied, pick: list[int], data: FloatArray, mask: NDArray[np.bool_], index: NDArray[np.int64]
) -> Scores:
    """Expectations given what was answered; ``error`` is minus the covariance matrix of what is not known.

    Unbiased products of such scores are ``E(ab | answers)``: the product of the expectations plus the covariance.
    """
    w, _ = masked_inverse(implied.sigma, mask)
    between = implied.cross[0]
    cross = np.concatenate([between, implied.sigma[0]], axis=1)[:, pick]
    own = np.block([[implied.eta_cov[0], between.T], [between, implied.sigma[0]]])[np.ix_(pick, pick)]
    weight = w @ cross
    rest = own - cross.T @ weight
    z = np.where(np.isnan(data), 0.0, data - implied.mu[0])
    value = z @ weight[0] if len(mask) == 1 else np.einsum("npk,np->nk", weight[index], z)
    level = np.concatenate([implied.eta_mean[0], implied.mu[0]])[pick]
    return Scores(level + value, -rest if len(mask) == 1 else -rest[index])


def exact(rule: Rule) -> Rule:
    """The same scores, taken as they are."""

    def plain(
        implied: Implied, pick: list[int], data: FloatArray, mask: NDArray[np.bool_], index: NDArray[np.int64]
    ) -> Scores:
        found = rule(implied, pick, data, mask, index)
        return Scores(found.value, np.zeros((1, *found.error.shape[1:])))

    return plain


def fit_block(block: MeasurementBlock, recipe: Recipe, who: Respondents) -> Fit:
    """The measurement model of one block of constructs."""
    text = print_model(block.spec)
    plain = Recipe(text, text, block_options(recipe.options, block), design=recipe.design)
    return fit_spec(block.spec, plain, who.frame, None)


def require_converged(fits: dict[str, Fit]) -> None:
    """Refuse scores of measurement models that did not converge.

    Raises
    ------
    SampleError
        ``fitting.no-measurement``.
    """
    bad = [name for name, fit in fits.items() if not fit.converged]
    if bad:
        raise SampleError(Problem("fitting.no-measurement", ", ".join(bad), "its measurement model did not converge",
                                  "measurement models that converge", "Look at it alone with sk.cfa."))


def join(parts: list[tuple[Scores, ...]]) -> tuple[Scores, ...]:
    """Scores of all pieces, by group; errors of different pieces are independent."""
    out = []
    for group in zip(*parts, strict=True):
        value = np.concatenate([part.value for part in group], axis=1)
        error = np.zeros((max(len(part.error) for part in group), value.shape[1], value.shape[1]))
        start = 0
        for part in group:
            stop = start + part.value.shape[1]
            error[:, start:stop, start:stop] = part.error
            start = stop
        out.append(Scores(value, error))
    return tuple(out)


def moved(pieces: list[Piece]) -> Iterator[tuple[FloatArray, float, tuple[Scores, ...], tuple[Scores, ...]]]:
    """For every parameter of step one: respondents' influence ``(n,)``, the step, scores above and below."""
    parts = [piece.at(piece.theta) for piece in pieces]
    for b, piece in enumerate(pieces):
        theta, own = piece.theta, piece.influence
        for k in range(len(theta)):
            step = np.zeros_like(theta)
            step[k] = _STEP * max(1.0, abs(theta[k]))
            above, below = (join([*parts[:b], piece.at(theta + sign * step), *parts[b + 1 :]]) for sign in (1.0, -1.0))
            yield own[:, k], float(step[k]), above, below


def covariance(influence: FloatArray, sample: Sample) -> FloatArray:
    """Covariance matrix of estimates from respondents' influence ``(N, k)``, under the design if there is one."""
    total = float(len(influence))
    if sample.sampling is None:
        return np.asarray(influence.T @ influence / total**2)
    values = sample.sampling.weights[:, None] * influence
    return sample.sampling.covariance(values, small_sample=False) / total**2


def first_notes(fits: dict[str, Fit], sample: Sample) -> tuple[Note, ...]:
    """Diagnoses of the measurement models; what they say of the sample is said once, of the sample of both steps."""
    out = [*sample.notes]
    for fit in fits.values():
        own = fit.solution.sample.notes if fit.solution.sample is not None else ()
        out += [note for note in fit.notes if note not in own]
    return tuple(dict.fromkeys(out))


def left_out_notes(who: Respondents) -> tuple[Note, ...]:
    """Respondents without any answer on some construct have no score on it."""
    if not who.left_out:
        return ()
    return (Note("fitting.no-scores", "warning",
                 f"{who.left_out} respondents answered nothing of a construct and are left out.", "",
                 "They have no score on it.",
                 "interaction='lms' with missing='fiml' uses them with what they answered."),)
