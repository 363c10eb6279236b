"""``polychoric``: correlations of the normal variables behind ordinal answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from semkit.errors import Note, OptionError, Problem, SampleError
from semkit.estimate.categorical import Categorical, estimate_moments
from semkit.fitting.samplingmoments import Answers, under_design
from semkit.sample import Design, make_sample, ordinal_columns

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class Polychoric:
    """Correlations of latent responses.

    Parameters
    ----------
    correlations : DataFrame (p, p)
        Polychoric (two ordinal columns), polyserial (one) and product-moment correlations (none).
    errors : DataFrame (p, p)
        Their asymptotic standard errors; 0 on the diagonal.
    thresholds : DataFrame
        ``variable threshold category est se``: ``category`` is the last one below the threshold.
    nobs : int
        Respondents with any answer (and a weight above 0).
    notes : tuple of Note
    """

    correlations: pd.DataFrame
    errors: pd.DataFrame
    thresholds: pd.DataFrame
    nobs: int
    notes: tuple[Note, ...]

    def __repr__(self) -> str:
        lines = [f"correlations of latent responses, {self.nobs} respondents", self.correlations.to_string(
            float_format=lambda value: f"{value:.3f}")]
        return "\n".join([*lines, *(f"{note.severity}: {note}" for note in self.notes)])


def polychoric(
    data: Any, names: Sequence[str] | None = None, *, ordered: Sequence[str] | bool = True,
    missing: str = "listwise", design: Design | None = None,
) -> Polychoric:
    """Polychoric and polyserial correlations of all pairs with standard errors, by two-step maximum likelihood.

    Parameters
    ----------
    data : DataFrame or object with ``.frame``
    names : sequence of str, optional
        Columns; all of them by default.
    ordered : sequence of str or bool
        Which columns are ordinal; the others are continuous.
    missing : {"listwise", "pairwise"}
        Respondents with all answers, or for each pair those who answered both.
    design : Design, optional
        Weights make the estimates those of the population; errors are those of the design.

    Returns
    -------
    Polychoric

    Raises
    ------
    SampleError
        Columns without order, constant, or with too many categories.

    Notes
    -----
    One empty cell in a 2 x 2 table gets 0.5 with the margins kept; larger tables stay as they are (lavaan's
    ``zero.add = c(0.5, 0)``, ``zero.keep.margins = TRUE``).  Notes name pairs with empty cells.

    References
    ----------
    Olsson (1979), Psychometrika 44, 443-460; Olsson, Drasgow & Dorans (1982), Psychometrika 47, 337-347; Joreskog
    (1994), Psychometrika 59, 381-389; Binder (1983), International Statistical Review 51, 279-292 (designs).

    Examples
    --------
    >>> import numpy as np, pandas as pd, semkit as sk
    >>> two = np.repeat([[0, 0], [0, 1], [1, 0], [1, 1]], [40, 10, 20, 30], axis=0)
    >>> found = sk.polychoric(pd.DataFrame(two, columns=["a", "b"]))
    >>> round(float(found.correlations.loc["a", "b"]), 4)
    0.6071
    """
    import pandas as pd

    frame = getattr(data, "frame", data)
    columns = [str(name) for name in (frame.columns if names is None else names)]
    chosen = (columns if ordered else []) if isinstance(ordered, bool) else [str(name) for name in ordered]
    if missing not in ("listwise", "pairwise"):
        raise OptionError(Problem("fitting.unknown-option-value", f"missing={missing!r}", "is not a known value",
                                  "listwise, pairwise", "Choose one of them."))
    read = ordinal_columns(frame, chosen)
    sample = make_sample(read.frame, columns, missing="fiml" if missing == "pairwise" else "listwise", design=design)
    values = sample.groups[0].data
    counts = tuple(len(read.levels[name]) if name in read.levels else 0 for name in columns)
    lost = [name for name, values_, count in zip(columns, values.T, counts, strict=True)
            if count and len(np.unique(values_[~np.isnan(values_)])) < count]
    if lost:
        raise SampleError(*(Problem("sample.empty-category", f'column "{name}"',
                                    "a category has no respondent left after those with gaps were left out",
                                    "respondents in every category",
                                    "Join it with its neighbour, or use missing='pairwise'.") for name in lost))
    moments, sampling = estimate_moments(values, counts, weights=sample.weights_of(0)), sample.sampling
    divisor = moments.nobs
    if sampling is not None:
        moments = under_design([moments], [Answers(values, counts, None)], sampling)[0]
        divisor -= 0.0 if sampling.weights_only else 1.0
    moments = replace(moments, gamma=moments.gamma / divisor)
    notes = [*read.notes, *pair_notes(moments, columns)]
    if sampling is not None:
        notes.append(Note("fitting.design", "info", sampling.summary, "design"))
    return Polychoric(*_tables(pd, moments, columns, read.levels), sample.nobs, tuple(notes))


def _tables(
    pd: Any, moments: Categorical, columns: list[str], levels: dict[str, tuple[str, ...]]
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Correlations, their errors, thresholds; ``gamma`` is the covariance matrix of the moments."""
    sd = np.sqrt(moments.variance)
    correlation = moments.cov / np.outer(sd, sd)
    error = np.sqrt(np.diagonal(moments.gamma))
    sizes = [len(level) for level in moments.levels]
    total = sum(sizes)
    square = np.zeros_like(correlation)
    continuous = [k for k, count in enumerate(moments.categories) if not count]
    square.T[np.triu_indices(len(sd), 1)] = _correlation_errors(moments, correlation, total, continuous)
    square = square + square.T
    starts = np.cumsum([0, *sizes])
    rows = [(name, f"t{t + 1}", levels[name][t], moments.levels[k][t], error[starts[k] + t])
            for k, name in enumerate(columns) if moments.categories[k] for t in range(sizes[k])]
    return (pd.DataFrame(correlation, index=columns, columns=columns),
            pd.DataFrame(square, index=columns, columns=columns),
            pd.DataFrame(rows, columns=["variable", "threshold", "category", "est", "se"]))


