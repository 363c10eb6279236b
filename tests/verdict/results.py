"""A small result that keeps the contract, for tests of judging."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from semkit.result import Reference, Term, Variable


@dataclass(frozen=True)
class SmallResult:
    names: tuple[str, ...]
    std_est: np.ndarray
    std_se: np.ndarray
    std_draws: np.ndarray | None = None
    terms: tuple[Term, ...] = ()
    nobs: int = 500
    converged: bool = True
    admissible: bool = True
    scale: float = 2.0
    reference: Reference = field(default_factory=Reference)
    method: str = "MLR"
    nobs_received: int = 600
    notes: tuple = ()
    recipe: object = None
    provenance: dict = field(default_factory=dict)

    @property
    def est(self):
        return self.std_est * self.scale

    @property
    def vcov(self):
        return np.diag((self.std_se * self.scale) ** 2)

    @property
    def std_vcov(self):
        return np.diag(self.std_se**2)

    @property
    def draws(self):
        return None if self.std_draws is None else self.std_draws * self.scale

    @property
    def variables(self):
        return {"x": Variable("x", "latent", 0.0, 2.0), "y": Variable("y", "latent", 0.0, 1.0)}


def path_result(estimate: float, se: float, **options) -> SmallResult:
    """One path ``b`` of y on x."""
    return SmallResult(("b",), np.array([estimate]), np.array([se]), terms=(Term("y", ("x",), "b"),), **options)
