"""What requests hold: checked and bounded where it comes in."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Literal, TypeAlias
from urllib.parse import unquote

from fastapi import Header, Path, Query
from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field

from longdoc.agents.profile_context import MOST_ITEMS
from longdoc.app.personalize import SMALLEST_BUDGET
from longdoc.memory.profile_ranking import Ranked
from longdoc.storage.profile_rows import LONGEST_NAME

MOST_IMPORTED = 1_000
"""Items that are put with one request."""
_LARGEST_NUMBER = 2**53
_LARGEST_BUDGET = 100_000
_LONGEST_TEXT, _LONGEST_OUTPUT, _LONGEST_SOURCE = 200_000, 20_000, 1_000
_LONGEST_LIFE = 36_500
_MOST_METADATA = 50


def _printable(name: str) -> str:
    if not name.strip() or not name.isprintable():
        raise ValueError("a name has signs that can be seen")
    return name


def _unquoted(value: object) -> object:
    return unquote(value) if isinstance(value, str) else value


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("the moment is out of range") from error


_NAME = Field(min_length=1, max_length=LONGEST_NAME)
Name: TypeAlias = Annotated[str, _NAME, AfterValidator(_printable)]
Text: TypeAlias = Annotated[str, Field(min_length=1, max_length=_LONGEST_TEXT)]
Moment: TypeAlias = Annotated[AwareDatetime, AfterValidator(_in_utc)]
InPath: TypeAlias = Annotated[
    str,
    Path(min_length=1, max_length=LONGEST_NAME),
    BeforeValidator(_unquoted),
]
"""A name in the path of a request, which comes quoted."""
NameInQuery: TypeAlias = Annotated[str, Query(min_length=1, max_length=LONGEST_NAME)]
Count: TypeAlias = Annotated[int, Query(ge=1, le=1_000)]
After: TypeAlias = Annotated[int, Query(ge=0, le=_LARGEST_NUMBER)]
Before: TypeAlias = Annotated[int | None, Query(ge=1, le=_LARGEST_NUMBER)]
IdempotencyKey: TypeAlias = Annotated[str | None, Header(min_length=1, max_length=LONGEST_NAME)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class UserBody(_Body):
    """Whether answers are made for a user."""

    enabled: bool = True


class ItemBody(_Body):
    """An item: `text`, and what came out of it for the task (a label, a number, a title)."""

    task: Name
    key: Name
    text: Annotated[str, Field(max_length=_LONGEST_TEXT)]
    output: Annotated[str, Field(max_length=_LONGEST_OUTPUT)] | None = None
    at: Moment | None = None
    source: Annotated[str, Field(max_length=_LONGEST_SOURCE)] = ""


class ItemsBody(_Body):
    """Items of a user; one whose task and key are there takes the place of the one that was."""

    items: Annotated[list[ItemBody], Field(min_length=1, max_length=MOST_IMPORTED)]


class SummaryBody(_Body):
    """What a person says of a user instead of what was made, and whether it is to stay."""

    text: Annotated[str, Field(min_length=1, max_length=_LONGEST_OUTPUT)] | None = None
    locked: bool | None = None


class ContextBody(_Body):
    """What is to be done for whom, and how much of them is wanted: `k` items (by default four, or one beside a
    summary) within `budget` tokens, made `before` a moment and `without` those of some keys."""

    user: Name
    query: Text
    task: Name = "answer"
    budget: Annotated[int, Field(ge=SMALLEST_BUDGET, le=_LARGEST_BUDGET)] | None = None
    k: Annotated[int, Field(ge=0, le=MOST_ITEMS)] | None = None
    summary: bool = True
    ranked: Ranked = Ranked.WORDS
    before: Moment | None = None
    without: Annotated[list[Name], Field(max_length=MOST_IMPORTED)] = Field(default_factory=list[Name])


class PersonalizeBody(ContextBody):
    """As for a context; with `stream` the answer comes in pieces, as server-sent events."""

    stream: bool = False


class RefreshBody(_Body):
    """Whose summaries are made: of a user or of all, for some tasks or all; all of them with `force`, and those made
    so many days ago."""

    user: Name | None = None
    tasks: Annotated[list[Name], Field(max_length=100)] = Field(default_factory=list[Name])
    force: bool = False
    older_than_days: Annotated[int, Field(ge=1, le=_LONGEST_LIFE)] | None = None


class Place(_Body):
    """Whose memories: of a user, with an agent, in a session."""

    user: Name
    agent: Name = "default"
    session: Name = "main"


class MemoryBody(Place):
    """A memory: what was said, what was answered to it, or both."""

    observation: Annotated[str, Field(max_length=_LONGEST_TEXT)] = ""
    response: Annotated[str, Field(max_length=_LONGEST_TEXT)] = ""
    kind: Literal["turn", "document", "import"] = "turn"
    key: Name | None = None
    at: Moment | None = None
    expires_in_days: Annotated[int, Field(ge=1, le=_LONGEST_LIFE)] | None = None
    metadata: Annotated[
        dict[Annotated[str, Field(max_length=LONGEST_NAME)], Annotated[str, Field(max_length=_LONGEST_SOURCE)]],
        Field(max_length=_MOST_METADATA),
    ] = Field(default_factory=dict[str, str])


class MemoryEditBody(_Body):
    """What a memory is to say; what is not named stays."""

    observation: Annotated[str, Field(max_length=_LONGEST_TEXT)] | None = None
    response: Annotated[str, Field(max_length=_LONGEST_TEXT)] | None = None


class SearchBody(Place):
    """What is searched for among memories."""

    query: Text
    k: Annotated[int, Field(ge=1, le=100)] = 10
