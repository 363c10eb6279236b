"""How much of the planted damage the cleaning rules find, on a file that goes the whole way through the reader."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from semkit.cleaning import Cleaned, clean
from semkit.instrument import load_instrument
from semkit.planning.damage import CARELESS
from semkit.planning.simulation import Simulated
from semkit.responses import read_responses


@dataclass(frozen=True, slots=True)
class Share:
    """Rows of one kind and how many of them met a fate."""

    rows: int
    found: int

    @property
    def rate(self) -> float:
        """``found / rows``; NaN without rows."""
        return self.found / self.rows if self.rows else float("nan")


@dataclass(frozen=True, eq=False)
class Detection:
    """What cleaning did with the rows whose truth is planted.

    Parameters
    ----------
    duplicates : Share
        Repeated interviews with item answers, recognised as such.
    screened : Share
        Rows without consent or screened out, repeated ones included, recognised as such: an interview that has no
        answers to items is no copy of another one.
    careless : dict of str to Share
        Excluded as careless, by kind; ``"careful"`` for the rows that answered with care.
    flags : dict of str to dict of str to float
        Share of rows with each flag, by kind.
    received, analysed, careless_left : int
    """

    duplicates: Share
    screened: Share
    careless: dict[str, Share]
    flags: dict[str, dict[str, float]]
    received: int
    analysed: int
    careless_left: int


def cleaned(simulated: Simulated) -> Cleaned:
    """Write the file, read it back and clean it by the default rules."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"{simulated.study}_synthetic.csv"
        path.write_bytes(simulated.to_bytes())
        return clean(read_responses(path, [load_instrument(block) for block in simulated.blocks]))


def detect(simulated: Simulated) -> Detection:
    """Compare what cleaning decided with what is planted.

    Parameters
    ----------
    simulated : Simulated

    Returns
    -------
    Detection
    """
    result = cleaned(simulated)
    state = result.states.to_numpy(dtype=np.str_)
    rows, source = simulated.rows, simulated.rows.source
    screened, kind, again = rows.screened[source] > 0, rows.careless[source], rows.duplicate
    asked = ~again & ~screened

    def share(which: NDArray[np.bool_], *fates: str) -> Share:
        return Share(int(which.sum()), int(np.isin(state[which], fates).sum()))

    names = {name or "careful": asked & (kind == k) for k, name in enumerate(CARELESS)}
    return Detection(
        duplicates=share(again & ~screened, "duplicate"),
        screened=share(screened, "no_consent", "screened_out"),
        careless={name: share(which, "careless") for name, which in names.items()},
        flags={name: dict(result.flags[which].mean()) for name, which in names.items() if which.any()},
        received=state.size,
        analysed=int(np.sum(state == "analysed")),
        careless_left=int(np.sum(asked & (kind > 0) & (state == "analysed"))),
    )
