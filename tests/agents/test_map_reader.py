"""Answers from every segment, on a scripted model that really reads: what is counted is exact, gaps are told."""

import asyncio
import json
import random
import re
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from longdoc.agents.answer_reader import NOT_IN_TEXT
from longdoc.agents.events import Event, Planned, Warned
from longdoc.agents.map_reader import MapAnswer, MapReader, MapText
from longdoc.agents.question_kinds import QuestionForm, QuestionKind, Unit
from longdoc.agents.segment_notes import halved
from longdoc.documents.builder import DocumentBuilder
from longdoc.documents.document import Document, SectionRole
from longdoc.documents.segments import Segment, segment_document
from longdoc.documents.tokens import EstimatedTokens
from longdoc.engines.engine import CompletionRequest, Engine
from longdoc.engines.scripted import ScriptedEngine
from longdoc.errors import ConfigError, EngineAuthError, RequestRefusedError
from longdoc.storage.database import Database
from longdoc.storage.ledger import Ledger, LedgerEngine
from tests.agents.asking import story

Answer = Callable[[CompletionRequest], str]
CHAPTERS = "How many chapters mention Quill?"
MENTIONS = "How many times is Quill mentioned?"
FILLERS = (
    "The sea was grey and the wind came from the north.",
    "Nobody on the quay said a word about it that evening.",
    "The lamp burned low, and the keeper slept in his chair.",
    "Gulls sat on the wall of the harbour, waiting for the fleet.",
)


def text_of(request: CompletionRequest) -> str:
    found = re.search(r"<text>\n(.*?)\n</text>", request.messages[-1].content, re.DOTALL)
    assert found is not None
    return found[1]


def name_of(request: CompletionRequest) -> str:
    return "" if request.origin is None else request.origin.name


def items(*notes: tuple[str, str]) -> str:
    return json.dumps({"items": [{"quote": quote, "text": text} for quote, text in notes]})


def mentions_in(text: str, word: str) -> list[str]:
    """For every mention of a word some words of the sentence around it."""
    quotes: list[str] = []
    for found in re.finditer(rf"\b{word}\b", text):
        before = re.split(r"(?<=\.)\s|\n", text[: found.start()])[-1].split()[-6:]
        after = re.split(r"(?<=\.)\s|\n", text[found.end() :])[0].split()[:6]
        quotes.append(" ".join([*before, word, *after]))
    return quotes


def reading(word: str = "Quill") -> Answer:
    """A model that notes every mention of a word, and nothing else."""
    return lambda request: items(*((quote, f"{word} is there") for quote in mentions_in(text_of(request), word)))


def book(chapters: Sequence[Sequence[str]], *, title: str = "Skerry Head") -> Document:
    """A book with these paragraphs in its chapters."""
    return story({f"Chapter {n}": "\n".join(paragraphs) for n, paragraphs in enumerate(chapters, 1)}, title=title)


def random_book(seed: int, *, chapters: int = 12, same: bool = False) -> tuple[Document, list[int]]:
    """A book, and how often Quill is mentioned in each of its chapters; with `same` always by the same sentence."""
    chance = random.Random(seed)
    made: list[list[str]] = []
    counts: list[int] = []
    for number in range(chapters):
        count = chance.choice([0, 0, 1, 1, 2, 5])
        told = [
            "Marta Quill came down to the shore." if same else f"On day {number}{k} Marta Quill came down to the shore."
            for k in range(count)
        ]
        sentences = [*told, *chance.choices(FILLERS, k=chance.randrange(3, 12))]
        chance.shuffle(sentences)
        cut = chance.randrange(1, len(sentences))
        made.append([" ".join(sentences[:cut]), " ".join(sentences[cut:])])
        counts.append(count)
    return book(made), counts


def segments_of(document: Document, limit: int) -> tuple[Segment, ...]:
    return asyncio.run(segment_document(document, EstimatedTokens(), limit=limit))


