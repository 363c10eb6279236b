"""The rules of cleaning as data: a frozen plan with the documented defaults."""

from __future__ import annotations

from dataclasses import dataclass

from semkit.errors import OptionError, Problem, checked


@checked
@dataclass(frozen=True, slots=True)
class CleaningPlan:
    """Thresholds and switches of :func:`clean`; the defaults are the rules of ``docs/cleaning.md``.

    Parameters
    ----------
    duplicates, consent, screening : bool
        Remove copies of a submission, respondents without consent, and those screened out.
    exclude_careless : bool
        False raises the flags but keeps everybody.
    attention_modes : tuple of str
        Modes of answering in which a failed check counts against the respondent; in the others it says something of
        the interviewer and is only reported.
    default_mode : str
        Mode of rows that do not tell theirs.
    attention_fails : int
        Failed checks that raise the flag.
    seconds_per_item : float
        Least believable time per item (Huang et al. 2012).
    run_minimum, run_share : int, float
        A run of ``max(run_minimum, run_share * items)`` identical answers raises the flag.
    max_missing : float
        More than this share of items missing raises the flag and excludes by itself.
    reverse_gap : float
        Mean distance between straight and reversed items of a construct that raises the flag, in steps of a
        five-point scale (other scales are rescaled to it).
    mahalanobis_p : float
        Multivariate outliers; flagged, never excluded.
    flags_to_exclude : int
        Other flags that exclude together.
    min_answered : float or None
        Share of items needed for a mean; None takes each construct's own (one half).
    winsorise : tuple of float
        Quantiles to which amounts are pulled before their logarithm.
    score_routed : bool
        Sensitivity check: also score the blocks that do not exist for routed respondents (the lowest point), where the
        instrument foresees it.

    Raises
    ------
    OptionError
        ``cleaning.bad-plan``, all bad values at once.

    Examples
    --------
    >>> CleaningPlan().seconds_per_item, CleaningPlan(max_missing=0.5).max_missing
    (2.0, 0.5)
    """

    duplicates: bool = True
    consent: bool = True
    screening: bool = True
    exclude_careless: bool = True
    attention_modes: tuple[str, ...] = ("self",)
    default_mode: str = "self"
    attention_fails: int = 1
    seconds_per_item: float = 2.0
    run_minimum: int = 8
    run_share: float = 0.5
    max_missing: float = 0.30
    reverse_gap: float = 2.5
    mahalanobis_p: float = 0.001
    flags_to_exclude: int = 2
    min_answered: float | None = None
    winsorise: tuple[float, float] = (0.01, 0.99)
    score_routed: bool = False

    def __post_init__(self) -> None:
        least = 0.0 if self.min_answered is None else self.min_answered
        rules = (
            ("attention_fails", self.attention_fails >= 1, "1 or more"),
            ("seconds_per_item", 0.0 <= self.seconds_per_item <= 60.0, "0 to 60"),
            ("run_minimum", self.run_minimum >= 2, "2 or more"),
            ("run_share", 0.0 <= self.run_share <= 1.0, "0 to 1"),
            ("max_missing", 0.0 <= self.max_missing <= 1.0, "0 to 1"),
            ("reverse_gap", self.reverse_gap > 0.0, "more than 0"),
            ("mahalanobis_p", 0.0 <= self.mahalanobis_p < 1.0, "0 to less than 1"),
            ("flags_to_exclude", self.flags_to_exclude >= 1, "1 or more"),
            ("min_answered", 0.0 <= least <= 1.0, "0 to 1, or None"),
            ("winsorise", 0.0 <= self.winsorise[0] < self.winsorise[1] <= 1.0, "two shares in order"),
        )
        problems = [
            Problem(
                "cleaning.bad-plan",
                f"cleaning plan, {name}",
                f"the value {getattr(self, name)!r} cannot be used",
                allowed,
                "Leave it out to take the documented default.",
            )
            for name, good, allowed in rules
            if not good
        ]
        if problems:
            raise OptionError(*problems)
