"""Files of one wave made one: the same instruments in the same version, real and invented rows never together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd

from semkit.errors import Note, Problem, ResponseError
from semkit.responses.platforms import IDENTIFIERS
from semkit.responses.privacy import numbered
from semkit.responses.records import Responses, Source
from semkit.writing import hash_bytes


def stack_responses(parts: Sequence[Responses], *, several_versions: bool = False) -> Responses:
    """Put the answers of several files under each other.

    Parameters
    ----------
    parts : sequence of Responses
        Read with the same instruments; at least one.
    several_versions : bool
        True allows files that were fielded with different versions of the form.

    Returns
    -------
    Responses
        Respondents are numbered from 1; ``.origin`` says the file and row of each.

    Raises
    ------
    ResponseError
        ``responses.nothing-to-stack``, ``responses.different-forms``, ``responses.different-versions``,
        ``responses.same-file``, ``responses.synthetic-marker``; all at once.

    Examples
    --------
    >>> from semkit import load_instrument, read_responses
    >>> form = load_instrument("government_role")
    >>> one = read_responses(pd.DataFrame({item.name: ["2", "4"] for item in form.items}), form)
    >>> two = read_responses(pd.DataFrame({item.name: ["5"] for item in form.items}), form)
    >>> stack_responses([one, two]).coded["gr_fac_1"].tolist()
    [2.0, 4.0, 5.0]
    """
    problems = _problems(parts, several_versions)
    if problems:
        raise ResponseError(*problems)
    first = parts[0]
    index = pd.RangeIndex(1, 1 + sum(part.n for part in parts), name="respondent")

    def joined(name: str) -> pd.DataFrame:
        frames = [getattr(part, name) for part in parts]
        found: pd.DataFrame = pd.concat(frames, ignore_index=True)
        found.index = index
        return found

    raw, sources = _raw(parts)
    raw.index = index
    declared = joined("declared")
    origin = pd.concat([_origin(part, number) for number, part in enumerate(parts, start=1)], ignore_index=True)
    origin.index = index
    quality, personal = joined("quality"), joined("personal").fillna("")
    named = {s.header for part in parts for s in part.sources if s.kind == "personal" and s.target == "enumerator"}
    for name in named & set(personal.columns):  # one number for the same person in all files
        told = pd.Series(numbered(personal[name].tolist()), index=index, dtype=object)
        quality["enumerator"] = told.where(told.notna(), quality["enumerator"])
    return replace(
        first,
        raw=raw,
        coded=joined("coded"),
        quality=quality,
        personal=personal,
        declared=declared.where(declared.notna(), False).astype(bool),
        sources=sources,
        problems=tuple(problem for part in parts for problem in part.problems),
        notes=(*dict.fromkeys(note for part in parts for note in part.notes), *_repeated(parts)),
        path=None if len(parts) > 1 else first.path,
        sha256=hash_bytes("\n".join(part.sha256 for part in parts).encode()) if len(parts) > 1 else first.sha256,
        origin=origin,
    )


def _name(part: Responses, number: int) -> str:
    return part.path.name if part.path is not None else f"part {number}"


def _origin(part: Responses, number: int) -> pd.DataFrame:
    return pd.DataFrame({"file": [_name(part, number)] * part.n, "row": part.raw.index.to_numpy()})


def _problems(parts: Sequence[Responses], several_versions: bool) -> list[Problem]:
    if not parts:
        return [Problem("responses.nothing-to-stack", "parts", "no answers were given", "at least one Responses",
                        "Read the files with read_responses.")]  # fmt: skip
    problems = []
    names = [_name(part, number) for number, part in enumerate(parts, start=1)]
    told = [tuple((form.name, form.version, form.digest) for form in part.forms) for part in parts]
    other = [name for name, forms in zip(names, told, strict=True) if forms != told[0]]
    read = ", ".join(f"{name} {version}" for name, version, _ in told[0])
    if other:
        problems.append(
            Problem("responses.different-forms", ", ".join(other), f"read with other instruments than {names[0]}",
                    read, "Read all files with the same forms.")
        )  # fmt: skip
    recorded = [sorted(set(part.quality["form_version"].dropna())) for part in parts]
    versions = dict(zip(names, recorded, strict=True))
    if len({version for known in versions.values() for version in known}) > 1 and not several_versions:
        shown = "; ".join(f"{name}: {', '.join(known)}" for name, known in versions.items() if known)
        problems.append(
            Problem("responses.different-versions", shown, "the answers were given to different versions of the form",
                    "one version", "Compare the versions, and say several_versions=True if the answers mean the same.")
        )  # fmt: skip
    digests = [part.sha256 for part in parts]
    twice = [name for name, digest in zip(names, digests, strict=True) if digests.count(digest) > 1]
    if twice:
        problems.append(
            Problem("responses.same-file", ", ".join(twice), "the same answers stand there twice", "each file once",
                    "Leave one of them out.")
        )  # fmt: skip
    if len({part.synthetic for part in parts}) > 1:
        problems.append(
            Problem("responses.synthetic-marker", ", ".join(names), "invented and other rows would stand in one table",
                    "only invented, or only real answers", "Keep them in separate analyses.")
        )  # fmt: skip
    return problems


def _raw(parts: Sequence[Responses]) -> tuple[pd.DataFrame, tuple[Source, ...]]:
    """All columns that any file has, in order of appearance, and where each went; a column is its header and target."""
    order: dict[tuple[str, str, str], tuple[str, Source]] = {}
    frames = []
    for part in parts:
        renamed: dict[str, str] = {}
        for name, source in zip(part.raw.columns, part.kept, strict=True):
            key = (name, source.target, source.option)
            if key not in order:
                known = [given for given, _ in order.values()]
                order[key] = (name if name not in known else f"{name} ({len(known) + 1})", source)
            renamed[name] = order[key][0]
        frames.append(part.raw.rename(columns=renamed))
    raw = pd.concat(frames, ignore_index=True)[[name for name, _ in order.values()]]
    sources = tuple(replace(source, position=place) for place, (_, source) in enumerate(order.values(), start=1))
    return raw.where(raw.notna(), ""), sources


def _repeated(parts: Sequence[Responses]) -> list[Note]:
    notes = []
    for name in IDENTIFIERS:
        columns = [part.raw[name] for part in parts if name in part.raw.columns]
        seen: set[str] = set()
        again = 0
        for column in columns:
            mine = set(column) - {""}
            again += len(seen & mine)
            seen |= mine
        if again:
            notes.append(
                Note("responses.repeated-id", "warning", f"{again} identifiers stand in more than one file",
                     f'column "{name}"', "A submission was exported twice.",
                     "Cleaning removes a copy only when its answers are the same.")
            )  # fmt: skip
    return notes
