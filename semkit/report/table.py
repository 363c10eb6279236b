"""Tables: raw values with a description of how each column is printed; every change makes a new table.

The same table prints as HTML (rounded, escaped), as text (rounded) and as CSV (raw numbers in full, formulas
neutralised).

Examples
--------
>>> table = Table.of([("name", "Parameter", "text"), ("est", "Estimate", "number")], caption="Paths")
>>> print(table.add(name="b1", est=0.254).text())
Paths
Parameter  Estimate
b1             0.25
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from semkit.report import rounding
from semkit.writing import write_csv

Kind = Literal[
    "text", "words", "code", "number", "raw3", "std", "std3", "p", "count", "share", "interval", "std_interval",
    "std3_interval", "verdict",
]  # fmt: skip
Tone = Literal["good", "warn", "fail", "soft", ""]


@dataclass(frozen=True, slots=True)
class Column:
    """One column: ``key`` in the rows, printed ``title``, ``kind`` of number, ``group`` = title spanning neighbours.

    Kinds: ``words`` for long texts; ``number`` and ``raw3`` two and three decimals with leading zero; ``std`` and
    ``std3`` two and three without; the interval kinds take a (lower, upper) pair (``interval``: three decimals).
    """

    key: str
    title: str
    kind: Kind = "text"
    group: str = ""

    def show(self, value: Any) -> str:
        """Print one value of this column; a text stays as it is whatever the kind."""
        if isinstance(value, str):
            return value
        match self.kind:
            case "number":
                return rounding.number(value)
            case "raw3":
                return rounding.number(value, 3)
            case "std":
                return rounding.number(value, leading=False)
            case "std3":
                return rounding.number(value, 3, leading=False)
            case "p":
                return rounding.pvalue(value)
            case "count":
                return rounding.count(value)
            case "share":
                return rounding.share(value)
            case "interval" | "std_interval" | "std3_interval":
                lower, upper = value if isinstance(value, tuple) else (None, None)
                digits = 2 if self.kind == "std_interval" else 3
                return rounding.interval(lower, upper, digits, leading=self.kind == "interval")
            case _:
                return rounding.ABSENT if value is None or pd.isna(value) else str(value)

    @property
    def numeric(self) -> bool:
        """Whether the column is aligned right."""
        return self.kind not in ("text", "words", "code", "verdict")


@dataclass(frozen=True, slots=True)
class Row:
    """One row: values by column key, marks by column key (tone, words), or a heading over the rows that follow."""

    values: Mapping[str, Any]
    marks: Mapping[str, tuple[Tone, str]]
    heading: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """An immutable table.

    Parameters
    ----------
    columns : tuple of Column
    rows : tuple of Row
    caption : str
    notes : tuple of str
        Printed under the table.
    """

    columns: tuple[Column, ...]
    rows: tuple[Row, ...] = ()
    caption: str = ""
    notes: tuple[str, ...] = ()

    @classmethod
    def of(cls, columns: Iterable[Sequence[Any]], *, caption: str = "") -> Table:
        """Start a table from ``(key, title, kind, group)`` tuples; kind and group may be left out."""
        return cls(tuple(Column(*column) for column in columns), caption=caption)

    def add(self, marks: Mapping[str, tuple[Tone, str]] | None = None, /, **values: Any) -> Table:
        """Return the table with one more row."""
        return replace(self, rows=(*self.rows, Row(values, marks or {})))

    def heading(self, text: str) -> Table:
        """Return the table with a heading over the rows to come."""
        return replace(self, rows=(*self.rows, Row({}, {}, text)))

    def note(self, *texts: str) -> Table:
        """Return the table with notes under it."""
        return replace(self, notes=(*self.notes, *texts))

    @property
    def groups(self) -> tuple[tuple[str, int], ...]:
        """Spanning titles as (title, number of columns); empty when no column has one."""
        out: list[tuple[str, int]] = []
        for column in self.columns:
            if out and column.group and out[-1][0] == column.group:
                out[-1] = (column.group, out[-1][1] + 1)
            else:
                out.append((column.group, 1))
        return tuple(out) if any(title for title, _ in out) else ()

    def html(self) -> str:
        """The table as escaped HTML inside a box that scrolls on its own."""
        from semkit.report.pages import render

        return render("table.html.j2", table=self)

    def text(self) -> str:
        """The table as plain text in columns."""
        lines = [[column.title for column in self.columns]]
        lines += [[column.show(row.values.get(column.key)) for column in self.columns]
                  for row in self.rows if not row.heading]  # fmt: skip
        widths = [max(len(line[i]) for line in lines) for i in range(len(self.columns))]
        body = [
            "  ".join(
                part.rjust(width) if column.numeric else part.ljust(width)
                for part, width, column in zip(line, widths, self.columns, strict=True)
            ).rstrip()
            for line in lines
        ]
        return "\n".join([self.caption, *body, *self.notes] if self.caption else [*body, *self.notes])

    @property
    def frame(self) -> pd.DataFrame:
        """Raw values, one row a row; intervals as two columns, headings as a first column ``section``."""
        records: list[dict[str, Any]] = []
        section = ""
        sections = any(row.heading for row in self.rows)
        for row in self.rows:
            if row.heading:
                section = row.heading
                continue
            record: dict[str, Any] = {"section": section} if sections else {}
            for column in self.columns:
                value = row.values.get(column.key)
                if column.kind.endswith("interval"):
                    pair = value if isinstance(value, tuple) else (None, None)
                    record[f"{column.key}_lower"], record[f"{column.key}_upper"] = pair
                else:
                    record[column.key] = value
            records.append(record)
        return pd.DataFrame(records)

    def csv(self, path: str | os.PathLike[str]) -> Path:
        """Write the raw values as CSV: numbers in full, texts neutralised, 'not estimated' as an empty cell."""
        frame = self.frame
        rows = (tuple(None if pd.isna(v) else v for v in row) for row in frame.itertuples(index=False, name=None))
        return write_csv(path, [str(name) for name in frame.columns], rows)
