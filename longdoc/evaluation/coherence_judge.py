"""The judge of coherence: asks an engine which sentences of a summary would confuse a reader.

Owns the two protocols and the work; what the answers are worth is `booookscore.py`. The judge sees the summary only:
no source, no reference. Source: Chang et al., "BooookScore" (ICLR 2024), section 4; sentence protocol as there, batch
protocol as in the code released later.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol, TypeAlias

from longdoc.agents.calls import request_of
from longdoc.agents.events import CallFinished, Emit, Event, NodeDone, Planned, Warned
from longdoc.agents.graph import run_graph
from longdoc.agents.structured import call_structured
from longdoc.documents.document import Document
from longdoc.engines.engine import CompletionRequest, Engine
from longdoc.errors import InvalidOutputError, RequestRefusedError
from longdoc.evaluation.booookscore import JudgedSentence, Judgement
from longdoc.evaluation.judge_answers import BatchAnswer, SentenceAnswer, batch_answer
from longdoc.prompts.catalogue import Quoted, render
from longdoc.storage.nodes import Node, Nodes, NodeStatus

_ANSWER_TOKENS = 160
"""The paper's 100 tokens for an answer, and room for the JSON around it."""

Span: TypeAlias = tuple[int, int]


@dataclass(frozen=True, slots=True)
class JudgedSummary:
    """A summary to be judged: its text as a document, and where its sentences stand in it."""

    document: Document
    spans: Sequence[Span]

    def sentence(self, index: int) -> str:
        """The text of a sentence."""
        start, end = self.spans[index]
        return self.document.text[start:end]


@dataclass(frozen=True, slots=True)
class Inquiry:
    """One call: what is asked, and the shape of the answer."""

    request: CompletionRequest
    shape: type[SentenceAnswer] | type[BatchAnswer]


class JudgeProtocol(Protocol):
    """A way of asking about the sentences of a summary."""

    @property
    def prompt(self) -> str:
        """The name of its template."""
        ...

    @property
    def sentences_a_call(self) -> int:
        """How many sentences one call asks about, at most."""
        ...

    def inquiry(self, summary: JudgedSummary, indexes: range) -> Inquiry:
        """What to ask about these sentences of a summary."""
        ...


class SentenceProtocol:
    """One call for each sentence, with the whole summary."""

    prompt = "judge/sentence"
    sentences_a_call = 1

    def inquiry(self, summary: JudgedSummary, indexes: range) -> Inquiry:
        """See `JudgeProtocol`."""
        # The number tells two identical sentences apart: the second one may be what confuses.
        variables = {
            "summary": _quote_all(summary),
            "sentence": _quote(summary, indexes.start),
            "number": indexes.start + 1,
            "total": len(summary.spans),
        }
        return Inquiry(request_of(render(self.prompt, variables), max_tokens=_ANSWER_TOKENS), SentenceAnswer)


class BatchProtocol:
    """One call for ten sentences: cheaper, more lenient, and not to be compared with the other."""

    prompt = "judge/batch"
    sentences_a_call = 10

    def inquiry(self, summary: JudgedSummary, indexes: range) -> Inquiry:
        """See `JudgeProtocol`."""
        variables = {
            "summary": _quote_all(summary),
            "sentences": [_quote(summary, index) for index in indexes],
            "first": indexes.start + 1,
            "last": indexes.stop,
            "total": len(summary.spans),
        }
        request = request_of(render(self.prompt, variables), max_tokens=_ANSWER_TOKENS * len(indexes))
        return Inquiry(request, batch_answer(len(indexes)))


PROTOCOLS: Final[Mapping[str, Callable[[], JudgeProtocol]]] = {"sentence": SentenceProtocol, "batch": BatchProtocol}
"""Every protocol by name."""


class CoherenceJudge:
    """Judges every sentence of some summaries, storing each judgement as a node."""

    def __init__(self, engine: Engine, nodes: Nodes, protocol: JudgeProtocol) -> None:
        self._engine = engine
        self._nodes = nodes
        self._protocol = protocol

    async def judge(
        self, summaries: Sequence[JudgedSummary], *, run_id: str, emit: Emit
    ) -> list[tuple[JudgedSentence, ...]]:
        """The judged sentences of each summary, in order.

        A sentence whose answer cannot be used, also when asked for once more, has a failed judgement. Raises
        `ContextTooLongError` where a summary does not fit the window, `BudgetExceededError`, `EngineError`.
        """
        work = _Work(self._engine, self._nodes, self._protocol, summaries, run_id=run_id, emit=emit)
        count = len(work.pieces)
        emit(Planned(work.sentences, f"{work.sentences} sentences, {count} {'call' if count == 1 else 'calls'}"))
        await run_graph([()] * count, work.ask)
        return work.result()


