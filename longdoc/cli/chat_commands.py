"""What can be done in a session at the terminal beside talking: lines that begin with a slash."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

import typer

from longdoc.app.bootstrap import Workspace
from longdoc.app.chat import ChatSession
from longdoc.app.memory_files import export_lines
from longdoc.cli.chat_output import decision_text, memory_table
from longdoc.cli.output import write_file
from longdoc.cli.reading import read_source
from longdoc.cli.sources import expand_sources
from longdoc.errors import ConfigError

_SHOWN = 10

_HELP = """\
/memory [TEXT]   the last turns, or the memories nearest to a text
/why [N]         what was recalled for the last answer, or for turn N, and why
/forget N …      erase memories, with all that was made from them
/undo            take the last turn back
/retry           answer what was interrupted
/facts [N TEXT]  what is known of you, or another text for fact N (with --facts)
/add FILE …      answer from documents too, with citations
/system TEXT     another system prompt; nothing: none
/export FILE     write all memories to a file (JSONL)
/sessions        the sessions there are
/quit            end; everything is kept"""


class ChatCommands:
    """The commands of a session."""

    def __init__(self, workspace: Workspace, chat: ChatSession) -> None:
        self._workspace = workspace
        self._chat = chat
        self._commands: Mapping[str, Callable[[str], Awaitable[str]]] = {
            "/help": self._help,
            "/memory": self._memory,
            "/why": self._why,
            "/forget": self._forget,
            "/undo": self._undo,
            "/facts": self._facts,
            "/add": self._add,
            "/system": self._system,
            "/export": self._export,
            "/sessions": self._sessions,
        }

    async def run(self, line: str) -> bool:
        """Do what a line says; False where the session ends. Raises `LdaError`."""
        name, _, rest = line.partition(" ")
        if name in {"/quit", "/exit"}:
            return False
        command = self._commands.get(name)
        if command is None:
            raise ConfigError(f"there is no command {name}; /help shows those there are")
        typer.echo(await command(rest.strip()))
        return True

    async def _help(self, rest: str) -> str:
        del rest
        return _HELP

    async def _memory(self, rest: str) -> str:
        if rest:
            found = await self._chat.search(rest, k=_SHOWN)
            return memory_table(list(found)) if found else "nothing like that is remembered"
        turns = await self._chat.turns(_SHOWN)
        return memory_table([(turn, None) for turn in turns]) if turns else "nothing is remembered yet"

    async def _why(self, rest: str) -> str:
        return decision_text(*await self._chat.why(_number(rest) if rest else None))

    async def _forget(self, rest: str) -> str:
        numbers = [_number(part) for part in rest.replace(",", " ").split()]
        if not numbers:
            raise ConfigError("say which memories: /forget 3 4 (/memory shows their numbers)")
        return f"{await self._chat.forget(*numbers)} erased"

    async def _undo(self, rest: str) -> str:
        del rest
        undone = await self._chat.undo()
        return "there is nothing to take back" if undone is None else f"taken back: {undone.observation}"

    async def _facts(self, rest: str) -> str:
        facts = self._chat.facts
        if facts is None:
            raise ConfigError("no facts are kept; begin with: lda chat --facts")
        if rest:
            number, _, text = rest.partition(" ")
            if not text.strip():
                raise ConfigError("say what the fact is: /facts 3 The user lives in Bergen.")
            return f"fact {(await facts.edit(_number(number), text.strip())).number} is changed; its history is kept"
        known = await facts.all()
        return memory_table([(fact, None) for fact in known]) if known else "nothing is known of you yet"

    async def _add(self, rest: str) -> str:
        if not rest:
            raise ConfigError("say which files: /add book.epub")
        documents = [read_source(name) for name in expand_sources(rest.split())]
        await self._chat.add(documents)
        return "\n".join(f"added {document.title}" for document in documents)

    async def _system(self, rest: str) -> str:
        await self._chat.set_system(rest or None)
        return "the system prompt is set" if rest else "there is no system prompt any more"

    async def _export(self, rest: str) -> str:
        if not rest:
            raise ConfigError("say where to: /export memories.jsonl")
        lines = await export_lines(self._workspace.records, self._chat.namespace)
        write_file("\n".join(lines), Path(rest))
        return f"{len(lines)} memories are in {rest}"

    async def _sessions(self, rest: str) -> str:
        del rest
        name = self._chat.namespace.name
        found = await self._workspace.records.memories.list(user=name.user, agent=name.agent)
        return "\n".join(f"{'*' if one.id == self._chat.namespace.id else ' '} {one.name.session}" for one in found)


def _number(text: str) -> int:
    if not text.isdecimal():
        raise ConfigError(f"{text!r} is no number of a turn; /memory shows them")
    return int(text)
