"""Items of users taken in from files, folders and conversations: what is understood, what is refused, and where."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longdoc.agents.profile_tasks import BUILT_IN
from longdoc.app.bootstrap import Records, open_records
from longdoc.app.profile_import import ImportReport, import_items
from longdoc.app.profile_import_entries import ItemEntry, Owner
from longdoc.app.profile_import_files import CountedFile, read_csv, read_jsonl, read_lamp
from longdoc.app.profile_import_sources import (
    AT_ONCE,
    ChatSource,
    FolderSource,
    ImportFormat,
    ImportSource,
    open_file,
)
from longdoc.config import load_settings
from longdoc.documents.json_array import read_array
from longdoc.errors import ConfigError, NotFoundError
from longdoc.storage.memory_types import MemoryKind, NamespaceName, NewMemory
from longdoc.storage.profile_types import Item, NewItem

_LAMP = {
    "lamp-1": ({"id": "7", "title": "A title", "abstract": "An abstract"}, "An abstract", "A title"),
    "lamp-2": ({"id": "7", "description": "A film", "tag": "comedy"}, "A film", "comedy"),
    "lamp-3": ({"id": "7", "text": "A review", "score": "4"}, "A review", "4"),
    "lamp-4": ({"id": "7", "title": "A headline", "text": "An article"}, "An article", "A headline"),
    "lamp-5": ({"id": "7", "title": "A title", "abstract": "An abstract"}, "An abstract", "A title"),
    "lamp-6": ({"id": "7", "title": "A subject", "text": "A mail"}, "A mail", "A subject"),
    "lamp-7": ({"id": "7", "text": "A post"}, "A post", None),
}


def imported(folder: Path, file: Path, *, owner: Owner | None = None, skip_bad: bool = False) -> ImportReport:
    """What comes of importing a file into the record of a folder."""

    async def work(records: Records) -> ImportReport:
        with open_file(str(file), ImportFormat.AUTO, owner or Owner()) as source:
            return await taken_in(records, source, skip_bad=skip_bad)

    return with_records(folder, work)


async def taken_in(records: Records, source: ImportSource, *, skip_bad: bool = False) -> ImportReport:
    tenant = await records.profiles.tenant("local")
    return await import_items(records, tenant, source, BUILT_IN, skip_bad=skip_bad)


def with_records(folder: Path, work: Any) -> Any:
    async def run() -> Any:
        async with open_records(load_settings({"database": str(folder / "a.db")})) as records:
            return await work(records)

    return asyncio.run(run())


def items_of(folder: Path, user: str) -> list[Item]:
    async def work(records: Records) -> list[Item]:
        tenant = await records.profiles.tenant("local")
        return await records.profiles.page(await records.profiles.get(tenant.id, user))

    return with_records(folder, work)


def written(path: Path, rows: Sequence[object]) -> Path:
    path.write_text("".join(f"{row if isinstance(row, str) else json.dumps(row)}\n" for row in rows), encoding="utf-8")
    return path


def told(report: ImportReport) -> tuple[int, int, int, int]:
    return report.added, report.changed, report.same, report.bad


def test_lines_are_items_and_are_stored_once(tmp_path: Path) -> None:
    rows = [
        {"user": "ann", "task": "title", "key": "1", "text": "a", "output": "A", "at": "2024-01-31", "source": "blog"},
        {"user": "ann", "task": "rating", "text": "b", "output": 4},
        {"user": 17, "task": "title", "text": "c", "output": None, "at": 2009},
    ]
    file = written(tmp_path / "a.jsonl", rows)
    assert told(imported(tmp_path, file)) == (3, 0, 0, 0)
    assert told(imported(tmp_path, file)) == (0, 0, 3, 0)
    first, second = items_of(tmp_path, "ann")
    assert (first.task, first.key, first.text, first.output, first.source) == ("title", "1", "a", "A", "blog")
    assert first.at == datetime(2024, 1, 31, tzinfo=UTC)
    assert (second.output, second.at, len(second.key)) == ("4", None, 32)
    assert items_of(tmp_path, "17")[0].at == datetime(2009, 1, 1, tzinfo=UTC)
    rows[0]["text"] = "another"
    assert told(imported(tmp_path, written(tmp_path / "b.jsonl", rows))) == (0, 1, 2, 0)


def test_what_a_line_does_not_say_is_said_for_all(tmp_path: Path) -> None:
    file = written(tmp_path / "a.jsonl", [{"text": "a"}, {"user": "bob", "task": "label", "text": "b", "output": "x"}])
    assert imported(tmp_path, file, owner=Owner("ann", "rewrite")).added == 2
    assert [item.task for item in items_of(tmp_path, "ann")] == ["rewrite"]
    assert [item.task for item in items_of(tmp_path, "bob")] == ["label"]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{not json", "no JSON"),
        ("[1, 2]", "no JSON object"),
        ('{"task": "title", "text": "a"}', "'user'"),
        ('{"user": "ann", "text": "a"}', "'task'"),
        ('{"user": "ann", "task": "title", "text": " "}', "neither a text nor an output"),
        ('{"user": "ann", "task": "title", "text": ["a"]}', "'text' is no text"),
        ('{"user": "ann", "task": "title", "text": "a", "output": true}', "'output' is no text"),
        ('{"user": "ann", "task": "title", "text": "a", "at": "tomorrow"}', "'tomorrow' is no date"),
        ('{"user": "ann", "task": "title", "text": "a", "at": "0001-01-01T00:00+14:00"}', "is no date"),
        ('{"user": "a\\nb", "task": "title", "text": "a"}', "a user needs a name"),
        ('{"user": "ann", "task": "title", "key": "\\u0007", "text": "a"}', "the key of an item needs a name"),
        ('{"user": "ann", "task": "title", "text": "\\ud800"}', "no text in UTF-8"),
        ('{"user": "ann", "summary": {"task": "title"}}', "summary.text"),
        ("[" * 100_000, "cannot be read"),
        ('{"user": ' + "1" * 5_000 + "}", "cannot be read"),
    ],
)
def test_a_bad_line_is_told_by_its_number_or_left_out(tmp_path: Path, line: str, reason: str) -> None:
    good = {"user": "ann", "task": "title", "text": "a"}
    file = written(tmp_path / "a.jsonl", [good, "", line, {**good, "text": "b"}])
    with pytest.raises(ConfigError, match="line 3") as caught:
        imported(tmp_path, file)
    assert reason in str(caught.value)
    assert "--skip-bad" in str(caught.value)
    report = imported(tmp_path, file, skip_bad=True)
    assert report.items == 2
    assert report.bad == len(report.problems) == 1


def test_bytes_that_are_no_text_and_a_byte_order_mark(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    file.write_bytes(b'\xef\xbb\xbf{"user": "ann", "task": "title", "text": "a"}\n{"user": "\xff"}\n')
    report = imported(tmp_path, file, skip_bad=True)
    assert told(report) == (1, 0, 0, 1)
    assert report.problems == ["line 2: it is no text in UTF-8"]


def test_names_and_texts_are_data_whatever_they_look_like(tmp_path: Path) -> None:
    names = ["'; DROP TABLE profiles; --", '"><script>alert(1)</script>', "{{ 7*7 }}", "100% [bold]ünï 名前", "a/../b"]
    rows = [{"user": name, "task": "title", "key": name, "text": name, "output": name} for name in names]
    assert imported(tmp_path, written(tmp_path / "a.jsonl", rows)).added == len(names)
    for name in names:
        assert [(one.key, one.text, one.output) for one in items_of(tmp_path, name)] == [(name, name, name)]


def test_columns_are_items(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text(
        "Text,user,output,task,at,mood\n"
        '"Two lines,\nand a ""quotation""",ann,5,rating,2024-02-01T10:00+02:00,good\n'
        "\n"
        "short,ann\n"
        "x,ann,1,rating,,,,\n"
        "plain,ann,,rating,,\n",
        encoding="utf-8-sig",
    )
    with pytest.raises(ConfigError, match="line 5: it names no 'task'"):
        imported(tmp_path, file)
    report = imported(tmp_path, file, skip_bad=True)
    assert told(report) == (2, 0, 0, 2)
    assert report.problems[1] == "line 6: it has 8 columns, the first line has 6"
    first, second = items_of(tmp_path, "ann")
    assert (first.text, first.output) == ('Two lines,\nand a "quotation"', "5")
    assert first.at == datetime(2024, 2, 1, 8, tzinfo=UTC)
    assert (second.text, second.output, second.at) == ("plain", None, None)


