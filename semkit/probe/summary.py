"""Rows of quantities with error, test and interval, for estimates that are linear or products of linear ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from semkit.result import FloatArray, Reference, Result, summarise


@dataclass(frozen=True, eq=False)
class Estimates:
    """What quantities are computed from, in one metric: ``est`` (k,), ``vcov`` (k, k), ``draws`` (B, k) or None."""

    est: FloatArray
    vcov: FloatArray
    draws: FloatArray | None

    @classmethod
    def of(cls, result: Result, *, standardized: bool = False) -> Estimates:
        """Take them from a result."""
        if standardized:
            return cls(result.std_est, np.asarray(result.std_vcov, dtype=float), result.std_draws)
        return cls(result.est, np.asarray(result.vcov, dtype=float), result.draws)


@dataclass(frozen=True, eq=False)
class Values:
    """Quantities: ``value`` (m,), delta-method ``se`` (m,) and ``draws`` (B, m) or None."""

    value: FloatArray
    gradient: FloatArray
    se: FloatArray
    draws: FloatArray | None

    @classmethod
    def of(cls, value: FloatArray, gradient: FloatArray, vcov: FloatArray, draws: FloatArray | None) -> Values:
        """Make the errors from the gradient ``(m, k)``; entries it does not use may be NaN in ``vcov``."""
        used = np.any(gradient != 0.0, axis=0)
        part = gradient[:, used]
        variance = np.einsum("mi,ij,mj->m", part, vcov[np.ix_(used, used)], part)
        return cls(value, gradient, np.sqrt(np.maximum(variance, 0.0)), draws)

    def combined(self, weights: FloatArray, vcov: FloatArray) -> Values:
        """Linear combinations, rows of ``weights`` (r, m)."""
        draws = None if self.draws is None else self.draws @ weights.T
        return Values.of(weights @ self.value, weights @ self.gradient, vcov, draws)

    def frame(self, reference: Reference, level: float, name: str = "est") -> pd.DataFrame:
        """One row a quantity: ``name se stat pvalue ci_lower ci_upper``; percentile ones when there are draws."""
        rows = [
            summarise("", float(self.value[i]), float(self.se[i]),
                      draws=None if self.draws is None else self.draws[:, i], reference=reference, level=level)
            for i in range(self.value.size)
        ]  # fmt: skip
        clear = [row.method != "percentile" and row.se > 0 for row in rows]
        return pd.DataFrame({
            name: [row.est for row in rows], "se": [row.se for row in rows],
            "stat": [row.est / row.se if ok else float("nan") for row, ok in zip(rows, clear, strict=True)],
            "pvalue": [row.pvalue for row in rows], "ci_lower": [row.ci_lower for row in rows],
            "ci_upper": [row.ci_upper for row in rows],
        })  # fmt: skip


def linear(rows: FloatArray, of: Estimates) -> Values:
    """Quantities ``rows . est``."""
    used = np.any(rows != 0.0, axis=0)
    draws = None if of.draws is None else of.draws[:, used] @ rows[:, used].T
    return Values.of(rows[:, used] @ of.est[used], rows, of.vcov, draws)


def both_metrics(raw: Values, std: Values, reference: Reference, level: float, name: str = "est") -> pd.DataFrame:
    """Raw columns followed by ``std_*`` ones."""
    scaled = std.frame(reference, level)
    return raw.frame(reference, level, name).assign(**{
        f"std_{name}": scaled["est"], "std_se": scaled["se"], "std_ci_lower": scaled["ci_lower"],
        "std_ci_upper": scaled["ci_upper"],
    })  # fmt: skip


def with_heads(frame: pd.DataFrame, heads: Mapping[str, Sequence[Any]]) -> pd.DataFrame:
    """Text columns before the numbers."""
    return pd.concat([pd.DataFrame(dict(heads)), frame], axis=1)


def text_of(frame: pd.DataFrame, drop: Sequence[str] = ()) -> str:
    """A frame as text for ``repr``."""
    shown = frame.drop(columns=[name for name in drop if name in frame.columns])
    return str(shown.to_string(index=False, na_rep="", float_format=lambda value: f"{value:.4f}"))
