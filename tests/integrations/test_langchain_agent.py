"""An agent with the capabilities as its tools: its steps, its bounds, its record, and the command."""

import asyncio
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from typer.testing import CliRunner

from longdoc import AsyncLongDoc
from longdoc.app.bootstrap import wrap_engine
from longdoc.cli.main import app
from longdoc.config import Settings
from longdoc.engines.budget import Budget
from longdoc.engines.langchain import LangChainEngine
from longdoc.engines.langchain_tools import ToolCallingEngine
from longdoc.errors import BudgetExceededError, ConfigError
from longdoc.integrations.langchain.agent import AgentResult, agent_engine, run_agent
from longdoc.storage.runs import RunStatus
from tests.integrations.opened import NEEDLE, QUESTION, book

Step = Callable[[Sequence[BaseMessage]], AIMessage]


class Stepping(BaseChatModel):
    """A model that calls tools as a function says; keeps how often it was asked."""

    step: Step
    asked: list[int]

    @property
    def _llm_type(self) -> str:
        return "stepping"

    def bind_tools(self, tools: Any, **kwargs: Any) -> Any:
        return self.bind(tools=tools)

    def _generate(self, messages: list[BaseMessage], *args: Any, **kwargs: Any) -> ChatResult:
        self.asked.append(len(messages))
        return ChatResult(generations=[ChatGeneration(message=self.step(messages))])


def calling(name: str, number: int, **arguments: Any) -> AIMessage:
    return AIMessage("", tool_calls=[{"name": name, "args": arguments, "id": f"call-{number}"}])


def finds_then_answers(messages: Sequence[BaseMessage]) -> AIMessage:
    given = [message for message in messages if isinstance(message, ToolMessage)]
    if not given:
        return calling("search_documents", 1, query=QUESTION, k=2)
    if len(given) == 1:
        return calling("ask_documents", 2, question=QUESTION)
    return AIMessage("Under the seventh stair." if NEEDLE in given[0].text else "Nowhere.")


def never_ends(messages: Sequence[BaseMessage]) -> AIMessage:
    return calling("search_documents", len(messages), query=f"try {len(messages)}")


def work(folder: Path, model: Stepping, *, budget: Budget | None = None, **given: Any) -> tuple[AgentResult, Any]:
    async def main() -> tuple[AgentResult, Any]:
        settings = {"engine": "scripted", "embedding_model": "hashed", "database": str(folder / "record.db")}
        adapter = ToolCallingEngine(LangChainEngine(model, name="fake:model", context_window=32_000))
        engine = wrap_engine(adapter, Settings(), budget or Budget())
        async with AsyncLongDoc(**settings) as longdoc:
            result = await run_agent(longdoc, "Where is the key?", [book()], engine=engine, **given)
            return result, await longdoc.run(result.run_id)

    return asyncio.run(main())


def test_an_agent_takes_steps_and_answers(tmp_path: Path) -> None:
    result, run = work(tmp_path, Stepping(step=finds_then_answers, asked=[]))
    assert result.text == "Under the seventh stair."
    assert [step.tool for step in result.steps] == ["search_documents", "ask_documents"]
    assert NEEDLE in result.steps[0].text
    assert not result.bounded
    assert not result.gaps
    assert result.usage.calls >= 4
    assert run.run.kind == "agent"
    assert run.run.status is RunStatus.DONE


def test_the_same_again_is_answered_from_the_record(tmp_path: Path) -> None:
    model = Stepping(step=finds_then_answers, asked=[])
    first, _ = work(tmp_path, model)
    again, _ = work(tmp_path, model)
    assert (again.text, again.run_id, again.steps) == (first.text, first.run_id, first.steps)
    assert len(model.asked) == 3
    assert (again.usage.calls, again.usage.recorded) == (0, first.usage.calls)
    fresh, _ = work(tmp_path, model, fresh=True)
    assert fresh.text == first.text
    assert len(model.asked) == 6


def test_an_agent_that_never_ends_stops_at_its_bound_with_what_it_has(tmp_path: Path) -> None:
    model = Stepping(step=never_ends, asked=[])
    result, run = work(tmp_path, model, steps=4)
    assert len(model.asked) == 4
    assert result.bounded
    assert result.gaps
    assert len(result.steps) == 3
    assert "What it found" in result.text
    assert "search_documents" in result.text
    assert run.run.status is RunStatus.GAPS


def test_a_whole_answer_in_the_last_step_is_no_gap(tmp_path: Path) -> None:
    result, run = work(tmp_path, Stepping(step=finds_then_answers, asked=[]), steps=3)
    assert result.text == "Under the seventh stair."
    assert result.bounded
    assert not result.gaps
    assert run.run.status is RunStatus.DONE


def says(text: str, reason: str = "stop") -> Step:
    return lambda messages: AIMessage(text, response_metadata={"finish_reason": reason})


def looks_once_more(messages: Sequence[BaseMessage]) -> AIMessage:
    return AIMessage("Let me look.", tool_calls=calling("search_documents", 1, query="key").tool_calls)


@pytest.mark.parametrize(
    ("step", "steps", "text"),
    [
        (never_ends, 1, "The agent came to no answer."),
        (says(" "), 12, "The agent came to no answer."),
        (says("Under the", "length"), 12, "Under the"),
        (looks_once_more, 1, "Let me look."),
    ],
)
def test_what_is_no_whole_answer_is_a_gap(tmp_path: Path, step: Step, steps: int, text: str) -> None:
    result, run = work(tmp_path, Stepping(step=step, asked=[]), steps=steps)
    assert result.text == text
    assert result.gaps
    assert result.bounded == (steps == 1)
    assert run.run.status is RunStatus.GAPS


def test_an_agent_that_fails_after_some_steps_goes_on_from_there(tmp_path: Path) -> None:
    model = Stepping(step=finds_then_answers, asked=[])
    with pytest.raises(BudgetExceededError):
        work(tmp_path, model, budget=Budget(max_calls=2))
    assert len(model.asked) == 2
    assert work(tmp_path, model)[0].text == "Under the seventh stair."
    assert len(model.asked) == 3


def test_an_agent_needs_a_model_that_calls_tools(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="calls tools"):
        agent_engine(Settings(engine="scripted"), Budget())
    with pytest.raises(ConfigError, match="at least one step"):
        work(tmp_path, Stepping(step=never_ends, asked=[]), steps=0)


def test_the_command_lets_an_agent_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def engine(settings: Settings, budget: Budget) -> Any:
        model = Stepping(step=finds_then_answers, asked=[])
        inner = LangChainEngine(model, name="fake:model", context_window=32_000)
        return wrap_engine(ToolCallingEngine(inner), settings, budget)

    monkeypatch.setattr("longdoc.integrations.langchain.agent.agent_engine", engine)
    monkeypatch.setenv("LDA_EMBEDDING_MODEL", "hashed")
    file = tmp_path / "book.md"
    file.write_text(book().text)
    command = ["do", "Where is the key?", str(file), "--agent", "--engine", "scripted", "--json"]
    done = CliRunner().invoke(app, [*command, "--database", str(tmp_path / "record.db")])
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    results = told.get("results", [told])
    assert "seventh stair" in json.dumps(results)
    refused = CliRunner().invoke(app, ["do", "x", str(file), "--agent", "--words", "300"])
    assert isinstance(refused.exception, ConfigError)
