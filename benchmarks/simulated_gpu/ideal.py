"""What the best client could do: every job submitted the moment that what it depends on is done."""

from __future__ import annotations

import heapq
from collections.abc import Sequence

from benchmarks.simulated_gpu.core import Finished, Job, SimulatedGpu
from benchmarks.simulated_gpu.settings import GpuSettings


def ideal_schedule(
    settings: GpuSettings, jobs: Sequence[Job], dependencies: Sequence[Sequence[int]] | None = None
) -> list[Finished]:
    """Each job as it went on an otherwise idle engine, from time 0; `dependencies[i]` are indices before i.

    Jobs that can start at the same time start in their order, as the engine serves who comes first.
    """
    return _Schedule(settings, jobs, dependencies or [()] * len(jobs)).run()


def seconds_of(schedule: Sequence[Finished]) -> float:
    """When the last job was done."""
    return max((job.finished for job in schedule), default=0.0)


class _Schedule:
    def __init__(self, settings: GpuSettings, jobs: Sequence[Job], dependencies: Sequence[Sequence[int]]) -> None:
        self._gpu = SimulatedGpu(settings)
        self._jobs = jobs
        self._missing = [len(set(needed)) for needed in dependencies]
        self._dependents: list[list[int]] = [[] for _ in jobs]
        for index, needed in enumerate(dependencies):
            for dependency in set(needed):
                self._dependents[dependency].append(index)
        self._ready = [index for index, missing in enumerate(self._missing) if missing == 0]
        self._indices: dict[int, int] = {}

    def run(self) -> list[Finished]:
        done: dict[int, Finished] = {}
        self._submit(0.0)
        while (event := self._gpu.next_event()) is not None:
            for finished in self._gpu.advance(event):
                index = self._indices[finished.number]
                done[index] = finished
                self._release(index)
            self._submit(event)
        return [done[index] for index in range(len(self._jobs))]

    def _release(self, index: int) -> None:
        for dependent in self._dependents[index]:
            self._missing[dependent] -= 1
            if self._missing[dependent] == 0:
                heapq.heappush(self._ready, dependent)

    def _submit(self, now: float) -> None:
        while self._ready:
            index = heapq.heappop(self._ready)
            self._indices[self._gpu.submit(self._jobs[index], at=now)] = index
