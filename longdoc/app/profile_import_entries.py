"""What stands in a file of profiles: items, users, summaries; made from values of any shape, checked one by one.

Owns the fields and their meaning, LaMP's among them; how values are parted in a file is left to the readers.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, TypeAlias, cast

import pydantic
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from longdoc.errors import ConfigError
from longdoc.evaluation.lamp_tasks import LAMP
from longdoc.storage.clock import read_moment
from longdoc.storage.profile_rows import LONGEST_NAME, check_name
from longdoc.storage.profile_types import NewItem, ProfileSummary

AUTHOR_TASK: Final = "title"
"""The task of items whose user is called an author, as in files of commit titles."""
_USERS = ("user", "author", "id")
_TEXTS = ("text", "abstract", "description", "article", "body")
_OUTPUTS: Final = ("output", "title", "subject", "tag", "category", "label", "score", "rating")
_OTHER_NAMES: Final = {"lamp-2": "category", "lamp-6": "subject"}
_LAMP_OUTPUTS: Final[Mapping[str, tuple[str, ...]]] = {
    one.task.name: tuple(filter(None, (one.output, _OTHER_NAMES.get(one.task.name)))) for one in LAMP.values()
}
_DATES = ("at", "date")
_SOURCES = ("source", "repo")
_KEY_LENGTH = 32
_PLACE = "{place}: {reason}"


@dataclass(frozen=True, slots=True)
class ItemEntry:
    """An item of a user."""

    user: str
    item: NewItem

    @property
    def size(self) -> int:
        """Characters that it holds."""
        return len(self.item.text) + len(self.item.output or "")


@dataclass(frozen=True, slots=True)
class UserEntry:
    """A user without anything else: one who has no items, or is not `enabled`."""

    user: str
    enabled: bool
    size: int = 0


@dataclass(frozen=True, slots=True)
class SummaryEntry:
    """What is said of a user: `made_from` are the keys of the items behind it, `unseen` of those it does not know."""

    user: str
    summary: ProfileSummary
    made_from: tuple[str, ...]
    unseen: frozenset[str]

    @property
    def size(self) -> int:
        """Characters that it holds."""
        return len(self.summary.text)


Entry: TypeAlias = ItemEntry | UserEntry | SummaryEntry


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose items are meant, and for which task, where a file does not say it."""

    user: str | None = None
    task: str | None = None


class _SummaryFields(BaseModel):
    """A summary as it stands in a file."""

    model_config = ConfigDict(extra="ignore")

    task: str
    text: str = Field(min_length=1)
    made_from: tuple[str, ...] = ()
    unseen: frozenset[str] = frozenset()
    seen: int = Field(0, ge=0)
    model: str = ""
    prompt: str = ""
    made_at: datetime
    counted: dict[str, pydantic.JsonValue] = Field(default_factory=dict[str, pydantic.JsonValue])
    locked: bool = False
    edited: bool = False


def entry_of(values: Mapping[str, object], owner: Owner) -> Entry:
    """What a line stands for: an item, where it has a `text` or an `output`; a summary; else a user.

    Raises `ConfigError`, which says what is wrong.
    """
    user = _name(values, "user") or owner.user
    if user is None:
        raise ConfigError("it names no 'user'; add one, or --user NAME for all")
    check_name(user, "a user")
    if "summary" in values:
        return _summary_entry(user, values["summary"])
    if "enabled" in values and not ("text" in values or "output" in values):
        if not isinstance(values["enabled"], bool):
            raise ConfigError("'enabled' is true or false")
        return UserEntry(user, values["enabled"])
    task = _name(values, "task") or owner.task
    if task is None:
        raise ConfigError("it names no 'task'; add one, or --task NAME for all")
    return _item_entry(
        user, task, _name(values, "key"), _text(values, "text"), values, output=_text(values, "output"), source=_SOURCES
    )


def lamp_entries(value: object, owner: Owner, *, number: int) -> Iterator[ItemEntry | str]:
    """The items of one user of a LaMP file, `{id, input, profile: [{…}]}`; for one that cannot be used, why not.

    Raises `ConfigError` where no task is named and none is told by the shape.
    """
    if not isinstance(value, dict):
        yield f"entry {number} is no object with an 'id' and a 'profile'"
        return
    values = cast("dict[str, object]", value)
    task = owner.task or (AUTHOR_TASK if "author" in values else None)
    if task is None:
        raise ConfigError("a LaMP file does not say which task it is of; add it: --task lamp-4")
    try:
        user, profile = _lamp_user(values, owner)
    except ConfigError as error:
        yield _PLACE.format(place=f"entry {number}", reason=error)
        return
    for place, one in enumerate(profile, 1):
        try:
            yield _lamp_item(user, task, one)
        except ConfigError as error:
            yield _PLACE.format(place=f"entry {number}, item {place}", reason=error)


