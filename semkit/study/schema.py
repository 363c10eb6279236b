"""The study file as pydantic models: every key, its type, default, meaning and example.

``docs/study-file.md`` is generated from here (``python -m semkit.study.reference``).
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

NAME = r"^[A-Za-z][A-Za-z0-9_]{0,39}$"
KEY = r"^[A-Za-z][A-Za-z0-9_.+-]{0,39}$"

Name = Annotated[str, Field(pattern=NAME)]
Key = Annotated[str, Field(pattern=KEY)]
Words = Annotated[str, Field(max_length=2000)]
RelativePath = Annotated[str, Field(min_length=1, max_length=400)]


class Strict(BaseModel):
    """Unknown keys are errors and nothing is coerced (``"5"`` is not 5)."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class TextModel(Strict):
    """The same words in each language; English is needed, since reports are written in it."""

    en: Words = Field(min_length=1, description="English words.", examples=["Border study"])
    id: Words = Field("", description="Indonesian words.", examples=["Studi perbatasan"])


class StudyModel(Strict):
    """What the study is."""

    id: Key = Field(description="Short name, used in file names and headers.", examples=["S0"])
    title: TextModel = Field(description="Title.")
    source: Words = Field("", description="Where the claims come from.")
    authors: Words = Field("", description="Printed under the title.")
    date: Words = Field("", description="Printed as it is written.", examples=["November 2026"])
    summary: Words = Field("", description="Paragraph above the verdicts.")


class DataModel(Strict):
    """The responses."""

    file: RelativePath = Field(
        description="Export of the field tool, inside the study's folder; it is never changed.",
        examples=["responses_synthetic.csv"],
    )
    missing_codes: list[str | int] = Field(
        default_factory=list,
        max_length=100,
        description="Codes or texts of this file that mean 'no answer'.",
        examples=[[-99, "NA"]],
    )
    mapping: dict[Annotated[str, Field(max_length=1000)], Name] = Field(
        default_factory=dict,
        description="Header of a column -> item or question, where names and labels do not say it.",
        examples=[{"Q1": "cn_str_1"}],
    )
    set_aside: list[Words] = Field(default_factory=list, description="Headers of columns that are not to be read.")
    lang: Literal["id", "en"] | None = Field(None, description="Only labels of this language count.")
    decimal: Literal[".", ","] | None = Field(None, description="Decimal sign of numbers such as 1,5.")
    encoding: Annotated[str, Field(max_length=40)] | None = Field(
        None, description="Encoding of the text; found when left out."
    )
    delimiter: Literal[",", ";", "\t", "|"] | None = Field(None, description="Separator; found when left out.")
    sheet: Words | None = Field(None, description="Sheet of a workbook; the first when left out.")


class DesignModel(Strict):
    """How respondents were sampled; every model and regression check is estimated under it (docs/survey-design.md)."""

    weights: Name | None = Field(None, description="Column of sampling weights.", examples=["weight"])
    strata: Name | None = Field(None, description="Column of strata.", examples=["region"])
    cluster: Name | None = Field(None, description="Column of primary sampling units.", examples=["village"])
    fpc: Name | None = Field(
        None, description="Column with the number of units in the population of each stratum (or the share sampled)."
    )
    lone_psu: Literal["fail", "certainty", "adjust", "average"] = Field(
        "fail", description="What a stratum with a single unit counts: an error, nothing, its distance from the mean "
        "of all units, or what the other strata count on average.",
    )  # fmt: skip


class ScoreModel(Strict):
    """A mean of items, one column of the analysis data."""

    of: Name | None = Field(
        None, alias="construct", description="All scored items of this construct.", examples=["cn_str"]
    )
    items: list[Name] = Field(default_factory=list, description="Or these items.", examples=[["cn_str_1", "cn_str_2"]])
    method: Literal["mean"] = Field("mean", description="How items are put together.")
    min_answered: float = Field(0.5, gt=0, le=1, description="Share of the items that must be answered, else missing.")


class CompositeModel(Strict):
    """An equal-weight mean of scores; in a model a latent variable with one indicator of known error variance."""

    parts: list[Name] = Field(
        min_length=1, max_length=50, description="Scores (or other composites' scores) it is the mean of.",
        examples=[["m_gr_fac", "m_gr_cap", "m_gr_inf"]],
    )  # fmt: skip
    weights: Literal["equal"] = Field("equal", description="Weights of the parts.")
    reliability: Literal["stratified_alpha"] | float = Field(
        "stratified_alpha",
        description="Error variance is (1 - reliability) times the variance; a number from 0 to 1 takes it as known.",
        examples=["stratified_alpha"],
    )


