"""Tables of fits with ordinal indicators that differ from those of other fits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semkit.fitting.ordinal import OrdinalSolution

FloatArray = NDArray[np.float64]


def response_moments(solution: OrdinalSolution, which: str) -> Mapping[str, Any]:
    """``cov`` and ``mean`` of responses in units in which an ordinal one has variance 1, and ``thresholds``.

    Given covariates: residual covariances and intercepts, and ``slopes`` on the covariates.
    """
    import pandas as pd

    names, covariates = list(solution.outcomes), list(solution.table.variables.ov_x)
    out: dict[str, list[Any]] = {"cov": [], "mean": [], "thresholds": []}
    if covariates:
        out["slopes"] = []
    implied = [value[0] for value, _ in solution.responses.moments(solution.parameters[None], False)]
    for group, value in zip(solution.statistics, implied, strict=True):
        vector = value if which == "implied" else group.vector
        p, k = len(names), len(covariates)
        wide = np.repeat(np.arange(p), [len(level) for level in group.levels])
        continuous = np.array(group.categories) == 0
        cov = np.eye(p)
        n = len(wide) + p * k
        cov[continuous, continuous] = vector[n : n + int(continuous.sum())]
        cols, rows = np.triu_indices(p, 1)
        cov[rows, cols] = cov[cols, rows] = vector[len(vector) - len(rows) :]
        mean = np.zeros(p)
        mean[continuous] = vector[: len(wide)][continuous[wide]]
        cut = ~continuous[wide]
        heads = [f"{names[j]}|t{t + 1}" for j in range(p) if not continuous[j] for t in range(len(group.levels[j]))]
        out["cov"].append(pd.DataFrame(cov, index=names, columns=names))
        out["mean"].append(pd.Series(mean, index=names))
        out["thresholds"].append(pd.Series(vector[: len(wide)][cut], index=heads))
        if covariates:
            slopes = vector[len(wide) : n].reshape(k, p).T
            out["slopes"].append(pd.DataFrame(slopes, index=names, columns=covariates))
    return {name: parts[0] if len(parts) == 1 else parts for name, parts in out.items()}
