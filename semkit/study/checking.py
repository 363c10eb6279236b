"""Everything that can be wrong with a study before data are read, found at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from semkit.errors import StudyFileError
from semkit.instrument import Instrument
from semkit.study import propositions, sections
from semkit.study.columns import Known, known_columns
from semkit.study.expansion import Expansion
from semkit.study.findings import Findings
from semkit.study.reading import Document
from semkit.study.schema import StudyFileModel


@dataclass(frozen=True)
class Study:
    """A study that was checked: its file, its instruments, and its models as they would be without data."""

    document: Document
    file: StudyFileModel
    instruments: tuple[Instrument, ...]
    known: Known
    expansions: Mapping[str, Expansion]

    @property
    def id(self) -> str:
        return self.file.study.id

    @property
    def title(self) -> str:
        return self.file.study.title.en


def check_document(document: Document) -> Study:
    """Check a document and return the study.

    Raises
    ------
    StudyFileError
        With every problem of the file.
    """
    if document.model is None:
        raise StudyFileError(*document.problems)
    found = Findings(document, document.model)
    instruments = sections.instruments(found)
    known = known_columns(instruments)
    sections.unique_ids(found)
    sections.data(found)
    sections.design(found, known)
    sections.scores(found, known)
    sections.composites(found, known)
    sections.controls(found, known)
    expansions = propositions.models(found, known)
    propositions.claims(found, expansions)
    propositions.checks(found, known)
    propositions.probes(found, expansions)
    problems = dict.fromkeys((*document.problems, *found.problems))
    if problems:
        raise StudyFileError(*problems)
    return Study(document, document.model, instruments, known, expansions)
