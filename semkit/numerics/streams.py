"""Random streams of many replicates: the seeds of numpy's ``SeedSequence`` for a whole chunk at once.

Replicate ``i`` of a job has the stream ``PCG64(SeedSequence(seed, spawn_key=(i,)))``.  Hashing one seed after the other
costs more than drawing a few hundred numbers; here the replicates are an axis of the hash.

References
----------
O'Neill (2015), Developing a seed_seq alternative; NumPy documentation, ``numpy.random.SeedSequence`` (algorithm and
constants are fixed: streams do not change between versions).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.random.bit_generator import ISeedSequence
from numpy.typing import NDArray

WordArray = NDArray[np.uint32]

_POOL = 4
_FIRST, _FIRST_TIMES = 0x43B0D7E5, 0x931E8875
_LAST, _LAST_TIMES = 0x8B51F9DD, 0x58F38DED
_LEFT, _RIGHT = np.uint32(0xCA01F9DD), np.uint32(0x4973F715)
_SHIFT = np.uint32(16)


class _Hash:
    """Scrambles words ``(b,)``; every call with another constant."""

    def __init__(self, constant: int, times: int) -> None:
        self.constant, self.times = constant, times

    def __call__(self, words: WordArray) -> WordArray:
        mixed = words ^ np.uint32(self.constant)
        self.constant = self.constant * self.times & 0xFFFFFFFF
        mixed = mixed * np.uint32(self.constant)
        return np.asarray(mixed ^ (mixed >> _SHIFT))


def _mix(one: WordArray, two: WordArray) -> WordArray:
    mixed = _LEFT * one - _RIGHT * two
    return np.asarray(mixed ^ (mixed >> _SHIFT))


def stream_words(seed: int, replicates: NDArray[np.int64]) -> NDArray[np.uint64]:
    """``SeedSequence(seed, spawn_key=(i,)).generate_state(4, uint64)`` of every replicate ``i``.

    Parameters
    ----------
    seed : int
        Non-negative.
    replicates : ndarray (b,)
        Below ``2**32``.

    Returns
    -------
    ndarray (b, 4)

    Examples
    --------
    >>> import numpy as np
    >>> whole = stream_words(7, np.arange(3))
    >>> bool(np.all(whole[2] == np.random.SeedSequence(7, spawn_key=(2,)).generate_state(4, np.uint64)))
    True
    """
    entropy = [np.array([seed >> shift & 0xFFFFFFFF], dtype=np.uint32)
               for shift in range(0, max(seed.bit_length(), 32 * _POOL), 32)]
    entropy.append(replicates.astype(np.uint32))
    scramble = _Hash(_FIRST, _FIRST_TIMES)
    pool = [scramble(words) for words in entropy[:_POOL]]
    for source in range(_POOL):
        for target in range(_POOL):
            if source != target:
                pool[target] = _mix(pool[target], scramble(pool[source]))
    for words in entropy[_POOL:]:
        pool = [_mix(target, scramble(words)) for target in pool]
    scramble = _Hash(_LAST, _LAST_TIMES)
    out = [scramble(pool[k % _POOL]).astype(np.uint64) for k in range(2 * _POOL)]
    return np.stack([out[k] | out[k + 1] << np.uint64(32) for k in range(0, 2 * _POOL, 2)], axis=1)


class StreamSeed(ISeedSequence):
    """The seed of one replicate's stream, hashed already."""

    def __init__(self, words: NDArray[np.uint64]) -> None:
        self.words = words

    def generate_state(self, n_words: int, dtype: Any = np.uint32) -> NDArray[Any]:
        """The four words of 64 bits that ``PCG64`` asks for."""
        if n_words != _POOL or np.dtype(dtype) != np.uint64:
            raise ValueError("the words of a PCG64 stream are four of 64 bits")
        return self.words


def _stream(words: NDArray[np.uint64]) -> np.random.PCG64:
    # numpy documents any ISeedSequence; its stubs know SeedSequence only
    return np.random.PCG64(StreamSeed(words))  # type: ignore[arg-type]


def streams(seed: int, replicates: NDArray[np.int64]) -> Iterator[np.random.Generator]:
    """Yield the generator of each replicate."""
    for words in stream_words(seed, replicates):
        yield np.random.Generator(_stream(words))


def drawn_rows(seed: int, replicates: NDArray[np.int64], sizes: Sequence[int]) -> list[NDArray[np.int64]]:
    """``n`` rows of ``n``, drawn with replacement, of every group and replicate: ``generator.integers(0, n, n)``.

    The words of 32 bits of all replicates are turned into rows at once, ``floor(word * n / 2^32)``; a replicate with a
    word that would favour some rows (one in ``2^32 / n``) is left to the generator, which draws such words again.

    Parameters
    ----------
    sizes : sequence of int
        Respondents of each group, drawn one group after the other from the replicate's stream.

    Returns
    -------
    list of ndarray (b, n)
        One a group.

    References
    ----------
    Lemire (2019), ACM Transactions on Modeling and Computer Simulation 29, article 3.
    """
    seeds = stream_words(seed, replicates)
    raw = np.empty((len(seeds), (sum(sizes) + 1) // 2), dtype="<u8")
    for words, target in zip(seeds, raw, strict=True):
        target[:] = _stream(words).random_raw(len(target))
    halves, begin, out = raw.view("<u4"), 0, []
    again = np.full(len(seeds), min(sizes) < 2)
    for n in sizes:
        product = halves[:, begin : begin + n] * np.uint64(n)
        again |= (product.astype(np.uint32) < np.uint32((2**32 - n) % n)).any(axis=1)
        out.append((product >> np.uint64(32)).astype(np.int64))
        begin += n
    for k in np.flatnonzero(again):
        generator = np.random.Generator(_stream(seeds[k]))
        for n, rows in zip(sizes, out, strict=True):
            rows[k] = generator.integers(0, n, n)
    return out
