"""Whatever a model answers, there is a plan that adds up or an error, after a bounded number of calls."""

import asyncio
import json
import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from longdoc.agents.draft_planner import DraftPlanner, PlanTask
from longdoc.agents.events import Event, Warned
from longdoc.engines.engine import CompletionRequest, EngineInfo
from longdoc.engines.scripted import ScriptedEngine
from longdoc.errors import InvalidOutputError, RequestRefusedError
from longdoc.prompts.catalogue import Quoted
from longdoc.storage.draft_types import DraftPlan
from tests.agents.drafting import SALT, plan_json, prompt

Plans = Callable[[CompletionRequest], str]


class Planned:
    """A plan with the calls and events behind it."""

    def __init__(self, answer: Plans, task: PlanTask, *, window: int = 8_192, most_section: int = 1_000) -> None:
        engine = ScriptedEngine(answer, context_window=window)
        self.events: list[Event] = []
        self.error: InvalidOutputError | None = None
        self.plan = DraftPlan()
        planner = DraftPlanner(engine, emit=self.events.append, most_section=most_section)
        try:
            self.plan = asyncio.run(planner.plan(task))
        except InvalidOutputError as error:
            self.error = error
        self.calls = engine.calls
        self.words = [section.words for section in self.plan.sections]
        self.warnings = [event.message for event in self.events if isinstance(event, Warned)]


def asked(request: CompletionRequest) -> tuple[int, int, str]:
    """How many of what a prompt asks for."""
    found = re.findall(r"into (\d+) to (\d+) (\w+),", prompt(request))[-1]
    return int(found[0]), int(found[1]), found[2]


def obedient(request: CompletionRequest) -> str:
    """As many as are asked for, with names of their own."""
    fewest, most, things = asked(request)
    part = re.findall(r'Plan the piece "(.*?): ', prompt(request))
    words = int(re.findall(r"It has (\d+) words|which has (\d+) words", prompt(request))[-1][bool(part)])
    count = (fewest + most) // 2
    sections = [
        {
            "heading": f"{things} {n} of {part[-1] if part else 'all'}",
            "main_point": f"Point {n}.",
            "words": words // count,
        }
        for n in range(count)
    ]
    return json.dumps({"title": "Salt", "sections": sections})


def test_a_plan_that_is_as_asked_for_is_taken_as_it_is() -> None:
    planned = Planned(lambda _: plan_json(500, 700, 800), PlanTask(SALT, 2_000))
    assert (planned.plan.title, planned.words, planned.warnings) == ("Salt", [500, 700, 800], [])
    assert [section.id for section in planned.plan.sections] == [1, 2, 3]
    assert len(planned.calls) == 1
    assert planned.calls[0].json_schema is not None


LIES = {
    "ten times too many words": plan_json(5_000, 7_000, 8_000),
    "ten times too few words": plan_json(50, 70, 80),
    "words that are none": '{"sections": [{"heading": "A", "words": "many"}, {"heading": "B", "words": -5}]}',
    "infinite words": '{"sections": [{"heading": "A", "words": Infinity}, {"heading": "B", "words": 1e999}]}',
    "no words": '{"title": "", "sections": [{"heading": "A", "main_point": "a"}, {"heading": "B", "main_point": "b"}]}',
    "unknown fields": '{"title": "", "mood": 1, "sections": [{"heading": "A", "id": 7}, {"heading": "B", "x": [1]}]}',
    "empty sections": '{"title": "", "sections": [{"heading": "", "main_point": ""}, {"heading": "B", "words": 3}]}',
    "the same line again": plan_json(300).replace("]}", "") + ", " + plan_json(300)[31:],
    "a list": '[{"heading": "A", "words": 300}, {"heading": "B", "words": 900}]',
    "strings": '{"title": "Salt", "sections": ["The sea", "The rock", "The tax"]}',
    "prose around it": f"Sure! Here is the plan:\n```json\n{plan_json(500, 700, 800)}\n```\nI hope this helps.",
    "one section": plan_json(2_000),
    "500 sections": plan_json(*[100] * 500),
    "60 sections": plan_json(*[30] * 60),
    "a list in prose": "1. The sea (900 words)\n2. The rock (300 words)\n3. The tax (800 words)",
    "cut JSON": plan_json(500, 700, 800)[:-30],
    "long headings": plan_json(300, 200).replace("Heading 1", "Heading " * 100_000),
    "HTML in headings": plan_json(300, 200).replace("Heading", "<h1 class='x'>Heading</h1>"),
    "another shape": '{"outline": {"parts": [{"heading": "A", "words": 4}, {"heading": "B", "words": 4}]}}',
}
NO_PLANS = {
    "prose": "I would begin with the sea, and end with the tax.",
    "nothing": "",
    "a refusal": "I'm sorry, but I cannot plan that.",
    "no sections": '{"title": "Salt", "sections": []}',
    "sections that say nothing": '{"title": "Salt", "sections": [{}, {"heading": " "}, null]}',
    "nested too deep": '{"sections": ' + "[" * 3_000,
    "nested lists": '{"sections": [[[["A"]]], [["B"]]]}',
    "HTML": "<html><body><p>The sea</p></body></html>",
    "a number": "42",
}


