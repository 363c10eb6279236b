"""Least-squares discrepancies of a vector of moments.

    F(theta) = sum_g c_g (s_g - sigma_g(theta))' W_g (s_g - sigma_g(theta))

with the share ``c_g`` of group ``g``, its observed moments ``s_g (k,)``, weights ``W_g`` (a matrix or a diagonal) and
the moments ``sigma_g(theta)`` of the model with derivatives ``Delta_g = d sigma_g / d theta (k, q)``.

The contract
------------
Whoever has another kind of moments (thresholds and polychoric correlations, say) writes a :class:`MomentModel` and
one :class:`MomentGroup` a group; estimates, errors and tests then follow from those alone:

- :func:`squares` gives ``F``, its gradient ``-2 Delta'W(s - sigma)`` and Hessian, and :class:`LeastSquares` is the
  objective that :func:`semkit.estimate.optimise.solve` minimises;
- :attr:`MomentGroup.nacov` is ``Gamma_g``, the covariance matrix of ``sqrt(n_g) s_g``;
  :mod:`semkit.estimate.scaling` makes the sandwich errors and the mean- and variance-corrected tests of
  ``Delta``, ``W``, ``Gamma`` and the shares;
- ``T = total * F`` with the ``total`` of the solution; the covariance matrix of the estimates is divided by the same.

GLS: ``W`` the normal-theory weights at ``S``; ULS: the unit matrix; WLS (ADF): ``Gamma^-1``; DWLS: ``1 / diag(Gamma)``.

References
----------
Browne (1984), British Journal of Mathematical and Statistical Psychology 37, 62-83; Joreskog & Goldberger (1972),
Psychometrika 37, 243-260 (GLS); Muthen (1984), Psychometrika 49, 115-132 (any moments).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from semkit.estimate.discrepancy import Order, Value, bend
from semkit.estimate.implied import frame, imply, jacobian, mean_factor
from semkit.estimate.layout import Layout
from semkit.estimate.weights import Weight, functional, stack

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
Moments = tuple[FloatArray, FloatArray | None]  # sigma (B, k), Delta (B, k, q)


@dataclass(frozen=True, eq=False)
class MomentGroup:
    """What the data of one group say.

    Parameters
    ----------
    moments : ndarray (B, k)
        ``s``.
    weight : Weight
        ``W``.
    share : float
        Share of the group in ``F``.
    nacov : ndarray (k, k) or None
        ``Gamma``; None when it follows from raw data in the usual way and is made only when a test asks for it.
    """

    moments: FloatArray
    weight: Weight
    share: float
    nacov: FloatArray | None = None

    def take(self, rows: IntArray) -> MomentGroup:
        """The same of some of the draws."""
        return MomentGroup(self.moments[rows], self.weight.take(rows), self.share, self.nacov)


class MomentModel(Protocol):
    """Moments as functions of the parameters."""

    def moments(self, theta: FloatArray, slopes: bool) -> tuple[Moments, ...]:
        """``sigma (B, k)`` and, if wanted, ``Delta (B, k, q)`` of each group at ``theta (B, q)``."""

    def curvature(self, theta: FloatArray, by: tuple[FloatArray, ...]) -> FloatArray:
        """``sum_g sum_k by_gk d2 sigma_gk / d theta d theta'``, ``(B, q, q)``; :func:`differences` will do."""

    def take(self, rows: IntArray) -> MomentModel:
        """The model of some of the draws."""


def squares(model: MomentModel, theta: FloatArray, groups: tuple[MomentGroup, ...], order: Order) -> Value:
    """``F`` with derivatives: gradient ``-2 sum c Delta'W e``, Gauss-Newton Hessian ``2 sum c Delta'W Delta``
    (``order="expected"``), and less ``2 sum c (W e)_k d2 sigma_k`` the exact one.

    Parameters
    ----------
    model : MomentModel
    theta : ndarray (B, q)
    groups : tuple of MomentGroup
    order : {"value", "gradient", "expected", "exact"}
    """
    f = np.zeros(len(theta))
    gradient, hessian = np.zeros_like(theta), np.zeros((*theta.shape, theta.shape[1]))
    pulls = []
    for (sigma, slope), group in zip(model.moments(theta, order != "value"), groups, strict=True):
        residual = group.moments - sigma
        pull = group.share * group.weight.times(residual[..., None])[..., 0]
        pulls.append(pull)
        f += np.sum(residual * pull, axis=1)
        if slope is None:
            continue
        gradient -= 2.0 * (pull[:, None, :] @ slope)[:, 0, :]
        if order != "gradient":
            hessian += 2.0 * group.share * slope.swapaxes(1, 2) @ group.weight.times(slope)
    if order == "exact":
        hessian -= 2.0 * model.curvature(theta, tuple(pulls))
    return Value(f, None if order == "value" else gradient, hessian if order in ("expected", "exact") else None)


