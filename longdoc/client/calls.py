"""What can be asked of the service: a function makes a call, and a client of either kind sends it.

with Client("http://127.0.0.1:8765") as lda:
    lda.send(calls.put_items("ann", [NewItem("title", "1", "A long text", "A short title")]))
    answer = lda.send(calls.personalize("ann", "Another long text", task="title"))
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from functools import partial
from typing import Generic, Literal, TypeAlias, TypeVar
from urllib.parse import quote

from pydantic import BaseModel

from longdoc.client import replies
from longdoc.client.replies import Answer, Context, Job, Memory, Nothing, Piece, Stored, Summary, User
from longdoc.json_value import JsonValue

T_co = TypeVar("T_co", covariant=True)
M = TypeVar("M", bound=BaseModel)

Method: TypeAlias = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
Ranked: TypeAlias = Literal["bm25", "dense", "fused", "newest", "random"]


@dataclass(frozen=True, slots=True)
class Call(Generic[T_co]):
    """A request: `read` makes of the bytes of its reply what it is."""

    method: Method
    path: str
    read: Callable[[bytes], T_co]
    body: Mapping[str, JsonValue] | None = None
    query: Mapping[str, str | int] = field(default_factory=dict[str, "str | int"])
    headers: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class StreamCall(Generic[T_co]):
    """A request whose reply is events: `read` makes of each one's data what it is, by the event's name."""

    method: Method
    path: str
    read: Mapping[str, Callable[[bytes], T_co]]
    body: Mapping[str, JsonValue] | None = None


@dataclass(frozen=True, slots=True)
class NewItem:
    """Something that a user wrote, rated, named: `text`, and what came out of it for the task (`output`); `at` is when
    (aware)."""

    task: str
    key: str
    text: str
    output: str | None = None
    at: datetime | None = None
    source: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """Whose memories: of a user, with an agent, in a session."""

    user: str
    agent: str = "default"
    session: str = "main"


def put_user(user: str, *, enabled: bool = True) -> Call[User]:
    """Make a user, or change whether answers are made for it."""
    return Call("PUT", _user(user), _reads(User), {"enabled": enabled})


def get_user(user: str) -> Call[User]:
    """A user."""
    return Call("GET", _user(user), _reads(User))


def list_users(*, after: str = "", count: int = 100) -> Call[replies.Users]:
    """Users by name, from the first after one."""
    return Call("GET", "/v1/users", _reads(replies.Users), query={"after": after, "count": count})


def enable_user(user: str, *, enabled: bool) -> Call[User]:
    """Have answers made for a user that is there, or not."""
    return Call("PATCH", _user(user), _reads(User), {"enabled": enabled})


def delete_user(user: str) -> Call[Nothing]:
    """Delete a user with all that was made for it, and all that is remembered of it."""
    return Call("DELETE", _user(user), _nothing)


def put_items(user: str, items: Sequence[NewItem], *, key: str | None = None) -> Call[Stored]:
    """Store up to 1,000 items, all or none. Sent again with the same `key`, it is replied to as the first time."""
    body: JsonValue = [_item(one) for one in items]
    return Call("POST", f"{_user(user)}/items", _reads(Stored), {"items": body}, headers=_once(key))


def list_items(user: str, *, after: int = 0, count: int = 100) -> Call[replies.Items]:
    """Items of a user by number, from the first after one."""
    return Call("GET", f"{_user(user)}/items", _reads(replies.Items), query={"after": after, "count": count})


def delete_item(user: str, task: str, key: str) -> Call[Nothing]:
    """Delete an item, with what was said of the user from it."""
    return Call("DELETE", f"{_user(user)}/items", _nothing, query={"task": task, "key": key})


def list_summaries(user: str) -> Call[replies.Summaries]:
    """All that is said of a user."""
    return Call("GET", f"{_user(user)}/summaries", _reads(replies.Summaries))


def say_summary(user: str, task: str, text: str | None = None, *, locked: bool | None = None) -> Call[Summary]:
    """Say something else of a user for a task, and whether that is to stay."""
    body: dict[str, JsonValue] = {"text": text, "locked": locked}
    return Call("PUT", f"{_user(user)}/summaries/{_quoted(task)}", _reads(Summary), body)


def delete_summary(user: str, task: str) -> Call[Nothing]:
    """Delete what is said of a user for a task."""
    return Call("DELETE", f"{_user(user)}/summaries/{_quoted(task)}", _nothing)


def context(
    user: str,
    query: str,
    *,
    task: str = "answer",
    k: int | None = None,
    budget: int | None = None,
    summary: bool = True,
    ranked: Ranked = "bm25",
    before: datetime | None = None,
    without: Sequence[str] = (),
) -> Call[Context]:
    """What of a user stands before a request: `k` items and the summary, within `budget` tokens; of items made `before`
    a moment (aware), `without` those of some keys."""
    return Call(
        "POST",
        "/v1/context",
        _reads(Context),
        _asked(user, query, task, k, budget, summary=summary, ranked=ranked, before=before, without=without),
    )


def personalize(
    user: str,
    query: str,
    *,
    task: str = "answer",
    k: int | None = None,
    budget: int | None = None,
    summary: bool = True,
    ranked: Ranked = "bm25",
    before: datetime | None = None,
    without: Sequence[str] = (),
) -> Call[Answer]:
    """An answer for a user."""
    return Call(
        "POST",
        "/v1/personalize",
        _reads(Answer),
        _asked(user, query, task, k, budget, summary=summary, ranked=ranked, before=before, without=without),
    )


def personalize_in_pieces(
    user: str,
    query: str,
    *,
    task: str = "answer",
    k: int | None = None,
    budget: int | None = None,
    summary: bool = True,
    ranked: Ranked = "bm25",
    before: datetime | None = None,
    without: Sequence[str] = (),
) -> StreamCall[Piece | Answer]:
    """An answer for a user in pieces, as it is written, and at last as a whole."""
    body = {
        **_asked(user, query, task, k, budget, summary=summary, ranked=ranked, before=before, without=without),
        "stream": True,
    }
    return StreamCall("POST", "/v1/personalize", {"text": _reads(Piece), "answer": _reads(Answer)}, body)


def add_memory(
    place: Place,
    observation: str,
    response: str = "",
    *,
    key: str | None = None,
    at: datetime | None = None,
    expires_in_days: int | None = None,
    metadata: Mapping[str, str] | None = None,
) -> Call[Memory]:
    """Store a memory; of two with the same key the first is kept, and replied."""
    body: dict[str, JsonValue] = {
        **_place(place),
        "observation": observation,
        "response": response,
        "key": key,
        "at": _moment(at),
        "expires_in_days": expires_in_days,
        "metadata": dict(metadata or {}),
    }
    return Call("POST", "/v1/memories", _reads(Memory), body)


def list_memories(place: Place, *, before: int | None = None, count: int = 100) -> Call[replies.Memories]:
    """Memories of a session, the newest first, before a number."""
    query: dict[str, str | int] = {"user": place.user, "agent": place.agent, "session": place.session, "count": count}
    if before is not None:
        query["before"] = before
    return Call("GET", "/v1/memories", _reads(replies.Memories), query=query)


def get_memory(id_: str) -> Call[Memory]:
    """A memory."""
    return Call("GET", _memory(id_), _reads(Memory))


def edit_memory(id_: str, observation: str | None = None, response: str | None = None) -> Call[Memory]:
    """Let a memory say something else; what it said before stays in its history."""
    return Call("PUT", _memory(id_), _reads(Memory), {"observation": observation, "response": response})


def erase_memory(id_: str) -> Call[Nothing]:
    """Erase a memory with all that was made from it."""
    return Call("DELETE", _memory(id_), _nothing)


def delete_memories(user: str) -> Call[Nothing]:
    """Delete all that is remembered of a user, with every agent and in every session."""
    return Call("DELETE", "/v1/memories", _nothing, query={"user": user})


def get_history(id_: str) -> Call[replies.History]:
    """What a memory said before it was edited."""
    return Call("GET", f"{_memory(id_)}/history", _reads(replies.History))


def search_memories(place: Place, query: str, *, k: int = 10) -> Call[replies.Search]:
    """The memories of a session that are nearest to a text."""
    return Call("POST", "/v1/search", _reads(replies.Search), {**_place(place), "query": query, "k": k})


def refresh(
    user: str | None = None,
    *,
    tasks: Sequence[str] = (),
    force: bool = False,
    older_than_days: int | None = None,
    key: str | None = None,
) -> Call[Job]:
    """Have the summaries made that are missing or out of date. Sent again with the same `key`, it is the same job."""
    body: dict[str, JsonValue] = {
        "user": user,
        "tasks": list(tasks),
        "force": force,
        "older_than_days": older_than_days,
    }
    return Call("POST", "/v1/refresh", _reads(Job), body, headers=_once(key))


def get_job(id_: str) -> Call[Job]:
    """How far a job is."""
    return Call("GET", _job(id_), _reads(Job))


def hear_job(id_: str) -> StreamCall[Job]:
    """A job as it goes on, until it has ended or the service does."""
    return StreamCall("GET", f"{_job(id_)}/events", {"job": _reads(Job)})


def cancel_job(id_: str) -> Call[Job]:
    """Cancel a job; what it has made stays."""
    return Call("DELETE", _job(id_), _reads(Job))


def _reads(kind: type[M]) -> Callable[[bytes], M]:
    return partial(kind.model_validate_json)


def _nothing(data: bytes) -> Nothing:
    del data
    return Nothing()


def _quoted(name: str) -> str:
    """A name as a part of a path; one of dots alone is no step to another folder."""
    return quote(name, safe="").replace(".", "%2E")


def _user(user: str) -> str:
    return f"/v1/users/{_quoted(user)}"


def _memory(id_: str) -> str:
    return f"/v1/memories/{_quoted(id_)}"


def _job(id_: str) -> str:
    return f"/v1/jobs/{_quoted(id_)}"


def _once(key: str | None) -> dict[str, str]:
    return {} if key is None else {"idempotency-key": key}


def _place(place: Place) -> dict[str, JsonValue]:
    return {"user": place.user, "agent": place.agent, "session": place.session}


def _moment(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()


def _item(one: NewItem) -> JsonValue:
    return {**asdict(one), "at": _moment(one.at)}


def _asked(
    user: str,
    query: str,
    task: str,
    k: int | None,
    budget: int | None,
    *,
    summary: bool,
    ranked: Ranked,
    before: datetime | None,
    without: Sequence[str],
) -> dict[str, JsonValue]:
    return {
        "user": user,
        "query": query,
        "task": task,
        "k": k,
        "budget": budget,
        "summary": summary,
        "ranked": ranked,
        "before": _moment(before),
        "without": list(without),
    }
