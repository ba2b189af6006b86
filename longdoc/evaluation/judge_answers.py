"""What a judge of coherence may answer: the shapes, and how near misses are read.

The shapes become JSON schemas; engines without schemas are only told of them by the prompt.
"""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, JsonValue, create_model, field_validator, model_validator

from longdoc.evaluation.booookscore import Judgement, Label

_NO_QUESTION: Final = frozenset({"", "none", "null", "n/a", "no confusion"})


class SentenceAnswer(BaseModel):
    """What a sentence leaves open, and the kinds of confusion; null and no kinds where it confuses nobody."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    questions: str | None
    types: Annotated[list[Label], Field(max_length=len(Label))]

    @field_validator("questions", mode="after")
    @classmethod
    def _real_question(cls, questions: str | None) -> str | None:
        text = (questions or "").strip()
        return None if text.casefold().rstrip(".") in _NO_QUESTION else text

    @field_validator("types", mode="before")
    @classmethod
    def _plain_labels(cls, types: JsonValue) -> JsonValue:
        if isinstance(types, str):
            types = [*filter(None, (part.strip() for part in types.split(",")))]
        return [_plain(label) for label in types] if isinstance(types, list) else types

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> SentenceAnswer:
        if (self.questions is None) is bool(self.types):
            raise ValueError("questions must be null when types is empty, and a question when it is not")
        return self

    def judgement(self) -> Judgement:
        """The same as a judgement; a label given twice counts once."""
        return Judgement(self.questions, tuple(dict.fromkeys(self.types)))

    def judgements(self) -> tuple[Judgement, ...]:
        """The judgement of the one sentence asked about."""
        return (self.judgement(),)


class BatchAnswer(BaseModel):
    """The answers for the sentences of a batch, one for each, in their order."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    answers: list[SentenceAnswer]

    @model_validator(mode="before")
    @classmethod
    def _bare_list(cls, value: JsonValue) -> JsonValue:
        return {"answers": value} if isinstance(value, list) else value

    def judgements(self) -> tuple[Judgement, ...]:
        """The judgements in the order of the sentences."""
        return tuple(answer.judgement() for answer in self.answers)


def batch_answer(count: int) -> type[BatchAnswer]:
    """The shape of the answers to so many sentences: no more, no fewer."""
    sized = Annotated[list[SentenceAnswer], Field(min_length=count, max_length=count)]
    return create_model("BatchAnswer", __base__=BatchAnswer, answers=(sized, ...))


def _plain(label: JsonValue) -> JsonValue:
    """A label as it is spelled here, whatever its case and its joints."""
    return " ".join(label.replace("_", " ").replace("-", " ").casefold().split()) if isinstance(label, str) else label
