"""Questionnaires as data: constructs, items, scales and questions, bilingual, read from TOML."""

from semkit.instrument.combination import combine
from semkit.instrument.library import list_instruments
from semkit.instrument.loading import load_instrument
from semkit.instrument.records import (
    Band,
    Choice,
    Condition,
    Construct,
    Derived,
    Expectation,
    Instrument,
    Item,
    Placeholder,
    Question,
    Relevance,
    Routing,
    Scale,
    Source,
    Special,
    Text,
)

__all__ = [
    "Band",
    "Choice",
    "Condition",
    "Construct",
    "Derived",
    "Expectation",
    "Instrument",
    "Item",
    "Placeholder",
    "Question",
    "Relevance",
    "Routing",
    "Scale",
    "Source",
    "Special",
    "Text",
    "combine",
    "list_instruments",
    "load_instrument",
]
