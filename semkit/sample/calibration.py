"""Weights adjusted to what is known of the population, with a ledger of what changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from semkit.errors import Note, OptionError, Problem, SampleError, spelling
from semkit.numerics.linearisation import kish_effective
from semkit.numerics.raking import rake

if TYPE_CHECKING:
    import pandas as pd

    from semkit.sample.design import Design

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
_SHARES = 1e-6  # how far from 1 shares may add up to
_TOTALS = 1e-6  # relative difference of two margins' totals that still counts as rounding


@dataclass(frozen=True, slots=True)
class MarginRow:
    """One level of one margin: population count, weighted counts before and after, respondents."""

    margin: str
    level: str
    respondents: int
    population: float
    before: float
    after: float


@dataclass(frozen=True, eq=False)
class Calibration:
    """Adjusted weights of one frame.

    Parameters
    ----------
    weights : ndarray (n,)
    base : ndarray (n,)
        Before the adjustment.
    replicates : ndarray (R, n) or None
        Replicate weights, each adjusted in the same way.
    codes : tuple of ndarray (n,) of int
        Level of each row in each margin.
    index : tuple
        Index labels of the frame the weights belong to.
    rows : tuple of MarginRow
    iterations : int
    deviation : float
        Largest relative deviation from a margin.
    converged : bool
        False only for trimmed weights, whose margins do not quite hold.
    notes : tuple of Note
    """

    weights: FloatArray
    base: FloatArray
    replicates: FloatArray | None
    codes: tuple[IntArray, ...]
    index: tuple[Any, ...]
    rows: tuple[MarginRow, ...]
    iterations: int
    deviation: float
    converged: bool
    notes: tuple[Note, ...] = ()

    @property
    def ledger(self) -> pd.DataFrame:
        """One row a level: ``margin level respondents population before after factor``."""
        import pandas as pd

        table = pd.DataFrame([{name: getattr(row, name) for name in MarginRow.__slots__} for row in self.rows])
        return table.assign(factor=table["after"] / table["before"])


def calibrate(
    design: Design, data: Any, margins: Mapping[Any, Mapping[Any, float]], trim: tuple[float, float] | None,
    tolerance: float, max_iterations: int,
) -> Calibration:
    """Rake a design's weights, and its replicate weights, to margins (see :meth:`Design.rake`)."""
    from semkit.sample.sampling import frame_weights, replicate_weights

    _check_options(design, margins, trim)
    frame = getattr(data, "frame", data)
    base = frame_weights(frame, design)
    problems: list[Problem] = []
    codes, counts, heads = [], [], []
    for key, levels in margins.items():
        columns = (key,) if isinstance(key, str) else tuple(key)
        found = _margin(frame, columns, levels, base > 0.0, problems)
        if found is not None:
            codes.append(found)
            counts.append(np.array([float(value) for value in levels.values()]))
            heads.append((" x ".join(columns), [_shown(level) for level in levels]))
    if problems:
        raise SampleError(*problems)
    targets = _targets(heads, counts, float(base.sum()))
    every = base[None]
    if design.replicates is not None:
        every = np.concatenate([every, replicate_weights(frame, design, base)])
    done = rake(every, tuple(codes), targets, bounds=trim, tolerance=tolerance, max_iterations=max_iterations)
    worst = float(done.deviation.max()) if np.isfinite(done.deviation).all() else float("inf")
    rows = _ledger(heads, tuple(codes), targets, base, done.weights[0])
    if worst > tolerance and (trim is None or not np.isfinite(worst)):
        off = max(rows, key=lambda row: abs(row.after / row.population - 1.0) if np.isfinite(row.after) else np.inf)
        raise SampleError(Problem(
            "sample.not-raked", f'margin "{off.margin}", level "{off.level}"',
            f"no weights found that keep all margins: {off.after:g} instead of {off.population:g} after "
            f"{done.iterations} passes", "margins that can hold together",
            "Join rare levels, leave a margin out, or allow more passes."))
    notes = _notes(base, done.weights[0], done.iterations, worst, worst <= tolerance, trim)
    return Calibration(done.weights[0], base, done.weights[1:] if len(every) > 1 else None, tuple(codes),
                       tuple(frame.index), rows, done.iterations, worst, worst <= tolerance, notes)


def _check_options(design: Design, margins: Mapping[Any, Any], trim: tuple[float, float] | None) -> None:
    problems = []
    if not margins:
        problems.append(Problem("sample.margins", "margins", "none given", "{column: {level: count}}", "Give one."))
    if design.calibration is not None:
        problems.append(Problem("sample.calibrated-twice", "Design", "its weights were adjusted to margins already",
                                "one adjustment", "Give all margins at once to rake()."))
    if trim is not None and not (len(trim) == 2 and 0.0 <= trim[0] < 1.0 < trim[1]):
        problems.append(Problem("sample.trim", "trim", repr(trim), "(low, high) with low < 1 < high",
                                "Multiples of the mean weight, for example (0.2, 5)."))
    if problems:
        raise OptionError(*problems)


