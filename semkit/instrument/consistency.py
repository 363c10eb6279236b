"""What a schema cannot see: names that must exist, be unique, or fit each other."""

from __future__ import annotations

from collections.abc import Sequence

from semkit.errors import Problem
from semkit.instrument.assembly import Part
from semkit.instrument.reading import Document
from semkit.instrument.schema import InstrumentModel


def check(main: Document, model: InstrumentModel, parts: Sequence[tuple[Document, Part]]) -> list[Problem]:
    """Return every problem of an instrument together with its blocks."""
    return []
