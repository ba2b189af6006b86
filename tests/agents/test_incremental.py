"""A running summary on a scripted engine and a real SQLite file: what updates are asked, what becomes of bad ones."""

import re
from pathlib import Path

import pytest

from longdoc.agents.incremental import IncrementalSummarizer
from longdoc.engines.engine import CompletionRequest
from longdoc.errors import ConfigError, EngineAuthError, RequestRefusedError
from longdoc.storage.nodes import NodeStatus
from tests.agents.summarizing import Answer, Outcome, book, summarize

WORDS = re.compile(r"(?:at most|about) (\d+) words\. End")
WINDOW = 4096


def work(path: Path, answer: Answer, *, paragraphs: int = 30, **options: object) -> Outcome:
    """Summarize a book of three paragraphs a segment."""
    given = {"limit": 60, "window": WINDOW, "document": book(paragraphs), **options}
    return summarize(path, answer, method=IncrementalSummarizer, **given)  # pyright: ignore[reportArgumentType]


def prompt(request: CompletionRequest) -> str:
    return request.messages[-1].content


def kind(request: CompletionRequest) -> str:
    return "" if request.origin is None else request.origin.name.removeprefix("summarize/")


def asked_words(request: CompletionRequest) -> int:
    return int(WORDS.findall(prompt(request))[-1])


def versions() -> Answer:
    """Version 1, version 2 and so on."""
    number = 0

    def answer(request: CompletionRequest) -> str:
        nonlocal number
        number += 1
        return f"Version {number} of the story ends."

    return answer


