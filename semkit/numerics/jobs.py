"""The job runner that every repeated computation uses.

A job is a number of replicates cut into chunks.  The cut depends on the job alone, each
replicate has a seed of its own, and each chunk runs with one BLAS thread; so the answer is
the same to the bit for any number of workers and any backend.
"""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from semkit.errors import OptionError, Problem
from semkit.numerics.streams import drawn_rows, streams

Arrays = Mapping[str, NDArray[Any]]
Backend = Literal["serial", "thread", "process"]
Progress = Callable[[int, int], None]
# Random words that are turned into rows at once.
_WORDS = 100_000
# Bytes: larger than the arrays of most chunks, and in the range (up to 32 MB) in which the threshold follows.
_KEPT = 4 * 2**20


@dataclass(frozen=True, slots=True)
class Job:
    """What is repeated, how often, and from which seed.

    Parameters
    ----------
    replicates : int
        At least 1.
    seed : int
        Non-negative; recorded in the result's provenance.
    chunk : int, default 100
        Replicates computed in one call.  Part of the job: never chosen by the workers.
    """

    replicates: int
    seed: int
    chunk: int = 100

    def __post_init__(self) -> None:
        problems = [
            Problem("jobs.size", name, f"{value!r} given", allowed, "Give a whole number.")
            for name, value, least, allowed in (
                ("replicates", self.replicates, 1, "1 or more"),
                ("seed", self.seed, 0, "0 or more"),
                ("chunk", self.chunk, 1, "1 or more"),
            )
            if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least
        ]
        if problems:
            raise OptionError(*problems)

    def chunks(self) -> Iterator[Chunk]:
        """Yield the chunks in order."""
        for index, start in enumerate(range(0, self.replicates, self.chunk)):
            yield Chunk(index, start, min(start + self.chunk, self.replicates), self.seed)


@dataclass(frozen=True, slots=True)
class Chunk:
    """Replicates ``start`` to ``stop - 1`` of a job."""

    index: int
    start: int
    stop: int
    seed: int

    def __len__(self) -> int:
        return self.stop - self.start

    def generators(self) -> Iterator[np.random.Generator]:
        """One generator per replicate; replicate ``i`` has the same stream in any chunking."""
        return streams(self.seed, np.arange(self.start, self.stop))


def resample_counts(chunk: Chunk, n: int) -> NDArray[np.float64]:
    """How often each of ``n`` rows is drawn, with replacement, in each replicate of a chunk.

    Parameters
    ----------
    chunk : Chunk
    n : int
        Rows of the sample.

    Returns
    -------
    ndarray (len(chunk), n)
        Each row sums to ``n``: multinomial(n, 1/n) counts (Efron 1979).
    """
    return group_counts(chunk, (n,))[0]


