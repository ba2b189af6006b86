"""Asking a model what memories an input needs: whether any, and what each of them is good for.

Source: "Self-Controlled Memory" (Wang, Liang and others, 2023, arXiv 2304.13343), the memory controller. The released
code drops a memory that cannot answer alone, so that questions over several turns lose turns they need; here only what
helps in no way is dropped. An answer that cannot be used decides nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

from longdoc.agents.calls import request_of
from longdoc.agents.events import Emit
from longdoc.agents.structured import call_structured
from longdoc.engines.engine import Engine
from longdoc.errors import ContextTooLongError, InvalidOutputError, RequestRefusedError
from longdoc.memory.decision import Candidate, Gate, Judgement
from longdoc.prompts.catalogue import Quoted, Reference, render

_GATE_TOKENS, _JUDGE_TOKENS = 96, 48
_UNUSABLE = (ContextTooLongError, InvalidOutputError, RequestRefusedError)


class _Need(BaseModel):
    model_config = ConfigDict(extra="forbid")

    needed: bool
    reason: str


class _Use(BaseModel):
    model_config = ConfigDict(extra="forbid")

    useful: bool


class _UseAndSummary(_Use):
    summary_is_enough: bool


class MemoryJudge:
    """Gate and judge of memories, on any engine. `reference` says where the memory of a number stands."""

    def __init__(self, engine: Engine, *, namespace: int, emit: Emit) -> None:
        self._engine = engine
        self._namespace = namespace
        self._emit = emit

    async def needed(self, question: str) -> Gate:
        """See `GateKeeper`. Raises what `Engine.complete` raises but for refusals of this one request."""
        prompt = render("memory/gate", {"question": Quoted(question, {"namespace": self._namespace})})
        request = request_of(prompt, max_tokens=_GATE_TOKENS)
        try:
            answer = await call_structured(
                self._engine, request, _Need, purpose="whether memories are needed", emit=self._emit
            )
        except _UNUSABLE as error:
            return Gate(needed=True, reason=f"the answer could not be used ({error})", asked=True)
        return Gate(answer.needed, answer.reason, asked=True)

    async def judge(self, question: str, candidates: Sequence[Candidate]) -> Sequence[Judgement]:
        """See `Judge`: all at once. Raises what `Engine.complete` raises but for refusals of single requests."""
        return await asyncio.gather(*(self._judged(question, one) for one in candidates))

    async def _judged(self, question: str, candidate: Candidate) -> Judgement:
        where = memory_reference(self._namespace, candidate.number)
        short = None if candidate.summary is None else Quoted(candidate.summary, {**where, "form": "summary"})
        variables = {
            "memory": Quoted(candidate.full, where),
            "summary": short,
            "question": Quoted(question, {"namespace": self._namespace}),
        }
        request = request_of(render("memory/judge", variables), max_tokens=_JUDGE_TOKENS)
        purpose = f"use of memory {candidate.number}"
        try:
            if short is None:
                alone = await call_structured(self._engine, request, _Use, purpose=purpose, emit=self._emit)
                return Judgement(alone.useful)
            both = await call_structured(self._engine, request, _UseAndSummary, purpose=purpose, emit=self._emit)
        except _UNUSABLE:
            return Judgement()
        return Judgement(both.useful, both.summary_is_enough)


def memory_reference(namespace: int, number: int) -> Reference:
    """Where a memory stands: what the ledger keeps instead of its text."""
    return {"namespace": namespace, "memory": number}
