"""Thirty invented cases with fuzzy scores by two coders, for set-theoretic analysis and weighted kappa."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from semkit.planning.draws import FloatArray, IntArray, choose
from semkit.planning.streams import stream

if TYPE_CHECKING:
    import pandas as pd

NAME, SEED, N = "border_cases30", 20260105, 30
SCORES = np.array([0.0, 0.33, 0.67, 1.0])
CONDITIONS = ("network", "policy", "capacity", "infrastructure", "adaptive", "challenge")
SCORE_SHARES = (0.20, 0.30, 0.30, 0.20)
MOVED, AGREED = 0.15, 0.85
SECTORS = ("agriculture",) * 11 + ("food",) * 8 + ("other",) * 11
SIZES = ("micro",) * 14 + ("small",) * 13 + ("medium",) * 3


@dataclass(frozen=True, eq=False)
class Cases:
    """Scores of thirty invented cases, one row a case and coder.

    Parameters
    ----------
    seed : int
    columns : dict of str to list of str
    """

    seed: int
    columns: dict[str, list[str]]
    moved: tuple[int, ...]

    @property
    def frame(self) -> pd.DataFrame:
        """The table as text."""
        import pandas as pd

        return pd.DataFrame(self.columns)

    def __repr__(self) -> str:
        return f'<Cases "{NAME}": {N} invented cases, 2 coders, seed {self.seed}>'

    def to_bytes(self) -> bytes:
        """CSV: semicolons, every cell quoted, UTF-8, CRLF."""
        out = io.StringIO(newline="")
        writer = csv.writer(out, delimiter=";", quoting=csv.QUOTE_ALL, lineterminator="\r\n")
        writer.writerow(self.columns)
        writer.writerows(zip(*self.columns.values(), strict=True))
        return out.getvalue().encode()

    def sidecar(self) -> str:
        """JSON that says how it was invented and what is true."""
        rule = "max(min(network, policy, partner), min(network, capacity, newexp), min(network, adaptive))"
        content = {
            "synthetic": True,
            "statement": "invented data; no respondent exists",
            "generator": "semkit.planning.simulate_responses",
            "generator_version": "1.0",
            "study": NAME,
            "seed": self.seed,
            "n": N,
            "data_sha256": hashlib.sha256(self.to_bytes()).hexdigest(),
            "planted": {"outcome": rule, "outcome_scores_moved_one_step": [f"case {k}" for k in self.moved],
                        "second_coder_agrees": AGREED},
        }  # fmt: skip
        return json.dumps(content, indent=1) + "\n"

    def write(self, folder: str | Path) -> tuple[Path, Path]:
        """Write ``border_cases30_synthetic.csv`` and its ``.json`` into ``folder`` and return both paths."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        data, side = (folder / f"{NAME}_synthetic.{kind}" for kind in ("csv", "json"))
        data.write_bytes(self.to_bytes())
        side.write_bytes(self.sidecar().encode())
        return data, side


def _moved(step: IntArray, u: FloatArray) -> IntArray:
    """One step up or down, the only way there is at either end."""
    up = np.where(step == 0, True, np.where(step == SCORES.size - 1, False, u < 0.5))
    return np.asarray(step + np.where(up, 1, -1), dtype=np.int64)


def simulate_cases(seed: int = SEED) -> Cases:
    """Draw the thirty cases.

    Scores of conditions are independent, with shares .2 .3 .3 .2; sector and size have the paper's counts in random
    order; a partner in Malaysia .70, exporting for three years or less .433 (both crisp).  The outcome is
    ``max(min(network, policy, partner), min(network, capacity, newexp), min(network, adaptive))``; 15 per cent of its
    scores move one step.  The second coder agrees on 85 per cent of the scores and is one step off on the others.

    Examples
    --------
    >>> simulate_cases().frame.shape
    (60, 14)
    """
    u = stream(seed, NAME, "groups").random((N, 4))
    v = stream(seed, NAME, "latents").random((N, len(CONDITIONS)))
    w = stream(seed, NAME, "damage").random((N, 2 + 2 * (len(CONDITIONS) + 1)))
    scores = {name: choose(v[:, k], SCORE_SHARES) for k, name in enumerate(CONDITIONS)}
    partner, new = 3 * (u[:, 2] < 0.70).astype(np.int64), 3 * (u[:, 3] < 0.433).astype(np.int64)
    paths = (
        np.minimum(np.minimum(scores["network"], scores["policy"]), partner),
        np.minimum(np.minimum(scores["network"], scores["capacity"]), new),
        np.minimum(scores["network"], scores["adaptive"]),
    )
    true = np.maximum(np.maximum(paths[0], paths[1]), paths[2])
    off = w[:, 0] < MOVED
    scores["outcome"] = np.where(off, _moved(true, w[:, 1]), true)
    second = {}
    for k, (name, step) in enumerate(scores.items()):
        differs = w[:, 2 + 2 * k] >= AGREED
        second[name] = np.where(differs, _moved(step, w[:, 3 + 2 * k]), step)
    sector = np.asarray(SECTORS)[np.argsort(u[:, 0], kind="stable")]
    size = np.asarray(SIZES)[np.argsort(u[:, 1], kind="stable")]
    columns: dict[str, list[str]] = {name: [] for name in ("synthetic", "case", "coder", "sector", "size", "partner",
                                                           "newexp", *scores)}  # fmt: skip
    for case in range(N):
        for coder, told in (("A", scores), ("B", second)):
            row = {"synthetic": "1", "case": str(case + 1), "coder": coder, "sector": str(sector[case]),
                   "size": str(size[case]), "partner": str(int(partner[case] > 0)), "newexp": str(int(new[case] > 0)),
                   **{name: f"{SCORES[step[case]]:g}" for name, step in told.items()}}  # fmt: skip
            for name, value in row.items():
                columns[name].append(value)
    return Cases(seed, columns, tuple(int(k) + 1 for k in np.flatnonzero(off)))
