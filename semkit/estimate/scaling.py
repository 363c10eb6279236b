"""Sandwich errors and corrected tests, from derivatives, weights and the covariance matrix of the moments alone.

With ``Delta`` (all groups' derivatives one below the other), ``W = diag(c_g W_g)``, ``Gamma = diag(Gamma_g / c_g)``,
``Z`` the directions that constraints allow and ``E = Z (Z' Delta'W Delta Z)^-1 Z'``,

    U = W - W Delta E Delta'W

and ``N F`` is distributed as a sum of independent chi-squares weighted by the eigenvalues of ``U Gamma``, of which
``tr(U Gamma)`` and ``tr(U Gamma U Gamma)`` give mean and variance.  ``Gamma_g = R'R`` enters by a root ``R``, so that
the traces are those of ``R U R'``, which has as many rows as there are moments or respondents, whichever is less.

References
----------
Satorra & Bentler (1994), in von Eye & Clogg (eds), Latent Variables Analysis, 399-419; Browne (1984), British Journal
of Mathematical and Statistical Psychology 37, 62-83.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from semkit.estimate.tests import Test, chi_square_p
from semkit.estimate.weights import NormalRoot, Root, Weight

FloatArray = NDArray[np.float64]


def root_of(nacov: FloatArray) -> Root:
    """``R`` with ``R'R = Gamma``, ``(k, k)``; ``Gamma`` may be singular."""
    values, vectors = np.linalg.eigh(nacov)
    return Root(np.sqrt(np.maximum(values, 0.0))[:, None] * vectors.T)


def root_of_rows(rows: FloatArray) -> Root:
    """``R`` with ``R'R`` the mean square of ``rows (n, k)``; ``(min(n, k), k)``."""
    scaled = rows / np.sqrt(len(rows))
    return Root(scaled if len(rows) <= rows.shape[1] else np.asarray(np.linalg.qr(scaled, mode="r")))


