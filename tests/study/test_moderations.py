"""What a study file can ask of moderations: methods, probes of every kind, indices of moderated mediation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import semkit as sk
from semkit.errors import StudyFileError
from semkit.study.analysis import prepare, run_model
from semkit.verdict import Index, evidence
from tests.study import small

MEDIATED = """
[models.M]
title = "Mediation, moderated at its first step"
interaction = "lms"
nodes = 16
text = \"\"\"
measure x w z y
z ~ a*x + d*w + q*x:w + X
y ~ b*z + c*x + e*w
\"\"\"

[models.S]
text = \"\"\"
measure z
z ~ m_x + m_w + m_x:m_x + m_x:m_w + m_w:m_w
\"\"\"

[models.P]
match = "all"
centering = "residual"
text = \"\"\"
measure x w z
z ~ a*x + d*w + q*x:w
\"\"\"

[scores]
m_x = { construct = "x" }
m_w = { construct = "w" }

[[probes]]
model = "M"
kind = "effects"
focal = "x"
outcome = "y"
values = "percentiles"

[[probes]]
model = "M"
focal = "x"
moderator = "w"
values = [-1.0, 1.0]
adjust = "fdr"

[[probes]]
model = "S"
kind = "surface"
focal = "m_x"
moderator = "m_w"
origin = 3.0

[[probes]]
model = "P"
focal = "w"
moderator = "x"

[[claims]]
id = "H-1"
rule = "R-PATH"
statement = { en = "w strengthens the effect of x on y through z." }

[[claims.parts]]
id = "H-1.0"
model = "M"
index = { path = ["x", "z", "y"], moderator = "w" }
delta = 0.05

