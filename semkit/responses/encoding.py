"""From bytes to text: the encoding is read from the bytes, and a wrong byte is named by its place."""

from __future__ import annotations

import codecs

from semkit.errors import FileError, Problem

ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "cp1252")
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def decode(content: bytes, where: str, encoding: str | None = None) -> tuple[str, str]:
    """Text of a file and the encoding it is in.

    A byte order mark decides.  Without one the bytes must be UTF-8; a file that is not, and holds
    no UTF-8 letter beyond ASCII either, is Windows-1252 (what Excel writes as "CSV"): then every
    such byte is one letter.  A file that is UTF-8 in one place and not in another is damaged.

    Parameters
    ----------
    content : bytes
    where : str
        Name for messages.
    encoding : str, optional
        One of ``utf-8``, ``utf-8-sig``, ``utf-16``, ``cp1252``; found when not given.

    Returns
    -------
    text, encoding : str

    Raises
    ------
    FileError
        ``responses.bad-encoding`` with the byte and its line, ``responses.nul-byte``.

    Examples
    --------
    >>> decode("nama;umur".encode("utf-16"), "f.csv")[1]
    'utf-16'
    """
    if encoding is None:
        encoding = next((name for mark, name in _MARKS if content.startswith(mark)), "")
    if encoding and encoding not in ENCODINGS:
        raise FileError(_problem(where, f'the encoding "{encoding}" is not read'))
    if encoding not in ("", "utf-16"):
        _refuse_nul(content, where)
    if encoding:
        try:
            return content.decode(encoding), encoding
        except UnicodeDecodeError as error:
            raise FileError(_bad_byte(content, where, error, encoding)) from error
    _refuse_nul(content, where)
    try:
        return content.decode("utf-8"), "utf-8"
    except UnicodeDecodeError as error:
        if _has_utf8_letters(content):
            raise FileError(_bad_byte(content, where, error, "utf-8")) from error
        try:
            return content.decode("cp1252"), "cp1252"
        except UnicodeDecodeError as second:
            raise FileError(_bad_byte(content, where, second, "cp1252")) from second


def _has_utf8_letters(content: bytes) -> bool:
    """Whether some letter beyond ASCII is written in valid UTF-8 (two or more bytes)."""
    return any(ord(letter) > 127 for letter in content.decode("utf-8", errors="ignore"))


def _refuse_nul(content: bytes, where: str) -> None:
    place = content.find(b"\0")
    if place < 0:
        return
    half = content[:2000].count(b"\0") * 3 > len(content[:2000])
    guess = " (every second byte is zero: UTF-16 without a byte order mark?)" if half else ""
    raise FileError(
        Problem(
            "responses.nul-byte",
            f"{where}, byte {place + 1}, line {content.count(bytes([10]), 0, place) + 1}",
            f"the file holds a zero byte, which no text has{guess}",
            ", ".join(ENCODINGS),
            "Export the file again as CSV UTF-8, or say encoding='utf-16'.",
        )
    )


def _bad_byte(content: bytes, where: str, error: UnicodeDecodeError, encoding: str) -> Problem:
    line = content.count(b"\n", 0, error.start) + 1
    value = f"0x{content[error.start]:02x}" if error.start < len(content) else "end of file"
    return _problem(f"{where}, byte {error.start + 1}, line {line}", f"{value} is not {encoding} ({error.reason})")


def _problem(where: str, what: str) -> Problem:
    return Problem(
        "responses.bad-encoding",
        where,
        what,
        ", ".join(ENCODINGS),
        "Export the file again as CSV UTF-8, or name its encoding with encoding=.",
    )
