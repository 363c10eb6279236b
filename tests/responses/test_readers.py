"""LimeSurvey, Qualtrics, SPSS, Stata and plain tables: the same three invented interviews in each one's clothes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import semkit as sk
from semkit.errors import Problem
from semkit.responses import Responses

DATA = Path(__file__).parent / "data"
NA = np.nan
CHOICES = ["supplier", "bank", "shop", "none"]
FILES = {
    "kobo_values.csv": "kobo",
    "kobo_labels.csv": "kobo",
    "odk_briefcase.csv": "odk",
    "odk_central.csv": "odk",
    "limesurvey_codes.csv": "limesurvey",
    "limesurvey_answers.csv": "limesurvey",
    "limesurvey_codes_and_text.csv": "limesurvey",
    "qualtrics_numeric.csv": "qualtrics",
    "qualtrics_text.csv": "qualtrics",
}


@pytest.fixture(scope="module")
def form() -> sk.Instrument:
    return sk.load_instrument(DATA / "kiosk.toml")


def expect_the_three(answers: Responses) -> None:
    coded = answers.coded
    np.testing.assert_array_equal(coded["tr_1"], [4, 97, NA])
    np.testing.assert_array_equal(coded["tr_2"], [5, 98, NA])
    np.testing.assert_array_equal(coded["tr_3"], [2, NA, NA])
    np.testing.assert_array_equal(coded["tr_att"], [2, 2, NA])
    np.testing.assert_array_equal(coded["n_staff"], [3, 1, NA])
    np.testing.assert_array_equal(coded["sales"], [12.5, 7.125, NA])
    ticks = coded[[f"partners/{code}" for code in CHOICES]].to_numpy()
    np.testing.assert_array_equal(ticks, [[1, 1, 0, 0], [0, 0, 0, 1], [NA, NA, NA, NA]])
    assert coded["consent"].tolist() == ["yes", "yes", "no"]


@pytest.mark.parametrize(("name", "platform"), FILES.items())
def test_every_platform_gives_the_same_codes(form: sk.Instrument, name: str, platform: str) -> None:
    # in Qualtrics a number is a text somebody typed, so the decimal sign must be said
    answers = sk.read_responses(DATA / name, form, decimal="." if platform == "qualtrics" else None)
    expect_the_three(answers)
    assert answers.platform == platform
    assert not [problem for problem in answers.problems if problem.code == "responses.unmatched-column"]


@pytest.mark.parametrize(
    ("name", "sales"), [("google_forms.csv", [12.5, 7.0, NA]), ("google_forms_id.csv", [12.5, 7.125, NA])]
)
def test_google_forms_in_both_languages(form: sk.Instrument, name: str, sales: list[float]) -> None:
    answers = sk.read_responses(DATA / name, form, decimal="," if name.endswith("_id.csv") else None)
    assert answers.platform == "google_forms"
    np.testing.assert_array_equal(answers.coded["sales"], sales)
    np.testing.assert_array_equal(answers.coded["tr_2"], [5, 98, NA])
    assert answers.coded["partners/bank"].tolist()[:2] == [1, 0]


def test_odk_submitter_and_device_are_kept_apart(form: sk.Instrument) -> None:
    answers = sk.read_responses(DATA / "odk_central.csv", form)
    assert {"SubmitterName", "DeviceID"} <= set(answers.personal.columns)
    assert "KEY" in answers.raw and answers.quality["form_version"].tolist() == ["1.0"] * 3


def test_a_mapping_file_explains_a_plain_table(form: sk.Instrument) -> None:
    answers = sk.read_responses(DATA / "plain.csv", form, mapping=DATA / "plain_mapping.csv", decimal=".")
    expect_the_three(answers)
    assert answers.columns.set_index("header").loc["remark", "kind"] == "set_aside"


def test_a_plain_table_in_indonesian(form: sk.Instrument) -> None:
    """Semicolons, decimal commas, answers in words; consent in words of the team's own."""
    mapping = DATA / "plain_id_mapping.csv"
    answers = sk.read_responses(DATA / "plain_id.csv", form, mapping=mapping, decimal=",", missing=["-"])
    expect_the_three(answers)
    assert bool(answers.declared["tr_3"].tolist()[1]) and answers.platform == "plain"


