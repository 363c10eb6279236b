"""Composites: equal-weight means of parts, with the error variance that their items imply."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from semkit.errors import OptionError, Problem, checked

FloatArray = NDArray[np.float64]


@checked
@dataclass(frozen=True, eq=False)
class Composite:
    """An equal-weight mean of parts that enters a model as a latent with one indicator.

    The indicator has loading 1 and residual variance ``(1 - rho) s^2`` with stratified alpha
    ``rho``, both from the fitted sample and again in every bootstrap draw.

    Parameters
    ----------
    parts : tuple of str
        Columns of the parts (dimension means).
    items : mapping of str to tuple of str
        The items each part is the mean of; its alpha comes from these columns.
    weights : {"equal"}
    reliability : {"stratified_alpha"} or float
        A float between 0 and 1 takes the reliability as known.

    Examples
    --------
    >>> Composite(("m_a", "m_b"), {"m_a": ("a1", "a2"), "m_b": ("b1", "b2")}).columns
    ('m_a', 'm_b', 'a1', 'a2', 'b1', 'b2')
    """

    parts: tuple[str, ...]
    items: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    weights: str = "equal"
    reliability: str | float = "stratified_alpha"

    def __post_init__(self) -> None:
        object.__setattr__(self, "parts", tuple(self.parts))
        object.__setattr__(self, "items", {part: tuple(items) for part, items in self.items.items()})
        problems = []
        if not self.parts:
            problems.append(Problem("sample.composite-empty", "Composite", "no parts", "one or more", "Name them."))
        if self.weights != "equal":
            problems.append(Problem("sample.composite-weights", "Composite.weights", repr(self.weights), "equal",
                                    "Form other means as a column of the data first."))
        if isinstance(self.reliability, str):
            if self.reliability != "stratified_alpha":
                problems.append(Problem("sample.composite-reliability", "Composite.reliability", repr(self.reliability),
                                        "stratified_alpha or a number between 0 and 1", "Choose one."))
            for part in self.parts:
                if len(self.items.get(part, ())) < 2:
                    problems.append(Problem("sample.composite-items", f'part "{part}"',
                                            f"{len(self.items.get(part, ()))} items; alpha needs two or more",
                                            "items={part: (item, item, ...)}", "Name the items of the part."))
        elif not 0.0 < float(self.reliability) <= 1.0:
            problems.append(Problem("sample.composite-reliability", "Composite.reliability", repr(self.reliability),
                                    "stratified_alpha or a number between 0 and 1", "Choose one."))
        if problems:
            raise OptionError(*problems)

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column it needs: parts, then items."""
        items = tuple(item for part in self.parts for item in self.items.get(part, ()))
        return self.parts + tuple(dict.fromkeys(items)) if isinstance(self.reliability, str) else self.parts


def alpha(cov: FloatArray) -> FloatArray:
    """Cronbach's alpha from item covariance matrices.

    ``k / (k - 1) * (1 - tr(C) / 1'C1)``.

    Parameters
    ----------
    cov : ndarray (..., k, k)

    Returns
    -------
    ndarray (...)

    References
    ----------
    Cronbach (1951), Psychometrika 16, eq. 2.
    """
    k = cov.shape[-1]
    trace = np.trace(cov, axis1=-2, axis2=-1)
    return np.asarray(k / (k - 1.0) * (1.0 - trace / cov.sum(axis=(-2, -1))))


def stratified_error_variance(part_variances: FloatArray, alphas: FloatArray) -> FloatArray:
    """Error variance of an equal-weight mean of parts.

    ``sum_j w_j^2 s_j^2 (1 - alpha_j)`` with ``w_j = 1/J``, which is ``(1 - rho) s^2`` for
    stratified alpha ``rho = 1 - sum_j w_j^2 s_j^2 (1 - alpha_j) / s^2``.

    Parameters
    ----------
    part_variances, alphas : ndarray (..., J)

    Returns
    -------
    ndarray (...)

    References
    ----------
    Cronbach, Schoenemann & McKie (1965), Educational and Psychological Measurement 25, 291-312.
    """
    count = part_variances.shape[-1]
    return np.asarray((part_variances * (1.0 - alphas)).sum(axis=-1) / count**2)
