"""Checking a claim against excerpts: what supports it and what contradicts it, and a verdict that its quotes bear."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Annotated, Final, TypeAlias

from pydantic import BaseModel, BeforeValidator, Field, JsonValue, field_validator, model_validator

from longdoc.agents.answer_reader import shown_excerpts
from longdoc.agents.answer_shapes import LENIENT, MOST_QUOTES, QuoteShape, Sentence, Words, first_ones, number_in_words
from longdoc.agents.calls import request_of
from longdoc.agents.citations import Citation, CitationChecker
from longdoc.agents.events import Emit, Warned
from longdoc.agents.structured import call_structured
from longdoc.engines.engine import Engine
from longdoc.errors import InvalidOutputError
from longdoc.prompts.catalogue import Quoted, Variable, render
from longdoc.retrieval.excerpts import Excerpt

_NOTHING_TO_READ: Final = "There is nothing to check it against."
_BRIEFLY: Final = "The model did not weigh both directions in a way that can be used; it was asked for one quotation."


class Verdict(StrEnum):
    """What a text says of a claim."""

    TRUE = "true"
    FALSE = "false"
    NOT_STATED = "not_stated"


@dataclass(frozen=True, slots=True)
class ClaimCheck:
    """A verdict on a claim, the verified quotes for and against it, and why.

    `said` is the model's own verdict; it is overruled where no quote for it stands in the text. `dropped` counts quotes
    that stand nowhere or that were given for both sides.
    """

    claim: str
    verdict: Verdict
    supporting: tuple[Citation, ...]
    contradicting: tuple[Citation, ...]
    reason: str
    said: Verdict
    dropped: int

    @property
    def overruled(self) -> bool:
        """Whether the model said what nothing that it quoted bears out."""
        return self.verdict is not self.said


def _spelled(value: JsonValue) -> JsonValue:
    """A verdict as it is spelled here, whatever its case and its joints."""
    if isinstance(value, bool):
        return str(value).casefold()
    joined = "_".join(value.replace("-", " ").replace("_", " ").split()) if isinstance(value, str) else value
    return joined.casefold().rstrip(".") if isinstance(joined, str) else joined


_SpelledVerdict: TypeAlias = Annotated[Verdict, BeforeValidator(_spelled)]


class CheckShape(BaseModel):
    """Quotes for and against a claim, then what to make of them."""

    model_config = LENIENT

    supporting: Annotated[list[QuoteShape], Field(max_length=MOST_QUOTES)]
    contradicting: Annotated[list[QuoteShape], Field(max_length=MOST_QUOTES)]
    reason: Sentence
    verdict: _SpelledVerdict

    @field_validator("supporting", "contradicting", mode="before")
    @classmethod
    def _first_quotes(cls, value: JsonValue) -> JsonValue:
        return first_ones(value, MOST_QUOTES)


class VerdictShape(BaseModel):
    """One quote, then a verdict: so short that also a model that repeats itself comes to its end."""

    model_config = LENIENT

    excerpt: int = 0
    words: Words = ""
    verdict: _SpelledVerdict

    @model_validator(mode="before")
    @classmethod
    def _nothing_quoted(cls, value: JsonValue) -> JsonValue:
        """A quote that is null is none; where words stand alone, they are of no excerpt in particular."""
        given = value.items() if isinstance(value, dict) else ()
        return {name: one for name, one in given if one is not None and one != ""} if given else value

    @field_validator("excerpt", mode="before")
    @classmethod
    def _number(cls, value: JsonValue) -> JsonValue:
        return number_in_words(value)

    def as_check(self) -> CheckShape:
        """The same with the quote on the side of the verdict."""
        quotes = [QuoteShape(excerpt=self.excerpt, words=self.words)] if self.words.strip() else []
        return CheckShape(
            supporting=quotes if self.verdict is Verdict.TRUE else [],
            contradicting=quotes if self.verdict is Verdict.FALSE else [],
            reason="",
            verdict=self.verdict,
        )


class ClaimChecker:
    """Checks claims on any engine."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def check(self, claim: str, excerpts: Sequence[Excerpt], *, max_tokens: int, emit: Emit) -> ClaimCheck:
        """What the excerpts say of a claim.

        A model whose answer cannot be used, also when asked once more, or runs into its limit, is asked for one quote
        and a verdict. A verdict of true or false none of whose quotes stands in the excerpts becomes "not stated", and
        the reason says so. Raises `InvalidOutputError` where none of these answers can be used, and what
        `Engine.complete` raises.
        """
        if not excerpts:
            return ClaimCheck(claim, Verdict.NOT_STATED, (), (), _NOTHING_TO_READ, Verdict.NOT_STATED, dropped=0)
        shown = {**shown_excerpts(excerpts), "claim": Quoted(claim, {"claim": claim})}
        whole = request_of(render("ask/check", shown), max_tokens=max_tokens)
        try:
            said = await call_structured(
                self._engine, whole, CheckShape, purpose="check of a claim", emit=emit, again_when_cut=False
            )
        except InvalidOutputError as error:
            emit(Warned(f"a claim is judged by one quotation, as the model did not weigh both directions ({error})"))
            said = await self._said_briefly(shown, max_tokens=max_tokens, emit=emit)
            brief = await asyncio.to_thread(checked_claim, claim, said, excerpts)
            return replace(brief, reason=f"{brief.reason} {_BRIEFLY}".strip())
        return await asyncio.to_thread(checked_claim, claim, said, excerpts)

    async def _said_briefly(self, shown: Mapping[str, Variable], *, max_tokens: int, emit: Emit) -> CheckShape:
        brief = request_of(render("ask/verdict", shown), max_tokens=max_tokens)
        said = await call_structured(self._engine, brief, VerdictShape, purpose="check of a claim, briefly", emit=emit)
        return said.as_check()


def checked_claim(claim: str, said: CheckShape, excerpts: Sequence[Excerpt]) -> ClaimCheck:
    """What a model made of a claim, as far as its quotes bear it."""
    checker = CitationChecker(excerpts)
    supporting, lost_for = checker.check([quote.said() for quote in said.supporting])
    contradicting, lost_against = checker.check([quote.said() for quote in said.contradicting])
    both = set(supporting) & set(contradicting)
    supporting = tuple(citation for citation in supporting if citation not in both)
    contradicting = tuple(citation for citation in contradicting if citation not in both)
    borne = {Verdict.TRUE: supporting, Verdict.FALSE: contradicting}.get(said.verdict)
    verdict = Verdict.NOT_STATED if borne == () else said.verdict
    reason = " ".join(said.reason.split())
    return ClaimCheck(
        claim=claim,
        verdict=verdict,
        supporting=supporting,
        contradicting=contradicting,
        reason=reason if verdict is said.verdict else f"{_overruling(said.verdict)} {_written(reason)}".strip(),
        said=said.verdict,
        dropped=lost_for + lost_against + 2 * len(both),
    )


def _written(reason: str) -> str:
    return f"It wrote: {reason}" if reason else ""


def _overruling(said: Verdict) -> str:
    direction = "supports" if said is Verdict.TRUE else "contradicts"
    return f'The model said "{said}", but quoted nothing from the text that {direction} the claim.'
