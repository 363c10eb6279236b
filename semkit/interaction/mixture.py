r"""The likelihood of a model with latent products as a mixture over values of its non-linear variables.

.. math:: \ell(\theta) = \sum_i \log \sum_k e^{\omega_k} \, p(y_i, z_k; \theta)

with the conditionally linear density of :mod:`semkit.interaction.conditioning` at fixed points :math:`z_k`.  With
posterior weights :math:`r_{ik}` and complete-data scores :math:`s_{ik}`

- gradient :math:`\sum_{ik} r_{ik} s_{ik}`, from :math:`\sum_i r_{ik}` and the weighted moments alone;
- Hessian :math:`\sum_{ik} r_{ik} (H_{ik} + s_{ik} s_{ik}') - \sum_i s_i s_i'`, :math:`s_i = \sum_k r_{ik} s_{ik}`.

Log densities of all respondents at all points are one product of a matrix of squares and products of the data with a
matrix of coefficients; the weighted moments are the product with its transpose.

References
----------
Klein & Moosbrugger (2000), Psychometrika 65, 457-474; Louis (1982), JRSS B 44, 226-233 (Hessian).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semkit.estimate.discrepancy import _exact
from semkit.estimate.implied import Implied, frame, mean_factor
from semkit.interaction.conditioning import Conditioned
from semkit.numerics.em import masked_inverse

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

_SLICE = 400_000  # entries of one (states, cells, cells) array while it is worked on
_SMALL = 50  # respondents in a segment
_FORGOTTEN = 1e-10  # posterior weights below this do not count in outer products of scores


@dataclass(frozen=True, eq=False)
class Bundle:
    """Segments of equal size: respondents with the same answered columns and the same known values.

    Parameters
    ----------
    rows : ndarray (S, n)
        Rows of the group's data.
    mask : ndarray (S, p) of bool
    known : ndarray (S, e)
    data : ndarray (S, n, p)
        Less ``centre``; 0 where not answered.
    features : ndarray (S, n, 1 + p + p(p+1)/2)
        1, the data, and their squares and products (lower triangle by rows).
    weight : ndarray (S, n)
        Case weights: how often a respondent counts.
    """

    rows: IntArray
    mask: BoolArray
    known: FloatArray
    data: FloatArray
    features: FloatArray
    weight: FloatArray


@dataclass(frozen=True, eq=False)
class Respondents:
    """One group's data, ready for the mixture.

    Parameters
    ----------
    bundles : tuple of Bundle
    centre : ndarray (p,)
    n : int
    """

    bundles: tuple[Bundle, ...]
    centre: FloatArray
    n: int

    def weighted(self, weight: FloatArray, known: FloatArray) -> Respondents:
        """The same respondents with case weights ``(n,)`` and known values ``(n, e)`` that follow from them."""
        return replace(self, bundles=tuple(
            replace(b, weight=weight[b.rows], known=known[b.rows[:, 0]]) for b in self.bundles))

    def ordered(self, key: FloatArray) -> Respondents:
        """The same respondents, those of a segment in ascending order of ``key (n,)``.

        Ordered by where their posterior distribution lies, those who count at a point stand side by side.
        """
        out = []
        for b in self.bundles:
            order = np.argsort(key[b.rows], axis=1, kind="stable")
            out.append(replace(
                b, rows=np.take_along_axis(b.rows, order, 1), weight=np.take_along_axis(b.weight, order, 1),
                data=np.take_along_axis(b.data, order[..., None], 1),
                features=np.take_along_axis(b.features, order[..., None], 1),
            ))
        return replace(self, bundles=tuple(out))


@dataclass(frozen=True, eq=False)
class Points:
    """Values of the integrated variables and the logarithms of what each stands for.

    Parameters
    ----------
    z : ndarray (K, d)
    log_weight : ndarray (K,)
    """

    z: FloatArray
    log_weight: FloatArray


@dataclass(frozen=True, eq=False)
class States:
    """The conditional model of one bundle at every point.

    ``T = S K`` states, segment after segment; ``w`` are inverses with zeros where nothing was answered.
    """

    implied: Implied
    w: FloatArray  # (T, P, P)
    logdet: FloatArray  # (T,)
    mu: FloatArray  # (T, p) less centre, 0 where not answered
    gap: FloatArray  # (T, d) z less its mean
    factor: FloatArray  # (T, c)
    count: FloatArray  # (T,) how many values are answered


@dataclass(frozen=True, eq=False)
class Evaluation:
    """Log-likelihood of a group with derivatives.

    Parameters
    ----------
    logl : float
    gradient : ndarray (q,)
    hessian : ndarray (q, q) or None
    outer : ndarray (q, q) or None
        Sum of outer products of the respondents' scores.
    scores : ndarray (n, q) or None
        Those scores times the case weights, in the order of the data.
    """

    logl: float
    gradient: FloatArray
    hessian: FloatArray | None = None
    outer: FloatArray | None = None
    scores: FloatArray | None = None


def make_respondents(data: FloatArray, known: FloatArray) -> Respondents:
    """Sort respondents by what they answered and by their known values.

    Parameters
    ----------
    data : ndarray (n, p)
        NaN where not answered.
    known : ndarray (n, e)
    """
    centre = np.nanmean(data, axis=0)
    seen = ~np.isnan(data)
    key = np.column_stack([seen.astype(np.float64), known])
    _, index = np.unique(key, axis=0, return_inverse=True)
    index = index.ravel()
    order = np.argsort(index, kind="stable")
    segments = np.split(order, np.cumsum(np.bincount(index))[:-1])
    by_size: dict[int, list[IntArray]] = {}
    for rows in segments:
        by_size.setdefault(len(rows), []).append(rows)
    bundles = []
    lower = np.tril_indices(data.shape[1])
    for same in by_size.values():
        rows = np.stack(same)
        first = rows[:, 0]
        z = np.where(seen[rows], data[rows] - centre, 0.0)
        ones = np.ones((*z.shape[:2], 1))
        features = np.concatenate([ones, z, z[..., lower[0]] * z[..., lower[1]]], axis=2)
        bundles.append(Bundle(rows, seen[first], known[first], z, features, np.ones(rows.shape)))
    return Respondents(tuple(bundles), centre, len(data))


def states_of(
    model: Conditioned, theta: FloatArray, given: FloatArray, bundle: Bundle, points: Points, centre: FloatArray
) -> States:
    """The conditional models of a bundle's segments at all points."""
    segments, count = len(bundle.mask), len(points.z)
    z = np.tile(points.z, (segments, 1))
    if bundle.known.shape[1]:
        values = np.concatenate([z, np.repeat(bundle.known, count, axis=0)], axis=1)
        implied = model.imply(theta, given, values)
        factor = model.factors(values)
    else:
        implied, factor = model.imply(theta, given, points.z), model.factors(points.z)
        if segments > 1:
            again = np.tile(np.arange(count), segments)
            implied, factor = implied.take(again), factor[again]
    mask = np.repeat(bundle.mask, count, axis=0)
    whole = np.concatenate([mask, np.ones((len(mask), model.d), dtype=bool)], axis=1)
    w, logdet = masked_inverse(implied.sigma, whole)
    mu = np.where(mask, implied.mu[:, : model.p] - centre, 0.0)
    return States(implied, w, logdet, mu, z - implied.mu[:, model.p :], factor, whole.sum(axis=1).astype(np.float64))


