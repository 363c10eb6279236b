r"""Quasi-maximum likelihood for latent products.

Let :math:`y` be a linear-normal vector plus :math:`D n`, with products :math:`n_t = \xi_a \xi_b` of linear-normal
variables.  A matrix :math:`R` with :math:`R D = 0` takes the products out: :math:`w = R y` is normal.  The other
combinations :math:`s` of :math:`y` have, given :math:`w`, a mean quadratic in :math:`w` and a covariance matrix that
depends on it; their conditional distribution is taken as normal with exactly these two moments:

.. math:: \ell = \sum_i \log N(w_i; \mu_w, \Sigma_w) + \log N(s_i; E(s \mid w_i), Cov(s \mid w_i))

With markers :math:`y_m` as :math:`s` and :math:`w = y_r - F y_m`, :math:`F = D_r D_m^{-1}`, the Jacobian is 1, and
which markers are taken changes nothing.  Where answers are missing the same is done with what a respondent answered.

References
----------
Klein & Muthén (2007), Multivariate Behavioral Research 42, 647-673.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semkit.interaction.reduced import Reduced, Small, matrices, structural

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Pattern:
    """Respondents of a group who answered the same columns.

    Parameters
    ----------
    rows : ndarray (n,)
    rest, marks : ndarray
        Columns that make ``w``, and the markers.
    data : ndarray (n, p)
    """

    rows: IntArray
    rest: IntArray
    marks: IntArray
    data: FloatArray
    weight: FloatArray


@dataclass(frozen=True, eq=False)
class QuasiPart:
    """One group: its reduced model and its patterns."""

    model: Reduced
    patterns: tuple[Pattern, ...]
    n: int

    def weighted(self, weight: FloatArray) -> QuasiPart:
        """The same respondents with case weights ``(n,)``; observed factors are centred at their weighted means."""
        total, count = np.zeros(self.model.block.p), np.zeros(self.model.block.p)
        for p in self.patterns:
            own, seen = weight[p.rows], ~np.isnan(p.data)
            total += own @ np.where(seen, p.data, 0.0)
            count += own @ seen
        names, block = self.model.block.observed, self.model.block
        means = {name: total[k] / count[k] for k, name in enumerate(names)}
        centre = np.array([means.get(block.eta[f], 0.0) for f in self.model.factors])
        return replace(self, model=replace(self.model, centre=centre),
                       patterns=tuple(replace(p, weight=weight[p.rows]) for p in self.patterns))


def make_patterns(model: Reduced, data: FloatArray, theta: FloatArray, given: FloatArray) -> QuasiPart:
    """Sort respondents by what they answered and choose markers by the sizes of their loadings."""
    direction = model.small(theta[None], given).direction[0].real
    seen = ~np.isnan(data)
    mask, index = np.unique(seen, axis=0, return_inverse=True)
    patterns = []
    for j, columns in enumerate(mask):
        rows = np.flatnonzero(index.ravel() == j)
        present = np.flatnonzero(columns)
        marks = _markers(direction[present], present)
        rest = np.array([c for c in present if c not in set(marks.tolist())], dtype=np.int64)
        patterns.append(Pattern(rows, rest, marks, data[rows], np.ones(len(rows))))
    return QuasiPart(model, tuple(patterns), len(data))


def _markers(direction: FloatArray, columns: IntArray) -> IntArray:
    """Rows that span the directions, largest first (Gram-Schmidt with pivoting)."""
    rest, out = direction.copy(), []
    for _ in range(min(direction.shape)):
        size = np.sum(rest**2, axis=1)
        k = int(np.argmax(size))
        if size[k] < 1e-12:
            break
        out.append(int(columns[k]))
        unit = rest[k] / np.sqrt(size[k])
        rest = rest - np.outer(rest @ unit, unit)
    return np.array(sorted(out), dtype=np.int64)


@dataclass(frozen=True, eq=False)
class Conditional:
    """What the respondents of a pattern need, as functions of the parameters; ``(B, ...)``, maybe complex.

    ``g`` are the markers without products, then the factors of products.
    """

    f: Any  # (B, r, k)
    mean_w: Any  # (B, r)
    w: Any  # (B, r, r) inverse covariance matrix
    logdet: Any  # (B,)
    k: Any  # (B, k + x, r) regression of g on w
    mean_g: Any  # (B, k + x)
    cov: Any  # (B, k + x, k + x) given w
    h: Any  # (B, k, t)

    def flat(self) -> Any:
        """Everything side by side, ``(B, v)``."""
        parts = (self.f, self.mean_w, self.w, self.logdet, self.k, self.mean_g, self.cov, self.h)
        return np.concatenate([part.reshape(len(self.logdet), -1) for part in parts], axis=1)

    def real(self, at: int) -> Conditional:
        """The real part of one member of the batch."""
        parts = (self.f, self.mean_w, self.w, self.logdet, self.k, self.mean_g, self.cov, self.h)
        return Conditional(*(part[at : at + 1].real for part in parts))


def conditional(small: Small, pattern: Pattern) -> Conditional:
    """Distribution of markers and factors given ``w``, linear part."""
    r, m = pattern.rest, pattern.marks
    p = small.sigma.shape[1] - small.factors
    d_m, d_r = small.direction[:, m], small.direction[:, r]
    transposed = d_m.swapaxes(1, 2)
    f = d_r @ transposed @ np.linalg.inv(d_m @ transposed) if len(m) else np.zeros((len(d_r), len(r), 0))
    both = np.concatenate([m, np.arange(p, p + small.factors)])
    s = small.sigma
    wide = s[:, r] - f @ s[:, m]  # Cov(w, everything)
    cov_w = wide[:, :, r] - wide[:, :, m] @ f.swapaxes(1, 2)
    cov_wg = wide[:, :, both]
    inverse = np.linalg.inv(cov_w)
    inverse = 0.5 * (inverse + inverse.swapaxes(1, 2))
    k = cov_wg.swapaxes(1, 2) @ inverse
    cov = s[:, both][:, :, both] - k @ cov_wg
    mean_w = small.mu[:, r] - (f @ small.mu[:, m, None])[..., 0]
    mean_g = small.mu[:, both]
    mean_g = np.concatenate([mean_g[:, : len(m)], mean_g[:, len(m) :] - small.centre], axis=1)
    sign, size = np.linalg.slogdet(cov_w)
    logdet = size + 1j * np.imag(sign) / np.real(sign)  # the angle of a number next to the positive axis
    logdet = logdet if np.iscomplexobj(cov_w) else size
    return Conditional(f, mean_w, inverse, logdet, k, mean_g, cov, small.load[:, m])


@dataclass(frozen=True, eq=False)
class Cases:
    """Log-likelihoods ``(n,)``, and derivatives by what :class:`Conditional` holds: ``(n, v)``, or summed ``(v,)``."""

    logl: FloatArray
    slope: FloatArray


def cases(c: Conditional, pattern: Pattern, pairs: IntArray, *, summed: bool = True) -> Cases:
    """Densities and derivatives at one parameter vector (batch of one).

    Parameters
    ----------
    pairs : ndarray (t, 2)
        The two factors of each product.
    summed : bool
        Weighted derivatives summed over respondents instead of one row each.
    """
    f, w, k, cov, h = c.f[0], c.w[0], c.k[0], c.cov[0], c.h[0]
    marks = pattern.data[:, pattern.marks]
    z = pattern.data[:, pattern.rest] - marks @ f.T - c.mean_w[0]
    wz = z @ w
    n, count = len(z), len(pattern.marks)
    logl = -0.5 * (np.sum(wz * z, axis=1) + c.logdet[0] + (count + z.shape[1]) * np.log(2 * np.pi))
    adj_z, adj_g = -wz, np.zeros((n, k.shape[0]))
    adj_cov, adj_h = np.zeros((n, *cov.shape)), np.zeros((n, *h.shape))
    if count:
        g = c.mean_g[0] + z @ k.T
        x = g[:, count:]
        a, b = count + pairs[:, 0], count + pairs[:, 1]
        at_a, at_b = x[:, pairs[:, 0]], x[:, pairs[:, 1]]
        error = marks - g[:, :count] - (at_a * at_b + cov[a, b]) @ h.T
        tangent = np.zeros((n, count, len(cov)))  # of the markers by g
        tangent[:, np.arange(count), np.arange(count)] = 1.0
        for t in range(len(pairs)):
            tangent[:, :, a[t]] += h[:, t] * at_b[:, t, None]
            tangent[:, :, b[t]] += h[:, t] * at_a[:, t, None]
        q = cov[np.ix_(a, a)] * cov[np.ix_(b, b)] + cov[np.ix_(a, b)] * cov[np.ix_(b, a)]
        by_cov = tangent @ cov
        v = by_cov @ tangent.swapaxes(1, 2) + h @ q @ h.T
        inverse, logdet = _inverse(v)
        e = (inverse @ error[..., None])[..., 0]
        logl = logl - 0.5 * (np.sum(e * error, axis=1) + logdet)
        adj_v = 0.5 * (e[:, :, None] * e[:, None, :] - inverse)
        adj_t = 2.0 * adj_v @ by_cov
        adj_g = (e[:, None, :] @ tangent)[:, 0]
        inner = adj_v @ h  # (n, k, t)
        adj_cov = tangent.swapaxes(1, 2) @ adj_v @ tangent
        adj_h = e[:, :, None] * (at_a * at_b + cov[a, b])[:, None, :] + 2.0 * inner @ q
        by_q = h.T @ inner  # (n, t, t)
        along = e @ h
        for t in range(len(pairs)):
            adj_g[:, b[t]] += adj_t[:, :, a[t]] @ h[:, t]
            adj_g[:, a[t]] += adj_t[:, :, b[t]] @ h[:, t]
            adj_h[:, :, t] += adj_t[:, :, a[t]] * at_b[:, t, None] + adj_t[:, :, b[t]] * at_a[:, t, None]
            adj_cov[:, a[t], b[t]] += along[:, t]
            for u in range(len(pairs)):
                adj_cov[:, a[t], a[u]] += by_q[:, t, u] * cov[b[t], b[u]]
                adj_cov[:, b[t], b[u]] += by_q[:, t, u] * cov[a[t], a[u]]
                adj_cov[:, a[t], b[u]] += by_q[:, t, u] * cov[b[t], a[u]]
                adj_cov[:, b[t], a[u]] += by_q[:, t, u] * cov[a[t], b[u]]
        adj_z = adj_z + adj_g @ k
    return Cases(logl, _collect(pattern, z, marks, adj_z, adj_g, adj_cov, adj_h, summed))


def sums_of_one(c: Conditional, pattern: Pattern, pairs: IntArray) -> Cases:
    """What :func:`cases` gives summed, for one marker, where matrices of a respondent are rows."""
    f, w, k, cov, h = c.f[0], c.w[0], c.k[0], c.cov[0], c.h[0, 0]
    weight, mark = pattern.weight, pattern.data[:, pattern.marks]
    z = pattern.data[:, pattern.rest] - mark * f[:, 0] - c.mean_w[0]
    wz = z @ w
    g = z @ k.T + c.mean_g[0]
    a, b = 1 + pairs[:, 0], 1 + pairs[:, 1]
    at_a, at_b = g[:, a], g[:, b]
    both = at_a * at_b + cov[a, b]
    error = mark[:, 0] - g[:, 0] - both @ h
    tangent = np.zeros((len(z), len(cov)))
    tangent[:, 0] = 1.0
    for t in range(len(pairs)):
        tangent[:, a[t]] += h[t] * at_b[:, t]
        tangent[:, b[t]] += h[t] * at_a[:, t]
    q = cov[a[:, None], a] * cov[b[:, None], b] + cov[a[:, None], b] * cov[b[:, None], a]
    by_cov = tangent @ cov
    v = np.sum(by_cov * tangent, axis=1) + h @ q @ h
    e = error / v
    logl = -0.5 * (np.sum(wz * z, axis=1) + c.logdet[0] + (1 + z.shape[1]) * np.log(2 * np.pi) + e * error + np.log(v))
    we, adj_v = weight * e, 0.5 * weight * (e * e - 1.0 / v)
    adj_t = (2.0 * adj_v)[:, None] * by_cov
    adj_g = we[:, None] * tangent
    level = float(adj_v.sum())
    adj_h = we @ both + 2.0 * level * (q @ h)
    adj_cov = tangent.T @ (adj_v[:, None] * tangent)
    for t in range(len(pairs)):
        adj_g[:, b[t]] += h[t] * adj_t[:, a[t]]
        adj_g[:, a[t]] += h[t] * adj_t[:, b[t]]
        adj_h[t] += adj_t[:, a[t]] @ at_b[:, t] + adj_t[:, b[t]] @ at_a[:, t]
        adj_cov[a[t], b[t]] += h[t] * we.sum()
        for u in range(len(pairs)):
            size = level * h[t] * h[u]
            adj_cov[a[t], a[u]] += size * cov[b[t], b[u]]
            adj_cov[b[t], b[u]] += size * cov[a[t], a[u]]
            adj_cov[a[t], b[u]] += size * cov[b[t], a[u]]
            adj_cov[b[t], a[u]] += size * cov[a[t], b[u]]
    adj_z = adj_g @ k - weight[:, None] * wz
    total = (-adj_z.T @ mark, -adj_z.sum(axis=0), -0.5 * (z * weight[:, None]).T @ z, np.array([-0.5 * weight.sum()]),
             adj_g.T @ z, adj_g.sum(axis=0), adj_cov, adj_h)
    return Cases(logl, np.concatenate([part.ravel() for part in total]))


def _collect(
    pattern: Pattern, z: FloatArray, marks: FloatArray, adj_z: FloatArray, adj_g: FloatArray, adj_cov: FloatArray,
    adj_h: FloatArray, summed: bool,
) -> FloatArray:
    """Derivatives in the order of :meth:`Conditional.flat`."""
    n = len(z)
    if summed:
        weight = pattern.weight
        left, right = adj_z * weight[:, None], adj_g * weight[:, None]
        inner = (z * weight[:, None]).T @ z
        total = (-left.T @ marks, -left.sum(axis=0), -0.5 * inner, np.array([-0.5 * weight.sum()]), right.T @ z,
                 right.sum(axis=0), weight @ adj_cov.reshape(n, -1), weight @ adj_h.reshape(n, -1))
        return np.concatenate([part.ravel() for part in total])
    parts = (
        -adj_z[:, :, None] * marks[:, None, :], -adj_z, -0.5 * z[:, :, None] * z[:, None, :], np.full((n, 1), -0.5),
        adj_g[:, :, None] * z[:, None, :], adj_g, adj_cov, adj_h,
    )
    return np.concatenate([part.reshape(n, -1) for part in parts], axis=1)


def _inverse(v: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Inverses and log-determinants of ``(n, k, k)`` matrices; NaN where not positive definite."""
    if v.shape[1] == 1:
        return 1.0 / v, np.log(v[:, 0, 0])
    try:
        root = np.linalg.cholesky(v)
    except np.linalg.LinAlgError:
        return np.full_like(v, np.nan), np.full(len(v), np.nan)
    return np.asarray(np.linalg.inv(v)), 2.0 * np.log(np.diagonal(root, axis1=1, axis2=2)).sum(axis=1)


