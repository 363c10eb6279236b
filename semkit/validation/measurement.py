"""Factor models of the instruments: loadings, their reliabilities, and fit, through the engine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from semkit.errors import Note, SemkitError
from semkit.result import FloatArray
from semkit.validation.blocks import Block

FIT_COLUMNS = (
    "chisq", "df", "pvalue", "cfi", "tli", "rmsea", "rmsea_lower", "rmsea_upper", "srmr",
    "chisq_scaled", "pvalue_scaled", "cfi_robust", "tli_robust", "rmsea_robust",
)  # fmt: skip
_MEASURE = {
    "rmsea_lower": "rmsea.ci.lower", "rmsea_upper": "rmsea.ci.upper", "chisq_scaled": "chisq.scaled",
    "pvalue_scaled": "pvalue.scaled", "cfi_robust": "cfi.robust", "tli_robust": "tli.robust",
    "rmsea_robust": "rmsea.robust",
}  # fmt: skip


COMPLETE_SHARE = 0.75
"""A model on fewer of the respondents is marked."""


@dataclass(frozen=True, eq=False)
class Measurement:
    """A confirmatory factor model, one factor a block, factors correlated.

    Parameters
    ----------
    name : str
    blocks : tuple of Block
    nobs : int
        Complete cases.
    loadings : DataFrame
        item, construct, est (factor variance 1), se, residual (variance), std, std_se; empty without a usable solution.
    correlations : DataFrame
        Of the factors, codes on both axes.
    fit : Mapping of str to float
        :data:`FIT_COLUMNS`, NaN where not estimated.
    notes : tuple of Note
    """

    name: str
    blocks: tuple[Block, ...]
    nobs: int
    loadings: pd.DataFrame
    correlations: pd.DataFrame
    fit: Mapping[str, float]
    notes: tuple[Note, ...] = ()

    def values(self, code: str, column: str) -> FloatArray:
        """One column of the loadings of a construct, (k,); empty without a usable solution."""
        if self.loadings.empty:
            return np.empty(0)
        rows = self.loadings["construct"] == code
        return np.asarray(self.loadings.loc[rows, column].to_numpy(dtype=float))


def measure(name: str, blocks: Sequence[Block], values: pd.DataFrame) -> Measurement:
    """Fit one factor a block by robust maximum likelihood on complete cases.

    The engine sees neutral names (``f1 =~ v1 + v2``), so that any column name will do.
    What goes wrong becomes a note; nothing is raised for data that cannot be fitted.

    Parameters
    ----------
    name : str
        Of the model, in tables and notes.
    blocks : sequence of Block
        Two or more items each (three when there is one block).
    values : DataFrame
        Answers; rows with a missing one are left out.
    """
    from semkit.fitting import cfa

    items = [item for block in blocks for item in block.items]
    used = values[items].dropna()
    received = int(values[items].notna().any(axis=1).sum())
    neutral = {item: f"v{i}" for i, item in enumerate(items, start=1)}
    text = "\n".join(
        f"f{j} =~ " + " + ".join(neutral[item] for item in block.items) for j, block in enumerate(blocks, start=1)
    )
    empty = Measurement(
        name, tuple(blocks), len(used), pd.DataFrame(), pd.DataFrame(), dict.fromkeys(FIT_COLUMNS, np.nan)
    )
    if len(used) <= len(items):
        what = f"{len(used)} complete cases for {len(items)} items."
        return replace(empty, notes=(Note("validation.few-cases", "warning", what, name, remedy="Ask more people."),))
    try:
        fit = cfa(text, used.rename(columns=neutral), estimator="mlr", std_lv=True)
    except (SemkitError, np.linalg.LinAlgError) as error:
        what = f"the factor model could not be estimated: {error}"
        return replace(empty, notes=(Note("validation.model-failed", "warning", what, name),))
    if not fit.converged:
        note = Note(
            "validation.model-not-converged",
            "warning",
            "the factor model did not converge; no loadings are shown.",
            name,
            remedy="Look for items that hardly correlate with the others of their construct.",
        )
        return replace(empty, notes=(note,))
    return _read(fit, name, tuple(blocks), {short: item for item, short in neutral.items()}, received)


def _read(fit: Any, name: str, blocks: tuple[Block, ...], original: Mapping[str, str], received: int) -> Measurement:
    table = fit.estimates
    codes = {f"f{j}": block.code for j, block in enumerate(blocks, start=1)}
    rows = table[table["op"] == "=~"]
    own = table[(table["op"] == "~~") & (table["lhs"] == table["rhs"])]
    standardised = fit.standardized().loc[lambda frame: frame["op"] == "=~"]
    residual = dict(zip(own["lhs"], own["est"], strict=True))
    loadings = pd.DataFrame(
        {
            "item": [original[short] for short in rows["rhs"]],
            "construct": [codes[factor] for factor in rows["lhs"]],
            "est": rows["est"].to_numpy(dtype=float),
            "se": rows["se"].to_numpy(dtype=float),
            "residual": [float(residual[short]) for short in rows["rhs"]],
            "std": standardised["est_std"].to_numpy(dtype=float),
            "std_se": standardised["se"].to_numpy(dtype=float),
        }
    )
    # the direction of a factor is free; most of its loadings should be positive
    total = loadings.groupby("construct")["std"].sum()
    sign = {code: -1.0 if total[code] < 0 else 1.0 for code in codes.values()}
    turned = loadings["construct"].map(sign)
    loadings = loadings.assign(est=loadings["est"] * turned, std=loadings["std"] * turned)
    correlations = pd.DataFrame(np.eye(len(blocks)), index=list(codes.values()), columns=list(codes.values()))
    for row in table[(table["op"] == "~~") & (table["lhs"] != table["rhs"])].to_dict("records"):
        if row["lhs"] in codes and row["rhs"] in codes:
            first, second = codes[row["lhs"]], codes[row["rhs"]]
            correlations.loc[first, second] = correlations.loc[second, first] = (
                sign[first] * sign[second] * float(row["std_all"])
            )
    measures = fit.fit_measures
    thin = _thin_note(name, received, int(fit.nobs))
    wanted = {column: float(measures.get(_MEASURE.get(column, column), np.nan)) for column in FIT_COLUMNS}
    notes = tuple(_translate(note, name, original, codes) for note in fit.notes if note.severity != "info")
    return Measurement(name, blocks, int(fit.nobs), loadings, correlations, wanted, (*thin, *notes))


def _thin_note(name: str, received: int, used: int) -> tuple[Note, ...]:
    if used >= COMPLETE_SHARE * received:
        return ()
    return (
        Note(
            "validation.many-incomplete",
            "warning",
            f"only {used} of {received} respondents answered all items of the model.",
            name,
            "A few missing answers an item add up over many items.",
            "Read its loadings with care; alpha and omega of each construct use more respondents.",
        ),
    )


def _translate(note: Note, name: str, original: Mapping[str, str], codes: Mapping[str, str]) -> Note:
    """Put the researcher's names back into a note about neutral ones."""
    names = {**original, **codes}
    parts = [names.get(part, part) for part in note.where.split()]
    return Note(note.code, note.severity, note.what, f"{name}: {' '.join(parts)}".rstrip(": "), note.cause, note.remedy)
