"""Figures of writing systems: what failed counts where it must, and nothing stands alone that misleads."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longdoc.evaluation.writing_prompts import Bucket
from longdoc.evaluation.writing_report import WritingFigures, WritingReport, WritingResult
from longdoc.evaluation.writing_tables import SCORE_COLUMNS, TEXT_COLUMNS, score_rows, text_rows


def result(
    prompt: str = "p1",
    *,
    system: str = "ours",
    asked: int | None = 1000,
    written: int = 1000,
    failure: str | None = None,
    quality: float | None = None,
    failed_judgements: int = 0,
    calls: int = 1,
) -> WritingResult:
    return WritingResult(
        system,
        prompt,
        "Fiction",
        asked,
        written=written,
        words=written,
        failure=failure,
        quality=quality,
        failed_judgements=failed_judgements,
        calls=calls,
    )


def figures(*results: WritingResult, bucket: Bucket | None = None) -> list[WritingFigures]:
    return WritingReport("t", results).figures(bucket=bucket)


def test_a_failed_generation_scores_0_on_length_is_counted_and_has_no_part_in_other_means() -> None:
    (one,) = figures(
        result("p1", quality=80, calls=5), result("p2", failure="engine lost", written=900, quality=90, calls=1)
    )
    assert one.length is not None
    assert one.quality is not None
    assert (one.failed, one.prompts, one.length.mean, one.length.prompts) == (1, 2, 50, 2)
    assert (one.quality.mean, one.quality.prompts, one.means["calls"]) == (80, 1, 5)


def test_a_failed_judgement_is_left_out_and_counted() -> None:
    (one,) = figures(
        result("p1", quality=80, failed_judgements=1), result("p2", failed_judgements=3), result("p3", quality=60)
    )
    assert one.quality is not None
    assert (one.quality.mean, one.unjudged, one.failed_judgements) == (70, 1, 4)


def test_overall_needs_both_scores() -> None:
    both, unjudged, unmeasured = figures(
        result(system="a", written=500, quality=80), result(system="b"), result(system="c", asked=None, quality=80)
    )
    assert (both.overall, unjudged.overall, unmeasured.overall) == (65, None, None)
    assert (unjudged.quality, unmeasured.length) == (None, None)


def test_means_are_over_prompts_however_often_one_was_tried() -> None:
    (one,) = figures(result("p1"), result("p1"), result("p1"), result("p2", written=0))
    assert one.length is not None
    assert (one.length.mean, one.length.prompts, one.prompts) == (50, 2, 2)


def test_an_interval_is_the_same_again_and_holds_the_mean() -> None:
    results = [result(f"p{number}", written=100 * number) for number in range(1, 21)]
    (first,), (again,) = figures(*results), figures(*results)
    assert first.length == again.length
    assert first.length is not None
    assert first.length.interval is not None
    low, high = first.length.interval
    assert 0 <= low < first.length.mean < high <= 100


def test_one_prompt_has_no_interval() -> None:
    (one,) = figures(result())
    assert one.length is not None
    assert one.length.interval is None


def test_buckets_are_told_apart_and_prompts_that_were_not_tried_are_missing() -> None:
    results = [
        result("short", asked=300),
        result("long", asked=5000, written=5000),
        result("long", asked=5000, system="paper"),
        result("free", asked=None),
    ]
    report = WritingReport("t", results)
    assert report.buckets == [Bucket.UNDER_500, Bucket.TO_20000]
    assert [(one.system, one.prompts, one.missing) for one in report.figures()] == [("ours", 3, 0), ("paper", 1, 2)]
    (short,) = report.figures(bucket=Bucket.UNDER_500)
    assert (short.system, short.bucket, short.prompts) == ("ours", Bucket.UNDER_500, 1)
    assert [one.missing for one in report.figures(bucket=Bucket.TO_20000)] == [0, 0]


def test_a_deviation_is_by_the_count_told_to_users() -> None:
    one = replace(result(asked=1000, written=1000), words=1100)
    assert (one.length_score, one.deviation) == (100, pytest.approx(0.1))


def test_a_report_is_json_with_every_result() -> None:
    report = WritingReport(
        "Title", [result(quality=75), result("p2", failure="gone")], settings={"judge": "m"}, remarks=["r"]
    )
    value = json.loads(json.dumps(report.to_json()))
    assert (value["title"], value["settings"], value["remarks"]) == ("Title", {"judge": "m"}, ["r"])
    assert [one["status"] for one in value["results"]] == ["done", "failed"]
    assert [one["length_score"] for one in value["results"]] == [100, 0]
    (one,) = value["figures"]
    assert (one["length_score"]["mean"], one["quality"]["mean"], one["overall"], one["failed"]) == (50, 75, 62.5, 1)
    assert one["quality"]["low"] is None
    assert [one["bucket"] for one in value["by_bucket"]["500-2k"]] == ["500-2k"]
    assert report.failures == [report.results[1]]


def test_rows_show_both_scores_with_their_intervals_and_gaps_as_such() -> None:
    some = figures(
        result("p1", quality=80, written=500), result("p2", quality=60), result(system="b", quality=None, asked=None)
    )
    rows = [dict(zip(SCORE_COLUMNS, row, strict=True)) for row in score_rows(some)]
    assert (rows[0]["S_l"], rows[0]["S_q"], rows[0]["S"]) == ("75.0 [50.0, 100.0]", "70.0 [60.0, 80.0]", "72.5")
    assert (rows[1]["S_l"], rows[1]["S_q"], rows[1]["S"], rows[1]["bucket"]) == ("-", "-", "-", "all")
    texts = [dict(zip(TEXT_COLUMNS, row, strict=True)) for row in text_rows(some)]
    assert (texts[0]["words"], texts[0]["off by"], texts[0]["plan"]) == ("750", "25.0%", "-")


@given(
    st.lists(
        st.builds(
            result,
            st.sampled_from("abc"),
            system=st.sampled_from("xy"),
            asked=st.none() | st.integers(1, 40_000),
            written=st.integers(0, 50_000),
            failure=st.sampled_from([None, "gone"]),
            quality=st.none() | st.floats(0, 100),
            failed_judgements=st.integers(0, 3),
        ),
        max_size=8,
    )
)
def test_scores_stay_in_their_range_and_every_result_has_its_place(results: list[WritingResult]) -> None:
    report = WritingReport("t", results)
    for bucket in (None, *report.buckets):
        some = report.figures(bucket=bucket)
        assert len(score_rows(some)) == len(text_rows(some)) == len(some)
        for one in some:
            assert all(mean is None or 0 <= mean.mean <= 100.0001 for mean in (one.length, one.quality))
    json.dumps(report.to_json())