def read(
    question: str,
    document: Document,
    answer: Answer | Engine,
    *,
    limit: int = 100,
    window: int = 8192,
    events: list[Event] | None = None,
    more: Sequence[Document] = (),
    max_tokens: int = 400,
) -> MapAnswer:
    engine = ScriptedEngine(answer, context_window=window) if callable(answer) else answer
    texts = [MapText(one, segments_of(one, limit)) for one in (document, *more)]
    told = [] if events is None else events
    return asyncio.run(MapReader(engine).answer(question, texts, max_tokens=max_tokens, emit=told.append))


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("same", [False, True])
def test_chapters_and_mentions_are_counted_exactly(seed: int, same: bool) -> None:
    document, counts = random_book(seed, same=same)
    for limit in (40, 100, 5000):
        found = read(CHAPTERS, document, reading(), limit=limit)
        assert (found.count, found.unit) == (sum(map(bool, counts)), Unit.CHAPTERS)
        titles = [str(citation.place).split(",")[0] for citation in found.answer.citations]
        assert titles == [f"Chapter {n}" for n, count in enumerate(counts, 1) if count]
        assert read(MENTIONS, document, reading(), limit=limit).count == sum(counts)


def test_the_number_is_said_with_what_it_counts() -> None:
    document = book(
        [
            ["Marta Quill came down to the grey shore again."],
            ["Nobody came down to the grey shore that day."],
            ["Then old Quill left the shore. A ship of Quill sailed."],
        ]
    )
    found = read(CHAPTERS, document, reading())
    assert found.answer.text == "2 chapters: Chapter 1; Chapter 3."
    assert read(MENTIONS, document, reading()).answer.text == "3 mentions."
    assert read("How many pages mention Quill?", document, reading()).answer.text == "2 pages: page 1; page 3."
    assert read("How many paragraphs mention Quill?", document, reading()).count == 2
    assert found.dropped == 0
    for item in found.items:
        assert document.text[item.citation.start : item.citation.end] == item.citation.quote


def test_sections_inside_chapters_are_counted_by_themselves() -> None:
    builder = DocumentBuilder("text", "book")
    for chapter in ("I", "II"):
        builder.open_section(chapter)
        for section in ("a", "b"):
            builder.open_section(section)
            builder.add_block(f"In {chapter} {section} old Quill came down to the shore. " + " ".join(FILLERS))
            builder.close_section()
        builder.close_section()
    assert read("How many sections mention Quill?", builder.build(), reading()).count == 4


@pytest.mark.parametrize("unit", ["chapters", "sections", "pages"])
def test_a_text_without_a_unit_has_its_mentions_counted_and_says_so(unit: str) -> None:
    builder = DocumentBuilder("text", "plain")
    builder.add_block("Marta Quill came. Then old Quill left.")
    events: list[Event] = []
    found = read(f"How many {unit} mention Quill?", builder.build(), reading(), events=events)
    assert (found.count, found.unit) == (2, Unit.MENTIONS)
    assert any(f"no {unit}" in event.message for event in events if isinstance(event, Warned))


def test_what_nobody_mentions_has_the_count_zero() -> None:
    found = read(CHAPTERS, random_book(1)[0], reading("Ahab"))
    assert (found.count, found.answer.text, found.answer.found) == (0, "0 chapters.", False)
    assert found.passed == found.segments_read > 1


def test_mentions_at_every_border_of_segments_are_counted_once() -> None:
    paragraphs = ["Quill came to the shore. " + FILLERS[0] + " The shore was seen by Quill." for _ in range(9)]
    document = book([paragraphs[:4], paragraphs[4:]])
    for limit in range(20, 120, 7):
        assert read(MENTIONS, document, reading(), limit=limit).count == 18


def test_the_plan_is_told_and_every_segment_is_one_call() -> None:
    document, _ = random_book(3)
    events: list[Event] = []
    engine = ScriptedEngine(reading())
    read(CHAPTERS, document, engine, events=events)
    assert len(engine.calls) == len(segments_of(document, 100))
    assert [event.nodes for event in events if isinstance(event, Planned)] == [len(engine.calls)]


