"""Categories that nobody chose, alone or together: what makes thresholds and polychoric correlations unstable."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from semkit.errors import Note

IntArray = NDArray[np.int64]


def category_notes(codes: IntArray, sizes: Sequence[int], names: Sequence[str], group: str = "") -> tuple[Note, ...]:
    """Notes on categories and pairs of categories without respondents.

    A category that is empty in one group only is an empty category there.  Empty cells are said of a pair of columns
    when more than one in four of its cells is empty: polychoric correlations are then biased (Brown & Benedetti 1977;
    Savalei 2011), fewer are usual and harmless.

    Parameters
    ----------
    codes : ndarray (n, k) of int
        Categories from 0; -1 where not answered.
    sizes : sequence of int (k,)
        How many categories each column has (in all groups together).
    names : sequence of str (k,)
    group : str

    References
    ----------
    Brown & Benedetti (1977), Psychometrika 42, 347-355; Savalei (2011), Structural Equation Modeling 18, 253-273.
    """
    suffix = f" (group {group})" if group else ""
    width = max(sizes, default=0)
    hot = np.zeros((len(codes), len(names), width))
    rows, cols = np.nonzero(codes >= 0)
    hot[rows, cols, codes[rows, cols]] = 1.0
    count = hot.sum(axis=0)
    notes = []
    for k, name in enumerate(names):
        empty = [c + 1 for c in range(sizes[k]) if count[k, c] == 0]
        if empty:
            many = "categories" if len(empty) > 1 else "category"
            notes.append(Note(
                "sample.empty-category", "warning",
                f"nobody chose {many} {', '.join(map(str, empty))} of {sizes[k]} (counted from the lowest).",
                name + suffix, "A threshold on either side of an empty category cannot be told from its neighbour.",
                "Join the category with the next one, in all groups alike.",
            ))
    flat = hot.reshape(len(codes), -1)
    table = (flat.T @ flat).reshape(len(names), width, len(names), width)
    pairs = []
    for i in range(len(names)):
        for j in range(i):
            part = table[j, : sizes[j], i, : sizes[i]]
            part = part[np.ix_(count[j, : sizes[j]] > 0, count[i, : sizes[i]] > 0)]
            if part.size and np.mean(part == 0.0) > 0.25:
                pairs.append((float(np.mean(part == 0.0)), f"{names[j]} and {names[i]}"))
    if pairs:
        pairs.sort(reverse=True)
        worst = ", ".join(f"{pair} ({share:.0%})" for share, pair in pairs[:5])
        more = f" and {len(pairs) - 5} more pairs" if len(pairs) > 5 else ""
        notes.append(Note(
            "sample.empty-cells", "warning",
            f"more than a quarter of the cells of a pair's table are empty: {worst}{more}.", suffix.strip(" ()"),
            "Too few respondents for so many categories: polychoric correlations lean on cells nobody is in.",
            "Join rare categories, or treat items with five or more categories as numbers with estimator='mlr'.",
        ))
    return tuple(notes)
