"""A small study in a folder: one instrument, one data file drawn from a stated truth, one or two claims."""

from __future__ import annotations

import csv
import hashlib
from pathlib import Path

import numpy as np

INSTRUMENT = """
schema_version = 1
kind = "instrument"
name = "mini"
version = "1"
status = "unvalidated"
minutes = 2
languages = ["id", "en"]
title = { id = "Kuesioner kecil", en = "Small questionnaire" }
notice = { id = "Belum divalidasi.", en = "Unvalidated." }
description = { id = "Untuk uji.", en = "For tests." }

[[scales]]
name = "agree5"
points = 5

[scales.labels]
id = ["Sangat tidak setuju", "Tidak setuju", "Netral", "Setuju", "Sangat setuju"]
en = ["Strongly disagree", "Disagree", "Neutral", "Agree", "Strongly agree"]
"""

CONSTRUCT = """
[[constructs]]
code = "{code}"
id = "construct_{code}"
label = {{ id = "Konsep {code}", en = "Construct {code}" }}
scale = "agree5"
items = [
  {{ name = "{code}_1", id = "Butir {code} satu", en = "Item {code} one" }},
  {{ name = "{code}_2", id = "Butir {code} dua", en = "Item {code} two" }},
  {{ name = "{code}_3", id = "Butir {code} tiga", en = "Item {code} three" }},
]
"""

AGE = """
[[questions]]
name = "age"
section = "profile"
answer = "count"
text = { id = "Umur", en = "Age" }
minimum = 15
maximum = 99
"""

STUDY = """
schema_version = 1
instruments = ["mini.toml"]
seed = 7

[study]
id = "mini"
title = { en = "A small study" }

[data]
file = "answers.csv"

[controls.X]
variables = [{ column = "age", transform = "log1p" }]

[models.M]
text = \"\"\"
measure x y
y ~ b*x + X
\"\"\"

[[claims]]
id = "H-1"
rule = "R-PATH"
statement = { en = "x raises y." }
parts = [{ id = "H-1.0", model = "M", parameter = "b", direction = "+", delta = 0.10 }]

[gates]
n = 100
"""


def instrument(codes: str = "xy") -> str:
    """Text of an instrument with one three-item construct a letter."""
    return INSTRUMENT + AGE + "".join(CONSTRUCT.format(code=code) for code in codes)


def answers(
    n: int = 400,
    slope: float = 0.4,
    loading: float = 0.8,
    seed: int = 1,
    spread: float = 1.0,
    moderation: float = 0.0,
    codes: str = "xy",
) -> list[dict[str, object]]:
    """Rows of answers: ``y = slope x + moderation x w + e`` between standardised latents, five-point items."""
    rng = np.random.default_rng(seed)
    x, w = rng.standard_normal((2, n))
    rest = max(1.0 - slope**2 - moderation**2, 0.05)
    y = slope * x + moderation * x * w + np.sqrt(rest) * rng.standard_normal(n)
    latents = {"x": x, "w": w, "y": y, "z": rng.standard_normal(n)}
    columns: dict[str, np.ndarray] = {}
    for code in codes:
        for number in (1, 2, 3):
            star = loading * latents[code] + np.sqrt(1 - loading**2) * rng.standard_normal(n)
            columns[f"{code}_{number}"] = np.clip(np.round(3.0 + spread * star), 1, 5).astype(int)
    columns["age"] = rng.integers(20, 70, n)
    return [{name: int(values[i]) for name, values in columns.items()} for i in range(n)]


def write_csv(path: Path, rows: list[dict[str, object]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def make(
    folder: Path, *, study: str = STUDY, codes: str = "xy", rows: list[dict[str, object]] | None = None, **truth: object
) -> Path:
    """Write the folder and return the path of its study file."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "mini.toml").write_text(instrument(codes), encoding="utf-8")
    write_csv(folder / "answers.csv", rows if rows is not None else answers(codes=codes, **truth))  # type: ignore[arg-type]
    (folder / "study.toml").write_text(study, encoding="utf-8")
    return folder / "study.toml"


def fingerprint(folder: Path) -> str:
    """Hash over names, contents and link targets of everything in a folder."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        digest.update(str(path.relative_to(folder)).encode())
        if path.is_symlink():
            digest.update(str(path.readlink()).encode())
        elif path.is_file():
            digest.update(path.read_bytes())
    return digest.hexdigest()
