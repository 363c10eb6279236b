"""Moderated regression: ordinary least squares with a centred product and honest errors."""

from __future__ import annotations

from semkit.regression.moderation import moderated_regression
from semkit.regression.outcome import InteractionTest, RegressionRecipe, RegressionResult

__all__ = ["InteractionTest", "RegressionRecipe", "RegressionResult", "moderated_regression"]
