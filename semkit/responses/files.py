"""``write_responses``: coded answers to CSV, XLSX, SPSS and Stata, with the words of the questionnaire.

No column that looks personal and no free text is ever written.  The marker of invented data goes along.
"""

from __future__ import annotations

import math
import os
import re
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from semkit.errors import FileError, NotSupportedError, OptionError, Problem
from semkit.instrument import Instrument, Item, Question, codebook, combine
from semkit.instrument.short import short_answers
from semkit.responses.labelled import pyreadstat
from semkit.responses.platforms import IDENTIFIERS, SYNTHETIC
from semkit.responses.records import Responses
from semkit.writing import write_bytes, write_csv, write_xlsx

Cells = Literal["codes", "labels"]
FORMATS = (".csv", ".xlsx", ".sav", ".dta")
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_TICKS = {"id": ("tidak", "ya"), "en": ("no", "yes")}


@dataclass(frozen=True, eq=False)
class _Column:
    """One column to write: its words, the words of its codes, the numbers that stand for choice codes."""

    name: str
    values: list[object]
    label: str = ""
    words: Mapping[str, str] = field(default_factory=dict)
    numbers: Mapping[str, str] = field(default_factory=dict)
    special: tuple[str, ...] = ()
    ordered: bool = False


def write_responses(
    responses: Responses,
    path: str | os.PathLike[str],
    *,
    lang: str = "en",
    cells: Cells = "codes",
    pseudonyms: pd.Series | None = None,
) -> Path:
    """Write answers as a file that other programs and :func:`read_responses` read.

    Parameters
    ----------
    responses : Responses
    path : path
        ``.csv``, ``.xlsx`` (with a codebook sheet), ``.sav`` (SPSS) or ``.dta`` (Stata).  In the last two choices are
        numbers with value labels, and special codes are user-missing (SPSS) or extended missing values (Stata).
    lang : {"id", "en"}
        Language of the words.
    cells : {"codes", "labels"}
        What stands in the cells of CSV and XLSX.
    pseudonyms : Series (n,), optional
        Of :func:`semkit.responses.respondent_pseudonyms`; they stand in place of the platform's identifiers.

    Returns
    -------
    Path

    Raises
    ------
    OptionError
        ``responses.bad-option``, ``responses.unknown-format``.
    NotSupportedError
        ``responses.name-too-long``: Stata allows 32 characters.
    MissingExtraError
        ``responses.needs-pyreadstat``, ``writing.openpyxl-missing``.

    Examples
    --------
    >>> import tempfile
    >>> from semkit import load_instrument, read_responses
    >>> form = load_instrument("government_role")
    >>> answers = read_responses(pd.DataFrame({item.name: ["2", "97"] for item in form.items}), form)
    >>> write_responses(answers, f"{tempfile.mkdtemp()}/answers.csv", cells="labels").name
    'answers.csv'
    """
    path = Path(path)
    suffix = path.suffix.casefold()
    form = combine(responses.forms)
    _check(suffix, lang, cells, form)
    columns = list(_columns(responses, form, lang, pseudonyms))
    if suffix in (".sav", ".dta"):
        return _write_labelled(columns, path)
    header = [column.name for column in columns]
    shown = [[_shown(value, column, cells) for value in column.values] for column in columns]
    rows = list(zip(*shown, strict=True))
    if suffix == ".csv":
        return write_csv(path, header, rows)
    book = codebook(responses.forms, form.languages)
    return write_xlsx(path, {"answers": (header, rows), "codebook": (book.header, book.rows)})


def check_format(path: str | os.PathLike[str]) -> None:
    """Refuse a path whose ending is none of the formats of :func:`write_responses`, before anything is written.

    Raises
    ------
    OptionError
        ``responses.unknown-format``.
    """
    suffix = Path(path).suffix.casefold()
    if suffix not in FORMATS:
        raise OptionError(_unknown_format(suffix))


def _unknown_format(suffix: str) -> Problem:
    return Problem("responses.unknown-format", f'the format "{suffix}"', "answers are not written in it",
                   ", ".join(FORMATS), "Choose one of these.")  # fmt: skip


def _check(suffix: str, lang: str, cells: str, form: Instrument) -> None:
    problems = []
    if suffix not in FORMATS:
        problems.append(_unknown_format(suffix))
    for name, value, allowed in (("lang", lang, form.languages), ("cells", cells, ("codes", "labels"))):
        if value not in allowed:
            problems.append(
                Problem("responses.bad-option", f"option {name}", f"the value {value!r} is not known",
                        ", ".join(allowed), "Use one of these.")
            )  # fmt: skip
    if problems:
        raise OptionError(*problems)


def _columns(
    responses: Responses, form: Instrument, lang: str, pseudonyms: pd.Series | None
) -> Iterator[_Column]:
    if responses.synthetic:
        yield _Column(SYNTHETIC, [1] * responses.n, "invented data; no respondent exists")
    if pseudonyms is not None:
        yield _Column("pseudonym", [str(value) for value in pseudonyms])
    for name in IDENTIFIERS:
        if name in responses.raw.columns and pseudonyms is None:
            yield _Column(name, [str(value) for value in responses.raw[name]])
    recorded = {question.name: question.text.get(lang) for question in form.section("quality")}
    for name in responses.quality.columns:
        values = [_plain(value) for value in responses.quality[name].tolist()]
        if any(value is not None for value in values):
            yield _Column(name, values, recorded.get(name, ""))
    items = {item.name: item for item in form.items}
    questions = {question.name: question for question in form.questions}
    for name in responses.coded.columns:
        values = [_plain(value) for value in responses.coded[name].tolist()]
        head, slash, code = name.partition("/")
        if name in items:
            yield _item(items[name], values, form, lang)
        elif slash and head in questions:
            question = questions[head]
            label = f"{question.text.get(lang)} {question.choice(code).label.get(lang)}"
            yield _Column(name, values, label, dict(zip(("0", "1"), _TICKS[lang], strict=True)))
        else:
            yield _question(questions[name], values, form, lang)


