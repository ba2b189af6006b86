"""What a request for a chat completion holds. Fields that are not known are ignored, as clients send many."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

from longdoc.app.service.bodies import Name
from longdoc.app.service.problems import refused

_MOST_MESSAGES, _MOST_PARTS, _MOST_STOPS = 10_000, 1_000, 16
_MOST_WORDS = 1_000_000
_LONGEST_STOP = 1_000


class _Body(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class FileBody(_Body):
    """A file: one that was uploaded, or its bytes in base64 (a data URL, too) with a name."""

    file_id: str | None = None
    file_data: str | None = None
    filename: Annotated[str, Field(max_length=200)] | None = None


class PartBody(_Body):
    """A part of a message: `text`, or a `file`."""

    type: str
    text: str | None = None
    refusal: str | None = None
    file: FileBody | None = None


class MessageBody(_Body):
    """A message of a conversation."""

    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: str | Annotated[list[PartBody], Field(max_length=_MOST_PARTS)] | None = None

    @property
    def parts(self) -> Sequence[PartBody]:
        """The content as parts."""
        if self.content is None:
            return ()
        return (PartBody(type="text", text=self.content),) if isinstance(self.content, str) else self.content


class StreamOptionsBody(_Body):
    """How a stream ends: with what it took, or not."""

    include_usage: bool | None = None


class FormatBody(_Body):
    """The shape of an answer."""

    type: str


class LongDocBody(BaseModel):
    """What only longdoc knows: a stored `collection` to ask, a `user` of the tenant that the answer is made for, the
    `capability` to take instead of what the request is taken for, the length in `words`, and whether text that is
    written from documents, or by one call that has them, is streamed while it is written (`live`). Answers to questions
    and summaries come once they are checked."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    collection: Name | None = None
    user: Name | None = None
    capability: Name | None = None
    words: Annotated[int, Field(ge=1, le=_MOST_WORDS)] | None = None
    live: bool = False


_Stop: TypeAlias = Annotated[str, Field(min_length=1, max_length=_LONGEST_STOP)]
_Tokens: TypeAlias = Annotated[int, Field(ge=1)]


class CompletionBody(_Body):
    """A request for a chat completion. `temperature` is taken and does nothing: answers are the same for the same
    question."""

    model: Annotated[str, Field(min_length=1, max_length=1_000)]
    messages: Annotated[list[MessageBody], Field(min_length=1, max_length=_MOST_MESSAGES)]
    stream: bool | None = None
    stream_options: StreamOptionsBody | None = None
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    max_tokens: _Tokens | None = None
    max_completion_tokens: _Tokens | None = None
    stop: _Stop | Annotated[list[_Stop], Field(max_length=_MOST_STOPS)] | None = None
    n: int | None = None
    response_format: FormatBody | None = None
    logprobs: bool | None = None
    tool_choice: object = None
    modalities: list[str] | None = None
    longdoc: LongDocBody = LongDocBody()

    @property
    def stops(self) -> Sequence[str]:
        """What ends an answer."""
        return [self.stop] if isinstance(self.stop, str) else self.stop or []

    @property
    def most_tokens(self) -> int | None:
        """How many tokens an answer may have at most."""
        return self.max_completion_tokens or self.max_tokens

    def check(self) -> None:
        """Raise `ServiceError` for what is asked and cannot be done."""
        wrong = {
            "n: one answer is given; leave it out": self.n not in {None, 1},
            "response_format: answers are text; leave it out": self.response_format is not None
            and self.response_format.type != "text",
            "logprobs: none are told; leave it out": bool(self.logprobs),
            "tool_choice: no tools are called; leave it out": self.tool_choice not in {None, "none", "auto"}
            if isinstance(self.tool_choice, str | None)
            else True,
            "modalities: answers are text; leave it out": bool(set(self.modalities or ()) - {"text"}),
        }
        for message, is_wrong in wrong.items():
            if is_wrong:
                raise refused(400, "unsupported", message)
