"""Scales, constructs and items: do they fit each other?"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from semkit.errors import Problem, suggest
from semkit.instrument.schema import ConstructModel, InstrumentModel, ItemModel, ScaleModel, VariantModel
from semkit.instrument.scope import File, Scope

Path = tuple[str | int, ...]


def codes_of(scale: ScaleModel) -> list[int]:
    """Stored codes of a scale: those given, else 1 ... points."""
    return list(scale.codes) if scale.codes is not None else list(range(1, scale.points + 1))


def check_measures(scope: Scope) -> Iterator[Problem]:
    """Yield problems of scales, constructs and items."""
    for file in scope.files:
        for number, scale in enumerate(file.model.scales):
            yield from _scale(scope, file, ("scales", number), scale)
        for number, construct in file.constructs():
            yield from _construct(scope, file, ("constructs", number), construct)
            for index, item in enumerate(construct.items):
                yield from _item(scope, file, ("constructs", number, "items", index), construct, item)
    if isinstance(scope.main.model, InstrumentModel):
        for number, variant in enumerate(scope.main.model.variants):
            yield from _variant(scope, scope.main.model, ("variants", number), variant)


def _variant(scope: Scope, model: InstrumentModel, path: Path, variant: VariantModel) -> Iterator[Problem]:
    """A variant must keep what items rely on: the mirror, and the words that attention checks ask for."""
    where = scope.main.places.of(path)
    old, new = scope.scales.get(variant.scale), scope.scales.get(variant.by)
    for name, scale in ((variant.scale, old), (variant.by, new)):
        if scale is None and name not in scope.dropped:
            yield scope.undefined_scale(where, name)
    if old is None or new is None:
        return
    if new.points != variant.points:
        yield Problem(
            "instrument.variant-shape",
            where,
            f"the variant has {variant.points} points, {new.name} has {new.points}",
            f"points = {new.points}",
            "Change the points, or name another scale.",
        )
    own = [(c, item) for c in model.constructs for item in c.items if (item.scale or c.scale) == old.name]
    codes = codes_of(new)
    mirrored = {codes[0] + codes[-1] - code for code in codes} == set(codes)
    for _, item in own:
        if (item.reverse and not mirrored) or (
            item.attention is not None and not _same_words(old, new, item.attention)
        ):
            yield Problem(
                "instrument.variant-shape",
                where,
                f'item "{item.name}" cannot stand on {new.name}',
                "a scale with a mirror, on which the required answers of attention checks have the same words",
                "Mend the scale, or leave the variant out.",
            )


def _same_words(old: ScaleModel, new: ScaleModel, code: int) -> bool:
    """Whether ``code`` has the same label on both scales, in every language that both have."""
    places = [codes_of(scale).index(code) if code in codes_of(scale) else -1 for scale in (old, new)]
    for lang in ("id", "en"):
        first, second = getattr(old.labels, lang), getattr(new.labels, lang)
        if first is not None and second is not None:
            both_exist = 0 <= places[0] < len(first) and 0 <= places[1] < len(second)
            if not both_exist or first[places[0]] != second[places[1]]:
                return False
    return True


def _scale(scope: Scope, file: File, path: Path, scale: ScaleModel) -> Iterator[Problem]:
    where = file.places.of(path)
    codes = codes_of(scale)
    if len(codes) != scale.points:
        yield Problem(
            "instrument.scale-codes",
            where,
            f"{scale.points} points but {len(codes)} codes",
            f"exactly {scale.points} codes",
            "Give one code a point, or leave codes out for 1 ... points.",
        )
    elif any(second <= first for first, second in pairwise(codes)):
        yield Problem(
            "instrument.scale-codes",
            where,
            "codes do not rise from point to point: " + ", ".join(map(str, codes)),
            "rising codes, lowest point first",
            "Sort codes and labels together.",
        )
    yield from scope.special_problems(where, scale.special, codes)


def _construct(scope: Scope, file: File, path: Path, construct: ConstructModel) -> Iterator[Problem]:
    where = file.places.of(path)
    if construct.order == 1:
        yield from _first_order(scope, where, construct)
    else:
        yield from _second_order(scope, where, construct)
    if construct.type != "composite" and (construct.weights or construct.reliability):
        yield Problem(
            "instrument.construct-shape",
            where,
            "weights and reliability are given, but it is no composite",
            'type = "composite", or neither of the two',
            "Remove the keys, or change the type.",
        )
    scale = scope.scales.get(construct.scale or "")
    if construct.na_scored_as is not None and scale is not None and construct.na_scored_as not in codes_of(scale):
        yield Problem(
            "instrument.score-out-of-range",
            where,
            f"na_scored_as is {construct.na_scored_as}",
            "a code of the scale: " + ", ".join(map(str, codes_of(scale))),
            "Use one of the scale's codes.",
        )


def _first_order(scope: Scope, where: str, construct: ConstructModel) -> Iterator[Problem]:
    if construct.scale is None:
        yield Problem(
            "instrument.construct-shape",
            where,
            "it has no scale",
            ", ".join(scope.scales) or "a scale",
            'Add scale = "...".',
        )
    elif construct.scale not in scope.scales and construct.scale not in scope.dropped:
        yield scope.undefined_scale(where, construct.scale)
    if construct.dimensions:
        yield Problem(
            "instrument.construct-shape",
            where,
            "it has order 1 and dimensions",
            "order = 2 with dimensions, or order = 1 with items",
            "Set order = 2, or remove dimensions.",
        )
    if not any(item.attention is None for item in construct.items):
        yield Problem(
            "instrument.no-items",
            where,
            "it has no items to be scored",
            "at least one item",
            "Add items, or remove the construct.",
        )
    scored = [item for item in construct.items if item.attention is None]
    if scored and all(item.reverse for item in scored):
        yield Problem(
            "instrument.reverse-without-twin",
            where,
            "every item is reversed, so none shows which way the construct runs",
            "at least one item that is not reversed",
            "Add a straight item, or drop reverse and name the construct after its opposite.",
        )


def _second_order(scope: Scope, where: str, construct: ConstructModel) -> Iterator[Problem]:
    if construct.items or construct.scale:
        yield Problem(
            "instrument.construct-shape",
            where,
            "it has order 2 and items or a scale of its own",
            "order = 2 with dimensions, or order = 1 with items",
            "Move the items to its dimensions.",
        )
    if len(set(construct.dimensions)) < 2:
        yield Problem(
            "instrument.construct-shape",
            where,
            f"it has order 2 and {len(set(construct.dimensions))} dimensions",
            "at least two different dimensions",
            "List the codes of its first-order constructs.",
        )
    for code in construct.dimensions:
        if code in scope.dropped:
            continue
        if code not in scope.constructs:
            yield scope.undefined_construct(where, code)
        elif scope.constructs[code].order == 2:
            yield Problem(
                "instrument.circular-dimension",
                where,
                f'dimension "{code}" is of order 2 itself',
                "first-order constructs: " + ", ".join(c for c, m in scope.constructs.items() if m.order == 1),
                "Orders above 2 and circles are not supported; list first-order constructs.",
            )


def _item(scope: Scope, file: File, path: Path, construct: ConstructModel, item: ItemModel) -> Iterator[Problem]:
    where = file.places.of(path)
    name = item.scale or construct.scale or ""
    scale = scope.scales.get(name)
    if scale is None:
        if item.scale is not None and item.scale not in scope.dropped:
            yield scope.undefined_scale(where, item.scale)
        return
    codes = codes_of(scale)
    if item.special is not None:
        yield from scope.special_problems(where, item.special, codes)
    if item.attention is not None and item.attention not in codes:
        yield Problem(
            "instrument.attention-key",
            where,
            f"the required answer {item.attention} is no point of {name}",
            ", ".join(map(str, codes)),
            "Name the code of the answer that the text asks for.",
        )
    if item.reverse and item.attention is not None:
        yield Problem(
            "instrument.attention-key",
            where,
            "it is an attention check and reversed",
            "one of the two",
            "Remove reverse: checks are never scored.",
        )
    if item.reverse and {codes[0] + codes[-1] - code for code in codes} != set(codes):
        mirror = suggest(name, [other for other in scope.scales if other != name])
        yield Problem(
            "instrument.no-mirror",
            where,
            f"it is reversed, but {name} with codes {', '.join(map(str, codes))} has no mirror",
            "a scale on which lowest + highest - code is a code for every code",
            f"Change the codes, or the item's scale.{mirror}",
        )
