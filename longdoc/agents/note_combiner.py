"""An answer from notes on all of a text: in one call where they fit the window, else batch by batch and again."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Final

from pydantic import BaseModel, Field, JsonValue, field_validator

from longdoc.agents.answer_reader import Answer, answer_of, not_in_text
from longdoc.agents.answer_shapes import LENIENT, MOST_CLAIMS, Sentence, first_ones
from longdoc.agents.calls import request_of
from longdoc.agents.citations import Citation, Claim
from longdoc.agents.events import CallFinished, Emit, Event, Warned
from longdoc.agents.segment_notes import MapItem
from longdoc.agents.structured import call_structured
from longdoc.documents.tokens import estimate_tokens
from longdoc.engines.engine import Engine
from longdoc.errors import ConfigError, ContextTooLongError, InvalidOutputError, RequestRefusedError
from longdoc.prompts.catalogue import Quoted, Reference, render

_MOST_NOTED: Final = 24
_MOST_CITED: Final = 8
_MOST_CHARACTERS = 800
_ESTIMATE_MARGIN = 1.3
_MESSAGE_TOKENS = 32
_NOTE_TOKENS = 16
_CLAIM_TOKENS = 48
_SOME_LENGTH = 64


class CombinedClaimShape(BaseModel):
    """A claim and the numbers of the notes that it rests on."""

    model_config = LENIENT

    notes: Annotated[list[int], Field(max_length=_MOST_NOTED)]
    text: Sentence

    @field_validator("notes", mode="before")
    @classmethod
    def _first_notes(cls, value: JsonValue) -> JsonValue:
        return first_ones(value, _MOST_NOTED)


class CombinedShape(BaseModel):
    """Whether the notes hold an answer, and its claims."""

    model_config = LENIENT

    found: bool
    claims: Annotated[list[CombinedClaimShape], Field(max_length=MOST_CLAIMS)]

    @field_validator("claims", mode="before")
    @classmethod
    def _first_claims(cls, value: JsonValue) -> JsonValue:
        return first_ones(value, MOST_CLAIMS)


@dataclass(frozen=True, slots=True)
class _Note:
    """What a call reads as one note, and what it rests on."""

    text: str
    citations: tuple[Citation, ...]
    reference: Reference

    @property
    def tokens(self) -> int:
        return math.ceil(estimate_tokens(self.text) * _ESTIMATE_MARGIN) + _NOTE_TOKENS


class NoteCombiner:
    """Answers a question from notes on any engine; a claim's citations are those of the notes that it names."""

    def __init__(self, engine: Engine, question: str, *, max_tokens: int, emit: Emit) -> None:
        self._engine = engine
        self._question = question
        self._max_tokens = max_tokens
        self._emit = emit
        self._dropped = 0

    async def combine(self, items: Sequence[MapItem]) -> Answer:
        """The answer; where the model's cannot be used, the notes themselves are the claims, as many as a call writes.

        Raises `ConfigError` where the window holds no two notes, and what else `Engine.complete` raises.
        """
        if not items:
            return not_in_text()
        notes = [_note(item) for item in items]
        while notes and sum(note.tokens for note in notes) > self._room:
            self._check(notes)
            notes = await self._condensed(notes)
        if not notes:
            return not_in_text(dropped=self._dropped)
        try:
            claims = await self._claims(notes, final=True, most=MOST_CLAIMS)
        except (InvalidOutputError, RequestRefusedError, ContextTooLongError) as error:
            self._emit(Warned(f"the notes could not be made one answer: {error}"))
            claims = [Claim(note.text, note.citations) for note in notes[:MOST_CLAIMS]]
        return answer_of(claims, dropped=self._dropped)

    def require_room(self) -> None:
        """Raise `ConfigError` where the window holds no two notes of some length, before anything is spent on them."""
        if self._room < 2 * _SOME_LENGTH:
            raise self._too_small(_SOME_LENGTH)

    @property
    def _room(self) -> int:
        """Tokens for notes in a call."""
        prompt = render("ask/combine", self._variables([], final=False, most=MOST_CLAIMS))
        overhead = math.ceil(estimate_tokens(prompt.system + prompt.user) * _ESTIMATE_MARGIN) + _MESSAGE_TOKENS
        return self._engine.info.context_window - overhead - self._max_tokens

    def _check(self, notes: Sequence[_Note]) -> None:
        """Raise where a batch might hold one note only, which could not become fewer."""
        longest = max(note.tokens for note in notes)
        if 2 * longest > self._room:
            raise self._too_small(longest)

    def _too_small(self, tokens: int) -> ConfigError:
        return ConfigError(
            f"a window of {self._engine.info.context_window} tokens does not hold two notes of {tokens} and an answer "
            f"of {self._max_tokens}; use a model with a larger window"
        )

    async def _condensed(self, notes: Sequence[_Note]) -> list[_Note]:
        """Fewer notes that say the same: at most half as many of each batch that fits a call."""
        kept: list[_Note] = []
        for number, batch in enumerate(self._batches(notes), 1):
            if len(batch) == 1:
                kept += batch
                continue
            most = max(1, min(MOST_CLAIMS, len(batch) // 2, self._max_tokens // _CLAIM_TOKENS))
            calls: list[int] = []
            try:
                claims = await self._claims(batch, final=False, most=most, calls=calls)
                kept += [_condensed_note(claim, batch, calls) for claim in claims[:most]]
            except (InvalidOutputError, RequestRefusedError, ContextTooLongError) as error:
                self._emit(Warned(f"notes of batch {number} could not be condensed, so half of them go: {error}"))
                kept += batch[:most]
        return kept

    def _batches(self, notes: Sequence[_Note]) -> Iterator[list[_Note]]:
        room = self._room
        batch: list[_Note] = []
        for note in notes:
            if batch and sum(one.tokens for one in batch) + note.tokens > room:
                yield batch
                batch = []
            batch.append(note)
        yield batch

    async def _claims(
        self, notes: Sequence[_Note], *, final: bool, most: int, calls: list[int] | None = None
    ) -> list[Claim]:
        def tell(event: Event) -> None:
            if isinstance(event, CallFinished) and event.completion.call_id is not None and calls is not None:
                calls.append(event.completion.call_id)
            self._emit(event)

        said = await call_structured(
            self._engine,
            request_of(
                render("ask/combine", self._variables(notes, final=final, most=most)), max_tokens=self._max_tokens
            ),
            CombinedShape,
            purpose="answer from the notes" if final else "condensing notes",
            emit=tell,
        )
        if not said.found:
            return []
        return [self._claim(claim, notes) for claim in said.claims if claim.text.strip()]

    def _claim(self, claim: CombinedClaimShape, notes: Sequence[_Note]) -> Claim:
        """A claim with the citations of the notes it names; a note that there is not is dropped and counted."""
        named = dict.fromkeys(claim.notes)
        there = [notes[number - 1] for number in named if 1 <= number <= len(notes)]
        self._dropped += len(named) - len(there)
        cited = dict.fromkeys(citation for note in there for citation in note.citations)
        return Claim(" ".join(claim.text.split()), tuple(cited)[:_MOST_CITED])

    def _variables(
        self, notes: Sequence[_Note], *, final: bool, most: int
    ) -> dict[str, bool | int | Quoted | list[Quoted]]:
        return {
            "notes": [Quoted(note.text, note.reference) for note in notes],
            "question": Quoted(self._question, {"question": self._question}),
            "final": final,
            "claims": most,
        }


def _note(item: MapItem) -> _Note:
    cited = item.citation
    place = str(cited.place)
    text = f"{item.text} “{' '.join(cited.quote.split())}”" + (f" ({place})" if place else "")
    reference: dict[str, str | int] = {"document": cited.document_id, "start": cited.start, "end": cited.end}
    if item.call is not None:
        reference["call"] = item.call
    return _Note(text[:_MOST_CHARACTERS], (cited,), reference)


def _condensed_note(claim: Claim, batch: Sequence[_Note], calls: Sequence[int]) -> _Note:
    reference = {"call": calls[-1]} if calls else batch[0].reference
    return _Note(claim.text[:_MOST_CHARACTERS], claim.citations, reference)
