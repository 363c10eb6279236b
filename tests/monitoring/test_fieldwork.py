"""A half-finished export: counts by hand, quotas, flags, and a page that shows nothing personal."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import semkit as sk
from semkit.cli import main
from semkit.monitoring import read_quotas


@pytest.fixture(scope="module")
def half() -> sk.Responses:
    invented = sk.simulate_responses("governance")
    return sk.read_responses(invented.frame.iloc[:150], sk.load_instrument("collaborative_governance"))


def test_counts_are_those_of_the_file(half: sk.Responses) -> None:
    found = sk.monitor(half)
    cleaned = sk.clean(half)
    assert found.received == 150 and found.valid == int(cleaned.states.isin(["analysed", "careless"]).sum())
    assert found.states["submissions"].sum() == 150
    assert found.days["received"].sum() == 150 and found.days["valid so far"].iloc[-1] == found.valid
    days = half.raw["start"].str[:10]
    first = found.days.iloc[0]
    assert first["day"] == days.min() and first["received"] == int((days == days.min()).sum())
    places = found.groups["region"].set_index("name")
    assert places["received"].sum() == 150
    assert places.loc["polewali_mandar", "received"] == int((half.coded["scr_region"] == "polewali_mandar").sum())
    person = found.groups["interviewer"].set_index("name")
    one = half.quality["enumerator"] == person.index[-1]
    assert person.iloc[-1]["received"] == int(one.sum())
    valid = cleaned.states.isin(["analysed", "careless"])
    minutes = half.quality["duration_s"][valid] / 60
    times = found.times.set_index("mode")
    assert times.loc["all", "median"] == pytest.approx(np.median(minutes))
    assert times.loc["all", "interviews"] == valid.sum()


def test_quotas(half: sk.Responses, tmp_path: Path) -> None:
    path = tmp_path / "quota.toml"
    path.write_text("[quota.subdistrict]\ntinambung = 60\nluyo = 2\n[quota.sex]\nmale = 0\n")
    found = sk.monitor(half, quotas=read_quotas(path), region="subdistrict")
    table = found.quotas.set_index("choice")
    valid = sk.clean(half).states.isin(["analysed", "careless"])
    so_far = int((half.coded["subdistrict"][valid] == "tinambung").sum())
    assert table.loc["tinambung", ["wanted", "so far", "missing"]].tolist() == [60, so_far, max(60 - so_far, 0)]
    assert table.loc["luyo", "missing"] == 0 and np.isnan(table.loc["male", "share"])
    assert set(found.groups["region"]["name"]) >= {"tinambung", "luyo"}


@pytest.mark.parametrize(
    "text",
    ["", "x = 1", "[quota]", "[quota.sex]\nmale = -1", "[quota.sex]\nmale = 1.5", "[quota.sex]\nmale = true", "[quota"],
)
def test_broken_quota_files(tmp_path: Path, text: str) -> None:
    path = tmp_path / "quota.toml"
    path.write_text(text)
    with pytest.raises(sk.SemkitError) as caught:
        read_quotas(path)
    assert caught.value.code == "monitoring.bad-quota-file"


def test_wishes_that_fit_no_question(half: sk.Responses) -> None:
    with pytest.raises(sk.SemkitError) as caught:
        sk.monitor(half, quotas={"sexx": {"male": 1}, "sex": {"man": 1}})
    assert [problem.code for problem in caught.value.problems] == ["monitoring.unknown-quota"] * 2
    with pytest.raises(sk.SemkitError) as caught:
        sk.monitor(half, region="village")
    assert caught.value.code == "monitoring.unknown-region"


def table(rows: list[dict[str, str]], form: sk.Instrument) -> sk.Responses:
    items = {item.name: "4" for item in form.items}
    base = {"consent": "yes", "scr_owner": "yes", "scr_years": "5", "scr_active": "yes"}
    base["scr_region"] = "polewali_mandar"
    return sk.read_responses(pd.DataFrame([base | items | row for row in rows]), form)


def test_flags_by_hand() -> None:
    form = sk.load_instrument("collaborative_governance")
    start = "2026-05-31T{}:00.000+07:00"
    rows = [
        {"enumerator": "E1", "mode": "enumerator", "start": start.format("09:00"), "end": start.format("09:20")},
        {"enumerator": "E1", "mode": "enumerator", "start": start.format("09:10"), "end": start.format("09:30")},
        {"enumerator": "E2", "mode": "enumerator", "start": start.format("23:10"), "end": start.format("23:30")},
        {"enumerator": "E2", "mode": "enumerator", "start": start.format("10:00"), "end": start.format("10:02")},
        {"mode": "self", "start": start.format("11:00"), "end": start.format("11:20"), "device_hash": "a", "age": "30"},
        {"mode": "self", "start": start.format("12:00"), "end": start.format("12:20"), "device_hash": "a", "age": "31"},
    ]
    rows += [{"enumerator": "E3", "mode": "enumerator", "start": start.format(f"{7 + k}:01".zfill(5)),
              "end": start.format(f"{7 + k}:21".zfill(5)), "age": str(20 + k)} for k in range(13)]  # fmt: skip
    for k, row in enumerate(rows):
        row["workers"] = str(k + 1)
    flags = sk.monitor(table(rows, form)).flags.set_index("what")
    assert flags.loc["two interviews of one interviewer at the same time", "rows"] == "3"
    assert flags.loc["began between 22:00 and 5:00", "rows"] == "4"
    assert flags.loc["took less than 40% of the median time", "rows"] == "5"
    assert flags.loc["several self-filled forms from one device", "rows"] == "6, 7"
    assert flags.loc["more than 12 interviews of one interviewer in a day", "interviews"] == 13


def test_the_first_day_may_have_nobody() -> None:
    form = sk.load_instrument("collaborative_governance")
    empty = {item.name: "" for item in form.items} | {form.items[0].name: "3"}
    found = sk.monitor(table([{"consent": "no"} | empty], form))
    assert (found.received, found.valid) == (1, 0) and "not valid" in found.text()


def test_text_and_page(half: sk.Responses) -> None:
    found = sk.monitor(half)
    text, html = found.text(), found.html()
    for title in ("Submissions", "By day", "By region", "By interviewer", "Minutes per interview", "What looks wrong"):
        assert title in text and title in html
    assert "SYNTHETIC" in text and "no respondent exists" in html and "<script" not in html
    items = {item.name: "4" for item in half.forms[0].items}
    row = items | {"enumerator": "<img src=x>", "consent": "yes"}
    evil = sk.read_responses(pd.DataFrame([row]), half.forms)
    assert "<img src=x>" not in sk.monitor(evil).html()


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    invented = sk.simulate_responses("governance", n=40)
    path = tmp_path / "now_synthetic.csv"
    path.write_bytes(invented.to_bytes())
    assert main(["monitor", str(path), "-i", "collaborative_governance"]) == 0
    assert "40 received" in capsys.readouterr().out
    assert main(["monitor", str(path), "-i", "collaborative_governance", "-o", str(tmp_path / "now.html")]) == 0
    assert (tmp_path / "now.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    assert main(["monitor", str(path), "-i", "collaborative_governance", "--region", "x"]) == 2
