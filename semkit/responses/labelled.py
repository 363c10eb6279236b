"""SPSS (``.sav``, ``.zsav``) and Stata (``.dta``) files: codes, value labels, user-missing values kept apart.

Read with pyreadstat (ReadStat): ``missing_ranges`` are SPSS's user-missing values, letters ``a`` ... ``z`` Stata's
extended missing values.  A user-missing value whose label is one of the instrument's special codes becomes that code;
any other one means "no answer" and is told apart from an empty cell.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from semkit.errors import FileError, MissingExtraError, Problem
from semkit.responses.records import Limits
from semkit.responses.sheet import Sheet, check_size, make_sheet, plain_column

FORMATS = (".sav", ".zsav", ".dta")


def read_labelled(path: Path, limits: Limits) -> Sheet:
    """Read a statistics package's file as text with value labels.

    Parameters
    ----------
    path : Path
        Ends in ``.sav``, ``.zsav`` or ``.dta``; its size was checked before.
    limits : Limits

    Raises
    ------
    FileError
        ``responses.not-labelled``, ``responses.too-large``.
    ResponseError
        ``responses.no-rows``.
    MissingExtraError
        ``responses.needs-pyreadstat``.
    """
    library = pyreadstat(path.name)
    read = library.read_dta if path.suffix.casefold() == ".dta" else library.read_sav
    try:
        _, head = read(str(path), metadataonly=True)
        check_size(path.name, int(head.number_rows or 0), int(head.number_columns or 0), limits)
        frame, meta = read(str(path), apply_value_formats=False, user_missing=True, disable_datetime_conversion=False)
    except (library.ReadstatError, UnicodeDecodeError, ValueError, OverflowError) as error:
        raise FileError(
            Problem(
                "responses.not-labelled",
                path.name,
                f"the file cannot be read as {'Stata' if path.suffix.casefold() == '.dta' else 'SPSS'} data "
                f"({type(error).__name__})",
                "a .sav, .zsav or .dta file of a statistics package",
                "Save it again there, or export CSV.",
            )
        ) from error
    names = [str(name) for name in frame.columns]
    texts = [[_text(value) for value in frame.iloc[:, number].tolist()] for number in range(len(names))]
    if not names or not len(frame):
        return make_sheet(path.name, [names], limits)  # says what is lacking
    grid = [np.array(column, dtype=object) for column in texts]
    machine = frozenset(number for number, name in enumerate(names) if not _is_text(meta, name))
    return Sheet(
        path.name,
        tuple(names),
        tuple(map(plain_column, grid)),
        machine=machine,
        first=1,
        labels=tuple(str(label or "") for label in meta.column_labels),
        meanings=_meanings(names, meta),
        missing=_missing(names, meta, grid),
    )


def pyreadstat(where: str) -> Any:
    """The library, or an error that says how to install it.

    Raises
    ------
    MissingExtraError
        ``responses.needs-pyreadstat``.
    """
    try:
        import pyreadstat as library
    except ImportError as error:
        raise MissingExtraError(
            Problem(
                "responses.needs-pyreadstat",
                where,
                "SPSS and Stata files need the package pyreadstat",
                "semkit with the extra 'spss'",
                'Run: pip install "semkit[spss]", or use CSV.',
            )
        ) from error
    return library


def _is_text(meta: Any, name: str) -> bool:
    return str(meta.readstat_variable_types.get(name, "")) == "string"


def _text(value: object) -> str:
    if value is None or (isinstance(value, float) and math.isnan(value)) or type(value).__name__ == "NaTType":
        return ""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if hasattr(value, "isoformat"):
        return str(value.isoformat())
    return str(value)


def _meanings(names: Sequence[str], meta: Any) -> Mapping[int, Mapping[str, str]]:
    labels = meta.variable_value_labels or {}
    return {
        number: {_text(value): str(label) for value, label in labels[name].items() if str(label).strip()}
        for number, name in enumerate(names)
        if name in labels
    }


def _missing(names: Sequence[str], meta: Any, grid: Sequence[Any]) -> Mapping[int, frozenset[str]]:
    """Texts that the file itself calls missing: Stata's letters, SPSS's values and ranges."""
    found: dict[int, frozenset[str]] = {}
    letters, ranges = meta.missing_user_values or {}, meta.missing_ranges or {}
    for number, name in enumerate(names):
        texts: set[str] = {str(one) for one in letters.get(name, ())}
        limits = [(one["lo"], one["hi"]) for one in ranges.get(name, ())]
        if limits:
            present = set(grid[number].tolist()) - {""}
            texts |= {text for text in present if any(_inside(text, low, high) for low, high in limits)}
        if texts:
            found[number] = frozenset(text.casefold() for text in texts)
    return found


def _inside(text: str, low: object, high: object) -> bool:
    if isinstance(low, str) or isinstance(high, str):
        return text in (low, high)
    try:
        return float(str(low)) <= float(text) <= float(str(high))
    except ValueError:
        return False
