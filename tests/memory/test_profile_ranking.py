from datetime import UTC, datetime, timedelta

from longdoc.memory.profile_ranking import at_random, bm25, by_meaning, by_words, fused, newest, words_of
from longdoc.storage.profile_types import Item

_NOW = datetime(2024, 1, 1, tzinfo=UTC)


def _item(number: int, text: str, output: str | None = None) -> Item:
    return Item(1, number, number, "title", f"i{number}", text, output, "", _NOW + timedelta(days=number), _NOW)


_ITEMS = [_item(1, "A fix of the parser"), _item(2, "The weather in Kyoto"), _item(3, "Parser of dates", "Kyoto")]


def test_by_words_the_telling_ones_decide_and_ties_go_to_the_newest() -> None:
    assert [one.number for one in by_words("weather", _ITEMS, with_output=False)] == [2, 3, 1]
    assert by_words("nothing of it", _ITEMS[:2], with_output=False)[0].number == 1
    assert [one.number for one in by_words("", _ITEMS, with_output=False)] == [3, 2, 1]


def test_what_came_out_of_an_item_is_searched_where_that_is_asked_for() -> None:
    assert by_words("Kyoto", _ITEMS, with_output=False)[0].number == 2
    assert {one.number for one in by_words("Kyoto", _ITEMS, with_output=True)[:2]} == {2, 3}


def test_items_without_words_and_no_items_are_ranked_too() -> None:
    assert by_words("a", [], with_output=True) == []
    assert bm25(["a"], [[], []]) == [0.0, 0.0]
    assert len(by_words("parser", [_item(1, ""), _item(2, "…")], with_output=True)) == 2


def test_words_are_lower_case_and_signs_or_as_lamp_has_them() -> None:
    assert words_of("Fix: the Parser's 天気") == ["fix", "the", "parser", "s", "天", "気"]
    assert words_of("Fix: the Parser", whitespace=True) == ["Fix:", "the", "Parser"]


def test_by_meaning_and_fused() -> None:
    vectors = {1: [1.0, 0.0], 2: [0.0, 1.0]}
    assert by_meaning([0.0, 1.0], _ITEMS, vectors)[0].number == 2
    assert fused("parser", [0.0, 1.0], _ITEMS, vectors, with_output=False)[0].number == 2
    assert fused("parser dates", [0.0, 0.0], _ITEMS, vectors, with_output=False)[0].number == 3


def test_the_newest_and_a_seeded_order_without_repetition() -> None:
    assert [one.number for one in newest(_ITEMS)] == [3, 2, 1]
    first = at_random(_ITEMS, seed="a")
    assert first == at_random(list(reversed(_ITEMS)), seed="a")
    assert sorted(one.number for one in first) == [1, 2, 3]
