"""Long messages taken apart: what is asked in them, and the text that it is asked of.

Owns the rules for that, and how answers that were given before lose their marks; what is asked is done elsewhere.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

LONG: Final = 4_000
"""Characters from which on a text in a message is a document."""
_LONGEST_INSTRUCTION = 600
_LONGEST_OPENING = 300
_LONGEST_BARE = 120
"""A question without its mark is one where it is no longer than this."""
_ASKS = re.compile(r"[?？؟]\W*$")
_ANNOUNCES = re.compile(r"[:：]\s*$")
_ENDS = re.compile(r"[.!。！]\W*$")
_ORDERS = re.compile(
    r"\W*(?:please |bitte |por favor |s'il (?:vous|te) pla[iî]t,? )?"
    r"(?:(?:my |the |your )?(?:question|task|instructions?)\s*:|summari[sz]e|explain|list|describe|write|compare|check|"
    r"verify|translate|answer|outline|analy[sz]e|extract|tell me|give me|find (?:all|every|out)|(?:frage|aufgabe)\s*:|"
    r"fasse?n?|erkl[aä]re|nenne|beschreibe|schreibe?|vergleiche|pr[uü]fe|[uü]bersetze|beantworte|r[eé]sume[zr]?|explique[zr]?|"
    r"d[eé]cri[st]|d[eé]crivez|[eé]crivez|compare[zr]|r[eé]ponde?[zs]|resum[ae]|explica|escribe|compara|responde|riassum[ei]|spiega|"
    r"descrivi|scrivi|confronta|descreva|escreva|перескажи(?:те)?|объясни(?:те)?|опиши(?:те)?|напиши(?:те)?|сравни(?:те)?)\b",
    re.IGNORECASE,
)
_QUESTION_WORDS = re.compile(
    r"\W*(?:who|what|when|where|why|which|how|wer|was|wann|wo|warum|welche[rsn]?|wie|qui|quand|o[uù]|pourquoi|quel(?:le)?s?|"
    r"comment|qui[eé]n|qu[eé]|cu[aá]ndo|d[oó]nde|c[oó]mo|chi|quando|dove|perch[eé]|quem|onde|кто|что|когда|где|почему|как)\b",
    re.IGNORECASE,
)
_MARKS = re.compile(r" ?(?:\[\d{1,4}\])+")
_SOURCES = re.compile(r"\n\n(?:\[\d{1,4}\] [^\n]*(?:\n|\Z))+(?:and \d+ more)?\s*\Z")


@dataclass(frozen=True, slots=True)
class Parted:
    """A text taken apart: what is asked ("" where that is nowhere), and the `document`, None where it is short."""

    instruction: str
    document: str | None


def parted(text: str) -> Parted:
    """A message taken apart. In a long one, what is asked stands at the beginning or at the end, in a paragraph (or
    line) of its own: a question, an order, or what announces a text with a colon."""
    text = text.strip()
    if len(text) <= LONG:
        return Parted(text, None)
    head, tail = _opening(text), _closing(text)
    at_head = bool(head) and (_is_order(head) or bool(_ANNOUNCES.search(head)))
    at_tail = bool(tail) and _is_order(tail)
    if not at_head and not at_tail:
        at_head = 0 < len(head) <= _LONGEST_OPENING and bool(_ENDS.search(head)) and " " in head
    start = len(head) if at_head else 0
    end = len(text) - (len(tail) if at_tail else 0)
    asked = [head.strip()] * at_head + [tail.strip()] * at_tail
    return Parted("\n\n".join(asked), text[start:end].strip())


def without_marks(text: str) -> str:
    """An answer that was given before, without the marks and the list of its sources."""
    found = _SOURCES.search(text)
    return text.strip() if found is None else _MARKS.sub("", text[: found.start()]).strip()


def _is_order(text: str) -> bool:
    bare = len(text) <= _LONGEST_BARE and _QUESTION_WORDS.match(text)
    return bool(_ASKS.search(text) or _ORDERS.match(text) or bare)


def _opening(text: str) -> str:
    """The first paragraph, or where that is long its first line; "" where both are too long to be what is asked."""
    for end in (text.find("\n\n"), text.find("\n")):
        if 0 < end <= _LONGEST_INSTRUCTION:
            return text[:end]
    return ""


def _closing(text: str) -> str:
    """The last paragraph, or where that is long its last line."""
    for start in (text.rfind("\n\n"), text.rfind("\n")):
        if start >= 0 and len(text) - start <= _LONGEST_INSTRUCTION:
            return text[start:]
    return ""