def test_a_refused_segment_is_a_gap_that_is_told() -> None:
    document = book(
        [
            ["Marta Quill came down to the grey shore again."],
            [*FILLERS, "Old Quill was seen there."],
            ["Then young Quill left the shore and sailed away."],
        ]
    )

    def answer(request: CompletionRequest) -> str:
        if "Old Quill" in text_of(request):
            raise RequestRefusedError("refused by policy")
        return reading()(request)

    events: list[Event] = []
    found = read(CHAPTERS, document, answer, limit=60, events=events)
    assert found.count == 2
    assert found.answer.text.startswith("At least 2 chapters")
    assert [gap.reason for gap in found.failed] == ["refused by policy"]
    gap = found.failed[0]
    assert "Old Quill" in document.text[gap.start : gap.end]
    warnings = [event.message for event in events if isinstance(event, Warned)]
    assert len(warnings) == 1
    assert re.fullmatch(r"1 of \d segments could not be read to the end: refused by policy", warnings[0])
    assert found.segments_read == len(segments_of(document, 60)) - 1


def test_answers_of_nonsense_are_gaps() -> None:
    document = book(
        [["Marta Quill came down to the grey shore again."], ["Then young Quill left the shore and sailed away."]]
    )
    found = read(CHAPTERS, document, lambda _: "the the the")
    assert found.count == 0
    assert "not as asked for" in found.failed[0].reason


def test_an_answer_at_its_limit_has_the_segment_read_in_halves() -> None:
    paragraphs = [f"On day {day} Marta Quill came down to the shore, and it rained." for day in range(60)]
    document = book([paragraphs[:30], paragraphs[30:]])
    engine = ScriptedEngine(reading(), context_window=2600)
    found = read(MENTIONS, document, engine, limit=1500)
    assert found.count == 60
    assert found.failed == ()
    assert len(engine.calls) > len(segments_of(document, 1500))


def test_as_many_notes_as_an_answer_holds_may_not_be_all() -> None:
    document = book([[f"In {year} Quill rested there." for year in range(1700, 1790)]])
    found = read(MENTIONS, document, reading(), window=30_000, limit=6000)
    assert found.count == 90
    assert found.failed == ()


def test_what_is_cut_to_the_last_keeps_its_whole_notes_and_is_told() -> None:
    document = book([["Marta Quill came down to the shore. " * 3]])
    cut = '{"items": [{"quote": "Marta Quill came down", "text": "there"}, {"quote": "' + "shore " * 3000
    found = read(MENTIONS, document, lambda _: cut)
    assert found.count == 1
    assert found.answer.text == "At least 1 mention."
    assert len(found.failed) == 1


def test_what_is_cut_within_its_first_note_has_none() -> None:
    found = read(MENTIONS, book([["Marta Quill came down to the shore."]]), lambda _: '{"items": [' + "shore " * 3000)
    assert found.count == 0
    assert len(found.failed) == 1


def test_a_segment_that_does_not_fit_the_window_is_read_in_halves() -> None:
    document = book([[f"On day {day} Marta Quill came down to the shore." for day in range(40)]])
    found = read(MENTIONS, document, reading(), limit=3000, window=1000)
    assert found.count == 40
    assert found.failed == ()


def test_halves_are_cut_at_a_sentence_and_join_to_the_segment() -> None:
    document, _ = random_book(5, chapters=1)
    whole = Segment(3, 0, len(document.text), 80, SectionRole.BODY, None)
    first, second = halved(document, whole)
    assert (first.start, first.end, second.end) == (0, second.start, whole.end)
    assert (first.index, second.index) == (3, 3)
    assert document.text[: first.end].rstrip().endswith(".")
    assert halved(document, Segment(0, 0, 300, 80, SectionRole.BODY, None)) == ()


def test_invented_quotes_are_dropped_and_counted() -> None:
    def answer(request: CompletionRequest) -> str:
        quotes = mentions_in(text_of(request), "Quill")
        return items(*((quote, "") for quote in quotes), ("Ahab Quill came from Vienna", ""), ("the sea", ""))

    document, counts = random_book(7)
    found = read(MENTIONS, document, answer)
    assert found.count == sum(counts)
    assert found.dropped == 2 * len(segments_of(document, 100))
    assert found.passed == 0


