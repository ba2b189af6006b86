"""vLLM killed in the middle of a run: the run stops resumably, and the next one goes on with what was made."""

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from tests.e2e.command import Lda
from tests.e2e.conftest import made_book
from tests.vllm.server import serve

SMALL = ("--segment-tokens", "200", "--words", "40")


def test_a_killed_server_stops_the_run_and_the_next_one_goes_on(tmp_path: Path, weights: Path) -> None:
    lda = Lda(tmp_path, {"LDA_ENGINE": "openai", "LDA_ATTEMPTS": "2", "LDA_CONCURRENCY": "4"})
    book = written(tmp_path)
    with serve(weights, tmp_path / "first.log") as server:
        process = lda.start("summarize", book, *SMALL, "--json", LDA_BASE_URL=server.base_url)
        made = calls_after(lda, process, at_least=2, then=server.kill)
    assert process.returncode == 75
    with serve(weights, tmp_path / "second.log") as server:
        assert_it_goes_on(lda, book, made, LDA_BASE_URL=server.base_url)


def test_a_killed_engine_in_the_process_stops_the_run_and_the_next_one_goes_on(tmp_path: Path, weights: Path) -> None:
    lda = Lda(
        tmp_path,
        {
            "LDA_ENGINE": "vllm",
            "LDA_MODEL": str(weights),
            "LDA_VLLM__ENFORCE_EAGER": "true",
            "LDA_CONTEXT_WINDOW": "1024",
            "LDA_CONCURRENCY": "4",
        },
    )
    book = written(tmp_path)
    process = lda.start("summarize", book, *SMALL, "--json")
    made = calls_after(lda, process, at_least=2, then=lambda: kill_engine(process.pid))
    assert process.returncode == 75
    assert_it_goes_on(lda, book, made)


def test_an_interrupt_ends_the_run_and_its_engine(tmp_path: Path, weights: Path) -> None:
    settings = {"LDA_ENGINE": "vllm", "LDA_MODEL": str(weights), "LDA_VLLM__ENFORCE_EAGER": "true"}
    lda = Lda(tmp_path, settings | {"LDA_CONTEXT_WINDOW": "1024", "LDA_CONCURRENCY": "4"})
    process = lda.start("summarize", written(tmp_path, chapters=12), *SMALL)
    engines: set[int] = set()

    def interrupt() -> None:
        engines.update(below(process.pid))
        process.send_signal(signal.SIGINT)

    calls_after(lda, process, at_least=1, then=interrupt)
    assert process.returncode == 130
    assert engines
    assert not [pid for pid in engines if Path(f"/proc/{pid}").exists()], "its engine has ended with it"


def written(folder: Path, *, chapters: int = 2) -> Path:
    path = folder / "book.md"
    path.write_text(made_book(chapters=chapters, sentences=30), encoding="utf-8")
    return path


def calls_after(
    lda: Lda, process: subprocess.Popen[str], *, at_least: int, then: Callable[[], None], patience: float = 300
) -> int:
    """Do something to a run once so many calls are recorded; how many are when the run has ended."""
    deadline = time.monotonic() + patience
    while not lda.database.exists() or not recorded(lda) >= at_least:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.2)
    then()
    _, said = process.communicate(timeout=120)
    assert "Traceback" not in said, said
    return recorded(lda)


def recorded(lda: Lda) -> int:
    found = lda.query("select count(*) from sqlite_master where name = 'calls'")
    return lda.query("select count(*) from calls")[0][0] if found[0][0] else 0


def assert_it_goes_on(lda: Lda, book: Path, made: int, **options: str) -> None:
    process = lda.start("summarize", book, *SMALL, "--json", **options)
    out, said = process.communicate(timeout=400)
    assert process.returncode == 0, said
    assert lda.repeated_calls() == []
    assert recorded(lda) > made
    assert '"recorded": 0' not in out


def kill_engine(parent: int) -> None:
    for pid in below(parent):
        os.kill(pid, signal.SIGKILL)


def below(parent: int) -> set[int]:
    """The processes that a process has started and that run vLLM's engine."""
    listed = subprocess.run(["ps", "-eo", "pid,ppid,args"], capture_output=True, text=True, check=True).stdout
    rows = [line.split(maxsplit=2) for line in listed.splitlines()[1:]]
    return {int(pid) for pid, above, command in rows if int(above) == parent and "VLLM::" in command}
