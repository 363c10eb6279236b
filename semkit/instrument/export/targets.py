"""One door to every field tool."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from semkit.errors import OptionError, Problem, suggest
from semkit.instrument.export.entry_workbook import write_entry_workbook
from semkit.instrument.export.google_forms import write_google_forms
from semkit.instrument.export.layout import Form
from semkit.instrument.export.limesurvey import write_limesurvey
from semkit.instrument.export.preparation import prepare
from semkit.instrument.export.print_view import write_print_view
from semkit.instrument.export.qualtrics import write_qualtrics
from semkit.instrument.export.word import write_word
from semkit.instrument.export.xlsform import write_xlsform
from semkit.instrument.records import Instrument

Writer = Callable[[Form, str | os.PathLike[str]], Path | tuple[Path, ...]]
_WRITERS: dict[str, tuple[str, Writer]] = {
    "xlsform": (".xlsx", write_xlsform),
    "html": (".html", write_print_view),
    "docx": (".docx", write_word),
    "entry-workbook": ("_entry.xlsx", write_entry_workbook),
    "limesurvey": ("_limesurvey.txt", write_limesurvey),
    "qualtrics": ("_qualtrics.txt", write_qualtrics),
    "google-forms": (".gs", write_google_forms),
}
TARGETS = tuple(_WRITERS)
_ENDINGS = {"html": (".html", ".htm"), "google-forms": (".gs", ".js", ".txt")}


def export(
    instruments: Instrument | Sequence[Instrument],
    to: str,
    path: str | os.PathLike[str] | None = None,
    langs: Sequence[str] = ("id", "en"),
    settings: Mapping[str, str] | None = None,
) -> Path:
    """Write one or several instruments as one form of a field tool; the first file of :func:`export_files`.

    Parameters, errors: see :func:`export_files`.

    Returns
    -------
    Path

    Examples
    --------
    >>> import tempfile
    >>> from semkit.instrument import load_instrument
    >>> study = {"organisation": "UPB", "topic": "usaha", "minutes": "10", "contact": "Sari, 0561-1"}
    >>> folder = tempfile.mkdtemp()
    >>> export(load_instrument("government_role"), "xlsform", f"{folder}/form.xlsx", settings=study).name
    'form.xlsx'
    """
    return export_files(instruments, to, path, langs, settings)[0]


def export_files(
    instruments: Instrument | Sequence[Instrument],
    to: str,
    path: str | os.PathLike[str] | None = None,
    langs: Sequence[str] = ("id", "en"),
    settings: Mapping[str, str] | None = None,
) -> tuple[Path, ...]:
    """Write one or several instruments as one form of a field tool.

    Parameters
    ----------
    instruments : Instrument or sequence of Instrument
        Shared blocks (consent, screening, profile, marker) are asked once.
    to : {"xlsform", "html", "docx", "entry-workbook", "limesurvey", "qualtrics", "google-forms"}
        ``qualtrics`` writes a file for each language and the list of its logic, the others one file.
    path : path, optional
        Default: the form's name here, with the suffix of the tool.
    langs : sequence of {"id", "en"}
        Languages of the form, the first one is shown first.
    settings : mapping of str to str, optional
        What stands for the placeholders of the consent text: ``{"organisation": ..., "topic": ...}``; with
        ``"topic.id"`` and ``"topic.en"`` each language gets its own words.

    Returns
    -------
    tuple of Path

    Raises
    ------
    OptionError
        ``instrument.unknown-target``, ``instrument.bad-path`` (another tool's suffix), ``instrument.named-twice``,
        ``instrument.unknown-language``, ``instrument.unknown-setting``,
        ``instrument.unfilled-placeholder`` (all of them at once).
    InstrumentFileError
        ``instrument.missing-translation``, ``instrument.form-reference``, ``instrument.contradiction``,
        ``instrument.reserved-name``, ``instrument.too-many-choices``.
    MissingExtraError
        ``writing.openpyxl-missing``, ``instrument.docx-missing``.
    """
    suffix, write = _writer(to)
    if path is not None:
        _check_ending(to, Path(path), _ENDINGS.get(to, (Path(suffix).suffix or suffix,)))
    form = prepare(instruments, langs, settings)
    written = write(form, path if path is not None else Path(f"{form.name}{suffix}"))
    return written if isinstance(written, tuple) else (written,)


def _check_ending(to: str, path: Path, endings: Sequence[str]) -> None:
    """A workbook that is called .txt would be refused by the tool, long after the export."""
    if path.suffix.lower() not in endings:
        raise OptionError(
            Problem(
                "instrument.bad-path",
                f'path "{path}"',
                f"the file's name does not end in {endings[0]}",
                f"for {to}: {', '.join(endings)}",
                f"Add the ending {endings[0]}.",
            )
        )


def _writer(to: str) -> tuple[str, Writer]:
    if to not in _WRITERS:
        raise OptionError(
            Problem(
                "instrument.unknown-target",
                "to",
                f'"{to}" is no form an instrument can be written in',
                ", ".join(TARGETS),
                suggest(to, TARGETS).strip() or "Use one of these.",
            )
        )
    return _WRITERS[to]
