"""What kind of thing every argument may be: asked before any of them is used."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from numbers import Integral, Real
from pathlib import Path
from typing import Any

from semkit.errors import FileError, OptionError, Problem
from semkit.model import parse
from semkit.sample import Composite, Design

_WORDS = ("group_equal", "group_partial", "auxiliary", "nesting", "test", "ordered", "effect_coding")
_SWITCHES = ("ordered", "effect_coding")


def require_arguments(model: Any, arguments: Mapping[str, Any]) -> None:
    """Refuse arguments of the wrong kind, all at once.

    Parameters
    ----------
    model : object
        Should be text.
    arguments : mapping of str to object
        By name; those left out are not looked at.

    Raises
    ------
    ModelSyntaxError
        The model is no text.
    OptionError
        ``fitting.argument-kind``.
    """
    if not isinstance(model, str):
        parse(model)
    problems = [_wrong(name, arguments[name], "a name or a list of names", "Write names in quotes.")
                for name in _WORDS if name in arguments and not _words(arguments[name], name in _SWITCHES)]
    group, design = arguments.get("group"), arguments.get("design")
    start, composites = arguments.get("start"), arguments.get("composites")
    if group is not None and not isinstance(group, str):
        problems.append(_wrong("group", group, "the name of a column", "Write the column's name in quotes."))
    if design is not None and not isinstance(design, Design):
        problems.append(_wrong("design", design, "sk.Design(...)", "Use design=sk.Design(weights='w')."))
    if start is not None and not (isinstance(start, Mapping) and all(map(_number, start.values()))):
        problems.append(_wrong("start", start, "numbers by name of the parameter",
                               "Use start={'f =~ x2': 0.8}."))
    if composites is not None and not (
            isinstance(composites, Mapping) and all(isinstance(one, Composite) for one in composites.values())):
        problems.append(_wrong("composites", composites, "sk.Composite objects by name",
                               "Use composites={'c': sk.Composite(...)}."))
    if problems:
        raise OptionError(*problems)


def require_place(path: Any, where: str) -> Path:
    """The file to be written, in a folder that is there.

    Raises
    ------
    OptionError
        ``fitting.argument-kind``: no path.
    FileError
        ``fitting.no-folder``.
    """
    if not isinstance(path, (str, Path)):
        raise OptionError(_wrong(where, path, "a path", "Give the name of a file."))
    if not Path(path).parent.is_dir():
        raise FileError(Problem("fitting.no-folder", str(path), "its folder does not exist",
                                "a file in a folder that is there", "Make the folder first, or write elsewhere."))
    return Path(path)


def _wrong(name: str, value: Any, allowed: str, remedy: str) -> Problem:
    return Problem("fitting.argument-kind", name, f"{value!r:.80} is no such thing", allowed, remedy)


def _words(value: Any, switch: bool) -> bool:
    """Whether a value is nothing, a name or several (or a switch where that is allowed)."""
    if value is None or isinstance(value, str):
        return True
    if isinstance(value, bool):
        return switch
    listed = isinstance(value, (Sequence, set, frozenset)) or hasattr(value, "tolist")
    return listed and all(isinstance(one, str) for one in value)


def _number(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)


def require_group(group: Any, count: int) -> int:
    """A group's number, counted from 0.

    Raises
    ------
    OptionError
        ``fitting.unknown-group``.
    """
    if not isinstance(group, Integral) or isinstance(group, bool) or not 0 <= int(group) < count:
        raise OptionError(Problem("fitting.unknown-group", f"group={group!r}", "the fit has no such group",
                                  f"0 to {count - 1}", "Groups are counted from 0."))
    return int(group)


def require_seed(seed: Any) -> int:
    """The seed, or one drawn when there is none.

    Raises
    ------
    OptionError
        ``fitting.argument-kind``.
    """
    if seed is None:
        return secrets.randbelow(2**31)
    if not isinstance(seed, Integral) or isinstance(seed, bool) or int(seed) < 0:
        raise OptionError(_wrong("seed", seed, "a whole number, 0 or more", "Use for example seed=1."))
    return int(seed)


def require_text(where: str, *values: Any) -> None:
    """Refuse names and hypotheses that are no text.

    Raises
    ------
    OptionError
        ``fitting.argument-kind``.
    """
    wrong = [_wrong(where, value, "text", "Write it in quotes.") for value in values if not isinstance(value, str)]
    if wrong:
        raise OptionError(*wrong)


def require_results(where: str, values: Sequence[Any]) -> None:
    """Refuse what is no fit.

    Raises
    ------
    OptionError
        ``fitting.argument-kind``.
    """
    wrong = [_wrong(where, value, "results of sk.sem or sk.cfa", "Pass the fits themselves.")
             for value in values if not hasattr(value, "solution")]
    if wrong:
        raise OptionError(*wrong)
