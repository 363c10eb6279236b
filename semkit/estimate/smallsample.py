"""Small-sample corrections of the likelihood-ratio statistic: factors by which ``n F``, ``n = N - 1``, is multiplied.

``p`` is the number of variables, ``k`` of factors, ``df`` of degrees of freedom.
"""

from __future__ import annotations

import math


def bartlett(p: int, k: int, n: float) -> float:
    """``1 - (2p + 4k + 5) / (6n)``.

    References
    ----------
    Bartlett (1950), British Journal of Psychology (Statistical Section) 3, 77-85; Fouladi (2000), Structural Equation
    Modeling 7, 356-410; Nevitt & Hancock (2004), Multivariate Behavioral Research 39, 439-478 (scaled statistics).

    Examples
    --------
    >>> round(bartlett(9, 3, 49), 6)
    0.880952
    """
    return 1.0 - (2.0 * p + 4.0 * k + 5.0) / (6.0 * n)


def swain(p: int, df: int, n: float) -> float:
    """``1 - [p (2p^2 + 3p - 1) - q (2q^2 + 3q - 1)] / (12 df n)``, ``q = [sqrt(1 + 4p(p + 1) - 8 df) - 1] / 2``.

    ``q (q + 1) / 2`` is the number of parameters; NaN with more degrees of freedom than moments.

    References
    ----------
    Swain (1975), doctoral thesis, University of Adelaide; Herzog & Boomsma (2009), Structural Equation Modeling 16,
    1-27, eqs. 5-6.

    Examples
    --------
    >>> round(swain(22, 208, 49), 6)
    0.828019
    """
    inside = 1.0 + 4.0 * p * (p + 1.0) - 8.0 * df
    if inside < 0.0 or df == 0:
        return float("nan")
    q = 0.5 * (math.sqrt(inside) - 1.0)
    return 1.0 - (p * (2.0 * p**2 + 3.0 * p - 1.0) - q * (2.0 * q**2 + 3.0 * q - 1.0)) / (12.0 * df * n)


def yuan(p: int, k: int, n: float) -> float:
    """``1 - (2p + 2k + 7) / (6n)``.

    References
    ----------
    Yuan (2005), Multivariate Behavioral Research 40, 115-148; Herzog & Boomsma (2009), p. 5.

    Examples
    --------
    >>> round(yuan(9, 3, 49), 6)
    0.894558
    """
    return 1.0 - (2.0 * p + 2.0 * k + 7.0) / (6.0 * n)


def yuan_tian_yanagihara(p: int, q: int, n: float) -> float:
    """``[N - (2.381 + .361 p + .006 q)] / n`` with ``q`` parameters of the covariance structure.

    References
    ----------
    Yuan, Tian & Yanagihara (2015), Psychometrika 80, 379-405.

    Examples
    --------
    >>> round(yuan_tian_yanagihara(20, 43, 99), 6)
    0.910515
    """
    return (n + 1.0 - (2.381 + 0.361 * p + 0.006 * q)) / n
