"""How respondents were chosen: weights, strata, clusters, finite populations."""

from __future__ import annotations

from dataclasses import dataclass

from semkit.errors import NotSupportedError, Problem


@dataclass(frozen=True, slots=True)
class Design:
    """Columns that describe the sampling design.

    Parameters
    ----------
    weights, strata, cluster, fpc : str or None
        Column names: sampling weights, strata, primary sampling units, population sizes.
    """

    weights: str | None = None
    strata: str | None = None
    cluster: str | None = None
    fpc: str | None = None

    @property
    def trivial(self) -> bool:
        """True when every respondent counts once and on its own."""
        return not (self.weights or self.strata or self.cluster or self.fpc)


def require_trivial(design: Design | None) -> None:
    """Refuse designs that the estimators do not use yet, rather than ignoring them."""
    if design is not None and not design.trivial:
        used = [name for name in ("weights", "strata", "cluster", "fpc") if getattr(design, name)]
        raise NotSupportedError(
            Problem("sample.design-not-supported", "design",
                    f"{', '.join(used)} given; models are fitted to unweighted data",
                    "Design() or None", "Use estimator='mlr' for robust errors, or leave design out.")
        )
