"""Every call of the client, against a running service."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from longdoc.client import Client, calls
from longdoc.client.calls import NewItem, Place
from longdoc.client.problems import error_of
from longdoc.errors import ChangedMeanwhileError, ConfigError, LdaError, NotFoundError, ServiceError
from tests.service.running import running

_PLACE = Place("ann", "shop", "s")


def test_users_are_made_looked_at_and_deleted(tmp_path: Path) -> None:
    with running(tmp_path / "a.db") as service, service.client() as lda:
        for user in ("ann", "bob", "eve"):
            assert lda.send(calls.put_user(user)).enabled
        assert not lda.send(calls.enable_user("bob", enabled=False)).enabled
        assert not lda.send(calls.get_user("bob")).enabled
        first = lda.send(calls.list_users(count=2))
        assert ([one.user for one in first.users], first.next) == (["ann", "bob"], "bob")
        assert [one.user for one in lda.send(calls.list_users(after="bob")).users] == ["eve"]
        lda.send(calls.put_items("bob", [NewItem("title", "1", "a", "b")]))
        assert "off" in lda.send(calls.context("bob", "a", task="title")).reason
        lda.send(calls.delete_user("bob"))
        with pytest.raises(NotFoundError, match="no user 'bob'"):
            lda.send(calls.get_user("bob"))


def test_of_a_user_that_is_deleted_nothing_is_left_in_the_files(tmp_path: Path) -> None:
    marker = "Xylophonquark"
    with running(tmp_path / "a.db") as service, service.client() as lda:
        items = [NewItem("title", f"{marker} {n}", f"{marker} {n}", f"{marker} it") for n in range(5)]
        lda.send(calls.put_items(marker, items, key="once"))
        job = lda.send(calls.refresh(marker, key="again"))
        assert list(lda.stream(calls.hear_job(job.id)))[-1].status == "done"
        assert lda.send(calls.personalize(marker, f"a {marker}", task="title")).output == f"{marker} it"
        assert any(marker.encode() in file.read_bytes() for file in tmp_path.iterdir())
        lda.send(calls.delete_user(marker))
        assert not any(marker.encode() in file.read_bytes() for file in tmp_path.iterdir() if file.is_file())


def test_items_are_stored_paged_and_deleted_with_what_was_said_from_them(tmp_path: Path) -> None:
    at = datetime(2024, 5, 1, 12, tzinfo=UTC)
    with running(tmp_path / "a.db") as service, service.client() as lda:
        items = [NewItem("title", str(n), f"text {n}", "Fix it", at, "here") for n in range(5)]
        stored = lda.send(calls.put_items("ann", [*items, NewItem("title", "0", "text 0", "Mend it", at, "here")]))
        assert (stored.added, stored.changed, stored.same) == (5, 0, 1)
        page = lda.send(calls.list_items("ann", count=3))
        assert [one.key for one in page.items] == ["0", "1", "2"]
        assert (page.items[0].output, page.items[0].at, page.items[0].source) == ("Mend it", at, "here")
        rest = lda.send(calls.list_items("ann", after=page.next or 0))
        assert ([one.key for one in rest.items], rest.next) == (["3", "4"], None)
        _refresh(lda)
        (said,) = lda.send(calls.list_summaries("ann")).summaries
        assert (said.task, said.items_seen, said.edited) == ("title", 5, False)
        lda.send(calls.delete_item("ann", "title", "3"))
        assert lda.send(calls.list_summaries("ann")).summaries == []
        with pytest.raises(NotFoundError):
            lda.send(calls.delete_item("ann", "title", "3"))


def test_a_summary_that_a_person_locked_stays(tmp_path: Path) -> None:
    with running(tmp_path / "a.db") as service, service.client() as lda:
        lda.send(calls.put_items("ann", [NewItem("title", str(n), "a", "Fix it") for n in range(5)]))
        with pytest.raises(ConfigError, match="give a text"):
            lda.send(calls.say_summary("ann", "title", locked=True))
        said = lda.send(calls.say_summary("ann", "title", "Titles begin with Mend.", locked=True))
        assert (said.locked, said.edited) == (True, True)
        report = _refresh(lda)
        assert (report["locked"], report["made"]) == (1, 0)
        assert lda.send(calls.personalize("ann", "a", task="title")).output == "Mend it"
        assert not lda.send(calls.say_summary("ann", "title", locked=False)).locked
        lda.send(calls.delete_summary("ann", "title"))
        assert _refresh(lda)["made"] == 1


def test_contexts_hold_what_was_asked_for_within_a_budget(tmp_path: Path) -> None:
    with running(tmp_path / "a.db") as service, service.client() as lda:
        items = [NewItem("title", str(n), f"a {'door' if n == 3 else 'roof'} " * 40, "Fix it") for n in range(9)]
        lda.send(calls.put_items("ann", items))
        _refresh(lda)
        usual = lda.send(calls.context("ann", "door", task="title"))
        assert ([one.key for one in usual.items], usual.items_known) == (["3"], 9)
        assert usual.summary == "Titles begin with Fix."
        bare = lda.send(calls.context("ann", "door", task="title", k=3, summary=False, budget=60))
        assert bare.summary == ""
        assert bare.tokens <= 60
        assert all(one.cut for one in bare.items)
        newest = lda.send(calls.context("ann", "door", task="title", k=2, ranked="newest"))
        assert [one.key for one in newest.items] == ["8", "7"]


def test_memories_are_stored_edited_found_and_erased(tmp_path: Path) -> None:
    with running(tmp_path / "a.db") as service, service.client() as lda:
        cat = lda.send(calls.add_memory(_PLACE, "My cat is Kiki", "Noted.", key="k", metadata={"from": "chat"}))
        assert lda.send(calls.add_memory(_PLACE, "other", key="k")).id == cat.id
        dog = lda.send(calls.add_memory(_PLACE, "My dog is Rex", at=datetime(2024, 1, 1, tzinfo=UTC)))
        soon = lda.send(calls.add_memory(_PLACE, "A note", expires_in_days=3))
        assert soon.expires_at is not None
        assert cat.metadata == {"from": "chat"}
        listed = lda.send(calls.list_memories(_PLACE, count=2))
        assert [one.id for one in listed.memories] == [soon.id, dog.id]
        assert [one.id for one in lda.send(calls.list_memories(_PLACE, before=listed.next)).memories] == [cat.id]
        assert lda.send(calls.search_memories(_PLACE, "Kiki", k=1)).found[0].memory.id == cat.id
        edited = lda.send(calls.edit_memory(cat.id, "My cat is Koko"))
        assert (edited.observation, edited.response) == ("My cat is Koko", "Noted.")
        assert [one.observation for one in lda.send(calls.get_history(cat.id)).revisions] == ["My cat is Kiki"]
        assert not lda.send(calls.search_memories(_PLACE, "Kiki")).found
        lda.send(calls.erase_memory(cat.id))
        assert not lda.send(calls.search_memories(_PLACE, "Koko")).found
        for call in (calls.get_memory(cat.id), calls.get_history(cat.id), calls.erase_memory(cat.id)):
            with pytest.raises(NotFoundError):
                lda.send(call)
        with pytest.raises(ConfigError, match="nothing would be left"):
            lda.send(calls.edit_memory(dog.id, " "))
        with pytest.raises(ConfigError, match="empty"):
            lda.send(calls.add_memory(_PLACE, " "))


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (404, NotFoundError),
        (409, ChangedMeanwhileError),
        (413, ConfigError),
        (422, ConfigError),
        (401, ServiceError),
        (500, ServiceError),
    ],
)
def test_problems_become_errors(status: int, kind: type[LdaError]) -> None:
    for body in (b'{"detail": "so it is", "type": "urn:longdoc:problem:x"}', b"<html>", b"[]", b""):
        error = error_of(status, body, {"retry-after": "7"})
        assert type(error) is kind
        assert str(error) == ("so it is" if b"detail" in body else f"the service replied {status}")
        if isinstance(error, ServiceError):
            assert (error.status, error.retry_after) == (status, 7.0)


def _refresh(lda: Client) -> dict[str, object]:
    job = lda.send(calls.refresh())
    ended = list(lda.stream(calls.hear_job(job.id)))[-1]
    assert ended.status == "done"
    assert lda.send(calls.get_job(job.id)) == ended
    return dict(ended.report or {})