def log_joint(model: Conditioned, states: States, bundle: Bundle, points: Points) -> FloatArray:
    """``log p(y_i, z_k)`` plus the points' log weights, ``(S, n, K)``."""
    p, lower = model.p, np.tril_indices(model.p)
    inside = states.w[:, :p, :p]
    by_mu = (inside @ states.mu[..., None])[..., 0]
    by_gap = (states.w[:, :p, p:] @ states.gap[..., None])[..., 0]
    last = (states.gap[:, None, :] @ states.w[:, p:, p:])[:, 0]
    level = states.logdet + states.count * np.log(2.0 * np.pi)
    level = level + np.sum(states.mu * (by_mu - 2.0 * by_gap), axis=1) + np.sum(last * states.gap, axis=1)
    twice = np.where(lower[0] == lower[1], 1.0, 2.0)
    coefficient = np.concatenate(
        [level[:, None], 2.0 * (by_gap - by_mu), inside[:, lower[0], lower[1]] * twice], axis=1
    )
    shape = (len(bundle.mask), len(points.z), -1)
    found = bundle.features @ (-0.5 * coefficient).reshape(shape).swapaxes(1, 2)
    return np.asarray(found + points.log_weight)


def posterior(joint: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Log-likelihood of each respondent ``(S, n)`` and posterior weights ``(S, n, K)``."""
    top = joint.max(axis=2, keepdims=True)
    weight = np.exp(joint - top)
    total = weight.sum(axis=2, keepdims=True)
    return (top + np.log(total))[..., 0], weight / total


def evaluate(
    model: Conditioned, theta: FloatArray, given: FloatArray, who: Respondents, points: Points, *, order: str = "exact"
) -> Evaluation:
    """Log-likelihood of a group.

    Parameters
    ----------
    order : {"gradient", "outer", "exact"}
        Also the outer products of the scores; also the Hessian.
    """
    q = model.n_parameters
    logl, gradient = 0.0, np.zeros(q)
    hessian, outer = np.zeros((q, q)), np.zeros((q, q))
    scores = np.zeros((who.n if order != "gradient" else 0, q))
    for bundle in who.bundles:
        states = states_of(model, theta, given, bundle, points, who.centre)
        each, r = posterior(log_joint(model, states, bundle, points))
        logl += float(np.sum(each * bundle.weight))
        r *= bundle.weight[..., None]
        columns, t = frame(model.moving, states.implied), mean_factor(model.moving, states.implied)
        slope, curve = _complete(model, states, bundle, r, columns, t, curved=order == "exact")
        gradient += slope
        if order != "gradient":
            own, inside = _scores(model, states, bundle, r, columns, t, inner=order == "exact")
            outer += own.T @ own
            scores[bundle.rows.ravel()] = own
            hessian += curve + inside - own.T @ (own / np.maximum(bundle.weight.ravel(), 1e-300)[:, None])
    if not np.isfinite(logl):
        logl = float("nan")
    if order == "gradient":
        return Evaluation(logl, gradient)
    return Evaluation(logl, gradient, hessian if order == "exact" else None, outer, scores)


def _sums(model: Conditioned, states: States, bundle: Bundle, r: FloatArray) -> tuple[FloatArray, ...]:
    """Weights ``(T,)``, sums of deviations ``(T, P)`` and of their products ``(T, P, P)`` at every state."""
    p, lower = model.p, np.tril_indices(model.p)
    stats = (r.swapaxes(1, 2) @ bundle.features).reshape(len(states.w), -1)
    n, first = stats[:, 0], stats[:, 1 : 1 + p]
    second = np.empty((len(n), p, p))
    second[:, lower[0], lower[1]] = second[:, lower[1], lower[0]] = stats[:, 1 + p :]
    mu = states.mu
    cross = mu[:, :, None] * first[:, None, :]
    second = second - cross - cross.swapaxes(1, 2) + n[:, None, None] * mu[:, :, None] * mu[:, None, :]
    dev = np.concatenate([first - n[:, None] * mu, n[:, None] * states.gap], axis=1)
    whole = np.empty((len(n), model.block.p, model.block.p))
    whole[:, :p, :p] = second
    whole[:, :p, p:] = dev[:, :p, None] * states.gap[:, None, :]
    whole[:, p:, :p] = whole[:, :p, p:].swapaxes(1, 2)
    whole[:, p:, p:] = n[:, None, None] * states.gap[:, :, None] * states.gap[:, None, :]
    return n, dev, whole


def _complete(
    model: Conditioned, states: States, bundle: Bundle, r: FloatArray, columns: FloatArray, t: FloatArray, *,
    curved: bool,
) -> tuple[FloatArray, FloatArray]:
    """Gradient, and the weighted sum of the complete-data Hessians, from the weighted moments."""
    n, dev, total = _sums(model, states, bundle, r)
    w, q = states.w, model.n_parameters
    u, v, scale = model.moving.factors
    inner = n[:, None, None] * w - w @ total @ w
    by_q = columns.swapaxes(1, 2) @ (inner @ columns)
    wd = (dev[:, None, :] @ w @ columns)[:, 0]
    by_cell = (t * wd[:, u] - scale * by_q[:, u, v]) * states.factor
    slope = by_cell.sum(axis=0) @ model.spread
    if not curved:
        return slope, np.zeros((q, q))
    keep = np.flatnonzero(n > 1e-9)
    cells = len(u)
    curve = np.zeros((cells, cells))
    width = max(1, _SLICE // (cells * cells))
    for start in range(0, len(keep), width):
        at = keep[start : start + width]
        by_w = columns[at].swapaxes(1, 2) @ (w[at] @ columns[at])
        part = _exact(model.moving, states.implied.take(at), by_w, by_q[at] / n[at, None, None],
                      wd[at] / n[at, None], t[at])
        f = states.factor[at]
        curve += np.einsum("tab,ta,tb->ab", part, f * n[at, None], f, optimize=True)
    return slope, np.asarray(-0.5 * model.spread.T @ curve @ model.spread)


def _scores(
    model: Conditioned, states: States, bundle: Bundle, r: FloatArray, columns: FloatArray, t: FloatArray, *,
    inner: bool,
) -> tuple[FloatArray, FloatArray]:
    """Weighted scores of the respondents ``(S n, q)`` and the sum of ``r_ik s_ik s_ik'``, ``(q, q)``."""
    u, v, scale = model.moving.factors
    pick, place = np.unique(np.concatenate([u, v]), return_inverse=True)
    at_u, at_v = place[: len(u)], place[len(u) :]
    segments, size, count = r.shape
    right = states.w @ columns[:, :, pick]
    level = scale * (columns[:, :, pick].swapaxes(1, 2) @ right)[:, at_u, at_v]
    own = np.zeros((segments, len(u), size))
    total = np.zeros((len(u), len(u)))
    shape = (segments, count)
    right = right.reshape(*shape, *right.shape[1:]).swapaxes(2, 3)
    mu, gap = states.mu.reshape(*shape, 1, -1), states.gap.reshape(*shape, -1, 1)
    factor = states.factor.reshape(*shape, -1, 1)
    level, mean = (x.reshape(*shape, -1, 1) * factor for x in (level, t))
    steep = scale[:, None] * factor
    root = np.sqrt(r)
    for s, rows, k in _visits(r):  # cells in rows: picking them copies whole rows
        z = (bundle.data[s, rows] - mu[s, k]).swapaxes(-1, -2)
        across = right[s, k, :, : model.p] @ z + right[s, k, :, model.p :] @ gap[s, k]
        score = across[..., at_v, :]
        score *= steep[s, k]
        score += mean[s, k]
        score *= across[..., at_u, :]
        score -= level[s, k]
        share = root[s, rows, k][..., None, :]
        score *= share
        if inner:
            part = score @ score.swapaxes(-1, -2)
            total += part if part.ndim == 2 else part.sum(axis=0)
        score *= share
        own[s][..., rows] += score
    each = own.swapaxes(1, 2).reshape(-1, len(u))
    return each @ model.spread, np.asarray(model.spread.T @ total @ model.spread)


def _visits(r: FloatArray) -> Iterator[tuple[Any, Any, int]]:
    """Segments and respondents whose posterior weight at a point counts, point by point.

    Segments of many respondents come one by one, with only those respondents; small ones all at once.
    """
    segments, size, count = r.shape
    if size < _SMALL:
        for k in range(count):
            yield slice(None), slice(None), k
        return
    for s in range(segments):
        for k in range(count):
            rows = np.flatnonzero(r[s, :, k] > _FORGOTTEN)
            if not len(rows):
                continue
            first, last = int(rows[0]), int(rows[-1]) + 1
            yield s, slice(first, last) if last - first < 1.5 * len(rows) + 20 else rows, k


def eta_moments(
    model: Conditioned, theta: FloatArray, given: FloatArray, who: Respondents, points: Points
) -> tuple[FloatArray, FloatArray]:
    """Posterior means and variances of all variables of eta given each respondent's answers, ``(n, m)`` each."""
    first, second = np.zeros((who.n, model.block.m)), np.zeros((who.n, model.block.m))
    for bundle in who.bundles:
        states = states_of(model, theta, given, bundle, points, who.centre)
        _, r = posterior(log_joint(model, states, bundle, points))
        cross = states.implied.cross
        slope = cross.swapaxes(1, 2) @ states.w  # (T, m, P)
        rest = np.diagonal(states.implied.eta_cov, axis1=1, axis2=2) - np.sum(slope.swapaxes(1, 2) * cross, axis=1)
        shape = (*r.shape[::2], model.block.m, -1)
        level = states.implied.eta_mean + (slope[:, :, model.p :] @ states.gap[..., None])[..., 0]
        level = (level - (slope[:, :, : model.p] @ states.mu[..., None])[..., 0]).reshape(shape[:3])
        by_data, rest = slope[:, :, : model.p].reshape(shape), rest.reshape(shape[:3])
        for k in range(r.shape[2]):
            part = level[:, None, k] + bundle.data @ by_data[:, k].swapaxes(1, 2)
            first[bundle.rows] += r[:, :, k, None] * part
            second[bundle.rows] += r[:, :, k, None] * (part**2 + rest[:, None, k])
    return first, second - first**2
