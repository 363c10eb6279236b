"""What a validation holds: tidy frames of raw numbers, and how they are shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from semkit.errors import Note
from semkit.validation.thresholds import Thresholds


@dataclass(frozen=True, eq=False)
class Validation:
    """Quality of the instruments: raw numbers, NaN for 'not estimated'.

    Parameters
    ----------
    constructs : DataFrame
        One row a construct: construct, label, source, reflective, items, n (complete cases), missing
        (share of cells), mean, sd (of the mean score), mean_r (mean inter-item correlation), alpha, alpha_lower,
        alpha_upper (Feldt), alpha_std, alpha_se (no distribution assumed), omega (one-factor
        model of the construct alone; two items:
        equal loadings), cr (composite reliability), ave, ave_raw (unstandardised items), omega_model (these
        from the instrument's factor model), smallest_loading.
    items : DataFrame
        One row an item: item, construct, reflective, n, missing, mean, sd, skew, kurtosis, floor, ceiling,
        item_rest, alpha_if_dropped, loading, loading_se, msa (Kaiser-Meyer-Olkin of the item).
    loadings : DataFrame
        item, construct, model, est, se, residual, std, std_se.
    htmt, htmt2, fornell_larcker : DataFrame
        Square, codes on both axes, symmetric, diagonal 1; ``fornell_larcker`` has the square
        root of AVE on its diagonal and factor correlations beside (NaN across models).
    composites : DataFrame
        Second-order constructs: construct, label, parts, n, stratified_alpha.
    factorability : DataFrame
        One row a model: model, n, kmo, bartlett_chisq, bartlett_df, bartlett_pvalue.
    fit : DataFrame
        One row a model: model, n, items, chisq, df, pvalue, cfi, tli, rmsea ..., and the robust versions.
    nobs : int
        Respondents received.
    thresholds : Thresholds
    notes : tuple of Note
    """

    constructs: pd.DataFrame
    items: pd.DataFrame
    loadings: pd.DataFrame
    htmt: pd.DataFrame
    htmt2: pd.DataFrame
    fornell_larcker: pd.DataFrame
    composites: pd.DataFrame
    factorability: pd.DataFrame
    fit: pd.DataFrame
    nobs: int
    thresholds: Thresholds
    notes: tuple[Note, ...] = ()

    @property
    def omegas(self) -> Mapping[str, float]:
        """Omega by construct code (NaN when it could not be estimated)."""
        return dict(zip(self.constructs["construct"], self.constructs["omega"], strict=True))

    def ratio(self, first: str, second: str) -> float:
        """HTMT of two constructs; NaN when there is none."""
        if first not in self.htmt.index or second not in self.htmt.columns:
            return float("nan")
        return float(self.htmt.to_numpy(dtype=float)[self.htmt.index.get_loc(first), self.htmt.columns.get_loc(second)])

    def __repr__(self) -> str:
        def show(table: pd.DataFrame, *columns: str) -> str:
            there = [column for column in columns if column in table]
            return table[there].to_string(index=False, na_rep="", float_format=lambda value: f"{value:.3f}")

        lines = [
            f"Validation of {len(self.constructs)} constructs, {len(self.items)} items, {self.nobs} respondents",
            show(
                self.constructs, "construct", "items", "n", "mean", "sd", "alpha", "alpha_lower", "alpha_upper",
                "omega", "cr", "ave", "smallest_loading",
            ),
        ]  # fmt: skip
        if not self.composites.empty:
            lines += ["Composites", show(self.composites, "construct", "parts", "n", "stratified_alpha")]
        if len(self.htmt) > 1:
            lower = self.htmt.where(np.tril(np.ones(self.htmt.shape, dtype=bool), -1))
            lines += ["HTMT", lower.iloc[1:, :-1].to_string(na_rep="", float_format=lambda value: f"{value:.3f}")]
        if not self.fit.empty:
            lines += [
                "Factor models",
                show(self.fit, "model", "n", "chisq", "df", "cfi", "cfi_robust", "rmsea", "rmsea_robust", "srmr"),
            ]
        return "\n".join([*lines, *(f"{note.severity}: {note}" for note in self.notes)])

    def _repr_html_(self) -> str:
        from semkit.display import html

        return html(self)