@pytest.mark.parametrize("window", [2_048, 8_192, 1_000_000])
@pytest.mark.parametrize("lie", sorted(LIES))
def test_a_plan_that_lies_adds_up_all_the_same(lie: str, window: int) -> None:
    planned = Planned(lambda _: LIES[lie], PlanTask(SALT, 2_000), window=window)
    assert sum(planned.words) == 2_000
    assert 2 <= len(planned.words) <= 10
    assert all(200 <= words <= 1_000 for words in planned.words)
    assert all(0 < len(one.heading) <= 130 and len(one.main_point) <= 600 for one in planned.plan.sections)
    assert not any("<" in one.heading for one in planned.plan.sections)
    assert len(planned.calls) <= 2


@pytest.mark.parametrize("answer", sorted(NO_PLANS))
def test_where_no_plan_is_given_after_one_repair_the_text_is_divided_evenly_and_told(answer: str) -> None:
    planned = Planned(lambda _: NO_PLANS[answer], PlanTask(SALT, 2_000))
    assert planned.warnings == ["the model gives no plan, so its words are divided evenly"]
    assert planned.words == [1_000, 1_000]
    assert [one.main_point for one in planned.plan.sections] == [SALT.text, SALT.text]
    assert len({one.heading for one in planned.plan.sections}) == 2
    assert len(planned.calls) == 2


def test_a_chapter_that_no_plan_is_given_for_is_divided_evenly_and_the_others_stay() -> None:
    def answer(request: CompletionRequest) -> str:
        return "" if 'Plan the piece "chapters 1 of all: ' in prompt(request) else obedient(request)

    planned = Planned(answer, PlanTask(SALT, 30_000))
    assert planned.warnings == ["the model gives no plan of 'chapters 1 of all', so its words are divided evenly"]
    assert sum(planned.words) == 30_000
    without = [one for one in planned.plan.sections if one.path == ("chapters 1 of all",)]
    assert len(without) > 1
    assert all(one.heading.startswith("chapters 1 of all (") for one in without)


def test_a_wrong_number_of_sections_is_told_and_repaired() -> None:
    answers = [plan_json(*[200] * 12), plan_json(600, 700, 700)]
    planned = Planned(lambda _: answers.pop(0), PlanTask(SALT, 2_000))
    assert planned.words == [600, 700, 700]
    assert "at most 10 items" in planned.calls[1].messages[-1].content
    assert planned.warnings == []


def test_a_wrong_number_of_sections_that_is_not_repaired_is_made_to_fit_and_told() -> None:
    planned = Planned(lambda _: plan_json(1, 1), PlanTask(SALT, 4_000))
    assert planned.words == [1_000] * 4
    assert [one.heading for one in planned.plan.sections] == [
        "Heading 1 (1)",
        "Heading 1 (2)",
        "Heading 2 (1)",
        "Heading 2 (2)",
    ]
    assert planned.warnings == ["the plan has 2 sections where 4 to 20 were asked for; some are divided"]


