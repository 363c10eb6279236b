"""XLSForm: the workbook that KoboToolbox, ODK, SurveyCTO and Ona read.

Source: XLSForm.org reference ("Question types", "Relevant", "Constraints", "Grouping questions", "Multiple language
support", "Settings worksheet", "Metadata") and the ODK XForms specification for functions of expressions.  Every
expression is printed from the instrument's structured rules; no text of an instrument ever stands in one.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from semkit.errors import InstrumentFileError, Problem
from semkit.instrument.export.figures import figure
from semkit.instrument.export.layout import Form, Part
from semkit.instrument.items import Item, Text
from semkit.instrument.questions import Condition, Question, Relevance
from semkit.writing import write_xlsx

_LANGUAGES = {"id": "Bahasa Indonesia (id)", "en": "English (en)"}
_COLUMNS = ("type", "name", "label", "hint", "required", "relevant", "constraint", "constraint_message",
            "calculation", "appearance")  # fmt: skip
_TRANSLATED = ("label", "hint", "constraint_message")
_TYPES = {"count": "integer", "of_ten": "integer", "number": "decimal", "amount": "decimal", "percent": "decimal",
          "text": "text", "time": "time"}  # fmt: skip
_REFUSED = 99
_ENDED = Text("Wawancara berakhir di sini. Terima kasih.", "The interview ends here. Thank you.")
_RANGE = Text("Periksa kembali jawaban ini.", "Please check this answer.")
_HEADING = Text("Pernyataan", "Statements")
_INSTRUCTION = Text("Pilih satu jawaban di setiap baris.", "Choose one answer in each row.")
_ALONE = Text("Pilihan ini tidak dapat digabung dengan pilihan lain.", "This answer cannot go with another one.")

Row = dict[str, str | Text]


def write_xlsform(form: Form, path: str | os.PathLike[str]) -> Path:
    """Write ``form`` as an XLSForm workbook with the sheets ``survey``, ``choices`` and ``settings``.

    Parameters
    ----------
    form : Form
    path : path
        Ends in ``.xlsx``.

    Returns
    -------
    Path

    Raises
    ------
    InstrumentFileError
        ``instrument.reserved-name``.
    MissingExtraError
        ``writing.openpyxl-missing``.
    """
    rows = list(_survey(form))
    _check_names(form, [str(row["name"]) for row in rows if "name" in row])
    survey = [_cells(row, _COLUMNS, form.langs) for row in rows]
    choices = [_cells(row, ("list_name", "name", "label"), form.langs) for row in _choices(form)]
    settings = {
        "form_title": form.whole.title.get(form.langs[0]),
        "form_id": form.name,
        "version": form.whole.version,
        "default_language": _LANGUAGES[form.langs[0]],
    }
    return write_xlsx(
        path,
        {
            "survey": (_header(_COLUMNS, form.langs), survey),
            "choices": (_header(("list_name", "name", "label"), form.langs), choices),
            "settings": (tuple(settings), [tuple(settings.values())]),
        },
    )


def _check_names(form: Form, names: Sequence[str]) -> None:
    """A question may not have the name of one of the form's own groups, notes and fields."""
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise InstrumentFileError(
            *(
                Problem(
                    "instrument.reserved-name",
                    f'instrument "{form.whole.name}", "{name}"',
                    "the form needs this name for a part of its own",
                    "names that do not begin with part_, grid_ or note_",
                    "Rename the question or item.",
                )
                for name in twice
            )
        )


def _header(columns: Sequence[str], langs: Sequence[str]) -> list[str]:
    header: list[str] = []
    for name in columns:
        header += [f"{name}::{_LANGUAGES[lang]}" for lang in langs] if name in _TRANSLATED else [name]
    return header


def _cells(row: Row, columns: Sequence[str], langs: Sequence[str]) -> list[str]:
    cells: list[str] = []
    for name in columns:
        value = row.get(name, "")
        if name in _TRANSLATED:
            cells += [value.get(lang) if isinstance(value, Text) else "" for lang in langs]
        else:
            cells.append(str(value))
    return cells


# --- survey -----------------------------------------------------------------------------------------------------------