def test_the_same_paper_forms_typed_twice(form: sk.Instrument) -> None:
    """The second typist took the forms in another order and slipped twice."""
    first = sk.read_responses(DATA / "entry_first.csv", form, decimal=".")
    assert first.platform == "entry"
    expect_the_three(first)
    found = sk.reconcile(DATA / "entry_first.csv", DATA / "entry_second.csv", form, decimal=".")
    assert found.responses is None
    assert found.differences[["respondent_id", "column"]].to_numpy().tolist() == [["1", "tr_2"], ["2", "sales"]]


def test_numbers_with_three_decimals_typed_into_a_workbook_twice(form: sk.Instrument, tmp_path: Path) -> None:
    """7.125 is a number there: it is not taken for seven thousand when the agreed entry is put together."""
    openpyxl = pytest.importorskip("openpyxl")
    table = pd.read_csv(DATA / "entry_first.csv")
    both = pd.concat([table, table.assign(entered_by="B")])
    table.to_excel(tmp_path / "a.xlsx", sheet_name="entry", index=False)
    both.to_excel(tmp_path / "both.xlsx", sheet_name="entry", index=False)
    assert openpyxl.load_workbook(tmp_path / "a.xlsx")["entry"]["O3"].value == 7.125
    two = sk.reconcile(tmp_path / "a.xlsx", tmp_path / "a.xlsx", form)
    one = sk.reconcile(tmp_path / "both.xlsx", None, form)
    for found in (one, two):
        assert found.responses is not None
        expect_the_three(found.responses)


def test_qualtrics_rows_are_numbered_as_in_the_file(form: sk.Instrument) -> None:
    answers = sk.read_responses(DATA / "qualtrics_numeric.csv", form, decimal=".")
    assert answers.raw.index.tolist() == [4, 5, 6]
    assert answers.quality["duration_s"].tolist() == [250, 30, 20] and answers.quality["lang"].tolist() == ["en"] * 3
    assert {"IPAddress", "LocationLatitude"} <= set(answers.personal.columns)
    assert bool(answers.declared.loc[5, "tr_3"])  # -99: seen, not answered


def test_limesurvey_metadata(form: sk.Instrument) -> None:
    answers = sk.read_responses(DATA / "limesurvey_codes.csv", form, decimal=".")
    assert answers.quality["duration_s"].tolist() == [250, 30, 20]
    assert answers.quality["start"].notna().all() and answers.quality["end"].isna().tolist() == [False, False, True]
    assert "ipaddr" in answers.personal and "ipaddr" not in answers.raw


def test_short_codes_count_on_their_platforms_only(form: sk.Instrument) -> None:
    frame = pd.DataFrame({"consent": ["1"], "tr1": ["4"]} | {item.name: ["3"] for item in form.items[1:]})
    with pytest.raises(sk.SemkitError) as caught:
        sk.read_responses(frame, form)
    assert {problem.code for problem in caught.value.problems} >= {"responses.missing-item", "responses.unknown-option"}


def _spss(path: Path, codes: dict[float, str], consent: list[object], labels: dict[str, dict[object, str]]) -> Path:
    pyreadstat = pytest.importorskip("pyreadstat")
    frame = pd.DataFrame(
        {
            "tr_1": [4.0, 97.0, NA],
            "tr_2": [5.0, 98.0, NA],
            "tr_3": [2.0, -9.0, NA],
            "tr_att": [2.0, 2.0, NA],
            "Q5": [3.0, 1.0, NA],
            "sales": [12.5, 7.125, NA],
            "consent": consent,
            **{f"partners.{code}": [float(a), float(b), NA] for code, a, b in zip(CHOICES, (1, 1, 0, 0), (0, 0, 0, 1))},
        }
    )
    words = ["", "", "", "", "How many workers do you have?", "", "", "", "", "", ""]
    write = pyreadstat.write_sav
    missing = {"missing_ranges": {"tr_1": [97.0, 98.0], "tr_3": [{"lo": -99.0, "hi": -1.0}]}}
    known = {"tr_1": codes, "tr_2": codes, **labels}
    write(frame, str(path), column_labels=words, variable_value_labels=known, **missing)
    return path


ENGLISH = {1.0: "Strongly disagree", 4.0: "Agree", 5.0: "Strongly agree", 97.0: "not applicable", 98.0: "don't know"}
INDONESIAN = {4.0: "Setuju", 5.0: "Sangat setuju", 97.0: "tidak berlaku", 98.0: "tidak tahu"}


