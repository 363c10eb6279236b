"""Checks of a study's models, claims, robustness checks and probes."""

from __future__ import annotations

from collections.abc import Mapping

from semkit.errors import Problem, SemkitError, suggest
from semkit.study.columns import Known, composite_items, control_names, score_items
from semkit.study.expansion import Expansion, Vocabulary, expand
from semkit.study.findings import Findings, Path
from semkit.study.schema import ClaimModel, PartModel
from semkit.verdict import RULES


def vocabulary_of(found: Findings, known: Known) -> Vocabulary:
    """What model text may name, before data are seen."""
    sets = {
        name: tuple(dict.fromkeys(column for control in controls.variables for column in control_names(control, known)))
        for name, controls in found.file.controls.items()
    }
    return Vocabulary(known.constructs, tuple(found.file.composites), sets)


def models(found: Findings, known: Known) -> dict[str, Expansion]:
    """Expand every model and check the names in it."""
    words = vocabulary_of(found, known)
    columns = {
        *known.columns,
        *found.file.scores,
        *found.file.composites,
        *(column for names in (words.controls or {}).values() for column in names),
    }
    expansions: dict[str, Expansion] = {}
    for name, model in found.file.models.items():
        path = ("models", name, "text")
        try:
            expansion = expand(model.text, words, f'model "{name}"')
        except SemkitError as error:
            found.relay(error, path)
            continue
        expansions[name] = expansion
        _sense(found, expansion, columns, path)
        _parcels(found, expansion, known, path)
        if model.missing == "fiml" and expansion.composites:
            found.add(
                Problem(
                    "study.fiml-with-composites",
                    found.at(("models", name, "missing")),
                    f"full information does not go with the composite {expansion.composites[0]}",
                    'missing = "listwise", or constructs instead of composites',
                    "The error variance of a composite is known for complete answers only.",
                )
            )
    return expansions


def _sense(found: Findings, expansion: Expansion, columns: set[str], path: Path) -> None:
    """The expanded model makes sense, and its variables exist as far as the instruments are known."""
    from semkit.model import check, parse

    try:
        check(parse(expansion.text), sorted(columns) if found.complete and not found.document.dropped else None)
    except SemkitError as error:
        found.relay(error, path)


def _parcels(found: Findings, expansion: Expansion, known: Known, path: Path) -> None:
    """A mean of items and these items in one model make the covariance matrix singular."""
    from semkit.model import parse

    names = set(parse(expansion.text).names)
    means = {name: set(score_items(name, found.file, known)) for name in found.file.scores if name in names}
    for name in expansion.composites:
        items = composite_items(found.file.composites[name], found.file, known)
        means[name] = {item for part in items.values() for item in part}
        both = sorted(set(items) & names)
        if both:
            found.add(
                Problem(
                    "study.parcel-and-items",
                    found.at(path),
                    f'the model has the composite "{name}" and its part "{both[0]}"',
                    "a composite or its parts",
                    "Use one of the two; fit two models if both are wanted.",
                )
            )
    for name, items_of in means.items():
        both = sorted(items_of & names)
        if both:
            found.add(
                Problem(
                    "study.parcel-and-items",
                    found.at(path),
                    f'the model has the mean "{name}" and its items {", ".join(both[:6])}',
                    "a mean or its items",
                    "Use one of the two; fit two models if both are wanted.",
                )
            )


def claims(found: Findings, expansions: Mapping[str, Expansion]) -> None:
    """Rules, parts, labels and lines of every claim."""
    for number, claim in enumerate(found.file.claims):
        path = ("claims", number)
        _rule(found, claim.rule, (*path, "rule"))
        primary = [part for part in claim.parts if part.primary]
        _count(found, claim.rule, len(primary), path)
        for place, part in enumerate(claim.parts):
            _part(found, part, (*path, "parts", place), expansions)
        for place, line in enumerate(claim.lines):
            spot = (*path, "lines", place)
            _rule(found, line.rule, (*spot, "rule"))
            _count(found, line.rule, len(line.parts), spot)
            for entry in line.parts:
                found.known(entry, [part.id for part in claim.parts], (*spot, "parts"), "part of this claim")


