"""``read_responses``: text first, columns to items, then codes."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from semkit.errors import FileError, Note, OptionError, Problem, ResponseError
from semkit.instrument import Instrument, combine
from semkit.responses.coding import Coded, code_sheet, quality_frame
from semkit.responses.delimited import read_delimited
from semkit.responses.labelled import FORMATS, read_labelled
from semkit.responses.mapping import ColumnMap, read_bytes, read_mapping
from semkit.responses.matching import match_columns, match_header
from semkit.responses.numbers import Decimal
from semkit.responses.platforms import IDENTIFIERS, SYNTHETIC, guess_platform, is_metadata
from semkit.responses.privacy import find_personal, hide_personal_numbers
from semkit.responses.records import Limits, Platform, Responses, Source
from semkit.responses.sheet import HEADER_ROW, Sheet, make_sheet, place
from semkit.responses.targets import Targets, gather
from semkit.responses.workbook import read_workbook
from semkit.writing import hash_bytes

TEXT_FILES = (".csv", ".tsv", ".txt")
WORKBOOKS = (".xlsx", ".xlsm")
_POINT = ("kobo", "odk", "limesurvey")  # they write decimals with a point, whatever the language
_NONE: frozenset[str] = frozenset()
_UNSEEN = {"limesurvey": frozenset(("n/a", "{question_not_shown}")), "qualtrics": frozenset(("-99",))}
"""Texts by which a platform says that a question was not shown or not answered."""
_YES = frozenset(("1", "1.0", "true", "yes", "ya"))
_NO = frozenset(("", "0", "0.0", "false", "no", "tidak"))


def read_responses(
    path_or_frame: str | os.PathLike[str] | pd.DataFrame,
    forms: Instrument | Sequence[Instrument],
    *,
    mapping: Mapping[str | int, str | None] | str | os.PathLike[str] | None = None,
    lang: str | None = None,
    missing: Sequence[str | int | float] = (),
    decimal: Decimal | None = None,
    encoding: str | None = None,
    delimiter: str | None = None,
    sheet: str | None = None,
    strict: bool = True,
    limits: Limits | None = None,
) -> Responses:
    """Read the answers to one or more instruments from an export or a frame.

    Exports of KoboToolbox, ODK, Google Forms, LimeSurvey (codes or full answers) and Qualtrics (three header rows),
    SPSS and Stata files, semkit's entry workbook, and plain tables with a mapping.  Everything is read as text first;
    nothing is guessed.  A column is an item or question when its header is the name, the name after a group prefix
    (``network/cn_str_1``; separators ``/ - : .``), the question text in either language, or a grid row
    (``Question [row]``).  Labels and codes both become codes.  All problems of a file are reported together.

    Parameters
    ----------
    path_or_frame : path or DataFrame
        CSV, TSV, XLSX, SAV, ZSAV or DTA, or a frame in memory.
    forms : Instrument or sequence of Instrument
    mapping : mapping or path, optional
        Header, or column number from 1, to the name of an item or question; None sets the column aside.  Or a table
        (CSV, XLSX) with the columns ``column``, ``name`` and optionally ``value``, ``code``.
    lang : {"id", "en"}, optional
        Only labels of this language count.
    missing : sequence
        Codes or texts that mean "no answer" in this file, such as ``-99`` or ``"NA"``.
    decimal : {".", ","}, optional
        Decimal sign of numbers; needed only for numbers such as ``1,5`` or ``1.500``.
    encoding, delimiter, sheet : str, optional
        Found in the file when not given.
    strict : bool
        False keeps what cannot be read as missing and the problems in ``.problems``; for looking, not for analysis.
    limits : Limits, optional

    Returns
    -------
    Responses

    Raises
    ------
    FileError
        The file cannot be read: ``responses.missing-file``, ``responses.unknown-format``, ``responses.too-large``,
        ``responses.bad-encoding``, ``responses.nul-byte``, ``responses.broken-quotes``, ``responses.not-a-workbook``,
        ``responses.not-labelled``.
    ResponseError
        It can be read, but not as answers to the forms; all problems at once.
    OptionError
        ``responses.bad-option``.
    MissingExtraError
        ``responses.needs-excel``, ``responses.needs-pyreadstat``.

    Examples
    --------
    >>> import pandas as pd
    >>> from semkit import load_instrument
    >>> form = load_instrument("government_role")
    >>> answers = pd.DataFrame({item.name: ["Setuju", "2", "97"] for item in form.items})
    >>> read_responses(answers, form).coded["gr_fac_1"].tolist()
    [4.0, 2.0, 97.0]
    """
    _check_options(lang, decimal)
    limits = limits or Limits()
    known = (forms,) if isinstance(forms, Instrument) else tuple(forms)
    form = combine(known)
    targets = gather(form, lang)
    told = _column_map(mapping)
    path = None if isinstance(path_or_frame, pd.DataFrame) else Path(path_or_frame)
    if isinstance(path_or_frame, pd.DataFrame):
        table, digest = _frame_sheet(path_or_frame, limits)
    else:
        table, digest = _file_sheet(Path(path_or_frame), limits, targets, encoding, delimiter, sheet)
    platform = _platform(path, table)
    short = platform in ("limesurvey", "qualtrics")
    if short:
        targets = gather(form, lang, short=True)
    table = replace(table, recodes=_recodes(told, table))
    sources, serious, slight = match_columns(table.header, targets, told.columns, table.where, platform, table.labels)
    sources = find_personal(sources, table, targets, platform)
    table, hidden = hide_personal_numbers(table, sources, targets)
    slight += hidden
    lacking = [problem for problem in serious if problem.code == "responses.missing-item"]
    if lacking:  # what is unmatched explains what is missing
        serious += [problem for problem in slight if problem.code == "responses.unmatched-column"]
    raw = table.frame()
    declared = frozenset(_folded_missing(missing))
    sign = "." if platform in _POINT and decimal is None else decimal
    unseen = _UNSEEN.get(platform, _NONE)
    coded = code_sheet(table, sources, form, targets, declared, sign, lang, short=short, unseen=unseen)
    serious += [*coded.serious, *_empty_problems(coded, targets, table)]
    synthetic, marks = _synthetic(raw, table, path)
    serious += marks
    if strict and serious:
        raise ResponseError(*serious)
    quality, notes = quality_frame(table, sources, targets, form)
    restricted = [source.kind == "personal" for source in sources]
    return Responses(
        raw=raw.loc[:, [not one for one in restricted]],
        personal=raw.loc[:, restricted],
        coded=coded.frame,
        quality=quality,
        declared=coded.declared,
        forms=known,
        sources=sources,
        problems=(*([] if strict else serious), *slight, *coded.slight),
        notes=(*_notes(raw, table, sources, platform, synthetic), *notes),
        platform=platform,
        synthetic=synthetic,
        path=path,
        sha256=digest,
        encoding=table.encoding,
        delimiter=table.delimiter,
        options={"mapping": dict(told.columns), "lang": lang, "missing": tuple(missing), "decimal": decimal},
    )


def _check_options(lang: str | None, decimal: str | None) -> None:
    problems = []
    for name, value, allowed in (("lang", lang, ("id", "en")), ("decimal", decimal, (".", ","))):
        if value is not None and value not in allowed:
            problems.append(
                Problem(
                    "responses.bad-option",
                    f"option {name}",
                    f"the value {value!r} is not known",
                    " or ".join(repr(one) for one in allowed),
                    "Leave it out, or use one of these.",
                )
            )
    if problems:
        raise OptionError(*problems)


def _folded_missing(missing: Sequence[str | int | float]) -> list[str]:
    if isinstance(missing, str):
        missing = (missing,)
    texts = [str(int(one)) if isinstance(one, float) and one.is_integer() else str(one) for one in missing]
    return [" ".join(text.casefold().split()) for text in texts]


def _column_map(mapping: Mapping[str | int, str | None] | str | os.PathLike[str] | None) -> ColumnMap:
    if isinstance(mapping, str | os.PathLike):
        return read_mapping(mapping)
    return ColumnMap(dict(mapping or {}))


def _recodes(told: ColumnMap, table: Sheet) -> dict[int, Mapping[str, str]]:
    """Recodes by column number from 0; a header that the file does not have is a problem of the mapping."""
    places = {name: number for number, name in reversed(list(enumerate(table.header)))}
    found = {}
    for key, codes in told.recodes.items():
        number = key - 1 if isinstance(key, int) else places.get(key, -1)
        if 0 <= number < len(table.header):
            found[number] = codes
    return found


def _platform(path: Path | None, table: Sheet) -> Platform:
    suffix = path.suffix.casefold() if path is not None else ""
    if suffix in FORMATS:
        return "stata" if suffix == ".dta" else "spss"
    return guess_platform(table.header, three_rows=table.first == HEADER_ROW + 3)


def _file_sheet(
    path: Path, limits: Limits, targets: Targets, encoding: str | None, delimiter: str | None, sheet: str | None
) -> tuple[Sheet, str]:
    suffix = path.suffix.casefold()
    if suffix not in (*TEXT_FILES, *WORKBOOKS, *FORMATS):
        raise FileError(
            Problem(
                "responses.unknown-format",
                path.name,
                f'the format "{suffix}" is not read',
                ", ".join((*TEXT_FILES, *WORKBOOKS, *FORMATS)),
                "Export the responses as CSV or XLSX.",
            )
        )
    content = read_bytes(path, limits)
    digest = hash_bytes(content)
    if suffix in FORMATS:
        return read_labelled(path, limits), digest
    if suffix in WORKBOOKS:
        return read_workbook(content, path.name, limits, sheet=sheet), digest
    platform = guess_platform(())

    def means(name: str) -> bool:
        return match_header(name, targets) is not None or is_metadata(name, platform)

    return read_delimited(content, path.name, limits, encoding=encoding, delimiter=delimiter, known=means), digest


def _frame_sheet(frame: pd.DataFrame, limits: Limits) -> tuple[Sheet, str]:
    columns = []
    machine = set()
    for number in range(frame.shape[1]):
        column = frame.iloc[:, number]
        if pd.api.types.is_numeric_dtype(column):
            machine.add(number)
        columns.append([_cell_text(value) for value in column.tolist()])
    rows = [list(row) for row in zip(*columns, strict=True)]
    table = [[str(name) for name in frame.columns], *rows]
    digest = hash_bytes("\x1e".join("\x1f".join(row) for row in table).encode("utf-8", "surrogatepass"))
    return make_sheet("frame", table, limits, machine=frozenset(machine)), digest


def _cell_text(value: object) -> str:
    if value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and np.isnan(value)):
        return ""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return str(value)


def _empty_problems(coded: Coded, targets: Targets, table: Sheet) -> list[Problem]:
    items = [name for name in targets.items if name in coded.frame.columns]
    if items and not coded.serious and bool(coded.frame[items].isna().to_numpy().all()):
        return [
            Problem(
                "responses.all-missing",
                table.where,
                "no respondent answered any item",
                "at least one answer to the items of the instruments",
                "Check that the export holds the answers and that the right form was exported.",
            )
        ]
    return []


def _synthetic(raw: pd.DataFrame, table: Sheet, path: Path | None) -> tuple[bool, list[Problem]]:
    """Whether the rows are marked as invented; a marker that was lost or is half there is a problem."""
    column = next((name for name in raw.columns if name.casefold().rsplit("/", 1)[-1] == SYNTHETIC), None)
    named = path is not None and path.stem.casefold().endswith("_synthetic")
    problems = []
    if column is None:
        if named:
            problems.append(
                Problem(
                    "responses.synthetic-marker",
                    table.where,
                    "the file's name says that the data are invented, but the marker column is gone",
                    f'a column "{SYNTHETIC}" that is 1 in every row',
                    "Use the file as it was generated.",
                )
            )
        return named, problems
    values = raw[column].str.strip().str.casefold()
    marked = values.isin(_YES)
    odd = ~marked & ~values.isin(_NO)
    if bool(odd.any()) or (bool(marked.any()) and not bool(marked.all())):
        wrong = table.rows[(odd | ~marked).to_numpy()]
        problems.append(
            Problem(
                "responses.synthetic-marker",
                f'{table.where}, column "{column}", {place(wrong)}',
                "invented and other rows stand in one file",
                "1 in every row, or 0 in every row",
                "Keep invented and real answers in separate files.",
            )
        )
    return bool(marked.any()) or named, problems


def _notes(raw: pd.DataFrame, table: Sheet, sources: Sequence[Source], platform: str, synthetic: bool) -> list[Note]:
    notes = []
    if synthetic:
        notes.append(
            Note(
                "responses.synthetic",
                "warning",
                "invented data; no respondent exists",
                table.where,
                "",
                "Verdicts on these data are statements about the generator.",
            )
        )
    if table.encoding == "cp1252":
        notes.append(
            Note(
                "responses.read-as-cp1252",
                "info",
                "the file is not UTF-8 and was read as Windows-1252",
                table.where,
                "Excel's plain CSV.",
                "Check accented letters; or export as CSV UTF-8.",
            )
        )
    for name in IDENTIFIERS:
        if name in raw.columns:
            repeated = raw[name].ne("") & raw[name].duplicated(keep=False)
            if bool(repeated.any()):
                rows = raw.index[repeated].to_numpy()
                notes.append(
                    Note(
                        "responses.repeated-id",
                        "warning",
                        f"{len(rows)} rows share an identifier ({place(rows)})",
                        f'column "{name}"',
                        "A submission was exported or uploaded twice.",
                        "Cleaning removes a copy only when its answers are the same.",
                    )
                )
    personal = [source.header for source in sources if source.kind == "personal"]
    if personal:
        named = ", ".join(f'"{name}"' for name in personal[:20])
        notes.append(
            Note(
                "responses.personal-column",
                "warning",
                f"{len(personal)} column{'s' if len(personal) > 1 else ''} that look personal (by name or by what "
                f"stands in them) are not used: {named}",
                table.where,
                "",
                "They stand in .personal and nowhere else; write_restricted() puts them in a file of their own.",
            )
        )
    return notes
