"""Lengths of texts against what was asked for, as they were published: counts, scores, ranges; and plans."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longdoc.evaluation.shares import Share
from longdoc.evaluation.writing_scores import (
    LengthBand,
    RulerTarget,
    band_score,
    benchmark_words,
    flexible_match,
    length_score,
    longen_words,
    plan_coverage,
    precise_match,
    ruler_words,
    sections_in_tolerance,
)

ASKED = st.integers(min_value=1, max_value=100_000)


@pytest.mark.parametrize(
    ("text", "published", "ruler", "longen"),
    [
        ("", 0, 0, 0),
        ("plain words here", 3, 3, 3),
        ("don't", 2, 2, 1),
        ("in 1923", 1, 2, 2),
        ("3.14", 0, 2, 1),
        ("café au lait", 2, 3, 3),
        ("well-known", 2, 2, 1),
        ("snake_case words", 1, 2, 2),
        ("A4 paper", 1, 2, 2),
        ("写一篇文章", 5, 1, 5),
        ("写文章，好。", 4, 2, 6),
        ("写Word文章", 3, 1, 4),
        ("写 Word 文章", 4, 3, 4),
        ("Привет мир", 0, 2, 2),
        ("ひらがな 漢字", 2, 2, 3),
        ("（ABC）", 1, 1, 3),
        ("- * #", 0, 0, 3),
    ],
)
def test_each_set_counts_words_in_its_own_way(text: str, published: int, ruler: int, longen: int) -> None:
    assert (benchmark_words(text), ruler_words(text), longen_words(text)) == (published, ruler, longen)


@pytest.mark.parametrize(
    ("written", "score"),
    [(0, 0), (600, 0), (900, 50), (1200, 75), (1620, 94.44), (1800, 100), (1980, 96.67), (3600, 66.67), (7200, 0)],
)
def test_a_length_score_is_as_published(written: int, score: float) -> None:
    assert length_score(1800, written) == pytest.approx(score, abs=0.005)


def test_a_length_score_needs_a_length() -> None:
    with pytest.raises(ValueError, match="needs a length"):
        length_score(0, 10)


@given(asked=ASKED, written=st.integers(min_value=0, max_value=1_000_000), more=st.integers(1, 1000))
def test_a_length_score_is_0_to_100_and_falls_on_both_sides(asked: int, written: int, more: int) -> None:
    score, further = length_score(asked, written), length_score(asked, written + more)
    assert 0 <= score <= 100
    assert (score == 100) is (written == asked)
    if written + more <= asked:
        assert score <= further
    if written >= asked:
        assert score >= further


RANGES = {
    "10": ((1, 20), (1, 20)),
    "30": ((21, 40), (21, 40)),
    "50": ((41, 60), (41, 60)),
    "80": ((71, 90), (61, 100)),
    "150": ((131, 170), (101, 200)),
    "300": ((281, 320), (201, 400)),
    "500": ((451, 550), (401, 600)),
    "700": ((631, 770), (601, 800)),
    ">800": ((801, None), (801, None)),
}


@pytest.mark.parametrize("target", RulerTarget)
def test_ranges_of_ruler_leave_out_their_beginning_and_hold_their_end(target: RulerTarget) -> None:
    for match, (first, last) in zip((precise_match, flexible_match), RANGES[target], strict=True):
        assert not match("word " * (first - 1), target)
        assert match("word " * first, target)
        assert match("word " * (last or 50_000), target)
        assert last is None or not match("word " * (last + 1), target)


@pytest.mark.parametrize(
    ("band", "written", "score"),
    [
        *[
            (LengthBand.about(1000), w, s)
            for w, s in ((400, 0), (600, 0.5), (800, 1), (1200, 1), (1500, 0.5), (1800, 0))
        ],
        (LengthBand(2000, 3000), 0, 0),
        (LengthBand(2000, 3000), 2000, 1),
        (LengthBand(2000, 3000), 3000, 1),
        (LengthBand(2000, 3000), 3750, 0.5),
        (LengthBand.above(2000), 2000, 1),
        (LengthBand.above(2000), 3000, 1),
        (LengthBand.above(2000), 1500, 0.5),
        (LengthBand.below(2000), 1000, 1),
        (LengthBand.below(2000), 2000, 1),
        (LengthBand.below(2000), 750, 0.5),
        (LengthBand(0, 100), 0, 1),
        (LengthBand.above(2000), 10**9, 0),
    ],
)
def test_a_band_score_is_as_published(band: LengthBand, written: int, score: float) -> None:
    assert band_score(band, written) == pytest.approx(score)


@pytest.mark.parametrize(("low", "high"), [(-1, 5), (5, 4), (0, 0)])
def test_a_band_that_no_text_can_meet_is_refused(low: int, high: int) -> None:
    with pytest.raises(ValueError, match="no text has from"):
        LengthBand(low, high)


def test_sections_are_in_tolerance_up_to_its_ends() -> None:
    assert sections_in_tolerance([1000] * 5, [849, 850, 1000, 1150, 1151]) == Share(3, 5)
    assert sections_in_tolerance([20, 60, 580], [23, 51, 667]) == Share(3, 3)
    assert sections_in_tolerance([], []).rate is None
    assert sections_in_tolerance([100], [110], tolerance=0.05) == Share(0, 1)


def test_a_point_is_treated_where_half_of_its_telling_words_stand_by_their_stems() -> None:
    points = [
        "The lighthouse keeper's daughters and their storm",
        "Why the harbour was closed in 1923",
        "",
        "A young cartographer discovers forged maps",
    ]
    sections = [
        "Two daughters kept a lighthouse. Storms came.",
        "Nothing of that kind: ships and their harbours.",
        "This has no point of its own.",
        "",
    ]
    assert plan_coverage(points, sections) == Share(1, 3)


def test_a_point_in_chinese_is_found_by_pairs_of_characters() -> None:
    points = ["主角的童年生活"] * 2
    assert plan_coverage(points, ["主角在海边度过了童年，生活简单。", "罗马帝国的历史。"]) == Share(1, 2)


def test_points_and_sections_belong_together() -> None:
    with pytest.raises(ValueError, match="zip"):
        plan_coverage(["one", "two"], ["one"])


@given(texts=st.lists(st.text(), max_size=4))
def test_no_text_breaks_a_measure(texts: list[str]) -> None:
    text = "\n".join(texts)
    assert min(benchmark_words(text), ruler_words(text), longen_words(text)) >= 0
    coverage = plan_coverage(texts, texts)
    assert coverage.hits == coverage.cases <= len(texts)
    assert all(precise_match(text, target) <= flexible_match(text, target) for target in RulerTarget)


def test_100_000_words_are_measured_within_seconds() -> None:
    sections = [" ".join(f"word{number % 997}" for number in range(start, start + 1000)) for start in range(100)]
    started = time.process_time()
    assert plan_coverage([section[:200] for section in sections], sections) == Share(100, 100)
    text = " ".join(sections)
    assert (ruler_words(text), longen_words(text), benchmark_words(text)) == (100_000, 100_000, 0)
    assert time.process_time() - started < 10