def eta_moments(part: QuasiPart, theta: FloatArray, given: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Conditional means and variances of eta: those given ``w`` exactly, moved by the markers as if normal.

    ``E(eta | w) + C V^-1 (s - E(s | w))`` with the conditional covariances ``C`` of eta with the markers, products
    included in both.
    """
    m = part.model.block.m
    model = part.model.with_factors(tuple(range(m)))
    pairs = np.array([c.factors for c in model.crossings], dtype=np.int64)
    small = model.small(theta[None], given)
    push = model.push(structural(matrices(model.block, theta[None], given))[0], theta[None])[0]
    mean, variance = np.zeros((part.n, m)), np.zeros((part.n, m))
    for pattern in part.patterns:
        c = conditional(small, pattern)
        count, cov = len(pattern.marks), c.cov[0]
        marks = pattern.data[:, pattern.marks]
        z = pattern.data[:, pattern.rest] - marks @ c.f[0].T - c.mean_w[0]
        g = c.mean_g[0] + z @ c.k[0].T
        x = g[:, count:]
        effect = np.concatenate([c.h[0], push])  # of the products on markers and eta
        a, b = count + pairs[:, 0], count + pairs[:, 1]
        expected = g + (x[:, pairs[:, 0]] * x[:, pairs[:, 1]] + cov[a, b]) @ effect.T
        tangent = np.broadcast_to(np.eye(len(cov)), (len(z), *cov.shape)).copy()
        for t in range(len(pairs)):
            tangent[:, :, a[t]] += effect[:, t] * x[:, pairs[t, 1], None]
            tangent[:, :, b[t]] += effect[:, t] * x[:, pairs[t, 0], None]
        q = cov[np.ix_(a, a)] * cov[np.ix_(b, b)] + cov[np.ix_(a, b)] * cov[np.ix_(b, a)]
        whole = tangent @ cov @ tangent.swapaxes(1, 2) + effect @ q @ effect.T
        slope = whole[:, count:, :count] @ _inverse(whole[:, :count, :count])[0]
        found = expected[:, count:] + (slope @ (marks - expected[:, :count])[..., None])[..., 0]
        rest = whole[:, count:, count:] - slope @ whole[:, :count, count:]
        mean[pattern.rows] = found + model.centre
        variance[pattern.rows] = np.diagonal(rest, axis1=1, axis2=2)
    return mean, variance
