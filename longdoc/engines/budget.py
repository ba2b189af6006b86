"""A budget of calls, tokens and money: the worst case is set aside before a call, the real use settled after it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from longdoc.engines.engine import Completion, CompletionRequest, Engine, EngineInfo, TextSink, Usage
from longdoc.errors import BudgetExceededError

_TOKENS_PER_MESSAGE = 16


@dataclass(frozen=True, slots=True)
class _Share:
    """What one call may take at most, or took."""

    calls: int
    tokens: int
    cost: float


class Budget:
    """Limits over all calls of a process; None is no limit. Tokens are read and written ones; cost is US dollars."""

    def __init__(
        self, *, max_calls: int | None = None, max_tokens: int | None = None, max_cost: float | None = None
    ) -> None:
        self._limits = (("calls", max_calls), ("tokens", max_tokens), ("cost", max_cost))
        self._used = _Share(0, 0, 0.0)
        self._under_way = 0
        self._settled = asyncio.Event()

    async def reserve(self, share: _Share) -> None:
        """Set aside a share; where it does not fit, wait for calls under way, which mostly take less than their worst.

        Raises `BudgetExceededError`, with nothing set aside, where it does not fit and nothing is under way.
        """
        while (exceeded := self._exceeded(share)) is not None:
            if self._under_way == 0:
                raise exceeded
            self._settled.clear()
            await self._settled.wait()
        self._used = _plus(self._used, share)
        self._under_way += 1

    def settle(self, reserved: _Share, used: _Share) -> None:
        """Replace a share set aside by what was used of it."""
        self._used = _plus(_plus(self._used, used), reserved, sign=-1)
        self._under_way -= 1
        self._settled.set()

    def _exceeded(self, share: _Share) -> BudgetExceededError | None:
        wanted = _plus(self._used, share)
        needed = {"calls": wanted.calls, "tokens": wanted.tokens, "cost": wanted.cost}
        for resource, limit in self._limits:
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
        """See `Engine`; raises `BudgetExceededError`."""
        reserved = self._worst(request)
        await self._budget.reserve(reserved)
        used = _Share(0, 0, 0.0)
        try:
            completion = await self._inner.complete(request, on_text=on_text)
            used = self._share(completion.usage)
            return completion
        finally:
            self._budget.settle(reserved, used)

    async def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """See `Engine`."""
        return await self._inner.count_tokens(texts)

    async def aclose(self) -> None:
        """See `Engine`."""
        await self._inner.aclose()

    def _worst(self, request: CompletionRequest) -> _Share:
        """A token for every two bytes is more than any prompt has; the window bounds it as well."""
        size = sum(len(m.content.encode()) // 2 + _TOKENS_PER_MESSAGE for m in request.messages)
        prompt = min(size, self.info.context_window)
        return self._share(Usage(prompt, request.max_tokens))

    def _share(self, usage: Usage) -> _Share:
        return _Share(1, usage.total_tokens, self.info.cost(usage))


def _plus(left: _Share, right: _Share, sign: int = 1) -> _Share:
    return _Share(
        left.calls + sign * right.calls, left.tokens + sign * right.tokens, left.cost + sign * right.cost
    )
