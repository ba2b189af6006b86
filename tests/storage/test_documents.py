import asyncio
from contextlib import aclosing
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from longdoc.documents.document import Block, BlockKind, Document, Metadata, Note, Section, SectionRole
from longdoc.documents.segments import Segment
from longdoc.errors import NotFoundError, StorageError
from longdoc.storage.database import Database
from longdoc.storage.documents import Documents
from longdoc.storage.schema import texts

_BOOK = Document(
    id="b" * 64,
    text="One\n\nIt was a night.\n\nTwo\n\nIt was a day.",
    format="epub",
    metadata=Metadata("Nights", ("A. Writer", "B. Writer"), "en", "urn:1", ("fiction",)),
    blocks=(Block(0, 3, BlockKind.HEADING, 1, "a.xhtml#one"), Block(5, 20, page=3)),
    sections=(Section("Part", 0, 20, path=("Part",), children=(Section("One", 0, 20, SectionRole.FRONT),)),),
    notes=(Note("1", 5, 7, None), Note("2", 5, 7, 3)),
    warnings=("A picture was left out.",),
    source="nights.epub",
)

_any_text = st.text(st.characters(codec=None), max_size=40)
_offsets = st.integers(0, 2**31 - 1)
_sections = st.recursive(
    st.builds(Section, _any_text, _offsets, _offsets, st.sampled_from(SectionRole)),
    lambda children: st.builds(
        Section,
        _any_text,
        _offsets,
        _offsets,
        path=st.lists(_any_text, max_size=3).map(tuple),
        href=st.none() | _any_text,
        children=st.lists(children, max_size=3).map(tuple),
    ),
    max_leaves=6,
)
_documents = st.builds(
    Document,
    id=st.text("0123456789abcdef", min_size=64, max_size=64),
    text=_any_text,
    format=_any_text,
    metadata=st.builds(
        Metadata,
        _any_text,
        st.lists(_any_text, max_size=2).map(tuple),
        _any_text,
        _any_text,
        st.lists(_any_text, max_size=2).map(tuple),
    ),
    blocks=st.lists(
        st.builds(
            Block,
            _offsets,
            _offsets,
            st.sampled_from(BlockKind),
            st.integers(0, 6),
            st.none() | _any_text,
            st.none() | st.integers(1, 10**6),
        ),
        max_size=5,
    ).map(tuple),
    sections=st.lists(_sections, max_size=3).map(tuple),
    notes=st.lists(st.builds(Note, _any_text, _offsets, _offsets, st.none() | _offsets), max_size=3).map(tuple),
    warnings=st.lists(_any_text, max_size=2).map(tuple),
    source=_any_text,
)


async def _saved_and_loaded(location: str, documents: list[Document]) -> list[Document]:
    async with aclosing(await Database.open(location)) as database:
        stored = Documents(database)
        for document in documents:
            await stored.save(document)
        return [await stored.load(document.id) for document in documents]


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(documents=st.lists(_documents, min_size=1, max_size=5, unique_by=lambda document: document.id))
def test_any_document_is_loaded_as_it_was_saved(database: str, documents: list[Document]) -> None:
    assert asyncio.run(_saved_and_loaded(database, documents)) == documents


def test_texts_with_nul_and_lone_surrogates_come_back_unchanged(database: str) -> None:
    odd = "NUL \0, half a pair \ud800, escape \ufdd0, what looks like one \ufdd00000, 𝒜"
    document = replace(_BOOK, text=odd, source=odd, metadata=Metadata(odd), warnings=(odd,))
    assert asyncio.run(_saved_and_loaded(database, [document])) == [document]


def test_saving_again_is_idempotent_and_takes_what_was_read_anew(database: str) -> None:
    async def work() -> None:
        async with aclosing(await Database.open(database)) as opened:
            stored = Documents(opened)
            await stored.save(_BOOK)
            added = (await stored.find(_BOOK.id)).added_at
            better = replace(_BOOK, warnings=(), source="copy.epub")
            await stored.save(_BOOK)
            await stored.save(better)
            assert await stored.load(_BOOK.id) == better
            assert (await stored.find(_BOOK.id)).added_at == added

    asyncio.run(work())


def test_the_text_of_a_document_is_loaded_alone(database: str) -> None:
    async def work() -> None:
        async with aclosing(await Database.open(database)) as opened:
            await Documents(opened).save(_BOOK)
            assert await Documents(opened).load_text(_BOOK.id) == _BOOK.text
            with pytest.raises(NotFoundError, match="there is no document 'x'"):
                await Documents(opened).load_text("x")

    asyncio.run(work())


