"""What was answered: frozen records of a data file and of where each column came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pandas as pd

from semkit.errors import Note, Problem
from semkit.instrument import Instrument

Platform = Literal["kobo", "odk", "google_forms", "limesurvey", "qualtrics", "spss", "stata", "entry", "plain"]
How = Literal["mapping", "name", "path", "label", "grid", "known"]
Kind = Literal["item", "question", "option", "quality", "metadata", "personal", "set_aside", "unmatched"]


@dataclass(frozen=True, slots=True)
class Limits:
    """How large a data file may be; beyond it reading stops before memory does.

    Parameters
    ----------
    bytes : int
        Size of the file (XLSX: unpacked).
    rows, columns : int
    cell : int
        Characters of one cell.
    """

    bytes: int = 200_000_000
    rows: int = 1_000_000
    columns: int = 5_000
    cell: int = 32_767


@dataclass(frozen=True, slots=True)
class Source:
    """Where a column of the file went.

    Parameters
    ----------
    header : str
        As written in the file.
    position : int
        Column number in the file, from 1.
    kind : str
        ``item``, ``question``, ``option`` (one choice of a select-multiple question), ``quality``, ``metadata`` of the
        platform, ``personal`` (never used), ``set_aside`` (by the mapping), ``unmatched``.
    target : str
        Name of the item, question or quality field; empty when the column is not used.
    option : str
        Code of the choice, for kind ``option``.
    how : str
        ``mapping`` (the user said so), ``name``, ``path`` (name or label after a group prefix), ``label``, ``grid``
        (``Question [row]``), ``known`` (metadata).
    """

    header: str
    position: int
    kind: Kind
    target: str = ""
    option: str = ""
    how: How = "known"


@dataclass(frozen=True, eq=False)
class Responses:
    """Answers as they came, and as codes.

    Parameters
    ----------
    raw : DataFrame (n, columns of the file that are not personal)
        Every cell as text; index ``respondent`` is the row in the file (the header is row 1; in SPSS and Stata files
        the number of the case).
    coded : DataFrame (n, items and questions)
        Items and numbers as floats (special codes such as 97 kept, empty cells NaN), choices as option codes
        (None when empty), select-multiple questions as one 0/1 column per choice named ``question/choice``.
    quality : DataFrame (n, 8)
        ``start``, ``end``, ``duration_s``, ``mode``, ``enumerator``, ``lang``, ``form_version``, ``device_hash``;
        missing where the file has none.
    declared : DataFrame (n, items and questions) of bool
        Cells that held a missing code the user declared (``missing=``); they are NaN or None in ``coded``.
    forms : tuple of Instrument
    sources : tuple of Source
        One per column of the file.
    problems : tuple of Problem
        What did not stop the reading: unmatched columns, questions without a column; with ``strict=False`` everything.
    notes : tuple of Note
    platform : str
        ``kobo``, ``odk``, ``google_forms``, ``limesurvey``, ``qualtrics``, ``spss``, ``stata``, ``entry`` (semkit's
        data-entry workbook) or ``plain``: told by the structure of the file. It decides which columns are metadata,
        that KoboToolbox and ODK write decimal points, and that LimeSurvey and Qualtrics use the short codes of
        semkit's exports beside names and labels.
    synthetic : bool
        Whether the rows carry the marker of invented data.
    path : Path or None
    sha256 : str
        Of the file's bytes; of the text of the frame when no file was read.
    encoding, delimiter : str
        Empty for a workbook or a frame.
    personal : DataFrame (n, columns that look personal)
        Never printed, analysed or exported; :func:`semkit.responses.write_restricted` writes them to their own file.
    origin : DataFrame (n, file and row) or None
        Where each respondent came from, when files were stacked.

    Examples
    --------
    >>> import pandas as pd
    >>> from semkit import load_instrument, read_responses
    >>> form = load_instrument("marketing_performance")
    >>> answers = pd.DataFrame({item.name: ["3", "4"] for item in form.items})
    >>> read_responses(answers, form).coded["mp_sal_1"].tolist()
    [3.0, 4.0]
    """

    raw: pd.DataFrame
    coded: pd.DataFrame
    quality: pd.DataFrame
    declared: pd.DataFrame
    forms: tuple[Instrument, ...]
    sources: tuple[Source, ...]
    problems: tuple[Problem, ...] = ()
    notes: tuple[Note, ...] = ()
    platform: Platform = "plain"
    synthetic: bool = False
    path: Path | None = None
    sha256: str = ""
    encoding: str = ""
    delimiter: str = ""
    options: Mapping[str, object] = field(default_factory=dict)
    personal: pd.DataFrame = field(default_factory=pd.DataFrame, repr=False)
    origin: pd.DataFrame | None = None

    @property
    def kept(self) -> tuple[Source, ...]:
        """Sources of the columns of ``raw``, in their order: all but the personal ones."""
        return tuple(source for source in self.sources if source.kind != "personal")

    @property
    def n(self) -> int:
        """Number of rows received."""
        return len(self.raw)

    def text_of(self, name: str) -> pd.Series | None:
        """Text as read of the column that holds an item or question; None when no single column does."""
        found = [place for place, one in enumerate(self.kept) if one.target == name and not one.option]
        if len(found) > 1 and self.origin is not None:  # each file had its own header for it
            together = self.raw.iloc[:, found]
            return together.where(together != "").bfill(axis=1).iloc[:, 0].fillna("")
        return self.raw.iloc[:, found[0]] if len(found) == 1 else None

    @property
    def columns(self) -> pd.DataFrame:
        """Where each column of the file went, as a table."""
        return pd.DataFrame(
            [(s.position, s.header, s.kind, s.target, s.option, s.how) for s in self.sources],
            columns=["position", "header", "kind", "target", "option", "how"],
        )

    def __repr__(self) -> str:
        used = sum(source.kind in ("item", "question", "option", "quality") for source in self.sources)
        banner = " SYNTHETIC DATA, no respondent exists;" if self.synthetic else ""
        name = self.path.name if self.path else "frame"
        return (
            f"<Responses {name}:{banner} {self.n} respondents, {used} of {len(self.sources)} columns used, "
            f"{self.platform}, {len(self.problems)} problems, {len(self.notes)} notes>"
        )

    def _repr_html_(self) -> str:
        from semkit.writing import table

        counts = self.columns["kind"].value_counts()
        name = self.path.name if self.path else "frame"
        rows: list[tuple[str, object]] = [("respondents", self.n), ("platform", self.platform)]
        rows += [("SHA-256", self.sha256)]
        rows += [(f"columns: {kind}", int(count)) for kind, count in counts.items()]
        rows += [(problem.code, str(problem)) for problem in self.problems]
        rows += [(note.code, str(note)) for note in self.notes]
        banner = "<p><strong>Synthetic data: invented, no respondent exists.</strong></p>" if self.synthetic else ""
        return f'<div class="semkit">{banner}{table(("responses", name), rows)}</div>'
