"""The written trail of cleaning: one row per exclusion, flag or recode."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

COLUMNS = ("respondent", "rule", "column", "value", "threshold", "action")
EXCLUDED = "excluded"
FLAGGED = "flagged"


class Ledger:
    """Collects entries; whole arrays at a time, never respondent by respondent."""

    def __init__(self, rows: NDArray[np.int64]) -> None:
        self._rows = rows
        self._parts: list[pd.DataFrame] = []

    def add(
        self, mask: NDArray[np.bool_], rule: str, value: Any, threshold: Any, action: str, column: str = ""
    ) -> None:
        """Enter the respondents of a mask.

        Parameters
        ----------
        mask : ndarray (n,) of bool
        rule : str
        value : scalar or ndarray (n,)
            What was found; of an array the masked entries are taken.
        threshold : scalar or ndarray (n,)
            With what it was compared.
        action : str
        column : str
            Item or question the entry is about.
        """
        if not mask.any():
            return
        self._parts.append(
            pd.DataFrame(
                {
                    "respondent": self._rows[mask],
                    "rule": rule,
                    "column": column,
                    "value": pd.Series(_pick(value, mask), dtype=object),
                    "threshold": pd.Series(_pick(threshold, mask), dtype=object),
                    "action": action,
                }
            )
        )

    def add_all(self, rule: str, column: str, value: Any, action: str) -> None:
        """Enter a rule that was applied to a whole column; it has no respondent."""
        self._parts.append(pd.DataFrame([(pd.NA, rule, column, value, None, action)], columns=list(COLUMNS)))

    def frame(self) -> pd.DataFrame:
        """The entries in the order of the rules."""
        if not self._parts:
            return pd.DataFrame({name: pd.Series(dtype=object) for name in COLUMNS}).astype({"respondent": "Int64"})
        table = pd.concat([part.astype(object) for part in self._parts], ignore_index=True)
        return table.astype({"respondent": "Int64"})


def _pick(value: Any, mask: NDArray[np.bool_]) -> Sequence[Any]:
    if isinstance(value, np.ndarray):
        return list(value[mask])
    return [value] * int(mask.sum())
