"""Conditional direct, indirect and total effects, indices of moderated mediation, and their contrasts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import combinations, product

import numpy as np
import pandas as pd

from semkit.errors import Note, OptionError, Problem, spelling
from semkit.probe import neyman, simultaneous
from semkit.probe.effects import ConditionalEffects
from semkit.probe.equation import respondents, terms_of_group, variable_of
from semkit.probe.path import MOST, Path, find_paths, path_values, total
from semkit.probe.probing import ValueChoice, check_options, values_of
from semkit.probe.summary import Estimates, Values, both_metrics, with_heads
from semkit.result import FloatArray, Result, Term, percentile_interval

POINTS = 201
MOST_MODERATORS = 3
MAX_DRAWS = 100_000
CELLS = 4_000_000
"""Draws times points held at once."""


def conditional_effects(
    result: Result,
    predictor: str,
    outcome: str,
    moderators: str | Sequence[str] | None = None,
    values: ValueChoice = "sd",
    level: float = 0.95,
    group: str | None = None,
    *,
    montecarlo: int = 0,
    seed: int = 1,
) -> ConditionalEffects:
    r"""Effects of one variable on another at values of the moderators, along every path.

    The effect along a path is the product of its steps' slopes, each a function of the
    moderators.  With bootstrap draws errors, p and intervals come from them; else from the
    delta method, or, with ``montecarlo``, from draws of the estimates' normal distribution.

    Parameters
    ----------
    result : Result
        A fit with the mediator's and the outcome's equation.
    predictor, outcome : str
    moderators : str or sequence of str, optional
        Up to three; by default all variables that multiply a step.  Others are held at their means.
    values : {"sd", "percentiles"}, sequence of float, or mapping of moderator to one of these, default "sd"
        As in :func:`semkit.probe.probe`.
    level : float, default 0.95
    group : str, optional
    montecarlo : int, default 0
        Monte Carlo draws (MacKinnon, Lockwood & Williams 2004) when the result has no bootstrap draws.
    seed : int, default 1

    Returns
    -------
    ConditionalEffects

    Raises
    ------
    OptionError
        ``probe.no-path``, ``probe.too-many-paths``, ``probe.moderators``, ``probe.montecarlo`` and those of ``probe``.
    ResultError
        ``probe.not-converged``.

    References
    ----------
    Preacher, Rucker & Hayes (2007), Multivariate Behavioral Research 42, 185-227; Hayes (2015), Multivariate
    Behavioral Research 50, 1-22; Hayes (2018), Communication Monographs 85, 4-40.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> import semkit as sk
    >>> rng = np.random.default_rng(3)
    >>> x, w, e, d = rng.normal(size=(4, 300))
    >>> m = 0.4 * x + 0.3 * x * w + e
    >>> frame = pd.DataFrame({"x": x, "w": w, "m": m, "y": 0.5 * m + d})
    >>> found = sk.conditional_effects(sk.sem("m ~ x + w + x:w; y ~ m + x", frame), "x", "y")
    >>> list(found.index["index"])
    ['moderated mediation']
    """
    whole = isinstance(values, Mapping)
    check_options(result, "sd" if whole else values, level)
    terms = terms_of_group(result, group)
    paths = _paths(result, terms, predictor, outcome)
    names = _moderators(paths, moderators)
    own_group = terms[0].group
    chosen = {name: values_of(result, name, values, own_group) for name in names}
    source = _Source.of(result, montecarlo, seed)
    grid = [dict(zip(names, point, strict=True)) for point in product(*(chosen[name][0] for name in names))]
    labels = [_label(names, point) for point in product(*(chosen[name][1] for name in names))]
    given = {name: np.array([point[name] for point in grid]) for name in names}
    parts = [source.along(path, given, len(grid)) for path in paths]
    return ConditionalEffects(
        predictor=predictor, outcome=outcome, moderators=names, group=own_group,
        effects=_effect_table(source, paths, parts, grid, labels, level),
        index=_index_table(source, paths, names, chosen, own_group, level),
        contrasts=_contrast_table(source, paths, parts, labels, level),
        curves=_curves(source, paths, names, chosen, own_group, level) if names else pd.DataFrame(),
        distribution=_distribution(result, names, own_group),
        level=level, method=source.method, nobs=respondents(result, own_group), result_method=result.method,
        notes=_notes(source, paths, names),
    )  # fmt: skip


@dataclass(frozen=True, eq=False)
class _Source:
    """The result in both metrics, with its draws."""

    result: Result
    raw: Estimates
    std: Estimates
    method: str

    @classmethod
    def of(cls, result: Result, montecarlo: int, seed: int) -> _Source:
        raw, std = Estimates.of(result), Estimates.of(result, standardized=True)
        if isinstance(montecarlo, bool) or not isinstance(montecarlo, int) or not 0 <= montecarlo <= MAX_DRAWS:
            raise OptionError(Problem("probe.montecarlo", "montecarlo", f"{montecarlo!r:.40} given",
                                      f"0 to {MAX_DRAWS:,}", "For example montecarlo=20000."))
        if raw.draws is not None:
            return cls(result, raw, std, "percentile")
        if montecarlo:
            drawn = [replace(part, draws=_normal_draws(part, montecarlo, seed)) for part in (raw, std)]
            return cls(result, drawn[0], drawn[1], "monte carlo")
        return cls(result, raw, std, result.reference.kind if result.reference.kind == "t" else "normal")

    def along(self, path: Path, given: Mapping[str, FloatArray], size: int) -> tuple[Values, Values]:
        raw = path_values(self.result, path, given, size, self.raw, standardized=False)
        return raw, path_values(self.result, path, given, size, self.std, standardized=True)

    def table(self, raw: Values, std: Values, level: float) -> pd.DataFrame:
        return both_metrics(raw, std, self.result.reference, level)


def _normal_draws(part: Estimates, count: int, seed: int) -> FloatArray:
    """Draws of the estimates; those without a known error stay where they are."""
    known = np.isfinite(np.diag(part.vcov)) & np.isfinite(part.est)
    out = np.tile(part.est, (count, 1))
    rng = np.random.default_rng(seed)
    out[:, known] = rng.multivariate_normal(part.est[known], part.vcov[np.ix_(known, known)], count, method="eigh")
    return out


def _paths(result: Result, terms: Sequence[Term], predictor: str, outcome: str) -> list[Path]:
    found = find_paths(terms, predictor, outcome)
    if not found:
        equations = dict.fromkeys(f"{t.outcome} ~ {':'.join(t.factors)}" for t in result.terms)
        raise OptionError(Problem("probe.no-path", f'"{predictor}" -> "{outcome}"',
                                  "no path leads from one to the other", "; ".join(equations),
                                  spelling(predictor, [n for t in result.terms for n in t.factors])))
    if len(found) > MOST:
        raise OptionError(Problem("probe.too-many-paths", f'"{predictor}" -> "{outcome}"', f"more than {MOST} paths",
                                  f"up to {MOST}", "Define the effects of interest with := in the model."))
    return found


def _moderators(paths: Sequence[Path], asked: str | Sequence[str] | None) -> tuple[str, ...]:
    known = tuple(dict.fromkeys(name for path in paths for name in path.moderators()))
    if asked is None:
        on_way = {name for path in paths for name in path.names[1:]}
        names = tuple(name for name in known if name not in on_way) or known
    else:
        names = (asked,) if isinstance(asked, str) else tuple(dict.fromkeys(asked))
    unknown = [name for name in names if name not in known]
    if unknown or len(names) > MOST_MODERATORS:
        what = f"{', '.join(map(str, unknown)) or len(names)} given"
        allowed = f"up to {MOST_MODERATORS} of: {', '.join(known) or 'none, no step is moderated'}"
        raise OptionError(Problem("probe.moderators", "moderators", what, allowed,
                                  "Name variables that multiply a step of a path."))
    return names


def _label(names: Sequence[str], labels: Sequence[str]) -> str:
    return ", ".join(f"{name} {label}" for name, label in zip(names, labels, strict=True))


def _effect_table(
    source: _Source, paths: Sequence[Path], parts: Sequence[tuple[Values, Values]],
    grid: Sequence[Mapping[str, float]], labels: Sequence[str], level: float,
) -> pd.DataFrame:  # fmt: skip
    straight = f"{paths[0].names[0]} -> {paths[0].names[-1]}"
    blocks = [("direct" if len(path.names) == 2 else "indirect", path.text, part)
              for path, part in zip(paths, parts, strict=True)]
    indirect = [part for kind, _, part in blocks if kind == "indirect"]
    if len(indirect) > 1:
        blocks.append(("total indirect", f"{straight} (indirect)", _sum(source, indirect)))
    if len(blocks) > 1:
        blocks.append(("total", f"{straight} (all)", _sum(source, parts)))
    frames = []
    for kind, text, (raw, std) in blocks:
        heads = {"effect": [kind] * len(grid), "path": [text] * len(grid), "label": list(labels)}
        points = {f"value_{i + 1}": [point[name] for point in grid] for i, name in enumerate(grid[0])}
        frames.append(with_heads(source.table(raw, std, level), {**heads, **points}))
    return pd.concat(frames, ignore_index=True)


def _sum(source: _Source, parts: Sequence[tuple[Values, Values]]) -> tuple[Values, Values]:
    return total([raw for raw, _ in parts], source.raw.vcov), total([std for _, std in parts], source.std.vcov)


def _contrast_table(
    source: _Source, paths: Sequence[Path], parts: Sequence[tuple[Values, Values]], labels: Sequence[str], level: float
) -> pd.DataFrame:
    """Second less first: between moderator values along each path, and between indirect paths at each value."""
    frames = []
    pairs = list(combinations(range(len(labels)), 2))
    weights = np.zeros((len(pairs), len(labels)))
    for row, (i, j) in enumerate(pairs):
        weights[row, i], weights[row, j] = -1.0, 1.0
    for path, (raw, std) in zip(paths, parts, strict=True):
        if pairs and path.moderators():
            heads = {"path": [path.text] * len(pairs), "first": [labels[i] for i, _ in pairs],
                     "second": [labels[j] for _, j in pairs]}
            both = raw.combined(weights, source.raw.vcov), std.combined(weights, source.std.vcov)
            frames.append(with_heads(source.table(*both, level), heads))
    for (one, (raw, std)), (other, (raw2, std2)) in combinations(zip(paths, parts, strict=True), 2):
        if len(one.names) > 2 and len(other.names) > 2:
            gap, std_gap = (
                total([b, a.combined(-np.eye(len(labels)), part.vcov)], part.vcov)
                for a, b, part in ((raw, raw2, source.raw), (std, std2, source.std))
            )
            heads = {"path": list(labels), "first": [one.text] * len(labels), "second": [other.text] * len(labels)}
            frames.append(with_heads(source.table(gap, std_gap, level), heads))
    columns = ["path", "first", "second", "est", "se", "stat", "pvalue", "ci_lower", "ci_upper"]
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=columns)


def _index_table(
    source: _Source, paths: Sequence[Path], names: tuple[str, ...],
    chosen: Mapping[str, tuple[FloatArray, list[str]]], group: str, level: float,
) -> pd.DataFrame:  # fmt: skip
    r"""Indices of the indirect paths, as differences of the effect over one unit (one SD where standardised).

    Linear in w: ``f(w + 1) - f(w)`` (Hayes 2015).  With a second moderator beside it, the partial index (Hayes 2018,
    eq. 10); multiplied by it, the conditional index at its values and the index of moderated moderated mediation
    ``f(1, 1) - f(1, 0) - f(0, 1) + f(0, 0)`` (Hayes 2018, eq. 18).
    """
    frames = []
    for path in paths:
        own = [name for name in path.moderators() if path.degree(name) == 1 and name in names]
        beside = [name for name in path.moderators() if name != path.names[0]]
        for name in own if len(path.names) > 2 else []:
            others = [other for other in beside if other != name and path.crossed(name, other)]
            points = [{}] if not others else [
                {others[0]: value} for value in chosen.get(others[0], (np.empty(0), []))[0]
            ]  # fmt: skip
            kind = "conditional moderated mediation" if others else (
                "partial moderated mediation" if len(beside) > 1 else "moderated mediation")
            where = [f"{others[0]} {label}" for label in chosen.get(others[0], (0, []))[1]] if others else [""]
            for point, at in zip(points, where, strict=True):
                frames.append(_differenced(source, path, [name], point, group, level, kind, at))
        for one, other in combinations(own if len(path.names) > 2 else [], 2):
            if path.crossed(one, other):
                kind = "moderated moderated mediation"
                frames.append(_differenced(source, path, [one, other], {}, group, level, kind, ""))
    columns = ["index", "path", "moderator", "at", "est", "se", "stat", "pvalue", "ci_lower", "ci_upper"]
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=columns)


def _differenced(
    source: _Source, path: Path, names: Sequence[str], point: Mapping[str, float], group: str, level: float,
    kind: str, at: str,
) -> pd.DataFrame:  # fmt: skip
    corners = list(product((0.0, 1.0), repeat=len(names)))
    signs = np.array([[(-1.0) ** (len(names) - sum(corner)) for corner in corners]])
    made = []
    for standardized in (False, True):
        given = {name: np.full(len(corners), value) for name, value in point.items()}
        for place, name in enumerate(names):
            variable = variable_of(source.result, name, group)
            unit = variable.sd if standardized and not variable.binary else 1.0
            given[name] = variable.center + unit * np.array([corner[place] for corner in corners])
        part = source.along(path, given, len(corners))[int(standardized)]
        made.append(part.combined(signs, (source.std if standardized else source.raw).vcov))
    heads = {"index": [kind], "path": [path.text], "moderator": [" x ".join(names)], "at": [at]}
    return with_heads(source.table(made[0], made[1], level), heads)


def _curves(
    source: _Source, paths: Sequence[Path], names: tuple[str, ...],
    chosen: Mapping[str, tuple[FloatArray, list[str]]], group: str, level: float,
) -> pd.DataFrame:  # fmt: skip
    """Effect along the first moderator for each moderated path, other moderators at their means."""
    first = names[0]
    variable = variable_of(source.result, first, group)
    low, high = variable.minimum, variable.maximum
    if not (np.isfinite(low) and np.isfinite(high)):
        low, high = variable.mean - 3 * variable.sd, variable.mean + 3 * variable.sd
    values = chosen[first][0]
    low, high = min(low, float(values.min())), max(high, float(values.max()))
    frames = []
    for path in paths:
        if not path.degree(first):
            continue
        edges = neyman.crossings(partial(_both_limits, source, path, first, level), low, high)
        grid = np.unique(np.concatenate([np.linspace(low, high, POINTS), edges]))
        effect, se, lower, upper = _limits(source, path, first, grid, level)
        frames.append(pd.DataFrame({
            "path": path.text, "moderator": grid, "effect": effect, "se": se, "lower": lower, "upper": upper,
            "significant": (lower > 0) | (upper < 0), "boundary": np.isin(grid, edges),
        }))  # fmt: skip
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()


def _limits(source: _Source, path: Path, name: str, at: FloatArray, level: float) -> tuple[FloatArray, ...]:
    size = at.size if source.raw.draws is None else max(CELLS // len(source.raw.draws), 1)
    if at.size > size:
        parts = [_limits(source, path, name, at[i : i + size], level) for i in range(0, at.size, size)]
        return tuple(np.concatenate(column) for column in zip(*parts, strict=True))
    raw = path_values(source.result, path, {name: at}, at.size, source.raw, standardized=False)
    if raw.draws is not None:
        return raw.value, raw.draws.std(axis=0, ddof=1), *percentile_interval(raw.draws, level)
    width = simultaneous.pointwise(source.result.reference, level) * raw.se
    return raw.value, raw.se, raw.value - width, raw.value + width


def _both_limits(source: _Source, path: Path, name: str, level: float, at: FloatArray) -> FloatArray:
    return np.stack(_limits(source, path, name, at, level)[2:])


def _distribution(result: Result, names: tuple[str, ...], group: str) -> pd.DataFrame:
    values = variable_of(result, names[0], group).values if names else None
    return pd.DataFrame({"moderator": np.empty(0) if values is None else values})


def _notes(source: _Source, paths: Sequence[Path], names: tuple[str, ...]) -> tuple[Note, ...]:
    def found() -> Iterator[Note]:
        if source.method in ("normal", "t") and any(len(path.names) > 2 for path in paths):
            yield Note("probe.indirect-symmetric", "info", "delta-method intervals of products are symmetric.",
                       cause="Products of estimates are skewed.",
                       remedy="Fit with bootstrap=, or give montecarlo=20000.")
        held = [name for path in paths for name in path.moderators() if name not in names]
        if held:
            yield Note("probe.held-at-mean", "info", f"held at the mean: {', '.join(dict.fromkeys(held))}.")
        curved = [path for path in paths if len(path.names) > 2 and any(path.degree(name) > 1 for name in names)]
        if curved:
            yield Note("probe.no-index", "info", "the effect is not linear in a moderator: there is no single index.",
                       "; ".join(path.text for path in curved), remedy="Read the contrasts.")
        if not source.result.admissible:
            yield Note("probe.inadmissible", "warning", "the result has inadmissible estimates; its effects are shown "
                       "but should not be relied on.", source.result.method, remedy="Read result.notes.")

    return tuple(found())
