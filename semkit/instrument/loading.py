"""``load_instrument``: find, read, check, assemble."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from semkit.errors import InstrumentFileError, OptionError, Problem, suggest
from semkit.instrument.assembly import Part, assemble, with_scales
from semkit.instrument.consistency import check
from semkit.instrument.library import find, find_block, list_instruments
from semkit.instrument.reading import Document, read
from semkit.instrument.records import Instrument
from semkit.instrument.schema import BlockModel, InstrumentModel


def load_instrument(name_or_path: str | os.PathLike[str], *, points: int | None = None) -> Instrument:
    """Load a questionnaire: one of semkit's own by name, or a file by path.

    Parameters
    ----------
    name_or_path : str or path
        ``"collaborative_network"`` (see :func:`list_instruments`) or ``"my_instrument.toml"``.

    points : int, optional
        A variant the file declares, for example 7 points instead of 5 for literate respondents online.  Data of
        two variants must never be mixed in one file.

    Returns
    -------
    Instrument

    Raises
    ------
    OptionError
        ``instrument.no-variant``: the file declares no variant with so many points.
    InstrumentFileError
        All problems of the file at once, each with place, what is allowed and a remedy.
    FileError
        The file is missing, too large or unreadable.

    Examples
    --------
    >>> form = load_instrument("government_role")
    >>> [construct.code for construct in form.constructs if construct.order == 2]
    ['govt']
    """
    source = find(name_or_path)
    main = read(source)
    if isinstance(main.model, BlockModel):
        raise InstrumentFileError(_is_block(main))
    model, parts, shared = join(main, source.folder)
    model = model if points is None else _variant(model, points)
    contents = [source.content, *shared, f"points={points}".encode() if points is not None else b""]
    digest = hashlib.sha256(b"".join(hashlib.sha256(content).digest() for content in contents)).hexdigest()
    return assemble(model, parts, origin=Path(source.label).name, digest=digest)


def join(main: Document, folder: Path) -> tuple[InstrumentModel, list[Part], list[bytes]]:
    """Return the model of a document, the shared blocks it uses (found from ``folder``) and their bytes.

    Raises
    ------
    InstrumentFileError
        All problems of the document and its blocks at once.
    """
    problems = list(main.problems)
    parts: list[tuple[Document, Part]] = []
    contents: list[bytes] = []
    if isinstance(main.model, InstrumentModel):
        for index, use in enumerate(main.model.use):
            block = _block(main, index, use.block, folder, problems)
            if block is None:
                continue
            document, content = block
            contents.append(content)
            problems.extend(document.problems)
            if isinstance(document.model, BlockModel):
                parts.append((document, Part(document.model, use.place, frozenset(use.leave_out))))
        problems.extend(check(main, main.model, parts))
    if problems or not isinstance(main.model, InstrumentModel):
        raise InstrumentFileError(*problems)
    return main.model, [part for _, part in parts], contents


def _variant(model: InstrumentModel, points: int) -> InstrumentModel:
    declared = sorted({variant.points for variant in model.variants})
    if points not in declared:
        raise OptionError(
            Problem(
                "instrument.no-variant",
                f'instrument "{model.name}"',
                f"it has no variant with {points} points",
                ", ".join(map(str, declared)) or "no points argument: the file declares no variant",
                "Leave points out, or declare the variant under [[variants]].",
            )
        )
    return with_scales(model, points)


def _is_block(main: Document) -> Problem:
    return Problem(
        "instrument.is-block",
        main.places.label,
        "this is a shared block, not an instrument",
        ", ".join(list_instruments()) + ", or your own instrument file",
        'Name it in an instrument file under [[use]] with block = "...".',
    )


def _block(
    main: Document, index: int, name: str, folder: Path, problems: list[Problem]
) -> tuple[Document, bytes] | None:
    """Read the block an instrument uses; what stops that is added to ``problems``."""
    where = main.places.of(("use", index))
    found = find_block(name, folder)
    if found is None:
        known = list_instruments(blocks=True)
        problems.append(
            Problem(
                "instrument.unknown-block",
                where,
                f'there is no shared block "{name}"',
                ", ".join(known) + f", or a file {name}.toml beside the instrument",
                suggest(name, known).strip() or "Write the block, or remove the entry.",
            )
        )
        return None
    try:
        document = read(found)
    except InstrumentFileError as error:
        problems.extend(error.problems)
        return None
    if document.model is not None and not isinstance(document.model, BlockModel):
        problems.append(
            Problem(
                "instrument.not-a-block",
                where,
                f'"{name}" is an instrument, not a shared block',
                'a file with kind = "block"',
                "Load both instruments instead of using one in the other.",
            )
        )
        return None
    if document.model is not None and document.model.name not in (name, "unnamed"):
        problems.append(
            Problem(
                "instrument.block-name",
                document.places.of(("name",)),
                f'the block is called "{document.model.name}", its file "{name}.toml"',
                f'name = "{name}"',
                "Give block and file the same name.",
            )
        )
    return document, found.content
