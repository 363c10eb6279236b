"""``monitor``: counts by day, region, interviewer and quota, time per interview, flags; on a half-finished export.

Nothing here is analysed: what is counted are interviews, and a flag is a reason to ask, not a verdict.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from semkit.cleaning import Cleaned, CleaningPlan, clean
from semkit.errors import DataError, OptionError, Problem, suggest
from semkit.instrument import combine
from semkit.monitoring.quotas import Quotas, quota_table
from semkit.responses import Responses
from semkit.writing import escape, page, table

REGIONS = ("scr_region", "subdistrict", "province", "region")
SELF = "(no interviewer)"
NIGHT = (22, 5)
FAST = 0.40
MANY_A_DAY = 12
_DAY = re.compile(r"^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}):(\d{2}))?")
_FLAGS = {
    "flag_attention": "missed an attention check",
    "flag_speed": "faster than one can read",
    "flag_longstring": "the same answer many times in a row",
    "flag_missing": "many answers missing",
    "flag_reverse": "agrees with a statement and with its opposite",
    "flag_mahalanobis": "an unusual pattern of answers",
}


@dataclass(frozen=True, eq=False)
class Monitoring:
    """State of a survey in the field.

    Parameters
    ----------
    received, valid : int
        Submissions, and those that are no copies, consented and were not screened out.
    states : DataFrame
        How many submissions are what.
    days : DataFrame
        By day of the interview: received, valid, running total.
    groups : dict of str to DataFrame
        ``region``, ``interviewer``, ``mode``: received, valid, median minutes, share with a flag.
    quotas : DataFrame
        Wanted, so far, missing; empty without quotas.
    times : DataFrame
        Minutes per valid interview: number, median, 10 % and 90 % quantile, shortest, by mode and together.
    flags : DataFrame
        What looks wrong: how often and in which rows (the first twenty).
    synthetic : bool
    source : str
    """

    received: int
    valid: int
    states: pd.DataFrame
    days: pd.DataFrame
    groups: Mapping[str, pd.DataFrame]
    quotas: pd.DataFrame
    times: pd.DataFrame
    flags: pd.DataFrame
    synthetic: bool = False
    source: str = ""
    sections: tuple[tuple[str, pd.DataFrame], ...] = field(init=False, default=())

    def __post_init__(self) -> None:
        parts = [("Submissions", self.states), ("Quotas", self.quotas), ("By day", self.days)]
        parts += [(f"By {name}", frame) for name, frame in self.groups.items()]
        parts += [("Minutes per interview", self.times), ("What looks wrong", self.flags)]
        object.__setattr__(self, "sections", tuple((title, frame) for title, frame in parts if len(frame)))

    def __repr__(self) -> str:
        banner = " SYNTHETIC DATA, no respondent exists;" if self.synthetic else ""
        return f"<Monitoring {self.source}:{banner} {self.received} received, {self.valid} valid>"

    def text(self) -> str:
        """The tables as plain text."""
        lines = [repr(self)[1:-1]]
        for title, frame in self.sections:
            lines += ["", title, frame.map(_shown).to_string(index=False)]
        return "\n".join(lines) + "\n"

    def html(self) -> str:
        """A self-contained page; every text of the data is escaped."""
        banner = "<p class='notice'><strong>Synthetic data: invented, no respondent exists.</strong></p>"
        body = [f"<h1>Fieldwork: {escape(self.source)}</h1>", banner if self.synthetic else ""]
        body.append(f"<p>{self.received} submissions received, {self.valid} valid.</p>")
        body += [_section(title, frame) for title, frame in self.sections]
        body.append("<p class='soft'>A flag is a reason to ask the interviewer, not a verdict on a respondent.</p>")
        return page(f"Fieldwork: {self.source}", "".join(body))

    def _repr_html_(self) -> str:
        return f'<div class="semkit">{"".join(_section(title, frame) for title, frame in self.sections)}</div>'


def _section(title: str, frame: pd.DataFrame) -> str:
    rows = [tuple(_shown(value) for value in row) for row in frame.itertuples(index=False)]
    return f"<h2>{escape(title)}</h2>{table([str(name) for name in frame.columns], rows)}"


def _shown(value: object) -> object:
    if isinstance(value, float | np.floating):
        if np.isnan(value):
            return ""
        return f"{value:.0%}" if 0.0 <= value <= 1.0 and value != round(value) else f"{value:.1f}".removesuffix(".0")
    return int(value) if isinstance(value, np.integer) else value


def monitor(
    responses: Responses, *, quotas: Quotas | None = None, region: str | None = None, plan: CleaningPlan | None = None
) -> Monitoring:
    """Say how a survey stands while it is in the field.

    Parameters
    ----------
    responses : Responses
        A half-finished export, read with the forms it was made with.
    quotas : mapping of question to mapping of choice to int, optional
        Valid interviews wanted; :func:`semkit.monitoring.read_quotas` reads them from a file.
    region : str, optional
        Question whose choices are the regions; found among the screening questions when not given.
    plan : CleaningPlan, optional
        Thresholds of the flags.

    Returns
    -------
    Monitoring

    Raises
    ------
    OptionError
        ``monitoring.unknown-quota``, ``monitoring.unknown-region``.

    Examples
    --------
    >>> from semkit import load_instrument, read_responses, simulate_responses
    >>> invented = simulate_responses("governance", n=40, seed=2)
    >>> answers = read_responses(invented.frame, load_instrument("collaborative_governance"))
    >>> monitor(answers).received
    40
    """
    form = combine(responses.forms)
    choices = {one.name: [choice.code for choice in one.choices] for one in form.questions if one.answer == "choice"}
    place = _region(region, responses, choices)
    states, flags = _cleaned(responses, plan or CleaningPlan())
    valid = states.isin(["analysed", "careless"])
    any_flag = flags[[name for name in flags if name != "flag_mahalanobis"]].any(axis=1)
    local = _local(responses)
    seconds = responses.quality["duration_s"].astype(float)
    frame = pd.DataFrame({"valid": valid, "flagged": any_flag & valid, "minutes": seconds.where(valid) / 60.0})
    groups = {}
    if place:
        groups["region"] = _grouped(frame, responses.coded[place].fillna("(no answer)"))
    person = responses.quality["enumerator"].fillna(SELF)
    if bool((person != SELF).any()):
        groups["interviewer"] = _grouped(frame, person)
    mode = responses.quality["mode"].fillna("(not told)")
    if bool((mode != "(not told)").any()):
        groups["mode"] = _grouped(frame, mode)
    told = states.value_counts()
    return Monitoring(
        received=responses.n,
        valid=int(valid.sum()),
        states=pd.DataFrame({"state": [name.replace("_", " ") for name in told.index], "submissions": told.to_numpy()}),
        days=_days(local, valid),
        groups=groups,
        quotas=quota_table(responses.coded, valid, quotas or {}, choices),
        times=_times(frame, mode),
        flags=_flags(responses, flags, valid, local, seconds, person),
        synthetic=responses.synthetic,
        source=responses.path.name if responses.path is not None else "frame",
    )


def _region(region: str | None, responses: Responses, choices: Mapping[str, list[str]]) -> str:
    known = [name for name in choices if name in responses.coded.columns]
    if region is None:
        return next((name for name in REGIONS if name in known), "")
    if region not in known:
        raise OptionError(
            Problem("monitoring.unknown-region", f'region "{region}"', "no answered question with choices is called so",
                    ", ".join(known[:60]), suggest(region, known).strip() or "Use a name of the forms.")
        )  # fmt: skip
    return region


def _cleaned(responses: Responses, plan: CleaningPlan) -> tuple[pd.Series, pd.DataFrame]:
    """State and flags of each submission; in the first days nobody may be left to analyse, which is no error here."""
    try:
        found: Cleaned = clean(responses, plan)
    except DataError:
        index = responses.coded.index
        empty = pd.DataFrame(False, index=index, columns=list(_FLAGS))
        return pd.Series("not valid", index=index, dtype=object), empty
    return found.states, found.flags


def _local(responses: Responses) -> pd.DataFrame:
    """Day and hour of the interview by the interviewer's clock: the start as it was written, else the time sent."""
    texts = pd.Series("", index=responses.raw.index, dtype=object)
    used = [s.header for s in responses.sources if s.kind == "quality" and s.target == "start"]
    for name in [*used, "_submission_time", "SubmissionDate", "submitdate", "RecordedDate"]:
        if name in responses.raw.columns:
            texts = texts.where(texts != "", responses.raw[name].astype(str).str.strip())
    found = texts.str.extract(_DAY)
    hours = pd.to_numeric(found[1], errors="coerce")
    return pd.DataFrame({"day": found[0], "hour": hours, "clock": texts})


