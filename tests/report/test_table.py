"""Tables: immutable, escaped, raw in CSV."""

from __future__ import annotations

import csv
import math
from pathlib import Path

import pytest

from semkit.report.table import Table


def made() -> Table:
    table = Table.of(
        [("name", "Name", "words"), ("est", "b", "raw3", "Raw"), ("ci", "95 % CI", "interval", "Raw"), ("p", "p", "p")],
        caption="A & B",
    )
    return (
        table.heading("<First>")
        .add({"est": ("warn", " ▲")}, name='=HYPERLINK("http://x")', est=0.12345678, ci=(0.1, 0.2), p=0.0001)
        .add(name="<script>alert(1)</script>", est=math.nan, ci=(math.nan, math.nan), p=None)
        .note("<b>note</b>")
    )


def test_adding_makes_a_new_table() -> None:
    first = Table.of([("a", "A", "text")])
    second = first.add(a="x")
    assert (len(first.rows), len(second.rows)) == (0, 1)
    with pytest.raises(AttributeError):
        first.caption = "changed"  # type: ignore[misc]


def test_html_is_escaped_and_rounded() -> None:
    page = made().html()
    assert "<script>" not in page and "&lt;script&gt;" in page
    assert "<b>" not in page and "&lt;First&gt;" in page
    assert "0.123" in page and "[0.100,\u00a00.200]" in page and "&lt;.001" in page
    assert "nan" not in page.lower().replace("name", "")
    assert 'scope="col"' in page and "<caption>A &amp; B</caption>" in page


def test_csv_holds_numbers_in_full_and_no_formula(tmp_path: Path) -> None:
    path = made().csv(tmp_path / "t.csv")
    rows = list(csv.DictReader(path.open(encoding="utf-8", newline="")))
    assert rows[0]["est"] == "0.12345678"
    assert rows[0]["name"].startswith("'=")
    assert rows[0]["section"] == "<First>"
    assert (rows[0]["ci_lower"], rows[0]["ci_upper"]) == ("0.1", "0.2")
    assert (rows[1]["est"], rows[1]["p"], rows[1]["ci_lower"]) == ("", "", "")


def test_text() -> None:
    lines = made().text().splitlines()
    assert lines[0] == "A & B"
    assert len({len(line.split("  ")[0]) > 0 for line in lines}) == 1
    assert "–" in lines[3]


def test_groups_span_neighbours() -> None:
    assert made().groups == (("", 1), ("Raw", 2), ("", 1))