def _rule(found: Findings, rule: str, path: Path) -> None:
    if rule not in RULES:
        found.add(
            Problem(
                "study.unknown-rule",
                found.at(path),
                f'"{rule}" is no decision rule',
                ", ".join(RULES),
                suggest(rule, RULES).strip() or "Use one of the rules offered.",
            )
        )


def _count(found: Findings, rule: str, count: int, path: Path) -> None:
    known = RULES.get(rule)
    if known is None:
        return
    least, most = known.minimum_parts, known.maximum_parts
    if count < least or (most is not None and count > most):
        allowed = f"exactly {least}" if least == most else f"{least} or more" if most is None else f"{least} to {most}"
        found.add(
            Problem(
                "study.parts-count",
                found.at(path),
                f"{rule} with {count} primary parts",
                f"{allowed} for {rule}",
                "Set primary = false on parts that do not decide, or choose another rule.",
            )
        )


def _part(found: Findings, part: PartModel, path: Path, expansions: Mapping[str, Expansion]) -> None:
    from semkit.model import parse, parse_expression

    if part.model not in found.file.models:
        found.known(part.model, found.file.models, (*path, "model"), "model")
        return
    try:
        expression = parse_expression(part.parameter)
    except SemkitError as error:
        found.relay(error, (*path, "parameter"))
        return
    if part.model not in expansions:
        return
    spec = parse(expansions[part.model].text)
    defined = [name for formula in spec.formulas if formula.op == ":=" for name in formula.lhs.names]
    labels = [*spec.labels, *defined]
    for name in (*expression.names, *expression.std_names):
        found.known(name, labels, (*path, "parameter"), f'label of model "{part.model}"')
    for name in expression.sd_names:
        found.known(name, spec.names, (*path, "parameter"), f'variable of model "{part.model}"')


def checks(found: Findings, known: Known) -> None:
    """Robustness checks name claims, models and columns that exist."""
    made = {*found.file.scores, *found.file.composites, *known.columns}
    claims = {claim.id: claim for claim in found.file.claims}
    for number, check in enumerate(found.file.checks):
        path = ("checks", number)
        found.known(check.claim, claims, (*path, "claim"), "claim")
        if check.kind == "regression":
            for key in ("outcome", "focal", "moderator"):
                value = getattr(check, key)
                if value is None:
                    found.add(
                        Problem(
                            "study.missing-key",
                            found.at(path),
                            f'a regression check needs "{key}"',
                            key,
                            f'Add "{key} = ...".',
                        )
                    )
                elif value not in made:
                    found.known(value, made, (*path, key), "column or composite")
            for name in check.covariates:
                found.known(name, {*made, *found.file.controls}, (*path, "covariates"), "column or set")
            claim = claims.get(check.claim)
            if claim is not None and (check.part or len(_primary(claim)) != 1):
                found.known(check.part or "", [part.id for part in claim.parts], (*path, "part"), "part of the claim")
        if check.kind == "model":
            if not check.models:
                found.add(
                    Problem(
                        "study.missing-key",
                        found.at(path),
                        'a model check needs "models"',
                        "models = { A = B }",
                        "Add it.",
                    )
                )
            for old, new in check.models.items():
                found.known(old, found.file.models, (*path, "models"), "model")
                found.known(new, found.file.models, (*path, "models"), "model")


def probes(found: Findings) -> None:
    """Probes name models that exist."""
    for number, probe in enumerate(found.file.probes):
        found.known(probe.model, found.file.models, ("probes", number, "model"), "model")


def _primary(claim: ClaimModel) -> list[PartModel]:
    return [part for part in claim.parts if part.primary]
