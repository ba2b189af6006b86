"""Scoring summaries from end to end: taken from files or runs, judged or looked up in annotations, reported."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from longdoc.agents.events import Emit
from longdoc.app.bootstrap import Records, Workspace
from longdoc.app.history import node_details
from longdoc.app.runs import RunUsage, open_run
from longdoc.documents.document import Document
from longdoc.documents.tokens import EstimatedTokens
from longdoc.engines.engine import Engine, EngineInfo
from longdoc.errors import ConfigError
from longdoc.evaluation.annotations import BookAnnotations, annotated_sentences, read_annotations, score_annotated
from longdoc.evaluation.booookscore import BookScore, JudgedSentence, SystemScore, score_book, score_system
from longdoc.evaluation.coherence_judge import (
    PROTOCOLS,
    CoherenceJudge,
    JudgedSummary,
    JudgeProtocol,
    inquiry_ranges,
)
from longdoc.evaluation.punkt_sentences import SPLITTER, punkt_spans
from longdoc.evaluation.summary_text import summary_from_text
from longdoc.json_value import JsonValue
from longdoc.prompts.catalogue import versions
from longdoc.storage.nodes import Node, Nodes
from longdoc.storage.runs import RunRequest, RunStatus

KIND: Final = "booookscore"
"""The kind of run that judging makes."""


@dataclass(frozen=True, slots=True)
class BooookscoreOptions:
    """What a user can ask of a score; `seed` is that of the interval. Raises `ConfigError` for what cannot work."""

    protocol: str = "sentence"
    seed: int = 0

    def __post_init__(self) -> None:
        if self.protocol not in PROTOCOLS:
            raise ConfigError(f"there is no protocol {self.protocol!r}; choose one of: {', '.join(PROTOCOLS)}")


@dataclass(frozen=True, slots=True)
class BookReport:
    """A summary with what was found about each sentence; `unmatched` entries of a file name none of them."""

    document: Document
    sentences: tuple[JudgedSentence, ...]
    score: BookScore
    unmatched: int = 0


@dataclass(frozen=True, slots=True)
class BooookscoreReport:
    """Scores with everything that makes them comparable, or not: equal in protocol, judge, prompt and splitter.

    Where annotations were read, there is no run, no judge and no prompt.
    """

    protocol: str
    splitter: str
    books: tuple[BookReport, ...]
    system: SystemScore
    judge: EngineInfo | None = None
    prompt: str | None = None
    run_id: str | None = None
    usage: RunUsage | None = None


@dataclass(frozen=True, slots=True)
class JudgingEstimate:
    """What judging takes, in calls and tokens, when every answer can be used at once; tokens at most."""

    sentences: int
    calls: int
    prompt_tokens: int
    completion_tokens: int


async def summary_of_run(records: Records, address: str) -> Document:
    """The result of a run, or a node of it ("<run>.<number>"), as a summary.

    Raises `NotFoundError`, `LdaError` where the run has no result, `ConfigError` where that is no summary.
    """
    details = await node_details(records, address)
    run = await records.runs.get(details.node.run_id)
    if run.kind == KIND:
        raise ConfigError(f"run {run.id} holds a score, not a summary; name the run of a summary")
    return summary_from_text(details.node.text, title=run.title, source=address)


async def judge_summaries(
    workspace: Workspace, summaries: Sequence[Document], options: BooookscoreOptions, *, fresh: bool, emit: Emit
) -> BooookscoreReport:
    """Let the engine judge every sentence, going on where an earlier run of the same request stopped.

    Raises what `CoherenceJudge.judge` raises; the run is closed with the fitting status first.
    """
    for summary in summaries:
        await workspace.records.documents.save(summary)
    protocol = PROTOCOLS[options.protocol]()
    prompt = f"{protocol.prompt}.v{versions(protocol.prompt)[-1]}"
    info = workspace.engine.info
    request = RunRequest(
        kind=KIND,
        title=summaries[0].title if len(summaries) == 1 else f"{len(summaries)} summaries",
        document_ids=[summary.id for summary in summaries],
        parameters=_parameters(options, prompt),
        model=info.identity,
    )
    async with open_run(workspace, request, fresh=fresh, emit=emit) as run:
        nodes = workspace.records.nodes
        tasks = [_split(summary) for summary in summaries]
        judged = await CoherenceJudge(run.engine, nodes, protocol).judge(tasks, run_id=run.id, emit=run.emit)
        books = tuple(
            BookReport(summary, sentences, _score(summary, sentences))
            for summary, sentences in zip(summaries, judged, strict=True)
        )
        system = score_system([book.score for book in books], seed=options.seed)
        run.result_node = await _store_scores(nodes, run.id, books, system)
        failed = any(book.score.failed for book in books)
        run.status = RunStatus.GAPS if failed else RunStatus.DONE
    return BooookscoreReport(options.protocol, SPLITTER, books, system, info, prompt, run.id, run.usage)


async def estimate_judging(
    workspace: Workspace, summaries: Sequence[Document], options: BooookscoreOptions
) -> JudgingEstimate:
    """What `judge_summaries` will take at most. Spends nothing: tokens are estimated where no tokenizer is."""
    protocol = PROTOCOLS[options.protocol]()
    sentences = calls = prompt_tokens = completion_tokens = 0
    for summary in map(_split, summaries):
        sentences += len(summary.spans)
        sizes = await _sizes(summary, protocol, workspace.engine)
        calls += len(sizes)
        prompt_tokens += sum(read for read, _ in sizes)
        completion_tokens += sum(written for _, written in sizes)
    return JudgingEstimate(sentences, calls, prompt_tokens, completion_tokens)


def score_annotations(summaries: Sequence[Document], path: Path, options: BooookscoreOptions) -> BooookscoreReport:
    """The scores that a file of annotations gives these summaries, without any call.

    A summary is found in the file by its source, with or without folder and extension, or by its title. Raises
    `DocumentError` for a file that cannot be used, `ConfigError` for a summary that is not in it.
    """
    annotations = read_annotations(path)
    books = tuple(_annotated(summary, _annotations_for(summary, annotations, path)) for summary in summaries)
    system = score_system([book.score for book in books], seed=options.seed)
    return BooookscoreReport(f"annotations from {path.name}", SPLITTER, books, system)


def _annotated(summary: Document, annotations: BookAnnotations) -> BookReport:
    sentences, unmatched = annotated_sentences(summary.text, punkt_spans(summary.text), annotations)
    score = score_annotated(summary.title, summary.text, sentences, annotations)
    return BookReport(summary, sentences, score, unmatched)


def _annotations_for(summary: Document, annotations: dict[str, BookAnnotations], path: Path) -> BookAnnotations:
    wanted = {summary.source, Path(summary.source).name, Path(summary.source).stem, summary.title}
    for book, found in annotations.items():
        if book in wanted or Path(book).stem in wanted:
            return found
    raise ConfigError(f"{path} holds nothing on {summary.source}; name the file as a book in it: {_some(annotations)}")


def _some(names: dict[str, BookAnnotations]) -> str:
    shown = list(names)[:5]
    return ", ".join(shown) + (" …" if len(names) > len(shown) else "")


def _split(summary: Document) -> JudgedSummary:
    return JudgedSummary(summary, punkt_spans(summary.text))


def _score(summary: Document, sentences: Sequence[JudgedSentence]) -> BookScore:
    return score_book(summary.title, summary.text, [sentence.judgement for sentence in sentences])


def _parameters(options: BooookscoreOptions, prompt: str) -> dict[str, JsonValue]:
    return {"protocol": options.protocol, "prompt": prompt, "splitter": SPLITTER, "seed": options.seed}


async def _store_scores(nodes: Nodes, run_id: str, books: Sequence[BookReport], system: SystemScore) -> str:
    """A node for each summary above its sentences and, for several, one above all; the id of the topmost."""
    number = sum(len(book.sentences) for book in books)
    first = 0
    above: list[str] = []
    for book in books:
        children = [f"{run_id}.{first + i}" for i in range(len(book.sentences))]
        first += len(children)
        node = Node(
            id=f"{run_id}.{number}",
            run_id=run_id,
            number=number,
            level=1,
            title=book.score.name,
            text=_in_words(book.score),
            document_id=book.document.id,
            start=0,
            end=len(book.document.text),
        )
        await nodes.save(node, children=children)
        above.append(node.id)
        number += 1
    if len(above) > 1:
        root = Node(f"{run_id}.{number}", run_id, number, 2, f"{len(books)} summaries", _mean_in_words(system))
        await nodes.save(root, children=above)
        above.append(root.id)
    return above[-1]


def _in_words(book: BookScore) -> str:
    if book.score is None:
        return f"no score: the judgement of all {book.sentences} sentences failed"
    judged = book.sentences - book.failed
    failed = f"; {book.failed} could not be judged" if book.failed else ""
    return f"BooookScore {100 * book.score:.1f}%: {book.confusing} of {judged} sentences confuse{failed}"


def _mean_in_words(system: SystemScore) -> str:
    if system.score is None:
        return "no score: no summary has one"
    used = len(system.books) - len(system.left_out)
    return f"BooookScore {100 * system.score:.1f}%, the mean over {used} summaries"


async def _sizes(summary: JudgedSummary, protocol: JudgeProtocol, engine: Engine) -> list[tuple[int, int]]:
    """Tokens of each call: read, and written at most. What the calls share is counted once."""
    requests = [protocol.inquiry(summary, indexes).request for indexes in inquiry_ranges(summary, protocol)]
    texts = list(dict.fromkeys(message.content for request in requests for message in request.messages))
    counter = engine if engine.info.exact_tokens else EstimatedTokens()
    counted = dict(zip(texts, await counter.count_tokens(texts), strict=True))
    return [(sum(counted[message.content] for message in request.messages), request.max_tokens) for request in requests]