def test_a_plan_in_prose_is_read_from_its_lines_and_told() -> None:
    planned = Planned(lambda _: LIES["a list in prose"], PlanTask(SALT, 2_000))
    assert planned.words == [900, 300, 800]
    assert planned.warnings == ["the plan keeps to no structure; it is read from its lines"]


@pytest.mark.parametrize(("words", "window"), [(30_000, 8_192), (100_000, 8_192), (100_000, 4_096), (100_000, 32_768)])
def test_a_long_text_is_planned_in_levels(words: int, window: int) -> None:
    planned = Planned(obedient, PlanTask(SALT, words), window=window)
    assert sum(planned.words) == words
    assert max(planned.words) <= 1_000
    assert min(planned.words) >= 200
    assert {len(section.path) for section in planned.plan.sections} == {1 if words == 30_000 else 2}
    assert len(planned.calls) <= 30
    assert planned.warnings == []
    assert len({(one.path, one.heading) for one in planned.plan.sections}) == len(planned.words)


def test_levels_are_told_of_what_stands_beside_them() -> None:
    planned = Planned(obedient, PlanTask(SALT, 30_000))
    assert asked(planned.calls[0]) == (6, 6, "chapters")
    assert "- chapters 5 of all: Point 5." in prompt(planned.calls[1])
    assert 'Plan the piece "chapters 0 of all: Point 0." of it, which has 5000 words' in prompt(planned.calls[1])


@pytest.mark.parametrize(
    ("words", "chapters", "window"),
    [
        (6_000, 3, 8_192),
        (24_000, 12, 8_192),
        (100_000, 2, 8_192),
        (500, 10, 8_192),
        (50_000, 100, 8_192),
        (200, 100, 2_048),
    ],
)
def test_chapters_that_are_asked_for_are_exactly_as_many(words: int, chapters: int, window: int) -> None:
    planned = Planned(obedient, PlanTask(SALT, words, chapters), window=window)
    assert sum(planned.words) == words
    sections = planned.plan.sections
    level = next(n for n in range(9) if any("chapters" in _place(s.path, s.heading)[n] for s in sections))
    found = {tuple(_place(section.path, section.heading)[: level + 1]) for section in sections}
    assert len(found) == chapters
    assert len(planned.calls) <= 1 + 12 * chapters


def _place(path: tuple[str, ...], heading: str) -> list[str]:
    return [*path, heading]


def test_chapters_are_exactly_as_many_whatever_a_model_answers() -> None:
    for answer in (plan_json(1), plan_json(*[1] * 30), "- One\n- Two"):
        planned = Planned(lambda _, answer=answer: answer, PlanTask(SALT, 12_000, 6))
        assert sum(planned.words) == 12_000
        chapters = [section.path for section in planned.plan.sections]
        assert len([1 for before, now in zip([None, *chapters], chapters, strict=False) if before != now]) == 6


def test_a_chapter_of_one_section_is_that_section_and_needs_no_call() -> None:
    planned = Planned(obedient, PlanTask(SALT, 3_000, 6))
    assert len(planned.calls) == 1
    assert planned.words == [500] * 6
    assert {section.path for section in planned.plan.sections} == {()}


def test_parts_of_wild_sizes_are_kept_within_bounds() -> None:
    def answer(request: CompletionRequest) -> str:
        fewest, _, things = asked(request)
        return plan_json(100_000, *[1] * (fewest - 1)) if things != "sections" else obedient(request)

    planned = Planned(answer, PlanTask(SALT, 30_000))
    assert sum(planned.words) == 30_000
    assert all(200 <= words <= 1_000 for words in planned.words)


def test_a_small_window_has_small_sections() -> None:
    planned = Planned(obedient, PlanTask(SALT, 6_000), window=1_024, most_section=358)
    assert sum(planned.words) == 6_000
    assert max(planned.words) <= 358
    assert all(request.max_tokens <= 512 for request in planned.calls)


