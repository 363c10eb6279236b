"""How respondents were chosen: weights, strata, clusters, finite populations, replicate weights, known margins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from semkit.errors import OptionError, Problem, checked, suggest

if TYPE_CHECKING:
    from semkit.sample.calibration import Calibration

TYPES = ("BRR", "Fay", "JK1", "JKn", "bootstrap", "other")
LONE = ("fail", "certainty", "adjust", "average")


@checked
@dataclass(frozen=True, slots=True)
class Replicates:
    """Replicate weights that came with the data.

    Parameters
    ----------
    columns : tuple of str
        One column a replicate.
    type : {"BRR", "Fay", "JK1", "JKn", "bootstrap", "other"}
        Fixes ``scale`` where the method does: BRR ``1 / R``; Fay ``1 / (R (1 - rho)^2)``; JK1 ``(R - 1) / R``;
        JKn 1, with ``rscales``; bootstrap ``1 / (R - 1)``.
    scale : float, optional
        Multiplies the sum of squared deviations; needed for ``"other"``.
    rscales : tuple of float
        Multiplier of each replicate, ``(n_h - 1) / n_h`` for JKn; ones by default.
    rho : float
        Fay's coefficient.
    combined : bool
        False when the columns are factors by which the sampling weight is still to be multiplied.
    mse : bool
        Deviations from the full-sample estimate instead of from the mean of the replicates.

    Raises
    ------
    OptionError
        ``sample.replicates``.

    References
    ----------
    Wolter (2007), Introduction to Variance Estimation, 2nd ed., ch. 3 to 5.

    Examples
    --------
    >>> Replicates(("r1", "r2", "r3", "r4"), "Fay", rho=0.5).multiplier
    1.0
    """

    columns: tuple[str, ...]
    type: str = "bootstrap"
    scale: float | None = None
    rscales: tuple[float, ...] = ()
    rho: float = 0.0
    combined: bool = True
    mse: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "columns", (self.columns,) if isinstance(self.columns, str) else tuple(self.columns))
        object.__setattr__(self, "rscales", tuple(float(value) for value in self.rscales))
        found = []
        if len(self.columns) < 2:
            found.append(("columns", f"{len(self.columns)} given", "two or more", "Name every replicate's column."))
        if len(set(self.columns)) < len(self.columns):
            found.append(("columns", "one is named twice", "each once", "Look for it."))
        if self.type not in TYPES:
            found.append(("type", repr(self.type), ", ".join(TYPES),
                          suggest(str(self.type), TYPES).strip() or "Choose one of them."))
        if self.scale is None and self.type == "other":
            found.append(("scale", "none given", "a positive number", "Look into the survey's documentation."))
        if self.scale is not None and not self.scale > 0.0:
            found.append(("scale", f"{self.scale:g}", "a positive number", "Look into the survey's documentation."))
        if self.type == "JKn" and not self.rscales:
            found.append(("rscales", "none given", "one a replicate",
                          "(n_h - 1) / n_h of the stratum whose unit was left out."))
        if self.rscales and (len(self.rscales) != len(self.columns) or not all(v >= 0.0 for v in self.rscales)
                             or not any(self.rscales)):
            found.append(("rscales", f"{len(self.rscales)} for {len(self.columns)} columns, or negative, or all 0",
                          "one number of 0 or more a column", "Give one a replicate."))
        if not 0.0 <= self.rho < 1.0 or (self.type == "Fay") != (self.rho > 0.0):
            found.append(("rho", f"{self.rho:g} with type {self.type!r}", "between 0 and 1 for Fay, 0 otherwise",
                          "Fay's coefficient is in the survey's documentation; 0.3 and 0.5 are usual."))
        if found:
            raise OptionError(*(Problem("sample.replicates", f"Replicates.{where}", what, allowed, fix)
                                for where, what, allowed, fix in found))

    @property
    def multiplier(self) -> float:
        """``scale``, given or of the method."""
        if self.scale is not None:
            return float(self.scale)
        count = len(self.columns)
        known = {"BRR": 1.0 / count, "Fay": 1.0 / (count * (1.0 - self.rho) ** 2), "JK1": (count - 1.0) / count,
                 "JKn": 1.0, "bootstrap": 1.0 / (count - 1.0)}
        return known[self.type]


@checked
@dataclass(frozen=True, slots=True)
class Design:
    """Columns that describe the sampling design.

    Parameters
    ----------
    weights, strata, cluster, fpc : str or None
        Column names: sampling weights; strata; primary sampling units (numbered anew within each stratum); population
        sizes of the strata in units (or, when 1 or less, the share of the units that was sampled).
    replicates : Replicates or None
        Replicate weights; they take the place of strata, cluster and fpc in errors and tests.
    lone_psu : {"fail", "certainty", "adjust", "average"}
        What a stratum with a single unit adds to the variance: an error; nothing (the unit was sure to be drawn); its
        squared distance from the mean of all units; what the other strata add on average.
    calibration : Calibration or None
        What :meth:`rake` and :meth:`post_stratify` fill in: adjusted weights for one frame.

    Raises
    ------
    OptionError
        ``sample.design-column``, ``sample.lone-psu-policy``, ``sample.replicates-and-clusters``.

    Examples
    --------
    >>> Design(weights="w", strata="region", cluster="village").trivial
    False
    """

    weights: str | None = None
    strata: str | None = None
    cluster: str | None = None
    fpc: str | None = None
    replicates: Replicates | None = None
    lone_psu: str = "fail"
    calibration: Calibration | None = None

    def __post_init__(self) -> None:
        problems = [
            Problem("sample.design-column", f"Design.{name}", f"a {type(value).__name__} was given",
                    "the name of a column of the data", "Put it into the data as a column and give that column's name.")
            for name in ("weights", "strata", "cluster", "fpc")
            if (value := getattr(self, name)) is not None and not isinstance(value, str)
        ]
        if problems:
            raise OptionError(*problems)
        if self.lone_psu not in LONE:
            problems.append(Problem("sample.lone-psu-policy", "Design.lone_psu", repr(self.lone_psu), ", ".join(LONE),
                                    suggest(str(self.lone_psu), LONE).strip() or "Choose one of them."))
        if self.replicates is not None and not isinstance(self.replicates, Replicates):
            problems.append(Problem("sample.replicates", "replicates", f"{self.replicates!r:.80}",
                                    "sk.Replicates(columns, type=...)", "Name the columns in Replicates(...)."))
        elif self.replicates is not None and (self.strata or self.cluster or self.fpc):
            problems.append(Problem("sample.replicates-and-clusters", "Design",
                                    "replicate weights together with strata, cluster or fpc",
                                    "one description of the sampling", "Replicate weights hold the rest already."))
        if problems:
            raise OptionError(*problems)

    @property
    def trivial(self) -> bool:
        """True when every respondent counts once and on its own."""
        columns = self.weights or self.strata or self.cluster or self.fpc
        return not (columns or self.replicates or self.calibration)

    def rake(
        self, data: Any, margins: Mapping[str | tuple[str, ...], Mapping[Any, float]], *,
        trim: tuple[float, float] | None = None, tolerance: float = 1e-10, max_iterations: int = 1000,
    ) -> Design:
        """Adjust the weights so that several known margins hold, by iterative proportional fitting.

        Parameters
        ----------
        data : DataFrame or object with ``.frame``
            The frame the design will be used with.
        margins : mapping
            Of a column, or a tuple of columns that are crossed, to ``{level: population count or share}``.  Shares
            (every margin sums to 1) keep the sum of the weights.
        trim : (float, float), optional
            Smallest and largest weight as multiples of the mean weight.  Margins hold less exactly then; a note
            says how far off they are.
        tolerance : float
            Largest relative deviation from a margin.
        max_iterations : int

        Returns
        -------
        Design
            With ``calibration``: weights, ledger, convergence.  Errors take the margins into account.

        Raises
        ------
        SampleError
            ``sample.margins-differ``, ``sample.margin-level``, ``sample.margin-missing``, ``sample.not-raked``.

        References
        ----------
        Deming & Stephan (1940), Annals of Mathematical Statistics 11, 427-444; Deville, Sarndal & Sautory (1993),
        Journal of the American Statistical Association 88, 1013-1020.

        Examples
        --------
        >>> import pandas as pd
        >>> data = pd.DataFrame({"sex": ["f", "m", "m", "m"]})
        >>> Design().rake(data, {"sex": {"f": 0.5, "m": 0.5}}).calibration.weights.round(3).tolist()
        [2.0, 0.667, 0.667, 0.667]
        """
        from semkit.sample.calibration import calibrate

        return replace(self, calibration=calibrate(self, data, margins, trim, tolerance, max_iterations))

    def post_stratify(
        self, data: Any, columns: str | Sequence[str], population: Mapping[Any, float], *,
        trim: tuple[float, float] | None = None,
    ) -> Design:
        """Adjust the weights so that the counts of one set of cells hold.

        Parameters
        ----------
        data : DataFrame or object with ``.frame``
        columns : str or sequence of str
            Columns whose crossed levels are the cells.
        population : mapping
            Of a level (a tuple of levels with several columns) to its population count or share.
        trim : (float, float), optional
            As in :meth:`rake`.

        References
        ----------
        Holt & Smith (1979), Journal of the Royal Statistical Society A 142, 33-46.

        Examples
        --------
        >>> import pandas as pd
        >>> data = pd.DataFrame({"sex": ["f", "m", "m", "m"]})
        >>> Design().post_stratify(data, "sex", {"f": 20, "m": 30}).calibration.weights.tolist()
        [20.0, 10.0, 10.0, 10.0]
        """
        key = columns if isinstance(columns, str) else tuple(columns)
        return self.rake(data, {key: population}, trim=trim)