def test_documents_with_the_same_text_share_it(database: str) -> None:
    async def work() -> int:
        async with aclosing(await Database.open(database)) as opened:
            for name in ("a", "b"):
                await Documents(opened).save(replace(_BOOK, id=name))
            counted = select(func.count()).select_from(texts)
            return await opened.read(lambda connection: connection.execute(counted).scalar_one())

    assert asyncio.run(work()) == 1


def test_a_document_is_found_by_the_beginning_of_its_id(database: str) -> None:
    async def work() -> None:
        async with aclosing(await Database.open(database)) as opened:
            stored = Documents(opened)
            for name in ("abc1", "abd2"):
                await stored.save(replace(_BOOK, id=name))
            found = await stored.find("abc")
            assert (found.id, found.title, found.words, found.characters) == ("abc1", "Nights", 10, 40)
            with pytest.raises(NotFoundError, match="several documents begin with 'ab': abc1, abd2"):
                await stored.find("ab")
            with pytest.raises(NotFoundError, match="there is no document 'x'"):
                await stored.find("x")
            with pytest.raises(NotFoundError, match="there is no document 'abc'"):
                await stored.load("abc")

    asyncio.run(work())


def test_segments_are_stored_for_each_key(database: str) -> None:
    segments = (Segment(0, 0, 20, 7, SectionRole.BODY, 1), Segment(1, 20, 40, 6, SectionRole.NOTES, None))

    async def work() -> None:
        async with aclosing(await Database.open(database)) as opened:
            stored = Documents(opened)
            await stored.save(_BOOK)
            assert await stored.segmentation(_BOOK.id, "exact:100") is None
            await stored.save_segmentation(_BOOK.id, "exact:100", segments[:1])
            await stored.save_segmentation(_BOOK.id, "exact:100", segments)
            assert await stored.segmentation(_BOOK.id, "exact:100") == segments
            assert await stored.segmentation(_BOOK.id, "exact:200") is None
            await stored.save_segmentation(_BOOK.id, "none", ())
            assert await stored.segmentation(_BOOK.id, "none") == ()

    asyncio.run(work())


def test_of_many_documents_lengths_and_digests_of_segments_are_known_without_loading_them(database: str) -> None:
    segments = (Segment(0, 0, 20, 7, SectionRole.BODY, 1), Segment(1, 20, 40, 6, SectionRole.NOTES, None))
    ids = [f"{number:064}" for number in range(1200)]

    async def work() -> None:
        async with aclosing(await Database.open(database)) as opened:
            stored = Documents(opened)
            for one in (ids[0], ids[700], ids[1199]):
                await stored.save(replace(_BOOK, id=one, text="x" * int(one)))
            await stored.save_segmentation(ids[0], "parts", segments)
            await stored.save_segmentation(ids[700], "parts", segments[:1])
            await stored.save_segmentation(ids[1199], "parts", segments)
            await stored.save_segmentation(ids[1199], "other", segments[:1])
            assert await stored.lengths(ids) == {ids[0]: 0, ids[700]: 700, ids[1199]: 1199}
            digests = await stored.segmentation_digests(ids, "parts")
            assert digests.keys() == {ids[0], ids[700], ids[1199]}
            assert digests[ids[0]] == digests[ids[1199]] != digests[ids[700]]

    asyncio.run(work())


def test_segments_of_a_document_that_is_not_stored_are_refused(database: str) -> None:
    async def work() -> None:
        async with aclosing(await Database.open(database)) as opened:
            await Documents(opened).save_segmentation("unknown", "exact:100", ())

    with pytest.raises(StorageError, match="refuses the change"):
        asyncio.run(work())


def test_a_long_document_has_its_words_counted_right(database: str) -> None:
    text = "word  other\u00a0third\n" * 100_000

    async def work() -> int:
        async with aclosing(await Database.open(database)) as opened:
            await Documents(opened).save(replace(_BOOK, text=text))
            return (await Documents(opened).find(_BOOK.id)).words

    assert asyncio.run(work()) == 300_000


def test_of_shared_documents_none_is_changed_by_saving_it_again(database: str) -> None:
    async def work() -> tuple[Document, Document]:
        async with aclosing(await Database.open(database)) as opened:
            shared = Documents(opened).keeping()
            await shared.save(_BOOK)
            await shared.save(replace(_BOOK, source="other.epub", metadata=Metadata("Other"), notes=()))
            kept = await shared.load(_BOOK.id)
            await Documents(opened).save(replace(_BOOK, source="other.epub"))
            return kept, await shared.load(_BOOK.id)

    kept, changed = asyncio.run(work())
    assert kept == _BOOK
    assert changed.source == "other.epub"
