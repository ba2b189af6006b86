"""Questions of public sets, asked of the small real model from end to end: what completes, and whether citations hold.

Takes hours on two cores, so it runs by name only; what an earlier run recorded is found again.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import chain, islice, zip_longest
from pathlib import Path
from typing import Final

from benchmarks.table import BenchmarkTable
from longdoc.agents.citations import Citation
from longdoc.agents.claim_checker import ClaimCheck, Verdict
from longdoc.app.ask import ask
from longdoc.app.bootstrap import Workspace, open_workspace
from longdoc.app.check import check_claims
from longdoc.app.finding import AskOptions
from longdoc.app.shelf import shelf_of
from longdoc.config import load_settings
from longdoc.documents.document import Document
from longdoc.engines.budget import Budget
from longdoc.errors import LdaError
from longdoc.evaluation.nocha import ClaimedBook, ClaimPair, PairVerdicts, pair_figures, read_nocha
from longdoc.evaluation.qmsum import read_qmsum
from longdoc.evaluation.squality import Story, read_squality, story_document

_QA = Path("../shared/data/qa")
_MODEL = os.environ.get("LDA_BENCH_MODEL", "smollm2-135m")
"""A catalogue name or a GGUF file."""
_COUNT = int(os.environ.get("LDA_BENCH_QUESTIONS", "5"))
"""Questions of each set, and pairs of claims."""
_RECORD = Path(".cache/benchmarks/question_sets.db")
_LEFT_OUT: Final = " … "
_VERDICTS: Final = {Verdict.TRUE: True, Verdict.FALSE: False, Verdict.NOT_STATED: None}
_COLUMNS = (
    "set",
    "asked",
    "completed",
    "found",
    "claims made",
    "citations printed",
    "that stand in the text",
    "quotes dropped",
    "pairs right",
)


@dataclass(slots=True)
class SetFigures:
    """What came of the questions of a set; for claims that are checked, `found` are those judged true or false."""

    name: str
    asked: int = 0
    completed: int = 0
    found: int = 0
    claims: int = 0
    citations: int = 0
    standing: int = 0
    dropped: int = 0
    pairs: str = ""

    @property
    def passed(self) -> bool:
        """Whether everything came to its end, and all that is cited stands in the text."""
        return self.completed == self.asked and self.standing == self.citations

    def row(self) -> list[str]:
        """As a row of the table."""
        counts = (self.asked, self.completed, self.found, self.claims, self.citations, self.standing, self.dropped)
        return [self.name, *map(str, counts), self.pairs]

    def cite(self, citations: Sequence[Citation], document: Document) -> None:
        """Count citations, and look each up in the text."""
        self.citations += len(citations)
        self.standing += sum(stands(citation, document) for citation in citations)


@dataclass(frozen=True, slots=True)
class _Asked:
    """A question about a document."""

    document: Document
    question: str


def run() -> BenchmarkTable:
    """Ask and check, and look every citation up in its text."""
    title = "Questions of public sets, from end to end"
    if not _QA.exists():
        rows = [["all", "skipped: the folder of shared data is absent", *[""] * (len(_COLUMNS) - 2)]]
        return BenchmarkTable(title, _how(), _COLUMNS, rows, passed=True)
    found = asyncio.run(_measured())
    return BenchmarkTable(title, _how(), _COLUMNS, [one.row() for one in found], all(one.passed for one in found))


def _how() -> str:
    return (
        f"By {Path(_MODEL).name}, embedded, as `lda ask` (`auto`) and `lda check` do it: the first question about a "
        f"part and the first about the whole of {_COUNT} meetings of QMSum each, the second (the first is always "
        f"for the plot) about {_COUNT} stories of SQuALITY, and {_COUNT} pairs of claims about novels (NoCha; a pair "
        "is right where the true claim is called true and the false one false, by chance one in four). Found: answered "
        "from the text, or judged. Every citation is looked up here once more, by its offsets. So small a model "
        "answers hardly any of it well. Target: everything completes, and all that is cited stands in the text."
    )


async def _measured() -> list[SetFigures]:
    _RECORD.parent.mkdir(parents=True, exist_ok=True)
    settings = load_settings({"engine": "embedded", "model": _MODEL, "database": str(_RECORD)})
    async with open_workspace(settings, budget=Budget(), notify=_ignore, progress=_ignore) as workspace:
        return await measure(workspace, _QA, count=_COUNT)


async def measure(workspace: Workspace, data: Path, *, count: int) -> list[SetFigures]:
    """What comes of so many questions of each set in a folder. Raises what a later run may overcome."""
    meetings = list(islice(read_qmsum(data / "qmsum" / "val.jsonl"), count))
    stories = read_squality(data / "squality" / "dev.jsonl")[:count]
    sets = {
        "QMSum, parts": [_Asked(one.document, one.specific[0].question) for one in meetings if one.specific],
        "QMSum, the whole": [_Asked(one.document, one.general[0].question) for one in meetings if one.general],
        "SQuALITY": [_Asked(story_document(one), _about_a_part(one)) for one in stories],
    }
    answered = [await _answered(workspace, name, asked) for name, asked in sets.items()]
    return [*answered, await _checked(workspace, read_nocha(data / "nocha"), count)]


def _about_a_part(story: Story) -> str:
    """The second question where there are several: the first one is for the plot of every story."""
    return story.questions[min(1, len(story.questions) - 1)].question


def stands(citation: Citation, document: Document) -> bool:
    """Whether a citation is what it says: its words at its offsets, one after the other where some are left out."""
    text = document.text[citation.start : citation.end]
    if citation.document_id != document.id or not citation.quote.strip():
        return False
    pieces = [citation.quote] if citation.quote == text else citation.quote.split(_LEFT_OUT)
    position = 0
    for piece in pieces:
        position = text.find(piece, position)
        if position < 0:
            return False
        position += len(piece)
    return text.startswith(pieces[0]) and text.endswith(pieces[-1])


async def _answered(workspace: Workspace, name: str, asked: Sequence[_Asked]) -> SetFigures:
    figures = SetFigures(name)
    for one in asked:
        figures.asked += 1
        with closing(await shelf_of(workspace.records, [one.document])) as shelf:
            try:
                result = await ask(workspace, shelf, one.question, AskOptions(), emit=_ignore)
            except LdaError as error:
                _report(f"{name}, {one.question}: {error}", error)
                continue
        answer = result.answer
        figures.completed += 1
        figures.found += answer.found
        figures.claims += len(answer.claims)
        figures.dropped += answer.dropped
        figures.cite([citation for claim in answer.claims for citation in claim.citations], one.document)
        print(f"{name}, {one.document.title}, {result.choice.strategy}: {answer.text[:80]!r}", flush=True)
    return figures


async def _checked(workspace: Workspace, books: Sequence[ClaimedBook], count: int) -> SetFigures:
    """What comes of pairs of claims, drawn from the books in turn."""
    figures = SetFigures("NoCha")
    verdicts: list[PairVerdicts] = []
    for book, pair in islice(_in_turn(books), count):
        claims = [pair.true.text, pair.false.text]
        figures.asked += len(claims)
        with closing(await shelf_of(workspace.records, [book.document])) as shelf:
            try:
                result = await check_claims(workspace, shelf, claims, AskOptions(), emit=_ignore)
            except LdaError as error:
                _report(f"NoCha, {pair.index}: {error}", error)
                continue
        for checked in result.claims:
            _count(checked.check, figures, book.document)
        true, false = (None if one.check is None else _VERDICTS[one.check.verdict] for one in result.claims)
        verdicts.append(PairVerdicts(true, false))
        print(f"NoCha, {book.name}, {pair.index}: said {true} of the true one, {false} of the false one", flush=True)
    pairs = pair_figures(verdicts).pairs
    figures.pairs = f"{pairs.hits} of {pairs.cases}"
    return figures


def _count(check: ClaimCheck | None, figures: SetFigures, document: Document) -> None:
    if check is None:
        return
    figures.completed += 1
    figures.found += check.verdict is not Verdict.NOT_STATED
    figures.claims += 1
    figures.dropped += check.dropped
    figures.cite([*check.supporting, *check.contradicting], document)


def _in_turn(books: Sequence[ClaimedBook]) -> Iterator[tuple[ClaimedBook, ClaimPair]]:
    rows = zip_longest(*([(book, pair) for pair in book.pairs] for book in books))
    return filter(None, chain.from_iterable(rows))


def _report(failure: str, error: LdaError) -> None:
    """Tell of a failure that lasts; raises one that a later run may overcome."""
    if error.resumable:
        raise error
    print(f"failed: {failure}", flush=True)


def _ignore(*heard: object) -> None:
    del heard
