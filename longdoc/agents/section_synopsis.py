"""What later sections are told of one that is written: what it says in short, and what they must keep to."""

from __future__ import annotations

import re
from dataclasses import dataclass

from longdoc.agents.calls import call, request_of
from longdoc.agents.cleanup import without_chatter
from longdoc.agents.events import Emit
from longdoc.agents.sentences import cut_to_sentence
from longdoc.documents.atoms import sentence_spans
from longdoc.engines.engine import Engine
from longdoc.errors import ContextTooLongError, InvalidOutputError, RequestRefusedError
from longdoc.prompts.catalogue import Quoted, render

_TOKENS = 140
_FACTS = re.compile(
    r"(?:^[ \t*#-]{0,8}|(?<=[.!?。！？]) ?)(?:facts?|fakten|faits|hechos|事实|事實)[ \t*]{0,4}[:：]",
    re.IGNORECASE | re.MULTILINE,
)
_NOTHING = re.compile(r"none|nothing|no facts|n/?a|无", re.IGNORECASE)
_NUMBER = re.compile(r"^[\s*•-]{0,8}(?:\d{1,2}[.)]\s)?")
_MOST_CHARACTERS = 400
_MOST_FACTS = 8
_MOST_FACT = 100


@dataclass(frozen=True, slots=True)
class Synopsis:
    """A section in short, and the names, dates, figures and decisions in it."""

    summary: str
    facts: tuple[str, ...] = ()


async def synopsis_of(engine: Engine, text: str, *, title: str, emit: Emit) -> Synopsis:
    """What later sections are told of a text. What a model makes nothing of is told by its first sentence.

    Raises what `Engine.complete` raises, but refusals of this one request.
    """
    prompt = render("write/synopsis", {"section": Quoted(text, {"section": title})})
    request = request_of(prompt, max_tokens=_TOKENS)
    try:
        answer = await call(engine, request, purpose=f"notes on {title}", emit=emit)
    except (ContextTooLongError, RequestRefusedError, InvalidOutputError):
        return Synopsis(_first_sentence(text))
    return read_synopsis(answer.text, text)


def read_synopsis(answer: str, text: str) -> Synopsis:
    """What an answer says; the beginning of the text where it says nothing."""
    said = without_chatter(answer)
    match = _FACTS.search(said)
    summary = " ".join((said if match is None else said[: match.start()]).split())
    listed = "" if match is None else said[match.end() :]
    facts = (" ".join(_NUMBER.sub("", fact).split()).strip(" -*•.。") for fact in re.split(r"[;；\n]", listed))
    kept = dict.fromkeys(fact for fact in facts if 0 < len(fact) <= _MOST_FACT and not _NOTHING.fullmatch(fact))
    if len(summary) > _MOST_CHARACTERS:
        summary = cut_to_sentence(summary[:_MOST_CHARACTERS])
    return Synopsis(summary or _first_sentence(text), tuple(kept)[:_MOST_FACTS])


def _first_sentence(text: str) -> str:
    spans = sentence_spans(text)
    return " ".join(text[spans[0][0] : spans[0][1]].split())[:_MOST_CHARACTERS] if spans else ""
