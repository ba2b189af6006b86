"""What a text has said already, so that what comes next can be measured against it.

Owns the measure of repetition: the share of runs of four words that stand in the earlier text. Time and memory are
linear in its length.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from longdoc.agents.text_blocks import TextBlock, TextBlockKind, text_blocks
from longdoc.documents.atoms import sentence_spans

_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|[^\W\u3040-\u30ff\u3400-\u9fff]+(?:['’][^\W_]+)*")
_RUN = 4
_MOST_SAID = 0.5
"""Of the runs of a sentence: with so many said before, so was the sentence."""
_LEAST_SENTENCE = 12
"""Words of a sentence that may not be said twice; shorter ones may, as in dialogues."""


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
        keys = (_key(text[start:end], _LEAST_SENTENCE) for start, end in sentence_spans(text))
        self._sentences.update(key for key in keys if key is not None)

    def repeated_share(self, text: str) -> float:
        """The share of a text's runs of four words that stand in the earlier text; 0 for a text of fewer words."""
        runs = _runs(_words(text))
        return sum(run in self._runs for run in runs) / len(runs) if runs else 0.0

    def without_repeats(self, text: str) -> str:
        """A text without sentences of at least twelve words that were said, in the earlier text or in itself.

        Headings, tables and code stay as they are.
        """
        return _without_repeats(text, set(self._sentences), _LEAST_SENTENCE)

    def only_new(self, text: str) -> str:
        """A text without sentences half of whose runs of four words were said, in the earlier text or in itself: for
        one that says again much of what was said.

        Headings, tables, code and sentences of under four words stay as they are.
        """
        said = EarlierText()
        kept: list[str] = []
        for block in text_blocks(text):
            whole = text[block.start : block.end]
            if block.kind in {TextBlockKind.PARAGRAPH, TextBlockKind.ITEM}:
                new = [whole[a:b] for a, b in sentence_spans(whole) if not self._says(whole[a:b], said)]
                whole = "".join(new).rstrip() + whole[len(whole.rstrip()) :] if "".join(new).strip() else ""
            kept.append(whole)
        return "".join(kept).strip()

    def _says(self, sentence: str, said: EarlierText) -> bool:
        """Whether a sentence was said, here or in what was `said` beside it, which it is added to."""
        runs = _runs(_words(sentence))
        again = sum(run in self._runs or run in said._runs for run in runs)
        said._runs.update(runs)
        return bool(runs) and again >= _MOST_SAID * len(runs)


def without_loops(text: str) -> str:
    """An answer that went round in circles without what it says again, be it in a few words."""
    return _without_repeats(text, set(), 1)


def _without_repeats(text: str, said: set[int], least: int) -> str:
    kept = [_kept(text, block, said, least) for block in text_blocks(text)]
    return "".join(part.rstrip() + "\n" * breaks for part, breaks in kept if part.strip()).rstrip()


def _kept(text: str, block: TextBlock, said: set[int], least: int) -> tuple[str, int]:
    """What is left of a block, and the line breaks after it; notes its sentences as said."""
    whole = text[block.start : block.end]
    breaks = whole[len(whole.rstrip()) :].count("\n")
    if block.kind not in {TextBlockKind.PARAGRAPH, TextBlockKind.ITEM}:
        return whole, breaks
    new: list[str] = []
    for start, end in sentence_spans(whole):
        key = _key(whole[start:end], least)
        if key is None or key not in said:
            new.append(whole[start:end])
        if key is not None:
            said.add(key)
    return "".join(new), breaks


def _words(text: str) -> list[str]:
    return _WORD.findall(text.casefold())


def _runs(words: list[str]) -> list[int]:
    return [hash(tuple(words[start : start + _RUN])) for start in range(len(words) - _RUN + 1)]


def _key(sentence: str, least: int) -> int | None:
    words = _words(sentence)
    return hash(tuple(words)) if len(words) >= least else None
