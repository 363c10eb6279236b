"""Quality flags of all respondents, from the screens of :mod:`semkit.cleaning.careless`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from semkit.cleaning import careless
from semkit.cleaning.items import Scores
from semkit.cleaning.layout import Layout, mixed_items, segments
from semkit.cleaning.ledger import FLAGGED, Ledger
from semkit.cleaning.plan import CleaningPlan
from semkit.errors import Note
from semkit.instrument import Instrument

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
FLAGS = ("flag_attention", "flag_speed", "flag_longstring", "flag_missing", "flag_reverse", "flag_mahalanobis")


def raise_flags(
    scores: Scores,
    quality: pd.DataFrame,
    layout: Layout,
    forms: Sequence[Instrument],
    plan: CleaningPlan,
    judged: BoolArray,
    ledger: Ledger,
) -> tuple[pd.DataFrame, list[Note]]:
    """Raise the six flags among the respondents that are still in.

    Parameters
    ----------
    scores : Scores
    quality : DataFrame (n, 8)
    layout : Layout
    forms : sequence of Instrument
        Run lengths and variances are looked at within each instrument.
    plan : CleaningPlan
    judged : ndarray (n,) of bool
        Respondents that are neither copies nor without consent nor screened out.
    ledger : Ledger

    Returns
    -------
    flags : DataFrame (n, 6) of bool
    notes : list of Note
    """
    rows = judged.size
    found = {name: np.zeros(rows, dtype=bool) for name in FLAGS}
    notes: list[Note] = []

    def enter(flag: str, rule: str, hit: BoolArray, value: object, threshold: object, column: str = "") -> None:
        hit = hit & judged
        found[flag] |= hit
        ledger.add(hit, rule, value, threshold, FLAGGED, column)

    failed = attention_fails(scores, layout)
    mode = quality["mode"].where(quality["mode"].notna(), plan.default_mode).to_numpy(dtype=object)
    own = np.isin(mode.astype(str), plan.attention_modes)
    enter("flag_attention", "attention check", own & (failed >= plan.attention_fails), failed, plan.attention_fails)

    duration = quality["duration_s"].to_numpy(dtype=float)
    least = careless.least_duration(scores.given.sum(axis=1), plan.seconds_per_item)
    enter("flag_speed", "speed", duration < least, duration, least, "duration_s")
    if np.isnan(duration).all():
        notes.append(
            Note("cleaning.no-duration", "info", "no duration was recorded, so speed was not judged", "duration_s")
        )

    for form in forms:
        for names in segments(form):
            run = careless.longest_run(scores.answers[:, layout.places(names)])
            most = careless.run_threshold(len(names), plan.run_minimum, plan.run_share)
            enter("flag_longstring", "identical answers", run >= most, run, most, f"{names[0]}..{names[-1]}")
        mixed = mixed_items(form)
        if mixed:
            places = layout.places(mixed)
            variance = careless.answer_variance(scores.answers[:, places], layout.reverse[places])
            enter("flag_longstring", "no variance", variance == 0.0, variance, 0.0, form.name)

    scored = layout.scored
    share = careless.missing_share(np.isnan(scores.scores[:, scored]), scores.asked[:, scored])
    enter("flag_missing", "missing answers", share > plan.max_missing, share, plan.max_missing)

    for construct, block in layout.blocks():
        turned = layout.reverse[block]
        if construct.code not in layout.form.marker and turned.any() and not turned.all():
            span = float((layout.highest - layout.lowest)[block].max())
            gap = careless.reverse_gap(np.where(scores.asked, scores.scores, np.nan)[:, block], turned, span)
            enter("flag_reverse", "reverse items", gap >= plan.reverse_gap, gap, plan.reverse_gap, construct.code)

    distance, more = outliers(scores.answers[:, scored], judged, plan.mahalanobis_p)
    notes += more
    enter("flag_mahalanobis", "Mahalanobis distance", distance < plan.mahalanobis_p, distance, plan.mahalanobis_p)
    return pd.DataFrame(found, index=quality.index), notes


def attention_fails(scores: Scores, layout: Layout) -> NDArray[np.int64]:
    """Number of failed attention checks of each respondent."""
    required = np.array([float(item.attention or 0) for item in layout.items])[layout.check]
    return careless.checks_failed(scores.answers[:, layout.check], required)


def outliers(answers: FloatArray, judged: BoolArray, level: float) -> tuple[FloatArray, list[Note]]:
    """Upper-tail probability of each respondent's squared Mahalanobis distance (chi-square, observed items as df).

    Returns
    -------
    ndarray (n,)
        NaN where not judged.
    notes : list of Note
        ``cleaning.mahalanobis-skipped`` when there are too few respondents for a covariance matrix of the items,
        ``cleaning.mahalanobis-repaired`` when it had to be made positive definite.
    """
    out = np.full(answers.shape[0], np.nan)
    respondents = int((judged & ~np.isnan(answers).all(axis=1)).sum())
    if level <= 0.0:
        return out, []
    if respondents <= 2 * answers.shape[1]:
        what = f"{respondents} respondents are too few for a covariance matrix of {answers.shape[1]} items"
        return out, [Note("cleaning.mahalanobis-skipped", "info", what, "flag_mahalanobis", "",
                          "The flag needs more than twice as many respondents as items.")]  # fmt: skip
    from scipy.special import chdtrc

    mean, cov, repaired = careless.available_moments(answers[judged])
    distance, count = careless.mahalanobis(answers[judged], mean, cov)
    out[judged] = np.where(count > 0, chdtrc(np.maximum(count, 1), np.nan_to_num(distance)), np.nan)
    notes = []
    if repaired:
        what = "the covariance matrix of the items was not positive definite; its smallest eigenvalues were raised"
        notes.append(Note("cleaning.mahalanobis-repaired", "info", what, "flag_mahalanobis"))
    return out, notes


def is_careless(flags: pd.DataFrame, flags_to_exclude: int = 2) -> BoolArray:
    """Rule of exclusion over the six flags.

    Attention check failed and any other flag, or ``flags_to_exclude`` flags, or too much missing; the Mahalanobis
    flag never counts.

    Examples
    --------
    >>> table = pd.DataFrame(False, index=[0, 1], columns=list(FLAGS))
    >>> table.loc[0, ["flag_speed", "flag_reverse"]] = True
    >>> table.loc[1, ["flag_speed", "flag_mahalanobis"]] = True
    >>> is_careless(table).tolist()
    [True, False]
    """
    others = (
        flags[[name for name in FLAGS if name not in ("flag_attention", "flag_mahalanobis")]].to_numpy().sum(axis=1)
    )
    attention = flags["flag_attention"].to_numpy(dtype=bool)
    out: BoolArray = (
        (attention & (others > 0))
        | (others + attention >= flags_to_exclude)
        | flags["flag_missing"].to_numpy(dtype=bool)
    )
    return out


def attention_table(
    scores: Scores, quality: pd.DataFrame, layout: Layout, plan: CleaningPlan, judged: BoolArray
) -> pd.DataFrame:
    """Failed attention checks by mode and enumerator, enumerators by number only.

    Codes such as ``E07`` are kept; anything that may be a name becomes ``enumerator 1``, ``enumerator 2`` ...
    """
    table = pd.DataFrame(
        {
            "mode": quality["mode"].where(quality["mode"].notna(), plan.default_mode),
            "enumerator": hide_names(quality["enumerator"]),
            "failed": attention_fails(scores, layout) >= plan.attention_fails,
        }
    )[judged]
    grouped = table.groupby(["mode", "enumerator"], sort=True)["failed"].agg(["size", "sum"]).reset_index()
    grouped.columns = pd.Index(["mode", "enumerator", "respondents", "failed"])
    grouped["share"] = grouped["failed"] / grouped["respondents"]
    return grouped


def hide_names(enumerators: pd.Series) -> pd.Series:
    """Enumerator codes; what may be a person's name is replaced by a number in order of appearance.

    Examples
    --------
    >>> hide_names(pd.Series(["E07", "Budi Santoso", None, "Budi Santoso"])).tolist()
    ['E07', 'enumerator 1', '', 'enumerator 1']
    """
    texts = enumerators.fillna("").astype(str).str.strip()
    coded = texts.str.fullmatch(r"[A-Za-z]{0,4}[-_ ]?\d{1,4}") | (texts == "")
    hidden = {name: f"enumerator {number}" for number, name in enumerate(dict.fromkeys(texts[~coded]), start=1)}
    return texts.map(lambda text: hidden.get(text, text))
