"""What sentences of summaries rest on: traced through the tree to the text, and traced anew where something changed."""

import asyncio
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from longdoc.agents.events import Emit, Event, Traced
from longdoc.agents.provenance import Tracer
from longdoc.documents.document import Block, Document, Metadata
from longdoc.engines.engine import CompletionRequest
from longdoc.engines.extractive import extractive_answer
from longdoc.errors import RequestRefusedError
from longdoc.retrieval.alignment import Aligner
from longdoc.storage.database import Database
from longdoc.storage.nodes import Node, Nodes
from longdoc.storage.supports import NodeSupport, SentenceSupport, Supports
from tests.agents.summarizing import METHODS, Answer, Outcome, summarize

NAMES = ("Ada", "Bela", "Chike", "Dara", "Emil", "Fatima", "Goran", "Hanna", "Ivo", "Jana", "Karim", "Lena")
THINGS = (
    "a lantern",
    "the ledger",
    "an anchor",
    "the violin",
    "a telescope",
    "the carriage",
    "an orchard",
    "the bakery",
)
ENTRIES = [
    f"{NAMES[i % 12]} of house number {i * 37 + 11} sold {THINGS[i % 8]} to the {i}th traveller from Odessa."
    for i in range(48)
]


def tales(entries: list[str] = ENTRIES) -> Document:
    """A book in which every sentence is unlike the others, two to a paragraph."""
    texts = [" ".join(entries[i : i + 2]) for i in range(0, len(entries), 2)]
    blocks: list[Block] = []
    position = 0
    for text in texts:
        blocks.append(Block(position, position + len(text)))
        position += len(text) + 2
    return Document("tales", "\n\n".join(texts), "text", Metadata(title="Tales"), blocks=tuple(blocks))


def summarized(
    path: Path, *, answer: Answer = extractive_answer, method: str = "hierarchical", **options: object
) -> Outcome:
    """A summary of the tales, by default of sentences copied from them."""
    given = {"document": tales(), "limit": 90, "window": 4096, **options}
    return summarize(path, answer, method=METHODS[method], **given)  # pyright: ignore[reportArgumentType]


def trace(
    path: Path, outcome: Outcome, document: Document | None = None, *, emit: Emit | None = None
) -> Mapping[str, NodeSupport]:
    """Trace the run of a summary over the record it was made in; what is returned is what is stored."""

    async def work() -> Mapping[str, NodeSupport]:
        database = await Database.open(path / "record.db")
        try:
            tracer = Tracer(Nodes(database), Supports(database))
            run_id = outcome.nodes[0].run_id
            traced = await tracer.trace(run_id, document or tales(), Aligner(None), emit=emit or (lambda _: None))
            assert await tracer.missing(run_id, document or tales()) == 0
            assert await Supports(database).of_run(run_id) == traced
            return traced
        finally:
            await database.aclose()

    return asyncio.run(work())


def count_traced(path: Path, outcome: Outcome, document: Document | None = None) -> int:
    """How many nodes had to be traced."""
    events: list[Event] = []
    trace(path, outcome, document, emit=events.append)
    return sum(isinstance(event, Traced) for event in events)


def said(node: Node, sentence: SentenceSupport) -> str:
    return node.text[sentence.start : sentence.end]


def entry_of(text: str) -> str:
    """What tells the sentences of the tales apart."""
    found = re.search(r"\d+th traveller", text)
    return found[0] if found else ""


@pytest.mark.parametrize("method", METHODS)
def test_a_copied_sentence_is_traced_to_where_it_stands(method: str, tmp_path: Path) -> None:
    outcome = summarized(tmp_path, method=method, limit=3000 if method == "full" else 90)
    text = tales().text
    traced = trace(tmp_path, outcome)
    assert set(traced) == {node.id for node in outcome.nodes}
    for node in outcome.nodes:
        assert traced[node.id].sentences, "every node says something"
        for sentence in traced[node.id].sentences:
            assert sentence.supported
            best_start, best_end = sentence.spans[0]
            assert entry_of(text[best_start:best_end]) == entry_of(said(node, sentence))


def test_leaves_rest_on_whole_sentences_of_their_own_segment(tmp_path: Path) -> None:
    outcome = summarized(tmp_path)
    text = tales().text
    traced = trace(tmp_path, outcome)
    for node in outcome.nodes:
        assert node.start is not None
        assert node.end is not None
        for start, end in (span for sentence in traced[node.id].sentences for span in sentence.spans):
            assert node.start <= start < end <= node.end
            assert text[start:end] in ENTRIES


