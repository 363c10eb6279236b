"""The instrument file as pydantic models: every key, its type, default, meaning and example.

``docs/instrument-file.md`` is generated from here (``python -m semkit.instrument.reference``).
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

NAME = r"^[A-Za-z][A-Za-z0-9_]{0,39}$"
CODE = r"^[A-Za-z0-9][A-Za-z0-9_]{0,39}$"

Name = Annotated[str, Field(pattern=NAME)]
Code = Annotated[str, Field(pattern=CODE)]
Words = Annotated[str, Field(max_length=2000)]


class Strict(BaseModel):
    """Unknown keys are errors and nothing is coerced (``"5"`` is not 5)."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


class TextModel(Strict):
    """The same words in each language of the file."""

    id: Words | None = Field(None, description="Indonesian words.", examples=["Mitra saya menepati janji."])
    en: Words | None = Field(None, description="English words.", examples=["My partners keep their promises."])


class LabelsModel(Strict):
    """Labels of a scale's points, lowest first, one list a language."""

    id: list[Words] | None = Field(None, description="Indonesian labels.", examples=[["Tidak setuju", "Setuju"]])
    en: list[Words] | None = Field(None, description="English labels.", examples=[["Disagree", "Agree"]])


class SpecialModel(TextModel):
    """A code that means 'no answer'."""

    code: int = Field(description="Stored code; must not be a point of a scale that offers it.", examples=[97])
    meaning: Literal["not_applicable", "dont_know", "refused"] = Field(
        description="What the code means to the cleaning rules.", examples=["not_applicable"]
    )


class ScaleModel(Strict):
    """A fully labelled response scale."""

    name: Name = Field(description="Name that constructs and items refer to.", examples=["agree5"])
    points: int = Field(ge=2, le=11, description="Number of points.", examples=[5])
    labels: LabelsModel = Field(description="One label a point in each language.")
    codes: list[int] | None = Field(None, description="Stored codes, lowest first; 1 ... points when left out.")
    special: list[int] = Field(
        default_factory=list, description="Special codes offered with every item on it.", examples=[[97, 98, 99]]
    )


class ItemModel(TextModel):
    """One statement on a scale; its words are the keys ``id`` and ``en``."""

    name: Name = Field(description="Column name, unique in the file.", examples=["cn_str_1"])
    reverse: bool = Field(False, description="Scored lowest + highest - answer; the scale must have a mirror.")
    attention: int | None = Field(
        None, description="Required answer of an attention check; the item is then never scored.", examples=[2]
    )
    scale: Name | None = Field(None, description="Scale of this item when it differs from its construct's.")
    special: list[int] | None = Field(None, description="Special codes offered, when they differ from the scale's.")


class ConstructModel(Strict):
    """What is measured: a block of items (order 1), or a whole made of such blocks (order 2)."""

    code: Name = Field(description="Name in models and prefix of the items.", examples=["cn_str"])
    id: Name = Field(description="Long name.", examples=["structural_dimension"])
    label: TextModel = Field(description="Heading for people.")
    definition: TextModel = Field(default_factory=lambda: TextModel(), description="One sentence.")
    order: Literal[1, 2] = Field(1, description="1: has items. 2: has dimensions.")
    type: Literal["reflective", "composite", "none"] = Field(
        "reflective",
        description="How items or dimensions relate to the construct; `none` for items that form no scale.",
    )
    scale: Name | None = Field(None, description="Scale of its items (order 1).", examples=["agree5"])
    items: list[ItemModel] = Field(default_factory=list, description="Items in order of asking (order 1).")
    dimensions: list[Name] = Field(
        default_factory=list,
        description="Codes of its first-order constructs (order 2).",
        examples=[["cn_str", "cn_rel"]],
    )
    weights: Literal["equal"] | None = Field(None, description="Weights of a composite.")
    reliability: Literal["stratified_alpha"] | None = Field(None, description="Reliability of a composite.")
    min_answered: float = Field(0.5, gt=0, le=1, description="Share of items needed for a mean score.")
    na_scored_as: int | None = Field(
        None, description="Score of an answer 'not applicable' in this block, after reversal.", examples=[1]
    )
    lead_in: TextModel = Field(default_factory=lambda: TextModel(), description="Read before this block.")
    module: Code | None = Field(None, description="Part of the questionnaire that can be left out.", examples=["core"])
    marker: bool = Field(False, description="Its items serve method checks only.")
    theory: str = Field("", max_length=300, description="Theory it comes from.")
    source: str = Field("", max_length=100, description="Key of the source paper.", examples=["S0"])


