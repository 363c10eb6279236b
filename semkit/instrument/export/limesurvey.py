"""LimeSurvey: the tab-separated survey structure (``.txt``) that "Import survey" reads.

Source: LimeSurvey manual "Tab Separated Value survey structure" (rows S, SL, G, Q, SQ, A; the whole survey in the first
language, then in the others), "Question types", "ExpressionScript - Presentation"; ``Question::rules`` of
LimeSurvey/LimeSurvey for codes.  Conditions are printed from the instrument's structured rules.  Texts are HTML there
and ``{`` begins an expression: both are escaped.
"""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from semkit.instrument.export.figures import figure
from semkit.instrument.export.layout import Form, Part
from semkit.instrument.export.paper import grids
from semkit.instrument.items import Item, Text
from semkit.instrument.questions import Condition, Question, Relevance
from semkit.instrument.short import short_answers, short_names
from semkit.writing import escape, text_cell, write_bytes

COLUMNS = ("id", "related_id", "class", "type/scale", "name", "relevance", "text", "help", "language", "validation",
           "mandatory", "other", "default", "same_default", "em_validation_q", "num_value_int_only",
           "exclude_all_others")  # fmt: skip
_REFUSED = 99
_HEADING = Text("Pernyataan", "Statements")
_INSTRUCTION = Text("Pilih satu jawaban di setiap baris.", "Choose one answer in each row.")
_ENDED = Text("Wawancara berakhir di sini. Terima kasih.", "The interview ends here. Thank you.")

Row = dict[str, str | Text]


def write_limesurvey(form: Form, path: str | os.PathLike[str]) -> Path:
    """Write ``form`` as a LimeSurvey survey structure in all its languages.

    Items with the same answers stand in an array (type F) whose subquestions have the short names of the items; choices
    have numbers.  :func:`semkit.read_responses` knows both.

    Parameters
    ----------
    form : Form
    path : path
        Ends in ``.txt``.

    Returns
    -------
    Path
    """
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, delimiter="\t", lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows([row.get(name, "") for name in COLUMNS] for row in _settings(form))
    rows = list(_survey(form))
    for lang in form.langs:
        for row in rows:
            cells = {name: _html(value.get(lang)) if isinstance(value, Text) else value for name, value in row.items()}
            writer.writerow([{**cells, "language": lang}.get(name, "") for name in COLUMNS])
    return write_bytes(path, b"\xef\xbb\xbf" + stream.getvalue().encode("utf-8", errors="replace"))


def _html(text: str) -> str:
    safe = escape(text).replace("{", "&#123;").replace("}", "&#125;")
    if text_cell(safe) != safe:  # people edit this file in a spreadsheet, which must not calculate it
        first = safe.lstrip()[:1] or safe[:1]
        safe = safe.replace(first, f"&#{ord(first)};", 1)
    return "<br />".join(safe.split("\n")).replace("\t", " ").replace("\r", "")


def _settings(form: Form) -> Iterator[Mapping[str, str]]:
    first, *others = form.langs
    settings = {"language": first, "additional_languages": " ".join(others), "format": "G", "anonymized": "Y",
                "datestamp": "Y", "ipaddr": "N", "refurl": "N", "savetimings": "Y", "allowprev": "Y"}  # fmt: skip
    for name, value in settings.items():
        yield {"class": "S", "name": name, "text": value}
    for lang in form.langs:
        texts = {"surveyls_title": form.whole.title, "surveyls_endtext": _ENDED}
        for name, text in texts.items():
            yield {"class": "SL", "name": name, "text": _html(text.get(lang)), "language": lang}


@dataclass(frozen=True)
class _Codes:
    """Short names, and where the answer to an item or question stands in an expression."""

    names: Mapping[str, str]
    places: Mapping[str, str]
    questions: Mapping[str, Question]
    items: Mapping[str, Item]


def _codes(form: Form) -> _Codes:
    whole = form.whole
    arrays = [f"grid_{part.name}_{n}" for part in form.parts for n, _ in enumerate(grids(part), start=1)]
    own = [*(item.name for item in whole.items), *(question.name for question in whole.questions)]
    notes = [f"note_{part.name}" for part in form.parts]
    names = short_names([*own, *arrays, *notes])
    places = {question.name: names[question.name] for question in whole.questions}
    for part in form.parts:
        for number, grid in enumerate(grids(part), start=1):
            for item in grid:
                places[item.name] = f"{names[f'grid_{part.name}_{number}']}_{names[item.name]}"
    return _Codes(names, places, {one.name: one for one in whole.questions}, {one.name: one for one in whole.items})


