"""What rules do to a section: labels go, conclusions go, and a text ends where a text may end."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longdoc.agents.section_text import clean_section, cut_to_length, finished, is_refusal, without_conclusion
from longdoc.agents.sentences import count_words
from longdoc.agents.text_blocks import TextBlockKind, text_blocks
from tests.agents.drafting import sentences
from tests.agents.long_lines import HOSTILE

SEA = "Salt comes from the sea. It is old."
TABLE = "| Year | Tons |\n|------|------|\n| 1800 | 40. |\n| 1801 | 50 |"
CODE = "```python\nprint('salt.')\n\nprint('sea. rock.')\n```"
ITEMS = "- Sea salt. It is white.\n- Rock salt\n- Table salt. It is fine."


@pytest.mark.parametrize(
    "text",
    [
        SEA,
        f"Section 3: The Sea\n\n{SEA}",
        f"**Section 3 of 12: The Sea**\n{SEA}",
        f"## Section 3\n\n{SEA}",
        f"Section 3: {SEA}",
        f"Paragraph 3 - {SEA}",
        f"The Sea\n\n{SEA}",
        f"## The Sea\n\n{SEA}",
        f"**The Sea**\n{SEA}",
        f"# 3. The Sea\n{SEA}",
        f"Chapter 3: The Sea\n\nThe sea\n\n{SEA}",
        f"{SEA}\n\nWord count: 400",
        f"{SEA}\n\n(Word count: 400 words)",
        f"Word Count: 400\n{SEA}",
        f"Main point: where salt comes from.\n\n{SEA}",
        f"{SEA}\n(400 words)",
        f"第3节\n{SEA}",
        f"字数：400字\n\n{SEA}",
        f"<section>\n{SEA}\n</section>",
        f"Here is the section:\n\n{SEA}",
        f"{SEA}\n\nLet me know if you need more.",
    ],
)
def test_labels_of_the_plan_and_the_heading_go(text: str) -> None:
    assert clean_section(text, "The Sea") == SEA


@pytest.mark.parametrize(
    "text",
    [
        f"Section 3 of the act forbids it. {SEA}",
        f"{SEA}\n\nSection 3. The court held that salt is free.",
        f"{SEA}\n\nPart 1\n\n- an item",
        f"{SEA}\n\n### Part of the whole\n\nMore of it.",
        f"{SEA}\n\n```\nSection 3: x\nWord count: 4\n```",
        f"{SEA}\n\n| Section 3: a | b |\n|---|---|",
        f"{SEA}\n\n```html\n<div>\n  <p>salt</p>\n</div>\n```",
        f"{SEA}\n\n- one\n  - under it\n    more of it\n- two",
        "The Sea is old. It is salt.",
        "- Section 3: an item",
        "  indented",
    ],
)
def test_what_is_part_of_the_text_stays(text: str) -> None:
    kept = clean_section(text, "The Sea")
    assert kept == text.replace("Part 1\n\n", "").strip()


@pytest.mark.parametrize("text", ["", "The Sea", "## The Sea\n\nThe Sea\n", "Section 3: The Sea\n\nWord count: 400"])
def test_a_heading_alone_is_nothing(text: str) -> None:
    assert clean_section(text, "The Sea") == ""


def test_a_heading_of_a_divided_section_goes_with_and_without_its_number() -> None:
    assert clean_section(f"The Sea\n\n{SEA}", "The Sea (2)") == SEA
    assert clean_section(f"The Sea (2)\n\n{SEA}", "The Sea (2)") == SEA


@pytest.mark.parametrize(
    "ending",
    [
        "In conclusion, salt is good.",
        "Overall, it is.",
        "总之，盐很好。",
        "Zusammenfassend ist Salz gut.",
        "En résumé, le sel.",
    ],
)
def test_a_hasty_conclusion_goes(ending: str) -> None:
    text = f"{sentences(60)}\n\n{sentences(60, about='rock')}"
    assert without_conclusion(f"{text}\n\n{ending}") == text
    assert without_conclusion(f"{text}\n\n{ending}\n\n{ending}") == text


@pytest.mark.parametrize(
    "text",
    [
        f"Overall, {SEA}",
        f"{SEA}\n\nOverall, {sentences(60)}",
        f"{sentences(60)}\n\nOverall, it is.\n\n{SEA}",
        f"{sentences(60)}\n\nOverallness is old.",
        f"{sentences(60)}\n\n- Overall, it is.",
        f"{sentences(60)}\n\n```\na\n\n\n\nOverall, b\n```",
    ],
)
def test_other_endings_stay(text: str) -> None:
    assert without_conclusion(text) == text


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        (f"{SEA} It is made by", SEA),
        (f"{SEA}\n\n{ITEMS}\n- Iodised", f"{SEA}\n\n{ITEMS}"),
        (f"{SEA}\n\n{TABLE}\n| 1802 | 6", f"{SEA}\n\n{TABLE}"),
        (f"{SEA}\n\n```\na = 1\nb = ", f"{SEA}\n\n```\na = 1\n```"),
        (f"{SEA}\n\n```\na = ", SEA),
        ("````\na = ", "````\na =\n````"),
        (f"{SEA}\n\n{CODE}\n\nThen", f"{SEA}\n\n{CODE}"),
        (f"{SEA}\n\n## The next", SEA),
        ("no end to this", "no end to this"),
        ("盐来自海。它很老，但是", "盐来自海。"),
        (SEA, SEA),
        ("", ""),
    ],
)
def test_what_was_cut_ends_where_a_text_may_end(text: str, whole: str) -> None:
    assert finished(text, cut=True) == whole


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        (f"{SEA}\n\n- Sea salt\n- Rock salt", None),
        (f"{SEA}\n\n{TABLE}", None),
        (f"{SEA}\n\n{CODE}", None),
        (f"{SEA}\n\nYours faithfully,\nMarta Quill", None),
        (f"{SEA}\n\n## The next", SEA),
        (f"{SEA}\n\nHere they are:", SEA),
        (f"{SEA} And this is one more of the many things that were never quite", SEA),
        (f"{SEA}\n\n```\na = 1", f"{SEA}\n\n```\na = 1\n```"),
    ],
)
def test_what_the_model_ended_is_cut_only_where_no_text_ends(text: str, whole: str | None) -> None:
    assert finished(text, cut=False) == (whole or text)


def test_a_text_is_cut_at_the_sentence_that_is_nearest() -> None:
    assert count_words(cut_to_length(sentences(400, of=10), 200)) == 200
    assert count_words(cut_to_length(sentences(400, of=30), 200)) == 210
    assert cut_to_length(sentences(400, of=400), 200) == sentences(400, of=400)
    signs = "盐来自大海它很古老。" * 40
    assert cut_to_length(signs, 180) == "盐来自大海它很古老。" * 20


@pytest.mark.parametrize("whole", [TABLE, CODE, "- " + ITEMS.removeprefix("- ")])
@pytest.mark.parametrize("words", range(30, 90, 4))
def test_no_table_code_or_item_is_cut_inside(whole: str, words: int) -> None:
    text = f"{sentences(40, of=8)}\n\n{whole}\n\n{sentences(40, of=8, about='rock')}"
    kept = cut_to_length(text, words)
    assert text.startswith(kept)
    rest = text[len(kept) :].lstrip("\n")
    pieces = whole.split("\n") if whole.startswith("- ") else [whole]
    for piece in pieces:
        assert (piece in kept) != (piece in rest)


def test_a_text_does_not_end_with_a_heading() -> None:
    text = f"{sentences(100, of=10)}\n\n## What is next?\n\n{sentences(100, of=100)}"
    assert cut_to_length(text, 104) == sentences(100, of=10)


@pytest.mark.parametrize(
    "text",
    [
        "I'm sorry, but I can't help with that.",
        "I cannot assist with this request.",
        "As an AI language model, I do not write such texts.",
        "Sorry, I am unable to do so.",
        "很抱歉，我无法完成这个请求。",
    ],
)
def test_refusals_in_words(text: str) -> None:
    assert is_refusal(text)


@pytest.mark.parametrize(
    "text", ["", SEA, "I'm sorry, said Marta.", f"I cannot write of the sea without tears. {sentences(80)}"]
)
def test_no_refusals(text: str) -> None:
    assert not is_refusal(text)


MARKDOWN = st.lists(
    st.sampled_from(
        [
            "",
            " ",
            "# H",
            "One two three.",
            "One",
            "- a",
            "- b.",
            "| a | b |",
            "|---|",
            "```",
            "~~~",
            "Section 3: x",
            "In conclusion, x.",
            "总之，好。",
        ]
    ),
    max_size=30,
).map("\n".join)


@given(MARKDOWN | st.text(alphabet="a.\n -|`#:1 总之，。", max_size=80), st.integers(1, 60), st.booleans())
def test_rules_only_ever_take_away_and_are_stable(text: str, words: int, cut: bool) -> None:
    blocks = list(text_blocks(text))
    assert all(block.start < block.end for block in blocks)
    assert "".join(text[block.start : block.end] for block in blocks).strip() == text.strip()
    assert text.startswith(cut_to_length(text, words))
    assert text.startswith(without_conclusion(text))
    ended = finished(text, cut=cut)
    assert count_words(ended) <= count_words(text)
    assert finished(ended, cut=False) == ended
    assert len(clean_section(text, "The Sea")) <= len(text)


@pytest.mark.parametrize("name", sorted(HOSTILE))
def test_long_answers_are_read_at_once(name: str) -> None:
    text = HOSTILE[name](60_000)
    started = time.process_time()
    clean_section(text, "The Sea")
    finished(text, cut=True)
    without_conclusion(text)
    cut_to_length(text, 200)
    assert time.process_time() - started < 30


def test_blocks_know_what_they_are() -> None:
    text = f"# H\nText\nmore\n- item\n  goes on\n- other\n{TABLE}\nText\n{CODE}\n~~~\nopen"
    kinds = [block.kind for block in text_blocks(text)]
    assert kinds == [
        TextBlockKind.HEADING,
        TextBlockKind.PARAGRAPH,
        TextBlockKind.ITEM,
        TextBlockKind.ITEM,
        TextBlockKind.TABLE,
        TextBlockKind.PARAGRAPH,
        TextBlockKind.CODE,
        TextBlockKind.OPEN_CODE,
    ]


def test_tags_of_the_prompt_that_a_model_echoes_go() -> None:
    echoed = "<plan>\nThe first salt came from the sea.\n</so_far>\n\n<<instructions>>\nIt was boiled in pans."
    assert clean_section(echoed, "Sea") == "The first salt came from the sea.\n\nIt was boiled in pans."
