"""Hyphens at the ends of lines: which belong to the word and which only to the printed line.

Owns this decision, made with the words that the same document has elsewhere.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

_HYPHENS = "-\u2010\u00ad"
_WORD = re.compile(r"[^\W\d_]+(?:[-\u2010'’][^\W\d_]+)*")
_BEFORE = re.compile(r"([^\W\d_]+(?:[-\u2010][^\W\d_]+)*)[-\u2010\u00ad]$")
_AFTER = re.compile(r"[^\W\d_]+(?:[-\u2010][^\W\d_]+)*")
_SUSPENDED = frozenset({"and", "or", "to", "und", "oder", "bzw", "sowie", "bis", "et", "ou", "y", "o", "e", "en", "of"})
_NO_SPACE_AFTER = "—/"
_CJK = re.compile("[\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uffef]")


class Vocabulary:
    """Words of a document as they stand inside its lines, for telling hyphens apart."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._words: Counter[str] = Counter()
        for line in lines:
            self._words.update(word.casefold() for word in _WORD.findall(line.rstrip(_HYPHENS)))
        self._prefixes = {word.partition("-")[0] for word in self._words if "-" in word}

    def join(self, line: str, following: str) -> str:
        """Two lines as one: with a space, without one, or with the last hyphen taken out."""
        if not line or not following:
            return line + following
        if line[-1] in _HYPHENS:
            return self._join_at_hyphen(line, following)
        if line[-1] in _NO_SPACE_AFTER and not line[-2:-1].isspace() and _may_go_on(line, following):
            return line + following
        if _CJK.match(line[-1]) and _CJK.match(following[0]):
            return line + following
        return f"{line} {following}"

    def _join_at_hyphen(self, line: str, following: str) -> str:
        before, after = _BEFORE.search(line), _AFTER.match(following)
        if before is None or after is None:
            return f"{line} {following}" if line[-2:-1].isspace() else line + following
        if after[0].casefold() in _SUSPENDED:
            return f"{line} {following}"
        return (line[:-1] if self._drops(before[1], after[0]) else line) + following

    def _drops(self, before: str, after: str) -> bool:
        """Whether the word is known, or likelier, without the hyphen."""
        joined = self._words[(before + after).casefold()]
        hyphenated = self._words[f"{before}-{after}".casefold()]
        if joined or hyphenated:
            return joined >= hyphenated
        if after[0].isupper() and not before.isupper():
            return False
        tail, head = before.rsplit("-", 1)[-1].casefold(), after.split("-", 1)[0].casefold()
        if "-" in before:
            return bool(self._words[tail + head]) or not self._words[tail]
        return tail not in self._prefixes or not self._words[head]


def _may_go_on(line: str, following: str) -> bool:
    """Whether a dash between words, or an address broken at a slash, goes on in the next line."""
    if line[-1] == "—":
        return following[0].isalnum()
    word = line.rsplit(maxsplit=1)[-1]
    return "://" in word or word.startswith(("/", "~/", "www."))
