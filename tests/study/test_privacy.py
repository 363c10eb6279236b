"""A study run on an export full of people: nothing of them is in any file it writes."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import semkit as sk
from semkit.study import run_validation
from semkit.study.templates import new_study

SECRETS = {
    "Nama lengkap": "Invented Rahmawati Kusuma",
    "no_hp": "0812-3456-7890",
    "catatan": "rumah di belakang pasar, telepon 0812 9876 5432",
    "lokasi": "-0.026333 109.342500 12.0 4.5",
    "surel": "invented.person@nowhere.example",
}


def test_people_reach_no_output(tmp_path: Path) -> None:
    new_study(tmp_path / "study", "border_collaboration")
    invented = sk.simulate_responses("border", n=320, seed=5)
    table = invented.frame
    for name, value in SECRETS.items():
        table[name] = [value if row % 3 else "" for row in range(len(table))]
    data = next((tmp_path / "study").glob("*_synthetic.csv"))
    text = io.StringIO()
    table.to_csv(text, index=False, sep=";")
    data.write_text(text.getvalue(), encoding="utf-8")
    result = run_validation(tmp_path / "study" / "study.toml", output=tmp_path / "out")
    written = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert written and result.files
    for path in written:
        content = path.read_bytes()
        if zipfile.is_zipfile(path):
            content = b"".join(zipfile.ZipFile(path).read(name) for name in zipfile.ZipFile(path).namelist())
        for value in SECRETS.values():
            assert value.encode() not in content, path.name
