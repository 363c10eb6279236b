"""Where instrument files are: semkit's own (in the wheel or beside the package) and strangers'."""

from __future__ import annotations

import os
import re
import stat
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from semkit.errors import FileError, InstrumentFileError, Problem, SemkitError, suggest
from semkit.instrument.schema import NAME
from semkit.writing import inside

MAX_BYTES = 1_000_000
_KIND = re.compile(r'^kind\s*=\s*"block"', re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Source:
    """A file as it was read: where it lies, how it is called in messages, and its bytes."""

    label: str
    folder: Path
    content: bytes


def bundled_folder() -> Path:
    """Folder of semkit's own instruments: inside the wheel, or ``instruments/`` of the repository."""
    package = Path(str(files("semkit")))
    for folder in (package / "_instruments", package.parent / "instruments"):
        if folder.is_dir():
            return folder
    raise FileError(
        Problem(
            "instrument.no-library",
            str(package),
            "semkit's own instruments are not installed with it",
            "a folder semkit/_instruments",
            "Install semkit again.",
        )
    )


def list_instruments(*, blocks: bool = False) -> tuple[str, ...]:
    """Return the names of semkit's own instruments (or of its shared blocks), sorted.

    Examples
    --------
    >>> "collaborative_network" in list_instruments()
    True
    """
    names = []
    for path in sorted(bundled_folder().glob("*.toml")):
        is_block = bool(_KIND.search(path.read_text(encoding="utf-8")))
        if is_block == blocks:
            names.append(path.stem)
    return tuple(names)


def find(name_or_path: str | os.PathLike[str]) -> Source:
    """Read an instrument file by bundled name or by path.

    A text that ends in ``.toml`` or has a folder in it is a path; anything else is a name.

    Raises
    ------
    InstrumentFileError
        ``instrument.unknown-instrument`` for a name that is none of semkit's own.
    FileError
        ``instrument.file-not-found``, ``instrument.not-a-file``, ``instrument.unreadable``,
        ``instrument.file-too-large``.
    """
    text = os.fspath(name_or_path)
    if not isinstance(name_or_path, os.PathLike) and not text.endswith(".toml") and not re.search(r"[/\\]", text):
        known = list_instruments()
        if text not in known:
            raise InstrumentFileError(
                Problem(
                    "instrument.unknown-instrument",
                    f'instrument "{text}"',
                    "semkit brings no instrument of this name",
                    ", ".join(known) + ", or a path to a .toml file",
                    (suggest(text, known) + " A path ends in .toml.").strip(),
                )
            )
        path = bundled_folder() / f"{text}.toml"
        return Source(f"instruments/{path.name}", path.parent, _read(path, f"instruments/{path.name}"))
    path = Path(text)
    return Source(text, path.parent, _read(path, text))


def find_block(name: str, folder: Path) -> Source | None:
    """Return a shared block: ``NAME.toml`` beside the file that uses it, else semkit's own, else None.

    The name is checked before it becomes a path, and a link out of the folder is refused.
    """
    if not re.match(NAME, name):
        return None
    beside = folder / f"{name}.toml"
    if beside.exists():
        path = inside(folder, f"{name}.toml")
        return Source(str(beside), folder, _read(path, str(beside)))
    own = bundled_folder() / f"{name}.toml"
    if own.exists():
        return Source(f"instruments/{own.name}", own.parent, _read(own, f"instruments/{own.name}"))
    return None


def _read(path: Path, label: str) -> bytes:
    problem: SemkitError
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            problem = FileError(
                Problem(
                    "instrument.not-a-file",
                    label,
                    "it is no regular file",
                    "a .toml file",
                    "Give the path of the file.",
                )
            )
            raise problem
        if status.st_size > MAX_BYTES:
            problem = FileError(
                Problem(
                    "instrument.file-too-large",
                    label,
                    f"the file has {status.st_size:,} bytes",
                    f"at most {MAX_BYTES:,} bytes",
                    "Check that this is an instrument file; split it into shared blocks if it is.",
                )
            )
            raise problem
        with path.open("rb") as stream:
            return stream.read(MAX_BYTES + 1)
    except FileNotFoundError as error:
        raise FileError(
            Problem(
                "instrument.file-not-found",
                label,
                "there is no such file",
                "the path of a .toml file, or one of: " + ", ".join(list_instruments()),
                _neighbour(path),
            )
        ) from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise FileError(
            Problem(
                "instrument.unreadable",
                label.replace("\x00", "\\0"),
                f"the file cannot be read ({reason})",
                "a readable .toml file",
                "Check the name and the permissions.",
            )
        ) from error


def _neighbour(path: Path) -> str:
    try:
        names = [other.name for other in path.parent.glob("*.toml")]
    except OSError:
        names = []
    return suggest(path.name, names).strip() or "Check the path."
