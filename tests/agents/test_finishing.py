"""The length asked for is held whatever an engine does with it; traces cost a call only where rules leave some."""

import random
import re
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from longdoc.agents.events import Warned
from longdoc.agents.sentences import count_words, ends_in_sentence
from longdoc.documents.document import Document, Section
from longdoc.engines.engine import Completion, CompletionRequest, EngineInfo
from longdoc.engines.scripted import ScriptedEngine
from longdoc.errors import RequestRefusedError
from longdoc.storage.nodes import NodeStatus
from tests.agents.summarizing import METHODS, Answer, Outcome, book, summarize

ASKED = re.compile(r"(?:at most|about) (\d+) (?:more )?words")


def prompt(request: CompletionRequest) -> str:
    return request.messages[-1].content


def kind(request: CompletionRequest) -> str:
    return "" if request.origin is None else request.origin.name.removeprefix("summarize/")


def kinds(outcome: Outcome) -> list[str]:
    return [kind(request) for request in outcome.requests]


def words_asked(request: CompletionRequest) -> int:
    return int(ASKED.findall(prompt(request))[-1])


class Careless:
    """Writes sentences nobody has written before, of random lengths, a random share of what was asked for."""

    def __init__(self, seed: int, shares: tuple[float, float], longest: int) -> None:
        self._choose = random.Random(seed)
        self._shares = shares
        self._longest = longest
        self._number = 0

    def __call__(self, request: CompletionRequest) -> str:
        left = words_asked(request) * self._choose.uniform(*self._shares)
        sentences: list[str] = []
        while left > 0 or not sentences:
            length = self._choose.randint(4, max(4, self._longest))
            sentences.append(self._sentence(length))
            left -= length
        return " ".join(sentences)

    def _sentence(self, length: int) -> str:
        self._number += 1
        return " ".join(["It", *["goes"] * (length - 3), "on", f"w{self._number}"]) + "."


def with_chapters(document: Document, *, blocks: int) -> Document:
    """The same document with a chapter for every so many blocks."""
    starts = [block.start for block in document.blocks[::blocks]]
    ends = [*starts[1:], len(document.text)]
    sections = [Section(f"Chapter {i + 1}", *span) for i, span in enumerate(zip(starts, ends, strict=True))]
    return replace(document, sections=tuple(sections))


CHAPTERS = with_chapters(book(60), blocks=20)
SHARES = {"too long": (1.3, 4.0), "too short": (0.4, 0.8), "random": (0.3, 3.0), "far too long": (8.0, 9.0)}


