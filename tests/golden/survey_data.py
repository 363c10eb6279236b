"""Generator of ``survey_design.csv``: a stratified two-stage sample with unequal weights, and replicate weights.

Run from the project folder: ``python -m tests.golden.survey_data``; the file is the same bytes every time.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

STRATA, PER_STRATUM = 12, 2


def survey(seed: int = 20261121) -> pd.DataFrame:
    """24 villages in 12 strata, about 18 respondents each; six items of two factors, a moderated outcome."""
    rng = np.random.default_rng(seed)
    rows = []
    for stratum in range(STRATA):
        for village in range(PER_STRATUM):
            size = int(rng.integers(14, 23))
            level = rng.normal(0, 0.4, 3) + 0.15 * (stratum % 4)
            size_of_region = 8 + 2 * (stratum % 5)
            for _ in range(size):
                urban = int(stratum >= STRATA // 2)
                sex = int(rng.random() < 0.45)
                age = int(rng.integers(0, 3))
                trust = level[0] + rng.normal() + 0.2 * sex
                growth = 0.5 * trust + level[1] + 0.4 * urban + 0.8 * rng.normal()
                w = level[2] + rng.normal()
                weight = np.exp(0.5 * rng.normal() + 0.3 * urban + 0.15 * trust) * size_of_region
                y = np.r_[np.array([1.0, 0.8, 0.7]) * trust, np.array([1.0, 0.9, 0.6]) * growth]
                y = y + 0.7 * rng.standard_gamma(2.0, 6) - 1.4
                z = 0.3 * trust + 0.25 * w + 0.2 * trust * w + level[1] + 0.1 * age + rng.normal()
                rows.append([stratum + 1, 10 * (stratum + 1) + village, size_of_region, weight, urban, sex, age, *y,
                             trust + 0.3 * rng.normal(), w, z])
    names = ["region", "village", "villages", "weight", "urban", "sex", "age", *(f"y{k}" for k in range(1, 7)),
             "x", "w", "z"]
    data = pd.DataFrame(rows, columns=names)
    # two strata with a single village between them: for the policies on lone units
    data["zone"] = np.where(data["village"] == 10, 100, np.where(data["village"] == 11, 101, data["region"]))
    # gaps: items missing at random given x, and one village without any w
    for k in range(1, 7):
        data[f"m{k}"] = data[f"y{k}"].where(rng.random(len(data)) > 0.12 + 0.1 * (data["x"] > 0.5))
    data["w_gap"] = data["w"].where((data["village"] != 61) & (rng.random(len(data)) > 0.1))
    return data


if __name__ == "__main__":
    here = Path(__file__).parent / "survey_design.csv"
    survey().to_csv(here, index=False, float_format="%.8g", lineterminator="\n")