@dataclass(frozen=True, eq=False)
class Pieces:
    """What errors and corrected tests are made of.

    Parameters
    ----------
    slopes : tuple of ndarray (k, q), one a group
        ``Delta_g``.
    weights : tuple of Weight
        ``W_g``, of batch size 1.
    shares : tuple of float
    basis : ndarray (q, r)
        ``Z``.
    make_roots : callable
        Returns ``R_g`` of each group; called when they are first needed.
    """

    slopes: tuple[FloatArray, ...]
    weights: tuple[Weight, ...]
    shares: tuple[float, ...]
    basis: FloatArray
    make_roots: Callable[[], tuple[Root | NormalRoot, ...]]

    @cached_property
    def roots(self) -> tuple[Root | NormalRoot, ...]:
        """``R_g``."""
        return self.make_roots()

    @cached_property
    def weighted(self) -> tuple[FloatArray, ...]:
        """``W_g Delta_g``, ``(k, q)``."""
        return tuple(w.times(d[None])[0] for w, d in zip(self.weights, self.slopes, strict=True))

    @cached_property
    def information(self) -> FloatArray:
        """``Delta'W Delta``, ``(q, q)``."""
        parts = zip(self.shares, self.slopes, self.weighted, strict=True)
        return np.asarray(sum(c * d.T @ wd for c, d, wd in parts))

    @cached_property
    def bread(self) -> FloatArray:
        """``E``, ``(q, q)``; the generalised inverse where parameters are not identified."""
        inner = self.basis.T @ self.information @ self.basis
        if inner.size == 0:
            return np.zeros_like(self.information)
        scale = 1.0 / np.sqrt(np.maximum(np.diagonal(inner), 1e-300))
        inside = np.linalg.pinv(inner * np.outer(scale, scale), rcond=1e-12, hermitian=True) * np.outer(scale, scale)
        return np.asarray(self.basis @ inside @ self.basis.T)

    @cached_property
    def pulled(self) -> tuple[FloatArray, ...]:
        """``R_g W_g Delta_g``, ``(r_g, q)``."""
        return tuple(r.times(wd) for r, wd in zip(self.roots, self.weighted, strict=True))

    @cached_property
    def meat(self) -> FloatArray:
        """``Delta'W Gamma W Delta``, ``(q, q)``."""
        return np.asarray(sum(c * a.T @ a for c, a in zip(self.shares, self.pulled, strict=True)))

    @cached_property
    def trace(self) -> float:
        """``tr(U Gamma)``."""
        pairs = zip((root.matrix for root in self.roots), self.weights, strict=True)
        whole = sum(float(np.sum(r * w.times(r.T[None])[0].T)) for r, w in pairs)
        return whole - float(np.sum(self.bread * self.meat))

    @cached_property
    def kernel(self) -> FloatArray:
        """``R U R'`` of all groups, whose eigenvalues other than 0 are those of ``U Gamma``."""
        left = np.concatenate([np.sqrt(c) * a for c, a in zip(self.shares, self.pulled, strict=True)])
        out = -left @ self.bread @ left.T
        start = 0
        for root, weight in zip(self.roots, self.weights, strict=True):
            r = root.matrix
            end = start + len(r)
            out[start:end, start:end] += r @ weight.times(r.T[None])[0]
            start = end
        return np.asarray(out)

    @cached_property
    def trace_of_square(self) -> float:
        """``tr(U Gamma U Gamma)``."""
        return float(np.sum(self.kernel**2))

    def spreads(self, moves: tuple[FloatArray, ...], counts: tuple[float, ...]) -> Iterator[FloatArray]:
        """Parts ``(k, r)`` of something that moves by ``M_g (k, k_g)`` with the moments of each group.

        The sum of their outer products is its covariance matrix, with group sizes ``counts``.
        """
        for move, root, count in zip(moves, self.roots, counts, strict=True):
            yield move @ root.matrix.T / np.sqrt(count)

    @cached_property
    def residual_variances(self) -> tuple[FloatArray, ...]:
        """``N Var(s - sigma)`` of each moment of each group: mean squares of ``R (I - W Delta E Delta')``, ``(k,)``.

        Other groups move the estimates and so the residuals of this one.

        References
        ----------
        Browne (1984), proposition 4; Ogasawara (2001), British Journal of Mathematical and Statistical Psychology 54,
        237-250.
        """
        out = []
        for g, slope in enumerate(self.slopes):
            total = np.zeros(len(slope))
            for h, (share, pulled) in enumerate(zip(self.shares, self.pulled, strict=True)):
                moved = -np.sqrt(share) * pulled @ self.bread @ slope.T
                total += np.sum((moved + self.roots[h].matrix / np.sqrt(share) if h == g else moved) ** 2, axis=0)
            out.append(total)
        return tuple(out)

    def residual_form(self, residuals: tuple[FloatArray, ...]) -> float:
        """``e'U e``: what is left of the residuals when the model may move along its tangent (Browne 1984, eq. 2.20b).

        Parameters
        ----------
        residuals : tuple of ndarray (k,), one a group
        """
        total, slope = 0.0, np.zeros(self.basis.shape[0])
        for c, e, w, d in zip(self.shares, residuals, self.weights, self.slopes, strict=True):
            pull = c * w.times(e[None, :, None])[0, :, 0]
            total += float(e @ pull)
            slope += d.T @ pull
        return total - float(slope @ self.bread @ slope)


