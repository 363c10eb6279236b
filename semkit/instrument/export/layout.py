"""The order of asking that every field form follows: parts with their rows and the conditions that skip them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from semkit.instrument.items import Item, Text
from semkit.instrument.questions import Condition, Question
from semkit.instrument.records import Instrument


@dataclass(frozen=True, slots=True)
class Part:
    """A page of a form: questions, or the items of one construct.

    Parameters
    ----------
    name : str
        Section or construct code.
    title : Text
        Heading; empty for parts of items, whose heading would tell respondents what is measured.
    leads : tuple of Text
        What is read out before the part; not repeated when the part before had the same words.
    questions : tuple of Question
    items : tuple of Item
    skipped : tuple of Condition
        The part is not asked when one of them holds.
    """

    name: str
    title: Text = field(default_factory=Text)
    leads: tuple[Text, ...] = ()
    questions: tuple[Question, ...] = ()
    items: tuple[Item, ...] = ()
    skipped: tuple[Condition, ...] = ()


@dataclass(frozen=True, slots=True)
class Form:
    """A questionnaire ready for a field tool: every placeholder filled, every text in every language of ``langs``.

    ``whole`` has the records of all instruments, ``parts`` the order of asking.
    """

    whole: Instrument
    parts: tuple[Part, ...]
    langs: tuple[str, ...]

    @property
    def name(self) -> str:
        """Identifier for field tools, of letters, digits and underscores."""
        return self.whole.name.replace("+", "_")

    def caption(self, entry: Item | Question, lang: str) -> str:
        """The words of an item or question, with ``(2)`` where an earlier one has the same: tools tell them apart."""
        words = entry.text.get(lang)
        everything: tuple[Item | Question, ...] = (*self.whole.items, *self.whole.questions)
        alike = [one.name for one in everything if one.text.get(lang) == words]
        number = alike.index(entry.name) + 1
        return words if number == 1 else f"{words} ({number})"

    def captions(self, entry: Item | Question) -> Text:
        """:meth:`caption` in both languages."""
        return Text(self.caption(entry, "id"), self.caption(entry, "en"))

    def skipped_when(self, item: Item) -> tuple[Condition, ...]:
        """Conditions under which this single item of an asked part is not asked."""
        return tuple(routing.when for routing in self.whole.routing if item.name in routing.items)


_TITLES = {
    "consent": Text("Persetujuan", "Consent"),
    "screening": Text("Penyaringan", "Screening"),
    "profile": Text("Profil usaha", "Business profile"),
    "objective": Text("Keterangan tambahan", "Further facts"),
}


def lay_out(whole: Instrument, forms: Sequence[Instrument]) -> tuple[Part, ...]:
    """Return the parts: consent, screening, profile, items by construct, objective questions, marker block.

    Objective questions on which the routing of items depends are asked with the profile, before the items.
    """
    early = {routing.when.question for routing in whole.routing}
    asked = [question for question in whole.questions if question.asked and question.section != "quality"]
    groups: dict[str, list[Question]] = {section: [] for section in _TITLES}
    for question in asked:
        moved = question.section == "objective" and question.name in early
        groups["profile" if moved else question.section].append(question)
    parts = [Part(name, _TITLES[name], questions=tuple(groups[name])) for name in ("consent", "screening", "profile")]
    parts += _blocks(whole, forms)
    parts.append(Part("objective", _TITLES["objective"], questions=tuple(groups["objective"])))
    return tuple(part for part in parts if part.questions or part.items)


def _blocks(whole: Instrument, forms: Sequence[Instrument]) -> Iterator[Part]:
    said: Text | None = None
    heads = {item.construct: form.lead_in for form in reversed(forms) for item in form.scored_items}
    general: Text | None = None
    for code in dict.fromkeys(item.construct for item in whole.items):
        construct = whole.construct(code)
        head = heads.get(code, Text())
        leads = [head] if head and head != general else []
        general = head or general
        if construct.lead_in and construct.lead_in != said:
            leads.append(construct.lead_in)
        said = construct.lead_in or None
        yield Part(
            code,
            leads=tuple(leads),
            items=tuple(item for item in whole.items if item.construct == code),
            skipped=tuple(routing.when for routing in whole.routing if code in routing.skips),
        )
