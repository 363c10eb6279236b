"""Seeds of a whole chunk: the words and the numbers of numpy's own seeds, one by one."""

from __future__ import annotations

import numpy as np
import pytest

from semkit.numerics.jobs import Chunk
from semkit.numerics.streams import StreamSeed, drawn_rows, stream_words


@pytest.mark.parametrize("seed", [0, 7, 2**31, 2**32 - 1, 2**32, 2**64 + 5, 2**127 + 3, 2**128, 2**200 + 12345])
def test_the_words_are_those_of_a_seed_sequence(seed: int) -> None:
    replicates = np.array([0, 1, 999, 2**31])
    own = [np.random.SeedSequence(seed, spawn_key=(i,)).generate_state(4, np.uint64) for i in replicates.tolist()]
    np.testing.assert_array_equal(stream_words(seed, replicates), own)


def test_the_streams_of_a_chunk_are_numpys() -> None:
    for k, generator in enumerate(Chunk(1, 20, 23, 5).generators(), start=20):
        plain = np.random.Generator(np.random.PCG64(np.random.SeedSequence(5, spawn_key=(k,))))
        np.testing.assert_array_equal(generator.normal(size=9), plain.normal(size=9))


def test_other_words_are_refused() -> None:
    with pytest.raises(ValueError, match="four of 64 bits"):
        StreamSeed(np.zeros(4, dtype=np.uint64)).generate_state(8)


@pytest.mark.parametrize("sizes", [[400], [301], [145, 156], [3, 2, 4], [1], [5, 1], [60_000]])
def test_rows_are_those_a_generator_draws(sizes: list[int]) -> None:
    """Among 60,000 rows one word in 160,000 is drawn again: about every third replicate has one."""
    replicates = np.arange(3, 15)
    found = drawn_rows(8, replicates, sizes)
    for k, i in enumerate(replicates.tolist()):
        plain = np.random.Generator(np.random.PCG64(np.random.SeedSequence(8, spawn_key=(i,))))
        for n, rows in zip(sizes, found, strict=True):
            np.testing.assert_array_equal(rows[k], plain.integers(0, n, n))
