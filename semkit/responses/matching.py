"""From columns of a file to items and questions: by name, by name after a group prefix, by label; never by likeness."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from semkit.errors import Problem, suggest
from semkit.responses.platforms import KOBO, SYNTHETIC, is_metadata, looks_personal, quality_field
from semkit.responses.records import How, Kind, Platform, Source
from semkit.responses.targets import Targets, fold

SEPARATORS = "/-:."
_CODED = re.compile(r"^([A-Za-z][0-9A-Za-z]*(?:\[\w+\])?)\. ")
_GRID = re.compile(r"^(?P<question>.*?)\s*\[(?P<row>.+)\]\s*$", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Match:
    """What one header can mean."""

    names: tuple[str, ...]
    how: How
    option: str = ""


def match_header(header: str, targets: Targets) -> Match | None:
    """What a header means: its name, its name after group prefixes, its label, a grid row, a choice.

    Parameters
    ----------
    header : str
    targets : Targets

    Returns
    -------
    Match or None
        Several names when the text belongs to several items or questions.
    """
    whole = _entry(header, targets)
    if whole:
        return whole
    if fold(header) in targets.joined:
        name, code = targets.joined[fold(header)]
        return Match((name,), "name", code)
    cuts = [place for place, letter in enumerate(header) if letter in SEPARATORS]
    grid = _GRID.match(header)
    option = _option(header, cuts, grid, targets)
    if option:
        return option
    for cut in cuts:  # the longest ending first
        found = _entry(header[cut + 1 :], targets)
        if found:
            return Match(found.names, "path")
    if grid:
        found = _entry(grid["row"], targets)
        if found and any(name in targets.items for name in found.names):
            return Match(found.names, "grid")
    return None


def _entry(text: str, targets: Targets) -> Match | None:
    stripped = text.strip()
    if stripped in targets:
        return Match((stripped,), "name")
    folded = fold(text)
    if folded in targets.folded:
        return Match((targets.folded[folded],), "name")
    if folded in targets.labels:
        return Match(targets.labels[folded], "label")
    name = next((name for pattern, name in targets.patterns if pattern.fullmatch(folded)), "")
    return Match((name,), "label") if name else None


def _option(header: str, cuts: list[int], grid: re.Match[str] | None, targets: Targets) -> Match | None:
    """One choice of a select-multiple question: ``question/choice``, with group or not, or ``question[choice]``."""
    pairs = [(header[:cut], header[cut + 1 :]) for cut in reversed(cuts)]
    if grid:
        pairs.append((grid["question"], grid["row"]))
    for left, right in pairs:
        found = _entry(left, targets)
        for cut in (place for place, letter in enumerate(left) if letter in SEPARATORS):
            found = found or _entry(left[cut + 1 :], targets)
        if not found or len(found.names) != 1:
            continue
        question = targets.questions.get(found.names[0])
        if question is None or question.answer != "multiple":
            continue
        wanted = fold(right)
        known = targets.joined.get(fold(f"{question.name}_{wanted}"))
        if known:
            return Match((question.name,), "path" if found.how == "name" else "label", known[1])
        for choice in question.choices:
            if wanted in (fold(choice.code), fold(choice.label.id), fold(choice.label.en)):
                return Match((question.name,), "path" if found.how == "name" else "label", choice.code)
    return None


def match_columns(
    header: Sequence[str],
    targets: Targets,
    mapping: Mapping[str | int, str | None] | None,
    where: str,
    platform: Platform = "plain",
    labels: Sequence[str] = (),
) -> tuple[tuple[Source, ...], list[Problem], list[Problem]]:
    """Give each column its meaning.

    Parameters
    ----------
    header : sequence of str
    targets : Targets
    mapping : mapping of header, or of column number from 1, to name, or to None for a column that is set aside
    where : str
    platform : str
        Decides what is metadata.
    labels : sequence of str
        Words beside each header; they count where the header itself means nothing.

    Returns
    -------
    sources : tuple of Source
    serious : list of Problem
        Ambiguous, doubly matched and missing columns, wrong mapping.
    slight : list of Problem
        Unmatched columns, questions without a column.
    """
    mapping = dict(mapping or {})
    sources: list[Source] = []
    serious = _mapping_problems(header, mapping, targets, where)
    matches = _matches(header, mapping, targets, platform, labels)
    for position, name in enumerate(header, start=1):
        if position in mapping or name in mapping:
            wish = mapping[position] if position in mapping else mapping[name]
            sources.append(_mapped(name, position, wish, targets))
            continue
        match = matches[position - 1]
        if match is None:
            sources.append(_other(name, position, platform))
        elif len(match.names) > 1:
            serious.append(
                Problem(
                    "responses.ambiguous-column",
                    f'{where}, column {position} "{name}"',
                    "its text belongs to several items or questions",
                    ", ".join(match.names),
                    f'Say which it is: mapping={{{position}: "<name>"}}.',
                )
            )
            sources.append(Source(name, position, "unmatched", "", "", match.how))
        else:
            sources.append(_source(name, position, match.names[0], targets, match.how, match.option))
    serious += _double_problems(sources, where)
    missing, slight = _missing_problems(sources, targets, where)
    return tuple(sources), serious + missing, slight


def _matches(
    header: Sequence[str],
    mapping: Mapping[str | int, str | None],
    targets: Targets,
    platform: Platform,
    labels: Sequence[str],
) -> list[Match | None]:
    """What each column means; of words that belong to several questions, those that no other column holds."""
    found: list[Match | None] = []
    taken = {str(name) for name in mapping.values()}
    for position, name in enumerate(header, start=1):
        mapped = position in mapping or name in mapping or name == SYNTHETIC
        match = None if mapped else _match(name, labels[position - 1] if labels else "", targets, platform)
        found.append(match)
        if match is not None and len(match.names) == 1 and not match.option:
            taken.add(match.names[0])
    for place, match in enumerate(found):
        if match is not None and len(match.names) > 1:
            free = tuple(name for name in match.names if name not in taken)
            found[place] = Match(free, match.how) if len(free) == 1 else match
    return found


def heading_code(header: str, platform: Platform) -> str:
    """The code of a LimeSurvey heading "code. text"; any other header as it is."""
    coded = _CODED.match(header) if platform == "limesurvey" else None
    return coded[1] if coded else header


def _match(header: str, label: str, targets: Targets, platform: Platform) -> Match | None:
    match = match_header(header, targets)
    code = heading_code(header, platform)
    if match is None and code != header:
        match = match_header(code, targets)
    if match is None and label and not is_metadata(header, platform):
        match = match_header(label, targets)
    return match


def _source(header: str, position: int, target: str, targets: Targets, how: How, option: str = "") -> Source:
    kind: Kind = "item" if target in targets.items else "option" if option else "question"
    if kind == "question" and targets.questions[target].section == "quality" and quality_field(target):
        return Source(header, position, "quality", quality_field(target), "", how)
    return Source(header, position, kind, target, option, how)


def _mapped(name: str, position: int, target: str | None, targets: Targets) -> Source:
    if target is None or target not in targets:
        return Source(name, position, "set_aside", "", "", "mapping")
    return _source(name, position, target, targets, "mapping")


def _other(name: str, position: int, platform: Platform) -> Source:
    kind: Kind
    code = heading_code(name, platform)
    if quality_field(code) and code not in KOBO:
        return Source(name, position, "quality", quality_field(code))
    if name == SYNTHETIC or (is_metadata(code, platform) and not looks_personal(code)):
        kind = "metadata"
    elif looks_personal(code):
        kind = "personal"
    else:
        kind = "unmatched"
    return Source(name, position, kind)


def _mapping_problems(
    header: Sequence[str], mapping: Mapping[str | int, str | None], targets: Targets, where: str
) -> list[Problem]:
    problems = []
    for name, target in mapping.items():
        known = 1 <= name <= len(header) if isinstance(name, int) else name in header
        if not known:
            problems.append(
                Problem(
                    "responses.unknown-column",
                    f'mapping, "{name}"',
                    f"{where} has no such column",
                    f"1 to {len(header)}, or " + ", ".join(header[:60]),
                    suggest(str(name), header).strip() or "Use a column name or number of the file.",
                )
            )
        elif (header[name - 1] if isinstance(name, int) else name) == SYNTHETIC:
            problems.append(
                Problem(
                    "responses.synthetic-marker",
                    f'mapping, "{SYNTHETIC}"',
                    "the marker of invented data cannot be mapped or set aside",
                    "no entry for this column",
                    "Leave the column as it is.",
                )
            )
        if target is not None and target not in targets:
            problems.append(
                Problem(
                    "responses.unknown-target",
                    f'mapping, "{name}"',
                    f'no item or question is called "{target}"',
                    ", ".join([*targets.items, *targets.questions][:60]),
                    suggest(target, [*targets.items, *targets.questions]).strip() or "Use a name of the forms.",
                )
            )
    return problems


def _double_problems(sources: Iterable[Source], where: str) -> list[Problem]:
    taken: dict[tuple[str, str], list[Source]] = {}
    for source in sources:
        if source.target:
            taken.setdefault((source.target, source.option), []).append(source)
    return [
        Problem("responses.doubled-column", f'{where}, "{target}"',
                "several columns hold it: " + ", ".join(f'{one.position} "{one.header}"' for one in names),
                "one column",
                f"Set the others aside by number: mapping={{{names[-1].position}: None}}.")
        for (target, _), names in taken.items()
        if len(names) > 1
    ]  # fmt: skip


def _missing_problems(sources: Sequence[Source], targets: Targets, where: str) -> tuple[list[Problem], list[Problem]]:
    present = {source.target for source in sources}
    unmatched = [source.header for source in sources if source.kind == "unmatched"]
    serious, slight = [], []
    for name, item in targets.items.items():
        if name not in present:
            close = suggest(name, unmatched).strip()
            serious.append(
                Problem(
                    "responses.missing-item",
                    f'{where}, item "{name}"',
                    "no column holds it",
                    f'a column "{name}", "<group>/{name}" or "{item.text.id or item.text.en}"',
                    f'{close} Say which column it is: mapping={{"<column>": "{name}"}}.'.strip(),
                )
            )
    lacking = [name for name, one in targets.questions.items() if name not in present and one.section != "quality"]
    if lacking:
        slight.append(
            Problem(
                "responses.missing-question",
                f"{where}, question{'s' if len(lacking) > 1 else ''} {_quoted(lacking)}",
                "no column holds the answers",
                "a column with the name or the text of the question",
                "What is made from them will be missing; or say which column it is with mapping=.",
            )
        )
    if unmatched:
        slight.append(
            Problem(
                "responses.unmatched-column",
                f"{where}, column{'s' if len(unmatched) > 1 else ''} {_quoted(unmatched)}",
                "no item, question or metadata of the platform",
                "names or texts of the instruments",
                'Left aside; mapping={"<column>": "<name>"} would use it.',
            )
        )
    return serious, slight


def _quoted(names: Sequence[str], most: int = 30) -> str:
    rest = len(names) - most
    return ", ".join(f'"{name}"' for name in names[:most]) + (f" and {rest} more" if rest > 0 else "")