def test_merged_sentences_rest_on_sentences_of_children_and_through_them_on_the_text(tmp_path: Path) -> None:
    outcome = summarized(tmp_path)
    by_id = {node.id: node for node in outcome.nodes}
    traced = trace(tmp_path, outcome)
    merges = [node for node in outcome.nodes if node.level > 0]
    assert merges
    for node in merges:
        for sentence in traced[node.id].sentences:
            below = [traced[child].sentences[number] for child, number in sentence.children]
            assert below
            assert set(sentence.spans) == {span for one in below for span in one.spans}
            assert sentence.score <= max(one.score for one in below)
            child, number = sentence.children[0]
            assert entry_of(said(by_id[child], traced[child].sentences[number])) == entry_of(said(node, sentence))


def test_a_running_summary_rests_on_the_version_before_or_on_the_new_segment(tmp_path: Path) -> None:
    outcome = summarized(tmp_path, method="incremental", answer=both_ends)
    traced = trace(tmp_path, outcome)
    for before, node in zip(outcome.nodes, outcome.nodes[1:], strict=False):
        assert before.end is not None
        for sentence in traced[node.id].sentences:
            old = entry_of(said(node, sentence)) in before.text
            assert bool(sentence.children) == old
            assert {child for child, _ in sentence.children} <= {before.id}
            assert (sentence.spans[0][0] < before.end) == old


def both_ends(request: CompletionRequest) -> str:
    """The summary so far, at most three sentences of it, and the last sentence of the new text."""
    prompt = request.messages[-1].content
    running = re.findall(r"<summary>\n(.*?)\n</summary>", prompt, re.DOTALL)
    text = re.findall(r"<text>\n(.*?)\n</text>", prompt, re.DOTALL)[-1]
    kept = re.findall(r"[^.]+\.", running[0])[-3:] if running else []
    return "".join([*kept, " " * bool(kept), re.findall(r"[^.\n]+\.", text)[-1].strip()]).strip()


def test_joined_parts_map_sentence_by_sentence(tmp_path: Path) -> None:
    document = tales(ENTRIES * 6)
    outcome = summarized(tmp_path, document=document, window=2048, words=600, limit=300)
    root, traced = outcome.nodes[-1], trace(tmp_path, outcome, document)
    assert outcome.summary is not None
    parts = [traced[part.node_id] for part in outcome.summary.parts]
    assert len(parts) > 1
    assert [sentence.children for sentence in traced[root.id].sentences] == [
        ((part.node_id, number),) for part in parts for number in range(len(part.sentences))
    ]
    by_id = {node.id: node for node in outcome.nodes}
    for sentence in traced[root.id].sentences:
        child, number = sentence.children[0]
        below = traced[child].sentences[number]
        assert said(root, sentence) == said(by_id[child], below)
        assert (sentence.spans, sentence.score) == (below.spans, below.score)


def test_what_the_text_does_not_say_is_unsupported_all_the_way_up(tmp_path: Path) -> None:
    made_up = "Seventeen dragons devoured Napoleon's submarine."

    def answer(request: CompletionRequest) -> str:
        return f"{extractive_answer(request)} {made_up}"

    outcome = summarized(tmp_path, answer=answer)
    traced = trace(tmp_path, outcome)
    for node in outcome.nodes:
        sentences = traced[node.id].sentences
        assert made_up in [said(node, sentence) for sentence in sentences]
        for sentence in sentences:
            if said(node, sentence) == made_up:
                assert (sentence.supported, sentence.spans, sentence.children) == (False, (), ())
            else:
                assert sentence.supported


def test_gaps_have_no_sentences_and_leave_the_others_alone(tmp_path: Path) -> None:
    def answer(request: CompletionRequest) -> str:
        if "5th traveller" in request.messages[-1].content and "<part>" not in request.messages[-1].content:
            raise RequestRefusedError("refused by policy")
        return extractive_answer(request)

    outcome = summarized(tmp_path, answer=answer)
    traced = trace(tmp_path, outcome)
    assert any(not node.text for node in outcome.nodes)
    for node in outcome.nodes:
        assert bool(traced[node.id].sentences) == bool(node.text)
        assert all(sentence.supported for sentence in traced[node.id].sentences)


