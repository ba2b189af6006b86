"""FAISS as this package uses it: loaded with threads that spin shortly while they wait, and a GPU where there is one.

OpenMP counts threads for each calling thread; with threads that spin for long, two busy libraries in one process (or
two processes) slow each other down many times.
"""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import contextmanager

from longdoc.errors import ConfigError
from longdoc.openmp import set_waiting

set_waiting()
try:
    import faiss
except ImportError as error:
    raise ConfigError(
        f"searching by meaning needs FAISS ({error}); install it with: pip install 'longdoc[local]'"
    ) from error

__all__ = ["all_cores", "faiss", "gpu_copy", "one_core"]


@contextmanager
def one_core() -> Generator[None, None, None]:
    """Let FAISS use the calling thread only: what takes a millisecond is not worth waking others."""
    with _threads(1):
        yield


@contextmanager
def all_cores() -> Generator[None, None, None]:
    """Let FAISS use every core this process may run on."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    with _threads(cores or 1):
        yield


@contextmanager
def _threads(count: int) -> Generator[None, None, None]:
    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(count)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(before)


def gpu_copy(index: faiss.Index) -> faiss.Index | None:
    """A copy on the first GPU, None where this FAISS or this machine has none."""
    if faiss.get_num_gpus() == 0:
        return None
    return faiss.index_cpu_to_gpu(faiss.StandardGpuResources(), 0, index)
