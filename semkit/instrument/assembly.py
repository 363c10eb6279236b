"""From checked file models to records: shared blocks joined with the instrument's own parts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from semkit.instrument import items as i
from semkit.instrument import questions as q
from semkit.instrument import records as r
from semkit.instrument import schema as s

T = TypeVar("T")


@dataclass(frozen=True)
class Part:
    """A shared block as an instrument uses it."""

    model: s.BlockModel
    place: str
    leave_out: frozenset[str]


def _text(model: s.TextModel | None) -> i.Text:
    return i.Text((model.id or "").strip(), (model.en or "").strip()) if model is not None else i.Text()


def _scale(model: s.ScaleModel) -> i.Scale:
    codes = tuple(model.codes) if model.codes is not None else tuple(range(1, model.points + 1))
    id_labels = model.labels.id or [""] * len(codes)
    en_labels = model.labels.en or [""] * len(codes)
    labels = tuple(i.Text(first.strip(), second.strip()) for first, second in zip(id_labels, en_labels))
    return i.Scale(model.name, codes, labels, tuple(model.special))


def _items(construct: s.ConstructModel, scales: dict[str, i.Scale]) -> Iterable[i.Item]:
    for item in construct.items:
        scale = item.scale or construct.scale or ""
        offered = tuple(item.special) if item.special is not None else scales[scale].special
        yield i.Item(item.name, construct.code, scale, _text(item), item.reverse, item.attention, offered)


def _construct(model: s.ConstructModel) -> i.Construct:
    return i.Construct(
        code=model.code,
        id=model.id,
        label=_text(model.label),
        definition=_text(model.definition),
        order=model.order,
        type=model.type,
        scale=model.scale or "",
        items=tuple(item.name for item in model.items if item.attention is None),
        dimensions=tuple(model.dimensions),
        weights=model.weights or "",
        reliability=model.reliability or "",
        min_answered=model.min_answered,
        na_scored_as=model.na_scored_as,
        lead_in=_text(model.lead_in),
        module=model.module or "",
        theory=model.theory,
        source=model.source,
    )


def _condition(model: s.ConditionModel) -> q.Condition:
    return q.Condition(model.question, tuple(model.any_of), model.at_least, model.at_most, model.unanswered)


def _question(model: s.QuestionModel) -> q.Question:
    relevance = None
    if model.relevance is not None:
        conditions = tuple(_condition(condition) for condition in model.relevance.conditions)
        relevance = q.Relevance(model.relevance.match, conditions, model.relevance.otherwise)
    return q.Question(
        name=model.name,
        section=model.section,
        answer=model.answer,
        text=_text(model.text),
        choices=tuple(
            q.Choice(choice.code, _text(choice), choice.value, choice.dummy or "", choice.ends, choice.exclusive)
            for choice in model.choices
        ),
        base=model.base or "",
        minimum=model.minimum,
        maximum=model.maximum,
        factor=model.factor,
        special=tuple(model.special),
        relevance=relevance,
        asked=model.asked,
        min_required=model.min_required,
        unit=model.unit,
        note=model.note,
        shuffle=model.shuffle or "",
    )


def _routing(model: s.RoutingModel) -> q.Routing:
    return q.Routing(
        model.name,
        _condition(model.when),
        tuple(model.skips),
        model.skipped_code,
        tuple(model.scored),
        model.scored_as,
        tuple(model.missing),
        tuple(model.sensitivity),
        tuple(model.items),
    )


def _derived(model: s.DerivedModel) -> q.Derived:
    return q.Derived(
        model.name,
        _text(model.label),
        model.rule,
        tuple(model.sources),
        model.choice or "",
        tuple(q.Band(band.value, band.above, band.up_to) for band in model.bands),
        tuple(_condition(condition) for condition in model.conditions),
    )


def _used(entries: Sequence[T], left_out: frozenset[str]) -> list[T]:
    """Entries whose name (constructs: code) is not left out."""
    return [entry for entry in entries if getattr(entry, "name", getattr(entry, "code", "")) not in left_out]


def with_scales(main: s.InstrumentModel, points: int) -> s.InstrumentModel:
    """Return the variant of an instrument file with ``points`` points: own constructs on the replacing scales."""
    new = {variant.scale: variant.by for variant in main.variants if variant.points == points}

    def item(model: s.ItemModel) -> s.ItemModel:
        return model.model_copy(update={"scale": new.get(model.scale or "", model.scale)})

    constructs = [
        model.model_copy(
            update={"scale": new.get(model.scale or "", model.scale), "items": [item(one) for one in model.items]}
        )
        for model in main.constructs
    ]
    return main.model_copy(update={"constructs": constructs})


def assemble(main: s.InstrumentModel, parts: Sequence[Part], *, origin: str, digest: str) -> r.Instrument:
    """Join an instrument file with its shared blocks; both must have passed every check.

    Order of asking: blocks placed before, own parts, blocks placed after.
    """
    nothing: frozenset[str] = frozenset()
    before = [(part.model, part.leave_out) for part in parts if part.place == "before"]
    after = [(part.model, part.leave_out) for part in parts if part.place == "after"]
    files: list[tuple[s.BlockModel | s.InstrumentModel, frozenset[str]]] = [*before, (main, nothing), *after]
    scales = {scale.name: _scale(scale) for file, out in files for scale in _used(file.scales, out)}
    constructs = [model for file, out in files for model in _used(file.constructs, out)]
    marker = {
        model.code
        for file, out in files
        if isinstance(file, s.BlockModel) and file.marker
        for model in _used(file.constructs, out)
    } | {model.code for model in constructs if model.marker}
    items = tuple(item for model in constructs for item in _items(model, scales))
    used = {item.scale for item in items}
    return r.Instrument(
        name=main.name,
        version=main.version,
        title=_text(main.title),
        description=_text(main.description),
        notice=_text(main.notice),
        languages=tuple(main.languages),
        minutes=main.minutes,
        status=main.status,
        scales=tuple(scale for scale in scales.values() if scale.name in used),
        specials=tuple(
            i.Special(special.code, _text(special), special.meaning) for file, _ in files for special in file.specials
        ),
        constructs=tuple(_construct(model) for model in constructs),
        items=items,
        questions=tuple(_question(model) for file, out in files for model in _used(file.questions, out)),
        routing=tuple(_routing(model) for model in main.routing),
        derived=tuple(_derived(model) for file, out in files for model in _used(file.derived, out)),
        expectations=tuple(
            q.Expectation(e.kind, e.of, e.variable, e.choice or "", e.low, e.high, e.flag_below)
            for e in main.expectations
        ),
        placeholders=tuple(
            r.Placeholder(model.name, _text(model)) for file, out in files for model in _used(file.placeholders, out)
        ),
        lead_in=_text(main.lead_in),
        theory=tuple(main.theory),
        sources=tuple(r.Source(source.key, source.title) for source in main.sources),
        marker=tuple(construct.code for construct in constructs if construct.code in marker),
        origin=origin,
        digest=digest,
    )
