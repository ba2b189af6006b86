"""Summaries with memory on a scripted engine and a real SQLite file: what a block is told, how merges end."""

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from longdoc.agents.scm import ScmSummarizer
from longdoc.agents.summary import SummaryTask
from longdoc.agents.tree_plan import SummaryPlan
from longdoc.documents.document import Block, Document, Metadata, SectionRole
from longdoc.documents.segments import Segment
from longdoc.engines.embedder_hashed import HashedEmbedder
from longdoc.engines.engine import CompletionRequest
from longdoc.engines.scripted import ScriptedEngine
from longdoc.errors import ConfigError, EngineAuthError, RequestRefusedError
from longdoc.storage.database import Database
from longdoc.storage.nodes import Nodes, NodeStatus
from tests.agents.summarizing import METHODS, Answer, Outcome, book, summarize

THEMES = ("whales", "glass", "whales", "bread", "glass", "whales", "bread", "whales")


def themed_book() -> Document:
    """A book in which each of eight long paragraphs has a theme."""
    texts = [f"Part {i} is about {theme}: " + f"{theme} here. " * 30 for i, theme in enumerate(THEMES)]
    texts = [text.strip() for text in texts]
    blocks: list[Block] = []
    position = 0
    for text in texts:
        blocks.append(Block(position, position + len(text)))
        position += len(text) + 2
    return Document("themes", "\n\n".join(texts), "text", Metadata(title="Themes"), blocks=tuple(blocks))


def work(path: Path, answer: Answer, **options: object) -> Outcome:
    """Summarize the book of themes, one theme a segment."""
    given = {"document": themed_book(), "limit": 130, "window": 16_384, **options}
    return summarize(path, answer, method=METHODS["scm"], **given)  # pyright: ignore[reportArgumentType]


def prompt(request: CompletionRequest) -> str:
    return request.messages[-1].content


def between(tag: str, request: CompletionRequest) -> list[str]:
    return re.findall(rf"<{tag}>\n(.*?)\n</{tag}>", prompt(request), re.DOTALL)


def theme_of(request: CompletionRequest) -> str:
    """Names the part and its theme, and that alone; a merge counts what it reads."""
    found = re.search(r"Part (\d+) is about (\w+)", "".join(between("text", request)))
    return f"Summary {found[1]} tells of {found[2]}." if found else f"A merge of {len(between('part', request))}."


def blocks(outcome: Outcome) -> list[CompletionRequest]:
    return [request for request in outcome.requests if between("text", request)]


def test_blocks_are_read_in_order_and_each_knows_the_one_before(tmp_path: Path) -> None:
    asked = blocks(work(tmp_path, theme_of))
    read = [re.findall(r"Part (\d+) is", "".join(between("text", request))) for request in asked]
    assert read == [[str(i)] for i in range(len(THEMES))]
    flash = [between("before", request) for request in asked]
    assert flash == [[], *([f"Summary {i} tells of {theme}."] for i, theme in enumerate(THEMES[:-1]))]


def test_each_recalls_the_two_closest_summaries_in_order_but_not_the_one_just_before(tmp_path: Path) -> None:
    recalled = [between("memory", request) for request in blocks(work(tmp_path, theme_of))]
    numbers = [[int(re.findall(r"\d+", memory)[0]) for memory in memories] for memories in recalled]
    assert [len(memories) for memories in numbers] == [0, 0, 1, 2, 2, 2, 2, 2]
    assert all(memories == sorted(memories) and max(memories, default=-2) < i - 1 for i, memories in enumerate(numbers))
    assert numbers[5] == [0, 2], "part 5 is about whales, as parts 0 and 2 are"
    assert 3 in numbers[6], "bread"
    assert numbers[7] == [2, 5], "of equally close ones the later"


def test_memories_are_background_and_the_merge_reads_all_blocks(tmp_path: Path) -> None:
    outcome = work(tmp_path, theme_of)
    assert outcome.summary is not None
    assert outcome.summary.text == "A merge of 8."
    assert outcome.summary.levels == 2
    assert [node.level for node in outcome.nodes] == [0] * 8 + [1]
    assert all("Write the summary of this text alone" in prompt(request) for request in blocks(outcome))


def test_a_refused_block_is_a_gap_that_nobody_remembers(tmp_path: Path) -> None:
    def answer(request: CompletionRequest) -> str:
        if "Part 2 is" in prompt(request):
            raise RequestRefusedError("refused by policy")
        return theme_of(request)

    outcome = work(tmp_path, answer)
    assert outcome.summary is not None
    assert outcome.summary.gaps == ("segment 3",)
    assert [node.number for node in outcome.nodes if node.status is NodeStatus.GAP] == [2]
    asked = blocks(outcome)
    assert all(between("before", request) for request in asked[2:-1]) is False
    assert not any("Summary 2" in prompt(request) for request in outcome.requests)