def fitting_key(key: str) -> str:
    """A key that can be stored: the same, or a checksum where it is too long or cannot be printed."""
    if key.strip() and len(key) <= LONGEST_NAME and key.isprintable():
        return key
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:_KEY_LENGTH]


def moment_of(value: object) -> datetime | None:
    """The moment that a date says, in UTC where it does not say: ISO 8601, or a year. Raises `ConfigError`."""
    if value is None or value == "":
        return None
    text = str(value)
    try:
        return read_moment(text)
    except (ValueError, OverflowError) as error:
        raise ConfigError(f"{text.strip()[:60]!r} is no date; write it as 2026-01-31 or 2026-01-31T18:00Z") from error


def _lamp_user(values: Mapping[str, object], owner: Owner) -> tuple[str, list[object]]:
    """Who an entry is of, and what it has of them."""
    user = next(filter(None, (_name(values, one) for one in _USERS)), None) or owner.user
    profile = values.get("profile")
    if user is None or not isinstance(profile, list):
        raise ConfigError(f"it has no {'id' if user is None else 'profile'}")
    check_name(user, "a user")
    return user, cast("list[object]", profile)


def _lamp_item(user: str, task: str, value: object) -> ItemEntry:
    if not isinstance(value, dict):
        raise ConfigError("it is no object")
    values = cast("dict[str, object]", value)
    outputs = _LAMP_OUTPUTS.get(task, _OUTPUTS)
    text = next((found for one in _TEXTS if (found := _text(values, one)) is not None), None)
    output = next((found for one in outputs if (found := _text(values, one)) is not None), None)
    key = next(filter(None, (_name(values, one) for one in ("key", "id"))), None)
    return _item_entry(user, task, key, text, values, output=output, source=_SOURCES)


def _item_entry(
    user: str,
    task: str,
    key: str | None,
    text: str | None,
    values: Mapping[str, object],
    *,
    output: str | None,
    source: Sequence[str],
) -> ItemEntry:
    if not (text or "").strip() and not (output or "").strip():
        raise ConfigError("it has neither a text nor an output")
    check_name(task, "a task")
    at = next((moment for one in _DATES if (moment := moment_of(values.get(one))) is not None), None)
    came_from = next((found for one in source if (found := _text(values, one)) is not None), "")
    text = text or ""
    if key is None:
        key = _checksum(text, output, at)
    check_name(key, "the key of an item")
    return ItemEntry(user, NewItem(task, key, text, output, at, came_from))


def _checksum(text: str, output: str | None, at: datetime | None) -> str:
    content = json.dumps([text, output, None if at is None else at.isoformat()])
    return hashlib.sha256(content.encode("ascii")).hexdigest()[:_KEY_LENGTH]


def _summary_entry(user: str, value: object) -> SummaryEntry:
    try:
        read = _SummaryFields.model_validate(value)
    except ValidationError as error:
        problem = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(("summary", *map(str, problem["loc"])))
        raise ConfigError(f"{where}: {problem['msg']}") from error
    check_name(read.task, "a task")
    _check_text(read.text)
    summary = ProfileSummary(
        read.task,
        read.text,
        (),
        read.seen,
        0,
        read.model,
        read.prompt,
        read.made_at if read.made_at.tzinfo is not None else read.made_at.replace(tzinfo=UTC),
        read.counted,
        read.locked,
        read.edited,
    )
    return SummaryEntry(user, summary, read.made_from, read.unseen)


def _name(values: Mapping[str, object], field: str) -> str | None:
    """A name: a text, or a whole number; None where there is none."""
    value = values.get(field)
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise ConfigError(f"'{field}' is no text")
    return value


def _text(values: Mapping[str, object], field: str) -> str | None:
    """A text, or a number as one; None where there is none."""
    value = values.get(field)
    if value is None:
        return None
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str):
        raise ConfigError(f"'{field}' is no text")
    _check_text(value)
    return value


def _check_text(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ConfigError("it is no text in UTF-8") from error
