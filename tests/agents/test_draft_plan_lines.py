"""What a model says of a plan is read with patience; what is made of it adds up."""

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longdoc.agents.draft_plan_lines import (
    LineCount,
    PlanLine,
    PlanShape,
    bounded_shape,
    cleaned,
    fit_count,
    listed,
    plan_in,
    sections_of,
)
from longdoc.agents.structured import read_shape
from longdoc.errors import InvalidOutputError
from tests.agents.drafting import plan_json
from tests.agents.long_lines import HOSTILE


def lines(*words: float) -> list[PlanLine]:
    return [PlanLine(heading=f"H{n}", main_point=f"P{n}", words=each) for n, each in enumerate(words, 1)]


def read(*sections: object, **rest: object) -> PlanShape:
    return read_shape(json.dumps({"title": "Salt", "sections": sections, **rest}), PlanShape)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (300, 300),
        (300.6, 300.6),
        ("about 1,200 words", 1_200),
        ("300", 300),
        ("none", 0),
        (-300, 0),
        ("-300", 0),
        (None, 0),
        (True, 0),
        ([300], 0),
        ({"words": 3}, 0),
        (10**30, 0),
        ("9" * 5_000, 0),
    ],
)
def test_words_may_be_anything(said: object, words: float) -> None:
    assert read({"heading": "Sea", "words": said}).sections[0].words == words


@pytest.mark.parametrize("said", ["Infinity", "-Infinity", "NaN", "1e999", "9" * 4_000])
def test_numbers_that_are_none_are_not_known(said: str) -> None:
    plan = json.dumps({"sections": [{"heading": "Sea", "words": "?"}, {"heading": "Rock", "words": 5}]})
    found = plan_in(plan.replace('"?"', said))
    assert found is not None
    assert [(line.heading, line.words) for line in found.sections if line.words] == [("Rock", 5)]


def test_lines_that_say_nothing_or_the_same_again_do_not_count() -> None:
    sea = {"heading": "Sea", "main_point": "Salt from the sea.", "words": 100, "mood": "calm"}
    shape = read(sea, {}, {"heading": " "}, {"heading": "***", "main_point": "--"}, sea, "Rock", None, 5, [sea], mood=1)
    assert [line.heading for line in shape.sections] == ["Sea", "Rock", "5"]
    assert shape.sections[1].main_point == "Rock"


def test_other_names_a_list_alone_and_a_title_that_is_none() -> None:
    shape = read_shape('[{"title": "Sea", "description": "Of the sea."}]', PlanShape)
    assert [(line.heading, line.main_point) for line in shape.sections] == [("Sea", "Of the sea.")]
    assert read_shape('{"title": null, "sections": ["Sea"]}', PlanShape).title == ""


@pytest.mark.parametrize("text", ['{"title": "Salt", "sections": []}', '{"sections": [{}, null]}', "[]", "{}", "null"])
def test_a_plan_without_sections_is_none(text: str) -> None:
    with pytest.raises(InvalidOutputError):
        read_shape(text, PlanShape)
    assert plan_in(text) is None


def test_headings_are_one_short_line_without_labels_and_tags() -> None:
    said = [
        "1. Sea",
        "Section 3: Rock",
        "## Trade",
        "<b>Tax</b>",
        "第3章：战争",
        "一、起源",
        "  A\n b ",
        "1984",
        "Chapter 1",
    ]
    found = cleaned(PlanLine(heading=one, main_point=one) for one in said)
    assert [line.heading for line in found] == [
        "Sea",
        "Rock",
        "Trade",
        "Tax",
        "战争",
        "起源",
        "A b",
        "1984",
        "Chapter 1",
    ]
    long = cleaned([PlanLine(heading="word " * 200_000, main_point="<p>" + "x" * 1_000_000)])[0]
    assert len(long.heading) <= 120
    assert len(long.main_point) <= 400
    assert "<" not in long.main_point


def test_the_schema_tells_how_many_and_a_few_more_or_less_are_taken() -> None:
    shape = bounded_shape(LineCount(4, 6, 2, 8))
    schema = shape.model_json_schema()["properties"]["sections"]
    assert (schema["minItems"], schema["maxItems"]) == (4, 6)
    assert len(read_shape(plan_json(1, 1), shape).sections) == 2
    with pytest.raises(InvalidOutputError, match="at least 2 items"):
        read_shape(plan_json(1), shape)
    with pytest.raises(InvalidOutputError, match="at most 8 items"):
        read_shape(plan_json(*[1] * 9), shape)


def test_a_plan_in_prose_is_read_from_its_lines() -> None:
    text = (
        "Here is the plan:\n\n1. **The Sea**: Where salt comes from (300 words)\n\n"
        "2. Trade\n   - Main point: who sold it\n   - Words: 1,200\n"
        "Paragraph 3 - Main Point: The tax on salt - Word Count: 400 words\n- Rock\n\nI hope this helps!"
    )
    assert [(line.heading, line.main_point, line.words) for line in cleaned(listed(text))] == [
        ("The Sea", "Where salt comes from", 300),
        ("Trade", "who sold it", 1_200),
        ("The tax on salt", "The tax on salt", 400),
        ("Rock", "Rock", 0),
    ]
    assert [line.words for line in listed("一、起源：盐从何来（300字）\n第二节 贸易（1,200字左右）")] == [300, 1_200]


