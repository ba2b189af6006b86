"""The plan of a hierarchical summary: it fits the window, ends, covers the text, and follows the book's structure."""

from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from longdoc.agents.hierarchical_plan import MergeContext, plan_hierarchical
from longdoc.agents.summary import SummaryTask
from longdoc.agents.tree_plan import PlannedNode, SummaryPlan
from longdoc.agents.window_limits import WindowLimits
from longdoc.documents.document import Document, Section, SectionRole
from longdoc.documents.segments import Segment
from longdoc.errors import ConfigError

BODY = SectionRole.BODY
CONTEXTS = st.sampled_from(list(MergeContext))


def segments_of(count: int, *, tokens: int = 2048, sections: list[int | None] | None = None) -> list[Segment]:
    return [Segment(i, i * 100, (i + 1) * 100, tokens, BODY, sections[i] if sections else None) for i in range(count)]


def plan(
    count: int,
    *,
    window: int = 8192,
    words: int | None = None,
    tokens: int = 2048,
    document: Document | None = None,
    sections: list[int | None] | None = None,
    context: MergeContext = MergeContext.CHILD,
    by_chapter: bool = False,
) -> SummaryPlan:
    document = document or Document("d", "x" * 100 * count, "text")
    limits = WindowLimits(window=window, overhead=300)
    segments = segments_of(count, tokens=tokens, sections=sections)
    task = SummaryTask(document, segments, words=words, by_chapter=by_chapter)
    return plan_hierarchical(task, limits, context=context)


def chapters(count: int, *, leaves: int = 2) -> tuple[Document, list[int | None]]:
    size = leaves * 100
    sections = tuple(Section(f"Chapter {i + 1}", i * size, (i + 1) * size) for i in range(count))
    return Document("d", "x" * size * count, "text", sections=sections), [
        i for i in range(count) for _ in range(leaves)
    ]


def prompt_size(result: SummaryPlan, node: PlannedNode) -> int:
    children = sum(result.nodes[child].limit for child in node.children)
    own = node.segment.tokens if node.segment else 0
    return result.overhead + own + children + (node.context_limit if node.context is not None else 0) + node.limit


