"""A budget of calls, tokens and money: the worst case is set aside before a call, the real use settled after it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from longdoc.engines.engine import Completion, CompletionRequest, Engine, EngineInfo, TextSink, Usage
from longdoc.errors import BudgetExceededError

_TOKENS_PER_MESSAGE = 16
_BYTES_PER_TOKEN = 2


@dataclass(frozen=True, slots=True)
class Share:
    """What one call may take at most, or took; `cost` in US dollars."""

    calls: int = 0
    tokens: int = 0
    cost: float = 0.0

    def __add__(self, other: Share) -> Share:
        return Share(self.calls + other.calls, self.tokens + other.tokens, self.cost + other.cost)

    def __sub__(self, other: Share) -> Share:
        return Share(self.calls - other.calls, self.tokens - other.tokens, self.cost - other.cost)


class Budget:
    """Limits over all calls that share it; None is no limit. Tokens are read and written ones, cost US dollars."""

    def __init__(
        self, *, max_calls: int | None = None, max_tokens: int | None = None, max_cost: float | None = None
    ) -> None:
        self._limits = {"calls": max_calls, "tokens": max_tokens, "cost": max_cost}
        self._spent = Share()
        self._reserved = Share()
        self._under_way = 0
        self._settled = asyncio.Event()

    @property
    def spent(self) -> Share:
        """What finished calls took."""
        return self._spent

    @property
    def needs_tokens(self) -> bool:
        """Whether a limit depends on tokens."""
        return self._limits["tokens"] is not None or self._limits["cost"] is not None

    async def reserve(self, share: Share) -> None:
        """Set a share aside; where it does not fit, wait for calls under way, which mostly take less than their worst.

        Raises `BudgetExceededError`, with nothing set aside, where it does not fit and nothing is under way.
        """
        while (exceeded := self._exceeded(share)) is not None:
            if self._under_way == 0:
                raise exceeded
            self._settled.clear()
            await self._settled.wait()
        self._reserved += share
        self._under_way += 1

    def settle(self, reserved: Share, spent: Share) -> None:
        """Replace a share set aside by what was spent of it."""
        self._reserved -= reserved
        self._spent += spent
        self._under_way -= 1
        self._settled.set()

    def _exceeded(self, share: Share) -> BudgetExceededError | None:
        wanted = self._spent + self._reserved + share
        needed = {"calls": wanted.calls, "tokens": wanted.tokens, "cost": wanted.cost}
        for resource, limit in self._limits.items():
            if limit is not None and needed[resource] > limit:
                return BudgetExceededError(resource, limit=limit, needed=needed[resource])
        return None


class BudgetedEngine:
    """Refuses a call that could pass the budget, before anything is spent on it."""

    def __init__(self, inner: Engine, budget: Budget) -> None:
        self._inner = inner
        self._budget = budget

    @property
    def info(self) -> EngineInfo:
        """See `Engine`."""
        return self._inner.info

    async def complete(self, request: CompletionRequest, *, on_text: TextSink | None = None) -> Completion:
        """See `Engine`; a call that fails spends nothing. Raises `BudgetExceededError`."""
        worst = Usage(await self._prompt_tokens(request), min(request.max_tokens, self.info.context_window))
        reserved = self._share(worst)
        await self._budget.reserve(reserved)
        spent = Share()
        try:
            completion = await self._inner.complete(request, on_text=on_text)
            # A server that tells no usage is taken to have used it all.
            spent = self._share(completion.usage if completion.usage.total_tokens else worst)
        finally:
            self._budget.settle(reserved, spent)
        return completion

    async def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """See `Engine`."""
        return await self._inner.count_tokens(texts)

    async def aclose(self) -> None:
        """See `Engine`."""
        await self._inner.aclose()

    async def _prompt_tokens(self, request: CompletionRequest) -> int:
        """Tokens of the prompt at most: counted where the engine can, else one for every two bytes."""
        texts = [*(message.content for message in request.messages), request.continuation or ""]
        if self._budget.needs_tokens and self.info.exact_tokens:
            sizes = await self._inner.count_tokens(texts)
        else:
            sizes = [len(text.encode("utf-8", "replace")) // _BYTES_PER_TOKEN for text in texts]
        return min(sum(sizes) + _TOKENS_PER_MESSAGE * (len(texts) + 1), self.info.context_window)

    def _share(self, usage: Usage) -> Share:
        return Share(1, usage.total_tokens, self.info.cost(usage))