def _days(local: pd.DataFrame, valid: pd.Series) -> pd.DataFrame:
    if local["day"].isna().all():
        return pd.DataFrame(columns=["day", "received", "valid", "valid so far"])
    grouped = pd.DataFrame({"day": local["day"].fillna("(no date)"), "valid": valid}).groupby("day")["valid"]
    counts = grouped.agg(["size", "sum"]).reset_index()
    counts.columns = pd.Index(["day", "received", "valid"])
    counts["valid so far"] = counts["valid"].cumsum()
    return counts


def _grouped(frame: pd.DataFrame, by: pd.Series) -> pd.DataFrame:
    by = by.astype(str)
    grouped = frame.groupby(by)
    valid = grouped["valid"].sum()
    out = pd.DataFrame(
        {
            "name": valid.index,
            "received": grouped.size().to_numpy(),
            "valid": valid.to_numpy(dtype=int),
            "median minutes": grouped["minutes"].median().to_numpy(),
            "with a flag": (grouped["flagged"].sum() / valid.where(valid > 0)).to_numpy(dtype=float),
        }
    )
    return out.sort_values(["valid", "name"], ascending=[False, True], kind="stable").reset_index(drop=True)


def _times(frame: pd.DataFrame, mode: pd.Series) -> pd.DataFrame:
    rows = []
    groups = [("all", frame["minutes"])]
    groups += [(str(name), frame.loc[mode == name, "minutes"]) for name in sorted(set(mode)) if len(set(mode)) > 1]
    for name, minutes in groups:
        known = minutes.dropna()
        if len(known):
            low, middle, high = (float(known.quantile(q)) for q in (0.1, 0.5, 0.9))
            rows.append((name, len(known), middle, low, high, float(known.min())))
    return pd.DataFrame(rows, columns=["mode", "interviews", "median", "10 %", "90 %", "shortest"])


