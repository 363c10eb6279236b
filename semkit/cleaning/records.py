"""What cleaning hands on: frames for analysis, the trail, and everybody's state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from semkit.cleaning.plan import CleaningPlan
from semkit.errors import Note
from semkit.instrument import Instrument
from semkit.responses import Responses

STATES = ("duplicate", "no_consent", "screened_out", "careless", "analysed")


@dataclass(frozen=True, eq=False)
class Cleaned:
    """Cleaned answers with the written trail of what was done.

    Every frame is indexed by ``respondent``: the row in the file that was read (the header is row 1).

    Parameters
    ----------
    frame : DataFrame (analysed respondents, columns)
        Item scores (reverse items flipped, special codes missing, routing rules applied), ``m_<code>`` construct means,
        questions as numbers or option codes, dummies, derived variables, ``flag_*``; where the file has them ``mode``,
        ``lang``, ``form_version``, ``enumerator`` (codes, never names), ``duration_s`` and the marker ``synthetic``.
    frame_all : DataFrame
        The same columns with careless respondents kept (only duplicates, no consent and screening removed), and
        ``careless``.
    ledger : DataFrame
        ``respondent, rule, column, value, threshold, action``: one row per exclusion, flag or recode.
    flow : DataFrame
        ``step, removed, remaining`` from received to analysed.
    states : Series (received respondents,)
        One of ``duplicate, no_consent, screened_out, careless, analysed``.
    flags : DataFrame (received respondents, 6) of bool
    attention : DataFrame
        Failed attention checks by mode and enumerator: ``mode, enumerator, respondents, failed, share``.
    not_applicable : DataFrame (received respondents, columns) of bool
        Cells that do not exist by routing: never impute them, never fill them by FIML.
    bases : Mapping of str to str
        Question -> reference category of its dummies (the largest among the analysed where the instrument says so).
    raw : DataFrame
        The text as it was read.
    forms : tuple of Instrument
    plan : CleaningPlan
    notes : tuple of Note
    responses : Responses
    """

    frame: pd.DataFrame
    frame_all: pd.DataFrame
    ledger: pd.DataFrame
    flow: pd.DataFrame
    states: pd.Series
    flags: pd.DataFrame
    attention: pd.DataFrame
    not_applicable: pd.DataFrame
    bases: Mapping[str, str]
    raw: pd.DataFrame
    forms: tuple[Instrument, ...]
    plan: CleaningPlan
    notes: tuple[Note, ...]
    responses: Responses

    @property
    def synthetic(self) -> bool:
        """Whether the answers are invented."""
        return self.responses.synthetic

    def dummies(self, question: str) -> tuple[str, ...]:
        """Dummy columns of a question without its reference category."""
        for form in self.forms:
            for entry in form.questions:
                if entry.name == question:
                    base = self.bases.get(question, "")
                    return tuple(
                        name for name, code in entry.dummies.items() if code != base and name in self.frame.columns
                    )
        return ()

    def __repr__(self) -> str:
        banner = "SYNTHETIC DATA, no respondent exists; " if self.synthetic else ""
        steps = ", ".join(
            f"{step} {int(removed)}"
            for step, removed in zip(self.flow["step"], self.flow["removed"], strict=True)
            if removed
        )
        return (
            f"<Cleaned: {banner}{len(self.states)} received, {len(self.frame)} analysed"
            f"{f' (removed: {steps})' if steps else ''}, {len(self.ledger)} ledger rows, {len(self.notes)} notes>"
        )

    def _repr_html_(self) -> str:
        try:
            from semkit.display import html

            return html(self)
        except ImportError:  # the drawing room is not there: a plain table says the same
            return plain_html(self)


def plain_html(cleaned: Cleaned) -> str:
    """Flow, flags and notes as escaped tables, without the report's drawing."""
    from semkit.writing import escape, table

    banner = "<p><strong>Synthetic data: invented, no respondent exists.</strong></p>" if cleaned.synthetic else ""
    flow = table(tuple(cleaned.flow.columns), [tuple(row) for row in cleaned.flow.itertuples(index=False)])
    kept = cleaned.states.isin(["careless", "analysed"])
    counts = [(name, int(cleaned.flags.loc[kept, name].sum())) for name in cleaned.flags.columns]
    notes = "".join(f"<li>{escape(note)}</li>" for note in cleaned.notes)
    return f'<div class="semkit">{banner}{flow}{table(("flag", "respondents"), counts)}<ul>{notes}</ul></div>'
