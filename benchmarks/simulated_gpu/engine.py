"""The simulated GPU as an engine in this process, on whatever clock the event loop has."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from benchmarks.simulated_gpu.core import Job
from benchmarks.simulated_gpu.faults import Refusals
from benchmarks.simulated_gpu.pacing import PacedGpu
from benchmarks.simulated_gpu.settings import GpuSettings
from benchmarks.simulated_gpu.texts import count_tokens
from longdoc.engines.engine import Completion, CompletionRequest, EngineInfo, FinishReason, TextSink, Usage
from longdoc.errors import RateLimitedError


class SimulatedEngine:
    """Takes as long as the engine would, and answers with nothing; `job` tells what a request costs.

    Made inside a running event loop. It does not tell how many requests it runs at once.
    """

    def __init__(
        self, settings: GpuSettings, *, job: Callable[[CompletionRequest], Job], refusals: Refusals | None = None
    ) -> None:
        self._gpu = PacedGpu(settings)
        self._job = job
        self._refusals = refusals or Refusals()
        self._info = EngineInfo("simulated", "simulated", "simulated", 8192)
        self.refused = 0

    @property
    def info(self) -> EngineInfo:
        """See `Engine`."""
        return self._info

    async def complete(self, request: CompletionRequest, *, on_text: TextSink | None = None) -> Completion:
        """See `Engine`."""
        del on_text
        if self._refusals.apply(self._gpu.under_way):
            self.refused += 1
            raise RateLimitedError("too many requests", retry_after=self._refusals.retry_after)
        done = await self._gpu.result(self._gpu.submit(self._job(request)))
        usage = Usage(done.job.prompt_tokens, done.job.answer_tokens, done.cached_tokens)
        return Completion("", FinishReason.STOP, usage, "simulated", seconds=done.finished - done.submitted)

    async def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """See `Engine`."""
        return [count_tokens(text) for text in texts]

    async def aclose(self) -> None:
        """Nothing to free."""
