"""Engines that behave like servers under load, on whatever clock the event loop has."""

import asyncio
import random
from collections.abc import Sequence

from longdoc.engines.engine import Completion, CompletionRequest, EngineInfo, FinishReason, Message, TextSink, Usage
from longdoc.errors import RateLimitedError

REQUEST = CompletionRequest(messages=(Message("user", "hello"),), max_tokens=200)


class SimulatedServer:
    """Runs `sequences` requests at once and queues the rest, or refuses them beyond `refuse_above`."""

    def __init__(self, sequences: int, *, refuse_above: int | None = None, seed: int = 1) -> None:
        self.info = EngineInfo("simulated", "simulated", "simulated", 8192)
        self._places = asyncio.Semaphore(sequences)
        self._refuse_above = refuse_above
        self._random = random.Random(seed)
        self._under_way = 0
        self.most_under_way = 0
        self.refusals = 0

    async def complete(self, request: CompletionRequest, *, on_text: TextSink | None = None) -> Completion:
        if self._refuse_above is not None and self._under_way >= self._refuse_above:
            self.refusals += 1
            raise RateLimitedError("too many requests")
        self._under_way += 1
        self.most_under_way = max(self.most_under_way, self._under_way)
        try:
            tokens = self._random.randint(50, 150)
            async with self._places:
                await asyncio.sleep(tokens / 50)
        finally:
            self._under_way -= 1
        return Completion("…", FinishReason.STOP, Usage(100, tokens), "simulated")

    async def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [len(text) for text in texts]

    async def aclose(self) -> None:
        pass
