"""The benchmark of public sets asks through the product itself, and looks every citation up once more."""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.question_sets import SetFigures, measure, stands
from longdoc.agents.citations import Citation
from longdoc.app.bootstrap import Workspace, open_records, wrap_engine
from longdoc.app.embedder_choice import EmbedderChoice
from longdoc.app.late_embedder import LateEmbedder
from longdoc.config import load_settings
from longdoc.documents.builder import DocumentBuilder
from longdoc.documents.places import Place
from longdoc.engines.budget import Budget
from longdoc.engines.embedder_hashed import HashedEmbedder
from longdoc.engines.engine import CompletionRequest
from longdoc.engines.scripted import ScriptedEngine
from longdoc.errors import RequestRefusedError
from longdoc.json_value import JsonValue

TURNS = (
    ("Ann", "Shall we begin ?"),
    ("Ben", "The lamp costs five pounds ."),
    ("Cy", "That is far too much for such an old lamp ."),
)
_FENCED = re.compile(r"<excerpt>\n(.*?)\n</excerpt>", re.DOTALL)


def write_sets(folder: Path) -> None:
    """Two meetings, a story, and two pairs of claims, as they are published."""
    for name in ("qmsum", "squality", "nocha/books"):
        (folder / name).mkdir(parents=True)
    meeting: JsonValue = {
        "general_query_list": [{"query": "What was said about the lamp?", "answer": "It costs five."}],
        "specific_query_list": [
            {"query": "What does it cost?", "answer": "Five.", "relevant_text_span": [["1", "1"]]},
        ],
        "meeting_transcripts": [{"speaker": speaker, "content": content} for speaker, content in TURNS],
    }
    (folder / "qmsum" / "val.jsonl").write_text(f"{json.dumps(meeting)}\n" * 2, encoding="utf-8")
    story: JsonValue = {
        "metadata": {"passage_id": "one"},
        "document": "THE MILL\n \n It was old.\n \n It fell.",
        "questions": [{"question_text": "What fell?", "question_number": 1, "responses": []}],
    }
    (folder / "squality" / "dev.jsonl").write_text(f"{json.dumps(story)}\n", encoding="utf-8")
    (folder / "nocha" / "books" / "mill.txt").write_text("The mill was sold. It was not burned.", encoding="utf-8")
    claims: list[JsonValue] = [
        {"book_title": "mill", "claim": text, "type": true, "index": index}
        for index in (1, 2)
        for text, true in ((f"The mill was sold, {index}.", True), (f"The mill was burned, {index}.", False))
    ]
    (folder / "nocha" / "claims.json").write_text(json.dumps(claims), encoding="utf-8")


def quoting(request: CompletionRequest) -> str:
    """A model that quotes how the first excerpt ends, and one thing that stands nowhere."""
    words = _FENCED.findall(request.messages[-1].content)[0].split("\n")[-1]
    quotes = [{"excerpt": 1, "words": words}, {"excerpt": 1, "words": "nobody has ever written such words"}]
    assert request.origin is not None
    if request.origin.name == "ask/check":
        if "sold, 2" in request.messages[-1].content:
            raise RequestRefusedError("refused")
        sold = "sold" in request.messages[-1].content.rpartition("</excerpt>")[2]
        sides = (quotes, []) if sold else ([], quotes)
        verdict = "true" if sold else "false"
        return json.dumps(
            {"supporting": sides[0], "contradicting": sides[1], "reason": "So it is.", "verdict": verdict}
        )
    return json.dumps({"found": True, "claims": [{"quotes": quotes, "text": "So it is."}]})


def measured(path: Path, engine: ScriptedEngine) -> dict[str, SetFigures]:
    """The figures of the sets by their names, on a record of its own."""

    async def main() -> list[SetFigures]:
        settings = load_settings({"database": str(path / "record.db"), "attempts": 1})
        async with open_records(settings) as records:

            async def chosen() -> EmbedderChoice:
                return EmbedderChoice(HashedEmbedder(), "hashed words")

            embedder = LateEmbedder(chosen, notify=lambda _: None)
            workspace = Workspace(records, wrap_engine(engine, settings, Budget()), embedder)
            return await measure(workspace, path / "qa", count=2)

    return {one.name: one for one in asyncio.run(main())}


def test_every_set_is_asked_and_every_citation_looked_up(tmp_path: Path) -> None:
    write_sets(tmp_path / "qa")
    engine = ScriptedEngine(quoting)
    found = measured(tmp_path, engine)
    assert [found[name].row() for name in ("QMSum, parts", "SQuALITY")] == [
        ["QMSum, parts", "2", "2", "2", "2", "2", "2", "2", ""],
        ["SQuALITY", "1", "1", "1", "1", "1", "1", "1", ""],
    ]
    assert found["QMSum, parts"].passed
    nocha = found["NoCha"]
    assert (nocha.asked, nocha.completed, nocha.pairs, nocha.passed) == (4, 3, "1 of 2", False), "one was refused"
    assert (nocha.citations, nocha.standing, nocha.dropped) == (3, 3, 3)


def test_asked_again_it_makes_no_call_that_was_answered(tmp_path: Path) -> None:
    write_sets(tmp_path / "qa")
    first = measured(tmp_path, ScriptedEngine(quoting))
    engine = ScriptedEngine(quoting)
    assert measured(tmp_path, engine) == first
    assert len(engine.calls) == 1, "the one that is refused"


@pytest.mark.parametrize(
    ("start", "end", "quote", "whole"),
    [
        (0, 12, "Ada was here", True),
        (0, 24, "Ada was … to the mill", True),
        (0, 12, "Ada was gone", False),
        (1, 12, "Ada was here", False),
        (0, 24, "to the mill … Ada was", False),
        (0, 24, "Ada was here", False),
        (0, 0, " ", False),
    ],
)
def test_a_citation_stands_where_it_says(start: int, end: int, quote: str, *, whole: bool) -> None:
    builder = DocumentBuilder("text", "ada.txt")
    builder.add_block("Ada was here to the mill. She left.")
    document = builder.build()
    citation = Citation(document.id, "Ada", start, end, quote, 1.0, 1, Place())
    assert stands(citation, document) == whole
    assert not stands(replace(citation, document_id="another"), document)
