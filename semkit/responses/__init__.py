"""Answers from field tools: read as text, matched to items by name or label, turned into codes."""

from semkit.responses.platforms import looks_personal
from semkit.responses.reading import read_responses
from semkit.responses.records import Limits, Responses, Source

__all__ = ["Limits", "Responses", "Source", "looks_personal", "read_responses"]