def _correlation_errors(moments: Categorical, correlation: Any, start: int, continuous: list[int]) -> Any:
    """Standard errors of the correlations below the diagonal: those of covariances moved to unit variances."""
    p = len(correlation)
    sd = np.sqrt(moments.variance)
    first = start + moments.slopes.size
    at = first + len(continuous)
    j, i = np.triu_indices(p, 1)
    move = np.zeros((len(i), len(moments.gamma)))
    row = np.arange(len(i))
    move[row, at + row] = 1.0 / (sd[i] * sd[j])
    for place, k in enumerate(continuous):
        here = (i == k) | (j == k)
        move[here, first + place] = -correlation[i, j][here] / (2.0 * moments.variance[k])
    return np.sqrt(np.maximum(np.einsum("rs,st,rt->r", move, moments.gamma, move, optimize=True), 0.0))


def pair_notes(moments: Categorical, names: Sequence[str], group: str = "") -> list[Note]:
    """Pairs with empty cells, adjusted tables and correlations without an estimate."""
    where = f" (group {group})" if group else ""
    notes = []
    empty = [(i, j) for i, j, _ in moments.empty if (i, j) not in moments.adjusted]
    if empty:
        pairs = ", ".join(f"{names[i]} and {names[j]}" for i, j in empty[:8]) + (" ..." if len(empty) > 8 else "")
        notes.append(Note(
            "fitting.empty-cells", "info", f"{len(empty)} of the tables of two items have cells that nobody chose.",
            pairs + where, "Small groups or skewed answers.",
            "Correlations and errors are less certain there; joining rare categories helps.",
        ))
    for i, j in moments.adjusted:
        notes.append(Note("fitting.empty-cell-adjusted", "warning", "an empty cell of the 2 x 2 table got 0.5 with the "
                          "margins kept.", f"{names[i]} and {names[j]}{where}", "Nobody has this pair of answers.",
                          "The correlation depends on this choice; look whether the items mean the same."))
    for i, j in moments.boundary:
        notes.append(Note("fitting.correlation-at-limit", "error", "the correlation has no estimate inside -1 and 1.",
                          f"{names[i]} and {names[j]}{where}", "One item follows from the other.",
                          "Leave one of them out, or join categories."))
    return notes
