"""Whatever is loaded first, threads of OpenMP wait as all need it: the library reads its settings once."""

import os
import subprocess
import sys

import pytest

from tests.models import require_model

_LOADS = {
    "faiss": "import longdoc.retrieval.faiss_library",
    "torch": """
import asyncio, sys
from pathlib import Path
from longdoc.engines.embedder_sentence_transformers import SentenceTransformersEmbedder

async def embed():
    embedder = await SentenceTransformersEmbedder.open(Path(sys.argv[1]))
    await embedder.embed(["a"])

asyncio.run(embed())
""",
}


@pytest.mark.parametrize("loaded", _LOADS)
def test_what_loads_openmp_first_sets_how_its_threads_wait(loaded: str) -> None:
    script = f"{_LOADS[loaded]}\nimport os; print(os.environ['OMP_WAIT_POLICY'], os.environ['GOMP_SPINCOUNT'])"
    free = {name: value for name, value in os.environ.items() if "OMP_" not in name}
    line = [sys.executable, "-c", script, str(require_model("minilm-l6"))]
    done = subprocess.run(line, capture_output=True, text=True, check=True, env=free)
    assert done.stdout == "passive 20000\n"
