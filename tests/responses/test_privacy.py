"""What identifies people stands in .personal and nowhere else."""

from __future__ import annotations

import os
import pickle
import stat
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import semkit as sk
from semkit.cli import main
from semkit.responses import coarse_places, coarsen, looks_personal, new_key, read_key, respondent_pseudonyms
from semkit.responses.privacy import holds_personal_values

DATA = Path(__file__).parent / "data"
KEY = bytes(range(32))

SECRETS = {
    "Nama responden": "Siti Invented Rahmawati",
    "NIK": "6101014505880001",
    "remark": "hubungi 0812-3456-7890 ya",
    "other": "siti@invented.example",
    "place": "-0.026333 109.342500 12.0 4.5",
    "file": "1717123456789_photo.jpg",
    "net": "from 192.0.2.17",
    "license": "NIB 9120001234567",
    "tax": "01.234.567.8-701.000",
}


@pytest.fixture(scope="module")
def form() -> sk.Instrument:
    return sk.load_instrument(DATA / "kiosk.toml")


def frame(form: sk.Instrument) -> pd.DataFrame:
    items = {item.name: ["4", "5", "2"] for item in form.items}
    secret = {name: [value, "", ""] for name, value in SECRETS.items()}
    plain = {"_id": ["1", "2", "3"], "consent": ["yes"] * 3, "harmless": ["a", "12", "2026-05-31"]}
    return pd.DataFrame(plain | items | secret)


@pytest.mark.parametrize(
    "name",
    """Nama nama_responden Name first_name NIK no_ktp NPWP no_hp telepon Phone e-mail surel alamat Address gps_latitude
    lintang bujur deviceid imei ip_address foto_usaha signature username tanda_tangan whatsapp lokasi_lat lokasi_long
    Lat NIB nomor_telpon kontak perangkat gambar_toko nohp""".split(),
)
def test_names_in_both_languages(name: str) -> None:
    assert looks_personal(name)


@pytest.mark.parametrize(
    "name",
    """cn_str_1 region sector n_partners_local size age notes_year duration_s how_long_ago_was_it
    recorded_date""".split(),
)
def test_names_that_say_nothing_of_a_person(name: str) -> None:
    assert not looks_personal(name)


@pytest.mark.parametrize("value", SECRETS.values())
def test_values(value: str) -> None:
    assert holds_personal_values([value]) or value.startswith("Siti")


@pytest.mark.parametrize(
    "value",
    ["", "12", "350000000", "2026-05-31T09:30:00.000+07:00", "0.25", "cukup baik", "v1.2.3",
     "48583952-1892-4931-8d9c-869e7b49bafb", "1,5 juta", "2024/2025", "a3f08123456789ab", "12 345 678"],
)  # fmt: skip
def test_values_that_say_nothing_of_a_person(value: str) -> None:
    assert not holds_personal_values([value])


def everything_shown(answers: sk.Responses) -> str:
    cleaned = sk.clean(answers)
    parts = [repr(answers), answers._repr_html_(), repr(cleaned), cleaned._repr_html_(), *map(str, answers.problems)]
    parts += [*map(str, answers.notes), *map(str, cleaned.notes), cleaned.ledger.to_csv(), cleaned.frame_all.to_csv()]
    parts += [answers.raw.to_csv(), answers.coded.to_csv(), answers.quality.to_csv(), answers.columns.to_csv()]
    return "\n".join(parts)


def test_secrets_never_leave_the_restricted_frame(form: sk.Instrument, tmp_path: Path) -> None:
    answers = sk.read_responses(frame(form), form)
    assert set(answers.personal.columns) == set(SECRETS)
    assert "harmless" in answers.raw.columns
    shown = everything_shown(answers)
    for suffix in (".csv", ".xlsx", ".sav", ".dta"):
        if suffix in (".sav", ".dta"):
            pytest.importorskip("pyreadstat")
        path = sk.write_responses(answers, tmp_path / f"out{suffix}")
        shown += path.read_bytes().decode("latin-1")
    for value in SECRETS.values():
        assert value not in shown
    note = next(note for note in answers.notes if note.code == "responses.personal-column")
    assert "9 columns" in note.what


def test_secrets_are_not_in_errors(form: sk.Instrument) -> None:
    broken = frame(form).assign(tr_1=[SECRETS["NIK"], SECRETS["remark"], "7"], consent=[*list(SECRETS.values())[:3]])
    with pytest.raises(sk.SemkitError) as caught:
        sk.read_responses(broken, form)
    told = str(caught.value) + repr(caught.value) + pickle.dumps(caught.value.problems).decode("latin-1")
    for value in SECRETS.values():
        assert value not in told


