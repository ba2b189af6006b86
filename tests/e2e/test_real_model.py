"""The whole way on the small real model, embedded: what it writes is poor, what the machinery does is not."""

import asyncio
import os
from pathlib import Path

import pytest

from longdoc.agents.answer_reader import Answer, AnswerReader
from longdoc.engines.embedded import EmbeddedEngine
from tests.agents.asking import CHAPTERS, excerpts_of, story
from tests.e2e.command import Lda
from tests.models import require_model

ROOT = Path(__file__).parents[2]
MODELS = Path(os.environ.get("LDA_MODELS_DIR", ROOT / ".cache" / "models"))
SMALL = ("--words", "60", "--segment-tokens", "400")
PATIENCE = 600
"""Seconds for a command that takes a few where nothing else runs: cores may be busy."""

pytestmark = pytest.mark.timeout(3 * PATIENCE)


@pytest.fixture
def embedded(tmp_path: Path) -> Lda:
    """`lda` on the embedded engine; the model is pulled where it is not yet here."""
    environment = {"LDA_ENGINE": "embedded", "LDA_MODEL": "smollm2-135m", "LDA_MODELS_DIR": str(MODELS)}
    lda = Lda(tmp_path, environment, patience=PATIENCE)
    pulled = lda.run("models", "pull", "smollm2-135m")
    assert pulled.returncode == 0, pulled.stderr
    return lda


@pytest.fixture
def excerpt(tmp_path: Path) -> Path:
    """The first pages of the example book."""
    text = (ROOT / "examples" / "novella.md").read_text(encoding="utf-8")
    path = tmp_path / "excerpt.md"
    path.write_text(text[:3500], encoding="utf-8")
    return path


def test_a_summary_is_made_and_the_second_time_it_costs_nothing(embedded: Lda, excerpt: Path) -> None:
    first = embedded.summarize(excerpt, "--method", "hierarchical", *SMALL)
    assert first["summary"]["text"].strip()
    assert first["summary"]["levels"] >= 2
    assert first["usage"]["calls"] >= first["summary"]["nodes"]
    assert first["usage"]["completion_tokens"] > 0
    second = embedded.summarize(excerpt, "--method", "hierarchical", *SMALL)
    assert second["usage"]["calls"] == 0
    assert second["summary"] == first["summary"]


def test_no_segment_passes_its_limit_by_the_model_s_own_count(embedded: Lda, excerpt: Path) -> None:
    embedded.summarize(excerpt, "--method", "hierarchical", *SMALL)
    read = embedded.query("select max(prompt_tokens) from calls where prompt_name = 'summarize/leaf'")[0][0]
    assert read < 400 + 350, "a segment of 400 tokens and the template"


@pytest.mark.parametrize("method", ["incremental", "scm"])
def test_stopped_after_some_calls_the_other_methods_go_on_and_then_cost_nothing(
    embedded: Lda, excerpt: Path, method: str
) -> None:
    arguments = ("--method", method, *SMALL)
    stopped = embedded.run("summarize", excerpt, *arguments, "--max-calls", "2")
    assert stopped.returncode == 75, stopped.stderr
    assert embedded.query("select count(*) from calls") == [(2,)]
    first = embedded.summarize(excerpt, *arguments)
    assert first["summary"]["method"] == method
    assert first["summary"]["text"].strip()
    assert first["summary"]["gaps"] == []
    assert first["usage"]["recorded"] == 2
    assert embedded.repeated_calls() == []
    second = embedded.summarize(excerpt, *arguments)
    assert second["usage"]["calls"] == 0
    assert second["summary"] == first["summary"]


def test_killed_in_the_middle_of_a_call_it_goes_on_and_repeats_none(embedded: Lda, excerpt: Path) -> None:
    arguments = ("summarize", excerpt, "--method", "incremental", *SMALL)
    process = embedded.start(*arguments)
    embedded.wait_for_calls(2, process)
    process.kill()
    process.communicate()
    before = embedded.recorded_calls()
    resumed = embedded.summarize(excerpt, *arguments[2:])
    assert before >= 2
    assert resumed["usage"]["recorded"] == before
    assert embedded.repeated_calls() == []


@pytest.mark.parametrize("method", ["hierarchical", "incremental", "scm"])
def test_a_length_of_a_hundred_words_is_held_within_a_fifth(embedded: Lda, excerpt: Path, method: str) -> None:
    done = embedded.summarize(excerpt, "--method", method, "--words", "100", "--segment-tokens", "400", "--no-sources")
    assert abs(done["summary"]["words"] - 100) <= 20, done["summary"]["text"]


def test_the_doctor_finds_what_the_model_can_do(embedded: Lda) -> None:
    checks = {check["name"]: check for check in embedded.json("doctor")["checks"]}
    assert {name: check["verdict"] for name, check in checks.items()} == dict.fromkeys(checks, "well")
    assert "8,192 tokens" in checks["window"]["detail"]


def test_the_catalogue_says_what_is_here(embedded: Lda) -> None:
    models = {model["name"]: model for model in embedded.json("models", "list")["models"]}
    assert models["smollm2-135m"]["path"].endswith(".gguf")
    assert models["smollm2-135m"]["toy"]
    assert embedded.run("models", "path", "smollm2-135m").stdout.strip() == models["smollm2-135m"]["path"]
    unknown = embedded.run("models", "pull", "gpt-9")
    assert unknown.returncode == 2
    assert "smollm2-135m" in unknown.stderr


def test_its_answers_have_the_structure_asked_for_and_cite_nothing_that_is_not_there() -> None:
    async def ask() -> tuple[Answer, Answer]:
        engine = EmbeddedEngine(require_model(), context_window=2048, slots=1, toy=True)
        reader, excerpts = AnswerReader(engine), excerpts_of(story(), *CHAPTERS.values())
        question = "How many crowns did the keeper pay Marta?"
        found = await reader.answer(question, excerpts, max_tokens=400, emit=lambda _: None)
        plain = await reader.answer_plainly(question, excerpts, max_tokens=100, emit=lambda _: None)
        await engine.aclose()
        return found, plain

    found, plain = asyncio.run(ask())
    assert found.text
    assert plain.found
    text = story().text
    citations = [*found.citations, *plain.citations]
    assert all(text[citation.start : citation.end] == citation.quote for citation in citations)
    assert any("paid Marta 40 crowns" in citation.quote for citation in plain.citations)


def test_a_draft_holds_its_length_and_the_second_time_it_costs_nothing(embedded: Lda) -> None:
    new = ("write", "A guide to keeping bees", "--words", "500", "--chapters", "2", "--name", "bees")
    environment = {"LDA_EMBEDDING_MODEL": "hashed"}
    first = embedded.json(*new, **environment)["results"][0]
    assert first["target"] == 500
    assert abs(first["words"] - 500) <= 50
    assert len(first["sections"]) == 2, "a chapter that is no longer than a section is one"
    assert all(section["text"].strip() and section["state"] == "written" for section in first["sections"])
    second = embedded.json(*new, **environment)["results"][0]
    assert second["usage"]["calls"] == 0
    assert second["sections"] == first["sections"]
    assert embedded.repeated_calls() == []
    exported = embedded.run("write", "export", "bees", "--out", "bees.epub")
    assert exported.returncode == 0, exported.stderr
    rewritten = embedded.json("write", "rewrite", "bees", "1", **environment)["results"][0]
    assert rewritten["sections"][0]["text"] != first["sections"][0]["text"]
    assert rewritten["sections"][1]["text"] == first["sections"][1]["text"]
