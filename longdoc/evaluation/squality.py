"""SQuALITY: short stories with questions and four reference answers each, joined into one long text.

Source: Wang et al., "SQuALITY" (EMNLP 2022), version 1.3. Owns reading the published files; a story is a section.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import BaseModel

from longdoc.documents.builder import DocumentBuilder
from longdoc.documents.document import BlockKind, Document, Metadata
from longdoc.evaluation.gold import GoldCase, GoldText, nearest_step
from longdoc.evaluation.json_lines import read_lines
from longdoc.evaluation.planted import DEPTHS

STORY: Final = "story"
"""The kind of questions about one of the stories."""

_BLANK_LINE = re.compile(r"\n\s*\n")
_ABOUT_THE_FILE = re.compile(
    r"produced by|online$|distributed proofreading|\*\*\*|https?:|\[?transcriber|this (?:etext|ebook)|e-?text",
    re.IGNORECASE,
)


class _Response(BaseModel):
    response_text: str


class _Question(BaseModel):
    question_text: str
    question_number: int
    responses: list[_Response]


class _Metadata(BaseModel):
    passage_id: str


class _Row(BaseModel):
    metadata: _Metadata
    document: str
    questions: list[_Question]


@dataclass(frozen=True, slots=True)
class StoryQuestion:
    """A question about a story, and what four people answered."""

    question: str
    references: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Story:
    """A story in paragraphs, and the questions about it."""

    id: str
    title: str
    paragraphs: tuple[str, ...]
    questions: tuple[StoryQuestion, ...]


def read_squality(path: Path) -> list[Story]:
    """The stories of a file such as `dev.jsonl`. Raises `DocumentError` where it cannot be read."""
    return [_story(row) for row in read_lines(path, _Row)]


def story_document(story: Story) -> Document:
    """A story alone. Raises `EmptyDocumentError` where it has no text."""
    return join_stories([story]).document


def join_stories(stories: Sequence[Story], *, title: str = "Stories") -> GoldText:
    """Stories as one text, each a section, with their questions as cases that say which story they are about.

    The span of a case is its whole story. Raises `EmptyDocumentError` where there is no text.
    """
    builder = DocumentBuilder("squality", title)
    builder.metadata = Metadata(title=stories[0].title if len(stories) == 1 else title, language="en")
    for story in stories:
        builder.open_section(story.title)
        builder.add_block(story.title, BlockKind.HEADING, level=1)
        for paragraph in story.paragraphs:
            builder.add_block(paragraph)
        builder.close_section()
    document = builder.build()
    return GoldText(document, tuple(_cases(stories, document)))


def _cases(stories: Sequence[Story], document: Document) -> Iterator[GoldCase]:
    for story, section in zip(stories, document.sections, strict=True):
        about = f"In the story “{story.title}”: " if len(stories) > 1 else ""
        for number, asked in enumerate(story.questions, 1):
            yield GoldCase(
                id=f"{story.id}-{number}",
                kind=STORY,
                question=about + asked.question,
                answers=asked.references,
                spans=((section.start, section.end),),
                depth=nearest_step(section.start / len(document.text), DEPTHS),
            )


def _story(row: _Row) -> Story:
    paragraphs = [" ".join(part.split()) for part in _BLANK_LINE.split(row.document)]
    return Story(
        id=row.metadata.passage_id,
        title=_title(row.document),
        paragraphs=tuple(filter(None, paragraphs)),
        questions=tuple(
            StoryQuestion(question.question_text, tuple(response.response_text for response in question.responses))
            for question in sorted(row.questions, key=lambda question: question.question_number)
        ),
    )


def _title(text: str) -> str:
    """The first line that is not about the file."""
    lines = (" ".join(line.split()) for line in text.splitlines())
    return next((line for line in lines if line and not _ABOUT_THE_FILE.match(line)), "Untitled")
