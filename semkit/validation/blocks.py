"""Which items measure what: blocks from instruments or from a plain mapping, checked against the data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from semkit.errors import Note, OptionError, Problem, SampleError, spelling
from semkit.numerics.codes import missing_code
from semkit.result import FloatArray


@dataclass(frozen=True, slots=True)
class Block:
    """The items of one construct.

    Parameters
    ----------
    code : str
    items : tuple of str
        Columns, reverse items already scored.
    label : str
    source : str
        Instrument it belongs to; items of one source are analysed in one factor model.
    reflective : bool
        The construct causes its items: only then AVE, loadings and omega are judged.
    lowest, highest : float
        Ends of the response scale, NaN when not known.
    """

    code: str
    items: tuple[str, ...]
    label: str = ""
    source: str = ""
    reflective: bool = True
    lowest: float = float("nan")
    highest: float = float("nan")


@dataclass(frozen=True, slots=True)
class Whole:
    """A second-order construct that is the equal-weight mean of blocks."""

    code: str
    parts: tuple[str, ...]
    label: str = ""


@dataclass(frozen=True, eq=False)
class Answers:
    """Scored answers of all blocks.

    Parameters
    ----------
    values : DataFrame (n, p) of float
        NaN where missing.
    blocks : tuple of Block
    wholes : tuple of Whole
    notes : tuple of Note
    """

    values: pd.DataFrame
    blocks: tuple[Block, ...]
    wholes: tuple[Whole, ...] = ()
    notes: tuple[Note, ...] = ()

    def of(self, *blocks: Block) -> FloatArray:
        """Complete cases of the items of these blocks, (n, k)."""
        items = [item for block in blocks for item in block.items]
        return np.asarray(self.values[items].dropna().to_numpy(dtype=float))


def read_answers(data: Any, constructs: Any = None) -> Answers:
    """Bring data and constructs together.

    Parameters
    ----------
    data : DataFrame, or a record with ``.frame`` (and ``.forms`` when ``constructs`` is None)
    constructs : mapping of str to sequence of str, an instrument, or a sequence of instruments
        Codes with their columns.

    Raises
    ------
    OptionError
        ``validation.data``, ``validation.no-constructs``, ``validation.unknown-column``, ``validation.repeated-item``.
    SampleError
        ``validation.not-numeric``, ``validation.infinite``.
    """
    frame = getattr(data, "frame", data)
    if not isinstance(frame, pd.DataFrame):
        raise OptionError(
            Problem(
                "validation.data",
                "data",
                f"a {type(data).__name__} was given",
                "a pandas DataFrame, or a record with a .frame",
                "Pass the cleaned data.",
            )
        )
    given = getattr(data, "forms", None) if constructs is None else constructs
    columns = {str(name) for name in frame.columns}
    notes: list[Note] = []
    wholes: tuple[Whole, ...] = ()
    if isinstance(given, Mapping):
        blocks = _from_mapping(given, columns)
    elif given is None:
        raise _no_constructs("the data know of no instrument, and no constructs were given")
    else:
        forms = [given] if hasattr(given, "constructs") else list(given)
        blocks, wholes, notes = _from_forms(forms, columns)
    if not blocks:
        raise _no_constructs("no construct has two items among the columns")
    named = frame.set_axis([str(name) for name in frame.columns], axis=1)
    values = _numbers(named, blocks)
    if not isinstance(given, Mapping):
        values, routed = _only_asked(values, named, forms, blocks)
        notes += routed
    return Answers(values, blocks, wholes, (*notes, *_code_notes(values)))


def _no_constructs(what: str) -> OptionError:
    return OptionError(
        Problem(
            "validation.no-constructs",
            "constructs",
            what,
            "a mapping of code to columns, or instruments",
            'For example {"trust": ["t1", "t2", "t3"]}.',
        )
    )


def _from_mapping(given: Mapping[str, Sequence[str]], columns: set[str]) -> tuple[Block, ...]:
    problems, blocks = [], []
    for code, items in given.items():
        if isinstance(items, str) or not isinstance(items, Iterable) or not list(items):
            problems.append(
                Problem("validation.no-items", f'construct "{code}"', f"{items!r:.60} given", "a list of columns", "")
            )
            continue
        names = tuple(str(item) for item in items)
        for name in sorted({name for name in names if names.count(name) > 1}):
            problems.append(
                Problem("validation.repeated-item", f'construct "{code}"', f'"{name}" twice', "each item once", "")
            )
        for name in names:
            if name not in columns:
                problems.append(
                    Problem(
                        "validation.unknown-column",
                        f'construct "{code}"',
                        f'the data have no column "{name}"',
                        ", ".join(sorted(columns)[:30]),
                        spelling(name, columns),
                    )
                )
        blocks.append(Block(str(code), names, str(code)))
    if problems:
        raise OptionError(*problems)
    return tuple(blocks)


def _from_forms(forms: Sequence[Any], columns: set[str]) -> tuple[tuple[Block, ...], tuple[Whole, ...], list[Note]]:
    blocks: dict[str, Block] = {}
    wholes: dict[str, Whole] = {}
    notes: list[Note] = []
    for form in forms:
        for construct in form.constructs:
            label = construct.label.get("en") or construct.code
            if construct.order == 2:
                wholes.setdefault(construct.code, Whole(construct.code, tuple(construct.dimensions), label))
                continue
            if construct.type == "none" or construct.code in blocks or not construct.items:
                continue
            items = tuple(item for item in construct.items if item in columns)
            if len(items) < len(construct.items):
                notes.append(
                    Note(
                        "validation.items-absent",
                        "info",
                        f"the data have {len(items)} of its {len(construct.items)} items.",
                        construct.code,
                    )
                )
            if items:
                scale = form.scale(construct.scale)
                blocks[construct.code] = Block(
                    construct.code, items, label, form.name, construct.type == "reflective", scale.lowest, scale.highest
                )
    kept = {code: whole for code, whole in wholes.items() if len(whole.parts) > 1 and set(whole.parts) <= blocks.keys()}
    return tuple(blocks.values()), tuple(kept.values()), notes


def _only_asked(
    values: pd.DataFrame, frame: pd.DataFrame, forms: Sequence[Any], blocks: Sequence[Block]
) -> tuple[pd.DataFrame, list[Note]]:
    """Set the answers of respondents who were not asked a block to missing.

    Scoring may give them the lowest code, because the zero is logical; but a heap of equal rows
    would raise every correlation among the items, and nobody answered them.
    """
    notes = []
    for form in forms:
        for routing in form.routing:
            if routing.name not in frame or not pd.api.types.is_numeric_dtype(frame[routing.name]):
                continue
            skipped = (frame[routing.name] == 1).to_numpy(dtype=bool)
            items = [
                item for block in blocks for item in block.items if block.code in routing.skips or item in routing.items
            ]
            if skipped.any() and items:
                values = values.assign(**{item: values[item].mask(skipped) for item in items})
                notes.append(
                    Note(
                        "validation.not-asked",
                        "info",
                        f"{int(skipped.sum())} respondents were not asked {len(items)} items; they do not count there.",
                        routing.name,
                    )
                )
    return values, notes


def _code_notes(values: pd.DataFrame) -> list[Note]:
    notes = []
    for item in values.columns:
        column = values[item].to_numpy(dtype=float)
        code = missing_code(column)
        if code is not None:
            notes.append(
                Note(
                    "validation.missing-code",
                    "warning",
                    f"{int(np.sum(column == code))} answers are {code:g}, far from all others.",
                    str(item),
                    "It looks like a code for a missing answer and counts as a number here.",
                    f"Set {code:g} to missing first.",
                )
            )
    return notes


def _numbers(frame: pd.DataFrame, blocks: Sequence[Block]) -> pd.DataFrame:
    problems = []
    items = list(dict.fromkeys(item for block in blocks for item in block.items))
    values = {}
    for name in items:
        column = frame[name]
        if isinstance(column, pd.DataFrame):
            problems.append(
                Problem(
                    "validation.duplicate-column", f'item "{name}"', "several columns have this name", "one", "Rename."
                )
            )
            continue
        if not (pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column)):
            problems.append(
                Problem(
                    "validation.not-numeric",
                    f'item "{name}"',
                    f"values are of type {column.dtype}",
                    "numbers",
                    "Read the answers with read_responses(), or code them.",
                )
            )
            continue
        values[name] = column.to_numpy(dtype=float, na_value=np.nan)
        if np.isinf(values[name]).any():
            problems.append(
                Problem("validation.infinite", f'item "{name}"', "has infinite values", "finite numbers or missing", "")
            )
    if problems:
        raise SampleError(*problems)
    return pd.DataFrame(values)