@given(
    method=st.sampled_from([*METHODS, "by chapter"]),
    shares=st.sampled_from(sorted(SHARES)),
    words=st.integers(50, 400),
    seed=st.integers(0, 1000),
)
@settings(max_examples=60, deadline=None)
def test_the_length_is_within_a_tenth_whatever_is_written(method: str, shares: str, words: int, seed: int) -> None:
    by_chapter = method == "by chapter"
    answer = Careless(seed, SHARES[shares], longest=words // 5)
    with tempfile.TemporaryDirectory() as folder:
        outcome = summarize(
            Path(folder),
            answer,
            method=METHODS["hierarchical" if by_chapter else method],
            document=CHAPTERS,
            window=6000,
            limit=2500 if method == "full" else 300,
            words=words,
            by_chapter=by_chapter,
        )
    assert outcome.error is None
    assert outcome.summary is not None
    assert len(outcome.summary.parts) == (3 if by_chapter else 1)
    for part in outcome.summary.parts:
        assert abs(count_words(part.text) - words) <= words / 10
        assert ends_in_sentence(part.text)


@given(words=st.integers(600, 900), seed=st.integers(0, 1000), shares=st.sampled_from(sorted(SHARES)))
@settings(max_examples=15, deadline=None)
def test_a_length_over_several_stretches_is_within_a_tenth(words: int, seed: int, shares: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        outcome = summarize(
            Path(folder), Careless(seed, SHARES[shares], longest=20), document=book(220), window=8192, words=words
        )
    assert outcome.summary is not None
    assert len(outcome.summary.parts) > 1
    assert abs(count_words(outcome.summary.text) - words) <= words / 10


def one_call(path: Path, answer: Answer, *, words: int | None = 100) -> Outcome:
    """A text that is read by one call."""
    return summarize(path, answer, document=book(12), window=8192, limit=2000, words=words)


def sentences(count: int, of: int = 10) -> str:
    return " ".join(f"Number {i} " + "word " * (of - 3) + "ends." for i in range(count))


def test_a_good_length_takes_no_call_more(tmp_path: Path) -> None:
    assert kinds(one_call(tmp_path, lambda _: sentences(10))) == ["leaf"]


def test_without_a_length_asked_for_nothing_is_held(tmp_path: Path) -> None:
    assert kinds(one_call(tmp_path, lambda _: "It is short.", words=None)) == ["leaf"]


def test_a_long_answer_is_made_tighter_first(tmp_path: Path) -> None:
    def answer(request: CompletionRequest) -> str:
        return sentences(10) if kind(request) == "compress" else sentences(14)

    outcome = one_call(tmp_path, answer)
    assert kinds(outcome) == ["leaf", "compress"]
    assert "This has 140 words. Write it again in about 100 words." in prompt(outcome.requests[1])
    assert outcome.nodes[-1].status is NodeStatus.DONE


def test_an_answer_that_is_not_made_tighter_is_cut_and_marked(tmp_path: Path) -> None:
    outcome = one_call(tmp_path, lambda _: sentences(14))
    assert kinds(outcome) == ["leaf", "compress", "compress"]
    assert outcome.summary is not None
    assert (count_words(outcome.summary.text), outcome.summary.truncated) == (100, 1)
    assert outcome.nodes[-1].status is NodeStatus.TRUNCATED
    assert "100 words" in outcome.nodes[-1].reason


def test_a_short_answer_is_gone_on_with_in_sight_of_text_and_beginning(tmp_path: Path) -> None:
    def answer(request: CompletionRequest) -> str:
        return sentences(10).replace("Number", "Later") if kind(request) == "continue" else sentences(4)

    outcome = one_call(tmp_path, answer)
    assert kinds(outcome) == ["leaf", "continue"]
    assert sentences(4) in prompt(outcome.requests[1])
    assert "event 11 happened" in prompt(outcome.requests[1])
    assert words_asked(outcome.requests[1]) == 60
    assert outcome.summary is not None
    assert outcome.summary.text.startswith(sentences(4) + " Later 0")
    assert count_words(outcome.summary.text) == 100


def test_a_continuation_that_says_the_same_again_is_not_taken(tmp_path: Path) -> None:
    outcome = one_call(tmp_path, lambda _: sentences(4))
    assert set(kinds(outcome)) == {"leaf", "continue"}
    assert len(outcome.requests) <= 4
    assert outcome.summary is not None
    assert outcome.summary.text == sentences(4)
    assert outcome.nodes[-1].reason == "40 words where 100 were asked for"
    assert any(isinstance(event, Warned) and "40 words" in event.message for event in outcome.events)


def test_a_sentence_that_is_too_long_alone_says_so(tmp_path: Path) -> None:
    outcome = one_call(tmp_path, lambda _: "word " * 129 + "end.")
    assert outcome.summary is not None
    assert "130 words where 100 were asked for" in outcome.nodes[-1].reason
    assert any(isinstance(event, Warned) and "130 words" in event.message for event in outcome.events)


def test_a_text_without_an_end_that_is_too_long_says_so(tmp_path: Path) -> None:
    outcome = one_call(tmp_path, lambda _: "word " * 400)
    assert outcome.nodes[-1].status is NodeStatus.TRUNCATED
    assert re.search(r"cut to fit.*1\d\d words where 100 were asked for", outcome.nodes[-1].reason)
    assert any(isinstance(event, Warned) and "asked for" in event.message for event in outcome.events)


def test_what_stays_short_is_filled_up_from_the_summaries_below(tmp_path: Path) -> None:
    def answer(request: CompletionRequest) -> str:
        number = re.findall(r"event (\d+) happened", prompt(request))
        return sentences(3).replace("Number", f"Event {number[0]}") if kind(request) == "leaf" else "All is told."

    outcome = summarize(tmp_path, answer, document=book(24), window=8192, limit=100, words=60)
    assert outcome.summary is not None
    assert outcome.summary.text.startswith("All is told. Event 0 0 ")
    assert abs(count_words(outcome.summary.text) - 60) <= 6
    assert "summaries below" in outcome.nodes[-1].reason


def test_what_has_no_sentence_gives_way_to_the_summaries_below(tmp_path: Path) -> None:
    def answer(request: CompletionRequest) -> str:
        number = re.findall(r"event (\d+) happened", prompt(request))
        return sentences(3).replace("Number", f"Event {number[0]}") if kind(request) == "leaf" else "<table><tr>" * 20

    outcome = summarize(tmp_path, answer, document=book(24), window=8192, limit=100, words=60)
    assert outcome.summary is not None
    assert abs(count_words(outcome.summary.text) - 60) <= 6
    assert "<table>" not in outcome.summary.text
    assert outcome.nodes[-1].status is NodeStatus.TRUNCATED


def test_what_merges_do_not_tell_is_filled_up_from_the_segments(tmp_path: Path) -> None:
    def answer(request: CompletionRequest) -> str:
        number = re.findall(r"event (\d+) happened", prompt(request))
        return sentences(3).replace("Number", f"Event {number[0]}") if kind(request) == "leaf" else "All is told."

    outcome = summarize(tmp_path, answer, document=book(120), window=2048, limit=100, words=60)
    assert outcome.summary is not None
    assert outcome.summary.levels > 2
    assert abs(count_words(outcome.summary.text) - 60) <= 6


def test_a_refused_continuation_leaves_what_is_there(tmp_path: Path) -> None:
    def answer(request: CompletionRequest) -> str:
        if kind(request) == "continue":
            raise RequestRefusedError("no")
        return sentences(4)

    outcome = one_call(tmp_path, answer)
    assert outcome.error is None
    assert outcome.summary is not None
    assert outcome.summary.text == sentences(4)


class Toy(ScriptedEngine):
    """A scripted engine that says of itself that it does not learn to keep a length."""

    @property
    def info(self) -> EngineInfo:
        return replace(super().info, toy=True)


def test_a_toy_is_not_asked_to_be_shorter(tmp_path: Path) -> None:
    outcome = summarize(
        tmp_path, lambda _: sentences(14), document=book(12), window=8192, limit=2000, words=100, engine=Toy
    )
    assert kinds(outcome) == ["leaf"]
    assert outcome.summary is not None
    assert count_words(outcome.summary.text) == 100


CLEAN = "Anna leaves the house at dawn, and her brother follows her to the port. They sail north together."
TRACED = CLEAN.replace("They sail", "This segment ends as they sail")


def cleaning(with_: str) -> Callable[[CompletionRequest], "str | Completion"]:
    return lambda request: with_ if kind(request) == "clean" else TRACED


@pytest.mark.parametrize("text", [CLEAN, "In this segment, " + CLEAN, "Here is the summary:\n\n" + CLEAN])
def test_no_call_is_made_where_rules_are_enough(tmp_path: Path, text: str) -> None:
    outcome = one_call(tmp_path, lambda _: text, words=None)
    assert kinds(outcome) == ["leaf"]
    assert outcome.summary is not None
    assert outcome.summary.text == CLEAN


def test_a_trace_that_no_rule_mends_is_mended_by_one_call(tmp_path: Path) -> None:
    outcome = one_call(tmp_path, cleaning(CLEAN), words=None)
    assert kinds(outcome) == ["leaf", "clean"]
    assert TRACED in prompt(outcome.requests[1])
    assert outcome.requests[1].temperature == 0.0
    assert outcome.summary is not None
    assert outcome.summary.text == CLEAN


@pytest.mark.parametrize(
    "answer",
    [
        "",
        TRACED,
        "They sail north together.",
        CLEAN + " " + CLEAN.replace("Anna", "Bob"),
        "A whole new story about a dragon, a king and seventeen swords is told in here, for once and always.",
        CLEAN.removesuffix("."),
    ],
    ids=["empty", "still traced", "shortened", "longer", "another", "unfinished"],
)
def test_a_call_that_does_more_than_that_is_not_used(tmp_path: Path, answer: str) -> None:
    outcome = one_call(tmp_path, cleaning(answer), words=None)
    assert kinds(outcome) == ["leaf", "clean"]
    assert outcome.summary is not None
    assert outcome.summary.text == TRACED


def test_only_what_is_shown_is_cleaned(tmp_path: Path) -> None:
    outcome = summarize(tmp_path, lambda request: TRACED if kind(request) == "leaf" else CLEAN)
    assert "clean" not in kinds(outcome)