def test_columns_need_names(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("ann,title,what she wrote\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="names no column 'text'"):
        imported(tmp_path, file, skip_bad=True)


@pytest.mark.parametrize("task", _LAMP)
def test_every_task_of_lamp_has_its_fields(tmp_path: Path, task: str) -> None:
    item, text, output = _LAMP[task]
    users = [{"id": "110", "input": "…", "profile": [{**item, "date": "2012-05-06"}]}, {"id": 111, "profile": [item]}]
    file = tmp_path / "questions.json"
    file.write_text(json.dumps(users), encoding="utf-8")
    assert imported(tmp_path, file, owner=Owner(task=task)).added == 2
    stored = items_of(tmp_path, "110")[0]
    assert (stored.task, stored.key, stored.text, stored.output) == (task, "7", text, output)
    assert stored.at == datetime(2012, 5, 6, tzinfo=UTC)
    assert items_of(tmp_path, "111")[0].at is None


def test_authors_with_titles_need_no_task(tmp_path: Path) -> None:
    entry = {"id": "1", "repo": "r", "date": "2022-08-17T10:42:31-07:00", "body": "b", "title": "t"}
    file = tmp_path / "profiles.json"
    file.write_text(json.dumps([{"author": "A1", "profile": [entry]}], indent=1), encoding="utf-8")
    assert imported(tmp_path, file).added == 1
    (item,) = items_of(tmp_path, "A1")
    assert (item.task, item.text, item.output, item.source) == ("title", "b", "t", "r")
    assert item.at == datetime(2022, 8, 17, 17, 42, 31, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('[{"id": "1", "profile": [{"text": "a"}]}', "ends|comma"),
        ('[{"id": "1", "profile": [{"text": "a', "ends within entry 1"),
        ('[{"id": "1", "profile": [}]', "entry 1"),
        ('[{"id": "1", "profile": []},', "before entry 2"),
        ("[] []", "after the end"),
        ("[" * 100_000, "entry 1 cannot be read"),
    ],
)
def test_an_array_that_is_broken_is_told(tmp_path: Path, text: str, reason: str) -> None:
    file = tmp_path / "a.json"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=reason):
        imported(tmp_path, file, owner=Owner(task="lamp-4"), skip_bad=True)


