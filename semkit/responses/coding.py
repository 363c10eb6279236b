"""All columns of a sheet to codes, by the kind of their question."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from semkit.errors import Note, Problem
from semkit.instrument import Instrument, Item, Question
from semkit.instrument.short import short_answers
from semkit.responses.answers import (
    Cells,
    Options,
    code_choices,
    code_item,
    code_multiple,
    code_number,
    code_ticks,
    item_options,
    make_cells,
    question_options,
)
from semkit.responses.numbers import Decimal, parse_number, whole
from semkit.responses.platforms import QUALITY
from semkit.responses.privacy import numbered
from semkit.responses.records import Source
from semkit.responses.sheet import Sheet, place
from semkit.responses.targets import Targets, fold

NUMBERS = frozenset(("count", "number", "amount", "percent", "of_ten"))
_ISO = re.compile(r"^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?)?([+-]\d{2}:?\d{2}|Z)?$")


@dataclass(frozen=True, eq=False)
class Coded:
    """Codes of all items and questions, and what was wrong on the way."""

    frame: pd.DataFrame
    declared: pd.DataFrame
    serious: list[Problem] = field(default_factory=list)
    slight: list[Problem] = field(default_factory=list)


def code_sheet(
    table: Sheet,
    sources: Sequence[Source],
    form: Instrument,
    targets: Targets,
    missing: frozenset[str],
    decimal: Decimal | None,
    lang: str | None,
    *,
    short: bool = False,
    unseen: frozenset[str] = frozenset(),
) -> Coded:
    """Turn every matched column into codes.

    Parameters
    ----------
    table : Sheet
    sources : sequence of Source
    form : Instrument
        The forms combined.
    targets : Targets
    missing : frozenset of str
        Folded texts declared to mean "no answer".
    decimal : str, optional
    lang : str, optional
    short : bool
        Whether the numbers of semkit's exports for LimeSurvey and Qualtrics count.
    unseen : frozenset of str
        Folded texts by which the platform says that a question was not answered; a number that somebody typed is none.

    Returns
    -------
    Coded
        Columns in the order of the instruments, whatever their order in the file.
    """
    work = _Work(table, form, missing, decimal, lang, short, unseen)
    by_target: dict[str, list[Source]] = {}
    for source in sources:
        if source.kind in ("item", "question", "option"):
            by_target.setdefault(source.target, []).append(source)
    for name, item in targets.items.items():
        for source in by_target.get(name, [])[:1]:
            work.item(item, source)
    for name, question in targets.questions.items():
        if name in by_target and question.section != "quality":
            work.question(question, by_target[name])
    index = pd.Index(table.rows, name="respondent")
    return Coded(
        pd.DataFrame(work.columns, index=index),
        pd.DataFrame(work.gone, index=index, dtype=bool),
        work.serious,
        work.slight,
    )


class _Work:
    """Gathers columns and problems while the sheet is walked through once."""

    def __init__(
        self,
        table: Sheet,
        form: Instrument,
        missing: frozenset[str],
        decimal: Decimal | None,
        lang: str | None,
        short: bool,
        unseen: frozenset[str],
    ) -> None:
        self.table, self.form, self.missing, self.decimal, self.lang = table, form, missing, decimal, lang
        self.short, self.unseen = short, unseen
        self.columns: dict[str, np.ndarray] = {}
        self.gone: dict[str, np.ndarray] = {}
        self.serious: list[Problem] = []
        self.slight: list[Problem] = []

    def cells(self, source: Source, options: Options | None = None, *, typed: bool = False) -> Cells:
        """Cells of a column; value labels of the file speak where they are words of the question.

        ``typed``: the respondent wrote a number, so a number never means "not answered".
        """
        where = f'{self.table.where}, column "{source.header}"'
        place_ = source.position - 1
        meanings = {
            text: known
            for text, label in self.table.meanings.get(place_, {}).items()
            if (known := self.meaning(label, options))
        } | dict(self.table.recodes.get(place_, {}))
        unseen = {text for text in self.unseen if not typed or whole(text) is None}
        gone = self.missing | unseen | (self.table.missing.get(place_, frozenset()) - meanings.keys())
        return make_cells(where, self.table.cells[place_], self.table.rows, frozenset(gone), meanings)

    def meaning(self, label: str, options: Options | None) -> str:
        """Code that a value label stands for; empty when it is no word of the question."""
        if options is None:
            words = fold(label)
            specials = [str(o.code) for o in self.form.specials if words in (fold(o.label.id), fold(o.label.en))]
            return specials[0] if len(specials) == 1 else ""
        found = options.find(label) or options.cut(label)
        return found[0] if len(found) == 1 else ""

    def item(self, item: Item, source: Source) -> None:
        options = item_options(item, self.form, self.lang)
        cells = self.cells(source, options)
        self.columns[item.name], problems = code_item(cells, options)
        self.gone[item.name] = cells.is_declared
        self.serious += problems

    def question(self, question: Question, sources: list[Source]) -> None:
        if question.answer == "multiple":
            self.multiple(question, sources)
            return
        source = sources[0]
        if question.answer in ("text", "time"):
            return  # free text may hold anything about a person: it stays in the raw file
        options = question_options(question, self.form, self.lang, short=self.short)
        chosen = question.answer == "choice"
        cells = self.cells(source, options if chosen else None, typed=not chosen)
        self.gone[question.name] = cells.is_declared
        if question.answer == "choice":
            codes, problems = code_choices(cells, options)
            self.columns[question.name] = cells.spread_objects(codes)
            self.serious += problems
            return
        decimal = "." if source.position - 1 in self.table.machine else self.decimal
        values, serious, slight = code_number(cells, question, frozenset(question.special), decimal)
        self.columns[question.name] = values
        self.serious += serious
        self.slight += slight

    def multiple(self, question: Question, sources: list[Source]) -> None:
        """One column, a column per choice, or both (then both must say the same)."""
        options = question_options(question, self.form, self.lang, short=self.short)
        names = [choice.code for choice in question.choices]
        together = [source for source in sources if not source.option]
        apart = {source.option: source for source in sources if source.option}
        gone = np.zeros(self.table.n, dtype=bool)
        ticks = np.full((self.table.n, len(names)), np.nan)
        if apart:
            for place_, name in enumerate(names):
                if name in apart:
                    cells = self.cells(apart[name])
                    ticks[:, place_], problems = code_ticks(cells, _words(question, name, self.short))
                    gone |= cells.is_declared
                    self.serious += problems
            answered = ~np.isnan(ticks).all(axis=1)
            ticks = np.where(answered[:, None] & np.isnan(ticks), 0.0, ticks)
        for source in together[:1]:
            cells = self.cells(source, options)
            joined, problems = code_multiple(cells, question, options)
            gone |= cells.is_declared
            if not apart:
                ticks, self.serious = joined, self.serious + problems
                continue
            both = ~np.isnan(joined).any(axis=1) & ~np.isnan(ticks).any(axis=1)
            clash = self.table.rows[both & (np.nan_to_num(joined) != np.nan_to_num(ticks)).any(axis=1)]
            if clash.size:
                self.serious.append(
                    Problem(
                        "responses.contradicting-columns",
                        f"{cells.where}, {place(clash)}",
                        "it says something else than the columns of the single choices",
                        "the same choices in both",
                        f"Set one of them aside: mapping={{{source.position}: None}}.",
                    )
                )
        self._exclusive(question, names, ticks)
        for place_, name in enumerate(names):
            self.columns[f"{question.name}/{name}"] = ticks[:, place_]
        self.gone[question.name] = gone

    def _exclusive(self, question: Question, names: list[str], ticks: np.ndarray) -> None:
        for choice in question.choices:
            if choice.exclusive:
                mine = np.nan_to_num(ticks[:, names.index(choice.code)]) == 1.0
                rows = self.table.rows[mine & (np.nansum(ticks, axis=1) > 1)]
                if rows.size:
                    self.slight.append(
                        Problem(
                            "responses.exclusive-choice",
                            f'{self.table.where}, question "{question.name}", {place(rows)}',
                            f'"{choice.code}" was chosen together with other choices',
                            f'"{choice.code}" alone',
                            "Look at these interviews; the answer is kept as it is.",
                        )
                    )


def _words(question: Question, code: str, short: bool) -> frozenset[str]:
    """Folded code, labels and number of one choice, which some tools write where it was chosen."""
    choice = question.choice(code)
    words = {fold(code), fold(choice.label.id), fold(choice.label.en)} - {"", "0"}
    return frozenset(words | ({short_answers(question)[code]} if short else set()))


def quality_frame(
    table: Sheet, sources: Sequence[Source], targets: Targets, form: Instrument
) -> tuple[pd.DataFrame, list[Note]]:
    """Quality fields of the form: times, duration, mode, enumerator, language, version, device.

    Interviewers who are named are numbered; their names stay in the restricted column.
    ``duration_s`` is the field of that name, else ``end - start`` where both are ISO times.

    Returns
    -------
    frame : DataFrame (n, 8)
    notes : list of Note
        ``responses.unreadable-time``, ``responses.bad-duration``, ``responses.unknown-mode``.
    """
    index = pd.Index(table.rows, name="respondent")
    frame = pd.DataFrame(index=index)
    notes: list[Note] = []
    found = {source.target: source for source in sources if source.kind == "quality"}
    for name in QUALITY:
        texts = pd.Series([""] * table.n, index=index, dtype=object)
        if name in found:
            texts = pd.Series(table.cells[found[name].position - 1], index=index, dtype=object).str.strip()
        if name in ("start", "end"):
            iso = texts.where(texts.map(lambda text: bool(_ISO.match(text))), "")
            frame[name] = pd.to_datetime(iso.where(iso != "", None), utc=True, errors="coerce", format="ISO8601")
            lost = int((texts.ne("") & frame[name].isna()).sum())
            if lost:
                notes.append(
                    Note(
                        "responses.unreadable-time",
                        "info",
                        f"{lost} times are no ISO times and were not read",
                        f'column "{found[name].header}"',
                        "",
                        "Export times as 2026-05-31T09:30:00.",
                    )
                )
        elif name == "duration_s":
            parsed = [parse_number(text, ".") if text else np.nan for text in texts]
            frame[name] = np.array([np.nan if isinstance(one, str) else one for one in parsed], dtype=float)
        elif name in ("mode", "lang") and name in targets.questions:
            cells = make_cells(name, texts.to_numpy(dtype=object), table.rows, frozenset())
            codes, wrong = code_choices(cells, question_options(targets.questions[name], form, None))
            frame[name] = cells.spread_objects(codes)
            notes += [
                Note("responses.unknown-mode", "warning", one.what, one.where, "", f"Known: {one.allowed}.")
                for one in wrong
            ]
        elif name in ("mode", "lang"):
            frame[name] = texts.str.casefold().where(texts != "", None)
        else:
            frame[name] = texts.where(texts != "", None)
    named = next((source for source in sources if source.kind == "personal" and source.target == "enumerator"), None)
    if named is not None:
        frame["enumerator"] = pd.Series(numbered(table.cells[named.position - 1].tolist()), index=index, dtype=object)
    elapsed = (frame["end"] - frame["start"]).dt.total_seconds()
    frame["duration_s"] = frame["duration_s"].fillna(elapsed)
    negative = frame["duration_s"] < 0
    if bool(negative.any()):
        rows = index[negative.to_numpy()].to_numpy()
        notes.append(
            Note(
                "responses.bad-duration",
                "warning",
                f"{len(rows)} interviews end before they start ({place(rows)})",
                "duration_s",
                "The clock of a device was wrong.",
                "Their duration counts as unknown.",
            )
        )
        frame.loc[negative, "duration_s"] = np.nan
    return frame, notes
