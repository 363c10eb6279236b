"""What conditional effects hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from semkit.errors import Note
from semkit.probe.summary import text_of


@dataclass(frozen=True, eq=False)
class ConditionalEffects:
    """Direct, indirect and total effects at values of the moderators.

    Parameters
    ----------
    predictor, outcome, group : str
    moderators : tuple of str
    effects : DataFrame
        effect ("direct", "indirect", "total indirect", "total"), path, label (moderators and values in words),
        value_1 ... (one a moderator), est, se, stat, pvalue, ci_lower, ci_upper, std_est, std_se, std_ci_lower,
        std_ci_upper.
    index : DataFrame
        index ("moderated mediation", "partial moderated mediation", "conditional moderated mediation" with ``at``,
        "moderated moderated mediation"), path, moderator, at and the numbers as above; standardised per SD of the
        moderators.  Empty when no indirect path is linear in a moderator.
    contrasts : DataFrame
        path, first, second and the numbers: the effect at ``second`` less that at ``first``; and, where there are
        several indirect paths, path ``second`` less path ``first`` at the values named in ``path``.
    curves : DataFrame
        path, moderator (the first one), effect, se, lower, upper, significant, boundary (a point where
        significance changes) on a grid; empty without moderators.
    distribution : DataFrame
        One column, ``moderator``: the respondents' values of the first moderator.
    level : float
    method : str
        "normal", "t", "percentile" or "monte carlo": where intervals and p come from.
    nobs : int
    result_method : str
    notes : tuple of Note
    """

    predictor: str
    outcome: str
    moderators: tuple[str, ...]
    group: str
    effects: pd.DataFrame
    index: pd.DataFrame
    contrasts: pd.DataFrame
    curves: pd.DataFrame
    distribution: pd.DataFrame
    level: float
    method: str
    nobs: int
    result_method: str
    notes: tuple[Note, ...] = ()

    def plot(self, **options: Any) -> Any:
        """Draw the indirect effects along the first moderator with intervals, over its distribution.

        Options are those of :func:`semkit.display.plot`.
        """
        from semkit.display import plot

        return plot(self, **options)

    def __repr__(self) -> str:
        std = ("std_se", "std_ci_lower", "std_ci_upper")
        parts = [
            f"Effects of {self.predictor} on {self.outcome} at values of {', '.join(self.moderators) or 'no moderator'}"
            f" ({self.result_method}, N = {self.nobs}, {self.method} intervals)",
            text_of(self.effects, std),
        ]
        if len(self.index):
            parts += ["Indices", text_of(self.index, std)]
        return "\n".join([*parts, *(f"{note.severity}: {note}" for note in self.notes)])

    def _repr_html_(self) -> str:
        from semkit.display import html

        return html(self)
