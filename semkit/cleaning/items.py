"""From item codes to item scores: special codes, block rules, routing, reverse items."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from semkit.cleaning.conditions import holds
from semkit.cleaning.layout import BoolArray, FloatArray, Layout
from semkit.cleaning.ledger import Ledger
from semkit.cleaning.plan import CleaningPlan
from semkit.cleaning.scoring import flip
from semkit.errors import Note
from semkit.instrument import Routing
from semkit.responses import Responses


@dataclass(frozen=True, eq=False)
class Scores:
    """Items of all received respondents as arrays (n, p).

    Parameters
    ----------
    answers : ndarray (n, p)
        Raw answers on the scale, not flipped; NaN for empty cells and special codes.
    scores : ndarray (n, p)
        Flipped, with the block rules and routing rules applied.
    given : ndarray (n, p) of bool
        The respondent gave an answer, special codes included, to a question that was asked.
    asked : ndarray (n, p) of bool
        Not taken away by routing.
    absent : ndarray (n, p) of bool
        Does not exist for the respondent: missing for good.
    routed : mapping of routing name to ndarray (n,)
        1, 0, NaN.
    """

    answers: FloatArray
    scores: FloatArray
    given: BoolArray
    asked: BoolArray
    absent: BoolArray
    routed: dict[str, FloatArray]


def score_items(responses: Responses, layout: Layout, plan: CleaningPlan, ledger: Ledger) -> tuple[Scores, list[Note]]:
    """Score the items of all received respondents.

    Rules, in this order: answers on the scale are flipped where the item is reverse; a 97 ("not applicable") of a block
    with the rule is scored as the rule says; routed respondents get the routing's score or no value at all; every
    other special code is missing.

    Returns
    -------
    scores : Scores
    notes : list of Note
        ``cleaning.routing-contradicted``, ``cleaning.routing-unknown``.
    """
    coded = responses.coded
    codes = coded.reindex(columns=layout.names).to_numpy(dtype=float)
    on_scale = np.zeros(codes.shape, dtype=bool)
    for number, item in enumerate(layout.items):
        on_scale[:, number] = np.isin(codes[:, number], layout.form.scale(item.scale).codes)
    special = ~np.isnan(codes) & ~on_scale
    answers = np.where(on_scale, codes, np.nan)
    scores = flip(answers, layout.reverse, layout.lowest + layout.highest)
    for number in np.flatnonzero(layout.reverse).tolist():
        mirror = layout.lowest[number] + layout.highest[number]
        ledger.add_all("reverse item", layout.items[number].name, f"{mirror:g} - answer", "scored")
    outcome = np.where(special, "missing", "").astype(object)
    never = {one.code for one in layout.form.specials if one.meaning == "not_applicable"}
    asked = np.ones(codes.shape, dtype=bool)
    for construct, block in layout.blocks():
        if construct.na_scored_as is not None:
            hit = np.isin(codes[:, block], list(never))
            scores[:, block] = np.where(hit, float(construct.na_scored_as), scores[:, block])
            outcome[:, block] = np.where(hit, f"scored {construct.na_scored_as}", outcome[:, block])
    absent = np.zeros(codes.shape, dtype=bool)
    routed: dict[str, FloatArray] = {}
    notes: list[Note] = []
    for routing in layout.form.routing:
        routed[routing.name] = holds(routing.when, coded, layout.form)
        notes += _route(routing, routed[routing.name], layout, plan, answers, scores, outcome, asked, absent)
    for number, item in enumerate(layout.items):
        for action in sorted(set(outcome[:, number]) - {""}):
            hit = outcome[:, number] == action
            value = codes[:, number].astype(object)
            value[np.isnan(codes[:, number])] = None
            rule = "routing" if not asked[hit, number].all() else "special code"
            ledger.add(hit, rule, value, None, action, item.name)
        note_declared(responses, item.name, ledger)
    given = (on_scale | special) & asked
    return Scores(answers, scores, given, asked, absent, routed), notes


def note_declared(responses: Responses, name: str, ledger: Ledger) -> None:
    """Enter the cells of a column that held a missing code the user declared, with that code."""
    if name in responses.declared.columns:
        hit = responses.declared[name].to_numpy(dtype=bool)
        text = responses.text_of(name)
        ledger.add(hit, "declared missing code", None if text is None else text.to_numpy(), None, "missing", name)


def _route(
    routing: Routing, when: FloatArray, layout: Layout, plan: CleaningPlan,
    answers: FloatArray, scores: FloatArray, outcome: NDArray[np.object_], asked: BoolArray, absent: BoolArray,
) -> list[Note]:  # fmt: skip
    """Apply one routing in place to the arrays of :func:`score_items`."""
    rows = np.nan_to_num(when) == 1.0
    also = set(routing.sensitivity) if plan.score_routed else set()
    contradicted = 0
    for code in routing.skips:
        block = layout.block(layout.form.construct(code))
        cells = np.ix_(rows, block)
        contradicted += int((~np.isnan(answers[cells])).any(axis=1).sum())
        answers[cells] = np.nan
        asked[cells] = False
        if code in routing.scored or code in also:
            scores[cells] = float(routing.scored_as)
            outcome[cells] = f"scored {routing.scored_as}"
        else:
            scores[cells] = np.nan
            absent[cells] = True
            outcome[cells] = "does not exist"
        checks = [number for number, item in enumerate(layout.items) if item.is_check and item.construct == code]
        if checks:
            cells = np.ix_(rows, np.array(checks))
            answers[cells] = np.nan
            asked[cells] = False
            outcome[cells] = "not asked"
    if routing.items:
        cells = np.ix_(rows, layout.places(routing.items))
        contradicted += int((~np.isnan(answers[cells])).any(axis=1).sum())
        answers[cells] = np.nan
        asked[cells] = False
        scores[cells] = np.nan
        absent[cells] = True
        outcome[cells] = "does not exist"
    notes = []
    if contradicted:
        what = f"{contradicted} blocks were answered by respondents who should not have been asked; the rule was kept"
        notes.append(
            Note("cleaning.routing-contradicted", "warning", what,
                 routing.name, "The form's skip rule failed.", "Look at these interviews in the ledger.")
        )  # fmt: skip
    unknown = int(np.isnan(when).sum())
    if unknown == len(when):
        what = f'the question "{routing.when.question}" has no answers, so it is not known who was not asked'
        notes.append(
            Note("cleaning.routing-unknown", "warning", what, routing.name, "",
                 "Blocks answered 97 are missing for everybody.")
        )  # fmt: skip
    return notes
