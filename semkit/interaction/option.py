"""How product indicators are formed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from semkit.errors import OptionError, Problem, checked, suggest
from semkit.interaction.hierarchy import require_lower_order

CENTERINGS = ("double", "residual", "mean")
MATCHES = ("order", "all", "loading", "pairs")


@checked
@dataclass(frozen=True)
class ProductIndicators:
    """Product indicators.

    Parameters
    ----------
    match : {"order", "all", "loading", "pairs"}
        ``order``: the i-th indicator of one construct times the i-th of the other; ``all``: every pair;
        ``loading``: indicators in the order of ``ranks`` (best with best); ``pairs``: as given.
    centering : {"double", "residual", "mean"}
        ``double``: indicators are centred, multiplied, and the products centred again, so that the mean of the
        product factor need not be modelled.  ``residual``: products are replaced by their residuals from the regression
        on all indicators of both constructs; needs complete data.  ``mean``: centred indicators are multiplied, and
        the product factor has a free mean.
    constrained : bool
        Loadings, variances, residual variances and covariances of the products follow from those of their components
        under normality: fewer parameters, but wrong where the components are not normal.  With a moderator without
        error (observed, a dummy too) only what holds for any distribution: loadings and error variances.
    ranks : mapping of construct to tuple of indicators
        For ``match="loading"``: indicators from the most to the least reliable.
    pairs : mapping of product to tuple of pairs
        For ``match="pairs"``: ``{"collab:govt": (("m_cn_str", "m_gr_fac"), ...)}``; triples for ``a:b:c``.
    lower_order : {"required", "add"}
        Whether a product of three needs all terms below it in its equation, or has them added.

    References
    ----------
    Marsh, Wen & Hau (2004), Psychological Methods 9, 275-300 (unconstrained approach, matched pairs).
    Lin, Wen, Marsh & Lin (2010), Structural Equation Modeling 17, 374-391 (double mean centring).
    Little, Bovaird & Widaman (2006), Structural Equation Modeling 13, 497-519 (residual centring).
    Algina & Moulder (2001), Structural Equation Modeling 8, 40-52 (constrained, centred indicators).

    Examples
    --------
    >>> ProductIndicators().match
    'order'
    """

    match: str = "order"
    centering: str = "double"
    constrained: bool = False
    ranks: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    pairs: Mapping[str, tuple[tuple[str, ...], ...]] = field(default_factory=dict)
    lower_order: str = "required"

    def __post_init__(self) -> None:
        object.__setattr__(self, "ranks", {k: tuple(v) for k, v in self.ranks.items()})
        pairs = {k: tuple(tuple(str(name) for name in pair) for pair in v) for k, v in self.pairs.items()}
        object.__setattr__(self, "pairs", pairs)
        require_lower_order(self.lower_order, "ProductIndicators")
        problems = []
        if self.match not in MATCHES:
            problems.append(
                Problem("interaction.unknown-match", "ProductIndicators.match", repr(self.match), ", ".join(MATCHES),
                        suggest(str(self.match), MATCHES).strip() or "Choose one.")
            )
        if self.match == "loading" and not self.ranks:
            problems.append(
                Problem("interaction.no-ranks", "ProductIndicators.ranks", "match='loading' without an order",
                        "ranks={construct: (best indicator, ..., worst)}", "Take the order from the CFA's loadings.")
            )
        if self.match == "pairs" and not self.pairs:
            problems.append(
                Problem("interaction.no-pairs", "ProductIndicators.pairs", "match='pairs' without pairs",
                        'pairs={"a:b": (("x1", "z1"), ...)}', "Name the pairs.")
            )
        if self.centering not in CENTERINGS:
            problems.append(
                Problem("interaction.centering", "ProductIndicators.centering", f"{self.centering!r}",
                        ", ".join(CENTERINGS), suggest(str(self.centering), CENTERINGS).strip() or "Choose one.")
            )
        if self.constrained and self.centering == "residual":
            problems.append(
                Problem("interaction.centering", "ProductIndicators.constrained", "with centering='residual'",
                        "centering='double' or 'mean'", "Residual-centred products have no such constraints.")
            )
        if problems:
            raise OptionError(*problems)
