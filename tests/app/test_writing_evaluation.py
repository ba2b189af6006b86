"""Ways of writing are compared on the same prompts, and what is stopped goes on."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from longdoc.agents.events import Event
from longdoc.app.bootstrap import Workspace
from longdoc.app.writing_evaluation import AGENTWRITE, LONGDOC, ONE_CALL, PARALLEL, WritingOptions, evaluate_writing
from longdoc.cli.writing_output import WritingOutput
from longdoc.engines.engine import CompletionRequest
from longdoc.engines.scripted import ScriptedEngine
from longdoc.errors import ConfigError, EngineUnavailableError
from longdoc.evaluation.writing_prompts import WritingPrompt
from tests.app.chatting import with_workspace
from tests.app.writing import ScriptedWriter, prose

PROMPTS = [
    WritingPrompt("a", "A letter of 200 words", "Letter", 200),
    WritingPrompt("b", "A report of 2,000 words", "Report", 2000),
    WritingPrompt("c", "A history of 5,000 words", "History", 5000),
]
MARKS = (
    '{"analysis": "Fine.", "relevance": 5, "accuracy": 4, "coherence": 4, "clarity": 4, "breadth_and_depth": 3,'
    ' "reading_experience": 4}'
)


class Watched:
    """A view that shows nothing."""

    def __enter__(self) -> Watched:
        return self

    def __exit__(self, *exception: object) -> None:
        pass

    def emit(self, event: Event) -> None:
        pass

    def finish(self, run_id: str, usage: object) -> None:
        pass


def answers(request: CompletionRequest) -> str:
    name = "" if request.origin is None else request.origin.name
    if name == "write/once":
        return "Only a few words, as models write them."
    if name == "write/published_plan":
        return "\n".join(f"Paragraph {n} - Main Point: salt {n} - Word Count: 400 words" for n in range(1, 6))
    if name == "write/published_section":
        import random

        return prose(random.Random(hash(request.messages[-1].content)), 300)
    if name == "judge/writing":
        return MARKS
    return ScriptedWriter()(request)


def evaluating(
    path: Path,
    work: Callable[[Workspace, ScriptedEngine], Awaitable[None]],
    answer: Callable[[CompletionRequest], str] = answers,
) -> None:
    engine = ScriptedEngine(answer, context_window=32_768)
    with_workspace(path, engine, lambda workspace: work(workspace, engine))


def test_systems_stand_beside_each_other_with_length_quality_and_cost(tmp_path: Path) -> None:
    async def work(workspace: Workspace, engine: ScriptedEngine) -> None:
        options = WritingOptions((LONGDOC, PARALLEL, ONE_CALL, AGENTWRITE), judge=1)
        report = await evaluate_writing(workspace, PROMPTS, options, watch=lambda title: Watched())
        figures = {one.system: one for one in report.figures()}
        lengths = {name: one.length.mean for name, one in figures.items() if one.length is not None}
        assert lengths[LONGDOC] > 95
        assert lengths[ONE_CALL] == 0
        assert lengths[LONGDOC] > lengths[AGENTWRITE] > 0
        assert not report.failures
        by = {(one.system, one.prompt): one for one in report.results}
        long = by[LONGDOC, "c"]
        assert long.quality == pytest.approx(75)
        assert long.repetition_across is not None
        assert long.repetition_across < 0.1
        assert long.coverage is not None
        assert long.calls > 5
        assert long.prompt_tokens > 0
        text = WritingOutput(report).text(form=None)  # type: ignore[arg-type]
        assert "| longdoc" in text
        calls = len(engine.calls)
        again = await evaluate_writing(workspace, PROMPTS, options, watch=lambda title: Watched())
        assert len(engine.calls) == calls
        assert [one.written for one in again.results] == [one.written for one in report.results]

    evaluating(tmp_path, work)


def test_what_fails_scores_nothing_and_what_a_later_run_may_overcome_stops_it(tmp_path: Path) -> None:
    def broken(request: CompletionRequest) -> str:
        return "" if any("A report" in one.content for one in request.messages) else answers(request)

    async def work(workspace: Workspace, engine: ScriptedEngine) -> None:
        report = await evaluate_writing(workspace, PROMPTS, WritingOptions(), watch=lambda title: Watched())
        assert [one.prompt for one in report.failures] == ["b"]
        assert {one.prompt: one.length_score for one in report.results}["b"] == 0

    evaluating(tmp_path, work, broken)

    def lost(request: CompletionRequest) -> str:
        raise EngineUnavailableError("gone")

    async def stopped(workspace: Workspace, engine: ScriptedEngine) -> None:
        with pytest.raises(EngineUnavailableError):
            await evaluate_writing(workspace, PROMPTS[:1], WritingOptions(seed=4), watch=lambda title: Watched())
        with pytest.raises(ConfigError, match="no prompts"):
            await evaluate_writing(workspace, [], WritingOptions(), watch=lambda title: Watched())

    evaluating(tmp_path, stopped, lost)
    with pytest.raises(ConfigError, match="no system 'x'"):
        WritingOptions(("x",))
