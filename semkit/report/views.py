"""Which drawing belongs to which record: dispatch by class name, so that no upper room is imported."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from typing import Any

View = Callable[[Any], str]

VIEWS: dict[str, View] = {}
"""Class name of a record -> its view."""


def html(record: Any) -> str:
    """Return the compact HTML view of ``record`` (its escaped ``repr`` if no view is registered).

    The record's own class is asked first, then its bases, so a subclass is shown as its parent.
    """
    for kind in type(record).__mro__:
        if kind.__name__ in VIEWS:
            return VIEWS[kind.__name__](record)
    # object.__repr__ of an unknown record never calls back into _repr_html_, so this cannot loop.
    return f'<div class="semkit"><pre>{escape(repr(record))}</pre></div>'
