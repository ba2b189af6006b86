"""The plan of a summary: it fits the window, ends, covers the text, and follows the book's structure."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from longdoc.agents.summary_plan import PlannedNode, SummaryPlan, WindowLimits, plan_summary
from longdoc.documents.document import Document, Section, SectionRole
from longdoc.documents.segments import Segment
from longdoc.errors import ConfigError

BODY = SectionRole.BODY


def segments_of(count: int, *, tokens: int = 2048, sections: list[int | None] | None = None) -> list[Segment]:
    return [Segment(i, i * 100, (i + 1) * 100, tokens, BODY, sections[i] if sections else None) for i in range(count)]


def plan(
    count: int,
    *,
    window: int = 8192,
    final: int = 900,
    tokens: int = 2048,
    document: Document | None = None,
    sections: list[int | None] | None = None,
) -> SummaryPlan:
    document = document or Document("d", "x" * 100 * count, "text")
    limits = WindowLimits(window=window, overhead=300, final=final)
    return plan_summary(document, segments_of(count, tokens=tokens, sections=sections), limits, words=585)


def prompt_size(result: SummaryPlan, node: PlannedNode) -> int:
    children = sum(result.nodes[child].limit for child in node.children)
    own = node.segment.tokens if node.segment else 0
    return result.overhead + own + children + (node.context_limit if node.context is not None else 0) + node.limit


@given(st.integers(1, 3000), st.sampled_from([1500, 2048, 4096, 8192, 32768, 200_000]), st.integers(50, 4000))
def test_every_call_fits_the_window_and_all_ends_in_one_root(count: int, window: int, final: int) -> None:
    assume(final < window // 3)
    try:
        result = plan(count, window=window, final=final, tokens=min(2048, window // 2))
    except ConfigError:
        assume(False)
    assert all(prompt_size(result, node) <= window for node in result.nodes)
    used = sorted(child for node in result.nodes for child in node.children)
    assert used == list(range(len(result.nodes) - 1))
    assert [n.segment.index for n in result.nodes if n.segment] == list(range(count))


@given(st.integers(1, 500))
def test_nodes_come_after_what_they_need(count: int) -> None:
    assert all(dependency < node.number for node in plan(count).nodes for dependency in node.dependencies)


@given(st.integers(2, 500))
def test_merges_have_at_least_two_children(count: int) -> None:
    assert all(len(node.children) >= 2 for node in plan(count).nodes if node.segment is None)


def test_the_paper_s_check_value_has_three_levels() -> None:
    """93 segments of 2048 tokens, window 8192 (spec of the paper's code): 380, 585 and 900 tokens."""
    result = plan(93)
    assert result.levels == 3
    assert {node.level: (node.limit, node.words) for node in result.nodes} == {
        0: (380, 247),
        1: (585, 380),
        2: (900, 585),
    }


def test_a_changed_length_within_a_tier_changes_only_the_root() -> None:
    longer, shorter = plan(40, final=900).nodes, plan(40, final=300).nodes
    assert longer[:-1] == shorter[:-1]
    assert (longer[-1].limit, shorter[-1].limit) == (900, 300)


def test_a_much_longer_summary_gets_more_detail_below() -> None:
    assert plan(40, window=32768, final=3000).nodes[0].limit > plan(40, window=32768, final=900).nodes[0].limit


def test_one_segment_is_one_call() -> None:
    assert len(plan(1).nodes) == 1


def test_chapters_get_nodes_of_their_own() -> None:
    chapters = tuple(Section(f"Chapter {i + 1}", i * 200, (i + 1) * 200) for i in range(3))
    document = Document("d", "x" * 600, "text", sections=chapters)
    result = plan(6, document=document, sections=[0, 0, 1, 1, 2, 2])
    assert [node.title for node in result.nodes if node.level == 1] == ["Chapter 1", "Chapter 2", "Chapter 3"]


def test_a_book_that_is_one_big_section_still_has_its_chapters() -> None:
    chapters = tuple(Section(f"Chapter {i + 1}", i * 200, (i + 1) * 200) for i in range(2))
    book = Section("The Book", 0, 400, children=chapters)
    document = Document("d", "x" * 400, "text", sections=(book,))
    result = plan(4, document=document, sections=[1, 1, 2, 2])
    assert [node.title for node in result.nodes if node.level == 1] == ["Chapter 1", "Chapter 2"]


def test_only_the_body_is_summarized() -> None:
    segments = [Segment(0, 0, 100, 50, SectionRole.LICENCE, None), Segment(1, 100, 200, 50, BODY, None)]
    limits = WindowLimits(window=8192, overhead=300, final=900)
    result = plan_summary(Document("d", "x" * 200, "text"), segments, limits, words=585)
    assert [node.start for node in result.nodes] == [100]


def test_each_merge_after_the_first_of_its_level_sees_the_one_before() -> None:
    merges = [node for node in plan(93).nodes if node.level == 1]
    assert [node.context for node in merges] == [None, *(node.number for node in merges[:-1])]


def test_a_segment_too_large_for_the_window_is_refused_with_the_numbers() -> None:
    with pytest.raises(ConfigError, match=r"segment of 4000 tokens.*template of 300.*window of 4096"):
        plan(3, window=4096, tokens=4000)


def test_a_window_too_small_for_a_merge_is_refused_with_the_numbers() -> None:
    with pytest.raises(ConfigError, match="window of 512"):
        plan(3, window=512, tokens=50)