def test_an_interviewer_by_number_or_name_is_kept_apart(form: sk.Instrument) -> None:
    table = frame(form).assign(enumerator=["E01", "081234567890", "E02"])
    answers = sk.read_responses(table, form)
    assert "enumerator" in answers.personal
    assert answers.quality["enumerator"].tolist() == ["interviewer 2", "interviewer 1", "interviewer 3"]
    table = frame(form).assign(enumerator=["Budi Santoso", "", "Ani Dewi"], _id=["7", "8", "9"])
    named = sk.read_responses(table, form)
    assert "enumerator" in named.personal and "Budi Santoso" not in everything_shown(named)
    assert named.quality["enumerator"].fillna("").tolist() == ["interviewer 2", "", "interviewer 1"]
    more = sk.read_responses(frame(form).assign(enumerator=["Ani Dewi", "Citra Lestari", ""]), form)
    both = sk.stack_responses([named, more]).quality["enumerator"].fillna("").tolist()
    assert both == ["interviewer 2", "", "interviewer 1", "interviewer 1", "interviewer 3", ""]
    coded = sk.read_responses(frame(form).assign(enumerator=["E01", "E03", "E02"]), form)
    assert coded.quality["enumerator"].tolist() == ["E01", "E03", "E02"]


def test_answers_are_answers_whatever_digits_they_have(form: sk.Instrument) -> None:
    table = frame(form).assign(sales=["9120001234567", "6101014505880001", "81234567890"])
    answers = sk.read_responses(table, form)
    assert answers.coded["sales"].notna().all() and "sales" not in answers.personal


def test_a_telephone_in_the_place_of_an_age(tmp_path: Path) -> None:
    """Outside the range and shaped like a number of a person: missing, and nowhere to be read."""
    asked = sk.load_instrument("government_role")
    table = pd.DataFrame({item.name: ["4", "5", "2"] for item in asked.items})
    table["age"] = ["081234567890", "44", "101"]
    table["workers"] = ["3", "6171014505880001", "4"]
    answers = sk.read_responses(table, asked)
    assert answers.coded["age"].tolist()[1:] == [44.0, 101.0] and answers.coded["age"].isna().tolist()[0]
    told = [one for one in answers.problems if one.code == "responses.personal-answer"]
    assert [one.where for one in told] == ['frame, column "age", row 2', 'frame, column "workers", row 3']
    assert [one.code for one in answers.problems].count("responses.out-of-range") == 1  # 101 is no telephone
    assert "1234567890" not in everything_shown(answers) and "61710145" not in everything_shown(answers)


def test_two_halves_of_a_place() -> None:
    asked = sk.load_instrument("government_role")
    table = pd.DataFrame({item.name: ["4", "5"] for item in asked.items})
    table = table.assign(lokasi_lat=["-0.02633", ""], lokasi_long=["109.34250", ""], x9=["109.3425", ""])
    answers = sk.read_responses(table, asked)
    assert set(answers.personal.columns) == {"lokasi_lat", "lokasi_long", "x9"}
    assert coarse_places(answers).round(3).iloc[0].tolist() == [-0.045, 109.369]


# --- pseudonyms -------------------------------------------------------------------------------------------------------


def test_pseudonyms_depend_on_the_key_and_the_text_alone() -> None:
    one = sk.pseudonyms(["Sari", "Budi", " SARI "], KEY)
    assert one[0] == one[2] != one[1] and all(len(name) == 16 for name in one)
    assert sk.pseudonyms(["Sari"], bytes(32)) != one[:1]
    # RFC 2104 worked out by hand with hashlib's own blocks
    import base64
    import hashlib

    pad = KEY.ljust(64, b"\0")
    inner = hashlib.sha256(bytes(b ^ 0x36 for b in pad) + b"semkit pseudonym 1\0sari").digest()
    outer = hashlib.sha256(bytes(b ^ 0x5C for b in pad) + inner).digest()
    assert one[0] == base64.b32encode(outer[:10]).decode().lower()
    with pytest.raises(sk.SemkitError):
        sk.pseudonyms(["x"], b"short")


def test_keys_stay_outside_the_study(tmp_path: Path) -> None:
    study, keys = tmp_path / "study", tmp_path / "keys"
    study.mkdir()
    keys.mkdir()
    for place in (study / "key", study / "deep" / ".." / "key", study):
        with pytest.raises(sk.SemkitError) as caught:
            new_key(place, study=study)
        assert caught.value.code == "responses.key-inside-study"
    link = keys / "link"
    link.symlink_to(study, target_is_directory=True)
    with pytest.raises(sk.SemkitError):
        new_key(link / "key", study=study)
    path = new_key(keys / "key", study=study)
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600 and len(read_key(path, study=study)) == 32
    with pytest.raises(sk.SemkitError) as caught:
        new_key(path, study=study)
    assert caught.value.code == "responses.key-exists"
    os.chmod(path, 0o644)
    with pytest.raises(sk.SemkitError) as caught:
        read_key(path, study=study)
    assert caught.value.code == "responses.bad-key"
    (keys / "bad").write_text("not hex")
    os.chmod(keys / "bad", 0o600)
    with pytest.raises(sk.SemkitError):
        read_key(keys / "bad", study=study)


