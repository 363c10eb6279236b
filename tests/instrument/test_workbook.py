"""Instruments in a spreadsheet: what goes out comes back, and damaged workbooks say where the damage is."""

from __future__ import annotations

import io
import tomllib
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import semkit as sk
from semkit.errors import FileError, InstrumentFileError, OptionError, SemkitError
from semkit.instrument import from_workbook, list_instruments, new_instrument, to_toml, to_workbook
from semkit.instrument import workbook as room
from semkit.instrument.schema import InstrumentModel
from semkit.instrument.sheets import MAIN_COLUMNS, SHEETS, guarded, unguarded
from semkit.writing import text_cell

from .test_manuscript import bare

Bend = Callable[[Any], None]


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("book") / "form.xlsx"
    return to_workbook("marketing_performance", path).read_bytes()


def back(content: bytes, folder: Path) -> Path:
    (folder / "form.xlsx").write_bytes(content)
    return from_workbook(folder / "form.xlsx", folder / "form.toml")


def bent(content: bytes, bend: Bend) -> bytes:
    book = openpyxl.load_workbook(io.BytesIO(content))
    bend(book)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def column(sheet: Any, title: str) -> int:
    return next(int(cell.column) for cell in sheet[1] if cell.value == title)


def put(sheet: str, row: int, title: str, value: object) -> Bend:
    def bend(book: Any) -> None:
        book[sheet].cell(row=row, column=column(book[sheet], title)).value = value

    return bend


@pytest.mark.parametrize("name", list_instruments())
def test_out_and_back_is_the_same_instrument(name: str, tmp_path: Path) -> None:
    book = to_workbook(name, tmp_path / "form.xlsx")
    file = from_workbook(book, tmp_path / "form.toml")
    assert bare(sk.load_instrument(file)) == bare(sk.load_instrument(name))


def test_a_file_of_ones_own_comes_back_word_for_word(tmp_path: Path) -> None:
    source = new_instrument(tmp_path / "mine.toml")
    file = from_workbook(to_workbook(source, tmp_path / "mine.xlsx"), tmp_path / "again.toml")
    first, second = (InstrumentModel.model_validate(tomllib.loads(p.read_text("utf-8"))) for p in (source, file))
    assert first == second


def test_every_key_of_the_schema_has_a_column() -> None:
    def ends(node: Any, at: str = "") -> set[str]:
        if node.get("type") == "null":
            return set()
        if "$ref" in node:
            return ends(schema["$defs"][node["$ref"].rsplit("/", 1)[1]], at)
        parts = [*node.get("anyOf", []), *([node["items"]] if "items" in node else [])]
        inner = node.get("properties", {})
        found = set().union(
            *(ends(one, f"{at}.{key}".lstrip(".")) for key, one in inner.items()), *(ends(p, at) for p in parts)
        )
        return found or {at}

    schema = InstrumentModel.model_json_schema()
    held = set(MAIN_COLUMNS)
    for sheet in SHEETS.values():
        above = ".".join((sheet.section, *sheet.inner))
        held |= {f"{above}.{one.title}" for one in sheet.columns}
    assert ends(schema) == held


@given(st.text(st.sampled_from("'=+-@ a\t\u200b＝"), max_size=6))
def test_neutralising_is_undone(text: str) -> None:
    cell = text_cell(guarded(text))
    assert unguarded(cell) == text
    assert cell.lstrip(" \u200b")[:1] not in tuple("=+-@\t＝")


def test_words_like_formulas_survive(tmp_path: Path) -> None:
    form = tomllib.loads(to_toml(sk.load_instrument("marketing_performance")))
    words = ["=1+1", "'=1+1", "''-x", "+62 812", "@nama", "'quoted'", "- strip", "1.5", "TRUE", "a\nb", "𝛽 ≥ ½"]
    for item, text in zip((one for block in form["constructs"] for one in block.get("items", [])), words):
        item["en"] = text
    source = tmp_path / "odd.toml"
    source.write_text(to_toml(form), encoding="utf-8")
    book = to_workbook(source, tmp_path / "odd.xlsx")
    cells = [cell for sheet in openpyxl.load_workbook(book) for row in sheet.iter_rows() for cell in row]
    assert not [cell for cell in cells if cell.data_type == "f"]
    file = from_workbook(book, tmp_path / "again.toml")
    assert bare(sk.load_instrument(file)) == bare(sk.load_instrument(source))
    assert [item.text.en for item in sk.load_instrument(file).items][: len(words)] == words


