"""Likelihood methods for latent products: what they may be asked."""

from __future__ import annotations

from dataclasses import dataclass

from semkit.errors import OptionError, Problem, checked
from semkit.interaction.hierarchy import require_lower_order

LEAST, MOST = 4, 100


def _require_starts(value: object, owner: str) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MOST:
        raise OptionError(Problem("interaction.starts", f"{owner}.starts", f"{value!r}",
                                  f"a whole number from 1 to {MOST}", "Use 1; 10 or 20 to look for other maxima."))


@checked
@dataclass(frozen=True)
class LMS:
    """Latent moderated structural equations: full maximum likelihood by numerical integration.

    The latent variables whose values make the model linear are integrated out (one factor of each product, the fewest
    that will do); variables without error are known and need no integration.  Assumes that exogenous latent variables
    and disturbances are normal.

    Parameters
    ----------
    nodes : int
        Points for each integrated variable, 4 to 100.
    adaptive : bool
        Place equally spaced points where the respondents' posterior distributions are (error falls with the square
        of the number of points in the exponent); else Gauss-Hermite points of the variables' own normal distribution,
        which need many more when constructs are measured reliably.
    check : bool
        Measure what more nodes would change and warn when it is not negligible.
    lower_order : {"required", "add"}
        Whether a product of three needs all terms below it in its equation, or has them added.
    starts : int
        How many starting points are climbed from, 1 to 100; the highest proper maximum is taken, and several maxima
        are said.  Four are tried when the first leads to no proper solution.

    References
    ----------
    Klein & Moosbrugger (2000), Psychometrika 65, 457-474.

    Examples
    --------
    >>> LMS(nodes=32).nodes
    32
    """

    nodes: int = 24
    adaptive: bool = True
    check: bool = True
    lower_order: str = "required"
    starts: int = 1

    @property
    def name(self) -> str:
        """As headers print it."""
        return "LMS"

    def __post_init__(self) -> None:
        require_lower_order(self.lower_order, "LMS")
        _require_starts(self.starts, "LMS")
        if isinstance(self.nodes, bool) or not isinstance(self.nodes, int) or not LEAST <= self.nodes <= MOST:
            raise OptionError(Problem("interaction.nodes", "LMS.nodes", f"{self.nodes!r}",
                                      f"a whole number from {LEAST} to {MOST}", "Use 24; more where a note says so."))


@checked
@dataclass(frozen=True)
class QML:
    """Quasi-maximum likelihood: outcomes given the predictors' indicators are taken as normal with their exact moments.

    Fast, and less dependent on normal predictors than LMS; for products of two variables that no product acts on.

    Parameters
    ----------
    starts : int
        As in :class:`LMS`.

    References
    ----------
    Klein & Muthén (2007), Multivariate Behavioral Research 42, 647-673.

    Examples
    --------
    >>> QML().name
    'QML'
    """

    starts: int = 1

    def __post_init__(self) -> None:
        _require_starts(self.starts, "QML")

    @property
    def name(self) -> str:
        """As headers print it."""
        return "QML"


@checked
@dataclass(frozen=True)
class SAM:
    """Structure after measurement (local): measurement models first, then the structural model with products.

    Needs no distribution of the latent variables, and keeps a misspecified part of the model from spreading; a little
    less efficient than likelihood methods.  For products of two or three constructs (second-order ones, composites,
    mediators among them) and observed variables, groups, sampling designs, missing values.

    Parameters
    ----------
    lower_order : {"required", "add"}
        Whether a product of three needs all terms below it in its equation, or has them added.

    References
    ----------
    Rosseel & Loh (2024), Psychological Methods 29, 561-588; Rosseel, Burghgraeve, Loh & Schermelleh-Engel (2025),
    Behavior Research Methods 57.

    Examples
    --------
    >>> SAM().name
    'SAM'
    """

    lower_order: str = "required"

    def __post_init__(self) -> None:
        require_lower_order(self.lower_order, "SAM")

    @property
    def name(self) -> str:
        """As headers print it."""
        return "SAM"


@dataclass(frozen=True)
class FactorScores:
    """Regression on factor scores: expected scores of predictors, unbiased ones of outcomes.  The quick look.

    Consistent for normal predictors that nothing predicts; groups, sampling designs, missing values.

    Parameters
    ----------
    lower_order : {"required", "add"}
        Whether a product of three needs all terms below it in its equation, or has them added.

    References
    ----------
    Skrondal & Laake (2001), Psychometrika 66, 563-575.

    Examples
    --------
    >>> FactorScores().name
    'factor_score'
    """

    lower_order: str = "required"

    def __post_init__(self) -> None:
        require_lower_order(self.lower_order, "FactorScores")

    @property
    def name(self) -> str:
        """As headers print it."""
        return "factor_score"


@dataclass(frozen=True)
class TwoStageLeastSquares:
    """Two-stage least squares with model-implied instruments, equation by equation.  The quick look without normality.

    For products of two variables, constructs with enough indicators; groups, sampling designs, complete cases.

    References
    ----------
    Bollen (1996), Psychometrika 61, 109-121; Bollen & Paxton (1998), Structural Equation Modeling 5, 267-293.

    Examples
    --------
    >>> TwoStageLeastSquares().name
    '2sls'
    """

    @property
    def name(self) -> str:
        """As headers print it."""
        return "2sls"
