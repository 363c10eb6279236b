"""One tree of errors with stable codes, and notes: diagnoses that are data.

An error stops the work and says where, what, what is allowed and what to do.  A note
travels with a result.  Both carry a stable ``code`` (``room.kebab-case``) that tests and
scripts may rely on; ``docs/codes.md`` lists them all.
"""

from __future__ import annotations

import difflib
import functools
import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, TypeVar

Severity = Literal["info", "warning", "error"]
_Called = TypeVar("_Called", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with an input.

    Parameters
    ----------
    code : str
        Stable identifier, ``room.kebab-case``, for example ``"model.unexpected-token"``.
    where : str
        The place: file, key, line and column, option name or column name.
    what : str
        What was found there.
    allowed : str
        What would have been right.
    remedy : str
        What to do now.
    """

    code: str
    where: str
    what: str
    allowed: str = ""
    remedy: str = ""

    def __str__(self) -> str:
        parts = [f"{self.where}: {self.what}" if self.where else self.what]
        if self.allowed:
            parts.append(f"Allowed: {self.allowed}")
        if self.remedy:
            parts.append(self.remedy)
        return " ".join(part if part.endswith((".", "?", "!", "\n")) else part + "." for part in parts)


@dataclass(frozen=True, slots=True)
class Note:
    """A diagnosis that travels with a result.

    Parameters
    ----------
    code : str
        Stable identifier, ``room.kebab-case``.
    severity : {"info", "warning", "error"}
        ``"error"`` means that the result must not be reported as one.
    what : str
        What was found, with its figure.
    where : str
        The parameter, variable or group it is about.
    cause : str
        The likely cause.
    remedy : str
        What a researcher can do.
    """

    code: str
    severity: Severity
    what: str
    where: str = ""
    cause: str = ""
    remedy: str = ""

    def __str__(self) -> str:
        head = f"{self.where}: {self.what}" if self.where else self.what
        return " ".join(part for part in (head, self.cause, self.remedy) if part)


class SemkitError(Exception):
    """Root of every error semkit raises on purpose; holds one or more :class:`Problem`.

    ``exit_code`` is what the command line returns: 2 for wrong usage (arguments, files,
    models), 1 when the answer about the data is "no".
    """

    exit_code: ClassVar[int] = 2

    def __init__(self, *problems: Problem) -> None:
        if not problems:
            raise TypeError("an error needs at least one Problem")
        self.problems: tuple[Problem, ...] = problems
        super().__init__("\n".join(str(problem) for problem in problems))

    def __reduce__(self) -> tuple[type[SemkitError], tuple[Problem, ...]]:
        return type(self), self.problems

    @property
    def code(self) -> str:
        """The stable code of the first problem."""
        return self.problems[0].code


class OptionError(SemkitError):
    """An argument has a value that is not allowed, or arguments contradict each other."""


class FileError(SemkitError):
    """A file is missing, unreadable, too large, wrongly encoded, or outside its folder."""


class ModelSyntaxError(SemkitError):
    """Model text that cannot be read; the message shows the place under the line."""


class ModelError(SemkitError):
    """A readable model that makes no sense, or not for these data."""


class InstrumentFileError(SemkitError):
    """An instrument file with one or more problems."""


class StudyFileError(SemkitError):
    """A study file with one or more problems."""


class NotSupportedError(SemkitError):
    """Something semkit does not do; the message names the alternative."""


class MissingExtraError(SemkitError):
    """An optional package is needed; the message says which extra installs it."""


class DataError(SemkitError):
    """The data cannot answer the question (not a mistake of usage)."""

    exit_code = 1


class ResponseError(DataError):
    """Responses that cannot be read as answers to the instruments."""


class SampleError(DataError):
    """Data from which the model cannot be estimated: constant, too few, not positive definite."""


class ResultError(DataError):
    """A result that may be looked at but not used in the way asked (for example not converged)."""


def suggest(name: str, known: Iterable[str]) -> str:
    """Return ``' Did you mean "x"?'`` for the closest known name, or an empty string."""
    close = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f' Did you mean "{close[0]}"?' if close else ""


def spelling(name: str, known: Iterable[str]) -> str:
    """What to do about an unknown name: the closest known one, or a look at the spelling."""
    return suggest(name, known).strip() or "Check the spelling."


# how other programs ask for a survey design
_SURVEY = {"cluster": 'Write design=sk.Design(cluster="...").'} | dict.fromkeys(
    ("sampling_weights", "weights"), 'Write design=sk.Design(weights="...").')


def unknown_arguments(names: Iterable[str], known: Iterable[str]) -> list[Problem]:
    """One problem for each argument that a function does not have."""
    taken = list(known)
    return [Problem("arguments.unknown", f"{name}=", "is not an argument", ", ".join(taken) or "no arguments",
                    _SURVEY.get(name if "design" in taken else "") or suggest(name, taken).strip() or "Leave it out.")
            for name in names]


def argument_problems(call: Callable[..., Any], args: tuple[Any, ...], given: Mapping[str, Any]) -> list[Problem]:
    """Everything in which arguments do not suit a function or class: too many, unknown, given twice, missing."""
    parameters = list(inspect.signature(call).parameters.values())
    kinds = inspect.Parameter
    ordered = [one.name for one in parameters if one.kind in (kinds.POSITIONAL_ONLY, kinds.POSITIONAL_OR_KEYWORD)]
    named = [one.name for one in parameters if one.kind in (kinds.POSITIONAL_OR_KEYWORD, kinds.KEYWORD_ONLY)]
    out, where = [], f"{call.__name__}()"
    if len(args) > len(ordered) and not any(one.kind is kinds.VAR_POSITIONAL for one in parameters):
        out.append(Problem("arguments.too-many", where,
                           f"{len(args)} arguments were given without a name, {len(ordered)} have a place",
                           ", ".join(ordered) or "arguments with a name", "Write the others as name=value."))
    if not any(one.kind is kinds.VAR_KEYWORD for one in parameters):
        out += unknown_arguments([name for name in given if name not in named], named)
    first = ordered[: len(args)]
    out += [Problem("arguments.twice", f"{where}, {name}=", "is given with and without its name", "one value",
                    "Leave one of them out.") for name in first if name in given]
    out += [Problem("arguments.missing", where, f"needs {one.name}=", ", ".join(ordered + named[len(ordered):]),
                    f"Give {one.name}=.") for one in parameters
            if one.name in {*ordered, *named} and one.default is kinds.empty and one.name not in {*first, *given}]
    return out


def checked(call: _Called) -> _Called:
    """A function or class whose wrong arguments are an :class:`OptionError` instead of Python's ``TypeError``.

    Examples
    --------
    >>> @checked
    ... def area(width, height=1.0):
    ...     return width * height
    >>> area(2.0, hight=3.0)
    Traceback (most recent call last):
        ...
    semkit.errors.OptionError: hight=: is not an argument. Allowed: width, height. Did you mean "height"?
    """
    inner: Any = call.__init__ if isinstance(call, type) else call  # type: ignore[misc]

    @functools.wraps(inner)
    def outer(*args: Any, **given: Any) -> Any:
        try:
            return inner(*args, **given)
        except TypeError:
            # the arguments are looked at only when something went wrong: a right call costs nothing
            problems = argument_problems(call, args[1:] if isinstance(call, type) else args, given)
            if not problems:
                raise
        raise OptionError(*problems)

    if not isinstance(call, type):
        return outer  # type: ignore[return-value]
    setattr(call, "__init__", outer)  # noqa: B010
    return call