def test_words_grow_with_what_is_read_from_at_least_a_hundred(tmp_path: Path) -> None:
    requests = work(tmp_path, versions()).requests
    count = len(requests)
    assert [asked_words(request) for request in requests] == [
        max(100, 585 * step // count) for step in range(1, count + 1)
    ]


def test_a_length_asked_for_is_that_of_the_last_version(tmp_path: Path) -> None:
    requests = work(tmp_path, lambda request: "word " * 59 + "end.", words=60).requests
    assert {asked_words(request) for request in requests} == {60}
    assert "about 60 words" in prompt(requests[-1])
    assert "at most 60 words" in prompt(requests[-2])


def test_each_update_reads_the_version_before_and_the_next_segment(tmp_path: Path) -> None:
    requests = work(tmp_path, versions()).requests
    assert [kind(request) for request in requests] == ["leaf", *["update"] * (len(requests) - 1)]
    for number, request in enumerate(requests[1:], start=1):
        assert f"<summary>\nVersion {number} of the story ends.\n</summary>" in prompt(request)
    read = [re.findall(r"event (\d+) happened", prompt(request)) for request in requests]
    assert [int(event) for events in read for event in events] == list(range(30))


def test_every_version_is_a_node_made_from_the_one_before_and_stands_for_all_read_so_far(tmp_path: Path) -> None:
    nodes = work(tmp_path, versions()).nodes
    assert [node.text for node in nodes] == [f"Version {i + 1} of the story ends." for i in range(len(nodes))]
    assert {node.start for node in nodes} == {0}
    assert [node.end for node in nodes] == sorted({node.end for node in nodes if node.end is not None})
    assert nodes[-1].end == len(book(30).text)


def test_what_was_done_before_a_failure_is_not_done_again(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    whole = work(tmp_path / "elsewhere", steady)
    failed = work(tmp_path, stopping_after(4))
    resumed = work(tmp_path, steady)
    assert isinstance(failed.error, EngineAuthError)
    assert [prompt(r) for r in resumed.requests] == [prompt(r) for r in whole.requests[4:]]
    assert [node.text for node in resumed.nodes] == [node.text for node in whole.nodes]


def steady(request: CompletionRequest) -> str:
    return f"It was told of {len(prompt(request))} characters."


def stopping_after(calls: int) -> Answer:
    made = 0

    def answer(request: CompletionRequest) -> str:
        nonlocal made
        made += 1
        if made > calls:
            raise EngineAuthError("the key ran out")
        return steady(request)

    return answer


def test_an_update_without_an_end_leads_to_shorter_versions_before_it_and_one_more_update(tmp_path: Path) -> None:
    def answer(request: CompletionRequest) -> str:
        if kind(request) == "compress":
            return "no end here"
        unfinished = kind(request) == "update" and "event 9 happened" in prompt(request)
        return "It breaks off and" if unfinished else steady(request)

    requests = work(tmp_path, answer, words=400).requests
    first = next(i for i, request in enumerate(requests) if kind(request) == "compress")
    wanted = 400 * 3 // 10
    assert [kind(r) for r in requests[first - 1 : first + 7]] == ["update", *["compress"] * 6, "update"]
    asked = [asked_words(request) for request in requests[first : first + 6]]
    assert asked == [int(wanted * (1 - 0.05 * attempt)) for attempt in range(6)]
    running = re.findall(r"<summary>\n(.*?)\n</summary>", prompt(requests[first - 1]))
    assert all(f"<summary>\n{running[0]}\n" in prompt(request) for request in requests[first : first + 7])
    assert {request.temperature for request in requests[first : first + 7]} == {1.0}


@pytest.mark.parametrize(
    ("lengths", "calls", "taken"),
    [
        ([119], 1, 119),
        ([97], 1, 97),
        ([300, 95], 2, 95),
        ([300, 200, 210, 190, 220, 400], 6, 190),
    ],
)
def test_a_compression_within_a_fifth_is_taken_else_the_closest(
    tmp_path: Path, lengths: list[int], calls: int, taken: int
) -> None:
    given = iter(lengths)

    def answer(request: CompletionRequest) -> str:
        if kind(request) == "compress":
            return "brief " * (next(given) - 1) + "end."
        again = kind(request) == "update" and "brief" in prompt(request)
        unfinished = kind(request) == "update" and "event 9 happened" in prompt(request) and not again
        return "It breaks off and" if unfinished else steady(request)

    requests = work(tmp_path, answer, words=400).requests
    assert sum(kind(request) == "compress" for request in requests) == calls
    again = next(
        r for r in requests if kind(r) == "update" and "event 9 happened" in prompt(r) and "brief" in prompt(r)
    )
    assert prompt(again).count("brief ") == taken - 1


def test_an_update_at_its_limit_is_made_again_too(tmp_path: Path) -> None:
    def answer(request: CompletionRequest) -> str:
        long = kind(request) == "update" and "event 9 happened" in prompt(request) and request.temperature == 0.5
        return "It goes on. " * 2000 if long else steady(request)

    outcome = work(tmp_path, answer)
    assert [kind(r) for r in outcome.requests].count("compress") > 0
    assert {node.status for node in outcome.nodes} == {NodeStatus.DONE}


def test_two_bad_updates_are_cut_and_marked(tmp_path: Path) -> None:
    def answer(request: CompletionRequest) -> str:
        bad = kind(request) == "update" and "event 9 happened" in prompt(request)
        return "It begins. It breaks off and" if bad else steady(request)

    outcome = work(tmp_path, answer)
    assert [node.text for node in outcome.nodes if node.status is NodeStatus.TRUNCATED] == ["It begins."]
    assert outcome.summary is not None
    assert outcome.summary.truncated == 1


def test_an_update_that_comes_back_empty_the_second_time_keeps_what_the_first_one_said(tmp_path: Path) -> None:
    def answer(request: CompletionRequest) -> str:
        if kind(request) == "update" and "event 9 happened" in prompt(request):
            return "It begins. It breaks off and" if request.temperature == 0.5 else " "
        return steady(request)

    outcome = work(tmp_path, answer)
    assert outcome.summary is not None
    assert outcome.summary.gaps == ()
    assert [node.text for node in outcome.nodes if node.status is NodeStatus.TRUNCATED] == ["It begins."]


def test_a_refused_segment_is_a_gap_and_the_version_before_stays(tmp_path: Path) -> None:
    def answer(request: CompletionRequest) -> str:
        if "event 9 happened" in prompt(request):
            raise RequestRefusedError("refused by policy")
        return steady(request)

    outcome = work(tmp_path, answer)
    gap = next(i for i, node in enumerate(outcome.nodes) if node.status is NodeStatus.GAP)
    assert outcome.nodes[gap].reason == "refused by policy"
    assert outcome.nodes[gap].text == outcome.nodes[gap - 1].text
    assert outcome.nodes[gap].text in prompt(outcome.requests[gap + 1])
    assert outcome.summary is not None
    assert outcome.summary.gaps == (f"segment {gap + 1}",)


@pytest.mark.parametrize("length", [9, 40, 200])
def test_a_refused_last_segment_stays_a_gap_whatever_its_length_takes(tmp_path: Path, length: int) -> None:
    def answer(request: CompletionRequest) -> str:
        if "event 29 happened" in prompt(request) and kind(request) == "update":
            raise RequestRefusedError("refused by policy")
        return "It is told here. " * (length // 4) + "All of it ends."

    outcome = work(tmp_path, answer, words=40)
    assert outcome.summary is not None
    assert outcome.summary.gaps == ("segment 10",)
    assert outcome.nodes[-1].status is NodeStatus.GAP
    assert "refused by policy" in outcome.nodes[-1].reason


def test_a_refused_first_segment_is_a_gap_and_the_second_begins(tmp_path: Path) -> None:
    def answer(request: CompletionRequest) -> str:
        if "event 0 happened" in prompt(request):
            raise RequestRefusedError("refused by policy")
        return steady(request)

    outcome = work(tmp_path, answer)
    assert [kind(request) for request in outcome.requests][:3] == ["leaf", "leaf", "update"]
    assert outcome.summary is not None
    assert outcome.summary.gaps == ("segment 1",)


def test_a_window_too_small_is_refused_with_the_numbers(tmp_path: Path) -> None:
    outcome = work(tmp_path, steady, window=2048, limit=1200, paragraphs=200)
    assert isinstance(outcome.error, ConfigError)
    assert re.search(r"segment of 1\d{3} tokens, a template of \d+.*answer of \d+.*window of 2048", str(outcome.error))
    assert outcome.requests == []


def test_more_words_than_the_window_bears_are_refused_with_the_most_there_can_be(tmp_path: Path) -> None:
    error = work(tmp_path, steady, words=2000).error
    most = int(re.findall(r"at most (\d+) words", str(error))[0])
    assert work(tmp_path, steady, words=2000).requests == []
    assert work(tmp_path, lambda _: "word " * (most - 1) + "end.", words=most).summary is not None


def test_chapters_are_another_method_s_business(tmp_path: Path) -> None:
    assert "--method hierarchical" in str(work(tmp_path, steady, by_chapter=True).error)
