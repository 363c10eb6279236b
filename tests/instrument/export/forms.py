"""Instruments and settings that the tests of exports share."""

from __future__ import annotations

import dataclasses

from semkit.instrument import Instrument, Text, load_instrument

STUDY = {
    "organisation.id": "Universitas Contoh",
    "organisation.en": "Example University",
    "topic.id": "kerja sama usaha",
    "topic.en": "business cooperation",
    "minutes": "10",
    "contact": "Sari, 0561-000",
}


def reworded(name: str, text: Text, *, instrument: str = "government_role") -> Instrument:
    """The instrument with the words of one item or question replaced."""
    form = load_instrument(instrument)
    items = tuple(dataclasses.replace(one, text=text) if one.name == name else one for one in form.items)
    questions = tuple(dataclasses.replace(one, text=text) if one.name == name else one for one in form.questions)
    return dataclasses.replace(form, items=items, questions=questions)
