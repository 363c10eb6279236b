"""Answers from field tools: read as text, matched to items by name or label, turned into codes."""

from semkit.responses.anonymity import Anonymity, coarse_places, coarsen, k_anonymity
from semkit.responses.files import check_format, write_responses
from semkit.responses.mapping import ColumnMap, read_mapping
from semkit.responses.platforms import looks_personal
from semkit.responses.privacy import (
    new_key,
    outside,
    pseudonyms,
    read_key,
    respondent_pseudonyms,
    write_restricted,
)
from semkit.responses.reading import read_responses
from semkit.responses.reconciliation import Reconciliation, reconcile
from semkit.responses.records import Limits, Responses, Source
from semkit.responses.stacking import stack_responses

__all__ = [
    "Anonymity",
    "ColumnMap",
    "Limits",
    "Reconciliation",
    "Responses",
    "Source",
    "check_format",
    "coarse_places",
    "coarsen",
    "k_anonymity",
    "looks_personal",
    "new_key",
    "outside",
    "pseudonyms",
    "read_key",
    "read_mapping",
    "read_responses",
    "reconcile",
    "respondent_pseudonyms",
    "stack_responses",
    "write_responses",
    "write_restricted",
]
