"""Long texts as they were written before: in one call, or by AgentWrite as it was published. For comparisons only.

Source: "LongWriter" (2024, arXiv 2408.07055) and its code: a plan of free lines, then a call for each line with the
instruction, the whole plan and the whole text so far, all at temperature 1; lengths are asked for and not held. Prompts
are our own; where the published code throws plans of more than 50 lines away, the first 50 are taken.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from longdoc.agents.calls import call, request_of
from longdoc.agents.draft_plan_lines import listed
from longdoc.agents.events import Emit
from longdoc.agents.graph import run_graph
from longdoc.engines.engine import Engine
from longdoc.errors import ContextTooLongError, InvalidOutputError
from longdoc.prompts.catalogue import Quoted, RenderedPrompt, Variable, render

_TEMPERATURE = 1.0
_MOST_TOKENS = 4_096
_MOST_LINES = 50
_PLAN_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class PublishedText:
    """What was written; `cut` tells that the window was full before the plan was done."""

    sections: tuple[str, ...]
    cut: bool = False

    @property
    def text(self) -> str:
        """The whole."""
        return "\n\n".join(self.sections)


class PublishedWriter:
    """Writes on any engine; answers have at most `most_tokens`."""

    def __init__(self, engine: Engine, *, emit: Emit, seed: int = 0, most_tokens: int = _MOST_TOKENS) -> None:
        self._engine = engine
        self._emit = emit
        self._seed = seed
        self._most_tokens = most_tokens

    async def in_one_call(self, instruction: Quoted) -> PublishedText:
        """The answer to the instruction itself. Raises what `Engine.complete` raises."""
        prompt = render("write/once", {"instruction": instruction})
        return PublishedText((await self._asked(prompt, "the text"),))

    async def by_plan(self, instruction: Quoted, *, parallel: bool = False) -> PublishedText:
        """The text by plan and write. Raises `InvalidOutputError` for a plan without a line, and what
        `Engine.complete` raises."""
        plan = await self._asked(render("write/published_plan", {"instruction": instruction}), "plan")
        lines = [line.strip() for line in plan.splitlines() if listed(line)][:_MOST_LINES]
        if not lines:
            raise InvalidOutputError("the plan has no line that can be written")
        return await self.by_lines(instruction, lines, parallel=parallel)

    async def by_lines(self, instruction: Quoted, lines: Sequence[str], *, parallel: bool = False) -> PublishedText:
        """The text of a plan that is there; `parallel` is the variant in which no section knows the text before it.

        Raises what `Engine.complete` raises, but where the text so far fills the window, which ends it.
        """
        whole = Quoted("\n".join(lines), {"plan": len(lines)})
        if parallel:
            texts = [""] * len(lines)

            async def write_one(number: int) -> None:
                texts[number] = await self._section(instruction, whole, lines[number], "")

            await run_graph([()] * len(lines), write_one)
            return PublishedText(tuple(texts))
        sections: list[str] = []
        for line in lines:
            try:
                sections.append(await self._section(instruction, whole, line, "\n\n".join(sections)))
            except ContextTooLongError:
                return PublishedText(tuple(sections), cut=True)
        return PublishedText(tuple(sections))

    async def _section(self, instruction: Quoted, plan: Quoted, line: str, before: str) -> str:
        variables: dict[str, Variable] = {
            "instruction": instruction,
            "plan": plan,
            "memory": Quoted(before, {"written": len(before)}),
            "line": Quoted(line, {"line": line[:80]}),
        }
        return await self._asked(render("write/published_section", variables), line[:40])

    async def _asked(self, prompt: RenderedPrompt, purpose: str) -> str:
        window = self._engine.info.context_window
        most = min(self._most_tokens, int(window * _PLAN_SHARE), self._engine.info.max_output or window)
        request = request_of(prompt, max_tokens=most, temperature=_TEMPERATURE, seed=self._seed)
        return (await call(self._engine, request, purpose=purpose, emit=self._emit)).text.strip()
