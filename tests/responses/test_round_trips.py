"""Invented respondents -> each platform's export shape -> reader: the identical coded frame, in both languages."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import semkit as sk
from semkit.instrument import export, list_instruments
from tests.responses.shapes import SHAPES, invent, text


def returned(form: sk.Instrument, coded: pd.DataFrame, path: Path) -> None:
    answers = sk.read_responses(path, form, decimal=".")
    back = answers.coded.reset_index(drop=True)
    assert set(back.columns) == set(coded.columns)
    for name in coded:
        if coded[name].dtype == float:
            np.testing.assert_array_equal(back[name].to_numpy(dtype=float), coded[name], err_msg=str(name))
        else:
            assert back[name].fillna("").tolist() == coded[name].fillna("").tolist(), name
    assert not [problem for problem in answers.problems if problem.code == "responses.unmatched-column"]


@pytest.mark.parametrize("lang", ["id", "en"])
@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_gives_the_same_frame(tmp_path: Path, shape: str, lang: str) -> None:
    form = sk.load_instrument("collaborative_network")
    coded = invent(form, 25, 11)
    returned(form, coded, SHAPES[shape](form, coded, lang, tmp_path))


@pytest.mark.parametrize("lang", ["id", "en"])
@pytest.mark.parametrize("name", list_instruments())
@pytest.mark.parametrize("shape", ["kobo values /", "google", "limesurvey codes", "limesurvey full answers",
                                   "qualtrics numbers", "qualtrics text"])  # fmt: skip
def test_every_instrument_comes_back(tmp_path: Path, name: str, shape: str, lang: str) -> None:
    form = sk.load_instrument(name)
    coded = invent(form, 12, 5)
    returned(form, coded, SHAPES[shape](form, coded, lang, tmp_path))


@pytest.mark.parametrize("suffix", [".sav", ".dta", ".csv", ".xlsx"])
def test_every_file_we_write_comes_back(tmp_path: Path, suffix: str) -> None:
    pytest.importorskip("pyreadstat")
    form = sk.load_instrument("export_compliance")
    coded = invent(form, 25, 3)
    answers = sk.read_responses(SHAPES["kobo values /"](form, coded, "id", tmp_path), form)
    for lang in ("id", "en"):
        returned(form, coded, sk.write_responses(answers, tmp_path / f"out{suffix}", lang=lang))


@pytest.mark.parametrize("lang", ["id", "en"])
@pytest.mark.parametrize("name", ["collaborative_network", "export_compliance"])
def test_the_entry_workbook_typed_full_comes_back(tmp_path: Path, name: str, lang: str) -> None:
    """Typed into the very workbook that was exported, by two people, the second with the columns in disorder."""
    import openpyxl

    form = sk.load_instrument(name)
    settings = {"organisation": "U", "topic": "t", "minutes": "10", "contact": "c"}
    path = export(form, "entry-workbook", tmp_path / "entry.xlsx", [lang], settings)
    coded = invent(form, 15, 21)
    book = openpyxl.load_workbook(path)
    sheet = book["entry"]
    header = [str(cell.value) for cell in sheet[1]]
    for row in range(len(coded)):
        cells = {"respondent_id": row + 1, "entered_by": "A"}
        for column in coded:
            value = coded[column].iloc[row]
            known = text(value)
            cells[column] = int(known) if known.lstrip("-").isdigit() else known or None
        sheet.append([cells.get(column) for column in header])
    book.save(path)
    returned(form, coded, path)
    again = sk.read_responses(path, form).raw.assign(entered_by="B")
    found = sk.reconcile(path, again[list(reversed(again.columns))], form)
    assert found.responses is not None and found.compared > 15 * len(form.items)
