"""The job behind `lda do --agent`: a request done by an agent that uses the capabilities as its tools."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from longdoc.agents.profile_tasks import ProfileTask, load_tasks
from longdoc.app.api_capabilities import Capabilities
from longdoc.app.bootstrap import Workspace
from longdoc.app.results import cited_text
from longdoc.cli.exits import ExitCode
from longdoc.cli.options import RunOptions
from longdoc.cli.output import OutputFormat, Results, usage_json
from longdoc.cli.reading import read_sources
from longdoc.cli.run_view import RunView
from longdoc.cli.session import run_session
from longdoc.errors import ConfigError
from longdoc.json_value import JsonValue

if TYPE_CHECKING:
    from longdoc.integrations.langchain.agent import AgentResult

_COMMAND = "do"


class _Opened(Capabilities):
    """The capabilities over a workspace that is open."""

    def __init__(self, workspace: Workspace, tasks: Mapping[str, ProfileTask]) -> None:
        super().__init__()
        self._workspace = workspace
        self._tasks = tasks

    @property
    def workspace(self) -> Workspace:
        """See `Capabilities`."""
        return self._workspace

    @property
    def profile_tasks(self) -> Mapping[str, ProfileTask]:
        """See `Capabilities`."""
        return self._tasks


@dataclass(frozen=True, slots=True)
class AgentOutput:
    """What an agent came to; `explain`: with its steps."""

    instruction: str
    result: AgentResult
    explain: bool = False

    @property
    def source(self) -> str:
        """What it is of."""
        return self.instruction

    @property
    def gaps(self) -> bool:
        """Whether it came to no whole answer."""
        return self.result.gaps

    def text(self, form: OutputFormat) -> str:
        """As a text for people."""
        del form
        lines = [f"{number}. {step.tool} {dict(step.arguments)}" for number, step in enumerate(self.result.steps, 1)]
        return "\n\n".join(filter(None, [cited_text(self.result), "\n".join(lines) if self.explain else ""]))

    def json(self) -> JsonValue:
        """As a value for programs."""
        result = self.result
        steps: list[JsonValue] = [
            {"tool": step.tool, "arguments": step.arguments, "text": step.text} for step in result.steps
        ]
        return {
            "run": result.run_id,
            "instruction": self.instruction,
            "text": result.text,
            "sources": [one.to_json() for one in result.sources],
            "steps": steps,
            "bounded": result.bounded,
            "gaps": result.gaps,
            "usage": usage_json(result.usage),
        }


@dataclass(frozen=True)
class AgentJob:
    """What was asked for on the command line."""

    instruction: str
    sources: Sequence[str]
    collection: str | None
    steps: int | None
    explain: bool
    run: RunOptions
    form: OutputFormat
    reader: str | None = None

    def start(self) -> ExitCode:
        """Read what it is about, then let the agent work. Raises `LdaError`."""
        from longdoc.integrations.extras import require

        require("langchain", extra="langchain")
        from longdoc.integrations.langchain.agent import STEPS, agent_engine, run_agent

        if self.run.dry_run:
            raise ConfigError(
                "what an agent takes is not known before; bound it with --max-calls, --max-cost or --steps"
            )
        if self.collection is not None and self.sources:
            raise ConfigError("name either files or a collection, not both at once")
        documents = {one.id: one for one in read_sources(self.sources, reader=self.reader)}
        settings, budget = self.run.settings(), self.run.budget()
        engine = agent_engine(settings, budget)

        async def work(workspace: Workspace) -> ExitCode:
            results = Results(_COMMAND, self.form, self.run.out, sources=[self.instruction[:60]])
            try:
                with RunView(self.instruction, quiet=self.run.quiet) as view:
                    result = await run_agent(
                        _Opened(workspace, load_tasks(settings.profile_tasks)),
                        self.instruction,
                        list(documents.values()),
                        engine=engine,
                        collection=self.collection,
                        steps=self.steps or STEPS,
                        fresh=self.run.fresh,
                        emit=view.emit,
                    )
                    view.finish(result.run_id, result.usage)
            finally:
                await engine.aclose()
            results.add(0, AgentOutput(self.instruction, result, explain=self.explain))
            results.close()
            return results.code

        return run_session(settings, budget, work, quiet=self.run.quiet)
