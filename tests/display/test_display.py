"""Late-bound views: nothing is imported until somebody looks, and every record has its view."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "report"))

from markup import read

import semkit as sk
from semkit.display import diagram, html, plot


def test_display_imports_no_drawing_room_at_load() -> None:
    code = (
        "import sys, semkit.display; "
        "assert not {'semkit.report', 'matplotlib', 'jinja2', 'pandas'} & set(sys.modules), sorted(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_notebook_views_do_not_import_matplotlib() -> None:
    code = "import sys; from semkit.display import html; html(object()); assert 'matplotlib' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


class Stranger:
    def __repr__(self) -> str:
        return "<script>alert(1)</script>"


def test_an_unknown_record_is_its_escaped_repr() -> None:
    shown = html(Stranger())
    assert "&lt;script&gt;" in shown and "<script" not in shown


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    rng = np.random.default_rng(5)
    x, w = rng.normal(size=(2, 300))
    y = 0.4 * x + 0.2 * w + 0.3 * x * w + rng.normal(size=300)
    factor = rng.normal(size=300)
    items = {f"i{k}": factor + rng.normal(scale=0.7, size=300) for k in range(1, 5)}
    return pd.DataFrame({"x": x, "w": w, "y": y, **items})


def test_regression_and_probe(frame: pd.DataFrame) -> None:
    result = sk.moderated_regression(frame, "y", "x", "w")
    shown = html(result)
    assert read(shown).faults == [] and "used 300" in shown and "ΔR²" in shown
    assert result._repr_html_() == shown
    found = sk.probe(result, "x", "w")
    view = html(found)
    assert read(view).faults == [] and view.count("<svg") == 2
    assert "<svg" in plot(found, focal_label="Effort").svg and "Effort" in plot(found, focal_label="Effort").svg


def test_hostile_column_names_are_escaped() -> None:
    rng = np.random.default_rng(6)
    x, w = rng.normal(size=(2, 80))
    name = "<img src=x onerror=alert(1)>"
    frame = pd.DataFrame({name: x, "w": w, "y": x + w + rng.normal(size=80)})
    result = sk.moderated_regression(frame, "y", name, "w")
    for shown in (html(result), html(sk.probe(result, name, "w"))):
        assert read(shown).faults == [] and "<img" not in shown


def test_fit_and_its_diagram(frame: pd.DataFrame) -> None:
    fit = sk.sem("f =~ i1 + i2 + i3 + i4\ny ~ b*f + x", frame, estimator="mlr")
    shown = html(fit)
    assert read(shown).faults == []
    assert "received 300, used 300" in shown and "RMSEA" in shown
    drawing = diagram(fit)
    assert drawing.svg.count("<ellipse") == 1 and "by 4" in drawing.description


def test_the_diagram_prints_the_contracts_standardised_value(frame: pd.DataFrame) -> None:
    from semkit.report.reading import standardised_estimates

    fit = sk.sem("f =~ i1 + i2 + i3 + i4\ny ~ b*f + x", frame)
    table = standardised_estimates(fit)
    row = table[table["label"] == "b"].iloc[0]
    assert row["std_all"] == pytest.approx(float(fit.std_est[fit.names.index("b")]))
    assert row["std_se"] == pytest.approx(float(np.sqrt(fit.std_vcov[fit.names.index("b"), fit.names.index("b")])))


def test_instrument() -> None:
    shown = html(sk.load_instrument("government_role"))
    assert read(shown).faults == [] and "gr_fac_1" in shown


def test_verdicts(frame: pd.DataFrame) -> None:
    from semkit.verdict import Claim, Part, judge

    result = sk.moderated_regression(frame, "y", "x", "w")
    name = result.product
    claim = Claim("H-1", {"en": "<b>w strengthens x</b>", "id": "w memperkuat x"}, "explicit", "R-PATH",
                  (Part("H-1.0", "M", name, "+", 0.05, about="x × w"),))  # fmt: skip
    verdicts = judge([claim], {"M": result}, {})
    shown = html(verdicts)
    assert read(shown).faults == [] and "&lt;b&gt;" in shown
    assert "H-1, supported" in shown and "not proof of cause" in shown