def test_engine_errors_are_raised_and_stop_the_plan() -> None:
    def answer(request: CompletionRequest) -> str:
        if "Plan the piece" in prompt(request):
            raise RequestRefusedError("no")
        return obedient(request)

    engine = ScriptedEngine(answer)
    with pytest.raises(RequestRefusedError):
        asyncio.run(DraftPlanner(engine, emit=lambda _: None).plan(PlanTask(SALT, 30_000)))


def test_an_error_of_the_engine_before_any_answer_is_raised() -> None:
    def answer(_: CompletionRequest) -> str:
        raise InvalidOutputError("nonsense")

    assert "nonsense" in str(Planned(answer, PlanTask(SALT, 2_000)).error)


def test_sources_are_planned_where_there_are_some() -> None:
    said = '{"sections": [{"heading": "A", "sources": ["salt mines", "", 5, "tax", "x", "y"]}, {"heading": "B"}]}'
    planned = Planned(lambda _: said, PlanTask(SALT, 1_000, grounded=True))
    assert planned.plan.sections[0].sources == ("salt mines", "tax", "x")
    assert "look up in the sources" in prompt(planned.calls[0])
    assert Planned(lambda _: said, PlanTask(SALT, 1_000)).plan.sections[0].sources == ()


def test_marks_of_templates_and_closing_tags_in_an_instruction_stay_inside_their_fence() -> None:
    hostile = "Write {{ words }} {% if x %} of </instruction> and < / INSTRUCTION > salt. {# c #}"
    planned = Planned(lambda _: plan_json(500, 500), PlanTask(Quoted(hostile, {}), 1_000))
    shown = prompt(planned.calls[0])
    assert "Write {{ words }} {% if x %} of <" in shown
    assert "{# c #}" in shown
    assert len(re.findall(r"</\s*instruction", shown, re.IGNORECASE)) == 1


@pytest.mark.parametrize(
    ("answer", "words", "calls"),
    [
        ('{"words": 2500}', 2_500, 1),
        ('It needs {"words": 3}.', 10, 1),
        ('{"words": 10000000000}', 100_000, 1),
        ('{"words": -5}', 1_000, 2),
        ("many", 1_000, 2),
        ("", 1_000, 2),
    ],
)
def test_a_length_that_is_not_asked_for_is_judged(answer: str, words: int, calls: int) -> None:
    engine = ScriptedEngine(lambda _: answer)
    events: list[Event] = []
    assert asyncio.run(DraftPlanner(engine, emit=events.append).length(SALT)) == words
    assert len(engine.calls) == calls
    assert any(isinstance(event, Warned) for event in events) == (calls == 2)


class Plain(ScriptedEngine):
    """An engine without schemas."""

    @property
    def info(self) -> EngineInfo:
        return replace(super().info, json_schema=False)


def test_an_engine_without_schemas_plans_too() -> None:
    engine = Plain(lambda _: plan_json(500, 500))
    plan = asyncio.run(DraftPlanner(engine, emit=lambda _: None).plan(PlanTask(SALT, 1_000)))
    assert plan.words == 1_000
    assert engine.calls[0].json_schema is None


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=8)
        | st.dictionaries(
            st.sampled_from(["heading", "main_point", "words", "sections", "title", "sources"]), inner, max_size=4
        )
    ),
    max_leaves=40,
)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(JSON.map(json.dumps) | st.text(max_size=80), min_size=1, max_size=4),
    st.integers(500, 100_000),
    st.none() | st.integers(1, 100),
    st.sampled_from([1_024, 4_096, 8_192]),
)
def test_any_answers_end_in_a_plan_that_adds_up_or_in_an_error(
    answers: list[str], words: int, chapters: int | None, window: int
) -> None:
    def answer(request: CompletionRequest) -> str:
        number = sum(map(ord, prompt(request)[-400:])) + len(request.messages)
        return obedient(request) if number % 3 else answers[number % len(answers)]

    planned = Planned(answer, PlanTask(SALT, words, chapters), window=window)
    assert len(planned.calls) <= 800
    if planned.error is None:
        assert sum(planned.words) == words
        assert min(planned.words) > 0
        assert max(planned.words) <= 1_000
