"""A results' folder: written whole beside its place, then moved there; the same run gives the same bytes."""

from __future__ import annotations

import json
import math
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from semkit.errors import FileError, Problem
from semkit.writing import hash_file, write_csv, write_text

if TYPE_CHECKING:
    import pandas as pd

MANIFEST = "manifest.json"


def check_target(target: Path) -> None:
    """A folder may be replaced only if it is empty or holds results of semkit.

    Raises
    ------
    FileError
        ``study.output-occupied``.
    """
    if target.is_symlink() or (target.exists() and not target.is_dir()):
        what = "it is a link" if target.is_symlink() else "it is a file"
    elif target.is_dir() and any(target.iterdir()) and not (target / MANIFEST).is_file():
        what = "the folder holds files that semkit did not write"
    else:
        return
    raise FileError(
        Problem(
            "study.output-occupied",
            str(target),
            what,
            "a new or empty folder, or the results of an earlier run",
            "Choose another folder with -o; nothing was written.",
        )
    )


@contextmanager
def results_folder(target: Path) -> Iterator[Path]:
    """Give a fresh folder to write into; at the end it takes the place of ``target``, on an error nothing changes."""
    check_target(target)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        part = Path(tempfile.mkdtemp(prefix=f".{target.name[:40]}.", suffix=".part", dir=target.parent))
    except OSError as error:
        raise _cannot(target, error) from error
    try:
        yield part
        mask = os.umask(0o022)
        os.umask(mask)
        part.chmod(0o777 & ~mask)
        _swap(part, target)
    except OSError as error:
        raise _cannot(target, error) from error
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _swap(part: Path, target: Path) -> None:
    if not target.exists():
        part.rename(target)
        return
    old = Path(tempfile.mkdtemp(prefix=f".{target.name[:40]}.", suffix=".old", dir=target.parent))
    target.rename(old / "results")
    try:
        part.rename(target)
    except OSError:
        (old / "results").rename(target)
        raise
    finally:
        shutil.rmtree(old, ignore_errors=True)


def _cannot(target: Path, error: OSError) -> FileError:
    return FileError(
        Problem(
            "study.cannot-write",
            str(target),
            f"the results cannot be written ({error.strerror})",
            "a folder in a place that may be written",
            "Choose another folder with -o, or mend the permissions.",
        )
    )


def write_frame(path: Path, frame: pd.DataFrame, *, index: bool = False) -> Path:
    """A frame as CSV: raw numbers in full, texts neutralised, NaN empty."""
    shown = frame.reset_index() if index else frame
    rows = (tuple(_value(cell) for cell in row) for row in shown.itertuples(index=False, name=None))
    return write_csv(path, [str(name) for name in shown.columns], rows)


def _value(cell: Any) -> Any:
    """Plain values of a frame's cell; missing of any kind is None."""
    if cell is None or (isinstance(cell, float) and math.isnan(cell)):
        return None
    if hasattr(cell, "item"):
        return _value(cell.item())
    return None if type(cell).__name__ in ("NAType", "NaTType") else cell


def plain(value: Any) -> Any:
    """What JSON can hold: NaN and infinities become null."""
    if isinstance(value, Mapping):
        return {str(key): plain(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(entry) for entry in value]
    if isinstance(value, bool) or value is None or isinstance(value, (int, str)):
        return value
    if hasattr(value, "item") and not isinstance(value, float):
        return plain(value.item())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return str(value)


def write_manifest(folder: Path, content: Mapping[str, Any]) -> Path:
    """``manifest.json`` with the hash of every other file of the folder."""
    files = {
        path.relative_to(folder).as_posix(): hash_file(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != MANIFEST
    }
    text = json.dumps(plain({**content, "files": files}), indent=1, ensure_ascii=False, allow_nan=False)
    return write_text(folder / MANIFEST, text + "\n")
