"""Files of tenants: under their own names, within their room, and gone with their documents."""

import asyncio
from collections.abc import Coroutine
from contextlib import aclosing
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import func, insert, select

from longdoc.documents.document import Document, Metadata
from longdoc.errors import ConfigError, NotFoundError
from longdoc.storage.clock import utc_now
from longdoc.storage.collections import Collections
from longdoc.storage.database import Database
from longdoc.storage.documents import Documents
from longdoc.storage.drafts import Drafts
from longdoc.storage.profiles import Profiles
from longdoc.storage.schema import documents, run_documents, runs, texts
from longdoc.storage.service_files import NewFile, ServiceFiles

_BOOK = Document(id="a" * 64, text="It rained.", format="txt", metadata=Metadata("Rain"), source="first.txt")


def _run(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(work)


async def _add(database: Database, tenant: str, name: str = "a.txt", *, title: str = "Rain") -> tuple[int, str]:
    """The tenant, and the id of a new file of it with the book."""
    found = await Profiles(database).tenant(tenant)
    book = replace(_BOOK, source=name, metadata=Metadata(title))
    await Documents(database).keeping().save(book)
    file = await ServiceFiles(database).add(found.id, NewFile(name, "user_data", book.id, b"It rained.", book.metadata))
    return found.id, file.id


async def _counts(database: Database) -> list[int]:
    counted = [select(func.count()).select_from(table) for table in (documents, texts)]
    return await database.read(lambda connection: [connection.execute(one).scalar_one() for one in counted])


def test_equal_documents_of_two_tenants_keep_the_names_of_their_files(database: str) -> None:
    async def work() -> None:
        async with aclosing(await Database.open(database)) as opened:
            files, stored = ServiceFiles(opened), Documents(opened)
            one, first = await _add(opened, "one", "mine.txt")
            two, second = await _add(opened, "two", "Exhibit 7.txt", title="Smith v. Jones")
            book = await stored.load(_BOOK.id)
            own = (await files.get(one, first)).own(book)
            other = (await files.get(two, second)).own(book)
            assert (own.source, own.title) == ("mine.txt", "Rain")
            assert (other.source, other.title) == ("Exhibit 7.txt", "Smith v. Jones")
            assert (await files.documents(two, hidden="t:").find("a")).title == "Smith v. Jones"
            assert own.text == other.text == _BOOK.text

    _run(work())


def test_a_tenant_sees_documents_of_its_files_and_of_collections_it_may_ask(database: str) -> None:
    async def work() -> None:
        async with aclosing(await Database.open(database)) as opened:
            files, stored, collections = ServiceFiles(opened), Documents(opened), Collections(opened)
            one, _ = await _add(opened, "one")
            two = (await Profiles(opened).tenant("two")).id
            for name, collection in (("b", "tales"), ("c", "t:x"), ("d", None)):
                await stored.save(replace(_BOOK, id=name * 64))
                if collection:
                    await collections.add(collection, [name * 64])
            seen = files.documents(one, hidden="t:")
            assert {document.id[0] for document in (await seen.list(10))[0]} == {"a", "b"}
            assert (await seen.list(1))[1] == 2
            assert (await files.documents(two, hidden="t:").list(10))[1] == 1
            for hidden in ("c", "d"):
                with pytest.raises(NotFoundError, match="there is no document"):
                    await seen.find(hidden)
            await collections.remove("tales", "b" * 64)
            assert (await seen.list(10))[1] == 1

    _run(work())


def test_a_file_goes_with_its_document_where_nothing_needs_it(database: str) -> None:
    async def work() -> None:
        async with aclosing(await Database.open(database)) as opened:
            files = ServiceFiles(opened)
            one, first = await _add(opened, "one")
            two, second = await _add(opened, "two")
            await files.delete(one, first)
            assert await _counts(opened) == [1, 1]
            await files.delete(two, second)
            assert await _counts(opened) == [0, 0]
            with pytest.raises(NotFoundError):
                await files.delete(two, second)

    _run(work())


@pytest.mark.parametrize("needed_by", ["run", "collection", "draft"])
def test_a_document_stays_where_something_needs_it(database: str, needed_by: str) -> None:
    async def work() -> None:
        async with aclosing(await Database.open(database)) as opened:
            one, first = await _add(opened, "one")
            if needed_by == "collection":
                await Collections(opened).add("tales", [_BOOK.id])
            elif needed_by == "draft":
                await Drafts(opened).create("d", "Write.", {"documents": [_BOOK.id]})
            else:
                await opened.write(_run_with_book)
            await ServiceFiles(opened).delete(one, first)
            assert (await Documents(opened).load(_BOOK.id)).text == _BOOK.text

    _run(work())


def _run_with_book(connection: Any) -> None:
    now = utc_now()
    row: dict[str, Any] = {"id": "r", "kind": "ask", "title": "", "parameters": {}, "status": "done", "model": "m"}
    connection.execute(insert(runs).values(**row, created_at=now, started_at=now))
    connection.execute(insert(run_documents).values(run_id="r", position=0, document_id=_BOOK.id))


def test_the_files_of_a_tenant_have_a_room(database: str) -> None:
    async def work() -> None:
        async with aclosing(await Database.open(database)) as opened:
            files = ServiceFiles(opened)
            one, first = await _add(opened, "one")
            new = NewFile("b.txt", "user_data", _BOOK.id, b"0123456789", Metadata())
            await files.check_room(one, 10, most_bytes=20)
            with pytest.raises(ConfigError, match="at most 19 bytes; delete some first"):
                await files.check_room(one, 10, most_bytes=19)
            with pytest.raises(ConfigError, match="delete some first"):
                await files.add(one, new, most_bytes=19)
            two = (await Profiles(opened).tenant("two")).id
            await files.add(two, new, most_bytes=19)
            await files.delete(one, first)
            await files.add(one, new, most_bytes=19)

    _run(work())