def _survey(form: Form) -> Iterator[Row]:
    """Rows of the survey with their texts in all languages; ids are numbered as LimeSurvey's export numbers them."""
    codes = _codes(form)
    gates: list[str] = []
    recorded = {question.name: question for question in form.whole.section("quality")}
    group = question_id = 0

    def numbered(rows: Iterator[Row]) -> Iterator[Row]:
        nonlocal question_id
        parent = ""
        for row in rows:
            if row["class"] in ("Q", "SQ"):
                question_id += 1
                row["id"] = str(question_id)
            if row["class"] == "Q":
                parent = str(question_id)
            else:
                row["related_id"] = parent
                row.setdefault("id", parent)
            yield row

    def opened(title: Text, relevance: str) -> Row:
        nonlocal group
        group += 1
        return {"id": str(group), "class": "G", "type/scale": str(group), "name": title, "relevance": relevance or "1"}

    if "mode" in recorded:
        yield opened(recorded["mode"].text, "1")
        yield from numbered(_question(form, recorded["mode"], codes, (), forced=True))
        if "enumerator" in recorded:
            outside = f'{codes.places["mode"]}.NAOK != "{short_answers(recorded["mode"]).get("self", "")}"'
            yield from numbered(_question(form, recorded["enumerator"], codes, (outside,), forced=True))
    for part in form.parts:
        if part.name in ("consent", "screening"):
            yield opened(part.title, _all(gates))
            for question in part.questions:
                yield from numbered(_question(form, question, codes, tuple(gates)))
                gates += [gate for gate in (_gate(question, codes),) if gate]
        elif part.items:
            skipped = [f"!({_holds(condition, codes)})" for condition in part.skipped]
            yield opened(_HEADING, _all([*gates, *skipped]))
            yield from numbered(_items(form, part, codes))
        else:
            yield opened(part.title, _all(gates))
            for question in part.questions:
                yield from numbered(_question(form, question, codes, ()))


def _items(form: Form, part: Part, codes: _Codes) -> Iterator[Row]:
    """The words read out, then arrays of items with the same answers."""
    lead = Text(*("\n".join(one.get(lang) for one in part.leads) for lang in ("id", "en")))
    if lead:
        name = codes.names[f"note_{part.name}"]
        yield {"class": "Q", "type/scale": "X", "name": name, "relevance": "1", "text": lead}
    for number, grid in enumerate(grids(part), start=1):
        forced = all(_REFUSED in item.special for item in grid)
        yield {"class": "Q", "type/scale": "F", "name": codes.names[f"grid_{part.name}_{number}"], "relevance": "1",
               "text": _INSTRUCTION, "mandatory": "Y" if forced else "N"}  # fmt: skip
        for item in grid:
            skipped = [f"!({_holds(condition, codes)})" for condition in form.skipped_when(item)]
            yield {"class": "SQ", "type/scale": "0", "name": codes.names[item.name], "relevance": _all(skipped) or "1",
                   "text": item.text}  # fmt: skip
        scale = form.whole.scale(grid[0].scale)
        for code, label in zip(scale.codes, scale.labels, strict=True):
            yield {"class": "A", "type/scale": "0", "name": str(code), "relevance": "0", "text": label}
        yield from _specials(form, grid[0].special)


def _specials(form: Form, wanted: Sequence[int], kind: str = "A") -> Iterator[Row]:
    for special in form.whole.specials:
        if special.code in wanted:
            relevance = "0" if kind == "A" else "1"
            yield {"class": kind, "type/scale": "0", "name": str(special.code), "relevance": relevance,
                   "text": special.label}  # fmt: skip


