"""Quotas: how many complete interviews are wanted, by the choices of a question."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from semkit.errors import FileError, OptionError, Problem, suggest

Quotas = Mapping[str, Mapping[str, int]]
MOST = 1_000_000


def read_quotas(path: str | os.PathLike[str]) -> dict[str, dict[str, int]]:
    """Read a quota file.

    Parameters
    ----------
    path : path
        TOML: ``[quota.<question>]`` with ``<choice> = <interviews>``.

    Raises
    ------
    FileError
        ``monitoring.bad-quota-file``.
    """
    path = Path(path)
    try:
        if not path.is_file() or path.stat().st_size > MOST:
            raise OSError(0, "it is no file of quotas")
        told = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise _bad(path.name, f"it cannot be read ({reason})") from error
    quotas = told.get("quota")
    if set(told) != {"quota"} or not isinstance(quotas, dict) or not quotas:
        raise _bad(path.name, "it has other tables than [quota.<question>]")
    for question, wanted in quotas.items():
        right = isinstance(wanted, dict) and all(
            isinstance(number, int) and not isinstance(number, bool) and 0 <= number <= MOST
            for number in wanted.values()
        )
        if not right:
            raise _bad(f"{path.name}, [quota.{question}]", "a number of interviews is no whole number from 0 up")
    return {question: dict(wanted) for question, wanted in quotas.items()}


def _bad(where: str, what: str) -> FileError:
    return FileError(
        Problem("monitoring.bad-quota-file", where, what, "[quota.scr_region] with lines such as sambas = 240",
                "Correct the quota file.")
    )  # fmt: skip


def quota_table(
    coded: pd.DataFrame, valid: pd.Series, quotas: Quotas, choices: Mapping[str, list[str]]
) -> pd.DataFrame:
    """One row a quota: question, choice, wanted, so far, still missing, share reached.

    Raises
    ------
    OptionError
        ``monitoring.unknown-quota``: questions or choices that the forms do not have; all at once.
    """
    problems = []
    for question, wanted in quotas.items():
        if question not in choices or question not in coded.columns:
            known = [name for name in choices if name in coded.columns]
            what = "no answered question with choices is called so"
            problems.append(_unknown(f"quota {question}", what, known, question))
            continue
        problems += [
            _unknown(f"quota {question}", f'"{choice}" is none of its choices', choices[question], choice)
            for choice in wanted
            if choice not in choices[question]
        ]
    if problems:
        raise OptionError(*problems)
    rows = []
    for question, wanted in quotas.items():
        counts = coded.loc[valid, question].value_counts()
        for choice, number in wanted.items():
            reached = int(counts.get(choice, 0))
            share = reached / number if number else float("nan")
            rows.append((question, choice, number, reached, max(number - reached, 0), share))
    return pd.DataFrame(rows, columns=["question", "choice", "wanted", "so far", "missing", "share"])


def _unknown(where: str, what: str, known: list[str], name: str) -> Problem:
    return Problem("monitoring.unknown-quota", where, what, ", ".join(known[:60]),
                   suggest(name, known).strip() or "Use a name of the forms.")  # fmt: skip