def _flags(
    responses: Responses,
    flags: pd.DataFrame,
    valid: pd.Series,
    local: pd.DataFrame,
    seconds: pd.Series,
    person: pd.Series,
) -> pd.DataFrame:
    found: list[tuple[str, pd.Series]] = [
        (words, flags[name] & valid) for name, words in _FLAGS.items() if name in flags.columns
    ]
    middle = seconds[valid].median()
    if not np.isnan(middle):
        found.append((f"took less than {FAST:.0%} of the median time", valid & (seconds < FAST * middle)))
    night = (local["hour"] >= NIGHT[0]) | (local["hour"] < NIGHT[1])
    found.append((f"began between {NIGHT[0]}:00 and {NIGHT[1]}:00", valid & night))
    found.append(("two interviews of one interviewer at the same time", valid & _overlapping(responses, person)))
    guided = person != SELF
    many = pd.DataFrame({"person": person, "day": local["day"]})[valid & guided].value_counts()
    busy = {key for key, count in many.items() if count > MANY_A_DAY}
    rows = pd.Series([pair in busy for pair in zip(person, local["day"])], index=valid.index)
    found.append((f"more than {MANY_A_DAY} interviews of one interviewer in a day", valid & guided & rows))
    device = responses.quality["device_hash"]
    alike = device.notna() & device.duplicated(keep=False) & ~guided
    found.append(("several self-filled forms from one device", valid & alike))
    version = responses.quality["form_version"]
    usual = version.dropna().mode()
    if version.nunique() > 1:
        found.append(("another version of the form than most", valid & version.notna() & (version != usual.iloc[0])))
    told = [
        (words, int(hit.sum()), ", ".join(str(row) for row in hit.index[hit][:20]) + (" ..." if hit.sum() > 20 else ""))
        for words, hit in found
        if bool(hit.any())
    ]
    return pd.DataFrame(told, columns=["what", "interviews", "rows"])


def _overlapping(responses: Responses, person: pd.Series) -> pd.Series:
    """Interviews that begin before an earlier one of the same interviewer has ended."""
    out = pd.Series(False, index=person.index)
    times = responses.quality[["start", "end"]].assign(person=person)
    times = times[(person != SELF) & times["start"].notna() & times["end"].notna()]
    if times.empty:
        return out
    times = times.sort_values(["person", "start", "end"], kind="stable")
    latest = times.groupby("person")["end"].cummax().groupby(times["person"]).shift()
    out.loc[times.index[(times["start"] < latest).to_numpy()]] = True
    return out
