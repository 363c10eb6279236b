"""Latent interactions by product indicators.

Contract for callers::

    expansion = expand(spec, ProductIndicators(), n_groups=1, std_lv=False)
    expansion.spec       the model with product factors, their residual covariances and constraints
    expansion.products   semkit.sample.Product columns to build (anew in every draw)
    expansion.notes      diagnoses, for example indicators that found no partner

``spec`` is a parsed model with terms such as ``collab:govt``.  Factors may be constructs with several
indicators, constructs with one indicator (composites: add ``govt =~ 1*column`` and the residual row
``column ~~ NaN*column`` first; NaN stands for a value from the data) or observed columns.  A model
without products comes back as it is.  Labels that begin with ``.`` are internal: rows keep their plain names.
"""

from __future__ import annotations

from semkit.interaction.expansion import Expansion, Interaction, expand
from semkit.interaction.method import LMS, QML, SAM, FactorScores, TwoStageLeastSquares
from semkit.interaction.option import ProductIndicators

__all__ = ["LMS", "QML", "SAM", "Expansion", "FactorScores", "Interaction", "ProductIndicators",
           "TwoStageLeastSquares", "expand"]