def differences(model: MomentModel, theta: FloatArray, by: tuple[FloatArray, ...]) -> FloatArray:
    """:meth:`MomentModel.curvature` by central differences of ``sum by' Delta``, all parameters in one call.

    The error is about 1e-8 of the curvature, which costs Newton's method nothing.
    """
    batch, q = theta.shape
    step = 1e-5 * np.maximum(1.0, np.abs(theta))
    points = np.broadcast_to(theta, (2, q, batch, q)).copy()
    at = np.arange(q)
    points[0, at, :, at] += step.T
    points[1, at, :, at] -= step.T
    flat = points.reshape(-1, q)
    pull = np.zeros((len(flat), q))
    rows = np.tile(np.arange(batch), 2 * q)
    for (_, slope), weight in zip(model.take(rows).moments(flat, True), by, strict=True):
        assert slope is not None
        pull += (np.tile(weight, (2 * q, 1))[:, None, :] @ slope)[:, 0, :]
    both = pull.reshape(2, q, batch, q)
    change = ((both[0] - both[1]) / (2.0 * step.T[:, :, None])).swapaxes(0, 1)
    return np.asarray(0.5 * (change + change.swapaxes(1, 2)))


@dataclass(frozen=True, eq=False)
class LeastSquares:
    """A least-squares problem, as the optimiser wants it.

    Parameters
    ----------
    model : MomentModel
    groups : tuple of MomentGroup
    """

    model: MomentModel
    groups: tuple[MomentGroup, ...]

    def __call__(self, x: FloatArray, rows: IntArray, exact: bool) -> tuple[FloatArray, FloatArray, FloatArray]:
        whole = len(rows) == len(self.groups[0].moments)
        groups = self.groups if whole else tuple(group.take(rows) for group in self.groups)
        model = self.model if whole else self.model.take(rows)
        value = squares(model, x, groups, "exact" if exact else "expected")
        assert value.gradient is not None and value.hessian is not None
        return value.f, value.gradient, value.hessian

    def curvature(self, theta: FloatArray) -> FloatArray:
        """Diagonal of the Gauss-Newton Hessian ``2 sum c Delta'W Delta`` of draws at ``theta (B, q)``, ``(B, q)``."""
        out = np.zeros_like(theta)
        for (_, slope), group in zip(self.model.moments(theta, True), self.groups, strict=True):
            assert slope is not None
            out += 2.0 * group.share * np.einsum("bkq,bkq->bq", slope, group.weight.times(slope))
        return out

    def slopes(self, theta: FloatArray) -> tuple[FloatArray, ...]:
        """``Delta`` of each group at one parameter vector ``(q,)``, ``(k, q)``."""
        found = self.model.moments(theta[None], True)
        return tuple(slope[0] for _, slope in found if slope is not None)

    def residuals(self, theta: FloatArray) -> tuple[FloatArray, ...]:
        """``s - sigma`` of each group at one parameter vector, ``(k,)``."""
        found = self.model.moments(theta[None], False)
        return tuple(group.moments[0] - sigma[0] for group, (sigma, _) in zip(self.groups, found, strict=True))

    @property
    def shares(self) -> tuple[float, ...]:
        return tuple(group.share for group in self.groups)


@dataclass(frozen=True, eq=False)
class CovarianceModel:
    """Means and covariances of a model, the moments of continuous data.

    Parameters
    ----------
    layout : Layout
    given : ndarray (B, d)
        Data-dependent fixed values.
    """

    layout: Layout
    given: FloatArray

    def moments(self, theta: FloatArray, slopes: bool) -> tuple[Moments, ...]:
        out: list[Moments] = []
        for block in self.layout.blocks:
            implied = imply(block, theta, self.given)
            sigma = stack(implied.sigma, implied.mu if block.means else None)
            if not slopes:
                out.append((sigma, None))
                continue
            by_cov, by_mean = jacobian(block, implied)
            cells = stack(by_cov, by_mean if block.means else None)
            by = np.zeros((self.layout.n_parameters, len(theta), sigma.shape[1]))
            np.add.at(by, block.free.source, cells.swapaxes(0, 1))
            out.append((sigma, np.moveaxis(by, 0, 2)))
        return tuple(out)

    def curvature(self, theta: FloatArray, by: tuple[FloatArray, ...]) -> FloatArray:
        out = np.zeros((*theta.shape, theta.shape[1]))
        for block, weight in zip(self.layout.blocks, by, strict=True):
            implied = imply(block, theta, self.given)
            columns = frame(block, implied)
            below = weight[:, block.p :] if block.means else weight
            by_q = columns.swapaxes(1, 2) @ (functional(below, block.p) @ columns)
            level = t = None
            if block.means:
                level, t = (weight[:, None, : block.p] @ columns)[:, 0, :], mean_factor(block, implied)
            bent = bend(block, implied, by_q, level, t)
            source = block.free.source
            np.add.at(np.moveaxis(out, 0, -1), (source[:, None], source[None, :]), np.moveaxis(bent, 0, -1))
        return out

    def take(self, rows: IntArray) -> CovarianceModel:
        return self if len(self.given) == 1 else CovarianceModel(self.layout, self.given[rows])