def _item(item: Item, values: list[object], form: Instrument, lang: str) -> _Column:
    scale = form.scale(item.scale)
    words = {str(code): scale.label(code, lang) for code in scale.codes}
    special = _specials(form, {*item.special, *scale.special}, lang)
    return _Column(item.name, values, item.text.get(lang), words | special, special=tuple(special), ordered=True)


def _question(question: Question, values: list[object], form: Instrument, lang: str) -> _Column:
    wanted = set(question.special)
    if question.relevance is not None and question.relevance.otherwise is not None:
        wanted.add(question.relevance.otherwise)
    special = _specials(form, wanted, lang)
    words = {choice.code: choice.label.get(lang) for choice in question.choices}
    numbers = short_answers(question) if question.choices else {}
    return _Column(question.name, values, question.text.get(lang), words | special, numbers, tuple(special))


def _specials(form: Instrument, codes: set[int], lang: str) -> dict[str, str]:
    return {str(one.code): one.label.get(lang) for one in form.specials if one.code in codes}


def _plain(value: object) -> object:
    if value is None or value is pd.NaT or value is pd.NA or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, pd.Timestamp):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return int(value)
    return value


def _shown(value: object, column: _Column, cells: Cells) -> object:
    return column.words.get(str(value), value) if cells == "labels" and value is not None else value


# --- SPSS and Stata ---------------------------------------------------------------------------------------------------


def _write_labelled(columns: list[_Column], path: Path) -> Path:
    """Write through a file of our own beside the target, so that a half-written one never has its name."""
    library = pyreadstat(path.name)
    stata = path.suffix.casefold() == ".dta"
    columns = [column for column in columns if not column.name.startswith("_") and "/" not in column.name[:1]]
    names = [re.sub(r"[^0-9a-zA-Z_]", "_" if stata else ".", column.name) for column in columns]
    _check_names(names, 32 if stata else 64)
    frame: dict[str, object] = {}
    labels: dict[str, dict[object, str]] = {}
    missing: dict[str, Any] = {}
    for name, column in zip(names, columns, strict=True):
        letters = dict(zip(column.special, _LETTERS, strict=False)) if stata else {}
        frame[name] = _values(column, letters)
        if column.words:
            labels[name] = {_number(code, column, letters): words for code, words in column.words.items()}
        if column.special:
            missing[name] = list(letters.values()) if stata else [float(code) for code in column.special][:3]
    options: dict[str, Any] = {
        "column_labels": [_cut(column.label, 80 if stata else 250) for column in columns],
        "variable_value_labels": labels,
    }
    if stata:
        options |= {"missing_user_values": missing, "version": 15}
    else:
        measures = {n: "ordinal" if c.ordered else "nominal" if c.words else "scale" for n, c in zip(names, columns)}
        options |= {"missing_ranges": missing, "variable_measure": measures}
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / f"answers{path.suffix.casefold()}"
        try:
            (library.write_dta if stata else library.write_sav)(pd.DataFrame(frame), str(place), **options)
        except (library.ReadstatError, library.PyreadstatError) as error:
            raise FileError(
                Problem("responses.not-labelled", path.name, f"the file cannot be written ({error})",
                        "names and words that the format allows", "Write CSV instead.")
            ) from error  # fmt: skip
        return write_bytes(path, place.read_bytes())


def _check_names(names: list[str], most: int) -> None:
    wrong = [name for name in names if len(name) > most]
    twice = sorted({name for name in names if names.count(name) > 1})
    if wrong or twice:
        raise NotSupportedError(
            Problem("responses.name-too-long", ", ".join((*wrong, *twice)[:10]),
                    f"the format has names of at most {most} characters, each once",
                    "shorter names of questions and choices", "Write SPSS or CSV instead, or shorten the names.")
        )  # fmt: skip


def _values(column: _Column, letters: Mapping[str, str]) -> object:
    """Numbers for codes (object column where Stata's letters stand among them), else texts."""
    known = [value for value in column.values if value is not None]
    if not column.words and any(isinstance(value, str) for value in known):
        return pd.Series(["" if value is None else str(value) for value in column.values], dtype=object)
    numbers = [None if value is None else _number(str(value), column, letters) for value in column.values]
    if any(isinstance(number, str) for number in numbers):
        gaps = [np.nan if n is None else n if isinstance(n, str) else float(n) for n in numbers]
        return pd.Series(gaps, dtype=object)
    return np.array([np.nan if number is None else number for number in numbers], dtype=np.float64)


def _number(code: str, column: _Column, letters: Mapping[str, str]) -> float | int | str:
    if code in letters:
        return letters[code]
    number = float(column.numbers.get(code, code))
    return int(number) if number.is_integer() else number


def _cut(text: str, most: int) -> str:
    """At most ``most`` bytes of a label, never half a letter."""
    return text.encode()[:most].decode(errors="ignore")
