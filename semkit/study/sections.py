"""Checks of a study's sections before its models: instruments, data, scores, composites, controls."""

from __future__ import annotations

from pathlib import Path as PathName

from semkit.errors import Problem, SemkitError, suggest
from semkit.instrument import Instrument, load_instrument
from semkit.instrument.combination import combine
from semkit.study.columns import Known, score_items
from semkit.study.findings import Findings, Path
from semkit.writing import inside


def instrument_source(folder: PathName, name: str) -> PathName | str:
    """Where an instrument of the study file is: a path inside the study's folder, or a name of semkit's own."""
    is_path = name.endswith(".toml") or "/" in name or "\\" in name
    return inside(folder, name) if is_path else name


def instruments(found: Findings) -> tuple[Instrument, ...]:
    """Load every instrument; problems of each are part of the study's problems."""
    forms: list[Instrument] = []
    for number, name in enumerate(found.file.instruments):
        path = ("instruments", number)
        try:
            forms.append(load_instrument(instrument_source(found.document.folder, name)))
        except SemkitError as error:
            found.relay(error, path)
            found.complete = False
    names = [form.name for form in forms]
    for number, name in enumerate(names):
        if name in names[:number]:
            found.add(
                Problem(
                    "study.duplicate",
                    found.at(("instruments", number)),
                    f'instrument "{name}" is named twice',
                    "each instrument once",
                    "Remove one of them.",
                )
            )
    if len(set(names)) == len(names) and len(names) > 1:
        try:
            combine(forms)
        except SemkitError as error:
            found.relay(error, ("instruments",))
    return tuple(forms)


def unique_ids(found: Findings) -> None:
    """Claims, parts and made columns have names of their own."""
    names = [claim.id for claim in found.file.claims]
    for number, name in enumerate(names):
        if name in names[:number]:
            found.add(
                Problem(
                    "study.duplicate",
                    found.at(("claims", number, "id")),
                    f'"{name}" is used twice',
                    "an id of its own",
                    "Rename one of them.",
                )
            )
    parts: set[str] = set()
    for number, claim in enumerate(found.file.claims):
        for place, part in enumerate(claim.parts):
            if part.id in parts:
                found.add(
                    Problem(
                        "study.duplicate",
                        found.at(("claims", number, "parts", place, "id")),
                        f'"{part.id}" is used twice',
                        "an id of its own",
                        "Rename one of them.",
                    )
                )
            parts.add(part.id)
    made = [("scores", n) for n in found.file.scores] + [("composites", n) for n in found.file.composites]
    made += [("controls", n) for n in found.file.controls]
    known: dict[str, str] = {}
    for section, name in made:
        if name in known:
            found.add(
                Problem(
                    "study.duplicate",
                    found.at((section, name)),
                    f'"{name}" is already a name in [{known[name]}]',
                    "a name of its own",
                    "Rename one of them.",
                )
            )
        known[name] = section


def data(found: Findings) -> None:
    """The export is there, and no path leaves the folder."""
    for path, name in ((("data", "file"), found.file.data.file), (("output", "folder"), found.file.output.folder)):
        try:
            target = inside(found.document.folder, name)
        except SemkitError as error:
            found.relay(error, path)
            continue
        if path[0] == "data" and not target.is_file():
            known = (
                sorted(p.name for p in target.parent.glob("*.*") if p.is_file())[:20] if target.parent.is_dir() else []
            )
            what = "it is a folder" if target.is_dir() else "there is no such file"
            found.add(
                Problem(
                    "study.data-not-found",
                    found.at(path),
                    f'"{name}": {what}',
                    ", ".join(known) or "a file in the folder",
                    suggest(target.name, known).strip() or "Copy the export into the study's folder.",
                )
            )
        if path[0] == "output" and target == found.document.folder:
            found.add(
                Problem(
                    "study.output-folder",
                    found.at(path),
                    "the results' folder is the study's own folder",
                    "a folder of its own inside it",
                    'Write folder = "results".',
                )
            )


def design(found: Findings, known: Known) -> None:
    """The design's columns are columns of the data; a design names at least one."""
    given = found.file.design
    if given is None:
        return
    named = {name: getattr(given, name) for name in ("weights", "strata", "cluster", "fpc")}
    if not any(named.values()):
        found.add(
            Problem(
                "study.empty-design",
                found.at(("design",)),
                "no column is named",
                "weights, strata, cluster, fpc",
                "Name the columns, or remove the section.",
            )
        )
    for name, column in named.items():
        if column is not None and column not in known.columns:
            found.known(column, known.columns, ("design", name), "column")


