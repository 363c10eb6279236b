"""The second engine: it agrees, it can disagree, it is refused where it is not right, it sees no stranger's name."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import semkit as sk
from semkit.errors import NotSupportedError, OptionError
from semkit.fitting import crosscheck as second

pytest.importorskip("semopy")
DATA = Path(__file__).parents[1] / "reference" / "data"
CFA = "visual =~ x1 + x2 + x3\ntextual =~ x4 + x5 + x6\nspeed =~ x7 + x8 + x9"
POLITICS = """
ind60 =~ x1 + x2 + x3
dem60 =~ y1 + a*y2 + b*y3 + c*y4
dem65 =~ y5 + a*y6 + b*y7 + c*y8
dem60 ~ p*ind60
dem65 ~ q*ind60 + r*dem60
y1 ~~ y5
y2 ~~ y4 + y6
y3 ~~ y7
y4 ~~ y8
y6 ~~ y8
ind := p*r
"""


@pytest.fixture(scope="module")
def children() -> pd.DataFrame:
    return pd.read_csv(DATA / "HolzingerSwineford1939.csv")


@pytest.mark.parametrize("options", [{}, {"std_lv": True}, {"estimator": "mlr"}, {"orthogonal": True}])
def test_agreement_on_a_factor_model(children: pd.DataFrame, options: dict[str, object]) -> None:
    found = sk.cfa(CFA, children, **options).crosscheck()
    assert found.agrees and found.engine == "semopy" and found.largest < 1e-4
    assert found.compared == len(found.table) == (18 if "orthogonal" in options else 21)
    assert list(found.table) == ["name", "est", "other", "difference_se"]
    assert "agree" in repr(found)


def test_agreement_with_labels_and_definitions() -> None:
    fit = sk.sem(POLITICS, pd.read_csv(DATA / "PoliticalDemocracy.csv"))
    found = fit.crosscheck("semopy")
    assert found.agrees and tuple(found.table["name"]) == fit.names
    assert found.table["name"].iloc[-1] == "ind"


def test_agreement_on_paths_and_products() -> None:
    path = pd.read_csv(DATA / "path_sim.csv")
    assert sk.sem("M1 ~ X + W + X:W\nY ~ M1 + X", path).crosscheck().agrees
    latent = "X =~ x1 + x2 + x3\nY =~ y1 + y2 + y3\nX + X:z1 ~ z1 + z2\nX ~~ X:z1\nY ~ X + z1 + z2 + X:z1"
    fit = sk.sem(latent, pd.read_csv(DATA / "lms_simple.csv"))
    assert fit.crosscheck().agrees


def test_agreement_on_moments(children: pd.DataFrame) -> None:
    cov = children[[f"x{i}" for i in range(1, 10)]].cov()
    assert sk.cfa(CFA, moments=sk.Moments(cov, nobs=301)).crosscheck().agrees


def test_it_disagrees_when_one_loading_is_altered(children: pd.DataFrame) -> None:
    fit = sk.cfa(CFA, children)
    at = fit.names.index("textual =~ x5")
    x = fit.solution.minimum.x.copy()
    x[0, at] += 0.05 * float(np.sqrt(fit.vcov[at, at]))
    altered = sk.cfa(CFA, children)
    altered = replace(altered, solution=replace(fit.solution, minimum=replace(fit.solution.minimum, x=x)))
    found = altered.crosscheck()
    assert not found.agrees and "DISAGREE" in repr(found)
    worst = found.table.loc[found.table["difference_se"].abs().idxmax(), "name"]
    assert worst == "textual =~ x5" and 0.03 < found.largest < 0.07


def test_it_disagrees_when_the_other_engine_has_another_model(children: pd.DataFrame) -> None:
    fit = sk.cfa(CFA, children)
    text, variables = second.print_semopy(fit.table, fit._all["raw"].value[0])
    other = text.replace("v10 =~ 1*v1\n", "v10 =~ 1*v1\nv10 =~ 0.3*v9\n")
    assert other != text
    numbers, version = second.run_semopy(other, *second._moments(fit, variables))
    assert not second.compare(fit, numbers, "semopy", version, second.TOLERANCE, other).agrees


def test_other_names_never_reach_the_other_engine(children: pd.DataFrame) -> None:
    hostile = {"x1": "CONSTRAINT", "x2": "DEFINE", "x3": "START"}
    frame = children.rename(columns=hostile)
    text = CFA.replace("x1", "CONSTRAINT").replace("x2", "BOUND*DEFINE").replace("x3", "__import__*START")
    found = sk.cfa(text, frame).crosscheck()
    assert found.agrees
    for line in found.text.splitlines():
        lhs, operator, term = line.split(" ")
        weight, rhs = term.split("*")
        assert lhs[0] == rhs[0] == "v" and lhs[1:].isdigit() and rhs[1:].isdigit() and operator in ("=~", "~", "~~")
        assert (weight[0] == "q" and weight[1:].isdigit()) or float(weight) == float(weight)


COMPOSITE = "visual =~ x1 + x2 + x3\nw =~ 1*x4\nx4 ~~ 0.3*x4\nspeed =~ x7 + x8 + x9\nspeed ~ visual + w + visual:w"
CONTROLS = "\nvisual + w + visual:w ~ ageyr + sex\nvisual ~~ w + visual:w\nw ~~ visual:w\nspeed ~ ageyr + sex"


@pytest.mark.parametrize("text", [COMPOSITE, COMPOSITE + CONTROLS, COMPOSITE.replace("x2", "0.6*x2")])
def test_constrained_residual_covariances_are_confirmed_by_phantom_variables(children: pd.DataFrame, text: str) -> None:
    fit = sk.sem(text, children)
    assert len(fit.table.equalities) == 3
    found = fit.crosscheck()
    assert found.agrees and found.largest < 1e-4 and found.compared == len(fit.names)
    # without the phantom the other engine has another model, and says so
    values = fit._all["raw"].value[0]
    bare = second.print_semopy(fit.table, values)[0].splitlines()
    count = len(fit.table.variables.ov) + len(fit.table.variables.lv)
    kept = [line for line in bare if max(map(int, re.findall(r"v(\d+)", line))) <= count]
    _, variables = second.print_semopy(fit.table, values)
    numbers, version = second.run_semopy("\n".join(kept), *second._moments(fit, variables))
    assert len(kept) < len(bare)
    assert not second.compare(fit, numbers, "semopy", version, second.TOLERANCE, "").agrees


def test_constraints_that_phantoms_cannot_say_are_refused(children: pd.DataFrame) -> None:
    single = "a =~ 1*x1\nx1 ~~ 0.2*x1\nw =~ 1*x4\nx4 ~~ 0.3*x4\nspeed =~ x7 + x8 + x9\nspeed ~ a + w + a:w"
    mediated = COMPOSITE + "\nm =~ x5 + x6\nvisual ~ m"
    for text in (single, mediated):
        with pytest.raises(NotSupportedError) as caught:
            sk.sem(text, children).crosscheck()
        assert any("non-linear constraint" in problem.what for problem in caught.value.problems)


@pytest.mark.parametrize(
    ("text", "options", "reason"),
    [
        (CFA, {"meanstructure": True}, "mean structure"),
        (CFA, {"group": "school"}, "several groups"),
        (CFA, {"likelihood": "wishart"}, "divisor N"),
        (CFA.replace("x2", "a*x2").replace("x5", "b*x5") + "\na == b^2", {}, "non-linear constraint"),
        (CFA.replace("x2", "a*x2") + "\na > 0.1", {}, "constraint"),
        (CFA.replace("x2", "lower(0)*x2"), {}, "bounds"),
    ],
)
def test_refusals_say_why(children: pd.DataFrame, text: str, options: dict[str, object], reason: str) -> None:
    with pytest.raises(NotSupportedError) as caught:
        sk.cfa(text, children, **options).crosscheck()
    assert caught.value.code == "fitting.crosscheck-refused"
    assert any(reason in problem.what for problem in caught.value.problems)


def test_unknown_engine(children: pd.DataFrame) -> None:
    with pytest.raises(OptionError) as caught:
        sk.cfa(CFA, children).crosscheck("lisrel")
    assert caught.value.code == "fitting.unknown-engine"