class ConditionModel(Strict):
    """A comparison of one answer; structured data, never an expression."""

    question: Name = Field(description="Name of a question.", examples=["partner_types"])
    any_of: list[Code] = Field(
        default_factory=list, description="One of these choices was chosen.", examples=[["none"]]
    )
    at_least: float | None = Field(None, description="The number is at least this.")
    at_most: float | None = Field(None, description="The number is at most this.")
    unanswered: bool = Field(False, description="No answer was given (empty, or a special code).")


class RelevanceModel(Strict):
    """When a question is asked."""

    match: Literal["any", "all"] = Field("all", description="How many of the conditions must hold.")
    conditions: list[ConditionModel] = Field(min_length=1, description="Conditions on earlier answers.")
    otherwise: int | None = Field(None, description="Special code recorded when it is not asked; empty when left out.")


class ChoiceModel(TextModel):
    """One answer of a question with choices; its words are the keys ``id`` and ``en``."""

    code: Code = Field(description="What field tools store.", examples=["female"])
    value: float | None = Field(None, description="Analysis value.", examples=[1])
    dummy: Name | None = Field(None, description="Analysis column that is 1 for this choice.", examples=["female"])
    ends: bool = Field(False, description="Choosing it ends the interview (screened out).")
    exclusive: bool = Field(False, description="Excludes the other choices of a `multiple` question.")


class QuestionModel(Strict):
    """A question that is no scale item, or a field the form records."""

    name: Name = Field(description="Column name.", examples=["scr_owner"])
    section: Literal["consent", "screening", "profile", "objective", "quality"] = Field(description="Where it stands.")
    answer: Literal["choice", "multiple", "count", "number", "amount", "percent", "of_ten", "text", "time"] = Field(
        description="`count` is whole and not negative, `amount` is money, `percent` may be negative, `of_ten` is 0-10."
    )
    text: TextModel = Field(description="The words.")
    choices: list[ChoiceModel] = Field(default_factory=list, description="For `choice` and `multiple`.")
    base: Code | None = Field(
        None,
        description="Reference category of the dummies: a choice code, or `largest` in the sample.",
        examples=["micro"],
    )
    minimum: float | None = Field(None, description="Smallest plausible answer.", examples=[0])
    maximum: float | None = Field(None, description="Largest plausible answer.", examples=[100])
    factor: float = Field(1, description="Answer times factor is the analysis value.", examples=[10])
    special: list[int] = Field(default_factory=list, description="Special codes offered.", examples=[[98, 99]])
    relevance: RelevanceModel | None = Field(None, description="When it is asked; always when left out.")
    asked: bool = Field(True, description="False for fields the form records by itself.")
    min_required: float | None = Field(None, description="Screening: smaller numbers are screened out.", examples=[1])
    unit: str = Field("", max_length=40, description="Unit of the answer.", examples=["Rp"])
    shuffle: Name | None = Field(
        None, description="Questions with the same mark are asked in random order.", examples=["el_qz"]
    )
    note: str = Field("", max_length=500, description="Note for the codebook; never shown to respondents.")


class RoutingModel(Strict):
    """Blocks that some respondents are not asked, and what stands in their place."""

    name: Name = Field(description="Analysis column that marks these respondents.", examples=["no_partner"])
    when: ConditionModel = Field(description="Whom it concerns.")
    skips: list[Name] = Field(default_factory=list, description="Constructs not asked, with their attention checks.")
    items: list[Name] = Field(
        default_factory=list,
        description="Single items not asked, of constructs that are asked otherwise; they stay missing.",
        examples=[["el_ipf_2"]],
    )
    skipped_code: int = Field(97, description="Special code recorded for skipped items.")
    scored: list[Name] = Field(default_factory=list, description="Skipped constructs whose items are scored.")
    scored_as: int = Field(1, description="That score, after reversal.")
    missing: list[Name] = Field(default_factory=list, description="Skipped constructs that stay missing.")
    sensitivity: list[Name] = Field(
        default_factory=list, description="Constructs of `missing` that a sensitivity check scores too."
    )


class BandModel(Strict):
    """`above` < x <= `up_to` gives `value`."""

    value: float | str = Field(description="Result.", examples=[1])
    above: float | None = Field(None, description="Lower limit, not included; open when left out.", examples=[0])
    up_to: float | None = Field(None, description="Upper limit, included; open when left out.", examples=[3])


class DerivedModel(Strict):
    """A variable made from answers by a named rule."""

    name: Name = Field(description="Analysis column.", examples=["newexp"])
    label: TextModel = Field(description="Heading for people.")
    rule: Literal[
        "copy", "code", "value", "chosen", "first", "bands", "log1p", "growth_pct", "ratio", "sum", "mean_z",
        "mean_z_log1p", "all_of", "count", "share",
    ] = Field(description="How it is made; see the rules below.")  # fmt: skip
    sources: list[Name] = Field(default_factory=list, description="Questions or earlier derived variables.")
    choice: Code | None = Field(None, description="For `chosen`.")
    bands: list[BandModel] = Field(default_factory=list, description="For `bands`.")
    conditions: list[ConditionModel] = Field(default_factory=list, description="For `all_of`, `count` and `share`.")