def test_a_place_that_is_noted_again_counts_once() -> None:
    def answer(request: CompletionRequest) -> str:
        text = text_of(request)
        quotes = mentions_in(text, "Quill")
        longer = [next(s for s in re.split(r"(?<=\.)\s", text) if quote in s) for quote in quotes]
        return items(*((quote, "") for quote in (*quotes, *longer, *quotes)))

    document, counts = random_book(8)
    assert read(MENTIONS, document, answer).count == sum(counts)


def test_a_word_that_is_asked_for_as_such_must_be_in_the_quotes() -> None:
    document = book([["The lamp and the lamp went out. The light was gone. Lamps are no use to them."]])

    def answer(request: CompletionRequest) -> str:
        return items(("The lamp and the lamp went out", ""), ("The light was gone", ""), ("Lamps are no use", ""))

    assert read("How many times does the word “lamp” occur?", document, answer).count == 2
    assert read("How often is a lamp mentioned?", document, answer).count == 3


def test_things_are_counted_by_their_names() -> None:
    document = book([["The Otter sailed on Monday."], ["The brig Heron sank there. The Otter came home again."]])

    def answer(request: CompletionRequest) -> str:
        found = re.findall(r"[^.\n]*\b(?:Otter|Heron)\b[^.\n]*\.", text_of(request))
        return items(*((sentence, "the Otter." if "Otter" in sentence else "The Heron") for sentence in found))

    counted = read("How many ships are there in the book?", document, answer)
    assert (counted.count, counted.unit) == (2, Unit.ITEMS)
    assert counted.answer.text == "2 items: the Otter; The Heron."
    listed = read("List all ships.", document, answer)
    assert [claim.text for claim in listed.answer.claims] == ["the Otter.", "The Heron"]
    assert [len(claim.citations) for claim in listed.answer.claims] == [2, 1]


def test_a_list_of_chapters_says_what_is_in_each() -> None:
    document = book(
        [
            ["Marta Quill came down to the grey shore again."],
            ["Nobody came down to the grey shore that day."],
            ["Then old Quill left the shore and sailed away."],
        ]
    )
    found = read("In which chapters does Quill appear?", document, reading())
    assert found.count == 2
    assert found.answer.text == "Chapter 1: Quill is there\nChapter 3: Quill is there"


def test_chapters_of_several_works_are_apart() -> None:
    one = book([["Marta Quill came down to the grey shore again."]], title="One")
    other = book(
        [["Then old Quill left the shore and sailed away."], ["Nobody came down to the grey shore that day."]],
        title="Other",
    )
    found = read(CHAPTERS, one, reading(), more=[other])
    assert found.answer.text == "2 chapters: One: Chapter 1; Other: Chapter 1."


def test_front_matter_is_not_read() -> None:
    builder = DocumentBuilder("text", "book")
    builder.open_section("Contents", role=SectionRole.CONTENTS)
    builder.add_block("Chapter 1: Of Marta Quill. " * 20)
    builder.close_section()
    builder.open_section("Chapter 1")
    builder.add_block("Marta Quill came down to the shore. " + " ".join(FILLERS * 3))
    builder.close_section()
    assert read(MENTIONS, builder.build(), reading()).count == 1


