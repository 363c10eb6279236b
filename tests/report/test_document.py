"""The report's page: whole, escaped, self-contained, honest when parts are missing."""

from __future__ import annotations

import re
import sys
from dataclasses import fields, is_dataclass, replace
from html import unescape
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

sys.path.insert(0, str(Path(__file__).parent))

from invented import content
from markup import read

from semkit.errors import Note
from semkit.report import ModelPart, ReportContent, compose, write_report
from semkit.writing import escape

HOSTILE = [
    "<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "'><svg onload=alert(1)>", "{{ 7*7 }}{% raw %}",
    "]]>--><!--", "</style></title></svg><script>", '=HYPERLINK("http://evil.example","x")', "a" * 400,
    "\u202e\u05d0\u05d1\u05d2 \u0627\u0644\u0639\u0631\u0628\u064a\u0629", "javascript:alert(1)", "\x00\x07\ufffe",
    "$\\frac{a}{b}$ _{x}", "&lt;already&gt;",
]  # fmt: skip


def poison(value: Any, text: str) -> Any:
    """Replace every text inside a record by ``text`` (numbers and the codes that choose a drawing stay)."""
    if isinstance(value, pd.DataFrame):
        out = value.copy()
        for column in out.columns:
            if out[column].dtype == object or pd.api.types.is_string_dtype(out[column]):
                keep = column in ("op", "lhs", "rhs", "sign")
                out[column] = out[column] if keep else [text] * len(out)
        return out
    if isinstance(value, str):
        return text
    if is_dataclass(value) and not isinstance(value, type):
        keep = {"op", "direction", "severity", "local_language"}
        return replace(value, **{f.name: poison(getattr(value, f.name), text) for f in fields(value)
                                 if f.name not in keep})  # fmt: skip
    if isinstance(value, tuple):
        return tuple(poison(part, text) for part in value)
    if isinstance(value, dict):
        return {(key if isinstance(part, float | int) else f"{text}{i}"): poison(part, text)
                for i, (key, part) in enumerate(value.items())}  # fmt: skip
    return value


def test_page_is_well_formed_and_loads_nothing() -> None:
    page = compose(content()).html
    seen = read(page)
    assert seen.faults == []
    assert "http://" not in page.replace("http://www.w3.org/2000/svg", "") and "https://" not in page
    assert "default-src 'none'" in page
    assert seen.tags.count("h1") == 1
    for landmark in ("main", "header", "nav", "footer"):
        assert landmark in seen.tags


def test_every_picture_has_a_title_and_a_description_and_every_table_a_caption() -> None:
    page = compose(content()).html
    pictures = re.findall(r"<svg.*?</svg>", page, flags=re.S)
    assert len(pictures) == 6
    for picture in pictures:
        assert re.search(r'<title id="[^"]+">[^<]{4,}</title><desc id="[^"]+">[^<]{20,}</desc>', picture)
        assert 'role="img"' in picture
    assert page.count("<table>") == page.count("<caption>") > 10


def test_no_number_is_printed_as_nan() -> None:
    text = " ".join(read(compose(content()).html).text)
    assert not re.search(r"\bnan\b|\bNaN\b|\bNone\b|\binf\b|<NA>", text)


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_stays_text_everywhere(text: str) -> None:
    poisoned = poison(content(), text)
    labels = dict.fromkeys(content().labels, text)
    page = compose(replace(poisoned, labels=labels)).html
    seen = read(page)
    assert seen.faults == []
    assert "<script" not in page
    assert not {"\u202e", "\x00", "\x07"} & set(page)
    # What a reader sees is the text itself, letter by letter.
    assert unescape(escape(text)).strip() in "\n".join(seen.text)


def test_numbers_and_words_of_a_claim_are_there() -> None:
    page = compose(content()).html
    text = " ".join(" ".join(read(page).text).split())
    assert "Not decided. The data support 3 of the 4 parts the claim needs." in text
    assert "Yes. The data are consistent with the claim." in text
    assert "not proof of cause" in text
    assert "Synthetic data." in text and "no respondent exists" in text
    assert 'lang="id"' in page
    assert text.index("H-B1") < text.index("Table 1.")


def test_tables_and_figures_are_numbered_in_the_order_of_the_page() -> None:
    text = " ".join(read(compose(content()).html).text)
    for kind in ("Table", "Figure"):
        numbers = [int(n) for n in re.findall(rf"{kind} (\d+)\. ", text)]
        assert numbers == list(range(1, len(numbers) + 1))


def test_an_empty_report_says_what_is_missing() -> None:
    page = compose(ReportContent(title="Nothing yet")).html
    assert read(page).faults == []
    text = " ".join(read(page).text)
    for sentence in ("No claim was judged", "No flow was recorded", "was not computed", "No model was estimated",
                     "No second engine was asked", "No diagnosis was raised"):  # fmt: skip
        assert sentence in text
    assert "Synthetic" not in text


def test_a_model_that_did_not_converge_is_marked() -> None:
    model = replace(content().models[0], converged=False)
    text = " ".join(read(compose(ReportContent("x", models=(model,))).html).text)
    assert "did not converge: its numbers are not results" in text


def test_a_part_without_numbers_does_not_remove_the_others() -> None:
    models = (ModelPart("empty"), content().models[1])
    page = compose(replace(content(), models=models, quality=None)).html
    assert read(page).faults == []
    assert "Model M2, standardised estimates" in page


def test_notes_are_collected_once_gravest_first() -> None:
    notes = (("data", Note("a.b", "info", "small")), ("data", Note("a.c", "error", "grave")),
             ("data", Note("a.b", "info", "small")))  # fmt: skip
    text = " ".join(read(compose(ReportContent("x", notes=notes)).html).text)
    assert text.index("grave") < text.index("small")
    assert text.count("a.b") == 1


def test_the_same_content_gives_the_same_bytes(tmp_path: Path) -> None:
    first, second = write_report(content(), tmp_path / "a.html"), write_report(content(), tmp_path / "b.html")
    assert first.read_bytes() == second.read_bytes()


def test_tables_and_figures_as_files(tmp_path: Path) -> None:
    report = compose(content())
    tables = report.save_tables(tmp_path / "tables")
    figures = report.save_figures(tmp_path / "figures", ("svg",))
    assert {path.name for path in figures} >= {"diagram-m2.svg", "flow.svg", "estimates.svg"}
    assert len({path.name for path in tables}) == len(tables) == len(report.blocks) - len(figures)
    frame = pd.read_csv(tmp_path / "tables" / "evidence-h-b1.csv")
    assert frame["est"].tolist() == [part.est for part in content().claims[0].parts]


def test_ids_that_look_alike_do_not_share_a_file(tmp_path: Path) -> None:
    models = tuple(replace(content().models[1], id=name, agreement=None) for name in ("M 2", "M-2", "m/2", "../m2"))
    report = compose(replace(content(), models=models))
    names = [path.name for path in report.save_tables(tmp_path)]
    assert len(set(names)) == len(names)
    assert all(path.parent == tmp_path for path in report.save_tables(tmp_path))


def test_templates_are_inside_the_package() -> None:
    from importlib.resources import files

    names = {entry.name for entry in (files("semkit.report") / "templates").iterdir()}
    assert {"report.html.j2", "report.css", "table.html.j2", "card.html.j2"} <= names
