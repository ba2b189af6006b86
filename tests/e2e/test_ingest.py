"""Documents put into collections: each once, whatever stops the work; and the collections looked at and changed."""

import random
import signal
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.command import Lda
from tests.e2e.conftest import made_book
from tests.servers.openai_server import MODEL, Fault, OpenAIServer

PROBE = "dimensions"
"""What is embedded when a server is connected to."""


@pytest.fixture
def server() -> Iterator[OpenAIServer]:
    with OpenAIServer() as running:
        yield running


@pytest.fixture
def served(tmp_path: Path, server: OpenAIServer) -> Lda:
    """`lda` with a server for embeddings and no engine at all."""
    environment = {"LDA_EMBEDDING_BASE_URL": server.base_url, "LDA_EMBEDDING_MODEL": MODEL}
    return Lda(tmp_path, {"LDA_ENGINE": "openai", "LDA_BASE_URL": "http://127.0.0.1:9/v1"} | environment)


@pytest.fixture
def wordy(tmp_path: Path) -> Lda:
    """`lda` without a model for embeddings."""
    return Lda(tmp_path, {"LDA_EMBEDDING_MODEL": "hashed"})


@pytest.fixture
def long_book(tmp_path: Path) -> Path:
    """About 200,000 words."""
    path = tmp_path / "long.md"
    path.write_text(made_book(chapters=60, sentences=420), encoding="utf-8")
    return path


def embedded(server: OpenAIServer) -> Counter[str]:
    """How often each text was embedded."""
    return Counter(text for request in server.log for text in request.body["input"] if text != PROBE)


def stored(lda: Lda) -> int:
    """How many embeddings are stored; none where it was killed before it made its tables."""
    if not lda.database.exists() or not lda.query("select 1 from sqlite_master where name = 'embeddings'"):
        return 0
    return lda.query("select coalesce(sum(count), 0) from embeddings")[0][0]


def test_a_document_is_indexed_once_however_often_it_is_put_there(
    served: Lda, server: OpenAIServer, book: Path
) -> None:
    first = served.json("ingest", book, "--collection", "shelf")
    texts = embedded(server)
    copy = book.with_name("copy.md")
    copy.write_bytes(book.read_bytes())
    again = served.json("ingest", book, copy, "--collection", "shelf")
    assert (first["status"], first["rankings"]) == ("done", ["lexical", "dense"])
    assert [one["added"] for one in first["documents"] + again["documents"]] == [True, False, False]
    assert stored(served) == texts.total() > 50
    assert embedded(server) == texts
    assert served.query("select count(*) from collection_documents") == [(1,)]


def test_killed_at_random_moments_it_goes_on_and_stored_embeddings_are_not_made_again(
    served: Lda, server: OpenAIServer, long_book: Path
) -> None:
    server.delay = 2.0
    moments = random.Random(5)
    kept = [0]
    for _ in range(3):
        process = served.start("ingest", long_book)
        while stored(served) == kept[-1]:
            time.sleep(0.1)
        time.sleep(moments.uniform(0.0, 1.0))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        kept.append(stored(served))
    server.delay = 0.0
    before = embedded(server).total()
    done = served.json("ingest", long_book)
    parts = stored(served)
    assert embedded(server).total() - before == parts - kept[-1]
    assert kept[-1] < parts, "the kills must fall into the work"
    assert embedded(server).total() <= parts + 3 * 256
    assert done["documents"][0]["added"] is False
    assert served.json("ingest", long_book)["status"] == "done"
    assert embedded(server).total() == before + parts - kept[-1]


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_it_exits_130_and_says_how_to_go_on(
    served: Lda, server: OpenAIServer, long_book: Path, stop: signal.Signals
) -> None:
    server.delay = 0.5
    process = served.start("ingest", long_book)
    while not stored(served):
        time.sleep(0.1)
    process.send_signal(stop)
    out, err = process.communicate(timeout=20)
    assert (process.returncode, out) == (130, "")
    assert "stretches of text are indexed" in err
    assert "run the same command again" in err
    assert "Traceback" not in err


