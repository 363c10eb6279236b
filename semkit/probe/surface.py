"""Response surfaces: the shape of a quadratic equation in two variables along congruence and incongruence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from semkit.errors import Note, OptionError, Problem
from semkit.probe.equation import Equation, find_equation, respondents, variable_of
from semkit.probe.gradient import prediction_gradient, slope_rows
from semkit.probe.probing import check_options
from semkit.probe.summary import Estimates, Values, linear, text_of, with_heads
from semkit.result import FloatArray, Result, Variable

POINTS = 41
SHAPE = np.array([[1, 1, 0, 0, 0], [0, 0, 1, 1, 1], [1, -1, 0, 0, 0], [0, 0, 1, -1, 1], [0, 0, 1, 0, -1]], dtype=float)
MEANING = ("slope along congruence", "curvature along congruence", "slope along incongruence",
           "curvature along incongruence", "difference of the curvatures")  # fmt: skip
FEATURES = ("stationary_x", "stationary_z", "p10", "p11", "p20", "p21")


@dataclass(frozen=True, eq=False)
class ResponseSurface:
    """Response surface of an outcome over two predictors.

    Parameters
    ----------
    outcome, x, z, group : str
    origin : float
        The common value of both predictors that counts as zero.
    coefficients : DataFrame
        term ("x", "z", "x:x", "x:z", "z:z"), est, se, stat, pvalue, ci_lower, ci_upper at the origin: b1 to b5.
    shape : DataFrame
        parameter a1 to a5, meaning and the numbers: ``a1 = b1 + b2``, ``a2 = b3 + b4 + b5`` (slope and curvature
        along x = z), ``a3 = b1 - b2``, ``a4 = b3 - b4 + b5`` (along x = -z), ``a5 = b3 - b5``.
    features : DataFrame
        parameter and the numbers: stationary_x, stationary_z (the stationary point, in the predictors' metric), and the
        principal axes ``z = p10 + p11 x``, ``z = p20 + p21 x`` in deviations from the origin.  NaN where the surface
        has none.
    form : {"maximum", "minimum", "saddle", "none"}
    surface : DataFrame
        x, z, predicted on a grid over the observed ranges (long form).
    people : DataFrame
        x, z of the respondents (factor scores of latent variables).
    level, method, nobs, result_method, notes
        As in :class:`semkit.probe.Probe`.

    References
    ----------
    Edwards & Parry (1993), Academy of Management Journal 36, 1577-1613; Edwards (2002); Shanock, Baran, Gentry,
    Pattison & Heggestad (2010), Journal of Business and Psychology 25, 543-554; a5: Humberg, Nestler & Back (2019),
    Social Psychological and Personality Science 10, 409-419.
    """

    outcome: str
    x: str
    z: str
    group: str
    origin: float
    coefficients: pd.DataFrame
    shape: pd.DataFrame
    features: pd.DataFrame
    form: str
    surface: pd.DataFrame
    people: pd.DataFrame
    level: float
    method: str
    nobs: int
    result_method: str
    notes: tuple[Note, ...] = ()

    def plot(self, **options: Any) -> Any:
        """Draw the surface as a contour map (or, ``kind="surface"``, a mesh) with congruence and the respondents.

        Options are those of :func:`semkit.display.plot`.
        """
        from semkit.display import plot

        return plot(self, **options)

    def __repr__(self) -> str:
        return "\n".join([
            f"Response surface of {self.outcome} over {self.x} and {self.z}, origin {self.origin:.4g}"
            f" ({self.result_method}, N = {self.nobs}, {self.method} intervals)",
            text_of(self.coefficients), text_of(self.shape), f"Stationary point: {self.form}", text_of(self.features),
            *(f"{note.severity}: {note}" for note in self.notes),
        ])  # fmt: skip

    def _repr_html_(self) -> str:
        from semkit.display import html

        return html(self)


def response_surface(
    result: Result,
    x: str,
    z: str,
    outcome: str | None = None,
    origin: float | None = None,
    level: float = 0.95,
    group: str | None = None,
    *,
    at: Mapping[str, float] | None = None,
) -> ResponseSurface:
    r"""Shape of the surface ``y = b0 + b1 x + b2 z + b3 x^2 + b4 x z + b5 z^2``.

    Both predictors must be on one scale: congruence is the line where they are equal.  The
    coefficients are moved to a common origin whatever the centring of the model,
    ``b1(o) = b1 + 2 b3 (o - c_x) + b4 (o - c_z)`` and so for ``b2``; ``b3`` to ``b5`` stay.

    Parameters
    ----------
    result : Result
        With ``y ~ x + z + x:x + x:z + z:z``; squares that are missing count as zero and are noted.
    x, z : str
    outcome : str, optional
        Needed when the product acts on several outcomes.
    origin : float, optional
        Value of both predictors that counts as zero: the midpoint of the scale, as Edwards advises.  Default: 0 for
        latent predictors, the mean of both means for observed ones.
    level : float, default 0.95
    group : str, optional
    at : Mapping of str to float, optional
        Values at which further predictors are held instead of their means.

    Returns
    -------
    ResponseSurface

    Raises
    ------
    OptionError
        ``probe.origin`` and those of ``probe``.
    ModelError
        ``probe.no-main-effect``.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> import semkit as sk
    >>> rng = np.random.default_rng(3)
    >>> x, z, e = rng.normal(size=(3, 400))
    >>> frame = pd.DataFrame({"x": x, "z": z, "y": -0.4 * (x - z) ** 2 + e})
    >>> found = sk.response_surface(sk.sem("y ~ x + z + x:x + x:z + z:z", frame), "x", "z", origin=0)
    >>> bool(found.shape["ci_upper"][3] < 0)
    True
    """
    check_options(result, "sd", level)
    equation = find_equation(result, x, z, outcome, group, at)
    find_equation(result, z, x, equation.outcome, group, at)
    one, two = (variable_of(result, name, equation.product.group) for name in (x, z))
    zero = _origin(one, two, origin)
    of, reference = Estimates.of(result), result.reference
    b = linear(_rows(result, equation, zero), of)
    shape = b.combined(SHAPE, of.vcov)
    point = _features(b, of, zero)
    curvature = np.array([[2 * b.value[2], b.value[3]], [b.value[3], 2 * b.value[4]]])
    return ResponseSurface(
        outcome=equation.outcome, x=x, z=z, group=equation.product.group, origin=zero,
        coefficients=with_heads(b.frame(reference, level), {"term": [x, z, f"{x}:{x}", f"{x}:{z}", f"{z}:{z}"]}),
        shape=with_heads(shape.frame(reference, level), {"parameter": [f"a{i}" for i in range(1, 6)],
                                                         "meaning": list(MEANING)}),
        features=with_heads(point.frame(reference, level), {"parameter": list(FEATURES)}),
        form=_form(curvature), surface=_grid(result, equation, one, two), people=_people(one, two), level=level,
        method="percentile" if result.draws is not None else ("t" if reference.kind == "t" else "normal"),
        nobs=respondents(result, equation.product.group), result_method=result.method,
        notes=tuple(_notes(result, equation, one, two)),
    )  # fmt: skip


def _origin(one: Variable, two: Variable, origin: float | None) -> float:
    if origin is None:
        both_latent = one.kind == "latent" and two.kind == "latent"
        return 0.0 if both_latent else (one.mean + two.mean) / 2.0
    if isinstance(origin, bool) or not isinstance(origin, (int, float)) or not np.isfinite(origin):
        raise OptionError(Problem("probe.origin", "origin", f"{origin!r:.40} given", "a finite number",
                                  "The midpoint of the scale, for example origin=4."))
    return float(origin)


def _rows(result: Result, equation: Equation, zero: float) -> FloatArray:
    """Rows of b1 to b5 at the origin."""
    x, z = equation.focal, equation.moderator
    given = {name: np.array([value]) for name, value in equation.at.items()}
    given |= {x: np.array([zero]), z: np.array([zero])}
    first = [slope_rows(result, equation.terms, name, given, 1) for name in (x, z)]
    second = np.zeros((3, len(result.names)))
    for place, pair in enumerate(((x, x), (x, z), (z, z))):
        for term in equation.terms:
            if sorted(term.factors) == sorted(pair):
                second[place, result.names.index(term.name)] += 1.0
    return np.vstack([*first, second])


def features_of(b: Any, zero: float = 0.0) -> Any:
    r"""Stationary point and principal axes of surfaces; complex arguments are taken, for derivatives.

    ``x0 = (b2 b4 - 2 b1 b5) / (4 b3 b5 - b4^2)``, ``z0 = (b1 b4 - 2 b2 b3) / (4 b3 b5 - b4^2)``,
    ``p11 = (b5 - b3 + sqrt((b3 - b5)^2 + b4^2)) / b4``, ``p21`` with the other root, ``p10 = z0 - p11 x0``.

    Parameters
    ----------
    b : ndarray (..., 5)

    Returns
    -------
    ndarray (..., 6)
        In the order of ``FEATURES``; the stationary point in the predictors' metric.

    References
    ----------
    Edwards & Parry (1993), eqs. 4 to 9.
    """
    b1, b2, b3, b4, b5 = np.moveaxis(b, -1, 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        bottom = 4.0 * b3 * b5 - b4**2
        x0, z0 = (b2 * b4 - 2.0 * b1 * b5) / bottom, (b1 * b4 - 2.0 * b2 * b3) / bottom
        root = np.sqrt((b3 - b5) ** 2 + b4**2)
        p11, p21 = (b5 - b3 + root) / b4, (b5 - b3 - root) / b4
        return np.stack([x0 + zero, z0 + zero, z0 - p11 * x0, p11, z0 - p21 * x0, p21], axis=-1)


def _features(b: Values, of: Estimates, zero: float) -> Values:
    """With errors by the delta method: complex-step derivatives are exact to rounding."""
    step = 1e-30
    turned = b.value[None, :] + 1j * step * np.eye(5)
    gradient = np.imag(features_of(turned, zero)).T / step @ b.gradient
    draws = None if b.draws is None else np.asarray(features_of(b.draws, zero), dtype=float)
    value = np.asarray(features_of(b.value, zero), dtype=float)
    found = Values.of(value, np.where(np.isfinite(gradient), gradient, 0.0), of.vcov, draws)
    known = np.isfinite(value)
    return Values(np.where(known, value, np.nan), found.gradient, np.where(known, found.se, np.nan), draws)


def _form(curvature: FloatArray) -> str:
    low, high = np.linalg.eigvalsh(curvature)
    if low == 0 or high == 0:
        return "none"
    return "saddle" if low < 0 < high else ("minimum" if low > 0 else "maximum")


def _range(variable: Variable) -> FloatArray:
    known = np.isfinite(variable.minimum) and np.isfinite(variable.maximum)
    low, high = (variable.minimum, variable.maximum) if known else (
        variable.mean - 3 * variable.sd, variable.mean + 3 * variable.sd)
    return np.linspace(low, high, POINTS)


def _grid(result: Result, equation: Equation, one: Variable, two: Variable) -> pd.DataFrame:
    x, z = (part.ravel() for part in np.meshgrid(_range(one), _range(two), indexing="ij"))
    rows, constant = prediction_gradient(result, equation, {equation.focal: x, equation.moderator: z}, x.size)
    used = np.any(rows != 0.0, axis=0)
    return pd.DataFrame({"x": x, "z": z, "predicted": rows[:, used] @ result.est[used] + constant})


def _people(one: Variable, two: Variable) -> pd.DataFrame:
    if one.values is None or two.values is None or one.values.shape != two.values.shape:
        return pd.DataFrame({"x": np.empty(0), "z": np.empty(0)})
    return pd.DataFrame({"x": one.values, "z": two.values})


def _notes(result: Result, equation: Equation, one: Variable, two: Variable) -> Iterator[Note]:
    known = {tuple(sorted(term.factors)) for term in equation.terms}
    absent = [f"{name}:{name}" for name in (one.name, two.name) if (name, name) not in known]
    if absent:
        yield Note("probe.surface-terms", "warning", f"the model has no {', '.join(absent)}: counted as zero.",
                   equation.outcome, "The shape is constrained.", "Add the squares to the equation.")
    if one.sd > 0 and two.sd > 0 and max(one.sd / two.sd, two.sd / one.sd) > 2.0:
        yield Note("probe.surface-scales", "warning", "the predictors' standard deviations differ more than twofold "
                   f"({one.sd:.3g} and {two.sd:.3g}).", f"{one.name}, {two.name}",
                   "Congruence means equal values on one scale.", "Bring both to one scale first.")
    if one.kind == "latent":
        yield Note("probe.surface-latent", "info", "latent variables are equal in the metric their markers give them; "
                   "congruence needs comparable markers.", f"{one.name}, {two.name}")
    if not result.admissible:
        yield Note("probe.inadmissible", "warning", "the result has inadmissible estimates; its surface is shown but "
                   "should not be relied on.", result.method, remedy="Read result.notes.")