def combining(request: CompletionRequest) -> str:
    """A model that notes what Quill does and, of notes, makes a claim for each three."""
    if name_of(request) == "ask/map":
        return items(*((quote, f"It is told: {quote}.") for quote in mentions_in(text_of(request), "Quill")))
    numbers = [int(number) for number in re.findall(r"^Note (\d+):", request.messages[-1].content, re.MULTILINE)]
    most = int(re.findall(r"at most (\d+) claims", request.messages[-1].content)[-1])
    size = -(-len(numbers) // most)
    groups = [numbers[at : at + size] for at in range(0, len(numbers), size)]
    return json.dumps({"found": True, "claims": [{"notes": g, "text": f"Of notes {g[0]} on."} for g in groups]})


def test_an_answer_is_made_of_all_notes_and_cites_what_they_cite() -> None:
    document, counts = random_book(9)
    engine = ScriptedEngine(combining)
    found = read("How does Quill change throughout the book?", document, engine)
    assert [name_of(request) for request in engine.calls].count("ask/combine") == 1
    assert found.answer.found
    assert len(found.answer.citations) == sum(counts)
    assert (found.count, found.unit) == (None, None)
    assert all(document.text[c.start : c.end] == c.quote for c in found.answer.citations)


def test_notes_that_do_not_fit_are_condensed_batch_by_batch() -> None:
    document = book([[f"On day {day} Marta Quill came down to the shore."] for day in range(150)])
    engine = ScriptedEngine(combining, context_window=2600)
    found = read("How does Quill change throughout the book?", document, engine, limit=200)
    made = [request for request in engine.calls if name_of(request) == "ask/combine"]
    assert len(made) > 2
    assert ["These are only some" in request.messages[-1].content for request in made].count(False) == 1
    assert found.answer.found
    cited = [citation.start for citation in found.answer.citations]
    assert cited == sorted(cited)
    assert cited[-1] > len(document.text) * 0.8


def test_notes_that_there_are_not_are_dropped_and_counted() -> None:
    def answer(request: CompletionRequest) -> str:
        if name_of(request) == "ask/map":
            return combining(request)
        return '{"found": true, "claims": [{"notes": [1, 1, 99, -1], "text": "One."}, {"notes": [], "text": "Two."}]}'

    found = read("Summarize the book.", random_book(9)[0], answer)
    assert found.answer.text == "One. Two."
    assert [len(claim.citations) for claim in found.answer.claims] == [1, 0]
    assert found.answer.dropped == 2


def test_where_the_answer_cannot_be_used_the_notes_are_the_claims() -> None:
    def answer(request: CompletionRequest) -> str:
        return combining(request) if name_of(request) == "ask/map" else "the the the"

    events: list[Event] = []
    found = read("Summarize the book.", random_book(9)[0], answer, events=events)
    assert found.answer.found
    assert all(claim.supported for claim in found.answer.claims)
    assert any("could not be made one answer" in event.message for event in events if isinstance(event, Warned))


def test_batches_that_cannot_be_condensed_lose_half_of_their_notes_and_it_ends() -> None:
    def answer(request: CompletionRequest) -> str:
        return combining(request) if name_of(request) == "ask/map" else "no"

    document = book([[f"On day {day} Marta Quill came down to the shore."] for day in range(150)])
    events: list[Event] = []
    found = read("Summarize the book.", document, answer, limit=200, window=2600, events=events)
    assert 1 <= len(found.answer.claims) <= 12
    assert any("half of them go" in event.message for event in events if isinstance(event, Warned))


def test_notes_without_an_answer_in_them_are_no_answer() -> None:
    def answer(request: CompletionRequest) -> str:
        return combining(request) if name_of(request) == "ask/map" else '{"found": false, "claims": []}'

    found = read("Summarize the book.", random_book(9)[0], answer)
    assert found.answer.text == NOT_IN_TEXT
    assert found.items


def test_batches_that_hold_nothing_for_the_question_leave_nothing() -> None:
    def answer(request: CompletionRequest) -> str:
        return combining(request) if name_of(request) == "ask/map" else '{"found": false, "claims": []}'

    document = book([[f"On day {day} Marta Quill came down to the shore."] for day in range(150)])
    found = read("Summarize the book.", document, answer, limit=200, window=2600)
    assert found.answer.text == NOT_IN_TEXT


def test_nothing_noted_takes_no_further_call() -> None:
    engine = ScriptedEngine(reading("Ahab"))
    document = random_book(9)[0]
    assert read("Summarize the book.", document, engine).answer.text == NOT_IN_TEXT
    assert len(engine.calls) == len(segments_of(document, 100))


def test_a_window_that_holds_no_two_notes_is_refused() -> None:
    document = book([[f"On day {day} Marta Quill came down to the shore."] for day in range(150)])
    engine = ScriptedEngine(combining, context_window=2600)
    with pytest.raises(ConfigError, match="larger window"):
        read("Summarize the book.", document, engine, limit=200, max_tokens=2250)
    assert engine.calls == []


def test_notes_that_turn_out_too_long_are_refused_too() -> None:
    def answer(request: CompletionRequest) -> str:
        return items(*((quote, "It rained. " * 40) for quote in mentions_in(text_of(request), "Quill")))

    document = book([[f"On day {day} Marta Quill came down to the shore."] for day in range(20)])
    with pytest.raises(ConfigError, match="larger window"):
        read("Summarize the book.", document, answer, limit=60, window=2600, max_tokens=2050)


def test_a_look_up_may_be_answered_from_every_segment_too() -> None:
    document = book(
        [["Marta Quill came down to the grey shore again."], ["Then old Quill left the shore and sailed away."]]
    )
    engine = ScriptedEngine(combining)
    found = read("Who came to the shore?", document, engine)
    assert found.answer.found
    assert engine.calls[-1].origin is not None
    assert engine.calls[-1].origin.name == "ask/combine"


def test_the_text_stands_before_the_question() -> None:
    engine = ScriptedEngine(reading())
    document, _ = random_book(2, chapters=2)
    read(CHAPTERS, document, engine, limit=5000)
    read("Summarize the book.", document, engine, limit=5000)
    one, other = (engine.calls[at].messages for at in (0, 1))
    assert one[0] == other[0]
    assert one[1].content.split("</text>")[0] == other[1].content.split("</text>")[0]
    assert one[1].content.index("</text>") < one[1].content.index(CHAPTERS)


def test_segments_are_small_enough_for_the_window() -> None:
    for window in (1024, 2048, 8192, 131_072):
        assert 16 <= MapReader(ScriptedEngine(context_window=window)).segment_limit(window) <= 3072


def test_what_was_read_before_a_failure_is_not_read_again(tmp_path: Path) -> None:
    document, counts = random_book(4)
    made = 0

    def failing(request: CompletionRequest) -> str:
        nonlocal made
        made += 1
        if made > 5:
            raise EngineAuthError("the key ran out")
        return reading()(request)

    async def work(answer: Answer) -> tuple[MapAnswer | None, list[CompletionRequest]]:
        database = await Database.open(tmp_path / "record.db")
        engine = ScriptedEngine(answer)
        texts = [MapText(document, await segment_document(document, EstimatedTokens(), limit=60))]
        reader = MapReader(LedgerEngine(engine, Ledger(database)))
        try:
            return await reader.answer(MENTIONS, texts, max_tokens=400, emit=lambda _: None), engine.calls
        except EngineAuthError:
            return None, engine.calls[:5]
        finally:
            await database.aclose()

    first, read_first = asyncio.run(work(failing))
    second, read_then = asyncio.run(work(reading()))
    assert first is None
    assert second is not None
    assert second.count == sum(counts)
    assert not {text_of(r) for r in read_first} & {text_of(r) for r in read_then}
    assert len(read_first) + len(read_then) == len(segments_of(document, 60))


def test_the_record_knows_the_calls_that_notes_are_from(tmp_path: Path) -> None:
    document = book([[f"On day {day} Marta Quill came down to the shore."] for day in range(100)])

    async def work() -> list[CompletionRequest]:
        database = await Database.open(tmp_path / "record.db")
        engine = ScriptedEngine(combining, context_window=2600)
        texts = [MapText(document, await segment_document(document, EstimatedTokens(), limit=200))]
        reader = MapReader(LedgerEngine(engine, Ledger(database)))
        await reader.answer("Summarize the book.", texts, max_tokens=400, emit=lambda _: None)
        await database.aclose()
        return [request for request in engine.calls if name_of(request) == "ask/combine"]

    made = asyncio.run(work())
    notes = [json.loads(json.dumps(request.origin.inputs["notes"])) for request in made if request.origin is not None]
    assert len(made) > 1
    assert all(isinstance(note["call"], int) for given in notes for note in given)
    assert set(notes[0][0]) == {"document", "start", "end", "call"}
    assert set(notes[-1][0]) == {"call"}


def test_the_kind_of_question_may_be_given() -> None:
    document, counts = random_book(4)
    texts = [MapText(document, segments_of(document, 100))]
    reader = MapReader(ScriptedEngine(combining))
    found = asyncio.run(
        reader.answer(
            "Quill?",
            texts,
            max_tokens=400,
            emit=lambda _: None,
            kind=QuestionKind(QuestionForm.COUNTING, Unit.MENTIONS),
        )
    )
    assert found.count == sum(counts)
