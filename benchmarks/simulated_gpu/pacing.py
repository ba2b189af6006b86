"""A simulated GPU in real time: its clock is that of the event loop, so that lateness never adds up."""

from __future__ import annotations

import asyncio

from benchmarks.simulated_gpu.core import Finished, Job, SimulatedGpu
from benchmarks.simulated_gpu.settings import GpuSettings


class PacedGpu:
    """Runs jobs on the loop's clock; `time_scale` engine seconds pass in one second of the loop.

    The state is worked out from the time whenever something happens: an answer may be told late, but what the engine
    does next does not depend on that.
    """

    def __init__(self, settings: GpuSettings, *, time_scale: float = 1.0) -> None:
        self._gpu = SimulatedGpu(settings)
        self._time_scale = time_scale
        self._loop = asyncio.get_running_loop()
        self._started = self._loop.time()
        self._told: dict[int, asyncio.Future[Finished]] = {}
        self._timer: asyncio.TimerHandle | None = None

    @property
    def now(self) -> float:
        """Engine seconds since the start."""
        return (self._loop.time() - self._started) * self._time_scale

    @property
    def gpu(self) -> SimulatedGpu:
        """The engine, to be looked at only."""
        return self._gpu

    @property
    def under_way(self) -> int:
        """Jobs that run or wait."""
        return len(self._told)

    def submit(self, job: Job) -> int:
        """Queue a job; returns its number, to be waited for with `result`."""
        number = self._gpu.submit(job, at=self.now)
        self._told[number] = self._loop.create_future()
        self._wake_at_next()
        return number

    async def result(self, number: int) -> Finished:
        """Wait until a job is done. The job leaves the engine when the caller is cancelled."""
        try:
            return await self._told[number]
        finally:
            self.forget(number)

    def forget(self, number: int) -> None:
        """Nobody waits for a job any more: it leaves the engine where it is not done. Idempotent."""
        told = self._told.pop(number, None)
        if told is not None and (told.cancelled() or not told.done()):
            told.cancel()
            self._gpu.cancel(number, at=self.now)
            self._wake_at_next()

    def written(self, number: int) -> int:
        """Tokens of a job's answer that are there by now."""
        self._tell()
        return self._gpu.written(number)

    def _wake(self) -> None:
        self._timer = None
        self._tell()
        self._wake_at_next()

    def _tell(self) -> None:
        for finished in self._gpu.advance(self.now):
            told = self._told.get(finished.number)
            if told is not None and not told.done():
                told.set_result(finished)

    def _wake_at_next(self) -> None:
        event = self._gpu.next_event()
        if event is None:
            return
        at = self._started + event / self._time_scale
        if self._timer is not None:
            if self._timer.when() <= at:
                return
            self._timer.cancel()
        self._timer = self._loop.call_at(at, self._wake)
