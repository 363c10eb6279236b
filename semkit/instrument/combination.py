"""Several instruments asked in one questionnaire: shared parts once, contradictions refused."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from semkit.errors import InstrumentFileError, OptionError, Problem
from semkit.instrument.items import Text
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
        ``instrument.nothing-to-combine``.
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
    union = _Union()
    by_name: Callable[[Any], Any] = lambda entry: entry.name  # noqa: E731
    by_code: Callable[[Any], Any] = lambda entry: entry.code  # noqa: E731
    parts: dict[str, Any] = {
        "scales": union.join(forms, "scales", by_name),
        "specials": union.join(forms, "specials", by_code),
        "constructs": union.join(forms, "constructs", by_code),
        "items": union.join(forms, "items", by_name),
        "questions": union.join(forms, "questions", by_name),
        "routing": union.join(forms, "routing", by_name),
        "derived": union.join(forms, "derived", by_name),
        "placeholders": union.join(forms, "placeholders", by_name),
        "sources": union.join(forms, "sources", lambda entry: entry.key),
    }
    if union.problems:
        raise InstrumentFileError(*union.problems)
    marker = tuple(dict.fromkeys(code for form in forms for code in form.marker))
    parts["items"] = tuple(sorted(parts["items"], key=lambda item: item.construct in marker))
    languages = tuple(lang for lang in forms[0].languages if all(lang in form.languages for form in forms))
    return Instrument(
        name="+".join(form.name for form in forms),
        version="+".join(form.version for form in forms),
        title=Text(*(" + ".join(form.title.get(lang) for form in forms) for lang in ("id", "en"))),
        description=Text(),
        notice=forms[0].notice
        if len({form.notice for form in forms}) == 1
        else Text(*(" ".join(dict.fromkeys(form.notice.get(lang) for form in forms)) for lang in ("id", "en"))),
        languages=languages,
        minutes=sum(form.minutes for form in forms),
        status=min((form.status for form in forms), key=("unvalidated", "piloted", "validated").index),
        expectations=tuple(dict.fromkeys(entry for form in forms for entry in form.expectations)),
        theory=tuple(dict.fromkeys(entry for form in forms for entry in form.theory)),
        marker=marker,
        origin="+".join(form.origin for form in forms),
        digest="+".join(form.digest for form in forms),
        **parts,
    )
