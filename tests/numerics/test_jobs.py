"""The job runner: the same bits for any workers, backend, chunk and interruption."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from semkit.errors import OptionError
from semkit.numerics.jobs import Chunk, FolderCheckpoint, Job, resample_counts, run_job


def draws(chunk: Chunk) -> dict[str, np.ndarray]:
    a = np.stack([generator.normal(size=(4, 4)) for generator in chunk.generators()])
    return {"value": np.linalg.inv(a @ a.transpose(0, 2, 1) + np.eye(4)), "index": np.arange(chunk.start, chunk.stop)}


def same(a: dict[str, np.ndarray], b: dict[str, np.ndarray]) -> bool:
    return a.keys() == b.keys() and all(a[k].tobytes() == b[k].tobytes() for k in a)


def test_any_number_of_workers_and_any_backend_gives_the_same_bits() -> None:
    job = Job(replicates=57, seed=3, chunk=10)
    serial = run_job(draws, job)
    assert same(serial, run_job(draws, job, workers=3, backend="thread"))
    assert same(serial, run_job(draws, job, workers=2, backend="process"))
    assert np.array_equal(serial["index"], np.arange(57))


def test_a_replicate_keeps_its_stream_when_the_chunk_changes() -> None:
    a = run_job(draws, Job(replicates=30, seed=3, chunk=7))["value"]
    b = run_job(draws, Job(replicates=30, seed=3, chunk=30))["value"]
    np.testing.assert_allclose(a, b, rtol=1e-9)
    assert not np.allclose(a, run_job(draws, Job(replicates=30, seed=4, chunk=7))["value"])


def test_checkpoint_goes_on_where_it_stopped_and_survives_a_damaged_file(tmp_path: Path) -> None:
    job = Job(replicates=40, seed=5, chunk=10)
    checkpoint = FolderCheckpoint(tmp_path, key="a")
    calls: list[int] = []

    def counting(chunk: Chunk) -> dict[str, np.ndarray]:
        calls.append(chunk.index)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return draws(chunk)

    with pytest.raises(KeyboardInterrupt):
        run_job(counting, job, checkpoint=checkpoint)
    first = sorted(tmp_path.glob("chunk-*.npz"))
    assert len(first) == 2
    first[0].write_bytes(b"damaged")
    seen: list[tuple[int, int]] = []
    result = run_job(draws, job, checkpoint=checkpoint, progress=lambda done, total: seen.append((done, total)))
    assert same(result, run_job(draws, job))
    assert seen == [(20, 40), (30, 40), (40, 40)]
    assert FolderCheckpoint(tmp_path, key="b").load(next(job.chunks())) is None


def test_resample_counts_are_multinomial() -> None:
    chunk = next(Job(replicates=400, seed=1, chunk=400).chunks())
    counts = resample_counts(chunk, 25)
    assert np.all(counts.sum(axis=1) == 25)
    # mean 1 and variance 1 - 1/n; Monte Carlo error of the variance is about sqrt(3 / 10000)
    assert abs(counts.var() - (1 - 1 / 25)) < 4 * np.sqrt(3 / counts.size)


@pytest.mark.parametrize("options", [{"replicates": 0}, {"seed": -1}, {"chunk": 0}, {"replicates": 2.5}])
def test_impossible_jobs_are_refused(options: dict[str, float]) -> None:
    with pytest.raises(OptionError) as caught:
        Job(**{"replicates": 10, "seed": 1, **options})  # type: ignore[arg-type]
    assert caught.value.code == "jobs.size"
    with pytest.raises(OptionError):
        run_job(draws, Job(10, 1), workers=0)
