"""An agent of LangChain that works with the capabilities as its tools, within a number of steps and a budget.

Its model is asked through our ledger, in a run of its own, and its tools are the capabilities, each in its own runs:
the same request again goes on where it was, and pays for nothing twice.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, cast

from langchain.agents import create_agent  # pyright: ignore[reportUnknownVariableType] of parameters not used here
from langchain_core.messages import AIMessage, BaseMessage, ToolMessage

from longdoc.agents.events import Emit, Planned, Warned
from longdoc.app.api_capabilities import Capabilities
from longdoc.app.bootstrap import wrap_engine
from longdoc.app.results import Shown, Source
from longdoc.app.runs import OpenRun, RunUsage, open_run
from longdoc.app.work_results import added
from longdoc.config import Settings
from longdoc.documents.document import Document
from longdoc.engines.budget import Budget
from longdoc.engines.engine import Engine
from longdoc.engines.langchain import LangChainEngine
from longdoc.engines.langchain_tools import ToolCallingEngine
from longdoc.errors import ConfigError
from longdoc.integrations.desk import ignore
from longdoc.integrations.langchain.recorded_model import RecordedChatModel
from longdoc.integrations.langchain.tools import longdoc_tools
from longdoc.json_value import JsonValue
from longdoc.prompts.catalogue import Quoted, render
from longdoc.storage.nodes import Node, NodeStatus
from longdoc.storage.runs import RunRequest, RunStatus

STEPS: Final = 12
_GRAPH_STEPS = 4
"""Nodes of LangGraph that a step of an agent takes at most."""
_TITLE_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class AgentStep:
    """A tool that was called, with which arguments, and what it gave to the model."""

    tool: str
    arguments: dict[str, JsonValue]
    text: str


@dataclass(frozen=True, slots=True)
class AgentResult(Shown):
    """What an agent came to. `bounded` tells that it used up its steps; `gaps`, that its text is no whole answer: it is
    what its tools found, or ran into its limit, or more was wanted than there were steps for."""

    text: str
    sources: tuple[Source, ...]
    run_id: str
    steps: tuple[AgentStep, ...]
    bounded: bool = False
    gaps: bool = False
    usage: RunUsage = field(default_factory=RunUsage)


def agent_engine(settings: Settings, budget: Budget) -> Engine:
    """The engine of an agent's model: that of LangChain which is set, or the server that is set by way of LangChain.

    Raises `ConfigError` where neither is, and as `LangChainEngine.open`.
    """
    name = settings.model
    served = settings.engine in {"auto", "openai"} and settings.base_url is not None
    if name is None or not (settings.engine == "langchain" or served):
        raise ConfigError(
            "an agent needs a model that calls tools: --engine langchain --model provider:name, or a server and the "
            "name of its model (--base-url, --model)"
        )
    engine = LangChainEngine.open(
        name if settings.engine == "langchain" else f"openai:{name}",
        base_url=settings.base_url,
        api_key=settings.api_key,
        context_window=settings.context_window,
        timeout=settings.timeout,
        prompt_price=settings.prompt_price,
        completion_price=settings.completion_price,
    )
    return wrap_engine(ToolCallingEngine(engine), settings, budget)


async def run_agent(
    lda: Capabilities,
    instruction: str,
    documents: Sequence[Document] = (),
    *,
    engine: Engine,
    collection: str | None = None,
    steps: int = STEPS,
    fresh: bool = False,
    emit: Emit = ignore,
) -> AgentResult:
    """Let an agent do what is asked with documents or a collection, in at most `steps` calls of its model.

    `engine` is the one its model is asked by (`agent_engine`). Raises `ConfigError`, and what stops all work: a spent
    budget, an engine that is gone; the same request again goes on from there.
    """
    if not instruction.strip():
        raise ConfigError("say what is to be done: the instruction is empty")
    if steps < 1:
        raise ConfigError("an agent needs at least one step")
    workspace = lda.workspace
    for document in documents:
        await workspace.records.documents.save(document)
    parameters: dict[str, JsonValue] = {"instruction": instruction, "steps": steps}
    if collection is not None:
        parameters["collection"] = collection
    request = RunRequest(
        kind="agent",
        title=instruction[:_TITLE_CHARACTERS],
        document_ids=tuple(document.id for document in documents),
        parameters=parameters,
        model=f"{engine.info.identity}, {workspace.engine.info.identity}",
    )
    asking = replace(workspace, engine=engine)
    async with open_run(asking, request, fresh=fresh, emit=emit) as run:
        agent = _Agent(lda, run, documents, collection, steps)
        result = await agent.work(instruction)
        status = NodeStatus.TRUNCATED if result.gaps else NodeStatus.DONE
        node = Node(f"{run.id}.0", run.id, 0, 0, request.title, result.text, status)
        await workspace.records.nodes.save(node)
        run.result_node = node.id
        run.status = RunStatus.GAPS if result.gaps else RunStatus.DONE
    return result


class _Agent:
    """One agent at work."""

    def __init__(
        self, lda: Capabilities, run: OpenRun, documents: Sequence[Document], collection: str | None, steps: int
    ) -> None:
        self._run = run
        self._documents = documents
        self._steps = steps
        self._model = RecordedChatModel.over(run.engine, emit=run.emit, most=steps)
        self._tools = longdoc_tools(lda, self._documents, collection=collection)

    async def work(self, instruction: str) -> AgentResult:
        """All steps, and what they came to."""
        titles = [Quoted(one.title, {"document": one.id, "part": "title"}) for one in self._documents]
        asked = Quoted(instruction, {"run": self._run.id, "part": "instruction"})
        prompt = render("agent/work", {"steps": self._steps, "titles": titles, "request": asked})
        self._run.emit(Planned(1, f"an agent with {len(self._tools)} tools, {self._steps} steps at most"))
        agent = cast("Any", create_agent(self._model, self._tools, system_prompt=prompt.system))
        state = await agent.ainvoke(
            {"messages": [("user", prompt.user)]}, {"recursion_limit": _GRAPH_STEPS * self._steps + _GRAPH_STEPS}
        )
        return self._result(state["messages"])

    def _result(self, messages: Sequence[BaseMessage]) -> AgentResult:
        calls = {one["id"]: one for message in messages if isinstance(message, AIMessage) for one in message.tool_calls}
        given = [message for message in messages if isinstance(message, ToolMessage)]
        steps = tuple(
            AgentStep(calls[one.tool_call_id]["name"], calls[one.tool_call_id]["args"], str(one.text)) for one in given
        )
        results = cast("list[Any]", [one.artifact for one in given if isinstance(one.artifact, Shown)])
        usage = self._run.usage
        for one in results:
            usage = added(usage, one.usage)
        text = str(messages[-1].text).strip()
        bounded, gaps = self._model.bounded, not text or self._model.unfinished
        if bounded and (steps or gaps):
            self._run.emit(Warned(f"the agent used up its steps ({self._steps}); allow it more"))
        if gaps and text:
            self._run.emit(Warned("the agent's answer is not whole"))
        return AgentResult(text or _found(steps), _all_sources(results), self._run.id, steps, bounded, gaps, usage)


def _found(steps: Sequence[AgentStep]) -> str:
    """What was found, where the model says nothing about it."""
    found = [f"{step.tool} {json.dumps(step.arguments, ensure_ascii=False)}\n\n{step.text}" for step in steps]
    return "\n\n".join([f"The agent came to no answer.{' What it found:' if found else ''}", *found])


def _all_sources(results: Sequence[Any]) -> tuple[Source, ...]:
    """The sources of results, each once; none of them belongs to one place of the agent's text."""
    return tuple(dict.fromkeys(replace(source, at=None) for result in results for source in result.sources))
