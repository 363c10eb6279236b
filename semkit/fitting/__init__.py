"""Models are fitted here: ``sem``, ``cfa`` and the ``Fit`` they return."""

from __future__ import annotations

from semkit.fitting.calls import cfa, growth, sem
from semkit.fitting.comparison import Comparison, compare, nested
from semkit.fitting.fit import Fit
from semkit.fitting.invariance import Invariance, invariance
from semkit.fitting.methods import MethodComparison, compare_methods
from semkit.fitting.polychoric import Polychoric, polychoric
from semkit.fitting.recipe import Recipe
from semkit.fitting.simulation import simulate_model

__all__ = [
    "Comparison", "Fit", "Invariance", "MethodComparison", "Polychoric", "Recipe", "cfa", "compare", "compare_methods",
    "growth", "invariance", "nested", "polychoric", "sem", "simulate_model",
]  # fmt: skip