def test_a_version_that_stayed_maps_to_the_version_before(tmp_path: Path) -> None:
    def answer(request: CompletionRequest) -> str:
        if "20th traveller" in request.messages[-1].content and "<summary>" in request.messages[-1].content:
            raise RequestRefusedError("refused by policy")
        return both_ends(request)

    outcome = summarized(tmp_path, answer=answer, method="incremental")
    traced = trace(tmp_path, outcome)
    gap = next(i for i, node in enumerate(outcome.nodes) if node.status == "gap")
    before = outcome.nodes[gap - 1].id
    assert [sentence.children for sentence in traced[outcome.nodes[gap].id].sentences] == [
        ((before, number),) for number in range(len(traced[before].sentences))
    ]


def test_what_is_traced_is_not_traced_again(tmp_path: Path) -> None:
    outcome = summarized(tmp_path)
    assert count_traced(tmp_path, outcome) == len(outcome.nodes)
    assert count_traced(tmp_path, outcome) == 0


def test_killed_in_between_it_goes_on(tmp_path: Path) -> None:
    outcome = summarized(tmp_path)
    seen = 0

    def killed(event: Event) -> None:
        nonlocal seen
        seen += isinstance(event, Traced)
        if seen == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        trace(tmp_path, outcome, emit=killed)
    assert count_traced(tmp_path, outcome) == len(outcome.nodes) - 5


def test_a_node_that_says_something_else_is_traced_anew_with_all_above_it(tmp_path: Path) -> None:
    outcome = summarized(tmp_path)
    trace(tmp_path, outcome)
    leaf = outcome.nodes[0]
    save(tmp_path, replace(leaf, text="Ada of house number 11 sold a lantern."))
    path_up = above(tmp_path, leaf.id)
    assert count_traced(tmp_path, outcome) == len(path_up) < len(outcome.nodes)
    assert count_traced(tmp_path, outcome) == 0


def save(path: Path, node: Node) -> None:
    async def work() -> None:
        database = await Database.open(path / "record.db")
        await Nodes(database).save(node)
        await database.aclose()

    asyncio.run(work())


def above(path: Path, node_id: str) -> set[str]:
    """A node and all that is made from it."""

    async def work() -> set[str]:
        database = await Database.open(path / "record.db")
        edges = await Nodes(database).edges(node_id.split(".", maxsplit=1)[0])
        await database.aclose()
        found = {node_id}
        for parent, child in edges:
            if child in found:
                found.add(parent)
        return found

    return asyncio.run(work())


def test_another_text_is_traced_anew(tmp_path: Path) -> None:
    outcome = summarized(tmp_path)
    trace(tmp_path, outcome)
    assert count_traced(tmp_path, outcome, replace(tales(), id="other")) == len(outcome.nodes)


WRITTEN = st.lists(
    st.sampled_from(
        [*ENTRIES[:6], "All is told.", "他走了。", "no end", "...", "“Why?” asked Mr. Brown.", "\n\n", "  "]
    ),
    min_size=1,
    max_size=6,
).map(" ".join)


@given(
    answers=st.lists(WRITTEN, min_size=1, max_size=5), method=st.sampled_from(["hierarchical", "incremental", "scm"])
)
@settings(max_examples=25, deadline=None)
def test_whatever_is_written_sentences_are_in_order_and_spans_in_the_text(
    tmp_path_factory: pytest.TempPathFactory, answers: list[str], method: str
) -> None:
    path = tmp_path_factory.mktemp("written")
    given_ones = iter(answers * 1000)
    outcome = summarized(path, answer=lambda _: next(given_ones), method=method, document=tales(ENTRIES[:16]))
    if not outcome.nodes:
        return
    document = tales(ENTRIES[:16])
    traced = trace(path, outcome, document)
    for node in outcome.nodes:
        position = 0
        for sentence in traced[node.id].sentences:
            assert position <= sentence.start < sentence.end <= len(node.text)
            assert said(node, sentence) == said(node, sentence).strip()
            assert not node.text[position : sentence.start].strip()
            assert 0 <= sentence.score <= 1
            assert sentence.supported == bool(sentence.spans)
            assert all(0 <= start < end <= len(document.text) for start, end in sentence.spans)
            position = sentence.end
        assert not node.text[position:].strip()
