"""The job behind `lda chat`: messages from the command line, from standard input, or from a terminal."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from typing import Any, TypeVar

import typer

from longdoc.agents.events import Event, Warned
from longdoc.app.bootstrap import Workspace
from longdoc.app.chat import ChatOptions, ChatSession, Reply, open_chat
from longdoc.cli.chat_commands import ChatCommands
from longdoc.cli.chat_output import ReplyOutput, answer_text, decision_text
from longdoc.cli.exits import ExitCode
from longdoc.cli.options import RunOptions
from longdoc.cli.output import OutputFormat, Results
from longdoc.cli.reading import read_sources
from longdoc.cli.render import stderr_console
from longdoc.cli.session import run_session
from longdoc.cli.terminal_lines import read_line
from longdoc.documents.document import Document
from longdoc.errors import ConfigError, LdaError
from longdoc.storage.memory_types import NamespaceName

T = TypeVar("T")

_COMMAND = "chat"
_PROMPT = "> "


@dataclass(frozen=True)
class ChatJob:
    """What was asked for on the command line; without messages they are read from standard input."""

    name: NamespaceName
    options: ChatOptions
    messages: Sequence[str]
    key: str | None
    documents: Sequence[str]
    explain: bool
    run: RunOptions
    reader: str | None = None

    def start(self) -> ExitCode:
        """Open the session and talk. Raises `LdaError`."""
        documents = read_sources(self.documents, reader=self.reader)
        live = not self.messages and sys.stdin.isatty()
        form = self.run.format()
        if live and (self.run.out is not None or form is OutputFormat.JSON):
            raise ConfigError("a session answers at the terminal; for --json or --out, give messages (-m, or a pipe)")
        if self.run.dry_run:
            raise ConfigError("what a conversation takes depends on what is said; limit it with --max-tokens-total")
        messages = self.messages or ([] if live else [line for line in sys.stdin.read().splitlines() if line.strip()])
        if not live and not messages:
            raise ConfigError('say something: lda chat -m "Hello.", or one message a line on standard input')

        async def work(workspace: Workspace) -> ExitCode:
            async with open_chat(workspace, self.name, self.options, emit=self.tell) as chat:
                await self._prepare(chat, documents)
                if live:
                    return await _Terminal(self, workspace, chat).run()
                return await self._each(chat, messages, form)

        return run_session(self.run.settings(), self.run.budget(), work, quiet=self.run.quiet)

    async def _prepare(self, chat: ChatSession, documents: Sequence[Document]) -> None:
        if documents:
            await chat.add(documents)

    async def _each(self, chat: ChatSession, messages: Sequence[str], form: OutputFormat) -> ExitCode:
        """Say messages one after the other; what was answered is put out also where a later one fails."""
        results = Results(_COMMAND, form, self.run.out, sources=messages)
        try:
            for number, message in enumerate(messages):
                key = None if self.key is None else f"{self.key}:{number}"
                reply = await chat.send(message, key=key, emit=self.tell)
                results.add(number, ReplyOutput(message, reply, explain=self.explain))
            await chat.settle()
        finally:
            results.close()
        return results.code

    def tell(self, event: Event) -> None:
        """Say what the user should know."""
        if isinstance(event, Warned) and not self.run.quiet:
            stderr_console().print(f"warning: {event.message}", markup=False)


class _Terminal:
    """A session at the terminal: answers as they are written, commands, and Ctrl-C that stops an answer."""

    def __init__(self, job: ChatJob, workspace: Workspace, chat: ChatSession) -> None:
        self._job = job
        self._chat = chat
        self._commands = ChatCommands(workspace, chat)
        self._answering: asyncio.Task[Any] | None = None
        self._ended = asyncio.Event()
        self._stopped = False

    async def run(self) -> ExitCode:
        """Talk until the end of input."""
        with suppress(ImportError):
            import_module("readline")  # lines can be edited then
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGINT, self._interrupted)
        try:
            await self._greet()
            return await self._talk()
        finally:
            loop.remove_signal_handler(signal.SIGINT)

    async def _greet(self) -> None:
        turns = await self._chat.count()
        known = f"{turns} turns" if turns else "a new session"
        _say(f"{self._job.name.session}: {known}; /help shows commands, Ctrl-D ends.")
        waiting = await self._chat.waiting()
        if waiting:
            _say(f"Not answered yet: {waiting[0].observation!r}; /retry answers it, /undo takes it back.")

    async def _talk(self) -> ExitCode:
        while True:
            line = await self._line()
            if line is None:
                return ExitCode.INTERRUPTED if self._stopped else ExitCode.DONE
            if not line:
                continue
            try:
                if not await self._take(line):
                    return ExitCode.DONE
            except LdaError as error:
                if error.resumable:
                    raise
                _say(f"lda: {error}")

    async def _line(self) -> str | None:
        """What is typed, None where nothing more will be."""
        typed = asyncio.create_task(read_line(_PROMPT))
        ended = asyncio.create_task(self._ended.wait())
        await asyncio.wait([typed, ended], return_when=asyncio.FIRST_COMPLETED)
        ended.cancel()
        if not typed.done():
            typed.cancel()
            return None
        line = typed.result()
        if line is None:
            _say("")
        return line

    async def _take(self, line: str) -> bool:
        """Do what a line says; False where it ends the session."""
        if line == "/retry":
            await self._answer(self._chat.retry(emit=self._job.tell, on_text=_write))
        elif line.startswith("/"):
            return await self._commands.run(line)
        else:
            await self._answer(self._chat.send(line, emit=self._job.tell, on_text=_write))
        return True

    async def _answer(self, asked: Coroutine[Any, Any, Reply | None]) -> None:
        self._answering = asyncio.create_task(asked)
        try:
            reply = await self._answering
        except asyncio.CancelledError:
            if self._answering.cancelled() and not self._ended.is_set():
                typer.echo("")
                _say("stopped; what was written of the answer is kept")
                return
            raise
        finally:
            self._answering = None
        if reply is None:
            _say("nothing waits for an answer")
            return
        if reply.answer is not None:  # the words were told as they came; what they rest on comes after
            notes = answer_text(reply, markdown=False).partition("\n\n")[2]
            typer.echo(f"\n\n{notes}" if notes else "")
        else:
            typer.echo("")
        if self._job.explain:
            _say(decision_text(reply.number, reply.decision))

    def _interrupted(self) -> None:
        if self._answering is not None:
            self._answering.cancel()
            return
        self._stopped = True
        self._ended.set()
        _say("\neverything said is kept; the same command goes on from here")


def _write(piece: str) -> None:
    sys.stdout.write(piece)
    sys.stdout.flush()


def _say(line: str) -> None:
    stderr_console().print(line, markup=False)