def test_an_edit_arrives_and_notes_are_ignored(exported: bytes, tmp_path: Path) -> None:
    def bend(book: Any) -> None:
        put("items", 2, "en", "New words")(book)
        book.create_sheet("notes")["C7"] = "=remember"
        book["items"].insert_rows(3)  # an empty row

    form = sk.load_instrument(back(bent(exported, bend), tmp_path))
    assert form.items[0].text.en == "New words" and len(form.items) == len(
        sk.load_instrument("marketing_performance").items
    )


def _without(sheet: str) -> Bend:
    return lambda book: book.remove(book[sheet])


def _rename(sheet: str, title: str) -> Bend:
    return lambda book: setattr(book[sheet], "title", title)


def _merge(book: Any) -> None:
    book["items"].merge_cells("B2:B4")


def _twice(book: Any) -> None:
    book["items"].append([cell.value for cell in book["items"][2]])


def _name_twice(book: Any) -> None:
    book["instrument"].append(["name", "other"])


DAMAGE: list[tuple[Bend, str, str]] = [
    (_without("items"), "instrument.missing-sheet", "form.xlsx"),
    (_rename("items", "itms"), "instrument.unknown-sheet", 'sheet "itms"'),
    (put("items", 1, "reverse", "revers"), "instrument.sheet-column", 'sheet "items", row 1, column'),
    (put("items", 1, "reverse", None), "instrument.sheet-column", 'sheet "items", row 1'),
    (put("items", 1, "reverse", "name"), "instrument.sheet-column", 'sheet "items", row 1'),
    (_merge, "instrument.merged-cells", 'sheet "items", cells B2:B4'),
    (put("items", 3, "en", "=1+1"), "instrument.sheet-formula", 'sheet "items", row 3, column "en"'),
    (put("items", 3, "en", 5), "instrument.sheet-cell", 'sheet "items", row 3, column "en"'),
    (put("instrument", 3, "value", 5), "instrument.sheet-cell", 'sheet "instrument", row 3, column "value"'),
    (put("items", 3, "reverse", "yes"), "instrument.sheet-cell", 'sheet "items", row 3, column "reverse"'),
    (put("items", 3, "special", "97; 98"), "instrument.sheet-cell", 'sheet "items", row 3, column "special"'),
    (put("choices", 3, "value", "one"), "instrument.sheet-cell", 'sheet "choices", row 3, column "value"'),
    (put("items", 3, "construct", "mp_sl"), "instrument.row-without-owner", 'sheet "items", row 3, column "construct"'),
    (put("items", 3, "construct", None), "instrument.row-without-owner", 'sheet "items", row 3, column "construct"'),
    (put("instrument", 2, "key", "schema"), "instrument.sheet-key", 'sheet "instrument", row 2, column "key"'),
    (_name_twice, "instrument.sheet-key", 'sheet "instrument", row'),
    (put("instrument", 4, "value", "two words"), "instrument.bad-name", 'sheet "instrument", key "name"'),
    (_twice, "instrument.duplicate-name", 'sheet "items", row'),
    (put("items", 3, "en", None), "instrument.missing-translation", 'sheet "items", row 3'),
    (put("items", 3, "scale", "agre5"), "instrument.undefined-scale", 'sheet "items", row 3'),
    (put("constructs", 3, "type", "formative"), "instrument.unknown-value", 'sheet "constructs", row 3'),
    (put("constructs", 2, "min_answered", 5), "instrument.out-of-range", 'row 2 ("mperf"), column "min_answered"'),
]  # fmt: skip