class ControlModel(Strict):
    """One control variable of a set."""

    column: Name = Field(description="Column or question.", examples=["yrs_business"])
    transform: Literal["none", "log1p"] = Field("none", description="`log1p` is ln(1 + x).")
    dummies: bool = Field(False, description="One 0/1 column for each category but the base.")
    base: str = Field(
        "largest",
        max_length=80,
        description="Base category: a code, or the largest one in the data.",
        examples=["micro"],
    )


class ControlsModel(Strict):
    """A set of control variables; its name stands for all of them in model text."""

    variables: list[ControlModel] = Field(min_length=1, max_length=100, description="The variables.")


class ModelModel(Strict):
    """One structural equation model."""

    text: Annotated[str, Field(min_length=1, max_length=50_000)] = Field(
        description="lavaan syntax. `measure a b` writes the measurement of constructs a and b; the name of a set of "
        "controls stands for its variables. Nothing in it is evaluated.",
        examples=["mperf ~ b1*collab + b2*govt + b3*collab:govt + X"],
    )
    title: Words = Field("", description="Words for headings.")
    estimator: Literal["mlr", "ml"] = Field("mlr", description="`mlr` has robust (sandwich) errors and scaled tests.")
    interaction: Literal["product", "lms", "qml", "sam", "factor_score", "2sls"] = Field(
        "product",
        description="How products of latent variables are estimated (docs/interaction-methods.md).",
        examples=["lms"],
    )
    nodes: int | None = Field(
        None, ge=4, le=100, description="lms: integration points for each integrated variable; 24 when left out."
    )
    match: Literal["loading", "order", "all"] | None = Field(
        None,
        description="product: which indicators are multiplied: best with best by reliability (when left out), in the "
        "order written, or all pairs.",
    )
    centering: Literal["double", "residual", "mean"] | None = Field(
        None, description="product: double mean centring (when left out), residual centring, or mean centring."
    )
    bootstrap: int = Field(
        0, ge=0, le=100_000,
        description="Draws of the ordinary bootstrap; interactions and functions of labels are then judged by "
        "percentile intervals.",
        examples=[2000],
    )  # fmt: skip
    missing: Literal["listwise", "fiml"] = Field(
        "listwise",
        description="`listwise`: respondents with all variables of the model are used. `fiml`: respondents with any "
        "of them, by full information; covariates must still be complete, and composites cannot be used.",
    )
    crosscheck: bool = Field(False, description="Fit it with a second engine too and print the agreement.")
    labels: dict[Name, TextModel] = Field(default_factory=dict, description="Words for its variables.")


class IndexModel(Strict):
    """Index of moderated mediation: change of an indirect effect with the moderator, standardised per SD of it."""

    path: list[Name] = Field(
        min_length=3, max_length=10, description="Variables from predictor to outcome.",
        examples=[["collab", "cn_acc", "mperf"]],
    )  # fmt: skip
    moderator: Name = Field(description="Variable that multiplies a step of the path.", examples=["govt"])


class PartModel(Strict):
    """One number a claim rests on: a `parameter`, or an `index` of moderated mediation."""

    id: Key = Field(description="Number of the part.", examples=["H-B1.0"])
    model: Key = Field(description="Model that holds it.", examples=["S0-M1"])
    parameter: Annotated[str, Field(min_length=1, max_length=500)] | None = Field(
        None,
        description="A label of the model, or an expression over its labels: numbers, `+ - * / ^`, parentheses, "
        "`abs exp log sqrt min max`, `sd(v)`, `std(label)`.",
        examples=["total", "a1*b1"],
    )
    index: IndexModel | None = Field(None, description="Instead of a parameter: an index of moderated mediation.")
    direction: Literal["+", "-"] = Field("+", description="Sign the claim states.")
    delta: float = Field(
        0.10, gt=0, le=10, description="Smallest effect of interest, standardised: path .10, two-path indirect .03, "
        "interaction .05, index of moderated mediation .01.",
    )  # fmt: skip
    primary: bool = Field(
        True, description="False: judged and printed, but counts neither for the verdict nor for its p."
    )
    about: Words = Field("", description="The number in words.", examples=["indirect effect through market access"])


