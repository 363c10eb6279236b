"""What identifies a person: found by name and by value, kept in a file of its own, replaced by pseudonyms.

Patterns: NIK (16 digits: six of the place, day of birth with 40 added for women, month, year, four of the register),
NPWP (``99.999.999.9-999.999``, 15 or 16 digits), NIB (13 digits), Indonesian mobile numbers (``08``, ``628``,
``+628``), e-mail addresses, IPv4 addresses, pairs of coordinates, longitudes of Indonesia (95 to 141 degrees), names
of photo and sound files.
Pseudonyms: HMAC (RFC 2104) with SHA-256.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import math
import os
import re
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from semkit.errors import FileError, OptionError, Problem, suggest
from semkit.responses.numbers import parse_number
from semkit.responses.platforms import IDENTIFIERS, is_metadata
from semkit.responses.records import Platform, Responses, Source
from semkit.responses.sheet import Sheet, place
from semkit.responses.targets import Targets
from semkit.writing import write_csv

_PATTERNS = re.compile(
    r"""
    [^@\s]+@[^@\s]+\.[A-Za-z]{2,}                                                         # e-mail
    | (?<![\w+])(?:\+?62[\s-]?|0)8[1-9](?:[\s.-]?\d){6,10}(?!\w)                          # mobile number
    | (?<!\w)\d{6}(?:[04][1-9]|[1256]\d|[37][01])(?:0[1-9]|1[0-2])\d{6}(?!\w)             # NIK
    | (?<!\w)\d{2}\.?\d{3}\.?\d{3}\.?\d-?\d{3}\.?\d{3}(?!\w) | (?<!\w)\d{16}(?!\w)        # NPWP
    | (?<!\w)\d{13}(?!\w)                                                                 # NIB
    | (?<![\d.])(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)(?![\d.]) # IPv4
    | ^\s*-?\d{1,2}\.\d{3,}[\s,;]+-?\d{1,3}\.\d{3,}                                       # coordinates
    | ^\s*(?:9[5-9]|1[0-3]\d|14[01])\.\d{4,}\s*$                                           # longitude
    | \.(?:jpe?g|png|heic|gif|webp|mp4|3gp|m4a|mp3|amr|wav|ogg)\s*$                       # photo, video, sound
    """,
    re.VERBOSE | re.IGNORECASE,
)
_TWO_WORDS = re.compile(r"[^\W\d_]{2,}\s+[^\W\d_]{2,}")
_FREE = frozenset(("_notes", "_tags"))
"""Metadata in which people write."""
KEY_BYTES = 32


def holds_personal_values(texts: Iterable[str]) -> bool:
    """Whether some text looks like an identity number, telephone, address on the net, place or photo.

    Examples
    --------
    >>> holds_personal_values(["fine", "call 0812-3456-789"]), holds_personal_values(["12", "2026-05-31T09:30:00"])
    (True, False)
    """
    return any(len(text) > 5 and _PATTERNS.search(text) is not None for text in texts)


def find_personal(
    sources: Sequence[Source], table: Sheet, targets: Targets, platform: Platform
) -> tuple[Source, ...]:
    """Mark as personal what looks so by its values, and take the mark from the platform's own columns that are empty.

    Looked at are columns that no analysis needs: unmatched ones, those set aside, free text, and the interviewer.
    Scale items, choices and numbers are answers, whatever digits they have.
    """
    out = []
    for source in sources:
        cells = table.cells[source.position - 1]
        if source.kind == "personal":
            empty = is_metadata(source.header, platform) and not any(cells.tolist())
            out.append(replace(source, kind="metadata") if empty else source)
        elif _is_free(source, targets) and _tells(source, set(cells.tolist())):
            person = "enumerator" if source.kind == "quality" else ""
            out.append(replace(source, kind="personal", target=person, option=""))
        else:
            out.append(source)
    return tuple(out)


def hide_personal_numbers(
    table: Sheet, sources: Sequence[Source], targets: Targets
) -> tuple[Sheet, list[Problem]]:
    """Empty numeric answers that are outside their range and look like a telephone or an identity number.

    A number inside its range is an answer, whatever digits it has; so is any number of a question without limits.
    """
    cells, problems = list(table.cells), []
    for source in sources:
        question = targets.questions.get(source.target) if source.kind == "question" else None
        if question is None or (question.minimum is None and question.maximum is None):
            continue
        low = -math.inf if question.minimum is None else question.minimum
        high = math.inf if question.maximum is None else question.maximum
        column = cells[source.position - 1]
        strange = {text for text in set(column.tolist()) if holds_personal_values([text])}
        numbers = {text: parse_number(text) for text in strange}
        hidden = {text for text, value in numbers.items() if isinstance(value, float) and not low <= value <= high}
        if not hidden:
            continue
        places = np.array([text in hidden for text in column.tolist()])
        cells[source.position - 1] = np.where(places, "", column)
        problems.append(
            Problem(
                "responses.personal-answer",
                f'{table.where}, column "{source.header}", {place(table.rows[places])}',
                "the number is outside its range and looks like a telephone or identity number; it counts as missing",
                f"{low:g} to {high:g}",
                "Correct the cell in the field tool.",
            )
        )
    return (replace(table, cells=tuple(cells)), problems) if problems else (table, [])


def numbered(texts: Iterable[str]) -> list[str | None]:
    """``interviewer 1``, ``interviewer 2`` ... in the order of the names, in place of the names; None where empty.

    Examples
    --------
    >>> numbered(["Sari Dewi", "", "Budi Santoso", "Sari Dewi"])
    ['interviewer 2', None, 'interviewer 1', 'interviewer 2']
    """
    known = [" ".join(text.split()) for text in texts]
    place = {name: number for number, name in enumerate(sorted(set(known) - {""}), start=1)}
    return [f"interviewer {place[name]}" if name else None for name in known]


def _tells(source: Source, texts: Iterable[str]) -> bool:
    """Whether the texts tell who somebody is; an interviewer's code has no two words, a name has."""
    known = list(texts)
    named = source.kind == "quality" and any(_TWO_WORDS.search(text) for text in known)
    return named or holds_personal_values(known)


