"""What `lda chat` can be told: who talks with whom, what is said, and what is remembered and recalled."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from longdoc.cli import options

if TYPE_CHECKING:
    from longdoc.app.chat import ChatOptions
    from longdoc.storage.memory_types import NamespaceName

_MEMORY = "Memory"
_SESSION = "Session"


@dataclass(frozen=True, slots=True)
class TalkingOptions:
    """Who talks with whom, and what is said."""

    message: Annotated[
        list[str] | None,
        typer.Option("--message", "-m", help="Say this and end; can be given again.", rich_help_panel=_SESSION),
    ] = None
    key: Annotated[
        str | None,
        typer.Option(
            "--key",
            help="A name for these messages: each is said once; stopped, the same command goes on.",
            rich_help_panel=_SESSION,
        ),
    ] = None
    document: Annotated[
        list[str] | None,
        typer.Option("--document", "-d", help="A document to answer from.", rich_help_panel=_SESSION),
    ] = None
    reader: options.Reader = None
    user: Annotated[str, typer.Option("--user", help="Whose memories.", rich_help_panel=_SESSION)] = "me"
    agent: Annotated[str, typer.Option("--agent", help="With which agent.", rich_help_panel=_SESSION)] = "default"
    system: Annotated[
        str | None,
        typer.Option(
            "--system", help="System prompt, kept with the session; @FILE reads it.", rich_help_panel=_SESSION
        ),
    ] = None

    def name(self, session: str) -> NamespaceName:
        """The namespace of a session."""
        from longdoc.storage.memory_types import NamespaceName

        return NamespaceName(self.user, self.agent, session)

    def system_prompt(self) -> str | None:
        """The system prompt as given, or what stands in the file that was named with @. Raises `ConfigError`."""
        from longdoc.errors import ConfigError

        if self.system is None or not self.system.startswith("@"):
            return self.system
        file = self.system[1:]
        try:
            return Path(file).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"{file} cannot be read: {error}") from error


@dataclass(frozen=True, slots=True)
class RememberingOptions:
    """What is remembered and recalled, and whether that is shown."""

    policy: Annotated[
        str,
        typer.Option("--policy", help="What is recalled: auto, full, retrieve or scm.", rich_help_panel=_MEMORY),
    ] = "auto"
    recall: Annotated[
        int, typer.Option("--recall", min=1, max=20, help="Memories that scm looks at.", rich_help_panel=_MEMORY)
    ] = 6
    recency: Annotated[
        float,
        typer.Option(
            "--recency", min=0.0, max=1.0, help="Share of recency in the order of memories.", rich_help_panel=_MEMORY
        ),
    ] = 0.0
    gate: Annotated[
        str,
        typer.Option(
            "--gate", help="Whether scm recalls at all: ask (a model), always, never.", rich_help_panel=_MEMORY
        ),
    ] = "ask"
    memory_tokens: Annotated[
        int | None,
        typer.Option(
            "--memory-tokens",
            min=0,
            help="Tokens for memories.",
            show_default="0.6 of the window",
            rich_help_panel=_MEMORY,
        ),
    ] = None
    answer_tokens: Annotated[
        int | None,
        typer.Option("--answer-tokens", min=64, help="Tokens of an answer, at most.", rich_help_panel=_MEMORY),
    ] = None
    facts: Annotated[
        bool,
        typer.Option(
            "--facts", help="Keep what you tell of yourself over all sessions: a call a turn.", rich_help_panel=_MEMORY
        ),
    ] = False
    explain: Annotated[
        bool, typer.Option("--explain", help="Show what was recalled, and why.", rich_help_panel="Output")
    ] = False

    def options(self) -> ChatOptions:
        """As the conversation takes it, with the system prompt that the session has. Raises `ConfigError`."""
        from longdoc.app.chat import ChatOptions
        from longdoc.errors import ConfigError
        from longdoc.memory.policies import GateRule, PolicyName, RecallOptions
        from longdoc.memory.ranking import Ranking

        for name, value, known in (("policy", self.policy, PolicyName), ("gate", self.gate, GateRule)):
            if value not in set(known):
                raise ConfigError(f"there is no {name} {value!r}; choose one of: {', '.join(known)}")
        return ChatOptions(
            policy=PolicyName(self.policy),
            recall=RecallOptions(k=self.recall, ranking=Ranking(self.recency), gate=GateRule(self.gate)),
            memory_tokens=self.memory_tokens,
            answer_tokens=self.answer_tokens,
            facts=self.facts,
        )
