"""``clean``: the rules in their order, each leaving its trail."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from semkit.cleaning.derived import Variables, construct_means, make_variables
from semkit.cleaning.flags import FLAGS, attention_table, hide_names, is_careless, raise_flags
from semkit.cleaning.items import Scores, score_items
from semkit.cleaning.layout import Layout, make_layout
from semkit.cleaning.ledger import EXCLUDED, Ledger
from semkit.cleaning.plan import CleaningPlan
from semkit.cleaning.records import STATES, Cleaned
from semkit.cleaning.screening import mark_duplicates, mark_no_consent, mark_screened
from semkit.errors import Note, Problem, ResponseError
from semkit.instrument import combine
from semkit.responses import Responses

BoolArray = NDArray[np.bool_]
STEPS = ("received", "duplicates", "no consent", "screening", "careless", "analysed")


def clean(responses: Responses, plan: CleaningPlan | None = None) -> Cleaned:
    """Clean responses by the documented rules, with a written trail; the responses are not changed.

    Order: copies (same device, same answers; the first is kept), no consent, screened out, quality flags,
    careless respondents, scores, derived variables.  See ``docs/cleaning.md`` for every rule, threshold and source.

    Parameters
    ----------
    responses : Responses
    plan : CleaningPlan, optional

    Returns
    -------
    Cleaned

    Raises
    ------
    ResponseError
        ``cleaning.nobody-left`` when no respondent remains.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from semkit import load_instrument, read_responses
    >>> form = load_instrument("marketing_performance")
    >>> points = np.random.default_rng(1).integers(1, 6, size=(30, len(form.items)))
    >>> answers = pd.DataFrame(points, columns=[item.name for item in form.items])
    >>> data = clean(read_responses(answers, form))
    >>> len(data.states), "m_mp_sal" in data.frame.columns
    (30, True)
    """
    plan = plan or CleaningPlan()
    form = combine(responses.forms)
    layout = make_layout(form)
    ledger = Ledger(responses.coded.index.to_numpy(dtype=np.int64))
    entries = Ledger(responses.coded.index.to_numpy(dtype=np.int64))  # recodes stand after the exclusions
    scores, notes = score_items(responses, layout, plan, entries)
    out, found = _leave(responses, plan, scores, ledger)
    notes += found
    judged = ~(out["duplicate"] | out["no_consent"] | out["screened_out"])
    flags, found = raise_flags(scores, responses.quality, layout, responses.forms, plan, judged, ledger)
    notes += found
    hit = judged & is_careless(flags, plan.flags_to_exclude)
    if plan.exclude_careless:
        out["careless"] = hit
        ledger.add(hit, "careless", _reasons(flags), "rule of exclusion", EXCLUDED)
    analysed = judged & ~out["careless"]
    flow = make_flow(out)
    _refuse_nobody(analysed, flow)
    variables = make_variables(responses, form, plan, analysed, entries)
    notes += _personal(variables)
    table, absent = _columns(responses, layout, plan, scores, variables, flags, hit)
    states = pd.Series("analysed", index=responses.coded.index, name="state", dtype=object)
    for state, left in out.items():
        states[left] = state
    drop = [name for name in table.columns if name == "careless"]
    return Cleaned(
        frame=table[analysed].drop(columns=drop), frame_all=table[judged].copy(),
        ledger=pd.concat([ledger.frame(), entries.frame()], ignore_index=True), flow=flow, states=states, flags=flags,
        attention=attention_table(scores, responses.quality, layout, plan, judged), not_applicable=absent,
        bases=dict(variables.bases), raw=responses.raw, forms=responses.forms, plan=plan,
        notes=(*_reading_notes(responses), *notes), responses=responses,
    )  # fmt: skip


def _leave(
    responses: Responses, plan: CleaningPlan, scores: Scores, ledger: Ledger
) -> tuple[dict[str, BoolArray], list[Note]]:
    """Copies, no consent, screened out: who leaves at which step (each respondent at the first that applies)."""
    nobody = np.zeros(len(responses.coded), dtype=bool)
    out = {state: nobody.copy() for state in STATES[:-1]}
    notes: list[Note] = []
    form = combine(responses.forms)
    if plan.duplicates:
        out["duplicate"], found = mark_duplicates(responses, np.asarray(scores.given.any(axis=1)), ledger)
        notes += found
    if plan.consent:
        out["no_consent"], found = mark_no_consent(responses, form, ~out["duplicate"], ledger)
        notes += found
    if plan.screening:
        out["screened_out"] = mark_screened(responses, form, ~(out["duplicate"] | out["no_consent"]), ledger)
    return out, notes


def make_flow(out: dict[str, BoolArray]) -> pd.DataFrame:
    """Table of steps from received to analysed with how many left and how many remain."""
    left = len(next(iter(out.values())))
    rows = [("received", 0, left)]
    for step, state in zip(STEPS[1:-1], STATES[:-1], strict=True):
        gone = int(out[state].sum())
        left -= gone
        rows.append((step, gone, left))
    rows.append(("analysed", 0, left))
    return pd.DataFrame(rows, columns=["step", "removed", "remaining"])


def _refuse_nobody(analysed: BoolArray, flow: pd.DataFrame) -> None:
    if not analysed.any():
        told = ", ".join(
            f"{step} {int(removed)}"
            for step, removed in zip(flow["step"].tolist(), flow["removed"].tolist())
            if removed
        )
        raise ResponseError(
            Problem(
                "cleaning.nobody-left",
                "cleaning",
                f"no respondent remains of {int(flow['remaining'].iloc[0])} received (removed: {told})",
                "at least one respondent",
                "Look at the consent and screening columns, and clean with CleaningPlan(exclude_careless=False).",
            )
        )


def _personal(variables: Variables) -> list[Note]:
    """Questions that ask for a person's data are left out of the analysis columns, and that is said."""
    if not variables.personal:
        return []
    names = ", ".join(f'"{name}"' for name in variables.personal)
    return [
        Note("cleaning.personal-question", "warning", f"these questions look personal and are left out: {names}",
             "", "", "Remove them from the instrument, or rename them if they are not.")
    ]  # fmt: skip


