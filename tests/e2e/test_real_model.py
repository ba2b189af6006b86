"""The whole way on the small real model, embedded: what it writes is poor, what the machinery does is not."""

import os
import time
from pathlib import Path

import pytest

from tests.e2e.command import Lda

ROOT = Path(__file__).parents[2]
MODELS = Path(os.environ.get("LDA_MODELS_DIR", ROOT / ".cache" / "models"))
SMALL = ("--words", "60", "--segment-tokens", "400")


@pytest.fixture
def embedded(tmp_path: Path) -> Lda:
    """`lda` on the embedded engine; the model is pulled where it is not yet here."""
    lda = Lda(tmp_path, {"LDA_ENGINE": "embedded", "LDA_MODEL": "smollm2-135m", "LDA_MODELS_DIR": str(MODELS)})
    pulled = lda.run("models", "pull", "smollm2-135m", timeout=600)
    assert pulled.returncode == 0, pulled.stderr
    return lda


@pytest.fixture
def excerpt(tmp_path: Path) -> Path:
    """The first pages of the example book."""
    text = (ROOT / "examples" / "novella.md").read_text(encoding="utf-8")
    path = tmp_path / "excerpt.md"
    path.write_text(text[:5000], encoding="utf-8")
    return path


def test_a_summary_is_made_and_the_second_time_it_costs_nothing(embedded: Lda, excerpt: Path) -> None:
    first = embedded.summarize(excerpt, *SMALL)
    assert first["summary"]["text"].strip()
    assert first["summary"]["levels"] >= 2
    assert first["usage"]["calls"] >= first["summary"]["nodes"]
    assert first["usage"]["completion_tokens"] > 0
    started = time.monotonic()
    second = embedded.summarize(excerpt, *SMALL)
    assert time.monotonic() - started < 10
    assert second["usage"]["calls"] == 0
    assert second["summary"] == first["summary"]


def test_no_segment_passes_its_limit_by_the_model_s_own_count(embedded: Lda, excerpt: Path) -> None:
    embedded.summarize(excerpt, *SMALL)
    read = embedded.query("select max(prompt_tokens) from calls where prompt_name = 'summarize/leaf'")[0][0]
    assert read < 400 + 350, "a segment of 400 tokens and the template"


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