def test_where_the_server_is_gone_words_alone_are_indexed_and_that_is_a_gap(
    served: Lda, server: OpenAIServer, book: Path
) -> None:
    server.faults = lambda number: Fault.UNAVAILABLE_503 if number > 1 else Fault.NONE
    stopped = served.run("ingest", book, LDA_ATTEMPTS="1")
    assert stopped.returncode == 3
    assert "by their words alone, for the embedder fails" in stopped.stderr
    assert "Traceback" not in stopped.stderr
    assert "by words alone" in served.run("ingest", book, "--quiet", LDA_ATTEMPTS="1").stderr
    told = served.json("ingest", book, code=3, LDA_ATTEMPTS="1")
    assert (told["status"], told["rankings"]) == ("gaps", ["lexical"])
    assert told["embedding_error"]
    server.faults = lambda _: Fault.NONE
    done = served.json("ingest", book)
    assert (done["status"], done["rankings"], done["embedding_error"]) == ("done", ["lexical", "dense"], None)


def test_what_cannot_be_read_does_not_stop_the_others(wordy: Lda, book: Path) -> None:
    picture = book.with_name("picture.png")
    picture.write_bytes(b"\x89PNG\r\n\x1a\n\x00\x00")
    done = wordy.run("ingest", picture, book, "--collection", "shelf")
    assert done.returncode == 3
    assert "picture.png" in done.stderr
    assert "book.md" in done.stdout
    told = wordy.json("ingest", picture, book.with_name("missing.txt"), book, "--collection", "shelf", code=3)
    assert (told["status"], len(told["documents"]), len(told["failures"])) == ("gaps", 1, 2)
    assert wordy.json("ingest", picture, code=1)["status"] == "failed"


def test_without_a_model_it_says_that_texts_are_searched_by_words(wordy: Lda, book: Path) -> None:
    done = wordy.run("ingest", book)
    assert done.returncode == 0
    assert "by their words alone" in done.stderr
    assert wordy.run("ingest", book, "--quiet").stderr == ""
    assert wordy.json("ingest", book)["rankings"] == ["lexical"]


def test_folders_and_patterns_are_taken(wordy: Lda, tmp_path: Path) -> None:
    folder = tmp_path / "shelf"
    folder.mkdir()
    for name in ("b.txt", "a.md", "c.txt"):
        (folder / name).write_text(f"The book {name} tells of a lamp.", encoding="utf-8")
    assert len(wordy.json("ingest", str(folder / "*.txt"))["documents"]) == 2
    added = wordy.json("ingest", folder)["documents"]
    assert [(Path(one["source"]).name, one["added"]) for one in added] == [
        ("a.md", True),
        ("b.txt", False),
        ("c.txt", False),
    ]
    assert wordy.run("ingest", str(folder / "*.pdf")).returncode == 2


def test_collections_are_listed_shown_and_removed(wordy: Lda, book: Path) -> None:
    other = book.with_name("other.md")
    other.write_text("# Other\n\nA lamp.\n", encoding="utf-8")
    assert "no collections yet" in wordy.run("collections", "list").stderr
    wordy.run("ingest", book, other, "--collection", "shelf")
    wordy.run("ingest", other)
    listed = wordy.json("collections", "list")["collections"]
    assert [(one["name"], one["documents"]) for one in listed] == [("default", 1), ("shelf", 2)]
    first, second = wordy.json("collections", "show", "shelf")["documents"]
    assert (Path(first["source"]).name, Path(second["source"]).name) == ("book.md", "other.md")
    assert "shelf\t2\t" in wordy.run("collections", "list").stdout
    assert second["id"][:12] in wordy.run("collections", "show", "shelf").stdout

    removed = wordy.json("collections", "remove", "shelf", first["id"][:8])
    assert removed["document"] == first["id"]
    assert [one["id"] for one in wordy.json("collections", "show", "shelf")["documents"]] == [second["id"]]
    assert "removed shelf" in wordy.run("collections", "remove", "shelf").stderr
    assert [one["name"] for one in wordy.json("collections", "list")["collections"]] == ["default"]
    indexes = wordy.home / "record.db.indexes"
    assert len([folder for folder in indexes.iterdir() if not folder.name.startswith(".")]) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("show", "nothing"), "there is no collection 'nothing'"),
        (("remove", "nothing"), "there is no collection 'nothing'"),
        (("remove", "shelf", "ffff"), "no document begins with 'ffff'"),
        (("remove", "shelf", ""), "no document begins with ''"),
    ],
)
def test_what_is_not_there_is_one_clear_line(wordy: Lda, book: Path, arguments: tuple[str, ...], message: str) -> None:
    wordy.run("ingest", book, "--collection", "shelf")
    done = wordy.run("collections", *arguments)
    assert (done.returncode, done.stdout) == (1, "")
    assert message in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
