"""Files: written whole or not at all, hashed, and never outside their folder."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path, PurePosixPath, PureWindowsPath

from semkit.errors import FileError, Problem


def hash_bytes(content: bytes) -> str:
    """SHA-256 of ``content`` as 64 hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()


def hash_file(path: str | os.PathLike[str]) -> str:
    """SHA-256 of a file's bytes as 64 hexadecimal digits.

    Raises
    ------
    FileError
        ``writing.unreadable-file``.
    """
    try:
        with open(path, "rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise FileError(
            Problem(
                "writing.unreadable-file",
                str(path),
                f"the file cannot be read ({error.strerror})",
                "a readable file",
                "Check the name and the permissions.",
            )
        ) from error


def write_bytes(path: str | os.PathLike[str], content: bytes) -> Path:
    """Write ``content`` to ``path`` atomically and return the path.

    The content goes to a new file in the same folder, is flushed to the disk and then renamed:
    a reader sees the old file or the new one, never half of one.  Folders that are missing are made.

    Raises
    ------
    FileError
        ``writing.cannot-write`` when the folder or the file cannot be written.
    """
    target = Path(path)
    temporary: str | None = None
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.is_dir():
            raise IsADirectoryError(0, "it is a folder")
        handle, temporary = tempfile.mkstemp(prefix=f".{target.name[:40]}.", suffix=".part", dir=target.parent)
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        os.chmod(temporary, _mode(target))
        os.replace(temporary, target)
    except (OSError, ValueError) as error:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)
        reason = getattr(error, "strerror", None) or str(error)
        raise FileError(
            Problem(
                "writing.cannot-write",
                str(path),
                f"the file cannot be written ({reason})",
                "a path in a folder that may be written",
                "Choose another path with -o, or mend the permissions.",
            )
        ) from error
    return target


def _mode(target: Path) -> int:
    """Permissions of the file that is replaced, else those the umask would give (mkstemp gives 600)."""
    if target.exists():
        return target.stat().st_mode & 0o777
    mask = os.umask(0o022)
    os.umask(mask)
    return 0o666 & ~mask


def write_text(path: str | os.PathLike[str], text: str) -> Path:
    """Write ``text`` as UTF-8 with ``\\n`` line ends, atomically; see :func:`write_bytes`."""
    return write_bytes(path, text.replace("\r\n", "\n").encode("utf-8", errors="replace"))


def inside(folder: str | os.PathLike[str], path: str | os.PathLike[str]) -> Path:
    """Return ``folder / path`` if it stays inside ``folder``; a study's paths are strangers' text.

    Refused are: empty paths, absolute paths of either kind (``/x``, ``C:\\x``, ``\\\\host\\x``), ``..``
    as a part, null characters, and symbolic links that lead out of the folder.  The file need not exist.

    Parameters
    ----------
    folder : path
        The folder that must not be left.
    path : path
        A relative path; ``/`` and ``\\`` both separate.

    Returns
    -------
    Path
        The resolved path.

    Raises
    ------
    FileError
        ``writing.path-outside``.

    Examples
    --------
    >>> inside("study", "data/answers.csv").name
    'answers.csv'
    """
    text = os.fspath(path)
    parts = PurePosixPath(text.replace("\\", "/")).parts
    absolute = PurePosixPath(text).is_absolute() or bool(PureWindowsPath(text).anchor)
    if not text.strip():
        raise _outside(text, "the path is empty")
    if "\x00" in text:
        raise _outside(text.replace("\x00", "\\0"), "the path has a null character")
    if absolute:
        raise _outside(text, "the path is absolute")
    if ".." in parts or text.startswith("~"):
        raise _outside(text, "the path leaves its folder")
    root = Path(folder).resolve()
    try:
        resolved = root.joinpath(*parts).resolve()
    except (OSError, RuntimeError) as error:
        raise _outside(text, "the path cannot be followed (a loop of links?)") from error
    if not resolved.is_relative_to(root):
        raise _outside(text, "a symbolic link leads out of the folder")
    return resolved


def _outside(path: str, what: str) -> FileError:
    return FileError(
        Problem(
            "writing.path-outside",
            f'path "{path}"',
            what,
            "a relative path to a place inside the study's folder",
            "Copy the file into the folder and give its path from there.",
        )
    )
