"""What is done to a section by rule when it is written: labels of the plan and hasty endings go, and what is too long
is cut where a text may end."""

from __future__ import annotations

import re
from collections.abc import Iterator

from longdoc.agents.cleanup import without_chatter
from longdoc.agents.sentences import count_words, cut_to_sentence, ends_in_sentence
from longdoc.documents.atoms import sentence_spans

_LABEL = re.compile(
    r"^[ \t]*[#*>]*[ \t]*(?:(?:section|paragraph|part|第)\s*\d+\s*(?:of\s+\d+|节|節|部分|章)?\s*(?:[:.–—-].*)?"
    r"|\(?\s*(?:word count|words|main point|字数)\s*[:：].*|[(\[]?\s*\d[\d,]*\s+words\s*[)\]]?)[ \t*]*$\n?",
    re.IGNORECASE | re.MULTILINE,
)
_CONCLUDING = re.compile(
    r"\s*(?:in (?:conclusion|summary|closing)|to (?:conclude|sum up|summari[sz]e)|overall|ultimately"
    r"|总之|總之|综上所述|綜上所述|总而言之)[,，:： ]",
    re.IGNORECASE,
)
_FENCE = re.compile(r"^[ \t]*(?:```|~~~)")
_ITEM = re.compile(r"^[ \t]*(?:[-*+]|\d{1,3}[.)])[ \t]+")
_ROW = re.compile(r"^[ \t]*\|.*\|[ \t]*$")
_LEAST, _MOST = 0.85, 1.15


def clean_section(text: str, heading: str) -> str:
    """A section without chatter, without labels of the plan, and without its own heading at its beginning."""
    bare = without_chatter(text)
    bare = _LABEL.sub("", bare).strip() or bare
    first, _, rest = bare.partition("\n")
    if rest.strip() and _same(first, heading):
        bare = rest.strip()
    return bare


def without_conclusion(text: str) -> str:
    """A section that others follow without a last paragraph that concludes; the same where there is nothing else."""
    paragraphs = re.split(r"\n\s*\n", text)
    while len(paragraphs) > 1 and _CONCLUDING.match(paragraphs[-1]):
        paragraphs.pop()
    return "\n\n".join(paragraphs).rstrip()


def finished(text: str) -> str:
    """A section up to its last finished sentence, list item, table or block of code."""
    text = text.rstrip()
    blocks = list(_blocks(text))
    if not blocks or ends_in_sentence(text):
        return text
    start, end, whole = blocks[-1]
    if whole:
        return text
    last = text[start:end]
    if _ITEM.match(last.lstrip("\n")):
        return text[:start].rstrip() if len(blocks) > 1 and not ends_in_sentence(last) else text
    return cut_to_sentence(text)


def cut_to_length(text: str, words: int) -> str:
    """A section up to that place where it may end at which it is closest to so many words; the same where all such
    places are more than 15% away from it. A text may end after a sentence, a list item, a table, a block of code."""
    best, nearest, count = len(text), float("inf"), 0
    begun = 0
    for end in _ends(text):
        count += count_words(text[begun:end])
        begun = end
        if words * _LEAST <= count <= words * _MOST and abs(count - words) < nearest:
            best, nearest = end, abs(count - words)
    return text[:best].rstrip()


def _ends(text: str) -> Iterator[int]:
    """Where a text may end."""
    for start, end, whole in _blocks(text):
        if whole or _ITEM.match(text[start:end].lstrip("\n")):
            yield end
        else:
            yield from (start + stop for _, stop in sentence_spans(text[start:end]))


def _blocks(text: str) -> Iterator[tuple[int, int, bool]]:
    """Stretches that tile a text: paragraphs, list items, and (whole) tables and blocks of code."""
    start, at, fenced, table = 0, 0, False, False
    for line in text.splitlines(keepends=True):
        fence = _FENCE.match(line) is not None
        row = not fenced and _ROW.match(line) is not None
        begins = not fenced and (fence or _ITEM.match(line) is not None or row != table or not line.strip())
        if begins and at > start and text[start:at].strip():
            yield start, at, table
            start = at
        table = row
        at += len(line)
        if fence and fenced:
            yield start, at, True
            start = at
        fenced = fenced != fence
    if text[start:].strip():
        yield start, len(text), fenced or table


def _same(line: str, heading: str) -> bool:
    return re.findall(r"\w+", line.casefold()) == re.findall(r"\w+", heading.casefold())
