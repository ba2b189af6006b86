"""Events in a few words, for those who wait somewhere else than at a terminal."""

from __future__ import annotations

from longdoc.agents.events import (
    CallStarted,
    DraftPlanned,
    Event,
    Indexed,
    NodeDone,
    Planned,
    Read,
    Scored,
    SectionBegun,
    SectionWritten,
    Traced,
    Warned,
)


def line_of(event: Event) -> str:
    """What an event says of how far the work is; "" where that is nothing."""
    counted = counted_of(event)
    if counted is not None:
        done, total, what = counted
        return f"{done:,} of {total:,} {what}"
    match event:
        case Planned(description=said) | CallStarted(purpose=said) | Warned(message=said):
            line = said
        case NodeDone(title=title):
            line = f"done: {title}"
        case DraftPlanned(words=words):
            line = f"planned: {len(words)} sections"
        case SectionBegun(number=number):
            line = f"writing section {number}"
        case SectionWritten(number=number, words=words):
            line = f"section {number} is written, {words:,} words"
        case _:
            line = ""
    return line


def counted_of(event: Event) -> tuple[int, int, str] | None:
    """How many of how many, and of what and how; None for events that do not count."""
    match event:
        case Indexed(done, total):
            return done, total, "stretches of text are indexed"
        case Scored(done, total):
            return done, total, "segments are scored"
        case Read(done, total):
            return done, total, "segments are read"
        case Traced(done, total):
            return done, total, "nodes are traced"
        case _:
            return None
