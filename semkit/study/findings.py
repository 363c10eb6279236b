"""Problems of a study file as they are found, each with its place."""

from __future__ import annotations

from collections.abc import Iterable

from semkit.errors import Problem, SemkitError, spelling
from semkit.study.reading import Document
from semkit.study.schema import StudyFileModel

Path = tuple[str | int, ...]


class Findings:
    """Collects the problems of one study file.

    ``complete`` turns False when an instrument could not be read: unknown names are then not reported, since the
    instrument may have had them.
    """

    def __init__(self, document: Document, file: StudyFileModel) -> None:
        self.document, self.file = document, file
        self.problems: list[Problem] = []
        self.complete = True

    def at(self, path: Path) -> str:
        """The place of a path of keys and indices, in words."""
        return self.document.places.of(path)

    def add(self, problem: Problem) -> None:
        self.problems.append(problem)

    def relay(self, error: SemkitError, path: Path) -> None:
        """Another room's problems, with the place in the study file before theirs."""
        place = self.at(path)
        for found in error.problems:
            where = f"{place}: {found.where}" if found.where else place
            self.problems.append(Problem(found.code, where, found.what, found.allowed, found.remedy))

    def known(self, name: str, names: Iterable[str], path: Path, kind: str) -> None:
        """``name`` must be one of ``names``."""
        offered = [str(entry) for entry in names]
        if name in offered or name in self.document.dropped:
            return
        if not self.complete and kind not in ("model", "claim"):
            return
        shown = ", ".join(offered) if len(offered) <= 40 else f"one of {len(offered)} names"
        remedy = spelling(name, offered)
        self.problems.append(Problem("study.unknown-name", self.at(path), f'"{name}" is no {kind}', shown, remedy))