def _reading_notes(responses: Responses) -> list[Note]:
    """Notes of the reading, and the problems that did not stop it (they keep their codes)."""
    slight = [Note(one.code, "warning", one.what, one.where, "", one.remedy) for one in responses.problems]
    return [*responses.notes, *slight]


def _reasons(flags: pd.DataFrame) -> NDArray[np.object_]:
    """The flags of each respondent that count for exclusion, in words: ``attention + speed``."""
    counting = [name for name in FLAGS if name != "flag_mahalanobis"]
    names = [name.removeprefix("flag_") for name in counting]
    table = flags[counting].to_numpy(dtype=bool)
    patterns, place = np.unique(table, axis=0, return_inverse=True)  # a pattern of flags, not a respondent, at a time
    words = [" + ".join(name for name, up in zip(names, row, strict=True) if up) for row in patterns]
    out: NDArray[np.object_] = np.array(words, dtype=object)[place.reshape(-1)]
    return out


def _columns(
    responses: Responses, layout: Layout, plan: CleaningPlan, scores: Scores, variables: Variables,
    flags: pd.DataFrame, careless: BoolArray,
) -> tuple[pd.DataFrame, pd.DataFrame]:  # fmt: skip
    """All analysis columns of all received respondents, and which cells do not exist."""
    index = responses.coded.index
    rows = len(index)
    shown = ~layout.check
    items = {layout.items[place].name: scores.scores[:, place] for place in np.flatnonzero(shown)}
    gone = {layout.items[place].name: scores.absent[:, place] for place in np.flatnonzero(shown)}
    blocks = [
        (construct.code, block, construct.min_answered if plan.min_answered is None else plan.min_answered)
        for construct, block in layout.blocks()
        if construct.code not in layout.form.marker
    ]
    means, no_means = construct_means(scores.scores, blocks, scores.absent)
    quality = responses.quality
    columns: dict[str, NDArray[Any]] = {}
    if responses.synthetic:
        columns["synthetic"] = np.ones(rows)
    columns |= items
    columns |= means
    columns |= scores.routed
    columns |= {name: values for name, values in variables.columns.items() if name not in columns}
    seen = [
        name for name in ("mode", "lang", "form_version", "enumerator", "duration_s") if quality[name].notna().any()
    ]
    for name in seen:
        values = hide_names(quality[name]).replace("", None) if name == "enumerator" else quality[name]
        columns[name] = values.to_numpy(dtype=float if name == "duration_s" else object)
    columns |= {name: flags[name].to_numpy(dtype=float) for name in FLAGS}
    columns["careless"] = careless.astype(float)
    return pd.DataFrame(columns, index=index), pd.DataFrame({**gone, **no_means, **variables.absent}, index=index)


def steps_agree(cleaned: Cleaned) -> Sequence[str]:
    """Ways in which states, flow and ledger of a cleaning contradict each other; empty when they agree.

    Examples
    --------
    >>> steps_agree.__name__
    'steps_agree'
    """
    wrong = []
    counts = cleaned.states.value_counts()
    rules = dict(zip(STATES[:-1], ("duplicate", "no consent", "screening", "careless"), strict=True))
    gone = cleaned.ledger[cleaned.ledger["action"] == EXCLUDED]
    for step, state in zip(STEPS[1:-1], STATES[:-1], strict=True):
        number = int(counts.get(state, 0))
        told = int(cleaned.flow.loc[cleaned.flow["step"] == step, "removed"].sum())
        written = gone.loc[gone["rule"] == rules[state], "respondent"]
        if not number == told == len(written) == written.nunique():
            wrong.append(f"{state}: {number} in the states, {told} in the flow, {len(written)} in the ledger")
    if int(counts.get("analysed", 0)) != len(cleaned.frame):
        wrong.append("the analysed respondents are not the rows of the frame")
    return wrong
