"""A small report over a text of 40 paragraphs, to be varied by tests."""

from longdoc.cli.report import Report, ReportNode, ReportSection, ReportSentence

_PARAGRAPHS = [
    f"Paragraph {i} is about the river. The keeper wrote {i} in the book. Then it rained." for i in range(40)
]
TEXT = "\n\n".join(["Part One", *_PARAGRAPHS[:20], "Part Two", *_PARAGRAPHS[20:]])
_PART_TWO = TEXT.index("Part Two")
_SENTENCES = ("The keeper wrote seven.", "He wrote thirty as well.", "He was never seen again.")


def found(text: str, *, within: str = TEXT) -> tuple[int, int]:
    """Where a text stands."""
    start = within.index(text)
    return start, start + len(text)


def sentence(
    number: int, *spans: tuple[int, int], score: float = 0.9, children: tuple[tuple[str, int], ...] = ()
) -> ReportSentence:
    """A sentence of the made summary."""
    start, end = found(_SENTENCES[number], within=" ".join(_SENTENCES))
    return ReportSentence(start, end, score, score > 0.2, spans, children)


def segment(number: int, **changes: object) -> ReportNode:
    """One of the two segments."""
    start, end = (0, _PART_TWO) if number == 0 else (_PART_TWO, len(TEXT))
    said = f"Segment {number} says what was written."
    spans = ((found("The keeper wrote 7 in the book."),), (found("The keeper wrote 30 in the book."),))[number]
    values: dict[str, object] = {
        "id": f"run.{number}",
        "level": 0,
        "title": f"Part {('One', 'Two')[number]}",
        "status": "done",
        "reason": "",
        "text": said,
        "start": start,
        "end": end,
        "sentences": (ReportSentence(0, len(said), 0.8, True, spans),),
    }
    return ReportNode(**(values | changes))


def root(**changes: object) -> ReportNode:
    """The summary: one sentence with two passages, one with a weak one, one without support."""
    values: dict[str, object] = {
        "id": "run.2",
        "level": 1,
        "title": "",
        "status": "done",
        "reason": "",
        "text": " ".join(_SENTENCES),
        "start": 0,
        "end": len(TEXT),
        "children": ("run.0", "run.1"),
        "sentences": (
            sentence(
                0,
                found("The keeper wrote 7 in the book."),
                found("Paragraph 30 is about the river."),
                children=(("run.0", 0),),
            ),
            sentence(1, found("The keeper wrote 30 in the book."), score=0.4, children=(("run.1", 0),)),
            sentence(2, score=0.0),
        ),
    }
    return ReportNode(**(values | changes))


def report(**changes: object) -> Report:
    """The report of a run with a root and two segments."""
    values: dict[str, object] = {
        "title": "The Keeper",
        "creators": ("A. Writer",),
        "source": "keeper.epub",
        "document_text": TEXT,
        "sections": (
            ReportSection("Part One", 0, _PART_TWO, 0),
            ReportSection("Part Two", _PART_TWO, len(TEXT), 0),
        ),
        "nodes": (segment(0), segment(1), root()),
        "root": "run.2",
        "facts": (("Method", "hierarchical"), ("Cost", "$0.0123")),
        "language": "en",
    }
    return Report(**(values | changes))
