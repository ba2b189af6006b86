"""What requests ask for, by rules: words of several languages, steps, claims, and what a summary is to look at."""

from __future__ import annotations

import time

import pytest

from longdoc.agents.request_steps import steps_of
from longdoc.agents.request_words import MOST_CLAIMS, claims_of, focus_of, language_of
from longdoc.agents.routing import AskedWith, Capability, Route, open_capabilities, route_by_rules, route_of_json
from longdoc.agents.routing_words import Intent, intent_of
from longdoc.errors import ConfigError

BOOK = AskedWith(documents=1, tokens=100_000)
PAGE = AskedWith(documents=1, tokens=500)


@pytest.mark.parametrize(
    ("request_", "intent"),
    [
        ("Please summarize this for me.", Intent.SUMMARIZE),
        ("Write me a short summary of it", Intent.SUMMARIZE),
        ("Write an essay that is no summary", Intent.SUMMARIZE),
        ("Write an essay on salt, please", Intent.WRITE),
        ("Who hid the key?", Intent.QUESTION),
        ("Ist es wahr, dass er stirbt?", Intent.CHECK),
        ("Traduis cette lettre", Intent.CHANGE),
        ("¿Dónde está el faro?", Intent.QUESTION),
        ("Spiegami il finale", Intent.ANSWER),
        ("把这封信翻译成英文", Intent.CHANGE),
        ("Guten Morgen!", Intent.TALK),
        ("the ending", None),
    ],
)
def test_the_first_word_that_asks_for_something_decides(request_: str, intent: Intent | None) -> None:
    found = intent_of(request_)
    assert (None if found is None else found.intent) is intent


@pytest.mark.parametrize(
    "request_", ["?", "...", "\x00", "a" * 100_000, "((((" * 500, "1. " * 300, ", then " * 500, "。" * 99]
)
def test_any_text_is_read_without_harm(request_: str) -> None:
    assert steps_of(request_).steps
    intent_of(request_)
    claims_of(request_)
    focus_of(request_)


@pytest.mark.parametrize(
    ("request_", "intent"),
    [
        ("I am a lawyer. What does this contract say about rent?", Intent.QUESTION),
        ("I like this book. Summarize it in 200 words.", Intent.SUMMARIZE),
        ("我是学生，请总结这本书。", Intent.SUMMARIZE),
        ("Translate this letter into French: I told you last week that it rains.", Intent.CHANGE),
        ("Write a summary of our discussion", Intent.SUMMARIZE),
        ("I am a lawyer.", Intent.TALK),
        ("I'm Bob. How are you?", Intent.TALK),
        ("I like to read and to write poems.", Intent.TALK),
        ("I am a teacher, author of three novels.", Intent.TALK),
        ("Tell me what we discussed last week.", Intent.TALK),
    ],
)
def test_a_remark_of_who_asks_is_talk_only_where_nothing_is_asked_with_it(request_: str, intent: Intent) -> None:
    found = intent_of(request_)
    assert found is not None
    assert found.intent is intent


@pytest.mark.parametrize(
    ("request_", "count"),
    [
        ("Summarize it, list the people and " * 170, 340),
        ("Summarize this: " + "the king said, and then he left; " * 1_000, 1),
        ("I like it, " + "please do, " * 5_000, 1),
    ],
)
def test_the_time_to_take_a_request_apart_grows_with_its_length_only(request_: str, count: int) -> None:
    begun = time.process_time()
    found = steps_of(request_)
    intent_of(request_)
    assert len(found.steps) == count
    assert found.clear
    assert time.process_time() - begun < 10, "quadratic, it is far more"


def test_size_decides_between_one_call_and_more() -> None:
    small, large = (
        route_by_rules("Rewrite it in plain words.", PAGE),
        route_by_rules("Rewrite it in plain words.", BOOK),
    )
    assert small is not None
    assert large is not None
    assert (small.capability, large.capability) == (Capability.CALL, Capability.WRITE)
    assert "do not fit one call" in large.reason


def test_chapters_and_lengths_of_a_request_are_kept() -> None:
    route = route_by_rules("Summarize it chapter by chapter in 2,000 words", BOOK)
    assert route is not None
    assert (route.capability, route.by_chapter, route.words) == (Capability.SUMMARIZE, True, 2000)
    assert route_of_json(route.to_json()) == route
    assert route_of_json({"capability": "fly", "decided_by": "rule"}) is None


def test_what_rules_leave_open_is_narrowed_before_the_model_is_asked() -> None:
    assert open_capabilities("the ending of it", BOOK) == (Capability.ASK, Capability.SUMMARIZE)
    assert Capability.WRITE in open_capabilities("jotain merestä", BOOK)
    assert open_capabilities("hm", AskedWith()) == (Capability.CALL, Capability.WRITE, Capability.CHAT)
    assert Route(Capability.ASK, "x").reason


