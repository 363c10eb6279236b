"""Before data are shared: places made coarse, and how many respondents share what others may know of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from semkit.errors import OptionError, Problem
from semkit.responses.records import Responses

_POINT = r"^\s*(-?\d{1,2}(?:\.\d+)?)[\s,;]+(-?\d{1,3}(?:\.\d+)?)(?:[\s,;]|$)"
_HALVES = (("latitude", "_lat", "lintang"), ("longitude", "_lon", "_long", "_lng", "bujur"))


def coarsen(
    latitude: Sequence[float], longitude: Sequence[float], *, km: float = 10.0
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Move places to the middle of a grid, so that they say where about and no longer where.

    Parameters
    ----------
    latitude, longitude : sequence of float (n,)
        Degrees; NaN stays NaN.
    km : float, default 10
        Side of the grid's cells (one degree of latitude is 111.32 km; near the equator so is one of longitude).

    Returns
    -------
    latitude, longitude : ndarray (n,)

    Examples
    --------
    >>> [round(float(one[0]), 3) for one in coarsen([-0.02633], [109.34250])]
    [-0.045, 109.369]
    """
    if not km > 0:
        raise OptionError(
            Problem("responses.bad-option", "option km", f"the value {km!r} is no width", "a number above 0",
                    "10 hides a village.")
        )  # fmt: skip
    step = km / 111.32
    moved = [(np.floor(np.asarray(one, dtype=np.float64) / step) + 0.5) * step for one in (latitude, longitude)]
    return moved[0], moved[1]


def coarse_places(responses: Responses, column: str | None = None, *, km: float = 10.0) -> pd.DataFrame:
    """Coarse places of the respondents out of a restricted column of coordinates; see :func:`coarsen`.

    Parameters
    ----------
    responses : Responses
    column : str, optional
        Personal column with ``latitude longitude ...`` in one cell (KoboToolbox, ODK); the only such column when left
        out.  Two columns whose names end in ``latitude`` and ``longitude`` (``_lat`` and ``_long``, ``lintang`` and
        ``bujur``) are found by themselves.
    km : float, default 10

    Returns
    -------
    DataFrame (n, 2)
        ``latitude``, ``longitude`` of the middle of each respondent's cell, NaN where there is none.

    Raises
    ------
    OptionError
        ``responses.no-coordinates``.
    """
    table = responses.personal
    pairs = {str(name): table[name].str.extract(_POINT) for name in table.columns if column in (None, name)}
    found = {name: pair.astype(float) for name, pair in pairs.items() if bool(pair[0].notna().any())}
    if not found and column is None:
        halves = [[n for n in table.columns if str(n).casefold().endswith(ends)] for ends in _HALVES]
        if all(len(names) == 1 for names in halves):
            one, two = (pd.to_numeric(table[names[0]], errors="coerce") for names in halves)
            found = {"latitude, longitude": pd.DataFrame({0: one, 1: two})}
    if len(found) != 1:
        raise OptionError(
            Problem("responses.no-coordinates", f"column {column}" if column else "the personal columns",
                    f"{len(found)} columns hold coordinates", "one column, or column=",
                    ", ".join(found) or "The export has no coordinates.")
        )  # fmt: skip
    pair = next(iter(found.values()))
    moved = coarsen(pair[0].tolist(), pair[1].tolist(), km=km)
    return pd.DataFrame({"latitude": moved[0], "longitude": moved[1]}, index=responses.coded.index)


@dataclass(frozen=True, eq=False)
class Anonymity:
    """How many respondents share each combination of what others may know of them.

    Parameters
    ----------
    by : tuple of str
    k : int
        Size of the smallest group (Samarati & Sweeney 1998); 0 without respondents.
    below : int
        Respondents in groups smaller than ``limit``.
    limit, n : int
    groups : DataFrame
        The groups smaller than ``limit`` with their size ``n``, smallest first.
    """

    by: tuple[str, ...]
    k: int
    below: int
    limit: int
    n: int
    groups: pd.DataFrame

    def __repr__(self) -> str:
        return (
            f"<Anonymity by {', '.join(self.by)}: k = {self.k}; {self.below} of {self.n} respondents are in groups "
            f"of fewer than {self.limit}>"
        )


def k_anonymity(frame: pd.DataFrame, by: Sequence[str], *, limit: int = 5) -> Anonymity:
    """Count how many respondents have the same values in ``by``; a missing value is a value.

    Parameters
    ----------
    frame : DataFrame
        What is to be shared.
    by : sequence of str
        Columns that somebody else may know: region, sector, size, years ...
    limit : int, default 5
        Groups smaller than this are listed.

    Returns
    -------
    Anonymity

    Raises
    ------
    OptionError
        ``responses.unknown-column``.

    References
    ----------
    Samarati & Sweeney (1998), Protecting privacy when disclosing information: k-anonymity and its enforcement.

    Examples
    --------
    >>> table = pd.DataFrame({"region": ["a", "a", "b"], "size": ["micro", "micro", "small"]})
    >>> k_anonymity(table, ["region", "size"]).k
    1
    """
    lacking = [name for name in by if name not in frame.columns]
    if lacking or not len(by):
        raise OptionError(
            Problem("responses.unknown-column", f"by {', '.join(lacking) or 'nothing'}", "there is no such column",
                    ", ".join(map(str, frame.columns))[:2000], "Name columns of the table.")
        )  # fmt: skip
    counts = frame.groupby(list(by), dropna=False, observed=True).size().reset_index(name="n")
    small = counts[counts["n"] < limit].sort_values(["n", *by], kind="stable").reset_index(drop=True)
    smallest = int(counts["n"].min()) if len(counts) else 0
    return Anonymity(tuple(by), smallest, int(small["n"].sum()), limit, len(frame), small)