def _question(
    form: Form, question: Question, codes: _Codes, conditions: tuple[str, ...], *, forced: bool = False
) -> Iterator[Row]:
    asked = [*conditions]
    if question.relevance is not None:
        asked.append(_relevant(question.relevance, codes))
    kinds = {"choice": "L", "multiple": "M", "text": "S", "time": "S"}
    must = forced or question.section in ("consent", "screening") or _REFUSED in question.special
    row: Row = {"class": "Q", "type/scale": kinds.get(question.answer, "N"), "name": codes.names[question.name],
                "relevance": _all(asked) or "1", "text": form.captions(question), "mandatory": "Y" if must else "N",
                "other": "N"}  # fmt: skip
    numbers = short_answers(question) if question.choices else {}
    if question.answer == "multiple":
        alone = [numbers[choice.code] for choice in question.choices if choice.exclusive]
        row["exclude_all_others"] = ";".join([*alone, *map(str, question.special)])
    elif not question.choices and question.answer not in ("text", "time"):
        row |= _limits(form, question)
    yield row
    kind = "SQ" if question.answer == "multiple" else "A"
    for choice in question.choices:
        yield {"class": kind, "type/scale": "0", "name": numbers[choice.code],
               "relevance": "1" if kind == "SQ" else "0", "text": choice.label}  # fmt: skip
    if question.choices:
        yield from _specials(form, question.special, kind)


def _limits(form: Form, question: Question) -> Row:
    """Range and special codes of a number."""
    low = 0.0 if question.answer in ("count", "of_ten") and question.minimum is None else question.minimum
    high = 10.0 if question.answer == "of_ten" and question.maximum is None else question.maximum
    parts = [f"this.NAOK >= {figure(low)}"] if low is not None else []
    parts += [f"this.NAOK <= {figure(high)}"] if high is not None else []
    row: Row = {}
    if parts:
        inside = f"({' and '.join(parts)})"
        row["em_validation_q"] = " or ".join(
            ["is_empty(this.NAOK)", inside, *(f"this.NAOK == {code}" for code in question.special)]
        )
    if question.answer in ("count", "of_ten"):
        row["num_value_int_only"] = "1"
    typed = [special for special in form.whole.specials if special.code in question.special]
    if typed:
        row["help"] = Text(*("; ".join(f"{s.code} = {s.label.get(lang)}" for s in typed) for lang in ("id", "en")))
    return row


# --- expressions ------------------------------------------------------------------------------------------------------


def _gate(question: Question, codes: _Codes) -> str:
    """What must hold for the interview to go on; empty when no answer ends it."""
    place = f"{codes.places[question.name]}.NAOK"
    if question.choices and any(choice.ends for choice in question.choices):
        numbers = short_answers(question)
        ending = [numbers[choice.code] for choice in question.choices if choice.ends]
        if question.answer == "multiple":
            return _all([f'{codes.places[question.name]}_{number}.NAOK != "Y"' for number in ending])
        return _all([f"!is_empty({place})", *(f'{place} != "{number}"' for number in ending)])
    if question.min_required is not None:
        return f"!is_empty({place}) and {place} >= {figure(question.min_required)}"
    return ""


def _relevant(relevance: Relevance, codes: _Codes) -> str:
    joined = " or " if relevance.match == "any" else " and "
    return joined.join(f"({_holds(condition, codes)})" for condition in relevance.conditions)


def _holds(condition: Condition, codes: _Codes) -> str:
    name = condition.question
    question, item = codes.questions.get(name), codes.items.get(name)
    place = f"{codes.places[name]}.NAOK"
    special = item.special if item is not None else question.special if question is not None else ()
    multiple = question is not None and question.answer == "multiple"
    if condition.unanswered:
        if multiple and question is not None:
            ticked = [f'{codes.places[name]}_{number}.NAOK != "Y"' for number in short_answers(question).values()]
            return " and ".join(ticked)
        return " or ".join([f"is_empty({place})", *(f'{place} == "{code}"' for code in special)])
    if condition.any_of:
        numbers = short_answers(question) if question is not None and question.choices else {}
        chosen = [numbers.get(code, code) for code in condition.any_of]
        if multiple:
            return " or ".join(f'{codes.places[name]}_{number}.NAOK == "Y"' for number in chosen)
        return " or ".join(f'{place} == "{number}"' for number in chosen)
    parts = [f"!is_empty({place})"]
    parts += [f"{place} >= {figure(condition.at_least)}"] if condition.at_least is not None else []
    parts += [f"{place} <= {figure(condition.at_most)}"] if condition.at_most is not None else []
    return " and ".join([*parts, *(f"{place} != {code}" for code in special)])


def _all(conditions: Sequence[str]) -> str:
    parts = [condition for condition in conditions if condition]
    return parts[0] if len(parts) == 1 else " and ".join(f"({part})" for part in parts)