@given(st.integers(1, 3000), st.sampled_from([1500, 2048, 4096, 8192, 32768, 200_000]), st.integers(20, 9000), CONTEXTS)
def test_every_call_fits_the_window_and_all_ends_in_one_root(
    count: int, window: int, words: int, context: MergeContext
) -> None:
    try:
        result = plan(count, window=window, words=words, tokens=min(2048, window // 3), context=context)
    except ConfigError:
        assume(False)
    assert all(prompt_size(result, node) <= window for node in result.nodes if not node.joined)
    used = sorted(child for node in result.nodes for child in node.children)
    assert used == list(range(len(result.nodes) - 1))
    assert [n.segment.index for n in result.nodes if n.segment] == list(range(count))


@given(st.integers(1, 500), CONTEXTS)
def test_nodes_come_after_what_they_need(count: int, context: MergeContext) -> None:
    assert all(number < node.number for node in plan(count, context=context).nodes for number in node.dependencies)


@given(st.integers(2, 500))
def test_merges_have_at_least_two_children(count: int) -> None:
    assert all(len(node.children) >= 2 for node in plan(count).nodes if node.segment is None)


@given(st.integers(3, 300), st.integers(586, 6000))
def test_the_words_of_parts_are_those_asked_for_and_one_call_writes_each(count: int, words: int) -> None:
    assume(words <= count * 500)
    results = [node for node in plan(count, words=words).nodes if node.result]
    assert abs(sum(node.words for node in results) - words) <= len(results)
    assert all(0 < node.words <= 586 for node in results)


def test_the_paper_s_check_value_has_three_levels() -> None:
    """93 segments of 2048 tokens, window 8192 (spec of the paper's code): 380, 585 and 900 tokens."""
    result = plan(93)
    assert result.levels == 3
    assert {node.level: (node.limit, node.words) for node in result.nodes} == {
        0: (380, 247),
        1: (585, 380),
        2: (900, 585),
    }


def test_a_changed_length_of_one_part_changes_only_the_root() -> None:
    longer, shorter = plan(40, words=580).nodes, plan(40, words=200).nodes
    assert longer[:-1] == shorter[:-1]
    assert (longer[-1].words, shorter[-1].words) == (580, 200)


def test_a_long_summary_is_written_in_parts_over_the_same_summaries_of_segments() -> None:
    short, long = plan(90), plan(90, words=3000)
    assert long.root.joined
    assert len(long.root.children) == 7
    assert [n.segment for n in long.nodes if n.level == 0] == [n.segment for n in short.nodes if n.level == 0]
    assert {n.limit for n in long.nodes if n.level == 0} == {n.limit for n in short.nodes if n.level == 0}


def test_more_words_than_the_text_bears_are_refused_with_the_most_there_can_be() -> None:
    with pytest.raises(ConfigError, match=r"9,000 words are too many.*ask for at most 1,755"):
        plan(3, words=9000)


def test_one_segment_is_one_call() -> None:
    assert len(plan(1).nodes) == 1


def test_chapters_get_nodes_of_their_own() -> None:
    document, sections = chapters(3)
    result = plan(6, document=document, sections=sections)
    assert [node.title for node in result.nodes if node.level == 1] == ["Chapter 1", "Chapter 2", "Chapter 3"]


def test_a_book_that_is_one_big_section_still_has_its_chapters() -> None:
    inner = tuple(Section(f"Chapter {i + 1}", i * 200, (i + 1) * 200) for i in range(2))
    document = Document("d", "x" * 400, "text", sections=(Section("The Book", 0, 400, children=inner),))
    result = plan(4, document=document, sections=[1, 1, 2, 2])
    assert [node.title for node in result.nodes if node.level == 1] == ["Chapter 1", "Chapter 2"]


def test_by_chapter_every_chapter_is_a_result_of_its_own() -> None:
    document, sections = chapters(4)
    result = plan(8, document=document, sections=sections, by_chapter=True, words=100)
    roots = [node for node in result.nodes if node.result]
    assert [(node.title, node.words) for node in roots] == [(f"Chapter {i}", 100) for i in range(1, 5)]
    assert result.root.children == tuple(node.number for node in roots)


def test_by_chapter_a_segment_over_several_chapters_is_cut_where_they_begin() -> None:
    document, _ = chapters(4, leaves=1)
    limits = WindowLimits(window=8192, overhead=300)
    task = SummaryTask(document, [Segment(0, 0, 400, 999, BODY, None)], by_chapter=True)
    result = plan_hierarchical(task, limits, context=MergeContext.CHILD)
    assert [(n.start, n.end) for n in result.nodes if n.segment] == [(i * 100, i * 100 + 100) for i in range(4)]
    assert sum(n.segment.tokens for n in result.nodes if n.segment) == 1000


def test_by_chapter_needs_chapters() -> None:
    with pytest.raises(ConfigError, match="no chapters"):
        plan(3, by_chapter=True)


def test_only_the_body_is_summarized() -> None:
    segments = [Segment(0, 0, 100, 50, SectionRole.LICENCE, None), Segment(1, 100, 200, 50, BODY, None)]
    task = SummaryTask(Document("d", "x" * 200, "text"), segments)
    result = plan_hierarchical(task, WindowLimits(window=8192, overhead=300), context=MergeContext.CHILD)
    assert [node.start for node in result.nodes] == [100]


def test_with_previous_each_merge_sees_the_merge_before_it() -> None:
    merges = [node for node in plan(93, context=MergeContext.PREVIOUS).nodes if node.level == 1]
    assert [node.context for node in merges] == [None, *(node.number for node in merges[:-1])]


def test_with_child_each_merge_sees_the_summary_before_its_first_child_and_waits_for_no_merge() -> None:
    nodes = plan(93).nodes
    merges = [node for node in nodes if node.level == 1]
    for before, merge in pairwise(merges):
        assert merge.context == before.children[-1]
    assert all(nodes[number].level == 0 for merge in merges for number in merge.dependencies)


@given(st.integers(2, 400))
def test_child_context_ends_where_its_merge_begins(count: int) -> None:
    nodes = plan(count).nodes
    for node in nodes:
        if node.context is not None:
            assert nodes[node.context].end == node.start
            assert nodes[node.context].level < node.level


def test_a_segment_too_large_for_the_window_is_refused_with_the_numbers() -> None:
    with pytest.raises(ConfigError, match=r"segment of 4000 tokens.*template of 300.*window of 4096"):
        plan(3, window=4096, tokens=4000)


def test_a_window_too_small_for_a_merge_is_refused_with_the_numbers() -> None:
    with pytest.raises(ConfigError, match="window of 512"):
        plan(3, window=512, tokens=50)