class ExpectationModel(Strict):
    """A check of validity that the instrument foresees."""

    kind: Literal["known_group", "convergent"] = Field(description="Kind of check.")
    of: Name = Field(description="Construct that is checked.", examples=["gr_cap"])
    variable: Name = Field(description="Question or derived variable it is held against.", examples=["ex_train"])
    choice: Code | None = Field(None, description="Known group: choice of those whose mean must be higher.")
    low: float | None = Field(None, description="Convergent: smallest expected correlation.")
    high: float | None = Field(None, description="Convergent: largest expected correlation.")
    flag_below: float | None = Field(None, description="Convergent: smaller correlations flag the scale.")


class PlaceholderModel(TextModel):
    """A bracketed part of a text that a study fills in; ``id`` and ``en`` are the marks in the text."""

    name: Name = Field(description="Name of the setting.", examples=["organisation"])


class SourceModel(Strict):
    """A paper the instrument was drawn from."""

    key: Code = Field(description="Short key.", examples=["S0"])
    title: str = Field(max_length=400, description="Title, short title or citation.")


class UseModel(Strict):
    """A shared block: `NAME.toml` beside the file, else among semkit's own."""

    block: Name = Field(description="Name of the block.", examples=["screening"])
    place: Literal["before", "after"] = Field("before", description="Asked before or after the file's own parts.")
    leave_out: list[Name] = Field(
        default_factory=list, description="Names of its questions, constructs or derived variables not used here."
    )


class VariantModel(Strict):
    """A declared variant: the same items on a scale with another number of points."""

    points: int = Field(ge=2, le=11, description="Points of the variant.", examples=[7])
    scale: Name = Field(description="Scale of own constructs that is replaced.", examples=["agree5"])
    by: Name = Field(description="Scale that replaces it.", examples=["agree7"])


class FileModel(Strict):
    """What instruments and blocks have in common."""

    schema_version: Literal[1] = Field(description="Version of this format.")
    kind: Literal["instrument", "block"] = Field("instrument", description="`block` for parts that instruments share.")
    name: Name = Field(
        description="Name of the instrument; a shared block's is its file's name without `.toml`.",
        examples=["collaborative_network"],
    )
    languages: list[Literal["id", "en"]] = Field(
        ["id", "en"], min_length=1, description="Languages in which every text is written."
    )
    title: TextModel = Field(description="Title.")
    specials: list[SpecialModel] = Field(default_factory=list, description="Special codes.")
    scales: list[ScaleModel] = Field(default_factory=list, description="Response scales.")
    constructs: list[ConstructModel] = Field(default_factory=list, description="Constructs with their items.")
    questions: list[QuestionModel] = Field(default_factory=list, description="Questions that are no scale items.")
    derived: list[DerivedModel] = Field(default_factory=list, description="Variables made from answers.")
    placeholders: list[PlaceholderModel] = Field(default_factory=list, description="Parts a study fills in.")


class BlockModel(FileModel):
    """A part that several instruments share."""

    kind: Literal["block"] = Field(description="`block`.")
    marker: bool = Field(False, description="Its items serve method checks only.")


class InstrumentModel(FileModel):
    """A questionnaire."""

    kind: Literal["instrument"] = Field("instrument", description="`instrument`.")
    version: str = Field(max_length=20, description="Version of the questionnaire.", examples=["1.0"])
    status: Literal["unvalidated", "piloted", "validated"] = Field(description="How far it has been tried.")
    description: TextModel = Field(description="What it measures, one or two sentences.")
    notice: TextModel = Field(description="What users must know, for example that the items are not yet piloted.")
    lead_in: TextModel = Field(default_factory=lambda: TextModel(), description="Read before the first block.")
    minutes: float = Field(gt=0, le=240, description="Reading and answering time.", examples=[5])
    theory: list[str] = Field(default_factory=list, description="Theories it rests on.")
    sources: list[SourceModel] = Field(default_factory=list, description="Papers it was drawn from.")
    use: list[UseModel] = Field(default_factory=list, description="Shared blocks, in order of asking.")
    variants: list[VariantModel] = Field(
        default_factory=list, description="Variants with another number of points; `load_instrument(..., points=7)`."
    )
    routing: list[RoutingModel] = Field(default_factory=list, description="Blocks some respondents are not asked.")
    expectations: list[ExpectationModel] = Field(default_factory=list, description="Checks of validity foreseen.")
