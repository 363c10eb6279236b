"""Exports written by hand after the platforms' documentation (data/SOURCES.md); the same answers in other clothes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import semkit as sk
from semkit.responses.platforms import guess_platform, looks_personal
from semkit.writing import hash_file

DATA = Path(__file__).parent / "data"
NA = np.nan
BOTH = ["kobo_values.csv", "kobo_labels.csv", "google_forms.csv"]
CHOICES = ["supplier", "bank", "shop", "none"]


@pytest.fixture(scope="module")
def form() -> sk.Instrument:
    return sk.load_instrument(DATA / "kiosk.toml")


@pytest.mark.parametrize("name", BOTH)
def test_every_platform_gives_the_same_codes(form: sk.Instrument, name: str) -> None:
    answers = sk.read_responses(DATA / name, form)
    coded = answers.coded
    np.testing.assert_array_equal(coded["tr_1"], [4, 97, NA])
    np.testing.assert_array_equal(coded["tr_2"], [5, 98, NA])
    np.testing.assert_array_equal(coded["tr_3"], [2, NA, NA])
    np.testing.assert_array_equal(coded["tr_att"], [2, 2, NA])
    np.testing.assert_array_equal(coded["n_staff"], [3, 1, NA])
    np.testing.assert_array_equal(
        coded[[f"partners/{code}" for code in CHOICES]], [[1, 1, 0, 0], [0, 0, 0, 1], [NA, NA, NA, NA]]
    )
    assert coded["consent"].tolist() == ["yes", "yes", "no"]
    assert answers.raw.index.tolist() == [2, 3, 4]  # the row in the file: the header is row 1
    assert answers.sha256 == hash_file(DATA / name)


def test_kobo_structure(form: sk.Instrument) -> None:
    answers = sk.read_responses(DATA / "kobo_values.csv", form)
    assert (answers.platform, answers.delimiter, answers.encoding) == ("kobo", ";", "utf-8")
    how = answers.columns.set_index("header")
    assert how.loc["trust/tr_1", ["kind", "target", "how"]].tolist() == ["item", "tr_1", "path"]
    assert how.loc["profile/partners/bank", ["kind", "target", "option"]].tolist() == ["option", "partners", "bank"]
    assert how.loc["respondent_name", "kind"] == "personal"
    assert how.loc["_uuid", "kind"] == "metadata"
    assert answers.quality["duration_s"].tolist() == [250.0, 30.0, 20.0]
    # Kobo writes decimal points, so 7.125 is a number and not seven thousand
    np.testing.assert_array_equal(answers.coded["sales"], [12.5, 7.125, NA])
    assert answers.personal.loc[3, "respondent_name"] == 'Invented "Quoted" Name'


def test_google_structure(form: sk.Instrument) -> None:
    answers = sk.read_responses(DATA / "google_forms.csv", form)
    assert (answers.platform, answers.delimiter) == ("google_forms", ",")
    how = answers.columns.set_index("target")["how"]
    assert how["tr_1"] == "grid" and how["n_staff"] == "label"
    assert answers.columns.set_index("header").loc["Email Address", "kind"] == "personal"


def test_labels_of_the_other_language_only_when_allowed(form: sk.Instrument) -> None:
    assert sk.read_responses(DATA / "kobo_labels.csv", form, lang="id").n == 3
    with pytest.raises(sk.SemkitError) as caught:
        sk.read_responses(DATA / "kobo_labels.csv", form, lang="en")
    assert {problem.code for problem in caught.value.problems} >= {"responses.missing-item"}


@pytest.mark.parametrize("mark", ["/", "-", ":", "."])
def test_group_separators(form: sk.Instrument, mark: str) -> None:
    frame = pd.DataFrame({f"a{mark}b{mark}{item.name}": ["3"] for item in form.items})
    assert sk.read_responses(frame, form).coded["tr_2"].tolist() == [3.0]


def test_choices_in_columns_of_their_own_only(form: sk.Instrument) -> None:
    frame = pd.DataFrame({item.name: ["3", "4"] for item in form.items})
    frame["partners/supplier"], frame["partners/none"] = ["1", ""], ["0", ""]
    coded = sk.read_responses(frame, form).coded
    np.testing.assert_array_equal(coded["partners/supplier"], [1, NA])
    np.testing.assert_array_equal(coded["partners/bank"], [0, NA])


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("delimiter", [";", ",", "\t", "|"])
def test_encodings_and_delimiters(form: sk.Instrument, tmp_path: Path, encoding: str, delimiter: str) -> None:
    header = [item.name for item in form.items] + ["note"]
    text = "\n".join(delimiter.join(row) for row in (header, ["3", "4", "5", "2", "café"])) + "\n"
    path = tmp_path / "answers.csv"
    path.write_bytes(text.encode(encoding))
    answers = sk.read_responses(path, form)
    assert (answers.encoding, answers.delimiter) == (encoding, delimiter)
    assert answers.raw.loc[2, "note"] == "café"
    assert answers.coded.loc[2, "tr_3"] == 5.0


def test_the_header_alone_decides_the_delimiter(form: sk.Instrument, tmp_path: Path) -> None:
    path = tmp_path / "answers.csv"
    path.write_text('tr_1,tr_2,tr_3,tr_att,note\n3,4,5,2,"a;b;c;d;e;f"\n')
    assert sk.read_responses(path, form).delimiter == ","
    path.write_text("tr_1,tr_2,tr_3,tr_att,what; really?\n3,4,5,2,x\n")  # only under "," are names known
    assert sk.read_responses(path, form).delimiter == ","


def test_workbook(form: sk.Instrument, tmp_path: Path) -> None:
    import openpyxl

    book = openpyxl.Workbook()
    book.active.append([*(item.name for item in form.items), "sales", "n_staff"])
    book.active.append([3, 4.0, "Setuju", None, 7.125, 12])
    book.active.append(["Agree", 97, 5, 2, 3, 0])
    book.save(tmp_path / "answers.xlsx")
    coded = sk.read_responses(tmp_path / "answers.xlsx", form).coded
    np.testing.assert_array_equal(coded[["tr_1", "tr_2", "tr_3", "tr_att"]], [[3, 4, 4, NA], [4, 97, 5, 2]])
    np.testing.assert_array_equal(coded["sales"], [7.125, 3])  # a number of the program, so the point is decimal


def test_labels_are_read_whatever_their_case_and_space(form: sk.Instrument) -> None:
    frame = pd.DataFrame({item.name: ["  SANGAT   setuju ", "Tidak\u00a0Setuju", "1.0"] for item in form.items})
    assert sk.read_responses(frame, form).coded["tr_1"].tolist() == [5.0, 2.0, 1.0]


def test_mapping_by_header_and_by_number(form: sk.Instrument) -> None:
    frame = pd.DataFrame([["1", "2", "3", "4", "5"]], columns=["q1", "tr_2", "q1", "tr_att", "other"])
    answers = sk.read_responses(frame, form, mapping={1: "tr_1", 3: "tr_3", "other": None})
    assert answers.coded.loc[2, ["tr_1", "tr_2", "tr_3", "tr_att"]].tolist() == [1.0, 2.0, 3.0, 4.0]
    assert answers.columns.set_index("header")["kind"]["other"] == "set_aside"
    assert list(answers.raw.columns) == ["q1", "tr_2", "q1 (2)", "tr_att", "other"]


def test_declared_missing_codes_are_told_apart_from_empty_cells(form: sk.Instrument) -> None:
    frame = pd.DataFrame({item.name: ["-99", "NA", "", "3"] for item in form.items} | {"n_staff": [-99, 4, None, 2]})
    answers = sk.read_responses(frame, form, missing=(-99, "NA"))
    np.testing.assert_array_equal(answers.coded["tr_1"], [NA, NA, NA, 3])
    np.testing.assert_array_equal(answers.coded["n_staff"], [NA, 4, NA, 2])
    assert answers.declared["tr_1"].tolist() == [True, True, False, False]
    assert answers.raw["tr_1"].tolist() == ["-99", "NA", "", "3"]


def test_frames_with_numbers(form: sk.Instrument) -> None:
    frame = pd.DataFrame({item.name: [1.0, np.nan] for item in form.items} | {"sales": [1.125, 2.0]})
    answers = sk.read_responses(frame, form)
    np.testing.assert_array_equal(answers.coded["tr_1"], [1, NA])
    np.testing.assert_array_equal(answers.coded["sales"], [1.125, 2.0])


def test_the_given_frame_is_not_changed(form: sk.Instrument) -> None:
    frame = pd.DataFrame({item.name: [1, 2] for item in form.items})
    before = frame.copy(deep=True)
    sk.read_responses(frame, form)
    pd.testing.assert_frame_equal(frame, before)


def test_identifiers_that_repeat_are_noted(form: sk.Instrument) -> None:
    frame = pd.DataFrame({item.name: ["1", "2", "3"] for item in form.items} | {"_id": ["7", "8", "7"]})
    notes = {note.code: note for note in sk.read_responses(frame, form).notes}
    assert "rows 2, 4" in notes["responses.repeated-id"].what


def test_a_clock_that_went_backwards(form: sk.Instrument) -> None:
    frame = pd.DataFrame({item.name: ["1"] for item in form.items})
    frame["start"], frame["end"] = "2026-05-31T10:00:00", "2026-05-31T09:00:00"
    answers = sk.read_responses(frame, form)
    assert np.isnan(answers.quality.loc[2, "duration_s"])
    assert "responses.bad-duration" in {note.code for note in answers.notes}


def test_unmatched_columns_and_questions_without_a_column_are_told(form: sk.Instrument) -> None:
    frame = pd.DataFrame({item.name: ["1"] for item in form.items} | {"extra": ["x"]})
    problems = {problem.code: problem for problem in sk.read_responses(frame, form).problems}
    assert '"extra"' in problems["responses.unmatched-column"].where
    assert '"consent", "partners", "n_staff", "sales"' in problems["responses.missing-question"].where


def test_three_forms_with_their_real_questions() -> None:
    forms = [sk.load_instrument(n) for n in ("collaborative_network", "government_role", "marketing_performance")]
    names = [item.name for form in forms for item in form.items]
    frame = pd.DataFrame({name: ["3"] for name in names})
    answers = sk.read_responses(frame, forms)
    assert len([name for name in answers.coded.columns if "/" not in name]) == len(set(names))
    for form in forms:  # no question that is asked looks like a person's data
        assert not [question.name for question in form.questions if question.asked and looks_personal(question.name)]


@pytest.mark.parametrize(
    "header, platform",
    [
        (["start", "_id", "_uuid"], "kobo"),
        (["SubmissionDate", "a", "KEY"], "odk"),
        (["Stempel waktu", "a"], "google_forms"),
        (["a", "Timestamp"], "plain"),
        ([], "plain"),
    ],
)
def test_platform_is_guessed_by_structure(header: list[str], platform: str) -> None:
    assert guess_platform(header) == platform


def test_views_say_that_data_are_invented_and_escape(form: sk.Instrument) -> None:
    frame = pd.DataFrame({item.name: ["1"] for item in form.items} | {"synthetic": ["1"], "<script>x": ["1"]})
    answers = sk.read_responses(frame, form)
    assert answers.synthetic and "SYNTHETIC" in repr(answers)
    assert "<script>" not in answers._repr_html_() and "invented" in answers._repr_html_()
