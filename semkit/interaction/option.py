"""How product indicators are formed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from semkit.errors import NotSupportedError, OptionError, Problem, suggest

MATCHES = ("order", "all", "loading", "pairs")


@dataclass(frozen=True)
class ProductIndicators:
    """Product indicators, double mean centred.

    Parameters
    ----------
    match : {"order", "all", "loading", "pairs"}
        ``order``: the i-th indicator of one construct times the i-th of the other; ``all``: every pair;
        ``loading``: indicators in the order of ``ranks`` (best with best); ``pairs``: as given.
    centering : {"double"}
        Indicators are centred, multiplied, and the products centred again, so that the mean of the
        product factor need not be modelled.
    ranks : mapping of construct to tuple of indicators
        For ``match="loading"``: indicators from the most to the least reliable.
    pairs : mapping of product to tuple of pairs
        For ``match="pairs"``: ``{"collab:govt": (("m_cn_str", "m_gr_fac"), ...)}``.

    References
    ----------
    Marsh, Wen & Hau (2004), Psychological Methods 9, 275-300 (unconstrained approach, matched pairs).
    Lin, Wen, Marsh & Lin (2010), Structural Equation Modeling 17, 374-391 (double mean centring).

    Examples
    --------
    >>> ProductIndicators().match
    'order'
    """

    match: str = "order"
    centering: str = "double"
    ranks: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    pairs: Mapping[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "ranks", {k: tuple(v) for k, v in self.ranks.items()})
        pairs = {k: tuple((str(a), str(b)) for a, b in v) for k, v in self.pairs.items()}
        object.__setattr__(self, "pairs", pairs)
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
        if problems:
            raise OptionError(*problems)
        if self.centering != "double":
            raise NotSupportedError(
                Problem("interaction.centering", "ProductIndicators.centering", f"{self.centering!r} is not offered",
                        "double", "Use centering='double'.")
            )