def test_what_was_done_before_a_failure_is_not_done_again(tmp_path: Path) -> None:
    made = 0

    def stopping(request: CompletionRequest) -> str:
        nonlocal made
        made += 1
        if made > 5:
            raise EngineAuthError("the key ran out")
        return theme_of(request)

    (tmp_path / "elsewhere").mkdir()
    whole = work(tmp_path / "elsewhere", theme_of)
    failed = work(tmp_path, stopping)
    resumed = work(tmp_path, theme_of)
    assert isinstance(failed.error, EngineAuthError)
    assert [prompt(request) for request in resumed.requests] == [prompt(request) for request in whole.requests[5:]]
    assert [node.text for node in resumed.nodes] == [node.text for node in whole.nodes]


def test_one_segment_is_one_call_of_the_length_asked_for(tmp_path: Path) -> None:
    outcome = work(tmp_path, lambda _: "word " * 39 + "end.", document=book(3), words=40)
    assert outcome.summary is not None
    assert (len(outcome.requests), outcome.summary.nodes) == (1, 1)
    assert "about 40 words" in prompt(outcome.requests[0])


def test_chapters_are_another_method_s_business(tmp_path: Path) -> None:
    assert "--method hierarchical" in str(work(tmp_path, theme_of, by_chapter=True).error)


def test_more_words_than_the_window_bears_are_refused_with_the_most_there_can_be(tmp_path: Path) -> None:
    error = work(tmp_path, theme_of, words=3000).error
    most = int(re.findall(r"at most (\d+) words", str(error))[0])
    assert work(tmp_path, lambda _: "word " * (most - 1) + "end.", words=most).summary is not None


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nodes]:
    """An empty record: planning writes nothing to it."""
    database = asyncio.run(Database.open(tmp_path_factory.mktemp("scm") / "record.db"))
    yield Nodes(database)
    asyncio.run(database.aclose())


def planned(
    nodes: Nodes, count: int, window: int, *, words: int | None = None, focus: str | None = None
) -> SummaryPlan:
    summarizer = ScmSummarizer(ScriptedEngine(context_window=window), nodes, HashedEmbedder())
    tokens = summarizer.segment_limit(window)
    segments = [Segment(i, i * 100, (i + 1) * 100, tokens, SectionRole.BODY, None) for i in range(count)]
    return summarizer.plan(SummaryTask(Document("d", "x" * 100 * count, "text"), segments, words=words, focus=focus))


@given(
    count=st.integers(1, 400),
    window=st.one_of(st.integers(500, 9000), st.sampled_from([8192, 32768, 200_000])),
    words=st.none() | st.integers(10, 3000),
    focus=st.sampled_from([None, "what it costs " * 100]),
)
def test_every_call_fits_the_window_no_target_is_negative_and_all_ends_in_one_root(
    nodes: Nodes, count: int, window: int, words: int | None, focus: str | None
) -> None:
    try:
        plan = planned(nodes, count, window, words=words, focus=focus)
    except ConfigError:
        assume(False)
    for node in plan.nodes:
        assert plan.reads(node) + node.limit * (2 if node.result and words else 1) <= window
        assert node.limit > 0
        assert node.words > 0
        assert all(number < node.number for number in node.dependencies)
    used = sorted(child for node in plan.nodes for child in node.children)
    assert used == list(range(len(plan.nodes) - 1))
    assert all(len(node.children) >= 2 for node in plan.nodes if node.segment is None)


@pytest.mark.parametrize("count", [1, 2, 7, 90])
@pytest.mark.parametrize("window", [1500, 2048, 4096, 8192, 131_072])
def test_segments_of_the_method_s_own_size_always_fit(nodes: Nodes, count: int, window: int) -> None:
    plan = planned(nodes, count, window)
    assert [node.number for node in plan.nodes if node.segment] == list(range(count))


def test_sizes_are_those_of_the_paper_in_a_window_of_eight_thousand(nodes: Nodes) -> None:
    plan = planned(nodes, 90, 8192)
    assert {(node.level, node.limit) for node in plan.nodes} == {
        (0, 770),
        *((level, 2048) for level in range(1, 6)),
        (6, 900),
    }


def test_a_segment_too_large_for_its_memories_is_refused_with_the_numbers(tmp_path: Path) -> None:
    outcome = work(tmp_path, theme_of, document=book(300), limit=1900, window=2048)
    assert re.search(
        r"segment of 1\d{3} tokens, memories of \d+, a template of \d+ and an answer of \d+.*window of 2048",
        str(outcome.error),
    )
    assert outcome.requests == []
