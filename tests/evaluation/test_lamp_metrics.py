"""The metrics of LaMP on cases whose values are worked out by hand, or by the published packages."""

from __future__ import annotations

import pytest

from longdoc.agents.profile_tasks import BUILT_IN, MOVIE_TAGS, Metric
from longdoc.errors import ConfigError
from longdoc.evaluation.lamp_metrics import farther_end, is_unreadable, score
from longdoc.evaluation.lamp_rouge import rouge_1, rouge_l


@pytest.mark.parametrize(
    ("reference", "text", "one", "longest"),
    [
        ("the cat sat on the mat", "the mat the cat sat", 0.9090909090909091, 0.5454545454545454),
        ("Fix the Door's hinge (#12)", "fix: door hinge, #12 and #13", 2 / 3, 2 / 3),
        ("a b c d", "d c b a", 1.0, 0.25),
        ("x", "", 0.0, 0.0),
        ("Größe der Tür", "groesse der tuer", 0.25, 0.25),
        ("one two two three", "two two two one three", 0.888888888888889, 0.6666666666666665),
    ],
)
def test_rouge_is_that_of_the_published_package(reference: str, text: str, one: float, longest: float) -> None:
    """The values are those of `rouge-score` 0.1.2 without stemming."""
    assert rouge_1(reference, text) == pytest.approx(one)
    assert rouge_l(reference, text) == pytest.approx(longest)


def test_accuracy_is_correct_of_all_and_an_unknown_label_is_wrong() -> None:
    golds = {"a": "[1]", "b": "[2]", "c": "[1]", "d": "[2]"}
    found = score(BUILT_IN["lamp-1"], golds, {"a": "[1]", "b": "[1]", "c": "both", "d": None})
    assert found == {Metric.ACCURACY: 0.25}


def test_f1_is_a_mean_over_all_listed_labels() -> None:
    golds = {"a": "comedy", "b": "comedy", "c": "action"}
    found = score(BUILT_IN["lamp-2"], golds, {"a": "comedy", "b": "action", "c": "action"})
    # comedy: precision 1, recall 1/2; action: precision 1/2, recall 1; the other thirteen: 0.
    assert found[Metric.F1] == pytest.approx((2 / 3 + 2 / 3) / len(MOVIE_TAGS))
    assert found[Metric.ACCURACY] == pytest.approx(2 / 3)


def test_an_unknown_label_is_a_miss_of_the_right_one() -> None:
    found = score(BUILT_IN["lamp-2"], {"a": "comedy", "b": "comedy"}, {"a": "comedy", "b": "news"})
    assert found[Metric.F1] == pytest.approx(2 / 3 / len(MOVIE_TAGS))


def test_mae_and_rmse_are_of_all_and_what_cannot_be_read_is_as_far_off_as_can_be() -> None:
    golds = {"a": "5", "b": "2", "c": "3", "d": "4"}
    found = score(BUILT_IN["lamp-3"], golds, {"a": "4", "b": "no idea", "c": None, "d": "4"})
    assert found[Metric.MAE] == pytest.approx((1 + 3 + 2 + 0) / 4)
    assert found[Metric.RMSE] == pytest.approx(((1 + 9 + 4 + 0) / 4) ** 0.5)


@pytest.mark.parametrize(("gold", "end"), [(1, 5), (2, 5), (3, 5), (4, 1), (5, 1)])
def test_the_farther_end(gold: float, end: float) -> None:
    assert farther_end(gold) == end


@pytest.mark.parametrize(
    ("task", "output", "unreadable"),
    [
        ("lamp-1", "[1]", False),
        ("lamp-1", "1", True),
        ("lamp-2", None, True),
        ("lamp-3", "4", False),
        ("lamp-3", "nan", True),
        ("lamp-3", "four", True),
        ("lamp-5", "A title", False),
        ("lamp-5", " ", True),
        ("label", "whatever", False),
    ],
)
def test_what_cannot_be_read_is_known(task: str, output: str | None, unreadable: bool) -> None:
    assert is_unreadable(BUILT_IN[task], output) is unreadable


def test_a_missing_answer_is_an_error_that_names_it() -> None:
    golds = {str(number): "4" for number in range(20)}
    with pytest.raises(ConfigError, match=r"no answer to 0, 1, 2, .* and 10 others"):
        score(BUILT_IN["lamp-3"], golds, {})
    with pytest.raises(ConfigError, match="no gold output for x"):
        score(BUILT_IN["lamp-3"], {"a": "4"}, {"a": "4", "x": "4"})
    with pytest.raises(ConfigError, match="no questions"):
        score(BUILT_IN["lamp-3"], {}, {})
    with pytest.raises(ConfigError, match="'much' is no number"):
        score(BUILT_IN["lamp-3"], {"a": "much"}, {"a": "4"})


def test_labels_that_no_task_lists_are_those_that_are_gold() -> None:
    found = score(BUILT_IN["label"], {"a": "red", "b": "blue"}, {"a": "red", "b": "red"})
    assert found[Metric.F1] == pytest.approx((2 / 3 + 0) / 2)
