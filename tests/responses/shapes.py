"""Coded answers put into the export shape of each platform, for the way back through the reader.

Written after the sources in ``data/SOURCES.md``, without semkit's exporters; only the short names and numbers, which
both sides must agree on, come from the project.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from semkit.instrument import Instrument, Question
from semkit.instrument.short import form_names, short_answers

NA = np.nan
LEAD = {"id": "Seberapa setuju Anda?", "en": "How far do you agree?"}


def invent(form: Instrument, n: int, seed: int) -> pd.DataFrame:
    """Coded answers with every kind of gap: all codes, special codes, empty cells, nothing ticked at all."""
    rng = np.random.default_rng(seed)
    columns: dict[str, object] = {}
    for item in form.items:
        codes = [*form.scale(item.scale).codes, *item.special]
        columns[item.name] = np.where(rng.random(n) < 0.1, NA, rng.choice(codes, n)).astype(float)
    for question in form.questions:
        if question.section == "quality" or question.answer in ("text", "time"):
            continue
        gone = rng.random(n) < 0.1
        if question.answer == "multiple":
            for name, ticks in _ticks(question, n, gone, rng).items():
                columns[name] = ticks
        elif question.choices:
            codes_ = [choice.code for choice in question.choices] + [str(code) for code in question.special]
            columns[question.name] = pd.Series(rng.choice(codes_, n), dtype=object).where(~gone, None)
        else:
            low = int(question.minimum or 0)
            high = int(min(question.maximum if question.maximum is not None else 90, low + 90))
            high = 10 if question.answer == "of_ten" else high
            columns[question.name] = np.where(gone, NA, rng.integers(low, high + 1, n)).astype(float)
    return pd.DataFrame(columns, index=pd.RangeIndex(n))


def _ticks(question: Question, n: int, gone: np.ndarray, rng: np.random.Generator) -> dict[str, np.ndarray]:
    alone = [choice.code for choice in question.choices if choice.exclusive]
    others = [choice.code for choice in question.choices if not choice.exclusive]
    table = {code: (rng.random(n) < 0.4).astype(float) for code in others}
    nobody = np.sum(list(table.values()), axis=0) == 0
    if alone:
        table |= {code: np.zeros(n) for code in alone}
        table[alone[0]] = nobody.astype(float)
    else:
        table[others[0]] = np.where(nobody, 1.0, table[others[0]])
    return {f"{question.name}/{c.code}": np.where(gone, NA, table[c.code]) for c in question.choices}


def text(value: object) -> str:
    if value is None or (isinstance(value, float) and np.isnan(value)):
        return ""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def words(form: Instrument, name: str, lang: str) -> dict[str, str]:
    """Code -> label of an item or question."""
    special = {str(one.code): one.label.get(lang) for one in form.specials}
    for item in form.items:
        if item.name == name:
            scale = form.scale(item.scale)
            return special | {str(code): scale.label(code, lang) for code in scale.codes}
    question = form.question(name)
    if not question.choices:
        return {}  # a number is typed, special codes too
    return special | {choice.code: choice.label.get(lang) for choice in question.choices}


def asked(form: Instrument, coded: pd.DataFrame) -> Iterator[str]:
    """Names of the items and questions in the order of the columns; a select-multiple question once."""
    yield from dict.fromkeys(name.split("/")[0] for name in coded.columns)


def is_multiple(form: Instrument, name: str) -> bool:
    return any(question.name == name and question.answer == "multiple" for question in form.questions)


def ticked(form: Instrument, coded: pd.DataFrame, name: str, row: int) -> list[str] | None:
    codes = [choice.code for choice in form.question(name).choices]
    values = [coded[f"{name}/{code}"].iloc[row] for code in codes]
    return None if np.isnan(values).all() else [code for code, value in zip(codes, values, strict=True) if value == 1]


def caption(form: Instrument, name: str, lang: str) -> str:
    """The words of the fielded form, placeholders filled in."""
    found = next((item.text for item in form.items if item.name == name), None) or form.question(name).text
    words_ = found.get(lang)
    names = [entry.name for entry in (*form.items, *form.questions) if entry.text.get(lang) == words_]
    if number := names.index(name):
        words_ = f"{words_} ({number + 1})"
    for mark in form.placeholders:
        words_ = words_.replace(mark.mark.get(lang), "Universitas Contoh 10")
    return words_


def to_csv(header: list[str], rows: list[list[str]], delimiter: str, bom: bool = False) -> bytes:
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, delimiter=delimiter, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(header)
    writer.writerows(rows)
    return (b"\xef\xbb\xbf" if bom else b"") + stream.getvalue().encode()


Table = tuple[list[str], list[list[str]]]


def kobo(
    form: Instrument, coded: pd.DataFrame, lang: str, *, labels: bool, separator: str = "/", multiple: str = "both"
) -> Table:
    header: list[str] = ["start", "end"]
    times = ("2026-05-31T09:30:00.000+07:00", "2026-05-31T09:45:00.000+07:00")
    columns: list[list[str]] = [[one] * len(coded) for one in times]
    for name in asked(form, coded):
        head = f"Bagian{separator}{caption(form, name, lang) if labels else name}"
        known = words(form, name, lang)
        if not is_multiple(form, name):
            header.append(head)
            texts = [text(value) for value in coded[name]]
            columns.append([known.get(one, one) if labels else one for one in texts])
            continue
        chosen = [ticked(form, coded, name, row) for row in range(len(coded))]
        if multiple in ("one", "both"):
            header.append(head)
            columns.append(["" if one is None else " ".join(known[c] if labels else c for c in one) for one in chosen])
        if multiple in ("split", "both"):
            for choice in form.question(name).choices:
                header.append(f"{head}{separator}{choice.label.get(lang) if labels else choice.code}")
                columns.append(["" if one is None else str(int(choice.code in one)) for one in chosen])
    tail = {"_id": [str(100 + k) for k in range(len(coded))], "_uuid": [f"u{k}" for k in range(len(coded))],
            "_submission_time": ["2026-05-31T02:34:12"] * len(coded), "_index": [""] * len(coded)}  # fmt: skip
    header += list(tail)
    columns += list(tail.values())
    return header, [list(row) for row in zip(*columns, strict=True)]


def google(form: Instrument, coded: pd.DataFrame, lang: str) -> Table:
    header = ["Stempel waktu" if lang == "id" else "Timestamp"]
    columns = [["31/05/2026 9:34:10"] * len(coded)]
    items = {item.name for item in form.items}
    for name in asked(form, coded):
        known = words(form, name, lang)
        head = caption(form, name, lang)
        header.append(f"{LEAD[lang]} [{head}]" if name in items else head)
        if is_multiple(form, name):
            chosen = [ticked(form, coded, name, row) for row in range(len(coded))]
            columns.append(["" if one is None else ", ".join(known[code] for code in one) for one in chosen])
        else:
            columns.append([known.get(one, one) for one in (text(value) for value in coded[name])])
    return header, [list(row) for row in zip(*columns, strict=True)]


def limesurvey(form: Instrument, coded: pd.DataFrame, lang: str, *, full: bool) -> Table:
    names, items = form_names(form), {item.name for item in form.items}
    yes, no = {"id": ("Ya", "Tidak"), "en": ("Yes", "No")}[lang]
    if full:
        header = ["Response ID", "Date submitted", "Last page", "Start language"]
    else:
        header = ["id", "submitdate", "lastpage", "startlanguage"]
    n = len(coded)
    columns = [[str(k + 1) for k in range(n)], ["2026-05-31 09:34:10"] * n, ["4"] * n, [lang] * n]
    for name in asked(form, coded):
        known, head = words(form, name, lang), caption(form, name, lang)
        if is_multiple(form, name):
            chosen = [ticked(form, coded, name, row) for row in range(n)]
            for choice in form.question(name).choices:
                number = short_answers(form.question(name))[choice.code]
                header.append(f"{head} [{choice.label.get(lang)}]" if full else f"{names[name]}[{number}]")
                marks = (yes, no) if full else ("Y", "N")
                unseen = "N/A" if full else ""
                columns.append([unseen if one is None else marks[choice.code not in one] for one in chosen])
            continue
        texts = [text(value) for value in coded[name]]
        if name in items:
            header.append(f"{LEAD[lang]} [{head}]" if full else f"gridx1[{names[name]}]")
        else:
            header.append(head if full else names[name])
            question = form.question(name)
            if question.choices and not full:
                numbers = short_answers(question)
                texts = [numbers.get(one, one) for one in texts]
            elif not question.choices and not full:
                texts = [f"{one}.0000000000" if one else one for one in texts]
        columns.append([known.get(one, one) if full else one for one in texts])
    return header, [list(row) for row in zip(*columns, strict=True)]


def qualtrics(form: Instrument, coded: pd.DataFrame, lang: str, *, choice_text: bool, split: bool) -> Table:
    header = ["StartDate", "EndDate", "Duration (in seconds)", "ResponseId", "UserLanguage"]
    second, n = ["Start Date", "End Date", "Duration (in seconds)", "Response ID", "User Language"], len(coded)
    columns = [["2026-05-31 09:30:00"] * n, ["2026-05-31 09:45:00"] * n, ["900"] * n, [f"R_{k}" for k in range(n)],
               [lang.upper()] * n]  # fmt: skip
    items = {item.name for item in form.items}
    for number, name in enumerate(asked(form, coded), start=1):
        known, head = words(form, name, lang), caption(form, name, lang)
        tag = f"Q{number}" if choice_text else name
        if is_multiple(form, name):
            question = form.question(name)
            codes = short_answers(question)
            chosen = [ticked(form, coded, name, row) for row in range(n)]
            if split:
                for choice in question.choices:
                    header.append(f"{tag}_{codes[choice.code]}")
                    second.append(f"{head} - {choice.label.get(lang)}")
                    mark = choice.label.get(lang) if choice_text else "1"
                    columns.append([mark if one is not None and choice.code in one else "" for one in chosen])
            else:
                header.append(tag)
                second.append(head)
                shown = known if choice_text else codes
                columns.append(["" if one is None else ",".join(shown[code] for code in one) for one in chosen])
            continue
        header.append(tag)
        second.append(f"{LEAD[lang]} - {head}" if name in items else head)
        texts = [text(value) for value in coded[name]]
        if choice_text:
            texts = [known.get(one, one) for one in texts]
        elif name not in items and form.question(name).choices:
            texts = [short_answers(form.question(name)).get(one, one) for one in texts]
        columns.append(texts)
    third = [json.dumps({"ImportId": f"QID{k}"}) for k in range(len(header))]
    return header, [second, third, *([list(row) for row in zip(*columns, strict=True)])]


def to_xlsx(path: Path, table: Table) -> None:
    import openpyxl

    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("form")
    for row in (table[0], *table[1]):
        sheet.append(row)
    book.save(path)


SHAPES: dict[str, Callable[[Instrument, pd.DataFrame, str, Path], Path]] = {}


def _csv(
    name: str, make: Callable[[Instrument, pd.DataFrame, str], Table], delimiter: str = ",", bom: bool = False
) -> None:
    def write(form: Instrument, coded: pd.DataFrame, lang: str, folder: Path) -> Path:
        path = folder / "answers.csv"
        path.write_bytes(to_csv(*make(form, coded, lang), delimiter, bom))
        return path

    SHAPES[name] = write


for _separator in "/-:.":
    _csv(f"kobo values {_separator}", lambda f, c, g, s=_separator: kobo(f, c, g, labels=False, separator=s), ";")
_csv("kobo values, comma, one column", lambda f, c, g: kobo(f, c, g, labels=False, multiple="one"), ",")
_csv("kobo values, split", lambda f, c, g: kobo(f, c, g, labels=False, multiple="split"), ";", True)
_csv("kobo labels", lambda f, c, g: kobo(f, c, g, labels=True), ";")
_csv("kobo labels, split", lambda f, c, g: kobo(f, c, g, labels=True, multiple="split"), ",")
_csv("google", google)
_csv("limesurvey codes", lambda f, c, g: limesurvey(f, c, g, full=False))
_csv("limesurvey full answers", lambda f, c, g: limesurvey(f, c, g, full=True), ",", True)
_csv("qualtrics numbers", lambda f, c, g: qualtrics(f, c, g, choice_text=False, split=False))
_csv("qualtrics numbers, split", lambda f, c, g: qualtrics(f, c, g, choice_text=False, split=True))
_csv("qualtrics text", lambda f, c, g: qualtrics(f, c, g, choice_text=True, split=True))


def _kobo_xlsx(form: Instrument, coded: pd.DataFrame, lang: str, folder: Path) -> Path:
    to_xlsx(folder / "answers.xlsx", kobo(form, coded, lang, labels=False))
    return folder / "answers.xlsx"


SHAPES["kobo xlsx, numbers as text"] = _kobo_xlsx
