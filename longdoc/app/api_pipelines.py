"""Pipelines in the Python face: a capability over each of many documents, one limiter and one record behind all."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Sequence
from functools import partial
from typing import TypeVar, Unpack

from longdoc.app.api_capabilities import Capabilities, listed_claims, require_question
from longdoc.app.api_inputs import Input
from longdoc.app.api_keywords import AskKeywords, DraftKeywords, SummaryKeywords
from longdoc.app.ask import AskResult
from longdoc.app.check import CheckResult
from longdoc.app.draft_settings import DraftOptions
from longdoc.app.draft_writing import DraftResult
from longdoc.app.finding import AskOptions
from longdoc.app.pipelines import DOCUMENTS_AT_ONCE, Mapped, map_documents
from longdoc.app.results import Result
from longdoc.app.summaries import SummaryOptions, SummaryResult
from longdoc.documents.document import Document
from longdoc.errors import ConfigError

R = TypeVar("R", bound=Result)


class Pipelines(Capabilities):
    """Capabilities over many documents.

    `at_once` documents are worked on and in memory, and the one in your hands; what is made is given as it is there,
    or `ordered` as documents were named. One that fails has an `error` and no text, and the rest go on; a spent budget,
    a lost engine or a refused key ends it. Who leaves the loop stops the work; the same again goes on from there.
    """

    def map_summaries(
        self,
        documents: Iterable[Input],
        *,
        at_once: int = DOCUMENTS_AT_ONCE,
        ordered: bool = False,
        fresh: bool = False,
        **options: Unpack[SummaryKeywords],
    ) -> AsyncGenerator[Mapped[SummaryResult], None]:
        """A summary of each document. Options are those of `summarize`.

        A result holds its document: where there are many, keep `row()` and let go of the result.

        ```python
        async for one in lda.map_summaries(["book.epub", "missing.epub"], words=100):
            print(one.source, one.error or one.text)
        ```
        """
        SummaryOptions(**options)  # told once, not of each document
        return self._map(documents, partial(self.summarize, fresh=fresh, **options), at_once, ordered=ordered)

    def map_answers(
        self,
        question: str,
        documents: Iterable[Input],
        *,
        at_once: int = DOCUMENTS_AT_ONCE,
        ordered: bool = False,
        fresh: bool = False,
        **options: Unpack[AskKeywords],
    ) -> AsyncGenerator[Mapped[AskResult], None]:
        """The answer of each document to one question. Options are those of `ask`.

        ```python
        rows = [one.row() async for one in lda.map_answers("Who keeps the light?", ["book.epub"])]
        ```
        """
        require_question(question)
        AskOptions(**options)  # told once, not of each document
        return self._map(documents, partial(self.ask, question, fresh=fresh, **options), at_once, ordered=ordered)

    def map_checks(
        self,
        claims: str | Sequence[str],
        documents: Iterable[Input],
        *,
        at_once: int = DOCUMENTS_AT_ONCE,
        ordered: bool = False,
        fresh: bool = False,
        **options: Unpack[AskKeywords],
    ) -> AsyncGenerator[Mapped[CheckResult], None]:
        """Whether each document bears out a claim, or each of several. Options are those of `check`.

        ```python
        async for one in lda.map_checks("The light went out.", ["book.epub"]):
            print(one.source, one.result.claims[0].told)
        ```
        """
        listed_claims(claims)
        AskOptions(**options)  # told once, not of each document
        return self._map(documents, partial(self.check, claims, fresh=fresh, **options), at_once, ordered=ordered)

    def map_drafts(
        self,
        instruction: str,
        documents: Iterable[Input],
        *,
        at_once: int = DOCUMENTS_AT_ONCE,
        ordered: bool = False,
        fresh: bool = False,
        **options: Unpack[DraftKeywords],
    ) -> AsyncGenerator[Mapped[DraftResult], None]:
        """A text from each document, each a draft of its own. Options are those of `write`.

        ```python
        async for one in lda.map_drafts("a 120 word blurb", ["book.epub"], ordered=True):
            print(one.result.draft.name, one.text)
        ```
        """
        DraftOptions(**options)  # told once, not of each document
        return self._map(documents, partial(self.write, instruction, fresh=fresh, **options), at_once, ordered=ordered)

    def _map(
        self, documents: Iterable[Input], work: Callable[[Document], Awaitable[R]], at_once: int, *, ordered: bool
    ) -> AsyncGenerator[Mapped[R], None]:
        if isinstance(documents, str | bytes | Document):
            raise ConfigError("a pipeline is over many documents: give a list of paths")
        if at_once < 1:
            raise ConfigError(f"{at_once} documents at once do nothing; give at least 1")
        return map_documents(documents, work, at_once=at_once, ordered=ordered, under_way=self._under_way)
