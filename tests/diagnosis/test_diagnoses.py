"""Each diagnosis is given on its case and on none of 200 healthy fits; the gallery is what the cases say."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2, f_oneway

import semkit as sk
from semkit.fitting.admissibility import boundary_pvalue
from semkit.sample.nesting import intraclass
from tests.diagnosis.cases import CASES, Case, heywood, items, no_maximum, run
from tests.diagnosis.gallery import page
from tests.diagnosis.healthy import COUNT, healthy_fits

DOCS = Path(__file__).resolve().parents[2] / "docs"
HARMLESS = {"sample.listwise", "sample.full-information", "fitting.design"}  # N received and used, design


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.code)
def test_present_on_its_case(case: Case) -> None:
    found = case.found()
    assert found.what and (found.remedy or getattr(found, "severity", "") == "info")
    if isinstance(found, sk.errors.Note):
        fit = case.make()
        if found.severity == "error" and hasattr(fit, "admissible"):
            assert not fit.admissible


def test_absent_on_healthy_fits() -> None:
    wrong, count = [], 0
    for name, fit in healthy_fits():
        count += 1
        wrong += [f"{name}: {note}" for note in fit.notes if note.code not in HARMLESS]
        if not (fit.converged and fit.admissible):
            wrong.append(f"{name}: not admissible")
    assert not wrong, "\n".join(wrong)
    assert count == COUNT


def test_every_code_of_the_gallery_has_one_case() -> None:
    codes = [case.code for case in CASES]
    assert len(codes) == len(set(codes))


def test_the_gallery_is_what_the_cases_say() -> None:
    assert (DOCS / "diagnoses.md").read_text(encoding="utf-8") == page(), "run python docs/make.py diagnoses.md"


def test_names_of_the_places() -> None:
    where = {case.code: case.found().where for case in CASES}
    assert where["fitting.negative-variance"] == "x1 ~~ x1"
    assert where["fitting.latent-correlation"] == "f ~~ g"
    assert where["fitting.residual-correlation"] == "x1 ~~ x2"
    assert where["fitting.not-identified"] == "f =~ x1, f =~ x2, f =~ x3, f ~~ f"
    assert where["fitting.small-group"] == "group Aruk"
    assert "f ~~ f" in where["fitting.not-converged"]
    what = {case.code: case.found().what for case in CASES}
    assert "x2 and x4" in what["sample.duplicate-columns"] and "x2 and x4" in what["sample.perfect-correlation"]
    assert "x1, x2, total" in what["sample.collinear"]


def test_a_solution_that_is_not_there_tells_what_was_tried() -> None:
    fit = no_maximum()
    (note,) = [n for n in fit.notes if n.code == "fitting.not-converged"]
    assert f"{fit.solution.minimum.attempts} starts" in note.what and fit.solution.minimum.attempts >= 5
    assert "goes to 0 while loadings grow" in note.cause


def test_confounded_sets_are_told_apart() -> None:
    """Two factors without scale are two notes, each with its own parameters."""
    fit = sk.cfa("f =~ NA*x1 + x2 + x3 + x4\ng =~ NA*y1 + y2 + y3 + y4\nf ~~ 0*g",
                 items(300, ("x1", "x2", "x3", "x4", "y1", "y2", "y3", "y4")))  # fmt: skip
    notes = [n for n in fit.notes if n.code == "fitting.not-identified"]
    assert [n.where for n in notes] == [
        "f =~ x1, f =~ x2, f =~ x3, f =~ x4, f ~~ f", "g =~ y1, g =~ y2, g =~ y3, g =~ y4, g ~~ g",
    ]  # fmt: skip


def test_the_boundary_test_is_half_a_chi_square() -> None:
    for z in (0.1, 1.0, 2.5):
        assert boundary_pvalue(-z, 1.0) == pytest.approx(0.5 * chi2.sf(z * z, 1), rel=1e-12)
    rng = np.random.default_rng(1)
    z = rng.normal(size=20_000)  # an estimate at the boundary
    p = np.array([boundary_pvalue(v, 1.0) for v in z[:4000]])
    assert abs(np.mean(p < 0.05) - 0.05) < 0.01
    note = next(n for n in run(heywood) if n.code == "fitting.negative-variance")
    fit = heywood()
    at = fit.names.index("x1 ~~ x1")
    se = float(np.sqrt(fit.vcov[at, at]))
    assert f"{fit.est[at] - 1.959964 * se:.4g} to {fit.est[at] + 1.959964 * se:.4g}" in note.what


def test_intraclass_correlation_is_that_of_the_analysis_of_variance() -> None:
    rng = np.random.default_rng(5)
    codes = rng.integers(0, 12, 200)
    y = rng.normal(size=200) + 0.7 * rng.normal(size=12)[codes]
    y[rng.uniform(size=200) < 0.1] = np.nan
    found = intraclass(y[:, None], codes)
    parts = [y[(codes == c) & ~np.isnan(y)] for c in range(12)]
    assert found.pvalue[0] == pytest.approx(f_oneway(*parts).pvalue, rel=1e-10)
    n = np.array([len(part) for part in parts])
    total, grand = n.sum(), np.nanmean(y)
    msb = sum(len(p) * (p.mean() - grand) ** 2 for p in parts) / 11
    msw = sum(((p - p.mean()) ** 2).sum() for p in parts) / (total - 12)
    n0 = (total - (n**2).sum() / total) / 11
    assert found.icc[0] == pytest.approx((msb - msw) / (msb + (n0 - 1) * msw), rel=1e-12)
    assert found.effect[0] == pytest.approx(1 + ((n**2).sum() / total - 1) * found.icc[0], rel=1e-12)


def test_negative_residual_variances_of_ordinal_items() -> None:
    """Under delta the residual variance follows and is negative; under theta there is no such solution."""
    cov = [[1.0, 0.6, 0.6], [0.6, 1.0, 0.2], [0.6, 0.2, 1.0]]  # 0.6 * 0.6 / 0.2 is more than 1
    z = np.random.default_rng(3).multivariate_normal(np.zeros(3), cov, 1500)
    data = pd.DataFrame(np.digitize(z, [-0.6, 0.5]), columns=["x1", "x2", "x3"])
    delta = sk.cfa("f =~ x1 + x2 + x3", data, ordered=True)
    (note,) = [n for n in delta.notes if n.code == "fitting.negative-variance"]
    assert delta.converged and not delta.admissible
    assert note.where == "x1 ~~ x1" and "p < .001" in note.what and "More than chance" in note.cause
    theta = sk.cfa("f =~ x1 + x2 + x3", data, ordered=True, parameterization="theta")
    (note,) = [n for n in theta.notes if n.code == "fitting.not-converged"]
    assert "delta" in note.remedy and not theta.converged


def test_nesting_that_the_errors_know_is_not_ignored() -> None:
    """Cluster-robust errors for the same column: no note."""
    village = np.repeat(np.arange(20), 15)
    data = items(300).add(0.8 * np.random.default_rng(2).normal(size=20)[village], axis=0).assign(village=village)
    model, code = "f =~ x1 + x2 + x3", "sample.ignored-nesting"
    assert code in {note.code for note in sk.cfa(model, data, nesting="village").notes}
    fit = sk.cfa(model, data, nesting="village", design=sk.Design(cluster="village"))
    assert code not in {note.code for note in fit.notes}


def test_nesting_names_a_column_of_the_data() -> None:
    with pytest.raises(sk.errors.SampleError) as caught:
        sk.cfa("f =~ x1 + x2 + x3", items(), nesting="village")
    assert caught.value.code == "sample.missing-column"
    with pytest.raises(sk.errors.OptionError) as refused:
        sk.cfa("f =~ x1 + x2 + x3", moments=sk.Moments(items().cov(), nobs=200), nesting="village")
    assert refused.value.code == "fitting.no-raw-data"


def test_duplicates_are_named_with_missing_values_too() -> None:
    data = items(200).assign(x4=lambda d: d["x2"]).mask(np.random.default_rng(1).uniform(size=(200, 4)) < 0.1)
    codes = [one.code for one in run(lambda: sk.cfa("f =~ x1 + x2 + x3 + x4", data, missing="fiml"))]
    assert codes == ["sample.duplicate-columns"]
