"""Several instruments asked in one questionnaire: shared parts once, contradictions refused."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any

from semkit.errors import InstrumentFileError, OptionError, Problem
from semkit.instrument.items import LANGUAGES, Text
from semkit.instrument.records import Instrument


@dataclass
class _Union:
    """Entries by name in order of first appearance, and the contradictions met."""

    problems: list[Problem] = field(default_factory=list)

    def join(self, forms: Sequence[Instrument], part: str, key: Callable[[Any], Any]) -> tuple[Any, ...]:
        known: dict[Any, tuple[Any, str]] = {}
        for form in forms:
            for entry in getattr(form, part):
                name = key(entry)
                if name not in known:
                    known[name] = (entry, form.name)
                elif known[name][0] != entry:
                    self.problems.append(
                        Problem(
                            "instrument.contradiction",
                            f'instruments "{known[name][1]}" and "{form.name}"',
                            f'"{name}" ({part}) is not the same in both',
                            "shared parts with the same words and codes, or different names",
                            "Use the same shared block in both, or rename one of the two.",
                        )
                    )
        return tuple(entry for entry, _ in known.values())


def combine(forms: Sequence[Instrument]) -> Instrument:
    """Return one instrument with the parts of all; shared blocks appear once.

    Scale items keep the order of ``forms`` (marker blocks last); title and lead-in of the whole are empty
    when there are several, since each instrument has its own.

    Parameters
    ----------
    forms : sequence of Instrument
        At least one; names must differ.

    Raises
    ------
    OptionError
        ``instrument.nothing-to-combine``, ``instrument.named-twice``.
    InstrumentFileError
        ``instrument.contradiction``: the same name with other words, codes or rules; all at once.

    Examples
    --------
    >>> from semkit import load_instrument
    >>> both = combine([load_instrument("government_role"), load_instrument("marketing_performance")])
    >>> len(both.scored_items), len(both.marker_items)
    (25, 3)
    """
    if not forms:
        raise OptionError(
            Problem(
                "instrument.nothing-to-combine",
                "forms",
                "no instrument was given",
                "at least one instrument",
                "Load one with load_instrument.",
            )
        )
    if len(forms) == 1:
        return forms[0]
    names = [form.name for form in forms]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise OptionError(
            Problem("instrument.named-twice", "instruments", f"{', '.join(twice)}: named more than once",
                    "different instruments", "Name each once; give your own version of one another name.")
        )  # fmt: skip
    parts = _joined(forms)
    return Instrument(
        name="+".join(form.name for form in forms),
        version="+".join(form.version for form in forms),
        title=_title(forms),
        description=Text(),
        notice=_notice(forms),
        languages=tuple(lang for lang in forms[0].languages if all(lang in form.languages for form in forms)),
        minutes=sum(form.minutes for form in forms),
        status=min((form.status for form in forms), key=("unvalidated", "piloted", "validated").index),
        expectations=tuple(dict.fromkeys(entry for form in forms for entry in form.expectations)),
        theory=tuple(dict.fromkeys(entry for form in forms for entry in form.theory)),
        marker=_marker(forms),
        origin="+".join(form.origin for form in forms),
        digest="+".join(form.digest for form in forms),
        **parts,
    )


def _marker(forms: Sequence[Instrument]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(code for form in forms for code in form.marker))


def _title(forms: Sequence[Instrument]) -> Text:
    return Text(*(" + ".join(form.title.get(lang) for form in forms) for lang in LANGUAGES))


def _notice(forms: Sequence[Instrument]) -> Text:
    """Every different notice once."""
    return Text(*(" ".join(dict.fromkeys(form.notice.get(lang) for form in forms)) for lang in LANGUAGES))


def _joined(forms: Sequence[Instrument]) -> dict[str, Any]:
    """Parts of all forms by name; marker items last."""
    union = _Union()
    by_name, by_code = attrgetter("name"), attrgetter("code")
    parts: dict[str, Any] = {
        part: union.join(forms, part, by_name)
        for part in ("scales", "items", "questions", "routing", "derived", "placeholders")
    }
    parts |= {part: union.join(forms, part, by_code) for part in ("specials", "constructs")}
    parts["sources"] = union.join(forms, "sources", attrgetter("key"))
    if union.problems:
        raise InstrumentFileError(*union.problems)
    marker = _marker(forms)
    parts["items"] = tuple(sorted(parts["items"], key=lambda item: item.construct in marker))
    return parts
