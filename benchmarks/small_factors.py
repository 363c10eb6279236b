"""Hard small samples: 50 respondents, three weak indicators a factor.

The data are a function of :data:`SEED`; ``convergence.R`` reads the same numbers from binary files.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
SEED = 20261121
NOBS = 50
REPLICATIONS = 250


@dataclass(frozen=True)
class Cell:
    """One population: ``factors`` with three indicators each, standardised ``loadings``, one ``correlation``."""

    name: str
    factors: int
    loadings: tuple[float, float, float]
    correlation: float

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(f"x{k}" for k in range(1, 3 * self.factors + 1))

    @property
    def model(self) -> str:
        lines = []
        for j in range(self.factors):
            lines.append(f"f{j + 1} =~ " + " + ".join(self.columns[3 * j : 3 * j + 3]))
        return "\n".join(lines)


CELLS = (
    Cell("two factors, loadings .4 to .6", 2, (0.4, 0.5, 0.6), 0.3),
    Cell("two factors, loadings .3 to .5", 2, (0.3, 0.4, 0.5), 0.3),
    Cell("three factors, loadings .4 to .6", 3, (0.4, 0.5, 0.6), 0.3),
    Cell("three factors, loadings .3 to .5", 3, (0.3, 0.4, 0.5), 0.3),
)


def samples(cell: Cell) -> FloatArray:
    """All data sets of one population, shape ``(REPLICATIONS, NOBS, p)``."""
    rng = np.random.default_rng([SEED, CELLS.index(cell)])
    latent_cov = np.full((cell.factors, cell.factors), cell.correlation)
    np.fill_diagonal(latent_cov, 1.0)
    root = np.linalg.cholesky(latent_cov)
    eta = rng.standard_normal((REPLICATIONS, NOBS, cell.factors)) @ root.T
    loading = np.tile(np.array(cell.loadings), cell.factors)
    noise = rng.standard_normal((REPLICATIONS, NOBS, loading.size))
    return np.asarray(loading * np.repeat(eta, 3, axis=2) + np.sqrt(1.0 - loading**2) * noise)


def checksum(data: FloatArray) -> float:
    """A number that says whether two machines drew the same data."""
    return float(np.round(np.sum(data * np.cos(np.arange(data.size)).reshape(data.shape)), 6))


def each() -> Iterator[tuple[Cell, FloatArray]]:
    """The cells with their data."""
    for cell in CELLS:
        yield cell, samples(cell)