def _survey(form: Form) -> Iterator[Row]:
    yield {"type": "start", "name": "start_time"}
    yield {"type": "end", "name": "end_time"}
    yield {"type": "audit", "name": "audit"}
    recorded = {question.name: question for question in form.whole.section("quality")}
    if "form_version" in recorded:
        yield {"type": "calculate", "name": "form_version", "calculation": f"'{_literal(form.whole.version)}'"}
    if "mode" in recorded:
        yield _question(form, recorded["mode"], ()) | {"required": "yes"}
        if "enumerator" in recorded:
            yield _question(form, recorded["enumerator"], ("${mode} != 'self'",)) | {"required": "yes"}
    gates: list[str] = []
    for part in form.parts:
        if part.name in ("consent", "screening"):
            yield {"type": "begin_group", "name": f"part_{part.name}", "label": part.title}
            for question in part.questions:
                yield _question(form, question, tuple(gates))
                gates += [gate for gate in (_gate(question),) if gate]
            yield {"type": "end_group"}
        elif part.items:
            yield from _items(form, part, gates)
        else:
            yield {"type": "begin_group", "name": f"part_{part.name}", "label": part.title, "relevant": _all(gates)}
            for question in part.questions:
                yield _question(form, question, ())
            yield {"type": "end_group"}
    if gates:
        yield {"type": "note", "name": "note_ended", "label": _ENDED, "relevant": f"not({_all(gates)})"}
    if "duration_s" in recorded:
        passed = "(decimal-date-time(now()) - decimal-date-time(${start_time})) * 86400"
        yield {"type": "calculate", "name": "duration_s", "calculation": f"int({passed})"}


def _items(form: Form, part: Part, gates: Sequence[str]) -> Iterator[Row]:
    """A part of items: what is read out, then grids of items with the same answers (``table-list``)."""
    conditions = [*gates, *(f"not({_holds(form, condition)})" for condition in part.skipped)]
    yield {"type": "begin_group", "name": f"part_{part.name}", "label": _HEADING, "relevant": _all(conditions)}
    for number, lead in enumerate(part.leads, start=1):
        yield {"type": "note", "name": f"note_{part.name}_{number}", "label": lead}
    for number, grid in enumerate(_grids(part.items), start=1):
        name = f"grid_{part.name}_{number}"
        yield {"type": "begin_group", "name": name, "label": _INSTRUCTION, "appearance": "table-list"}
        for item in grid:
            skipped = [f"not({_holds(form, condition)})" for condition in form.skipped_when(item)]
            yield {
                "type": f"select_one {_list_of(item)}",
                "name": item.name,
                "label": item.text,
                "required": "yes" if _REFUSED in item.special else "",
                "relevant": _all(skipped),
            }
        yield {"type": "end_group"}
    yield {"type": "end_group"}


def _grids(items: Sequence[Item]) -> Iterator[list[Item]]:
    """Neighbours with the same list of answers; a grid can have only one."""
    grid: list[Item] = []
    for item in items:
        if grid and _list_of(grid[-1]) != _list_of(item):
            yield grid
            grid = []
        grid.append(item)
    if grid:
        yield grid


def _question(form: Form, question: Question, conditions: tuple[str, ...]) -> Row:
    listed = "_".join((question.name, "answers"))
    kinds = {"choice": f"select_one {listed}", "multiple": f"select_multiple {listed}"}
    asked = [*conditions]
    if question.relevance is not None:
        asked.append(_relevant(form, question.relevance))
    constraint, message = _constraint(question)
    forced = question.section in ("consent", "screening") or _REFUSED in question.special
    row: Row = {
        "type": kinds.get(question.answer) or _TYPES[question.answer],
        "name": question.name,
        "label": question.text,
        "required": "yes" if forced else "",
        "relevant": _all(asked),
        "constraint": constraint,
    }
    if constraint:
        row["constraint_message"] = message
    typed = [special for special in form.whole.specials if special.code in question.special]
    if typed and not question.choices:
        row["hint"] = Text(*("; ".join(f"{s.code} = {s.label.get(lang)}" for s in typed) for lang in ("id", "en")))
    return row


# --- expressions ------------------------------------------------------------------------------------------------------


