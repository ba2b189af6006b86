"""Fusing rankings."""

import pytest

from longdoc.documents.document import SectionRole
from longdoc.documents.segments import Segment
from longdoc.retrieval.hits import Hit, fuse


def hit(start: int, score: float) -> Hit:
    return Hit("a", Segment(0, start, start + 10, 3, SectionRole.BODY, None), score)


def scores(fused: list[Hit]) -> dict[int, float]:
    return {one.segment.start: round(one.score, 6) for one in fused}


def test_what_two_rankings_find_has_the_mean_of_both_scores_and_the_ranks_in_both() -> None:
    fused = fuse({"lexical": [hit(0, 0.4), hit(20, 0.3)], "dense": [hit(40, 0.6), hit(20, 0.5)]}, depth=9)
    assert fused[0].segment.start == 20
    assert fused[0].ranks == {"lexical": 2, "dense": 2}
    assert scores(fused) == {20: 0.4, 40: 0.3, 0: 0.2}


def test_what_a_ranking_that_was_cut_off_has_not_is_scored_as_its_last() -> None:
    lexical, dense = [hit(0, 0.4), hit(20, 0.3)], [hit(40, 0.6), hit(60, 0.5)]
    assert scores(fuse({"lexical": lexical, "dense": dense}, depth=2)) == {0: 0.45, 40: 0.45, 20: 0.4, 60: 0.4}
    assert scores(fuse({"lexical": lexical, "dense": dense}, depth=3)) == {40: 0.3, 60: 0.25, 0: 0.2, 20: 0.15}


def test_equal_scores_are_in_document_order_and_a_ranking_alone_keeps_its_order() -> None:
    assert [one.segment.start for one in fuse({"dense": [hit(20, 0.5), hit(0, 0.5)]}, depth=9)] == [0, 20]
    alone = [hit(start, 1 / (2 + place)) for place, start in enumerate((60, 0, 40, 20))]
    assert [one.segment.start for one in fuse({"dense": alone}, depth=2)] == [60, 0, 40, 20]
    assert fuse({}, depth=9) == []


@pytest.mark.parametrize("depth", [1, 2, 9])
def test_a_hit_that_every_ranking_has_first_is_first(depth: int) -> None:
    rankings = {name: [hit(80, 0.5), hit(start, 0.4)] for name, start in (("lexical", 0), ("dense", 20))}
    assert fuse(rankings, depth=depth)[0].segment.start == 80
