"""Scales, constructs and items: do they fit each other?"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from semkit.errors import Problem, suggest
from semkit.instrument.schema import ConstructModel, ItemModel, ScaleModel
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