def inquiry_ranges(summary: JudgedSummary, protocol: JudgeProtocol) -> list[range]:
    """The sentences that each call asks about: all of them once, in order."""
    total, step = len(summary.spans), protocol.sentences_a_call
    return [range(start, min(start + step, total)) for start in range(0, total, step)]


@dataclass(frozen=True, slots=True)
class _Piece:
    """Sentences of one of the summaries to ask about; `first` numbers that summary's first sentence among all."""

    summary: JudgedSummary
    first: int
    indexes: range


class _Work:
    """The judging of some summaries: what is done so far. Each judgement has its place, whenever it comes."""

    def __init__(
        self,
        engine: Engine,
        nodes: Nodes,
        protocol: JudgeProtocol,
        summaries: Sequence[JudgedSummary],
        *,
        run_id: str,
        emit: Emit,
    ) -> None:
        self._engine = engine
        self._nodes = nodes
        self._protocol = protocol
        self._summaries = summaries
        self._run_id = run_id
        self._emit = emit
        self._judgements: dict[int, Judgement] = {}
        self.pieces = list(_pieces(summaries, protocol))
        self.sentences = sum(len(summary.spans) for summary in summaries)

    async def ask(self, number: int) -> None:
        piece = self.pieces[number]
        inquiry = self._protocol.inquiry(piece.summary, piece.indexes)
        calls: list[int] = []
        try:
            answer = await call_structured(
                self._engine,
                inquiry.request,
                inquiry.shape,
                purpose=_purpose(piece),
                emit=_noting(calls, self._emit),
            )
            judgements = answer.judgements()
        except (InvalidOutputError, RequestRefusedError) as error:
            judgements = (Judgement(failed=str(error)),) * len(piece.indexes)
            self._emit(Warned(f"{_purpose(piece)} could not be judged: {error}"))
        for index, judgement in zip(piece.indexes, judgements, strict=True):
            await self._store(piece, index, judgement, calls)

    def result(self) -> list[tuple[JudgedSentence, ...]]:
        found = iter(self._judgements[number] for number in range(self.sentences))
        return [
            tuple(
                JudgedSentence(summary.sentence(index), *span, next(found)) for index, span in enumerate(summary.spans)
            )
            for summary in self._summaries
        ]

    async def _store(self, piece: _Piece, index: int, judgement: Judgement, calls: Sequence[int]) -> None:
        number = piece.first + index
        start, end = piece.summary.spans[index]
        node = Node(
            id=f"{self._run_id}.{number}",
            run_id=self._run_id,
            number=number,
            level=0,
            title=f"sentence {index + 1}",
            text="" if judgement.failed else _in_words(judgement),
            status=NodeStatus.GAP if judgement.failed else NodeStatus.DONE,
            reason=judgement.failed,
            document_id=piece.summary.document.id,
            start=start,
            end=end,
        )
        await self._nodes.save(node, calls=calls)
        self._judgements[number] = judgement
        self._emit(NodeDone(node.id, 0, f"{piece.summary.document.title}, {node.title}", bool(judgement.failed)))


def _pieces(summaries: Sequence[JudgedSummary], protocol: JudgeProtocol) -> Iterator[_Piece]:
    first = 0
    for summary in summaries:
        for indexes in inquiry_ranges(summary, protocol):
            yield _Piece(summary, first, indexes)
        first += len(summary.spans)


def _noting(calls: list[int], emit: Emit) -> Emit:
    """The same events, with the ids of finished calls noted on their way."""

    def note(event: Event) -> None:
        if isinstance(event, CallFinished) and event.completion.call_id is not None:
            calls.append(event.completion.call_id)
        emit(event)

    return note


def _purpose(piece: _Piece) -> str:
    asked = piece.indexes
    which = f"sentence {asked.stop}" if len(asked) == 1 else f"sentences {asked.start + 1} to {asked.stop}"
    return f"{piece.summary.document.title}, {which}"


def _in_words(judgement: Judgement) -> str:
    if not judgement.confusing:
        return "confuses nobody"
    return f"{', '.join(judgement.labels)}: {judgement.question or ''}".strip(": ")


def _quote_all(summary: JudgedSummary) -> Quoted:
    text = summary.document.text
    return Quoted(text, {"document": summary.document.id, "start": 0, "end": len(text)})


def _quote(summary: JudgedSummary, index: int) -> Quoted:
    start, end = summary.spans[index]
    return Quoted(summary.sentence(index), {"document": summary.document.id, "start": start, "end": end})