def group_counts(chunk: Chunk, sizes: Sequence[int]) -> list[NDArray[np.float64]]:
    """:func:`resample_counts` within groups, from one stream a replicate: a list of ``(len(chunk), n_g)``."""
    out = [np.empty((len(chunk), n)) for n in sizes]
    width = max(1, _WORDS // sum(sizes))
    for start in range(chunk.start, chunk.stop, width):
        drawn = drawn_rows(chunk.seed, np.arange(start, min(start + width, chunk.stop)), sizes)
        for rows, counts in zip(drawn, out, strict=True):
            for k, row in enumerate(rows, start=start - chunk.start):
                counts[k] = np.bincount(row, minlength=counts.shape[1])
    return out


class Task(Protocol):
    """Computes one chunk: arrays whose first axis is the chunk's replicates."""

    def __call__(self, chunk: Chunk, /) -> Arrays: ...


class Checkpoint(Protocol):
    """Keeps finished chunks, so that a broken-off job can go on."""

    def load(self, chunk: Chunk) -> Arrays | None: ...

    def save(self, chunk: Chunk, arrays: Arrays) -> None: ...


@dataclass(frozen=True, slots=True)
class FolderCheckpoint:
    """Finished chunks as ``.npz`` files (no pickle) in a folder, under a key of the job.

    Parameters
    ----------
    folder : Path
    key : str
        Describes what is computed (model, data hash, options).  Another key never reads these chunks.
    """

    folder: Path
    key: str

    def _path(self, chunk: Chunk) -> Path:
        text = json.dumps([self.key, chunk.seed, chunk.start, chunk.stop])
        return self.folder / f"chunk-{hashlib.sha256(text.encode()).hexdigest()[:24]}.npz"

    def load(self, chunk: Chunk) -> Arrays | None:
        """Return the arrays of a finished chunk, or None; a damaged file counts as not finished."""
        path = self._path(chunk)
        if not path.exists():
            return None
        try:
            with np.load(path, allow_pickle=False) as stored:
                arrays = {name: stored[name] for name in stored.files}
        except (OSError, ValueError, EOFError, KeyError):
            return None
        return arrays if all(array.shape[:1] == (len(chunk),) for array in arrays.values()) else None

    def save(self, chunk: Chunk, arrays: Arrays) -> None:
        """Write a finished chunk; the file appears whole or not at all."""
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self._path(chunk)
        part = path.with_suffix(f".part{os.getpid()}.npz")
        np.savez(part, **{name: np.asarray(array) for name, array in arrays.items()})  # type: ignore[arg-type]
        part.replace(path)


def _one_thread(task: Task, chunk: Chunk) -> Arrays:
    from threadpoolctl import threadpool_limits

    with threadpool_limits(limits=1):
        return task(chunk)


def _keep_freed_memory() -> None:
    """Let the C library keep what a chunk frees for the next one.

    glibc gives freed memory back above twice the largest block that was ever freed (mallopt(3), dynamic threshold):
    with small blocks every array of a chunk is then taken from the system anew, a quarter of a bootstrap's time.
    Nothing is written here, so nothing is used; other libraries keep what they like.
    """
    np.empty(_KEPT, dtype=np.uint8)


def run_job(
    task: Task,
    job: Job,
    *,
    workers: int = 1,
    backend: Backend = "serial",
    progress: Progress | None = None,
    checkpoint: Checkpoint | None = None,
) -> dict[str, NDArray[Any]]:
    """Run all chunks of a job and join their arrays along the first axis, in chunk order.

    Parameters
    ----------
    task : callable
        ``task(chunk) -> mapping of arrays`` with ``len(chunk)`` rows each; importable at module
        level for ``backend="process"``.
    job : Job
    workers : int, default 1
    backend : {"serial", "thread", "process"}
    progress : callable, optional
        Called with (replicates done, replicates in all) after each chunk.
    checkpoint : Checkpoint, optional

    Returns
    -------
    dict of ndarray
        Arrays with ``job.replicates`` rows.

    Examples
    --------
    >>> import numpy as np
    >>> def means(chunk):
    ...     return {"mean": np.array([g.normal(size=50).mean() for g in chunk.generators()])}
    >>> run_job(means, Job(replicates=250, seed=1))["mean"].shape
    (250,)
    """
    if workers < 1 or backend not in ("serial", "thread", "process"):
        raise OptionError(
            Problem("jobs.workers", "workers, backend", f"{workers!r}, {backend!r} given",
                    "1 or more; serial, thread or process", "Leave both out for one worker.")
        )
    chunks = list(job.chunks())
    results: dict[int, Arrays] = {}
    todo: list[Chunk] = []
    for chunk in chunks:
        stored = checkpoint.load(chunk) if checkpoint else None
        if stored is None:
            todo.append(chunk)
        else:
            results[chunk.index] = stored
    done = sum(len(chunk) for chunk in chunks if chunk.index in results)

    def finish(chunk: Chunk, arrays: Arrays) -> None:
        nonlocal done
        results[chunk.index] = arrays
        if checkpoint:
            checkpoint.save(chunk, arrays)
        done += len(chunk)
        if progress:
            progress(done, job.replicates)

    _keep_freed_memory()
    if backend == "serial" or workers == 1:
        from threadpoolctl import threadpool_limits

        with threadpool_limits(limits=1):
            for chunk in todo:
                finish(chunk, task(chunk))
    elif backend == "thread":
        from threadpoolctl import threadpool_limits

        # the limit is the process's: set once around all threads, or one would lift it for another
        with threadpool_limits(limits=1), ThreadPoolExecutor(workers) as executor:
            for chunk, done_arrays in zip(todo, executor.map(task, todo), strict=True):
                finish(chunk, done_arrays)
    else:
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(workers, mp_context=context) as pool:
            futures: dict[Future[Arrays], Chunk] = {pool.submit(_one_thread, task, chunk): chunk for chunk in todo}
            for future in as_completed(futures):
                finish(futures[future], future.result())
    return {
        name: np.concatenate([np.asarray(results[chunk.index][name]) for chunk in chunks])
        for name in results[chunks[0].index]
    }
