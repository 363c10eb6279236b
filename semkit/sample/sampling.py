"""A sampling design as arrays: weights, units and strata of a frame, and covariance matrices of totals under it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semkit.errors import Note, Problem, SampleError, spelling
from semkit.numerics.linearisation import deviations, kish_effective, replicated, residualised, totals
from semkit.sample.design import Design, Replicates

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Sampling:
    """How the respondents used were drawn.

    Parameters
    ----------
    design : Design
    weights : ndarray (n,)
        Sampling weights of the rows used, scaled to sum to ``n``.
    rows : ndarray (n,) of int
        Rows used, as positions in the frame, group after group.
    units : ndarray (frame,) of int
        Sampling unit of each row of the frame, 0 to ``C - 1``; units may cross groups.
    stratum : ndarray (C,) of int
        Stratum of each unit.
    sizes, rates : ndarray (H,)
        Units sampled (those without a row used included) and share of the population's units sampled.
    centred : bool
        False when strata are not given but groups take their place (see :meth:`by_group`).
    replicates : ndarray (R, n) or None
        Replicate weights of the rows used, on the scale of ``weights``.
    notes : tuple of Note
    """

    design: Design
    weights: FloatArray
    rows: IntArray
    units: IntArray
    stratum: IntArray
    sizes: FloatArray
    rates: FloatArray
    replicates: FloatArray | None
    centred: bool = True
    notes: tuple[Note, ...] = ()

    @property
    def psu(self) -> IntArray:
        """Sampling unit of each row used, shape ``(n,)``."""
        return self.units[self.rows]

    @property
    def n_psu(self) -> int:
        """Sampling units, those without a respondent used included."""
        return len(self.stratum)

    @property
    def weights_only(self) -> bool:
        """Whether respondents were drawn one by one from one infinite population, with unequal weights at most."""
        given = self.design
        return not (given.strata or given.cluster or given.fpc or given.replicates or given.calibration)

    @property
    def replication(self) -> Replicates | None:
        """How the replicate weights were made."""
        return self.design.replicates

    @property
    def df(self) -> float:
        """Degrees of freedom of the design: units less strata among rows used; rank of the replicate weights less one.

        References
        ----------
        Korn & Graubard (1990), American Statistician 44, 270-276; Lumley (2010), Complex Surveys, sec. 2.3.
        """
        if self.replicates is not None:
            return float(np.linalg.matrix_rank(self.replicates)) - 1.0
        units = np.unique(self.psu)
        return float(len(units) - len(np.unique(self.stratum[units])))

    def covariance(self, values: FloatArray, *, small_sample: bool = True) -> FloatArray:
        """Covariance matrix ``(k, k)`` of the total of weighted values under the design (see :meth:`deviations`)."""
        rows = self.deviations(values, small_sample=small_sample)
        return np.asarray(rows.T @ rows)

    def deviations(self, values: FloatArray, at: slice = slice(None), *, small_sample: bool = True) -> FloatArray:
        """Rows whose sum of outer products is the covariance matrix of the total of weighted values.

        Parameters
        ----------
        values : ndarray (n, k)
            Weighted influence values (or scores) of the rows used.
        at : slice
            Which of the rows used the values belong to (one group's); the others add nothing.
        small_sample : bool
            Whether weights alone bring the factor ``n / (n - 1)``, too.

        References
        ----------
        Rao & Tausi (2004), Communications in Statistics - Theory and Methods 33, 2087-2095 (replicate weights
        applied to estimating functions).
        """
        if self.replicates is not None:
            plain = values / self.weights[at][:, None]
            return self.replicate_deviations(self.replicates[:, at] @ plain, values.sum(axis=0))
        if self.weights_only and not small_sample:
            return values
        known = self.design.calibration
        if known is None:
            unit = totals(values, self.psu[at], self.n_psu)
        else:
            whole = np.zeros((len(self.units), values.shape[1]))
            whole[self.rows[at]] = values  # margins hold in the whole frame; the scale of the weights cancels
            unit = totals(residualised(whole, known.weights, known.base, known.codes), self.units, self.n_psu)
        if not self.centred:
            return np.asarray(unit * np.sqrt(self.sizes / (self.sizes - 1.0))[self.stratum][:, None])
        lone = "certainty" if self.design.lone_psu == "fail" else self.design.lone_psu
        return deviations(unit, self.stratum, self.sizes, self.rates, lone)

    def replicate_covariance(self, values: FloatArray, estimate: FloatArray) -> FloatArray:
        """Covariance matrix of estimates ``(k,)`` from those of the replicates ``(R, k)``."""
        rows = self.replicate_deviations(values, estimate)
        return np.asarray(rows.T @ rows)

    def replicate_deviations(self, values: FloatArray, estimate: FloatArray) -> FloatArray:
        """Rows ``(R, k)`` whose sum of outer products is that covariance matrix."""
        made = self.design.replicates
        assert made is not None
        rscales = np.array(made.rscales or np.ones(len(made.columns)))
        return replicated(values, estimate if made.mse else None, made.multiplier, rscales)

    @property
    def summary(self) -> str:
        """Respondents, units and strata, degrees of freedom and effective N in a sentence."""
        given = self.design
        drawn = f"{len(np.unique(self.psu))} {'clusters' if given.cluster else 'units'}"
        drawn += f" in {len(self.sizes)} strata" if given.strata else ""
        if self.replicates is not None and given.replicates is not None:
            drawn = f"{len(self.replicates)} {given.replicates.type} replicates"
        return (f"{len(self.weights)} respondents, {drawn}, {self.df:.0f} degrees of freedom of the design; "
                f"effective N of the weights {kish_effective(self.weights):.0f}.")

    def take(self, groups: tuple[IntArray, ...]) -> Sampling:
        """The design seen by the rows used, given as positions in the frame, group after group."""
        rows = np.concatenate(groups)
        weights = self.weights[rows]
        scale = len(rows) / weights.sum()
        made = None if self.replicates is None else self.replicates[:, rows] * scale
        out = replace(self, weights=weights * scale, rows=rows, replicates=made)
        return out._by_group(groups) if len(groups) > 1 else out

    def _by_group(self, groups: tuple[IntArray, ...]) -> Sampling:
        """Without strata, groups whose clusters are their own bring ``C_g / (C_g - 1)`` each, as lavaan has it.

        Nothing is centred then: the number of clusters in a group is taken as random.  Clusters that reach over
        groups stay one unit each.
        """
        own = [np.unique(self.units[rows]) for rows in groups]
        if (self.design.cluster is None or self.design.strata or self.design.fpc or self.design.calibration
                or sum(len(part) for part in own) > len(np.unique(np.concatenate(own)))):
            return self
        stratum = np.zeros(self.n_psu, dtype=np.int64)
        for g, part in enumerate(own):
            stratum[part] = g
        sizes = np.array([float(len(part)) for part in own])
        alone = [str(g + 1) for g in range(len(own)) if sizes[g] < 2]
        if alone:
            raise SampleError(Problem("sample.one-cluster", f"group {', '.join(alone)}", "all respondents are of one "
                                      "cluster", "two or more clusters", "Join groups, or leave the cluster out."))
        return replace(self, stratum=stratum, sizes=sizes, rates=np.zeros(len(own)), centred=False)


def make_sampling(frame: Any, design: Design) -> Sampling:
    """Read the columns of a design; everything wrong with them is reported at once.

    Raises
    ------
    SampleError
        Missing columns or values, weights that are no weights, population sizes that contradict the data, strata with
        a single unit (unless ``lone_psu`` says what they count).
    """
    weights = frame_weights(frame, design)
    made = None
    if design.calibration is not None:
        made = design.calibration.replicates
    elif design.replicates is not None:
        made = replicate_weights(frame, design, weights)
    problems: list[Problem] = []
    strata, labels = _codes(frame, design.strata, "strata", problems)
    clusters, _ = _codes(frame, design.cluster, "cluster", problems)
    if problems:
        raise SampleError(*problems)
    n = len(frame)
    units, stratum = np.arange(n), strata
    notes: tuple[Note, ...] = ()
    if design.cluster is not None:
        units, stratum, notes = _nested(strata, clusters)
    sizes = np.bincount(stratum, minlength=len(labels)).astype(np.float64)
    rates = _rates(frame, design, strata, sizes, labels)
    rows = np.arange(n)
    out = Sampling(design, weights, rows, units, stratum, sizes, rates, made)
    lone = [label for label, size, rate in zip(labels, sizes, rates, strict=True) if size == 1 and rate < 1.0]
    if lone and design.lone_psu == "fail" and made is None:
        what = "one sampling unit only" if design.strata else "all respondents are of one cluster"
        raise SampleError(Problem("sample.lone-psu", f"strata {', '.join(lone[:10])}" if design.strata else "cluster",
                                  what, "two or more units in each stratum",
                                  "Join strata, or say what such a stratum counts: lone_psu='certainty', 'adjust' or "
                                  "'average'."))
    if lone:
        notes = (*notes, Note("sample.lone-psu", "warning", f"{len(lone)} strata have one sampling unit only; taken as "
                              f"{design.lone_psu!r}.", ", ".join(lone[:10]),
                              "Nothing is known of the variance in such a stratum.", "Join it with a similar one."))
    if design.calibration is not None:
        notes = (*notes, *design.calibration.notes)
    zero = int((weights == 0.0).sum())
    if zero:
        notes = (*notes, Note("sample.zero-weight", "info", f"{zero} respondents have weight 0 and are left out."))
    return replace(out, notes=notes)


def frame_weights(frame: Any, design: Design) -> FloatArray:
    """Sampling weight of every row ``(n,)``: adjusted ones, the column's, or ones."""
    known = design.calibration
    if known is not None:
        if tuple(frame.index) != known.index:
            raise SampleError(Problem("sample.other-frame", "design", f"its weights were adjusted for a frame of "
                                      f"{len(known.index)} rows, this one has {len(frame)} or another index",
                                      "the same frame", "Adjust the weights with the data that are analysed."))
        return known.weights
    if design.weights is None:
        return np.ones(len(frame))
    return np.asarray(_weights(frame, (design.weights,), "weights")[0])


def replicate_weights(frame: Any, design: Design, base: FloatArray) -> FloatArray:
    """Replicate weights ``(R, n)``, multiplied by the sampling weights where they are only factors."""
    made = design.replicates
    assert made is not None
    found = _weights(frame, made.columns, "replicates")
    return found if made.combined else found * base


def _weights(frame: Any, columns: tuple[str, ...], option: str) -> FloatArray:
    problems: list[Problem] = []
    out = np.ones((len(columns), len(frame)))
    for k, name in enumerate(columns):
        column = _column(frame, name, option, problems)
        if column is None:
            continue
        where = f'{option} "{name}"'
        if getattr(column.dtype, "kind", "O") not in "fiub":
            problems.append(Problem("sample.weights", where, "holds something that is not a number",
                                    "numbers of 0 or more", "Recode it to numbers first."))
            continue
        values = np.asarray(column.to_numpy(dtype=np.float64, na_value=np.nan))
        gaps, negative = int((~np.isfinite(values)).sum()), int((values < 0.0).sum())
        if gaps or negative or not np.any(values > 0.0):
            what = f"{gaps} missing or infinite, {negative} negative" if gaps or negative else "no weight above 0"
            problems.append(Problem("sample.weights", where, what, "a number of 0 or more for everyone",
                                    "Fill the weights in, or leave these respondents out first."))
        out[k] = values
    if problems:
        raise SampleError(*problems)
    return out


def _column(frame: Any, name: str, option: str, problems: list[Problem]) -> Any:
    known = [str(column) for column in frame.columns]
    if known.count(str(name)) == 1:
        return frame[name]
    what = "is not in the data" if name not in known else f"is {known.count(name)} times in the data"
    problems.append(Problem("sample.missing-column", f'{option} "{name}"', what, ", ".join(known[:60]),
                            spelling(str(name), known)))
    return None


def _codes(frame: Any, name: str | None, option: str, problems: list[Problem]) -> tuple[IntArray, list[str]]:
    """Codes ``(n,)`` of a column in order of appearance, and its labels; zeros without a column."""
    n = len(frame)
    if name is None:
        return np.zeros(n, dtype=np.int64), [""]
    column = _column(frame, name, option, problems)
    if column is None:
        return np.zeros(n, dtype=np.int64), [""]
    import pandas as pd

    codes, labels = pd.factorize(column)
    gaps = int((codes < 0).sum())
    if gaps:
        problems.append(Problem("sample.design-gap", f'{option} "{name}"', f"{gaps} respondents have no value",
                                "a value for everyone", "Fill it in, or leave these respondents out first."))
    return np.asarray(codes, dtype=np.int64), [str(label) for label in labels]


def _nested(strata: IntArray, clusters: IntArray) -> tuple[IntArray, IntArray, tuple[Note, ...]]:
    """Units are clusters within strata: codes of rows, the stratum of each unit, and a note when labels repeat."""
    pairs, units = np.unique(np.column_stack([strata, clusters]), axis=0, return_inverse=True)
    repeated = len(pairs) - len(np.unique(pairs[:, 1]))
    notes: tuple[Note, ...] = ()
    if repeated:
        notes = (Note("sample.cluster-in-strata", "info", f"{repeated} cluster labels are used in several strata and "
                      "count as different clusters there.", "design"),)
    return units.ravel().astype(np.int64), pairs[:, 0].astype(np.int64), notes


def _rates(frame: Any, design: Design, strata: IntArray, sizes: FloatArray, labels: list[str]) -> FloatArray:
    """Share of each stratum's units that was sampled."""
    if design.fpc is None:
        return np.zeros(len(sizes))
    values: FloatArray = _weights(frame, (design.fpc,), "fpc")[0]
    low, high = np.full(len(sizes), np.inf), np.full(len(sizes), -np.inf)
    np.minimum.at(low, strata, values)
    np.maximum.at(high, strata, values)
    problems = []
    varies = [labels[h] or "data" for h in np.flatnonzero(high - low > 1e-9 * high)]
    if varies:
        problems.append(Problem("sample.fpc", f'fpc "{design.fpc}"', f"differs within strata: {', '.join(varies[:10])}",
                                "one number a stratum", "It counts sampling units (clusters), not respondents."))
    rates = np.where(high <= 1.0, high, sizes / np.maximum(high, 1.0))
    small = [f"{labels[h] or 'data'} ({high[h]:g} for {sizes[h]:g} sampled)"
             for h in np.flatnonzero(rates > 1.0 + 1e-9)]
    zero = [labels[h] or "data" for h in np.flatnonzero(low <= 0.0)]
    if small or zero:
        problems.append(Problem("sample.fpc", f'fpc "{design.fpc}"', f"smaller than the sample: "
                                f"{', '.join([*small, *zero][:10])}", "the number of units in the population, or the "
                                "share of them that was sampled", "Count units (clusters) of each stratum."))
    if problems:
        raise SampleError(*problems)
    return np.asarray(np.minimum(rates, 1.0))