class JointPieces(Pieces):
    """Pieces of groups whose moments are correlated: rows of the roots stand for the same units in all groups.

    ``R_g'R_h = sqrt(c_g c_h) N Cov(s_g, s_h)``, as under clusters that reach over groups.  With
    ``L = sum_g sqrt(c_g) R_g W_g Delta_g`` the middle of the sandwich is ``L'L``, and ``U Gamma`` has the eigenvalues
    of ``sum_g R_g W_g R_g' - L E L'``.
    """

    @cached_property
    def together(self) -> FloatArray:
        """``L``, ``(r, q)``."""
        return np.asarray(sum(np.sqrt(c) * a for c, a in zip(self.shares, self.pulled, strict=True)))

    @cached_property
    def meat(self) -> FloatArray:
        return np.asarray(self.together.T @ self.together)

    @cached_property
    def kernel(self) -> FloatArray:
        pairs = zip((root.matrix for root in self.roots), self.weights, strict=True)
        whole = sum(r @ weight.times(r.T[None])[0] for r, weight in pairs)
        return np.asarray(whole - self.together @ self.bread @ self.together.T)

    def spreads(self, moves: tuple[FloatArray, ...], counts: tuple[float, ...]) -> Iterator[FloatArray]:
        yield np.asarray(sum(super().spreads(moves, counts)))

    @cached_property
    def residual_variances(self) -> tuple[FloatArray, ...]:
        moved = -self.together @ self.bread
        return tuple(np.sum((root.matrix / np.sqrt(c) + moved @ slope.T) ** 2, axis=0)
                     for root, c, slope in zip(self.roots, self.shares, self.slopes, strict=True))


class Traces(Protocol):
    """``tr(U Gamma)`` and ``tr(U Gamma U Gamma)``: what a corrected test needs."""

    @property
    def trace(self) -> float: ...
    @property
    def trace_of_square(self) -> float: ...


def mean_scaled(stat: float, df: int, pieces: Traces, name: str, label: str) -> Test:
    """``T / c`` with ``c = tr(U Gamma) / df`` (Satorra & Bentler 1994, eq. 16.14)."""
    trace = pieces.trace
    if df == 0 or trace == 0.0:  # nothing to test, or moments without variance
        return Test(name, stat, df, float("nan"), float("nan"), trace, label)
    factor = trace / df
    return Test(name, stat / factor, df, chi_square_p(stat / factor, df), factor, trace, label)


def mean_var_adjusted(stat: float, df: int, pieces: Traces) -> Test:
    """``T / c`` on ``d`` degrees of freedom, ``d = tr(UG)^2 / tr(UGUG)`` and ``c = tr(UGUG) / tr(UG)``.

    References
    ----------
    Satorra & Bentler (1994), eq. 16.19 (after Satterthwaite 1941).
    """
    label, name = "mean and variance adjusted correction", "mean.var.adjusted"
    one, two = pieces.trace, pieces.trace_of_square
    if df <= 0 or two == 0.0:  # nothing to test, or moments without variance
        return Test(name, stat, df, float("nan"), float("nan"), one, label, trace2=two)
    factor, freedom = two / one, one**2 / two
    return Test(name, stat / factor, freedom, chi_square_p(stat / factor, freedom), factor, one, label, trace2=two)


def scaled_shifted(stat: float, df: int, pieces: Traces) -> Test:
    """``a T + b`` with ``a = sqrt(df / tr(UGUG))`` and ``b = df - a tr(UG)``: mean and variance of a chi-square on df.

    References
    ----------
    Asparouhov & Muthen (2010), Simple second order chi-square correction (Mplus technical appendix), eqs. 6 and 7.
    """
    label, name = "simple second-order correction", "scaled.shifted"
    one, two = pieces.trace, pieces.trace_of_square
    if df <= 0 or two == 0.0:  # nothing to test, or moments without variance
        return Test(name, stat, df, float("nan"), float("nan"), one, label, trace2=two)
    a = float(np.sqrt(df / two))
    shift = df - a * one
    moved = a * stat + shift
    return Test(name, moved, df, chi_square_p(moved, df), 1.0 / a, one, label, trace2=two, shift=shift)


CORRECTIONS: dict[str, Callable[[float, int, Traces], Test]] = {
    "satorra.bentler": lambda stat, df, pieces: mean_scaled(
        stat, df, pieces, "satorra.bentler", "Satorra-Bentler correction"),
    "yuan.bentler": lambda stat, df, pieces: mean_scaled(
        stat, df, pieces, "yuan.bentler", "Yuan-Bentler correction"),
    "mean.var.adjusted": mean_var_adjusted,
    "scaled.shifted": scaled_shifted,
}