@pytest.mark.parametrize("codes", [ENGLISH, INDONESIAN])
def test_spss_value_labels_and_user_missing(form: sk.Instrument, tmp_path: Path, codes: dict[float, str]) -> None:
    words = {"consent": {1.0: "ya", 2.0: "tidak"}}
    answers = sk.read_responses(_spss(tmp_path / "a.sav", codes, [1.0, 1.0, 2.0], words), form)
    expect_the_three(answers)
    assert answers.platform == "spss" and answers.raw.index.tolist() == [1, 2, 3]
    assert bool(answers.declared.loc[2, "tr_3"]) and not answers.declared.loc[3, "tr_3"]  # -9 is not an empty cell
    assert answers.coded.loc[2, "tr_1"] == 97.0 and not answers.declared.loc[2, "tr_1"]
    assert answers.columns.set_index("header").loc["Q5", "how"] == "label"


def test_spss_labels_speak_against_other_numbers(form: sk.Instrument, tmp_path: Path) -> None:
    """A file that codes agreement from 5 down to 1: its labels say so, and they decide."""
    mirrored = {4.0: "Disagree", 5.0: "Strongly disagree", 97.0: "not applicable", 98.0: "don't know"}
    path = _spss(tmp_path / "a.sav", mirrored, ["yes", "yes", "no"], {})
    coded = sk.read_responses(path, form).coded
    assert coded["tr_1"].tolist()[0] == 2.0 and coded["tr_2"].tolist()[0] == 1.0


def test_stata_letters_are_missing_and_labels_speak(form: sk.Instrument, tmp_path: Path) -> None:
    pyreadstat = pytest.importorskip("pyreadstat")
    frame = pd.DataFrame(
        {
            "tr_1": pd.Series([4.0, "a", NA], dtype=object),
            "tr_2": [5.0, 98.0, NA],
            "tr_3": pd.Series([2.0, "z", NA], dtype=object),
            "tr_att": [2.0, 2.0, NA],
            "n_staff": [3.0, 1.0, NA],
            "sales": [12.5, 7.125, NA],
            "consent": ["yes", "ya", "no"],
            **{f"partners_{code}": [float(a), float(b), NA] for code, a, b in zip(CHOICES, (1, 1, 0, 0), (0, 0, 0, 1))},
        }
    )
    path = tmp_path / "a.dta"
    pyreadstat.write_dta(frame, str(path), variable_value_labels={"tr_1": {4: "Setuju", "a": "tidak berlaku"}},
                         missing_user_values={"tr_1": ["a"], "tr_3": ["z"]}, version=15)  # fmt: skip
    answers = sk.read_responses(path, form)
    expect_the_three(answers)
    assert answers.platform == "stata" and bool(answers.declared.loc[2, "tr_3"])


def test_a_second_stata_file_with_numbers_only(form: sk.Instrument, tmp_path: Path) -> None:
    codes = {4: "Agree", 5: "Strongly agree", 97: "not applicable", 98: "don't know"}
    path = tmp_path / "b.dta"
    frame = {"tr_1": [4, 97], "tr_2": [5, 98], "tr_3": [2, 3], "tr_att": [2, 2], "consent": [1, 2]}
    pyreadstat = pytest.importorskip("pyreadstat")
    labels = {"tr_1": codes, "tr_2": codes, "consent": {1: "yes", 2: "no"}}
    pyreadstat.write_dta(pd.DataFrame(frame), str(path), variable_value_labels=labels, version=13)
    coded = sk.read_responses(path, form).coded
    assert coded["tr_1"].tolist() == [4, 97] and coded["consent"].tolist() == ["yes", "no"]


def test_statistics_files_that_are_none(form: sk.Instrument, tmp_path: Path) -> None:
    pytest.importorskip("pyreadstat")
    for name in ("x.sav", "x.dta"):
        (tmp_path / name).write_bytes(b"$FL2 not really a file")
        with pytest.raises(sk.SemkitError) as caught:
            sk.read_responses(tmp_path / name, form)
        assert caught.value.problems[0].code == "responses.not-labelled"


