"""The model given its non-linear variables: linear, with slopes that depend on the values given.

With the integrated variables ``z`` taken as further observed columns without error, the joint density of what a
respondent answered and of ``z`` is that of a linear model whose slopes (for products that keep one variable) and
intercepts (for products that are given whole) are moved by the values.  In a model without feedback the change of
variables from disturbances to ``eta`` has determinant 1, products or not, so that this density is exact, also where
a given variable is the outcome of others or of a product: the disturbances ``zeta(eta)`` at those values are the
linear model's.

References
----------
Klein & Moosbrugger (2000), Psychometrika 65, 457-474 (the conditional linear model of LMS).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from semkit.estimate.implied import Implied, Matrices, fill, moments_of
from semkit.estimate.layout import ALPHA, BETA, LAMBDA, PSI, THETA, Block, Cells
from semkit.interaction.crossing import Crossing, Roles

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Conditioned:
    """One group's model given values of its non-linear variables.

    Parameters
    ----------
    block : Block
        With the ``d`` integrated variables as last observed columns, products left out.
    crossings : tuple of Crossing
    roles : Roles
    n_parameters : int
    centre : ndarray (k,)
        Means of the columns that show the known variables.
    """

    block: Block
    crossings: tuple[Crossing, ...]
    roles: Roles
    n_parameters: int
    centre: FloatArray

    @property
    def d(self) -> int:
        """Number of integrated variables."""
        return len(self.roles.integrated)

    @property
    def p(self) -> int:
        """Number of columns that are data."""
        return self.block.p - self.d

    @cached_property
    def moving(self) -> Block:
        """The block with a cell for the free coefficient of every product: a slope, or an intercept."""
        old, extra = self.block.free, [c for c in self.crossings if c.parameter >= 0]
        carriers = [self.roles.held(c)[1] for c in extra]
        kind = [BETA if j >= 0 else ALPHA for j in carriers]
        cells = Cells(
            np.concatenate([old.kind, kind]).astype(np.int64),
            np.concatenate([old.row, [c.outcome for c in extra]]).astype(np.int64),
            np.concatenate([old.col, [max(j, 0) for j in carriers]]).astype(np.int64),
            np.concatenate([old.source, [c.parameter for c in extra]]).astype(np.int64),
            np.concatenate([old.table_row, [c.row for c in extra]]).astype(np.int64),
        )
        return Block(self.block.observed, self.block.eta, self._with_slots(), cells, self.block.given, True)

    def _with_slots(self) -> FloatArray:
        """Fixed values with a mark at the slopes of products whose coefficient is fixed, for the pattern of slopes."""
        fixed = self.block.fixed.copy()
        lo = int(self.block.offsets[BETA])
        for crossing in self.crossings:
            carrier = self.roles.held(crossing)[1]
            if carrier >= 0:
                at = lo + crossing.outcome * self.block.m + carrier
                fixed[at] = fixed[at] or 1.0
        return fixed

    @cached_property
    def spread(self) -> FloatArray:
        """Which parameter each cell holds, ``(c, q)``."""
        out = np.zeros((len(self.moving.free), self.n_parameters))
        out[np.arange(len(self.moving.free)), self.moving.free.source] = 1.0
        return out

    def multipliers(self, values: FloatArray) -> FloatArray:
        """Products of the given factors of every crossing, ``(S, x)``, at values ``(S, d + known)``."""
        return np.stack([values[:, list(self.roles.held(c)[0])].prod(axis=1) for c in self.crossings], axis=1) \
            if self.crossings else np.zeros((len(values), 0))

    def factors(self, values: FloatArray) -> FloatArray:
        """What the derivative by each cell is multiplied by, ``(S, c)``: 1, or the given factors of a product."""
        out = np.ones((len(values), len(self.moving.free)))
        if self.crossings:
            free = [k for k, c in enumerate(self.crossings) if c.parameter >= 0]
            out[:, len(self.block.free) :] = self.multipliers(values)[:, free]
        return out

    def imply(self, theta: FloatArray, given: FloatArray, values: FloatArray) -> Implied:
        """Moments of the data and the integrated variables, one state a row of ``values``.

        Parameters
        ----------
        theta : ndarray (q,)
        given : ndarray (e,)
            Data-dependent fixed values.
        values : ndarray (S, d + known)
        """
        x = fill(self.block, theta[None], given[None])
        count, m = len(values), self.block.m
        beta = np.broadcast_to(x.beta, (count, m, m)).copy()
        alpha = np.broadcast_to(x.alpha, (count, m)).copy()
        multipliers = self.multipliers(values)
        for k, crossing in enumerate(self.crossings):
            size = theta[crossing.parameter] if crossing.parameter >= 0 else crossing.value
            carrier = self.roles.held(crossing)[1]
            if carrier >= 0:
                beta[:, crossing.outcome, carrier] += size * multipliers[:, k]
            else:
                alpha[:, crossing.outcome] += size * multipliers[:, k]
        same = [np.broadcast_to(part, (count, *part.shape[1:])) for part in (x.lambda_, x.psi, x.theta, x.nu)]
        return moments_of(self.moving, Matrices(same[0], beta, same[1], same[2], same[3], alpha))


def condition(
    block: Block, crossings: tuple[Crossing, ...], roles: Roles, n_parameters: int, centre: FloatArray | None = None
) -> Conditioned:
    """Add the integrated variables to a group's observed columns."""
    p, m, d = block.p, block.m, len(roles.integrated)
    cut = block.offsets
    lam = np.zeros((p + d, m))
    lam[:p] = block.fixed[cut[LAMBDA] : cut[LAMBDA + 1]].reshape(p, m)
    lam[np.arange(p, p + d), list(roles.integrated)] = 1.0
    theta = np.zeros((p + d, p + d))
    theta[:p, :p] = block.fixed[cut[THETA] : cut[THETA + 1]].reshape(p, p)
    middle = block.fixed[cut[BETA] : cut[PSI + 1]]
    nu = np.concatenate([block.fixed[cut[4] : cut[5]], np.zeros(d)])
    fixed = np.concatenate([lam.ravel(), middle, theta.ravel(), nu, block.fixed[cut[ALPHA] :]])
    names = block.observed + tuple(f"{block.eta[j]}*" for j in roles.integrated)
    level = np.zeros(len(roles.known)) if centre is None else centre
    whole = Block(names, block.eta, fixed, block.free, block.given, True)
    return Conditioned(whole, crossings, roles, n_parameters, level)
