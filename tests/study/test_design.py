"""A study with a sampling design: its models, their measurement part and its regressions are estimated under it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import semkit as sk
from semkit.errors import StudyFileError
from tests.study import small

QUESTIONS = "".join(f"""
[[questions]]
name = "{name}"
section = "profile"
answer = "count"
text = {{ id = "Kolom {name}", en = "Column {name}" }}
minimum = 0
maximum = 999
""" for name in ("village", "region", "weight"))

DESIGN = """
[design]
weights = "weight"
strata = "region"
cluster = "village"
"""

REGRESSION = """
[scores]
m_x = { construct = "x" }
m_w = { construct = "w" }
m_y = { construct = "y" }

[[checks]]
id = "RC3"
kind = "regression"
claim = "H-1"
outcome = "m_y"
focal = "m_x"
moderator = "m_w"

[output]
figures = false
"""


def make(folder: Path, design: str) -> Path:
    rows = small.answers(n=400, codes="xwy")
    rng = np.random.default_rng(5)
    for i, row in enumerate(rows):
        row |= {"village": i // 20, "region": i // 80, "weight": int(rng.integers(1, 6))}
    study = small.STUDY.replace("measure x y\ny ~ b*x + X", "measure x w y\ny ~ b*x + w + X")
    path = small.make(folder, study=study + REGRESSION + design, codes="xwy", rows=rows)
    (folder / "mini.toml").write_text(small.instrument("xwy") + QUESTIONS, encoding="utf-8")
    return path


def test_models_and_checks_are_estimated_under_the_design(tmp_path: Path) -> None:
    result = sk.run(make(tmp_path, DESIGN))
    fit = result.fits["M"]
    assert fit.recipe.design == sk.Design(weights="weight", strata="region", cluster="village")
    frame = result.analysis.frame
    again = sk.sem(result.analysis.runs["M"].expansion.text, frame, estimator="mlr", design=fit.recipe.design)
    np.testing.assert_allclose(fit.est, again.est, rtol=1e-8)
    np.testing.assert_allclose(fit.vcov, again.vcov, rtol=1e-8)
    measured = result.analysis.runs["M"].measurement
    assert measured is not None and measured.fit.recipe.design == fit.recipe.design
    regression = result.regressions["RC3 H-1"]
    assert regression.method == "WLS (linearised)" and regression.df_residual == 20 - 5 + 1 - 4
    written = pd.read_csv(tmp_path / "results" / "models" / "M_estimates.csv")
    assert {"deff", "n_eff"} <= set(written.columns)
    assert "fitting.design" in [note.code for note in fit.notes]


@pytest.mark.parametrize(("text", "code"), [
    ('[design]\nweights = "wieght"\n', "study.unknown-name"),
    ("[design]\n", "study.empty-design"),
    ('[design]\ncluster = "village"\nlone_psu = "ignore"\n', "study.unknown-value"),
])
def test_designs_that_name_nothing_or_something_unknown(tmp_path: Path, text: str, code: str) -> None:
    with pytest.raises(StudyFileError) as caught:
        sk.run(make(tmp_path, text))
    assert code in [problem.code for problem in caught.value.problems]