def test_lamp_without_a_task_or_of_outputs_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    file.write_text('[{"id": "1", "profile": [{"text": "a"}]}]', encoding="utf-8")
    with pytest.raises(ConfigError, match="--task lamp-4"):
        imported(tmp_path, file)
    with (
        pytest.raises(ConfigError, match="no JSON array"),
        open_file(str(written(tmp_path / "b", ['{"golds": []}'])), ImportFormat.LAMP, Owner(task="lamp-4")) as source,
    ):
        with_records(tmp_path, lambda records: taken_in(records, source))


def test_bad_users_and_items_of_lamp_are_told_by_their_place(tmp_path: Path) -> None:
    entries = [7, {"id": "1"}, {"profile": []}, {"id": "2", "profile": [{"text": "a"}, "b", {"text": " "}]}]
    file = tmp_path / "a.json"
    file.write_text(json.dumps(entries), encoding="utf-8")
    report = imported(tmp_path, file, owner=Owner(task="lamp-7"), skip_bad=True)
    assert told(report) == (1, 0, 0, 5)
    assert [problem.split(":")[0] for problem in report.problems] == [
        "entry 1 is no object with an 'id' and a 'profile'",
        "entry 2",
        "entry 3",
        "entry 4, item 2",
        "entry 4, item 3",
    ]


class _Drip(io.BytesIO):
    """Gives a few bytes at a time, as a slow pipe does."""

    def __init__(self, data: bytes, most: int) -> None:
        super().__init__(data)
        self._most = most

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(self._most if size is None or size < 0 else min(size, self._most))


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
).flatmap(lambda inner: st.lists(st.dictionaries(st.text(), st.just(inner), max_size=3), max_size=5))


@given(values=_VALUES, most=st.integers(1, 40), indent=st.none() | st.integers(0, 2), plain=st.booleans())
def test_an_array_is_read_the_same_in_pieces_of_any_size(
    values: list[Any], most: int, indent: int | None, plain: bool
) -> None:
    data = json.dumps(values, indent=indent, ensure_ascii=plain).encode("utf-8", "replace")
    read = [value for _, value in read_array(CountedFile(_Drip(data, most)).read)]
    assert read == json.loads(data)


class _Endless(io.RawIOBase):
    """A file without end: something at first, then the same over and over."""

    def __init__(self, first: bytes, rest: bytes) -> None:
        super().__init__()
        self._left = first
        self._rest = rest

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while len(self._left) < len(buffer):
            self._left += self._rest * 100
        buffer[:] = self._left[: len(buffer)]
        self._left = self._left[len(buffer) :]
        return len(buffer)


@pytest.mark.parametrize(
    ("read", "first", "rest"),
    [
        (read_jsonl, b"", b'{"user": "ann", "task": "title", "text": "a"}\n'),
        (read_csv, b"user,task,text\n", b"ann,title,a\n"),
        (read_lamp, b"[", b'{"id": "1", "profile": [{"text": "a"}]},'),
    ],
)
def test_no_more_is_read_than_is_asked_for(read: Any, first: bytes, rest: bytes) -> None:
    file = CountedFile(io.BufferedReader(_Endless(first, rest)))
    entries = read(file, Owner("ann", "lamp-7"), pytest.fail)
    for _ in range(1_000):
        assert isinstance(next(entries), ItemEntry)
    assert file.done <= 2 * 1024 * 1024


