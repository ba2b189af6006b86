"""What a text has said already, so that what comes next can be measured against it.

Owns the measure of repetition: the share of runs of four words that stand in the earlier text. Time and memory are
linear in its length.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from longdoc.documents.atoms import sentence_spans

_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|[^\W\u3040-\u30ff\u3400-\u9fff]+(?:['’][^\W_]+)*")
_RUN = 4
_LEAST_SENTENCE = 5
"""Words of a sentence that may not be said twice; shorter ones may."""


class EarlierText:
    """The texts that stand already."""

    def __init__(self, texts: Iterable[str] = ()) -> None:
        self._runs: set[int] = set()
        self._sentences: set[int] = set()
        for text in texts:
            self.add(text)

    def add(self, text: str) -> None:
        """Take in a text."""
        self._runs.update(_runs(_words(text)))
        self._sentences.update(filter(None, (_key(text[start:end]) for start, end in sentence_spans(text))))

    def repeated_share(self, text: str) -> float:
        """The share of a text's runs of four words that stand in the earlier text; 0 for a text of fewer words."""
        runs = _runs(_words(text))
        return sum(run in self._runs for run in runs) / len(runs) if runs else 0.0

    def without_repeats(self, text: str) -> str:
        """A text without sentences that were said, in the earlier text or in itself; a few words may be said again.

        Paragraphs and what is no sentence stay as they are.
        """
        said = set(self._sentences)
        kept: list[str] = []
        for start, end in sentence_spans(text):
            key = _key(text[start:end])
            if key is not None and key in said:
                kept.append("\n\n" if "\n\n" in text[start:end] else "")
                continue
            kept.append(text[start:end])
            if key is not None:
                said.add(key)
        return re.sub(r"\n{3,}", "\n\n", "".join(kept)).strip()


def _words(text: str) -> list[str]:
    return _WORD.findall(text.casefold())


def _runs(words: list[str]) -> list[int]:
    return [hash(tuple(words[start : start + _RUN])) for start in range(len(words) - _RUN + 1)]


def _key(sentence: str) -> int | None:
    words = _words(sentence)
    return hash(tuple(words)) if len(words) >= _LEAST_SENTENCE else None
