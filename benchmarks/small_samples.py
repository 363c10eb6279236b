"""How the tests of a moderated regression and the interval of alpha behave at the sizes of the field.

Run ``python benchmarks/small_samples.py`` (half a minute); it prints the two tables of
``docs/regression.md`` and ``docs/validation.md`` with seed and replications.  The numbers come from the kernels that
``moderated_regression`` and ``reliability`` use.
"""

from __future__ import annotations

import argparse

import numpy as np
from scipy.special import ndtri, stdtrit

from semkit.regression.leastsquares import ErrorKind, coefficient_covariance
from semkit.validation.consistency import alpha, alpha_error, alpha_interval

SEED = 20261120
KINDS: tuple[ErrorKind, ...] = ("classical", "HC0", "HC3", "HC4")
SIZES = (60, 150, 300, 500)


def regression_row(
    n: int, replications: int, *, unequal: bool, skewed: bool, rng: np.random.Generator
) -> dict[str, tuple[float, float]]:
    """Rejection rate of a product that is 0, and coverage of the simple slope at mean + 1 SD, by error kind."""
    count = {kind: np.zeros(2) for kind in KINDS}
    critical = stdtrit(n - 4, 0.975)
    for _ in range(replications):
        x, w = rng.normal(size=(2, n))
        if skewed:
            w = (rng.chisquare(3, n) - 3.0) / np.sqrt(6.0)
        spread = np.sqrt(0.5 + 0.5 * (x * w) ** 2) if unequal else 1.0
        y = 0.3 * x + 0.2 * w + spread * rng.normal(size=n)
        x, centred = x - x.mean(), w - w.mean()
        design = np.column_stack([np.ones(n), x, centred, x * centred])
        coef = np.linalg.lstsq(design, y, rcond=None)[0]
        residual = y - design @ coef
        at = np.array([0.0, 1.0, 0.0, w.std(ddof=1)])
        for kind in KINDS:
            vcov = coefficient_covariance(design, residual, kind)
            rejected = abs(coef[3]) > critical * np.sqrt(vcov[3, 3])
            covered = abs(at @ coef - 0.3) <= critical * np.sqrt(at @ vcov @ at)
            count[kind] += (rejected, covered)
    return {kind: (float(both[0] / replications), float(both[1] / replications)) for kind, both in count.items()}


def likert(trait: np.ndarray, loading: np.ndarray, shares: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Answers on 1 ... 5 from a normal trait, with the given shares of the codes."""
    cuts = ndtri(np.cumsum(shares)[:-1])
    latent = loading * trait[:, None] + np.sqrt(1.0 - loading**2) * rng.normal(size=(trait.size, loading.size))
    return np.asarray(1.0 + np.searchsorted(cuts, latent), dtype=float)


def alpha_row(n: int, replications: int, loading: np.ndarray, shares: np.ndarray, rng: np.random.Generator) -> str:
    """Coverage of 95 % intervals of alpha: Feldt's, and the distribution-free one."""
    big = likert(rng.normal(size=400_000), loading, shares, rng)
    true = float(alpha(np.cov(big, rowvar=False)))
    inside = np.zeros(2)
    for _ in range(replications):
        answers = likert(rng.normal(size=n), loading, shares, rng)
        value = alpha(np.cov(answers, rowvar=False))
        lower, upper = alpha_interval(value, n, loading.size)
        inside += (lower <= true <= upper, abs(value - true) <= ndtri(0.975) * alpha_error(answers))
    return " / ".join(f"{share:.3f}" for share in inside / replications)


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--replications", type=int, default=2000)
    count = parser.parse_args().replications
    error = 1.96 * np.sqrt(0.05 * 0.95 / count)
    print(f"Seed {SEED}, {count} replications, Monte Carlo error of .05: {error:.3f}\n")
    rng = np.random.default_rng(SEED)
    print("| errors of the model | moderator | n | " + " | ".join(KINDS) + " |\n|---|---|---|" + "---|" * len(KINDS))
    for unequal in (False, True):
        for skewed in (False, True):
            for n in SIZES:
                row = regression_row(n, count, unequal=unequal, skewed=skewed, rng=rng)
                cells = " | ".join(f"{row[kind][0]:.3f} / {row[kind][1]:.3f}" for kind in KINDS)
                words = f"{'unequal' if unequal else 'equal'} | {'skewed' if skewed else 'normal'}"
                print(f"| {words} | {n} | {cells} |")
    print("\n| items | answers | " + " | ".join(f"n = {n}" for n in SIZES) + " |\n|---|---|" + "---|" * len(SIZES))
    even, ceiling = np.array([0.1, 0.2, 0.4, 0.2, 0.1]), np.array([0.02, 0.05, 0.13, 0.3, 0.5])
    for words, loading in (
        ("equal loadings .70", np.full(4, 0.7)),
        (".50 .60 .80 .90", np.array([0.5, 0.6, 0.8, 0.9])),
    ):
        for shape, shares in (("even", even), ("half at the top", ceiling)):
            cells = " | ".join(f"{alpha_row(n, count, loading, shares, rng)}" for n in SIZES)
            print(f"| {words} | {shape} | {cells} |")


if __name__ == "__main__":
    main()
