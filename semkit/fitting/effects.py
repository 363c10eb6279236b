"""Total, direct and indirect effects of a fit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from semkit.errors import NotSupportedError, OptionError, Problem, suggest
from semkit.estimate.paths import find_paths, path_effects, slopes_pattern
from semkit.fitting.arguments import require_group, require_text
from semkit.result import summarise

if TYPE_CHECKING:
    import pandas as pd

    from semkit.fitting.fit import Fit

FloatArray = NDArray[np.float64]


def effects(fit: Fit, predictor: str, outcome: str, group: int = 0) -> pd.DataFrame:
    """Total, direct and indirect effect of one variable on another, and every path between them.

    Parameters
    ----------
    fit : Fit
    predictor, outcome : str
        Variables that stand in equations; the outcome may be an indicator, reached through its loadings.
    group : int
        Counted from 0.

    Returns
    -------
    DataFrame
        ``effect path est se z pvalue ci_lower ci_upper``: rows ``total``, ``direct``, ``indirect`` (total less direct)
        and one ``path`` row for each way of two or more steps.  Delta-method errors, or the fit's bootstrap draws.

    Raises
    ------
    OptionError
        ``fitting.unknown-variable``, ``fitting.unknown-group``.
    NotSupportedError
        ``fitting.effect-moderated``: a product on the way makes the effect conditional.

    References
    ----------
    Bollen (1987), Sociological Methodology 17, 37-69; Sobel (1982), Sociological Methodology 13, 290-312.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> import semkit as sk
    >>> x = np.random.default_rng(1).normal(size=(80, 3))
    >>> fit = sk.sem("m ~ x\\ny ~ m + x", pd.DataFrame(x, columns=["y", "m", "x"]))
    >>> list(fit.effects("x", "y")["path"])
    ['x -> y (all)', 'x -> y', 'x -> y (indirect)', 'x -> m -> y']
    """
    import pandas as pd

    require_group(group, fit.table.n_groups)
    require_text("effects()", predictor, outcome)
    block = fit.solution.layout.blocks[group]
    table = fit.table
    indicators = tuple(dict.fromkeys(name for op, name in zip(table.op, table.rhs, strict=True)
                                     if op == "=~" and name in block.observed and name not in block.eta))
    names = (*block.eta, *indicators)
    unknown = [name for name, known in ((predictor, block.eta), (outcome, names)) if name not in known]
    if unknown:
        raise OptionError(*(Problem("fitting.unknown-variable", f'effects("{name}")', "stands in no equation",
                                    ", ".join(block.eta), suggest(name, block.eta).strip() or "Choose one of them.")
                            for name in unknown))
    source, target = names.index(predictor), names.index(outcome)
    pattern = slopes_pattern(block, indicators)
    _refuse_products(names, pattern, source, target)
    paths = [path for path in find_paths(pattern, source, target) if len(path) > 2]
    value, slope = path_effects(block, fit.solution.minimum.x, fit.solution.given, source, target, paths,
                                indicators)
    se = np.sqrt(np.maximum(np.einsum("kq,qr,kr->k", slope[0], fit.solution.vcov, slope[0]), 0.0))
    draws = _draws(fit, group, source, target, paths, indicators)
    straight = f"{predictor} -> {outcome}"
    shown = [f"{straight} (all)", straight, f"{straight} (indirect)"]
    shown += [" -> ".join(names[j] for j in path) for path in paths]
    rows = []
    for k, path in enumerate(shown):
        own = summarise(path, float(value[0, k]), float(se[k]), draws=None if draws is None else draws[:, k])
        kind = ("total", "direct", "indirect")[k] if k < 3 else "path"
        rows.append({"effect": kind, "path": path, "est": own.est, "se": own.se,
                     "z": own.est / own.se if own.se > 0 else np.nan, "pvalue": own.pvalue,
                     "ci_lower": own.ci_lower, "ci_upper": own.ci_upper})
    return pd.DataFrame(rows)


def _draws(fit: Fit, group: int, source: int, target: int, paths: list[tuple[int, ...]],
           indicators: tuple[str, ...]) -> FloatArray | None:
    if fit.draws is None or len(fit.draws) < 2:
        return None
    first = [int(np.flatnonzero(fit.table.unique == k)[0]) for k in range(fit.table.n_unique)]
    theta = fit.draws[:, first]
    given = np.repeat(fit.solution.given, len(theta), axis=0)
    return path_effects(fit.solution.layout.blocks[group], theta, given, source, target, paths, indicators)[0]


def _refuse_products(eta: tuple[str, ...], pattern: NDArray[np.bool_], source: int, target: int) -> None:
    """A variable on the way that is also a factor of a product leading to the outcome has no single effect."""
    reach = np.linalg.matrix_power(np.eye(len(eta)) + pattern, len(eta)) > 0
    on_way = {eta[j] for j in range(len(eta)) if reach[j, source] and reach[target, j] and j != target}
    for j, name in enumerate(eta):
        if ":" in name and reach[target, j] and set(name.split(":")) & (on_way | {eta[source]}):
            raise NotSupportedError(Problem(
                "fitting.effect-moderated", f'effects("{eta[source]}", "{eta[target]}")',
                f"the product {name} makes the effect depend on a moderator", "paths without products",
                "Use sk.conditional_effects, which takes it at values of the moderator."))
