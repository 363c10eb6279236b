"""Questionnaires as data: constructs, items, scales and questions, bilingual, read from TOML."""

from semkit.instrument.columns import Codebook, codebook
from semkit.instrument.combination import combine
from semkit.instrument.export import export
from semkit.instrument.items import Construct, Item, Scale, Special, Text
from semkit.instrument.library import list_instruments
from semkit.instrument.loading import load_instrument
from semkit.instrument.manuscript import to_toml
from semkit.instrument.publication import write_codebook
from semkit.instrument.questions import Band, Choice, Condition, Derived, Expectation, Question, Relevance, Routing
from semkit.instrument.records import Instrument, Placeholder, Source
from semkit.instrument.starter import new_instrument
from semkit.instrument.workbook import from_workbook, to_workbook

__all__ = [
    "Band",
    "Choice",
    "Codebook",
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
    "codebook",
    "combine",
    "export",
    "from_workbook",
    "list_instruments",
    "load_instrument",
    "new_instrument",
    "to_toml",
    "to_workbook",
    "write_codebook",
]