def scores(found: Findings, known: Known) -> None:
    """Scores are means of items."""
    for name, score in found.file.scores.items():
        path = ("scores", name)
        if bool(score.of) == bool(score.items):
            found.add(
                Problem(
                    "study.contradiction",
                    found.at(path),
                    "construct and items " + ("are both" if score.items else "are not") + " given",
                    "one of construct, items",
                    "Give exactly one of the two.",
                )
            )
            continue
        if score.of:
            found.known(score.of, known.constructs, (*path, "construct"), "construct")
            continue
        for number, item in enumerate(score.items):
            if item in found.file.scores or item in found.file.composites:
                _chain(found, name, item, (*path, "items", number))
            elif item not in known.items:
                found.known(item, known.items, (*path, "items", number), "item")


def _chain(found: Findings, name: str, item: str, path: Path) -> None:
    """A score of scores: a cycle, or a composite in the wrong section."""
    trail, current = [name], item
    while current in found.file.scores and current not in trail and found.file.scores[current].items:
        trail.append(current)
        current = next((i for i in found.file.scores[current].items if i in found.file.scores), "")
    if current in trail:
        loop = " -> ".join([*trail, current])
        found.add(
            Problem(
                "study.cycle",
                found.at(path),
                f"the scores form a circle: {loop}",
                "scores of items",
                "Name the questionnaire's items.",
            )
        )
    else:
        found.add(
            Problem(
                "study.score-of-scores",
                found.at(path),
                f'"{item}" is no item',
                "items of the instruments",
                "A mean of scores is a composite: write it in [composites].",
            )
        )


def composites(found: Findings, known: Known) -> None:
    """Composites are means of scores."""
    for name, composite in found.file.composites.items():
        path = ("composites", name)
        if isinstance(composite.reliability, float | int) and not 0 < composite.reliability <= 1:
            found.add(
                Problem(
                    "study.out-of-range",
                    found.at((*path, "reliability")),
                    f"{composite.reliability} is no reliability",
                    "stratified_alpha, or a number above 0 and up to 1",
                    "Change the value.",
                )
            )
        for number, part in enumerate(composite.parts):
            place = (*path, "parts", number)
            if part == name or name in getattr(found.file.composites.get(part), "parts", ()):
                found.add(
                    Problem(
                        "study.cycle",
                        found.at(place),
                        f"the composites form a circle: {name} -> {part}",
                        ", ".join(found.file.scores),
                        "Name scores.",
                    )
                )
            elif part not in found.file.scores:
                found.known(part, found.file.scores, place, "score")
            elif part in composite.parts[:number]:
                found.add(
                    Problem(
                        "study.duplicate",
                        found.at(place),
                        f'part "{part}" is named twice',
                        "each part once",
                        "Remove one.",
                    )
                )
            elif composite.reliability == "stratified_alpha" and len(score_items(part, found.file, known)) == 1:
                found.add(
                    Problem(
                        "study.too-few-items",
                        found.at(place),
                        f'part "{part}" has one item; alpha needs two',
                        "parts of two or more items, or a known reliability",
                        "Give the reliability as a number.",
                    )
                )


def controls(found: Findings, known: Known) -> None:
    """Controls are columns or questions with dummies."""
    for name, controls in found.file.controls.items():
        seen: set[str] = set()
        for number, control in enumerate(controls.variables):
            path = ("controls", name, "variables", number)
            if control.column in seen:
                found.add(
                    Problem(
                        "study.duplicate",
                        found.at(path),
                        f'column "{control.column}" is named twice',
                        "each column once",
                        "Remove one of them.",
                    )
                )
            seen.add(control.column)
            if control.dummies:
                if control.transform != "none":
                    found.add(
                        Problem(
                            "study.contradiction",
                            found.at(path),
                            "dummies and transform are both given",
                            "one of the two",
                            "A category has no logarithm; remove transform.",
                        )
                    )
                choices = {q: d for q, d in known.dummies.items() if d}
                if control.column not in choices:
                    found.known(control.column, choices, path, "question with dummies")
                elif control.base != "largest":
                    found.known(control.base, known.choices[control.column], (*path, "base"), "category")
            elif control.column not in known.columns and control.column not in found.file.scores:
                found.known(control.column, {*known.columns, *found.file.scores}, path, "column")
