"""What a probe holds: tidy frames of raw numbers, and how they are shown."""

from __future__ import annotations

import math
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd

from semkit.errors import Note


@dataclass(frozen=True, eq=False)
class Probe:
    """Simple slopes and Johnson-Neyman regions of one interaction.

    Parameters
    ----------
    outcome, focal, moderator, group : str
    slopes : DataFrame
        One row a moderator value: value, label, share_below (share of respondents at or below
        it), slope, se, stat, pvalue, ci_lower, ci_upper, std_slope, std_se, std_ci_lower,
        std_ci_upper.  With draws stat is NaN and p and intervals are percentile ones.
    johnson_neyman : DataFrame
        One row a region between neighbouring roots: lower, upper (-inf, inf at the ends),
        significant, sign ("positive", "negative", "" where not significant), n, share (of
        respondents in it), inside_data (does it meet the observed range).
    roots : DataFrame
        value, share_below, share_above, inside_data: where significance changes.
    case : {"always", "never", "changes"}
        Along the whole line of moderator values.
    case_in_data : {"always", "never", "changes", "unknown"}
        Inside the observed range of the moderator only.
    bands : DataFrame
        moderator, slope, se, lower, upper, significant, inside_data on a grid.
    lines : DataFrame
        moderator, label, focal, predicted, se, lower, upper: predicted outcome, other
        predictors at their means.
    distribution : DataFrame
        One column, ``moderator``: the respondents' values (factor scores of a latent one).
    observed : tuple of float
        Smallest and largest observed moderator value (NaN when there are no values).
    level : float
    method : {"normal", "t", "percentile"}
        Where intervals and p come from.
    critical : float
        Critical value of regions and bands; NaN for percentile ones.
    adjust : {"none", "simultaneous", "fdr"}
        What regions and bands promise.
    nobs : int
    result_method : str
    notes : tuple of Note
    """

    outcome: str
    focal: str
    moderator: str
    group: str
    slopes: pd.DataFrame
    johnson_neyman: pd.DataFrame
    roots: pd.DataFrame
    case: Literal["always", "never", "changes"]
    case_in_data: Literal["always", "never", "changes", "unknown"]
    bands: pd.DataFrame
    lines: pd.DataFrame
    distribution: pd.DataFrame
    observed: tuple[float, float]
    level: float
    method: Literal["normal", "t", "percentile"]
    critical: float
    nobs: int
    result_method: str
    notes: tuple[Note, ...] = ()
    adjust: Literal["none", "simultaneous", "fdr"] = "none"

    def plot(self, **options: Any) -> Any:
        """Draw the slopes and the Johnson-Neyman region over the moderator's distribution.

        Options are those of :func:`semkit.display.plot`.
        """
        from semkit.display import plot

        return plot(self, **options)

    @property
    def statement(self) -> str:
        """The Johnson-Neyman result in one sentence a region, with the share of respondents."""
        about = f"slope of {self.outcome} on {self.focal}"
        if self.case != "changes":
            found = "differs from zero" if self.case == "always" else "does not differ from zero"
            return f"The {about} {found} at any value of {self.moderator} ({self._confidence})."
        parts = [_region_text(region) for region in self.johnson_neyman.to_dict("records")]
        return f"Along {self.moderator} the {about} is " + "; ".join(parts) + f" ({self._confidence})."

    @property
    def _confidence(self) -> str:
        words = {"simultaneous": ", all values at once", "fdr": ", false discovery rate"}
        return f"{self.level:.0%} confidence{words.get(self.adjust, '')}"

    def __repr__(self) -> str:
        table = self.slopes.drop(columns=["std_ci_lower", "std_ci_upper"]).to_string(
            index=False, na_rep="", float_format=lambda value: f"{value:.4f}"
        )
        return "\n".join(
            [
                f"Simple slopes of {self.outcome} on {self.focal} at values of {self.moderator}"
                f" ({self.result_method}, N = {self.nobs}, {self.method} intervals)",
                table,
                f"Johnson-Neyman: {self.statement}",
                f"Observed range of {self.moderator}: {self.observed[0]:.4g} to {self.observed[1]:.4g}",
                *(f"{note.severity}: {note}" for note in self.notes),
            ]
        )

    def _repr_html_(self) -> str:
        from semkit.display import html

        return html(self)


def _region_text(region: dict[Hashable, Any]) -> str:
    lower, upper, share = float(region["lower"]), float(region["upper"]), float(region["share"])
    if math.isinf(lower):
        where = f"below {upper:.4g}"
    elif math.isinf(upper):
        where = f"above {lower:.4g}"
    else:
        where = f"from {lower:.4g} to {upper:.4g}"
    if not region["inside_data"]:
        people = "outside the observed data"
    else:
        people = "share of respondents not known" if math.isnan(share) else f"{share:.1%} of respondents"
    return f"{region['sign'] or 'not significant'} {where} ({people})"
