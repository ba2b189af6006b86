"""A made-up story in excerpts, and answers as a model would give them."""

import json
from collections.abc import Callable, Sequence

from longdoc.documents.builder import DocumentBuilder
from longdoc.documents.document import Document, Metadata
from longdoc.engines.engine import CompletionRequest
from longdoc.retrieval.excerpts import Excerpt

CHAPTERS = {
    "The Lamp": "The lamp of Skerry Head went out at 11:40. Marta Quill rowed across the sound in the dark. "
    "She found the keeper asleep over a game of draughts.",
    "The Morning": "In the morning the keeper wrote in his book that the night had been quiet. "
    "He paid Marta 40 crowns.",
}
Quote = tuple[int, str]


def story(chapters: dict[str, str] = CHAPTERS, title: str = "Skerry Head") -> Document:
    """A document with a section a chapter and a page a section."""
    builder = DocumentBuilder("text", title)
    builder.metadata = Metadata(title=title, language="en")
    for page, (name, text) in enumerate(chapters.items(), 1):
        builder.open_section(name)
        for paragraph in text.split("\n"):
            builder.add_block(paragraph, page=page)
        builder.close_section()
    return builder.build()


def excerpts_of(document: Document, *texts: str, first: int = 1) -> list[Excerpt]:
    """These stretches of a document as excerpts."""
    starts = [document.text.index(text) for text in texts]
    return [
        Excerpt(number, document, start, start + len(text), len(text) // 4)
        for number, (start, text) in enumerate(zip(starts, texts, strict=True), first)
    ]


def claim(text: str, *quotes: Quote) -> dict[str, object]:
    return {"quotes": [{"excerpt": number, "words": words} for number, words in quotes], "text": text}


def answer(*claims: dict[str, object], found: bool = True) -> str:
    return json.dumps({"found": found, "claims": claims})


def in_turn(answers: Sequence[str]) -> Callable[[CompletionRequest], str]:
    left = list(answers)
    return lambda _: left.pop(0)