def test_an_unlabelled_choice_number_is_not_guessed(form: sk.Instrument, tmp_path: Path) -> None:
    path = _spss(tmp_path / "a.sav", ENGLISH, [1.0, 1.0, 2.0], {})
    with pytest.raises(sk.SemkitError) as caught:
        sk.read_responses(path, form)
    assert [problem.code for problem in caught.value.problems] == ["responses.unknown-option"]


# --- mapping files ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    ["a,b\nx,y\n", "column,name,value,code\nB1,tr_1,,\nB1,tr_2,,\n,tr_3,,\n", "column,name,value,code\nB1,tr_1,,3\n"],
)
def test_broken_mapping_files(form: sk.Instrument, tmp_path: Path, text: str) -> None:
    (tmp_path / "m.csv").write_text(text)
    with pytest.raises(sk.SemkitError) as caught:
        sk.read_responses(DATA / "plain.csv", form, mapping=tmp_path / "m.csv")
    assert {problem.code for problem in caught.value.problems} == {"responses.bad-mapping"}


# --- stacking ---------------------------------------------------------------------------------------------------------


def codes(caught: pytest.ExceptionInfo[sk.SemkitError]) -> set[str]:
    return {problem.code for problem in caught.value.problems}


def test_files_of_one_wave_are_stacked(form: sk.Instrument) -> None:
    one = sk.read_responses(DATA / "kobo_values.csv", form)
    two = sk.read_responses(DATA / "google_forms.csv", form)
    both = sk.stack_responses([one, two])
    assert both.n == 6 and both.raw.index.tolist() == [1, 2, 3, 4, 5, 6]
    assert both.coded["tr_1"].tolist()[3] == 4 and both.origin is not None
    assert both.origin.loc[4].tolist() == ["google_forms.csv", 2]
    assert both.text_of("sales").tolist()[:2] == ["12.5", "7.125"]  # type: ignore[union-attr]
    assert {"respondent_name", "Email Address"} <= set(both.personal.columns)


def test_what_does_not_belong_together_is_refused(form: sk.Instrument) -> None:
    items = {item.name: ["3"] for item in form.items}
    old = sk.read_responses(pd.DataFrame(items | {"form_version": ["1.0"]}), form)
    new = sk.read_responses(pd.DataFrame(items | {"form_version": ["1.1"]}), form)
    invented = sk.read_responses(pd.DataFrame(items | {"synthetic": ["1"]}), form)
    for parts, code in (
        ([], "responses.nothing-to-stack"),
        ([old, new], "responses.different-versions"),
        ([old, old], "responses.same-file"),
        ([old, invented], "responses.synthetic-marker"),
        ([old, sk.read_responses(pd.DataFrame(items), replace(form, version="2.0"))], "responses.different-forms"),
    ):
        with pytest.raises(sk.SemkitError) as caught:
            sk.stack_responses(parts)
        assert code in codes(caught)
    assert sk.stack_responses([old, new], several_versions=True).n == 2


# --- entered twice ----------------------------------------------------------------------------------------------------


def entries(form: sk.Instrument) -> tuple[pd.DataFrame, pd.DataFrame]:
    one = pd.DataFrame({"respondent_id": ["1", "2"], "entered_by": ["A", "A"], "consent": ["yes", "yes"]})
    for item in form.items:
        one[item.name] = ["3", "4"]
    return one, one.assign(entered_by="B")


def test_two_entries_that_agree(form: sk.Instrument) -> None:
    one, two = entries(form)
    two["tr_1"] = ["3.0", "4"]  # the same answer
    found = sk.reconcile(one, two, form)
    assert not len(found.differences) and found.responses is not None and found.responses.n == 2
    together = sk.reconcile(pd.concat([one, two]), None, form)
    assert together.responses is not None and together.compared == found.compared


def test_two_entries_that_differ_and_are_decided(form: sk.Instrument, tmp_path: Path) -> None:
    one, two = entries(form)
    two.loc[1, "tr_2"], two.loc[0, "tr_3"] = "5", ""
    found = sk.reconcile(one, two, form)
    told = found.differences[["respondent_id", "column", "first", "second", "row_first"]].to_numpy().tolist()
    assert told == [["1", "tr_3", "3", "", 2], ["2", "tr_2", "4", "5", 3]]
    assert found.responses is None and "2 differ" in repr(found)
    path = found.write(tmp_path / "differences.csv")
    assert sk.reconcile(one, two, form, decisions=path).responses is None  # nothing is guessed
    table = pd.read_csv(path, dtype=str)
    table["decision"] = ["3", "5"]
    table.to_csv(path, index=False)
    final = sk.reconcile(one, two, form, decisions=path).responses
    assert final is not None and final.coded["tr_2"].tolist() == [3, 5] and final.coded["tr_3"].tolist() == [3, 4]