class LineModel(Strict):
    """A further reading of the parts, printed under the verdict."""

    id: Key = Field(description="Name.", examples=["H-B2.all"])
    rule: str = Field(max_length=40, description="Decision rule.", examples=["R-ALL"])
    parts: list[Key] = Field(min_length=1, description="Ids of parts of the same claim.")
    text: Words = Field("", description="Words.", examples=["through all three kinds of support"])


class ClaimModel(Strict):
    """A proposition and the rule that decides it."""

    id: Key = Field(description="Name.", examples=["H-B1"])
    statement: TextModel = Field(description="The proposition.")
    family: Words = Field("explicit", min_length=1, description="Holm's correction runs over the claims of one family.")
    rule: str = Field(max_length=40, description="Decision rule: `R-PATH` or `R-ALL`.", examples=["R-PATH"])
    parts: list[PartModel] = Field(min_length=1, max_length=50, description="Its numbers.")
    lines: list[LineModel] = Field(default_factory=list, description="Further readings.")
    source: Words = Field("", description="Where direction and smallest effect come from.")
    caveat: Words = Field("", description="Printed with the verdict whatever it is.")
    robust_needs: list[Key] = Field(
        default_factory=list, description="Checks without which the verdict is not called robust.", examples=[["RC10"]]
    )


class GatesModel(Strict):
    """Preconditions of a verdict; all figures belong to the respondents the model used."""

    n: int = Field(150, ge=1, description="G1: smallest number of respondents used.", examples=[300])
    omega: float = Field(0.60, ge=0, le=1, description="G3: smallest omega of a reflective construct.")
    htmt: float = Field(0.90, gt=0, le=1, description="G4: HTMT of two constructs must stay below.")
    sd: float = Field(0.30, ge=0, description="G5: smallest standard deviation of a construct's mean, on a 1-5 scale.")
    cfi: float = Field(0.90, ge=0, le=1, description="G7: CFI of the measurement part (caps at inconclusive).")
    rmsea: float = Field(0.08, ge=0, le=1, description="G7: RMSEA.")
    srmr: float = Field(0.08, ge=0, le=1, description="G7: SRMR.")


class CheckModel(Strict):
    """One robustness check of a claim: the same rule on another analysis."""

    id: Key = Field(description="Name of the check.", examples=["RC3"])
    kind: Literal["all_in", "routed", "regression", "model"] = Field(
        description="`all_in`: the same models on the data without exclusion of careless respondents. `routed`: blocks "
        "that routed respondents were not asked are scored at the lowest point. `regression`: moderated regression on "
        "composites. `model`: other models with the same labels."
    )
    claim: Key = Field(description="Claim it checks.", examples=["H-B2"])
    text: Words = Field("", description="Words for the report.")
    outcome: Name | None = Field(None, description="regression: a composite or column.", examples=["mperf_c"])
    focal: Name | None = Field(None, description="regression: a composite or column.", examples=["collab_c"])
    moderator: Name | None = Field(None, description="regression: a composite or column.", examples=["govt"])
    covariates: list[Name] = Field(default_factory=list, description="regression: columns or sets of controls.")
    se: Literal["HC0", "HC1", "HC2", "HC3", "HC4", "classical"] = Field("HC3", description="regression: errors.")
    part: Key | None = Field(None, description="regression: the part whose direction and delta it takes.")
    bootstrap: int = Field(
        500,
        ge=1,
        le=100_000,
        description="all_in, routed, model: most draws a model takes; a tag needs less precision than a verdict.",
    )
    models: dict[Key, Key] = Field(
        default_factory=dict, description="model: which model stands for which.", examples=[{"S0-M1": "S0-M1-obj"}]
    )


class ProbeModel(Strict):
    """A moderation to be looked at: tables and figures in the report, tables in `probes/`; nothing is judged."""

    model: Key = Field(description="Model.", examples=["S0-M2"])
    kind: Literal["slopes", "effects", "surface"] = Field(
        "slopes",
        description="`slopes`: simple slopes and Johnson-Neyman region. `effects`: direct, indirect and total effects "
        "at values of the moderators, contrasts, indices of moderated mediation. `surface`: response surface of two "
        "predictors with their squares.",
    )
    focal: Name = Field(description="Predictor.", examples=["collab"])
    moderator: Name | None = Field(
        None,
        description="Moderator; surface: the other predictor; effects: all that multiply a step when left out.",
        examples=["govt"],
    )
    second: Name | None = Field(None, description="slopes, effects: a second moderator.", examples=["adapt"])
    outcome: Name | None = Field(
        None, description="Needed for effects, else only when several outcomes have the product.", examples=["mperf"]
    )
    values: Literal["sd", "percentiles"] | list[float] = Field(
        "sd",
        description="slopes, effects: values of the moderators: mean and mean -/+ 1 SD; percentiles 16, 50, 84; or "
        "numbers for the moderator.",
        examples=["percentiles"],
    )
    adjust: Literal["none", "simultaneous", "fdr"] = Field(
        "none",
        description="slopes: what regions promise: each value by itself, all values at once, or the false discovery "
        "rate.",
    )
    origin: float | None = Field(
        None, description="surface: value of both predictors that counts as zero (the midpoint of their scale)."
    )