@pytest.mark.parametrize(
    "text", ["", "I cannot plan that.", "# \n\n***\n", "Words: 300", "<html><body>no</body></html>", "[" * 5_000]
)
def test_prose_without_a_plan_is_none(text: str) -> None:
    assert plan_in(text) is None


def test_of_a_plan_that_was_cut_the_whole_lines_are_taken() -> None:
    found = plan_in(plan_json(100, 200, 300)[:-20])
    assert found is not None
    assert [line.words for line in found.sections] == [100, 200]


@pytest.mark.parametrize("name", sorted(HOSTILE))
def test_long_lines_are_read_at_once(name: str) -> None:
    text = HOSTILE[name](200_000 if name != "opened" else 20_000)
    started = time.process_time()
    plan_in(text)
    listed(f"1. {text}\n{text}")
    cleaned([PlanLine(heading=text, main_point=text, sources=[text])])
    assert time.process_time() - started < 30


@given(st.lists(st.floats(0, 1e9), min_size=1, max_size=60), st.integers(1, 40), st.integers(1, 40))
def test_the_number_of_lines_fits_and_no_line_is_lost(words: list[float], one: int, other: int) -> None:
    fewest, most = sorted((one, other))
    fitted = fit_count(lines(*words), fewest, most)
    assert fewest <= len(fitted) <= most
    assert len({line.heading for line in fitted}) == len(fitted)
    assert sum(line.words for line in fitted) == pytest.approx(sum(words))
    if len(words) <= 20:
        assert all(any(f"P{n}" in line.main_point for line in fitted) for n in range(1, len(words) + 1))


def test_neighbours_are_joined_and_large_ones_are_divided() -> None:
    assert [line.heading for line in fit_count(lines(5, 1, 1, 5), 1, 3)] == ["H1", "H2", "H4"]
    assert fit_count(lines(5, 1, 1, 5), 1, 3)[1].main_point == "P2; P3"
    divided = fit_count([PlanLine(heading="World War (1939)", main_point="P", words=900), *lines(100)], 4, 9)
    assert [line.heading for line in divided] == [
        "World War (1939) (1)",
        "World War (1939) (2)",
        "World War (1939) (3)",
        "H1",
    ]
    with pytest.raises(InvalidOutputError, match="no section"):
        fit_count([], 1, 3)


@given(st.lists(st.floats(0, 1e9), min_size=1, max_size=40), st.integers(40, 40_000), st.integers(200, 1_000))
def test_budgets_add_up_and_are_of_a_sensible_size(words: list[float], total: int, most: int) -> None:
    sections = sections_of(lines(*words), total, ("Part",), most=most, grounded=False)
    assert sum(section.words for section in sections) == total
    if 200 * len(words) <= total <= most * len(words):
        assert all(200 <= section.words <= most for section in sections)


def test_numbers_that_are_ten_times_off_keep_their_proportions() -> None:
    for factor in (0.1, 1, 10):
        sections = sections_of(lines(*(factor * n for n in (200, 400, 600))), 1_200, (), most=1_000, grounded=False)
        assert [section.words for section in sections] == [200, 400, 600]


@given(st.text(max_size=400))
def test_any_answer_is_read(text: str) -> None:
    for found in (plan_in(text), plan_in(f"1. {text}"), plan_in(json.dumps({"sections": [{"heading": text}]}))):
        assert found is None or all(line.heading and "\n" not in line.heading for line in found.sections)


@pytest.mark.parametrize(
    "cut",
    [
        '{"title": "T",\n "sections": [\n  {"heading": "The sea", "main_point": "waves and waves and waves',
        '{"title": "T", "sections": [{"heading": "The sea", "main_point": "waves\\',
        '{"title": "T", "sections": [{"heading": "The sea", "words": 100',
        '{"title": "T", "sections": [{"heading": "The sea", "words": ',
        '{"title": "T", "sections": [{"heading": "The sea", "main_po',
        '{"title": "T", "sections": [{"heading": "The sea", "sources": ["an atl',
        '{"title": "T", "sections": [{"heading": "The sea", "sources": ["an atlas", ',
        '{"title": "T", "sections": [{"heading": "The sea", "sources": [',
    ],
)
def test_a_plan_that_was_cut_in_its_first_line_has_what_there_is_of_it(cut: str) -> None:
    plan = plan_in(cut)
    assert plan is not None
    assert [line.heading for line in plan.sections] == ["The sea"]
    whole = plan_in(cut.replace("[", '[{"heading": "The land", "main_point": "hills"}, ', 1))
    assert whole is not None
    assert [line.heading for line in whole.sections] == ["The land"]


def test_a_plan_that_was_cut_before_its_first_line_is_none() -> None:
    assert plan_in('{"title": "The sea and the') is None
