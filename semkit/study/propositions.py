"""Checks of a study's models, claims, robustness checks and probes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise

from semkit.errors import Problem, SemkitError, suggest
from semkit.study.columns import Known, composite_items, control_names, score_items
from semkit.study.expansion import Expansion, Vocabulary, expand
from semkit.study.findings import Findings, Path
from semkit.study.probing import NEEDS
from semkit.study.schema import ClaimModel, IndexModel, ModelModel, PartModel, ProbeModel
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
        own = replace(words, product_factors=model.interaction == "product")
        _method(found, model, ("models", name))
        try:
            expansion = expand(model.text, own, f'model "{name}"')
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


def _method(found: Findings, model: ModelModel, path: Path) -> None:
    """Options stand beside the method they belong to."""
    for key, method in (("nodes", "lms"), ("match", "product"), ("centering", "product")):
        if getattr(model, key) is not None and model.interaction != method:
            found.add(
                Problem(
                    "study.contradiction",
                    found.at((*path, key)),
                    f'{key} is an option of interaction = "{method}", not of "{model.interaction}"',
                    f'interaction = "{method}", or no {key}',
                    "Remove one of the two.",
                )
            )


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
    if (part.parameter is None) == (part.index is None):
        found.add(
            Problem(
                "study.contradiction",
                found.at(path),
                "parameter and index are " + ("not given" if part.index is None else "both given"),
                "one of parameter, index",
                "Give exactly one of the two.",
            )
        )
        return
    if part.index is not None:
        if part.model in expansions:
            _index(found, part.index, part.model, (*path, "index"), expansions[part.model])
        return
    assert part.parameter is not None
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


def _index(found: Findings, index: IndexModel, model: str, path: Path, expansion: Expansion) -> None:
    """The path is one of the model, and one of its steps is moderated."""
    from semkit.model import parse

    spec = parse(expansion.text)
    for key, names in (("path", index.path), ("moderator", [index.moderator])):
        for name in names:
            found.known(name, _variables(expansion), (*path, key), f'variable of model "{model}"')
    steps = [{t.rhs for t in spec.terms if t.op == "~" and t.lhs == b and a in t.rhs.split(":")}
             for a, b in pairwise(index.path)]  # fmt: skip
    lacking = [f"{b} ~ {a}" for (a, b), terms in zip(pairwise(index.path), steps, strict=True) if a not in terms]
    if lacking:
        found.add(
            Problem(
                "study.no-path",
                found.at((*path, "path")),
                f'model "{model}" has no {lacking[0]}',
                "a path whose every step is a regression of the model",
                "Correct the path, or add the regression.",
            )
        )
    elif not any(
        _multiplies(index.moderator, a, term) for a, terms in zip(index.path, steps, strict=False) for term in terms
    ):
        found.add(
            Problem(
                "study.not-moderated",
                found.at((*path, "moderator")),
                f"{index.moderator} multiplies no step of {' -> '.join(index.path)}",
                "a moderator of one of the steps",
                f"Add a product such as {index.path[1]} ~ {index.path[0]}:{index.moderator}.",
            )
        )


def _multiplies(moderator: str, focal: str, term: str) -> bool:
    factors = term.split(":")
    factors.remove(focal)
    return moderator in factors


def _variables(expansion: Expansion) -> list[str]:
    """Names of a model, the factors of its products one by one."""
    from semkit.model import parse

    return list(dict.fromkeys(part for name in parse(expansion.text).names for part in name.split(":")))


def probes(found: Findings, expansions: Mapping[str, Expansion]) -> None:
    """Probes name models and their variables, with the keys their kind needs and no others."""
    for number, probe in enumerate(found.file.probes):
        path = ("probes", number)
        found.known(probe.model, found.file.models, (*path, "model"), "model")
        _keys(found, probe, path)
        for key in ("focal", "moderator", "second", "outcome"):
            name = getattr(probe, key)
            if name is not None and probe.model in expansions:
                names = _variables(expansions[probe.model])
                found.known(name, names, (*path, key), f'variable of model "{probe.model}"')


def _keys(found: Findings, probe: ProbeModel, path: Path) -> None:
    needed, allowed = NEEDS[probe.kind]
    for key in needed:
        if getattr(probe, key) is None:
            found.add(
                Problem(
                    "study.missing-key",
                    found.at(path),
                    f'a probe of kind "{probe.kind}" needs "{key}"',
                    key,
                    f'Add "{key} = ...".',
                )
            )
    for key in ("second", "values", "adjust", "origin"):
        if key not in allowed and getattr(probe, key) != type(probe).model_fields[key].default:
            found.add(
                Problem(
                    "study.contradiction",
                    found.at((*path, key)),
                    f'"{key}" says nothing to a probe of kind "{probe.kind}"',
                    ", ".join(allowed) or "no such key",
                    "Remove the key, or choose another kind.",
                )
            )


def _primary(claim: ClaimModel) -> list[PartModel]:
    return [part for part in claim.parts if part.primary]