@pytest.mark.parametrize(("bend", "code", "where"), DAMAGE)
def test_damage_is_named_with_its_place(bend: Bend, code: str, where: str, exported: bytes, tmp_path: Path) -> None:
    with pytest.raises(SemkitError) as caught:
        back(bent(exported, bend), tmp_path)
    hits = [one for one in caught.value.problems if one.code == code and where in one.where]
    assert hits and all(one.allowed and one.remedy for one in hits), caught.value
    assert len(caught.value.problems) <= 4 and not (tmp_path / "form.toml").exists()


def test_all_problems_of_cells_come_at_once(exported: bytes, tmp_path: Path) -> None:
    def bend(book: Any) -> None:
        put("items", 3, "en", 5)(book)
        put("items", 4, "en", "=A1")(book)
        put("questions", 2, "minimum", "x")(book)

    with pytest.raises(InstrumentFileError) as caught:
        back(bent(exported, bend), tmp_path)
    assert len(caught.value.problems) == 3


def _zip(**parts: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name.replace("__", "."), content)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "instrument.not-a-workbook"),
        (b"name,text\n", "instrument.not-a-workbook"),
        (_zip(a__txt=b"x"), "instrument.not-a-workbook"),
        (_zip(**{"[Content_Types]__xml": b"<!DOCTYPE x>"}), "instrument.not-a-workbook"),
        (_zip(**{"[Content_Types]__xml": b"<Types/>"}), "instrument.not-a-workbook"),
        (_zip(bomb__xml=b" " * (room.MAX_UNPACKED + 1)), "instrument.workbook-too-large"),
        (b"PK" * room.MAX_BYTES, "instrument.workbook-too-large"),
    ],
)
def test_what_is_no_workbook_is_refused(content: bytes, code: str, tmp_path: Path) -> None:
    with pytest.raises(FileError) as caught:
        back(content, tmp_path)
    assert caught.value.code == code


@pytest.mark.parametrize("cut", [0.2, 0.5, 0.9])
def test_a_truncated_workbook_is_refused(exported: bytes, cut: float, tmp_path: Path) -> None:
    with pytest.raises(FileError) as caught:
        back(exported[: int(cut * len(exported))], tmp_path)
    assert caught.value.code == "instrument.not-a-workbook"


@pytest.mark.parametrize(("row", "at"), [(1_000_000, 1), (2, 16_000)])
def test_a_sheet_that_is_too_large_is_refused_quickly(row: int, at: int, exported: bytes, tmp_path: Path) -> None:
    def bend(book: Any) -> None:
        book["items"].cell(row=row, column=at).value = "far away"

    with pytest.raises(SemkitError) as caught:
        back(bent(exported, bend), tmp_path)
    assert caught.value.code in ("instrument.workbook-too-large", "instrument.sheet-column")


def test_paths(exported: bytes, tmp_path: Path) -> None:
    with pytest.raises(OptionError):
        to_workbook("marketing_performance", tmp_path / "form.csv")
    with pytest.raises(FileError) as missing:
        from_workbook(tmp_path / "none.xlsx", tmp_path / "form.toml")
    assert missing.value.code == "instrument.unreadable"
    back(exported, tmp_path)
    with pytest.raises(FileError) as there:
        back(exported, tmp_path)
    assert there.value.code == "instrument.file-exists"


def test_characters_no_sheet_keeps_are_refused(tmp_path: Path) -> None:
    text = new_instrument(tmp_path / "mine.toml").read_text("utf-8")
    (tmp_path / "mine.toml").write_text(
        text.replace('title = { id = "', 'title = { id = "_x0041_', 1), encoding="utf-8"
    )
    with pytest.raises(InstrumentFileError) as caught:
        to_workbook(tmp_path / "mine.toml", tmp_path / "mine.xlsx")
    assert caught.value.code == "instrument.not-a-cell" and not (tmp_path / "mine.xlsx").exists()
