"""Studies: a study file becomes checked data, and its stages run one after another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from semkit.study.checking import Study, check_document
from semkit.study.reading import read_document
from semkit.study.running import StageResult, StudyResult, run, run_cleaning, run_fitting, run_validation

if TYPE_CHECKING:
    import os


def read_study(path: str | os.PathLike[str]) -> Study:
    """Read and check a study file.

    Raises
    ------
    FileError, StudyFileError
        Every problem of the file, each with its place.

    Examples
    --------
    >>> study = read_study("examples/border_collaboration/study.toml")  # doctest: +SKIP
    >>> study.id  # doctest: +SKIP
    'S0'
    """
    return check_document(read_document(path))


__all__ = [
    "StageResult",
    "Study",
    "StudyResult",
    "read_study",
    "run",
    "run_cleaning",
    "run_fitting",
    "run_validation",
]