def test_entries_that_cannot_be_compared(form: sk.Instrument, tmp_path: Path) -> None:
    one, two = entries(form)
    found = sk.reconcile(one, two.iloc[:1], form)
    assert found.only_first == ("2",) and found.responses is None
    path = tmp_path / "d.csv"
    path.write_text("respondent_id,column,decision\n1,tr_1,3\n")
    for a, b, more in (
        (one.assign(respondent_id="1"), two, {}),
        (one.assign(respondent_id=""), two, {}),
        (one.drop(columns="respondent_id"), two, {}),
        (one, None, {}),
        (one, two, {"decisions": path}),
    ):
        with pytest.raises(sk.SemkitError) as caught:
            sk.reconcile(a, b, form, **more)  # type: ignore[arg-type]
        assert codes(caught) == {"responses.bad-entry"}


def test_the_entry_workbook_comes_back(tmp_path: Path) -> None:
    import openpyxl

    form = sk.load_instrument(DATA / "kiosk.toml")
    from semkit.instrument import export

    path = export(form, "entry-workbook", tmp_path / "entry.xlsx")
    book = openpyxl.load_workbook(path)
    header = [cell.value for cell in book["entry"][1]]
    given = {"respondent_id": "7", "entered_by": "A", "mode": "self", "consent": "yes", "tr_1": 4, "tr_2": 5, "tr_3": 2,
             "tr_att": 2, "n_staff": 3, "sales": 12.5, "partners/supplier": 1, "partners/bank": 0}  # fmt: skip
    book["entry"].append([given.get(str(name)) for name in header])
    book.save(path)
    answers = sk.read_responses(path, form)
    assert answers.platform == "entry" and answers.coded["tr_1"].tolist() == [4]
    assert answers.coded[[f"partners/{code}" for code in CHOICES]].to_numpy().tolist() == [[1, 0, 0, 0]]
    found = sk.reconcile(path, path, form)
    assert found.responses is not None and not found.only_first


# --- written out ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", [".csv", ".xlsx", ".sav", ".dta"])
@pytest.mark.parametrize("lang", ["id", "en"])
@pytest.mark.parametrize("cells", ["codes", "labels"])
def test_written_answers_come_back(form: sk.Instrument, tmp_path: Path, suffix: str, lang: str, cells: str) -> None:
    if suffix in (".sav", ".dta"):
        pytest.importorskip("pyreadstat")
    answers = sk.read_responses(DATA / "kobo_values.csv", form)
    path = sk.write_responses(answers, tmp_path / f"out{suffix}", lang=lang, cells=cells)  # type: ignore[arg-type]
    back = sk.read_responses(path, form)
    expect_the_three(back)
    pd.testing.assert_frame_equal(back.quality.reset_index(drop=True), answers.quality.reset_index(drop=True))
    assert b"Invented" not in path.read_bytes() and "respondent_name" not in back.columns["header"].tolist()


def test_what_cannot_be_written(form: sk.Instrument, tmp_path: Path) -> None:
    answers = sk.read_responses(DATA / "kobo_values.csv", form)
    with pytest.raises(sk.SemkitError) as caught:
        sk.write_responses(answers, tmp_path / "out.rds", lang="fr", cells="both")  # type: ignore[arg-type]
    assert [problem.code for problem in caught.value.problems] == [
        "responses.unknown-format", "responses.bad-option", "responses.bad-option"
    ]  # fmt: skip
    assert isinstance(caught.value.problems[0], Problem)


def test_a_formula_is_neutralised_and_comes_back(form: sk.Instrument, tmp_path: Path) -> None:
    """What our own export made safe for spreadsheets is the old text again after reading."""
    path = tmp_path / "a.csv"
    path.write_text("tr_1,tr_2,tr_3,tr_att,note\n3,4,2,2,'=1+1\n3,4,2,2,'quoted'\n")
    assert sk.read_responses(path, form).raw["note"].tolist() == ["=1+1", "'quoted'"]
