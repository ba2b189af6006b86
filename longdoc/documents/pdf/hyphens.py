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

    def seam(self, line: str, following: str) -> tuple[bool, str]:
        """How two lines become one: whether the last character of the first goes, and what comes between."""
        if not line or not following:
            return False, ""
        if line[-1] in _HYPHENS:
            return self._seam_at_hyphen(line, following)
        goes_on = line[-1] in _NO_SPACE_AFTER and not line[-2:-1].isspace() and _may_go_on(line, following)
        if goes_on or (_CJK.match(line[-1]) and _CJK.match(following[0])):
            return False, ""
        return False, " "

    def join(self, lines: Iterable[str]) -> str:
        """Lines as one text."""
        parts: list[str] = []
        for line in lines:
            drops, between = self.seam(parts[-1] if parts else "", line)
            if drops:
                parts[-1] = parts[-1][:-1]
            parts.append(between + line)
        return "".join(parts)

    def _seam_at_hyphen(self, line: str, following: str) -> tuple[bool, str]:
        before, after = _BEFORE.search(line), _AFTER.match(following)
        if before is None or after is None:
            return False, " " if line[-2:-1].isspace() else ""
        if after[0].casefold() in _SUSPENDED:
            return False, " "
        return self._drops(before[1], after[0]), ""

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