def _shown(level: Any) -> str:
    return " x ".join(str(part) for part in level) if isinstance(level, tuple) else str(level)


def _margin(
    frame: Any, columns: tuple[str, ...], levels: Mapping[Any, float], used: NDArray[np.bool_], problems: list[Problem]
) -> IntArray | None:
    """Codes of one margin; what is wrong with it is added to ``problems``."""
    where, before = f'margin "{" x ".join(map(str, columns))}"', len(problems)
    known = [str(name) for name in frame.columns]
    for name in columns:
        if known.count(str(name)) != 1:
            problems.append(Problem("sample.missing-column", where, f'"{name}" is not one column of the data',
                                    ", ".join(known[:60]), spelling(str(name), known)))
    if len(problems) > before:
        return None
    values = [frame[name].astype(object).to_numpy() for name in columns]
    gaps = int(np.any([[v is None or v != v for v in column] for column in values], axis=0).sum())
    if gaps:
        problems.append(Problem("sample.margin-missing", where, f"{gaps} respondents have no value",
                                "a value for everyone", "Fill it in, or leave these respondents out first."))
        return None
    keys = list(zip(*values, strict=True)) if len(columns) > 1 else list(values[0])
    place = {level: k for k, level in enumerate(levels)}
    strange = sorted({_shown(key) for key in keys if key not in place})
    if strange:
        problems.append(Problem("sample.margin-level", where, f"the data have levels without a population count: "
                                f"{', '.join(strange[:10])}", ", ".join(_shown(level) for level in levels),
                                "Give their counts, or join levels."))
        return None
    codes = np.array([place[key] for key in keys], dtype=np.int64)
    wrong = [_shown(level) for level, value in levels.items() if not (np.isfinite(value) and value > 0.0)]
    if wrong:
        problems.append(Problem("sample.margin-count", where, f"not a positive number for: {', '.join(wrong)}",
                                "positive counts or shares", "Correct them, or leave the level out."))
    here = np.bincount(codes[used], minlength=len(levels))
    empty = [_shown(level) for level, count in zip(levels, here, strict=True) if count == 0]
    if empty:
        problems.append(Problem("sample.margin-level", where, f"no respondent in: {', '.join(empty)}",
                                "one or more respondents in each level", "Join the level with another one."))
    return codes if len(problems) == before else None


def _targets(heads: list[tuple[str, list[str]]], counts: list[FloatArray], total: float) -> tuple[FloatArray, ...]:
    """Population counts with one total; shares become counts that keep the sum of the weights."""
    sums = [float(part.sum()) for part in counts]
    if all(abs(value - 1.0) <= _SHARES for value in sums):
        return tuple(part / value * total for part, value in zip(counts, sums, strict=True))
    if max(sums) - min(sums) > _TOTALS * max(sums):
        shown = ", ".join(f"{name} {value:g}" for (name, _), value in zip(heads, sums, strict=True))
        raise SampleError(Problem("sample.margins-differ", "margins", f"the totals differ: {shown}",
                                  "the same population in every margin", "Give shares, or counts of one population."))
    return tuple(part * (sums[0] / value) for part, value in zip(counts, sums, strict=True))


def _ledger(
    heads: list[tuple[str, list[str]]], codes: tuple[IntArray, ...], targets: tuple[FloatArray, ...], base: FloatArray,
    weights: FloatArray,
) -> tuple[MarginRow, ...]:
    rows = []
    for (margin, levels), code, target in zip(heads, codes, targets, strict=True):
        k = len(levels)
        respondents = np.bincount(code[base > 0.0], minlength=k)
        before, after = np.bincount(code, base, k), np.bincount(code, weights, k)
        rows += [MarginRow(margin, level, int(respondents[j]), float(target[j]), float(before[j]), float(after[j]))
                 for j, level in enumerate(levels)]
    return tuple(rows)


def _notes(
    base: FloatArray, weights: FloatArray, passes: int, worst: float, reached: bool, trim: tuple[float, float] | None
) -> tuple[Note, ...]:
    ratio = weights[base > 0.0] / weights.mean()
    notes = [Note("sample.calibrated", "info",
                  f"weights were adjusted to known margins in {passes} passes; they range from {ratio.min():.2f} to "
                  f"{ratio.max():.2f} times their mean; effective N of the weights {kish_effective(weights):.0f}, "
                  f"before {kish_effective(base):.0f}.", "design")]
    if not reached and trim is not None:
        notes.append(Note("sample.margins-not-met", "warning",
                          f"margins are off by up to {worst:.2%} because weights are kept between {trim[0]:g} and "
                          f"{trim[1]:g} times their mean.", "design", remedy="Widen trim=, or join rare levels."))
    return tuple(notes)
