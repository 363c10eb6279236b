"""A questionnaire to start from: a small file that loads as it stands and says in comments what to change."""

from __future__ import annotations

import os
import re
from pathlib import Path

from semkit.errors import FileError, OptionError, Problem
from semkit.instrument.schema import NAME
from semkit.writing import write_text

_NOTES = {
    'name = "': "# Name of the questionnaire: letters, digits and _; it stands in results.",
    "version = ": "# Change the version whenever words change.",
    "status = ": "# unvalidated, piloted or validated; say in notice what has been tried.",
    "title = ": "# Every text in each language of the file: id Indonesian, en English.",
    "[[use]]": "# Shared blocks: scales has agree5, change5 and others; consent, screening and profile may be added.",
    "[[constructs]]": "# One block of items for each construct; its code is the name in models.",
    "[[questions]]": "# Questions that are no scale items; relevance says who is asked.",
}


def new_instrument(path: str | os.PathLike[str], name: str | None = None) -> Path:
    """Write a commented questionnaire file to start from, and return its path.

    Parameters
    ----------
    path : path
        A new ``.toml`` file; an existing one is never overwritten.
    name : str, optional
        Name of the instrument; taken from the file's name when left out.

    Raises
    ------
    FileError
        ``instrument.file-exists``.
    OptionError
        ``instrument.bad-path`` for a path without ``.toml``, ``instrument.bad-name``.

    Examples
    --------
    >>> new_instrument("my_survey.toml")  # doctest: +SKIP
    PosixPath('my_survey.toml')
    """
    from semkit.instrument.reference import EXAMPLE

    target = Path(path)
    if target.suffix != ".toml":
        raise OptionError(
            Problem("instrument.bad-path", f'path "{path}"', "the file's name does not end in .toml",
                    "a path such as my_survey.toml", "Add the ending .toml.")
        )  # fmt: skip
    title = target.stem if name is None else name
    if not re.match(NAME, title):
        raise OptionError(
            Problem("instrument.bad-name", f'name "{title}"', "it cannot be the name of an instrument",
                    "letters a-z, digits and _, starting with a letter, at most 40",
                    "Choose another file name (in Python also name=).")
        )  # fmt: skip
    if target.exists() or target.is_symlink():
        raise FileError(
            Problem("instrument.file-exists", str(path), "there is a file of this name already",
                    "the path of a new file", "Choose another name, or remove the file first.")
        )  # fmt: skip
    return write_text(target, _commented(EXAMPLE.replace('name = "trust_survey"', f'name = "{title}"')))


def _commented(text: str) -> str:
    """Each note above the first line it explains."""
    notes = dict(_NOTES)
    lines = ["# A questionnaire of your own.  Change the words, then run: semkit check THIS_FILE.toml"]
    for line in text.splitlines():
        for start in [key for key in notes if line.startswith(key)]:
            lines.append(notes.pop(start))
        lines.append(line)
    return "\n".join(lines) + "\n"
