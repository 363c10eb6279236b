"""What is written for Mplus and lavaan: complete, within the limits of the language, and nothing a stranger chose."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import semkit as sk
from semkit.fitting.mplus import short_names

ROOT = Path(__file__).parents[1]
GROUPED = (
    "happy =~ satisfaction_one + satisfaction_two + c(a1, a2)*q3\nhappy ~ c(b, b)*z1 + z2\n"
    "d := exp(a1) - a2^2\nr := a1*sd(happy)\na1 + a2 > 0.5"
)


@pytest.fixture(scope="module")
def data() -> pd.DataFrame:
    frame = pd.read_csv(ROOT / "golden" / "data" / "groups.csv")
    return frame.rename(columns={"q1": "satisfaction_one", "q2": "satisfaction_two", "aux1": "on"})


@pytest.fixture(scope="module")
def fit(data: pd.DataFrame) -> Any:
    return sk.sem(GROUPED, data, group="g", missing="fiml", estimator="mlr")


def test_names_are_short_different_and_no_words_of_the_language() -> None:
    names = ["satisfaction_1", "satisfaction_2", "SATISFAC", "on", "With", "1st", "kepuasan pelanggan", "é", "_", "new",
             *(f"indicator_{k}" for k in range(120))]  # fmt: skip
    short = short_names(names)
    assert all(re.fullmatch(r"[A-Za-z][A-Za-z0-9_]{0,7}", value) for value in short.values())
    assert len({value.lower() for value in short.values()}) == len(names)
    assert not {"on", "with", "new"} & {value.lower() for value in short.values()}


def test_the_input_says_every_parameter_in_every_group(fit: Any, tmp_path: Path) -> None:
    script, table = fit.to_mplus(tmp_path / "analysis")
    text = script.read_text(encoding="ascii")
    assert max(map(len, text.splitlines())) <= 90
    for line in ("ESTIMATOR = MLR;", "INFORMATION = OBSERVED;", "MODEL = NOCOVARIANCES;",
                 "GROUPING = group (1=g1 2=g2);", "! satisfa2: satisfaction_two",
                 "! not written: r (sd or std)", 'FILE = "analysis.dat";'):  # fmt: skip
        assert line in text, line
    one, two = (part.split("MODEL")[0] for part in text.split("MODEL g1:")[1].split("MODEL g2:"))
    for part in (one, two):
        assert "happy BY satisfac@1;" in part and "happy BY satisfa2*;" in part and "[happy@0];" in part
        assert "happy ON z1* (p2);" in part and "satisfac*;" in part and "[satisfac*];" in part
    labels = [re.search(r"happy BY q3\* \((p\d+)\);", part) for part in (one, two)]
    assert labels[0] and labels[1] and labels[0][1] != labels[1][1]
    constraint = text.split("MODEL CONSTRAINT:")[1]
    assert "NEW(d);" in constraint
    assert f"d = (EXP({labels[0][1]})-({labels[1][1]}**2));" in constraint
    assert f"(({labels[0][1]}+{labels[1][1]})-0.5) > 0;" in constraint
    assert "z1*;" not in one and "[z1*];" not in one  # fixed covariates are conditioned upon
    # as many statements with a star as the model has free rows
    assert len(re.findall(r"\*", one + two)) == fit.table.n_free
    values = np.loadtxt(table)
    assert values.shape == (fit.nobs, 6) and set(values[:, -1]) == {1.0, 2.0}
    read = np.where(values[:, :-1] == -9999.0, np.nan, values[:, :-1])
    np.testing.assert_array_equal(read, np.concatenate(fit.solution.data))


def test_models_of_other_kinds_are_written(data: pd.DataFrame, tmp_path: Path) -> None:
    text = "f =~ q3 + a*q4 + q5\nph =~ 0\nph ~~ 0*ph\nph ~ 2*f\nz1 ~ ph + start(0.3)*z2\nf ~~ lower(0.1)*f"
    script, _ = sk.sem(text, data, estimator="ml").to_mplus(tmp_path / "a")
    found = script.read_text(encoding="ascii")
    for line in ("ph BY;", "ph@0;", "ph ON f@2;", "z1 ON z2*0.3;", "MODEL = NOCOVARIANCES NOMEANSTRUCTURE;"):
        assert line in found, line
    bound = re.search(r"\n  f\* \((p\d+)\);", found)
    assert bound and f"{bound[1]} > 0.1;" in found
    growth = sk.growth("i =~ 1*q3 + 1*q4 + 1*q5\ns =~ 0*q3 + 1*q4 + 2*q5", data)
    found = growth.to_mplus(tmp_path / "b")[0].read_text(encoding="ascii")
    assert "[i*];" in found and "[q3@0];" in found and "s BY q5@2;" in found


def test_nothing_a_stranger_wrote_reaches_the_file(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    bad = ["x;STOP", "y! shell", 'z"\nOUTPUT: TECH1', "w$(rm)"]
    names = dict(zip(["a", "b", "c", "d"], bad, strict=True))
    data = pd.DataFrame(rng.normal(size=(80, 1)) + rng.normal(size=(80, 4)), columns=list("abcd"))
    fit = sk.cfa("f =~ a + b + c + d", data.assign(g=np.repeat(["one;\nMODEL:", "two"], 40)), group="g")
    table = fit.table
    swap = {**names, "f": "f"}
    ov = tuple(swap[name] for name in table.variables.ov)
    renamed = table.replace(
        lhs=tuple(swap.get(v, v) for v in table.lhs), rhs=tuple(swap.get(v, v) for v in table.rhs),
        variables=replace(table.variables, ov=ov),
    )
    hostile = replace(fit, solution=replace(fit.solution, table=renamed))
    script, _ = hostile.to_mplus(tmp_path / "h")
    body = [line for line in script.read_text(encoding="ascii").splitlines() if not line.startswith("!")]
    assert not any(word in line for line in body for word in (";STOP", "shell;", "!", "TECH1", "$", "one;"))
    statement = re.compile(r"  (\[?[A-Za-z]\w{0,7}( (BY|ON|WITH) [A-Za-z]\w{0,7})?(\*|@[0-9.]+)\]?( \(p\d+\))?);")
    model = "\n".join(body).split("MODEL:\n")[1].split("OUTPUT")[0].splitlines()
    assert all(statement.fullmatch(line) or re.fullmatch(r"MODEL g[12]:", line) for line in model)
    assert sum(line.startswith("OUTPUT") for line in body) == 1


def test_what_cannot_be_written_is_refused(data: pd.DataFrame, tmp_path: Path) -> None:
    plain = "f =~ q3 + a*q4 + b*q5"
    two = sk.cfa(plain, data, missing="two.stage")
    refused = [
        (sk.cfa(plain + "\nm := max(a, b)", data), "to_mplus", "no such function"),
        (two, "to_mplus", "no two stages"),
        (sk.cfa(plain, data, likelihood="wishart"), "to_mplus", "divides by N"),
        (sk.cfa(plain + "\nsd(f) == 1", data), "to_lavaan", r"sd\(\)"),
        (sk.sem("c <~ q3 + q4\nq5 ~ c", data), "to_lavaan", "composites"),
        (sk.cfa(plain, data, missing="two.stage", auxiliary="z1"), "to_lavaan", "first stage"),
    ]
    for fit, method, message in refused:
        with pytest.raises(sk.SemkitError, match=message):
            getattr(fit, method)(tmp_path / "x")
    with pytest.raises(sk.SemkitError, match="not plain"):
        sk.cfa(plain, data).to_mplus(tmp_path / "a;b.inp")
    text = two.to_lavaan(tmp_path / "two")[0].read_text(encoding="utf-8")
    assert 'missing = "two.stage"' in text and 'se = "two.stage"' in text and "information" not in text
