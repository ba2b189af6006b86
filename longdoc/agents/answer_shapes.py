"""What a model may answer where claims with quotes are asked for: the shapes, and how near misses are read.

The shapes become JSON schemas; engines without schemas are only told of them by the prompt.
"""

from __future__ import annotations

import re
from typing import Annotated, Final, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, JsonValue, field_validator, model_validator

from longdoc.agents.citations import Said

MOST_CLAIMS: Final = 12
MOST_QUOTES: Final = 4

LENIENT: Final = ConfigDict(frozen=True, json_schema_extra={"additionalProperties": False})
"""Strict servers take no other schema; what a model says besides is read over all the same."""

_NUMBER = re.compile(r"\d+")


Words: TypeAlias = Annotated[str, Field(json_schema_extra={"maxLength": 300})]
Sentence: TypeAlias = Annotated[str, Field(json_schema_extra={"maxLength": 500})]
# The bounds stand in the schema and nothing checks them: a small model that repeats itself comes to an end by them.


class QuoteShape(BaseModel):
    """The words of an excerpt, and its number; words alone are taken to be of no excerpt in particular."""

    model_config = LENIENT

    excerpt: int
    words: Words

    @model_validator(mode="before")
    @classmethod
    def _words_alone(cls, value: JsonValue) -> JsonValue:
        return {"excerpt": 0, "words": value} if isinstance(value, str) else value

    @field_validator("excerpt", mode="before")
    @classmethod
    def _number(cls, value: JsonValue) -> JsonValue:
        return number_in_words(value)

    def said(self) -> Said:
        """The same as a value of ours."""
        return Said(self.excerpt, self.words)


class ClaimShape(BaseModel):
    """One claim: first the quotes that it rests on, then what it says."""

    model_config = LENIENT

    quotes: Annotated[list[QuoteShape], Field(max_length=MOST_QUOTES)]
    text: Sentence

    @model_validator(mode="before")
    @classmethod
    def _text_alone(cls, value: JsonValue) -> JsonValue:
        return {"quotes": [], "text": value} if isinstance(value, str) else value

    @field_validator("quotes", mode="before")
    @classmethod
    def _first_quotes(cls, value: JsonValue) -> JsonValue:
        return first_ones(value, MOST_QUOTES)

    def said(self) -> list[Said]:
        """Its quotes as values of ours."""
        return [quote.said() for quote in self.quotes]


class AnswerShape(BaseModel):
    """Whether the answer is in the excerpts, and its claims."""

    model_config = LENIENT

    found: bool
    claims: Annotated[list[ClaimShape], Field(max_length=MOST_CLAIMS)]

    @model_validator(mode="before")
    @classmethod
    def _without_claims(cls, value: JsonValue) -> JsonValue:
        """An answer that only says that nothing was found needs no empty list."""
        nothing = isinstance(value, dict) and value.get("found") is False and value.get("claims") is None
        return {"found": False, "claims": []} if nothing else value

    @field_validator("claims", mode="before")
    @classmethod
    def _first_claims(cls, value: JsonValue) -> JsonValue:
        return first_ones(value, MOST_CLAIMS)


def number_in_words(value: JsonValue) -> JsonValue:
    """A number that stands in words ("Excerpt 3"); anything else as it is."""
    found = _NUMBER.search(value) if isinstance(value, str) else None
    return int(found.group()[:6]) if found else value


def first_ones(value: JsonValue, most: int) -> JsonValue:
    """The first items of a list, one thing as a list of it, and nothing as an empty one."""
    if value is None:
        return []
    return value[:most] if isinstance(value, list) else [value]