def test_many_items_take_several_batches_and_the_last_of_a_key_counts(tmp_path: Path) -> None:
    rows = [
        {"user": f"u{n % 7}", "task": "title", "key": str(n // 7 % 300), "text": f"text {n}"}
        for n in range(3 * AT_ONCE)
    ]
    imported(tmp_path, written(tmp_path / "a.jsonl", rows))
    last = {(row["user"], row["key"]): row["text"] for row in rows}

    async def stored(records: Records) -> dict[tuple[str, str], str]:
        tenant = await records.profiles.tenant("local")
        found = [(one.user, await records.profiles.items(one)) for one in await records.profiles.list(tenant.id)]
        return {(user, item.key): item.text for user, items in found for item in items}

    assert with_records(tmp_path, stored) == last


def test_a_task_that_is_not_set_up_is_taken_in_and_told(tmp_path: Path) -> None:
    file = written(tmp_path / "a.jsonl", [{"user": "ann", "task": "haiku", "text": "a"}])
    assert imported(tmp_path, file).unknown == {"haiku": 1}


def test_documents_of_a_folder_are_items(tmp_path: Path) -> None:
    folder = tmp_path / "essays"
    (folder / "old").mkdir(parents=True)
    (folder / "one.txt").write_text("The first essay.", encoding="utf-8")
    (folder / "old" / "two.html").write_text("<html><body><p>The second.</p></body></html>", encoding="utf-8")
    (folder / "empty.txt").write_text("", encoding="utf-8")
    files = [folder / "one.txt", folder / "old" / "two.html", folder / "empty.txt"]

    def again(*, skip_bad: bool) -> ImportReport:
        source = FolderSource(folder, files, Owner("ann"))
        return with_records(tmp_path, lambda records: taken_in(records, source, skip_bad=skip_bad))

    with pytest.raises(ConfigError, match=r"empty\.txt: is empty"):
        again(skip_bad=False)
    assert told(again(skip_bad=True)) == (2, 0, 0, 1)
    assert told(again(skip_bad=True)) == (0, 0, 2, 1)
    assert [(one.task, one.key, one.text) for one in items_of(tmp_path, "ann")] == [
        ("rewrite", "one.txt", "The first essay."),
        ("rewrite", "old/two.html", "The second."),
    ]
    with pytest.raises(ConfigError, match="--user"):
        FolderSource(folder, files, Owner())


def test_what_a_user_said_in_a_conversation_is_items(tmp_path: Path) -> None:
    name = NamespaceName("me", "default", "main")

    async def work(records: Records) -> None:
        with pytest.raises(NotFoundError):
            await taken_in(records, ChatSource(records, name, Owner()))
        namespace = await records.memories.open(name)
        await records.memories.append_all(
            namespace.id,
            [
                NewMemory("I like short answers.", "Noted."),
                NewMemory("A page of a book.", kind=MemoryKind.DOCUMENT),
                NewMemory("Gone.", expires_at=datetime(2001, 1, 1, tzinfo=UTC)),
                NewMemory("No meat for me.", "Noted."),
            ],
        )
        assert told(await taken_in(records, ChatSource(records, name, Owner()))) == (2, 0, 0, 0)
        assert told(await taken_in(records, ChatSource(records, name, Owner()))) == (0, 0, 2, 0)
        assert told(await taken_in(records, ChatSource(records, name, Owner("ann", "rewrite")))) == (2, 0, 0, 0)

    with_records(tmp_path, work)
    items = items_of(tmp_path, "me")
    assert [(one.task, one.key, one.text, one.output) for one in items] == [
        ("answer", "default/main/1", "I like short answers.", None),
        ("answer", "default/main/4", "No meat for me.", None),
    ]


@pytest.mark.parametrize("name", ["a.txt", "none.jsonl", "", "a\0b"])
def test_a_file_that_is_none_of_these_is_told(tmp_path: Path, name: str) -> None:
    (tmp_path / "a.txt").write_text("just a text", encoding="utf-8")
    path = str(tmp_path / name) if name else ""
    with pytest.raises(ConfigError), open_file(path, ImportFormat.AUTO, Owner()):
        pytest.fail("it was opened")


async def _changes(records: Records, items: Sequence[NewItem]) -> int:
    tenant = await records.profiles.tenant("local")
    await records.profiles.put(tenant.id, [("ann", item) for item in items])
    return (await records.profiles.get(tenant.id, "ann")).changes


def test_what_is_put_again_is_no_change(tmp_path: Path) -> None:
    async def work(records: Records) -> list[int]:
        one, other = NewItem("title", "1", "a", "A"), NewItem("title", "2", "b", "B")
        some = [[one, other], [one, other], [one, NewItem("title", "2", "c", "B")], [NewItem("label", "1", "a", "A")]]
        return [await _changes(records, items) for items in some]

    assert with_records(tmp_path, work) == [2, 2, 3, 4]