def test_the_restricted_file(form: sk.Instrument, tmp_path: Path) -> None:
    answers = sk.read_responses(frame(form), form)
    path = sk.write_restricted(answers, tmp_path / "restricted.csv", KEY)
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    assert table["pseudonym"].tolist() == respondent_pseudonyms(answers, KEY).tolist() == sk.pseudonyms("123", KEY)
    assert table.loc[0, "Nama responden"] == SECRETS["Nama responden"] and table["row"].tolist() == ["2", "3", "4"]
    by_name = sk.write_restricted(answers, tmp_path / "other.csv", KEY, by="NIK")
    assert pd.read_csv(by_name, dtype=str)["pseudonym"][0] == sk.pseudonyms([SECRETS["NIK"]], KEY)[0]
    with pytest.raises(sk.SemkitError):
        sk.write_restricted(answers, tmp_path / "x.csv", KEY, by="nobody")


# --- before data are shared -------------------------------------------------------------------------------------------


def test_places_move_to_the_middle_of_their_cell() -> None:
    rng = np.random.default_rng(4)
    latitude, longitude = rng.uniform(-10, 6, 500), rng.uniform(95, 141, 500)
    moved = coarsen(latitude, longitude, km=10)
    km = np.abs(np.stack(moved) - np.stack([latitude, longitude])) * 111.32
    assert km.max() <= 5.0 + 1e-9
    again = coarsen(*moved, km=10)
    np.testing.assert_allclose(again, moved)
    assert np.isnan(coarsen([np.nan], [1.0])[0][0])
    with pytest.raises(sk.SemkitError):
        coarsen([0.0], [0.0], km=0)


def test_coarse_places_of_an_export(form: sk.Instrument) -> None:
    found = coarse_places(sk.read_responses(frame(form), form))
    assert found.loc[2].round(3).tolist() == [-0.045, 109.369] and found.loc[3].isna().all()
    plain = frame(form).drop(columns=list(SECRETS))
    halves = plain.assign(_gps_latitude=["-0.0263", "", "1"], _gps_longitude=["109.3425", "", "110"])
    assert coarse_places(sk.read_responses(halves, form)).loc[2].round(3).tolist() == [-0.045, 109.369]
    with pytest.raises(sk.SemkitError) as caught:
        coarse_places(sk.read_responses(frame(form).drop(columns=list(SECRETS)), form))
    assert caught.value.code == "responses.no-coordinates"


def test_the_command_splits_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str], form: sk.Instrument) -> None:
    study, apart = tmp_path / "study", tmp_path / "apart"
    study.mkdir()
    apart.mkdir()
    frame(form).to_csv(apart / "export.csv", index=False)
    command = ["restrict", str(apart / "export.csv"), "-i", str(DATA / "kiosk.toml"), "--study", str(study),
               "--key", str(apart / "key"), "-o", str(study / "answers.csv"),
               "--restricted", str(apart / "people.csv")]  # fmt: skip
    assert main(command) == 2  # there is no key yet
    assert main([*command, "--new-key"]) == 0
    shared = (study / "answers.csv").read_text(encoding="utf-8")
    apart_text = (apart / "people.csv").read_text(encoding="utf-8")
    told = capsys.readouterr()
    for value in SECRETS.values():
        assert value not in shared + told.out + told.err and value in apart_text
    names = pd.read_csv(study / "answers.csv", dtype=str)["pseudonym"].tolist()
    assert names == pd.read_csv(apart / "people.csv", dtype=str)["pseudonym"].tolist() and len(set(names)) == 3
    inside = [str(study / "people.csv") if one == str(apart / "people.csv") else one for one in command]
    assert main(inside) == 2  # the restricted file may not lie in the study
    before = {path: path.read_bytes() for path in (*study.iterdir(), *apart.iterdir())}
    capsys.readouterr()
    people, answers, key = (str(apart / "people.csv"), str(study / "answers.csv"), str(apart / "key"))
    export = command[1]
    for old, new, code in ((people, answers, "cli.same-file"), (answers, people, "cli.same-file"),
                           (answers, export, "cli.same-file"), (key, people, "cli.same-file"),
                           (answers, answers + ".txt", "responses.unknown-format"),
                           (people, str(apart / "people.xlsx"), "cli.restricted-ending")):  # fmt: skip
        assert main([new if one == old else one for one in command]) == 2
        assert f"[{code}]" in capsys.readouterr().err
    assert before == {path: path.read_bytes() for path in (*study.iterdir(), *apart.iterdir())}
    back = sk.read_responses(study / "answers.csv", form)
    assert back.n == 3 and not len(back.personal.columns)


def test_k_anonymity_counts_by_hand() -> None:
    table = pd.DataFrame({"region": ["a"] * 5 + ["b", "b", None, None], "size": ["s"] * 5 + ["s", "m", "s", "s"]})
    found = sk.k_anonymity(table, ["region", "size"], limit=3)
    assert (found.k, found.below, found.n) == (1, 4, 9)
    assert found.groups["n"].tolist() == [1, 1, 2] and "k = 1" in repr(found)
    assert sk.k_anonymity(table, ["size"]).k == 1
    with pytest.raises(sk.SemkitError):
        sk.k_anonymity(table, ["village"])