@pytest.mark.parametrize(
    ("request_", "count"),
    [
        ("Summarize these three, compare their views of tides, then write 5,000 words for Alice", 3),
        ("Summarize this and translate it into German", 2),
        ("Compare and contrast the two novels", 1),
        ("Find and list all dates", 1),
        ("Write an essay on salt, explain its history and describe its chemistry", 1),
        ("Check whether he left and why", 1),
        ("What happened then?", 1),
        ("Tell me about the review and list prices", 1),
        ("1. Summarize it\n2. List the people\n3. Write 400 words on them", 3),
        ("Fasse das Buch zusammen und schreibe dann einen Aufsatz", 2),
        ("Résume le livre, puis traduis le résumé", 2),
        ("先总结这本书，然后写一篇书评", 2),
    ],
)
def test_steps_are_taken_apart_where_another_order_follows(request_: str, count: int) -> None:
    found = steps_of(request_)
    assert found.clear
    assert len(found.steps) == count, found


def test_steps_name_their_documents() -> None:
    found = steps_of("Summarize the first document, then compare it with the second one", ["a.md", "b.md"])
    assert found.steps[0].places == (0,)
    named = steps_of("Summarize Emma; list the people of Persuasion", ["Emma", "Persuasion"])
    assert [step.places for step in named.steps] == [(0,), (1,)]


@pytest.mark.parametrize(
    ("request_", "claims"),
    [
        ("Check whether the tenant pays.", ["the tenant pays."]),
        ("Is it true that Ahab dies?", ["Ahab dies"]),
        ("The lease ends in May, right?", ["The lease ends in May"]),
        ("Stimmt es, dass er geht?", ["er geht"]),
        ("Fact-check the following: the ship sank.", ["the ship sank."]),
        ("Check these:\n- one is so\n- two is so", ["one is so", "two is so"]),
        ("The lease ends in May.", ["The lease ends in May."]),
    ],
)
def test_claims_stand_without_the_order_to_check_them(request_: str, claims: list[str]) -> None:
    assert list(claims_of(request_)) == claims


def test_language_and_focus_of_a_summary() -> None:
    assert language_of("Summarize this in French") == "French"
    assert language_of("Fasse es auf Deutsch zusammen") == "German"
    assert language_of("用中文总结") == "Chinese"
    assert language_of("Summarize this") is None
    assert focus_of("Summarize it, focusing on the whale.") == "the whale"
    assert focus_of("Summarize it") is None


@pytest.mark.parametrize(
    ("request_", "language"),
    [
        ("Summarize the changes in Spanish law", None),
        ("Summarize the role of women in Italian cities", None),
        ("Summarize what happened in Chinese markets", None),
        ("Summarize this in German and English law", None),
        ("Summarize in French what happened", "French"),
        ("Summarize this in Spanish and in 100 words", "Spanish"),
        ("Summarize this in Italian, please", "Italian"),
    ],
)
def test_a_language_ends_its_clause(request_: str, language: str | None) -> None:
    assert language_of(request_) == language


@pytest.mark.parametrize(
    ("request_", "focus"),
    [
        ("Summarize chapter 3", "chapter 3"),
        ("Summarize what the book says about whaling", "what the book says about whaling"),
        ("Summarize Ahab's relationship to Starbuck in 200 words", "Ahab's relationship to Starbuck"),
        ("Summarize this for a child", "what they ask for, “Summarize this for a child”"),
        ("Give me a summary of the legal arguments in German", "legal arguments"),
        ("Fasse Kapitel 3 zusammen", "Kapitel 3"),
        ("Kannst du die Rolle der Frauen im Roman zusammenfassen?", "Rolle der Frauen im Roman"),
        ("Résume le chapitre 3 en 200 mots", "chapitre 3"),
        ("Riassumi il capitolo 3", "capitolo 3"),
        ("请总结第三章", "第三章"),
        ("Summarize this book chapter by chapter in French, please", None),
        ("Sum this up in about 200 words", None),
        ("Fasse dieses Buch bitte in 300 Wörtern zusammen", None),
        ("Peux-tu me faire un résumé de cet article ?", None),
        ("请用中文总结这本书", None),
    ],
)
def test_a_summary_looks_at_whatever_is_asked_besides_the_whole(request_: str, focus: str | None) -> None:
    assert focus_of(request_) == focus
    route = route_by_rules(request_, BOOK)
    assert route is not None
    assert route.capability is Capability.SUMMARIZE
    assert ("all of it is read" in route.reason) == (focus is not None)


def test_more_claims_than_are_checked_are_refused() -> None:
    listed = "\n".join(f"- claim {number} is so" for number in range(MOST_CLAIMS + 1))
    assert len(claims_of(listed[: listed.rindex("\n")])) == MOST_CLAIMS
    with pytest.raises(ConfigError, match="ask in parts"):
        claims_of(listed)
