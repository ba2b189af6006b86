"""Traces of piecewise reading go by rule; what only looks like one stays."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longdoc.agents.cleanup import clean_text, has_traces, without_repeats

TAKEN = {
    "In this segment, Anna leaves.": "Anna leaves.",
    "In this passage of the novel, Anna leaves.": "Anna leaves.",
    "In the given excerpt, Anna leaves.": "Anna leaves.",
    "At the end of this section, Anna leaves.": "Anna leaves.",
    "Later in the chapter, Anna leaves.": "Anna leaves.",
    "Bob waits. In the following part of the story, Anna leaves.": "Bob waits. Anna leaves.",
    "Throughout the summary, Anna waits.": "Anna waits.",
    "In summary, Anna leaves.": "Anna leaves.",
    "Overall, Anna leaves.": "Anna leaves.",
    "Here is a summary of the text in at most 100 words:\n\nAnna leaves.": "Anna leaves.",
    "Here's the summary: Anna leaves.": "Anna leaves.",
    "Here is the continuation:\nAnna leaves.": "Anna leaves.",
    "Sure! Here is one summary that joins all parts: Anna leaves.": "Anna leaves.",
    "Certainly, I have made it shorter:\n\nAnna leaves.": "Anna leaves.",
    "Below is the corrected summary:\n\nAnna leaves.": "Anna leaves.",
    "**Summary:** Anna leaves.": "Anna leaves.",
    "**Summary**\n\nAnna leaves.": "Anna leaves.",
    "Summary: Anna leaves.": "Anna leaves.",
    "## Summary\n\nAnna leaves.": "Anna leaves.",
    "Anna leaves.\n\n## What comes next\n\nBob stays.": "Anna leaves.\n\nBob stays.",
    "**Chapter 2**\nBob stays.": "Bob stays.",
    "Anna leaves. (12 words)": "Anna leaves.",
    "Anna leaves.\n\nWord count: 12": "Anna leaves.",
    "Anna leaves.\n\n**Word count:** 12 words.": "Anna leaves.",
    "Anna leaves. Let me know if you need more!": "Anna leaves.",
    "Anna leaves.\n\nI hope this helps!": "Anna leaves.",
    "Anna leaves. This e-book was produced by volunteers.": "Anna leaves.",
    "Anna leaves. The text ends with the Project Gutenberg licence.": "Anna leaves.",
    "The book begins. This book includes a table of contents. Anna leaves.": "The book begins. Anna leaves.",
    "Copyright © 2004 by A. Smith. Anna leaves home.": "Anna leaves home.",
    "Anna leaves. All rights reserved.": "Anna leaves.",
    "Anna leaves. ISBN 978-3-16-148410-0.": "Anna leaves.",
    "Anna leaves. The author thanks her colleagues for their support.": "Anna leaves.",
    "Anna leaves the house. Bob stays. Anna leaves the house.": "Anna leaves the house. Bob stays.",
}

LEFT = [
    "The passage through the mountains was narrow.",
    "At the end of the passage, the hikers found a gate.",
    "In the passage, guests left their coats.",
    "In this way, Anna left.",
    "In the first part of the journey, they starve.",
    "In the final section of the bridge, a rivet gave way.",
    "In the second text, Borges writes of a map.",
    "He ends his letter with the words I hope that we meet again.",
    "I hope that we meet again, he writes.",
    "She wrote: let me know if you come.",
    "Summary executions followed the revolt.",
    "Summary judgment was granted.",
    "Of course, the old man knew it: the sea would win.",
    "Certainly, she had one wish: to leave.",
    "Here is where the story turns: Anna leaves.",
    "The following is her creed: work and wait.",
    "It was first published in Leipzig (1850).",
    "She wired a telegram of 12 words.",
    "The vote was 12 to 3 (twelve words were said).",
    "A man named Hope this time arrives.",
    "**Anna** leaves, and #2 stays.",
    "Overall the harvest was poor.",
    'The court held that the phrase "all rights reserved" had no effect.',
    "Copyright notices had to say all rights reserved.",
    "Copyright began in 1710 with the Statute of Anne.",
    "The ISBN was introduced in 1970.",
    "Michael Hart founded Project Gutenberg in 1971.",
    "The first edition was prepared by Erasmus in 1516.",
    "The document was prepared by Jefferson.",
    "This book was released in 1859 and sold out in a day.",
    "The codex lacks a table of contents.",
    "The editor thanks Anna for her story and prints it.",
    "The publisher acknowledges that the letter is forged.",
    "No. No. No. No.",
]

OTHER_LANGUAGES = [
    "在这一段中，安娜离开了。她没有回来。她没有回来。",
    "本章总结：安娜离开了。\n\n他留下了。",
    "В этом отрывке Анна уходит. Боб остаётся.",
    "Dans ce passage, Anna part. Bob reste.",
    "アンナは去った。ボブは残った。",
]


@pytest.mark.parametrize("text", TAKEN)
def test_traces_are_taken_out(text: str) -> None:
    assert clean_text(text) == TAKEN[text]


@pytest.mark.parametrize("text", LEFT)
def test_what_a_book_may_say_stays(text: str) -> None:
    for whole in (text, f"Bob waits at home. {text}", f"{text} Bob waits at home.", f"Bob waits.\n\n{text}"):
        assert clean_text(whole) == whole


@pytest.mark.parametrize("text", OTHER_LANGUAGES)
def test_other_languages_are_left_as_they_are(text: str) -> None:
    assert clean_text(text) == text
    assert not has_traces(text)


@pytest.mark.parametrize(
    "text",
    [
        "Anna leaves, and this segment ends with her letter.",
        "In this chapter, titled 'North', Anna leaves.",
        "The excerpt describes how Anna leaves.",
        "As told in the previous section, Anna left.",
        "It goes on in part 3 of the text.",
        "This part of the story is about Anna.",
    ],
)
def test_what_no_rule_can_mend_is_found(text: str) -> None:
    assert clean_text(text) == text
    assert has_traces(text)


@pytest.mark.parametrize(
    "text",
    [
        "The passage through the mountains was narrow.",
        "This part of the town was poor.",
        "The next chapter of her life begins.",
        "This passage between the houses is dark.",
        "He read the text of the treaty.",
        "Part of the army fled, in parts of the country.",
    ],
)
def test_words_that_also_mean_other_things_are_no_traces(text: str) -> None:
    assert not has_traces(text)


def test_a_text_of_nothing_but_what_would_go_stays() -> None:
    assert clean_text("All rights reserved.") == "All rights reserved."


def test_a_repetition_is_left_out_wherever_it_stands() -> None:
    assert (
        without_repeats("Bob comes home late. Anna leaves the house.", "Anna leaves the house.")
        == "Bob comes home late."
    )
    assert without_repeats("All is told. All is told.", "Anna leaves. All is told.") == ""
    assert without_repeats("“Yes,” he says. “Yes,” he says.", "") == "“Yes,” he says. “Yes,” he says."


PIECES = st.sampled_from([*TAKEN, *LEFT, *OTHER_LANGUAGES, "\n\n", "\n", " ", "# ", "**", "A b c d e.", "."])


@given(st.lists(PIECES, max_size=6).map(" ".join))
def test_cleaning_ends_adds_nothing_and_leaves_something(text: str) -> None:
    cleaned = clean_text(text)
    assert len(cleaned) <= len(text)
    assert bool(cleaned) == bool(text.strip())
    assert set(cleaned.casefold().split()) <= set(text.casefold().split())


def test_markup_around_lines_goes_and_tags_spoken_of_stay() -> None:
    text = """<section class="summary">
<p>The keeper lit the lamp. </p>

</section>

</section> The ship came home.</p>
<chapter>
Pages use the <p> tag for paragraphs."""
    wanted = "The keeper lit the lamp. The ship came home. Pages use the <p> tag for paragraphs."
    assert clean_text(text).split() == wanted.split()


def test_markup_alone_is_not_made_empty() -> None:
    assert clean_text("</section>\n</section>") == "</section>\n</section>"
