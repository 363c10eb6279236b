"""Study folders to start from: they come with semkit, in the wheel or beside the package."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from semkit.errors import FileError, OptionError, Problem, suggest
from semkit.writing import write_bytes

#: Examples that are good studies to start from.
TEMPLATES = ("border_collaboration", "personality_survey")

#: What a template's folder gives to a new study.
_SUFFIXES = (".toml", ".csv", ".json", ".md")


def _folder() -> Path:
    package = Path(str(files("semkit")))
    for folder in (package / "_templates", package.parent / "examples"):
        if folder.is_dir():
            return folder
    raise FileError(
        Problem(
            "study.no-templates",
            str(package),
            "semkit's own study templates are not installed with it",
            "a folder semkit/_templates",
            "Install semkit again.",
        )
    )


def list_templates() -> tuple[str, ...]:
    """Names of the templates that are there."""
    return tuple(name for name in TEMPLATES if (_folder() / name / "study.toml").is_file())


def new_study(folder: str | Path, template: str = "border_collaboration") -> tuple[Path, ...]:
    """Make a study folder from a template; an existing folder must be empty.

    Returns
    -------
    tuple of Path
        The files written.

    Raises
    ------
    OptionError
        ``study.unknown-template``.
    FileError
        ``study.folder-not-empty``.
    """
    known = list_templates()
    if template not in known:
        raise OptionError(
            Problem(
                "study.unknown-template",
                "--template",
                f'"{template}" is no template',
                ", ".join(known),
                suggest(template, known).strip() or "Use one of these.",
            )
        )
    target = Path(folder)
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise FileError(
            Problem(
                "study.folder-not-empty",
                str(target),
                "it is a file" if not target.is_dir() else "the folder is not empty",
                "a new or empty folder",
                "Choose another name; nothing was written.",
            )
        )
    sources = sorted(path for path in (_folder() / template).iterdir() if path.suffix in _SUFFIXES and path.is_file())
    return tuple(write_bytes(target / source.name, source.read_bytes()) for source in sources)