class OutputModel(Strict):
    """Where results go."""

    folder: RelativePath = Field("results", description="Folder, inside the study's folder; replaced as a whole.")
    figures: bool = Field(True, description="Draw the figures of the report.")


class CleaningModel(Strict):
    """Rules of cleaning; what is left out keeps its default, the rules of docs/cleaning.md."""

    duplicates: bool = Field(True, description="Remove copies of a submission.")
    consent: bool = Field(True, description="Remove respondents without consent.")
    screening: bool = Field(True, description="Remove respondents who were screened out.")
    exclude_careless: bool = Field(True, description="False raises the flags but keeps everybody.")
    attention_modes: list[Annotated[str, Field(max_length=40)]] = Field(
        default_factory=lambda: ["self"],
        description="Modes of answering in which a failed attention check counts against the respondent.",
    )
    default_mode: Annotated[str, Field(max_length=40)] = Field(
        "self", description="Mode of rows that do not tell theirs."
    )
    attention_fails: int = Field(1, ge=1, description="Failed checks that raise the flag.")
    seconds_per_item: float = Field(2.0, ge=0, le=60, description="Least believable time per item.")
    run_minimum: int = Field(8, ge=2, description="A run of at least this many identical answers raises the flag ...")
    run_share: float = Field(0.5, ge=0, le=1, description="... if it is also this share of the consecutive items.")
    max_missing: float = Field(0.30, ge=0, le=1, description="Share of items missing that excludes by itself.")
    reverse_gap: float = Field(
        2.5, gt=0, description="Mean distance of straight and reversed items that raises the flag."
    )
    mahalanobis_p: float = Field(0.001, ge=0, lt=1, description="Multivariate outliers: flagged, never excluded.")
    flags_to_exclude: int = Field(2, ge=1, description="Other flags that exclude together.")
    winsorise: list[float] = Field(
        default_factory=lambda: [0.01, 0.99],
        min_length=2,
        max_length=2,
        description="Quantiles to which amounts are pulled before their logarithm.",
    )


class StudyFileModel(Strict):
    """A whole study file."""

    schema_version: Literal[1] = Field(description="Version of this format.", examples=[1])
    study: StudyModel = Field(description="What the study is.")
    instruments: list[RelativePath] = Field(
        min_length=1, max_length=50,
        description="Names of the questionnaires that come with semkit, or paths of instrument files in the folder.",
        examples=[["screening", "profile", "collaborative_network"]],
    )  # fmt: skip
    data: DataModel = Field(description="The responses.")
    cleaning: CleaningModel = Field(default_factory=CleaningModel, description="Rules of cleaning.")
    design: DesignModel | None = Field(None, description="Sampling design.")
    scores: dict[Name, ScoreModel] = Field(default_factory=dict, description="Means of items, by column name.")
    composites: dict[Name, CompositeModel] = Field(default_factory=dict, description="Composites, by name.")
    controls: dict[Name, ControlsModel] = Field(default_factory=dict, description="Sets of controls, by name.")
    models: dict[Key, ModelModel] = Field(min_length=1, description="Models, by id.")
    claims: list[ClaimModel] = Field(min_length=1, max_length=200, description="Propositions.")
    gates: GatesModel = Field(default_factory=GatesModel, description="Preconditions of a verdict.")
    checks: list[CheckModel] = Field(default_factory=list, description="Robustness checks.")
    probes: list[ProbeModel] = Field(default_factory=list, description="Moderations to look at.")
    alpha: float = Field(0.05, gt=0, lt=0.5, description="Level of the tests.")
    seed: int = Field(1, ge=0, le=2**63 - 1, description="Seed of everything random.", examples=[20260100])
    output: OutputModel = Field(default_factory=OutputModel, description="Where results go.")
    labels: dict[Name, TextModel] = Field(
        default_factory=dict, description="Words for variables in tables and figures."
    )