def _is_free(source: Source, targets: Targets) -> bool:
    if source.kind in ("unmatched", "set_aside"):
        return True
    if source.kind == "metadata":
        return source.header in _FREE
    if source.kind == "quality":
        return source.target == "enumerator"  # a device is a hash, which may look like anything
    question = targets.questions.get(source.target)
    return question is not None and question.answer == "text"


# --- pseudonyms -------------------------------------------------------------------------------------------------------


def new_key(path: str | os.PathLike[str], *, study: str | os.PathLike[str]) -> Path:
    """Make a key for pseudonyms: 32 random bytes that only their owner may read.

    Parameters
    ----------
    path : path
        A new file outside ``study``.
    study : path
        Folder of the study, which may be shared: the key must not lie in it.

    Raises
    ------
    FileError
        ``responses.key-inside-study``, ``responses.key-exists``, ``responses.bad-key`` (it cannot be written).
    """
    place = outside(path, study)
    try:
        handle = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise FileError(
            Problem("responses.key-exists", str(path), "there is such a file already", "a new file",
                    "A new key gives other pseudonyms: keep the old one, or choose another name.")
        ) from error  # fmt: skip
    except OSError as error:
        raise _bad_key(path, f"it cannot be written ({error.strerror})") from error
    with os.fdopen(handle, "w") as stream:
        stream.write(secrets.token_hex(KEY_BYTES) + "\n")
    return Path(path)


def read_key(path: str | os.PathLike[str], *, study: str | os.PathLike[str]) -> bytes:
    """Read a key of :func:`new_key`.

    Raises
    ------
    FileError
        ``responses.key-inside-study``, ``responses.bad-key`` (no key, too short, or others may read it).
    """
    place = outside(path, study)
    try:
        if not place.is_file() or place.stat().st_size > 1000:
            raise _bad_key(path, "it is no key file")
        if os.name == "posix" and place.stat().st_mode & 0o077:
            raise _bad_key(path, "others may read it")
        key = bytes.fromhex(place.read_text(encoding="ascii").strip())
    except (OSError, ValueError) as error:
        raise _bad_key(path, "it is no key file") from error
    if len(key) < KEY_BYTES:
        raise _bad_key(path, "it is too short")
    return key


