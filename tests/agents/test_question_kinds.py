"""What a question asks of a text, by rules."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longdoc.agents.question_kinds import QuestionForm, QuestionKind, Unit, kind_of

COUNTING, LISTING = QuestionForm.COUNTING, QuestionForm.LISTING
AGGREGATION, LOOKUP = QuestionForm.AGGREGATION, QuestionForm.LOOKUP


@pytest.mark.parametrize(
    ("question", "unit"),
    [
        ("How many chapters mention Queequeg?", Unit.CHAPTERS),
        ("In how many of the chapters does the whale appear?", Unit.CHAPTERS),
        ("What is the number of chapters with a storm?", Unit.CHAPTERS),
        ("How many sections discuss licences?", Unit.SECTIONS),
        ("How many paragraphs name the sea?", Unit.PARAGRAPHS),
        ("On how many pages is the treaty named?", Unit.PAGES),
        ("How many times does Ahab curse?", Unit.MENTIONS),
        ("How often is the lamp mentioned?", Unit.MENTIONS),
        ("How often does Marta lie in the book?", Unit.MENTIONS),
        ("How many ships sink in the novel?", Unit.ITEMS),
        ("How many people die altogether?", Unit.ITEMS),
        ("In wie vielen Kapiteln kommt der Leuchtturm vor?", Unit.CHAPTERS),
        ("Wie oft wird Marta erwähnt?", Unit.MENTIONS),
        ("Combien de chapitres parlent de la mer ?", Unit.CHAPTERS),
        ("Combien de fois le gardien est-il nommé ?", Unit.MENTIONS),
        ("¿En cuántos capítulos aparece el faro?", Unit.CHAPTERS),
        ("¿Cuántas veces se menciona a Marta?", Unit.MENTIONS),
        ("有多少章提到了灯塔？", Unit.CHAPTERS),
        ("玛尔塔被提到多少次？", Unit.MENTIONS),
        ("书中有多少个人物？", Unit.ITEMS),
    ],
)
def test_counting_with_its_unit(question: str, unit: Unit) -> None:
    assert kind_of(question) == QuestionKind(COUNTING, unit)


@pytest.mark.parametrize(
    ("question", "unit"),
    [
        ("In which chapters does Marta appear?", Unit.CHAPTERS),
        ("On which pages is the treaty named?", Unit.PAGES),
        ("List all ships.", Unit.ITEMS),
        ("List all chapters that mention the sea.", Unit.CHAPTERS),
        ("Name every king in the story.", Unit.ITEMS),
        ("Give me a list of all references to the war", Unit.MENTIONS),
        ("Find every mention of the lamp.", Unit.MENTIONS),
        ("In welchen Kapiteln kommt sie vor?", Unit.CHAPTERS),
        ("Nenne alle Schiffe.", Unit.ITEMS),
        ("Énumérez toutes les îles.", Unit.ITEMS),
        ("Dans quels chapitres est-il question de lui ?", Unit.CHAPTERS),
        ("Enumera todos los barcos.", Unit.ITEMS),
        ("列出所有的船。", Unit.ITEMS),
        ("哪些章提到了他？", Unit.CHAPTERS),
    ],
)
def test_listing_with_its_unit(question: str, unit: Unit) -> None:
    assert kind_of(question) == QuestionKind(LISTING, unit)


@pytest.mark.parametrize(
    "question",
    [
        "Summarize the book.",
        "Give an overview of the argument",
        "What is this story about?",
        "What are the main themes?",
        "Compare Ahab and Starbuck.",
        "What is the difference between the two treaties?",
        "How does Marta change?",
        "Fasse das Buch zusammen.",
        "Worum geht es?",
        "Résumez le livre.",
        "¿De qué trata el libro?",
        "这本书讲了什么？",
    ],
)
def test_what_needs_the_whole_text(question: str) -> None:
    assert kind_of(question) == QuestionKind(AGGREGATION)


@pytest.mark.parametrize(
    "question",
    [
        "Who rowed across the sound?",
        "How many crowns did the keeper pay Marta?",
        "How many times a week does the ferry run?",
        "How often does the ferry run?",
        "In which chapter does Ahab die?",
        "What did the pilot say about the rocks to Marta?",
        "When was the lamp lit again?",
        "What is her hair compared to?",
        "Wer ruderte über den Sund?",
        "Combien d'argent a-t-elle reçu ?",
        "¿Quién remó?",
        "谁划船穿过海峡？",
        "",
    ],
)
def test_one_fact_is_a_look_up(question: str) -> None:
    assert kind_of(question) == QuestionKind(LOOKUP)
    assert not kind_of(question).needs_all


@pytest.mark.parametrize(
    ("question", "term"),
    [
        ('How many times does the word "whale" occur?', "whale"),
        ("How many chapters mention “the white whale”?", "the white whale"),
        ("How often does the word 'sea' appear?", "sea"),
        ("How many times is the word lamp used?", "lamp"),
        ("How many times does the name Ahab's mother use occur?", "Ahab's"),
        ("How many times is Ahab's leg mentioned, or Starbuck's pipe?", None),
        ("How many times is the word of God mentioned?", None),
        ("Wie oft kommt das Wort Leuchtturm vor?", "Leuchtturm"),
        ("“灯塔”出现了多少次？", "灯塔"),
    ],
)
def test_a_word_that_is_meant_as_such(question: str, term: str | None) -> None:
    kind = kind_of(question)
    assert (kind.form, kind.term) == (COUNTING, term)


@given(st.text(max_size=200))
def test_any_text_has_a_kind(question: str) -> None:
    kind = kind_of(question)
    assert (kind.unit is not None) == (kind.form in {COUNTING, LISTING})


@pytest.mark.parametrize(
    "question",
    [
        "How many crowns did he pay in total?",
        "How many years did the siege last, in the story?",
        "What is the overall cost of the bridge?",
    ],
)
def test_an_amount_stands_in_one_place(question: str) -> None:
    assert kind_of(question).form is QuestionForm.LOOKUP


def test_overall_by_itself_asks_of_all() -> None:
    assert kind_of("Overall, was the voyage a success?").form is QuestionForm.AGGREGATION