def _gate(question: Question) -> str:
    """What must hold for the interview to go on; empty when no answer ends it."""
    place = f"${{{question.name}}}"
    ending = [choice.code for choice in question.choices if choice.ends]
    if ending and question.answer == "multiple":
        return _all([f"{place} != ''", *(f"not(selected({place}, '{code}'))" for code in ending)])
    if ending:
        return _all([f"{place} != ''", *(f"{place} != '{code}'" for code in ending)])
    if question.min_required is not None:
        return f"{place} >= {figure(question.min_required)}"
    return ""


def _relevant(form: Form, relevance: Relevance) -> str:
    parts = [_holds(form, condition) for condition in relevance.conditions]
    return parts[0] if len(parts) == 1 else (" or " if relevance.match == "any" else " and ").join(
        f"({part})" for part in parts
    )  # fmt: skip


def _holds(form: Form, condition: Condition) -> str:
    place = f"${{{condition.question}}}"
    item = next((item for item in form.whole.items if item.name == condition.question), None)
    question = next((one for one in form.whole.questions if one.name == condition.question), None)
    special = item.special if item is not None else question.special if question is not None else ()
    if condition.unanswered:
        return " or ".join([f"{place} = ''", *(f"{place} = '{code}'" for code in special)])
    if condition.any_of:
        multiple = question is not None and question.answer == "multiple"
        form_of = "selected({0}, '{1}')" if multiple else "{0} = '{1}'"
        return " or ".join(form_of.format(place, code) for code in condition.any_of)
    parts = [f"{place} != ''"]
    if condition.at_least is not None:
        parts.append(f"{place} >= {figure(condition.at_least)}")
    if condition.at_most is not None:
        parts.append(f"{place} <= {figure(condition.at_most)}")
    parts += [f"{place} != {code}" for code in special]  # a special code is no number to compare
    return " and ".join(parts)


def _constraint(question: Question) -> tuple[str, Text]:
    alone = [choice.code for choice in question.choices if choice.exclusive] + [str(code) for code in question.special]
    if question.answer == "multiple" and alone:
        chosen = " or ".join(f"selected(., '{code}')" for code in alone)
        return f"not(({chosen}) and count-selected(.) > 1)", _ALONE
    if question.choices or question.answer not in _TYPES or question.answer in ("text", "time"):
        return "", _RANGE
    low = 0.0 if question.answer in ("count", "of_ten") and question.minimum is None else question.minimum
    high = 10.0 if question.answer == "of_ten" and question.maximum is None else question.maximum
    limits = [f". >= {figure(low)}"] if low is not None else []
    limits += [f". <= {figure(high)}"] if high is not None else []
    if not limits:
        return "", _RANGE
    inside = " and ".join(limits)
    specials = "".join(f" or . = {code}" for code in question.special)
    return (f"({inside}){specials}" if specials else inside), _RANGE


def _all(conditions: Sequence[str]) -> str:
    parts = [condition for condition in conditions if condition]
    return parts[0] if len(parts) == 1 else " and ".join(f"({part})" for part in parts)


def _literal(text: str) -> str:
    """Characters that can stand in a quoted expression; a version is a stranger's text."""
    return "".join(sign for sign in text if sign.isalnum() or sign in "._+-")


# --- choices ----------------------------------------------------------------------------------------------------------


def _list_of(item: Item) -> str:
    return "_".join((item.scale, "scale", *map(str, item.special)))


def _choices(form: Form) -> Iterator[Row]:
    whole = form.whole
    seen: set[str] = set()
    for item in whole.items:
        if _list_of(item) in seen:
            continue
        seen.add(_list_of(item))
        scale = whole.scale(item.scale)
        for code, label in zip(scale.codes, scale.labels, strict=True):
            yield {"list_name": _list_of(item), "name": str(code), "label": label}
        yield from _specials(form, _list_of(item), item.special)
    asked = {question.name for part in form.parts for question in part.questions} | {"mode"}
    for question in whole.questions:
        if question.name in asked and question.choices:
            listed = "_".join((question.name, "answers"))
            for choice in question.choices:
                yield {"list_name": listed, "name": choice.code, "label": choice.label}
            yield from _specials(form, listed, question.special)


def _specials(form: Form, listed: str, codes: Sequence[int]) -> Iterator[Row]:
    for special in form.whole.specials:
        if special.code in codes:
            yield {"list_name": listed, "name": str(special.code), "label": special.label}