def outside(path: str | os.PathLike[str], study: str | os.PathLike[str]) -> Path:
    """The resolved path of a key or a restricted file, which must not lie in the study's folder.

    Raises
    ------
    FileError
        ``responses.key-inside-study``.
    """
    place, folder = Path(path).resolve(), Path(study).resolve()
    if place.is_relative_to(folder):
        raise FileError(
            Problem("responses.key-inside-study", str(path), "it lies in the study's folder",
                    "a place outside the study", "Whoever gets the study would get the names with it: move it out.")
        )  # fmt: skip
    return place


def _bad_key(path: str | os.PathLike[str], what: str) -> FileError:
    return FileError(
        Problem("responses.bad-key", str(path), what, "a file made by new_key, readable by its owner only (mode 600)",
                "Make a key with `semkit restrict --new-key`, or correct its permissions.")
    )  # fmt: skip


def pseudonyms(values: Iterable[object], key: bytes) -> list[str]:
    """The same short code for the same text, which nobody can make or undo without the key.

    Parameters
    ----------
    values : iterable
        Identifiers; case and surrounding space do not count.  Empty ones stay empty.
    key : bytes
        At least 32 bytes, of :func:`read_key`.

    Returns
    -------
    list of str
        16 letters and digits: the first 80 bits of HMAC-SHA-256 (RFC 2104) in base 32.

    Examples
    --------
    >>> one, two, none = pseudonyms(["Sari", " sari ", ""], bytes(32))
    >>> one == two, len(one), none
    (True, 16, '')
    """
    if len(key) < KEY_BYTES:
        raise OptionError(
            Problem("responses.bad-key", "key", f"{len(key)} bytes", f"at least {KEY_BYTES} bytes", "Use read_key.")
        )
    out = []
    for value in values:
        text = " ".join(str(value).casefold().split()) if value is not None else ""
        digest = hmac.new(key, b"semkit pseudonym 1\0" + text.encode(), hashlib.sha256).digest()
        out.append(base64.b32encode(digest[:10]).decode().casefold() if text else "")
    return out


def write_restricted(
    responses: Responses, path: str | os.PathLike[str], key: bytes, *, by: str | None = None
) -> Path:
    """Write the personal columns to a file that only its owner may read, with the pseudonym that links it.

    Parameters
    ----------
    responses : Responses
    path : path
        Ends in ``.csv``; keep it apart from the study.
    key : bytes
        Of :func:`read_key`.
    by : str, optional
        Column (of ``raw`` or ``personal``) that identifies the respondent; default: the platform's identifier, else
        the row in the file.

    Raises
    ------
    OptionError
        ``responses.unknown-column``.
    """
    identity = _identity(responses, by)
    table = responses.personal
    header = ["pseudonym", "row", *map(str, table.columns)]
    rows = zip(pseudonyms(identity, key), table.index.tolist(), *(table[name].tolist() for name in table), strict=True)
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    if not target.exists():
        os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    os.chmod(target, 0o600)  # write_csv keeps the permissions of the file it replaces
    return write_csv(target, header, rows)


def respondent_pseudonyms(responses: Responses, key: bytes, *, by: str | None = None) -> pd.Series:
    """Pseudonym of each respondent, with the index of the answers; see :func:`write_restricted` for ``by``."""
    return pd.Series(pseudonyms(_identity(responses, by), key), index=responses.coded.index, name="pseudonym")


def _identity(responses: Responses, by: str | None) -> Sequence[object]:
    table = pd.concat([responses.personal, responses.raw], axis=1)
    known = [str(name) for name in table.columns]
    if by is not None and by not in known:
        raise OptionError(
            Problem("responses.unknown-column", f'by="{by}"', "there is no such column", ", ".join(known)[:2000],
                    suggest(by, known).strip() or "Use a column of the file.")
        )  # fmt: skip
    name = by or next((one for one in IDENTIFIERS if one in known), None)
    if name is None:
        return [f"row {row}" for row in responses.raw.index]
    return list(table.iloc[:, known.index(name)])
