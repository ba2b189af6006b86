"""The job behind `lda ask`: what is asked of which documents, once or in a session at the terminal."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace

import typer

from longdoc.agents.follow_up import Turn
from longdoc.agents.question_tail import question_tail
from longdoc.agents.relevance import ScoringMode
from longdoc.app.ask import AskResult, ask, estimate_ask
from longdoc.app.bootstrap import Workspace
from longdoc.app.finding import AskOptions
from longdoc.app.shelf import Shelf
from longdoc.cli.ask_output import AskEstimateOutput, AskOutput
from longdoc.cli.asked_documents import AskedDocuments
from longdoc.cli.exits import ExitCode
from longdoc.cli.options import RunOptions
from longdoc.cli.output import Output, OutputFormat, Results
from longdoc.cli.run_view import RunView
from longdoc.cli.session import run_session
from longdoc.cli.sources import STANDARD_INPUT, is_there
from longdoc.cli.terminal_lines import read_line
from longdoc.documents.document import Document
from longdoc.documents.readers import read_bytes
from longdoc.errors import ConfigError, LdaError

_COMMAND = "ask"
_PROMPT = "? "


def split_words(words: Sequence[str], question: str | None, *, collected: bool) -> tuple[list[str], str | None]:
    """The sources and the question that stand on a command line: the last word is the question unless it is a file,
    or the only word and no collection is asked."""
    if question is not None or not words:
        return list(words), question
    last = words[-1]
    is_source = last == STANDARD_INPUT or is_there(last) or (len(words) == 1 and not collected)
    return (list(words), None) if is_source else (list(words[:-1]), last)


def scoring_mode(name: str | None) -> ScoringMode | None:
    """The mode of scoring that is named. Raises `ConfigError`."""
    if name is None:
        return None
    if name not in set(ScoringMode):
        raise ConfigError(f"there is no scoring {name!r}; choose one of: {', '.join(ScoringMode)}")
    return ScoringMode(name)


@dataclass(frozen=True)
class AskJob:
    """What was asked for on the command line; without a question, questions are read from the terminal."""

    sources: Sequence[str]
    question: str | None
    collection: str | None
    options: AskOptions
    explain: bool
    run: RunOptions
    form: OutputFormat
    reader: str | None = None

    def start(self) -> ExitCode:
        """Read the documents, then answer. Raises `LdaError`."""
        asked = AskedDocuments.read(self.sources, self.collection, database=self.run.database, reader=self.reader)
        question = self.question
        if question is None and self.sources == [STANDARD_INPUT]:
            documents, question = _with_question(asked.documents[0])
            asked = AskedDocuments(documents, None)
        if question is None and not sys.stdin.isatty():
            raise ConfigError('say what you ask: lda ask PATH "question"')
        if question is None and (self.run.out is not None or self.form is OutputFormat.JSON):
            raise ConfigError("a session answers at the terminal; for --json or --out, name the question")
        question = None if question is None else question.strip()
        if question == "":
            raise ConfigError("the question is empty")

        async def work(workspace: Workspace) -> ExitCode:
            with closing(await asked.shelf(workspace.records)) as shelf:
                return await (self._once(workspace, shelf, question) if question else self._session(workspace, shelf))

        return run_session(self.run.settings(), self.run.budget(), work, quiet=self.run.quiet)

    async def _once(self, workspace: Workspace, shelf: Shelf, question: str) -> ExitCode:
        results = Results(_COMMAND, self.form, self.run.out, sources=[shelf.title])
        output: Output
        if self.run.dry_run:
            output = await self._estimate(workspace, shelf, question)
        else:
            output = AskOutput(await self._answer(workspace, shelf, question, ()), shelf, explain=self.explain)
        results.add(0, output)
        results.close()
        return results.code

    async def _estimate(self, workspace: Workspace, shelf: Shelf, question: str) -> AskEstimateOutput:
        estimate = await estimate_ask(workspace, shelf, question, self.options)
        return AskEstimateOutput(shelf, question, estimate, workspace.engine.info)

    async def _session(self, workspace: Workspace, shelf: Shelf) -> ExitCode:
        """Questions from the terminal until its end; each knows those before it. Its code tells of gaps in any."""
        turns: list[Turn] = []
        code = ExitCode.DONE
        typer.echo(f"Ask about {shelf.title}; an empty line ends.", err=True)
        while question := await read_line(_PROMPT):
            if self.run.dry_run:
                typer.echo((await self._estimate(workspace, shelf, question)).text(self.form))
                continue
            try:
                result = await self._answer(workspace, shelf, question, turns)
            except LdaError as error:
                if error.resumable:
                    raise
                typer.echo(f"lda: {error}", err=True)
                continue
            output = AskOutput(result, shelf, explain=self.explain)
            typer.echo(output.text(self.form))
            turns.append(Turn(question, result.answer.text))
            code = ExitCode.GAPS if output.gaps else code
        return code

    async def _answer(self, workspace: Workspace, shelf: Shelf, question: str, turns: Sequence[Turn]) -> AskResult:
        with RunView(question, quiet=self.run.quiet) as view:
            result = await ask(
                workspace, shelf, question, self.options, fresh=self.run.fresh, turns=turns, emit=view.emit
            )
            view.finish(result.run_id, result.usage)
        return result


def _with_question(document: Document) -> tuple[list[Document], str]:
    """A text and the question at its end. Raises `ConfigError` where there is nothing before the question."""
    start = question_tail(document.text)
    before, question = document.text[:start].strip(), document.text[start:].strip()
    if not before:
        raise ConfigError("there is no text before the question; put a text, an empty line, then the question")
    text = read_bytes(before.encode(), name="standard input.txt")
    return [replace(text, source=document.source)], question