[gates]
n = 100
omega = 0.3
"""
STUDY = small.STUDY[: small.STUDY.index("[models.M]")] + MEDIATED


def rows(n: int = 900, seed: int = 5) -> list[dict[str, object]]:
    """Answers of a mediation that the second construct moderates at its first step."""
    rng = np.random.default_rng(seed)
    x, w = rng.standard_normal((2, n))
    z = 0.3 * x + 0.35 * x * w + 0.85 * rng.standard_normal(n)
    y = 0.6 * z + 0.8 * rng.standard_normal(n)
    made: dict[str, Any] = {}
    for code, latent in (("x", x), ("w", w), ("z", z), ("y", y)):
        for k in (1, 2, 3):
            made[f"{code}_{k}"] = np.clip(np.round(3 + 0.85 * latent + 0.5 * rng.standard_normal(n)), 1, 5).astype(int)
    made["age"] = rng.integers(20, 70, n)
    return [dict(zip(made, map(int, values), strict=True)) for values in zip(*made.values(), strict=True)]


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return sk.run(small.make(tmp_path_factory.mktemp("m"), study=STUDY, codes="xwzy", rows=rows()))


def test_every_kind_of_probe_has_its_tables(done: Any) -> None:
    assert list(done.probes) == ["M x->y", "M x:w", "S m_x:m_w surface", "P w:x"]
    names = {path.name for path in (done.folder / "probes").iterdir()}
    assert names == {
        *(f"M_x_to_y_{key}.csv" for key in ("effects", "index", "contrasts")),
        *(f"M_x_x_w_{key}.csv" for key in ("slopes", "johnson_neyman")),
        *(f"P_w_x_x_{key}.csv" for key in ("slopes", "johnson_neyman")),
        *(f"S_m_x_x_m_w_surface_{key}.csv" for key in ("coefficients", "shape", "features")),
    }
    assert done.probes["M x:w"].slopes["value"].tolist() == [-1.0, 1.0] and done.probes["M x:w"].adjust == "fdr"
    assert "16th percentile" in done.probes["M x->y"].effects["label"][0]
    assert done.probes["S m_x:m_w surface"].origin == 3.0
    table = pd.read_csv(done.folder / "probes" / "M_x_to_y_index.csv")
    assert table["est"][0] == pytest.approx(done.probes["M x->y"].index["est"][0])


def test_the_report_shows_them(done: Any) -> None:
    page = done.report.read_text(encoding="utf-8")
    for text in ("Indices of moderated mediation", "Contrasts of effects on", "seen from above the low corner",
                 "Shape of the surface", "first principal axis, slope", "Models with and without their products",
                 "16 integration points for each integrated variable", "Klein &amp; Moosbrugger, 2000",
                 "all pairs of product indicators with residual centring", "Hayes, A. F. (2015)",
                 "interval that keeps the false discovery rate", "index of x -&gt; z -&gt; y by w",
                 "products (LMS) with robust (sandwich) standard errors",
                 "Against the model without products: scaled χ²(1)"):  # fmt: skip
        assert text in page, text
    figures = {path.name for path in (done.folder / "figures").iterdir()}
    assert {"effects-m-x-y.svg", "surface-s-m-x-m-w.svg", "contour-s-m-x-m-w.png"} <= figures
    fit = pd.read_csv(done.folder / "tables" / "fit.csv")
    assert not fit.iloc[:, 0].astype(str).str.startswith("M").any(), "no chi-square of the model, no row"


def test_an_index_is_judged_by_its_own_error(done: Any) -> None:
    fit = done.fits["M"]
    found = done.verdicts["H-1"].parts[0]
    product = evidence(fit, "q*b")
    assert str(found.part.parameter) == "index of x -> z -> y by w"
    assert found.evidence.raw == pytest.approx(product.raw, rel=1e-9)
    assert found.evidence.estimate == pytest.approx(product.estimate, rel=1e-9)
    assert found.evidence.se == pytest.approx(product.se, rel=1e-5)
    assert found.evidence.pvalue == pytest.approx(product.pvalue, rel=1e-4)
    assert done.verdicts["H-1"].verdict == "supported"
    with pytest.raises(sk.SemkitError) as caught:
        evidence(fit, Index(("w", "z", "y"), "z"))
    assert caught.value.code == "probe.moderators"


def test_covariates_of_likelihood_methods_are_counted_from_their_means(done: Any) -> None:
    fit = done.fits["M"]
    assert [fit.variables[name].mean for name in ("x", "w")] == pytest.approx([0.0, 0.0], abs=1e-9)
    slopes = sk.probe(fit, "x", "w", outcome="z").slopes
    row = fit.estimates.set_index("label").loc["a"]
    assert slopes["slope"][1] == pytest.approx(row["est"], rel=1e-6)
    assert slopes["se"][1] == pytest.approx(row["se"], rel=1e-4)
    assert "fitting.product-origin" not in {note.code for note in fit.notes}
    # the same model with the covariate as it is: the same likelihood and product, another zero, and a note
    ready, sets, _ = prepare(done.study, done.cleaned.frame)
    text = run_model(done.study, "M", ready, sets, 0).expansion.text
    plain = sk.sem(text, ready, interaction=sk.LMS(nodes=32), estimator="mlr")
    assert plain.fit_measures["logl"] == pytest.approx(fit.fit_measures["logl"], abs=0.01)
    labelled = plain.estimates.set_index("label")["est"]
    assert labelled["q"] == pytest.approx(fit.estimates.set_index("label")["est"]["q"], abs=1e-4)
    assert labelled["a"] + labelled["q"] * plain.variables["w"].mean == pytest.approx(row["est"], abs=1e-3)
    assert abs(labelled["a"] - row["est"]) > 0.05
    assert "fitting.product-origin" in {note.code for note in plain.notes if note.where == "w"}


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ('interaction = "lms"\n', "", "study.contradiction"),  # nodes without the method
        ('match = "all"', 'match = "all"\ninteraction = "qml"', "study.contradiction"),
        ('interaction = "lms"', 'interaction = "LMS"', "study.unknown-value"),
        ('path = ["x", "z", "y"]', 'path = ["x", "y", "z"]', "study.no-path"),
        ('path = ["x", "z", "y"]', 'path = ["x", "q_", "y"]', "study.unknown-name"),
        ('moderator = "w" }', 'moderator = "x" }', "study.not-moderated"),
        ("delta = 0.05", 'parameter = "a"\ndelta = 0.05', "study.contradiction"),
        ('index = { path = ["x", "z", "y"], moderator = "w" }', "", "study.contradiction"),
        ('focal = "x"\noutcome = "y"', 'focal = "x"', "study.missing-key"),
        ('focal = "w"\nmoderator = "x"', 'focal = "w"', "study.missing-key"),
        ('focal = "w"\nmoderator = "x"', 'focal = "w"\nmoderator = "x"\norigin = 1.0', "study.contradiction"),
        ('focal = "w"\nmoderator = "x"', 'focal = "w"\nmoderator = "v"', "study.unknown-name"),
    ],
)
def test_what_contradicts_itself_is_refused(tmp_path: Path, old: str, new: str, code: str) -> None:
    assert old in STUDY
    path = small.make(tmp_path, study=STUDY.replace(old, new, 1), codes="xwzy", rows=rows(20))
    with pytest.raises(StudyFileError) as caught:
        sk.study.read_study(path)
    assert code in {problem.code for problem in caught.value.problems}


def test_two_moderators_stand_in_panels(tmp_path: Path) -> None:
    study = STUDY.replace("z ~ a*x + d*w + q*x:w + X", "z ~ a*x + d*m_w + q*x:m_w + r*x:X").replace("x:X", "x:age")
    study = study.replace("d*m_w", "d*m_w + age").replace("measure x w z y", "measure x z y")
    study = study.replace("+ e*w", "+ e*m_w")
    start = study.index("[[probes]]")
    study = study[:start] + """
[[probes]]
model = "M"
focal = "x"
moderator = "m_w"
second = "age"
values = [2.0, 4.0]

""" + study[study.index("[[claims]]") :].replace('moderator = "w"', 'moderator = "m_w"')  # fmt: skip
    done = sk.run(small.make(tmp_path, study=study, codes="xwzy", rows=rows(500)))
    found = done.probes["M x:m_w:age"]
    assert sorted(set(found.slopes["value_1"])) == [2.0, 4.0] and len(found.panels) == 3
    page = done.report.read_text(encoding="utf-8")
    assert "Differences of simple slopes" in page and "Dawson &amp; Richter, 2006" in page
