"""Traces that piecewise reading leaves in a summary, and matter that is not the work's: found and removed by rule.

The rules know English; a text in another language passes as it is. What a rule cannot remove without harm is only
found, for a call to mend.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from longdoc.documents.atoms import sentence_spans

_PIECE = r"(?:part|segment|section|passage|excerpt|extract|portion|chapter|text|summary|story so far|chunk)"
_OF_WHOLE = r"(?: of (?:the|this) (?:book|story|novel|text|work|document|narrative|summary))?"

_CHATTER = re.compile(
    r"\A(?:(?:sure|certainly|of course|okay)[^\n.:]*[.!:]\s*)?"
    r"(?:(?:here(?: is|'s|’s)|below is|the following is)[^\n:]{0,120}:"
    r"|\**#*\s*(?:final |overall )?summary\s*\**:?\**)\s+"
    r"|\A(?:sure|certainly|of course)[!,.][^\n:]{0,120}:\s+",
    re.IGNORECASE,
)
_CLOSING = re.compile(
    r"\s*(?:\(?\**word count:?\**:?\s*\d+(?: words)?\)?\.?|\[?\(?\d+ words\)?\]?"
    r"|(?:please )?let me know if [^\n]*|i hope (?:this|that) [^\n]*)\s*\Z",
    re.IGNORECASE,
)
_HEADING = re.compile(r"^\s*(?:#{1,6}\s+.*|\*\*[^*\n]{1,80}\*\*:?)\s*$\n?", re.MULTILINE)
_OPENING = re.compile(
    rf"\A(?:(?:in|throughout|at the (?:beginning|start|end|close) of|later in|earlier in) (?:this|the) "
    rf"(?:(?:first|next|second|third|last|final|following|present|current|given|provided) )?{_PIECE}{_OF_WHOLE}"
    r"|in (?:summary|conclusion)|to summari[sz]e|overall)\s*,\s+",
    re.IGNORECASE,
)
_TRACE = re.compile(
    rf"\b(?:this|the (?:given|provided|present|current|above|previous|next|following)) {_PIECE}{_OF_WHOLE}\b"
    rf"|\bthe (?:segment|excerpt|extract|chunk|passage){_OF_WHOLE} (?:begins|opens|starts|ends|closes|describes|tells|"
    r"focuses|introduces|continues|concludes|provides|recounts|shows)\b"
    rf"|\b(?:in|of) part \d+ of (?:the|this) (?:text|summary|document)\b",
    re.IGNORECASE,
)
_NOT_THE_WORK = re.compile(
    r"\bproject gutenberg\b|\bISBN\b|\ball rights reserved\b|\btable of contents\b|\btranscriber[’']?s notes?\b"
    r"|\b(?:e-?book|edition) (?:is|was) (?:produced|prepared|released|licensed|distributed)\b"
    r"|\bthe (?:author|editor|publisher) (?:thanks|acknowledges|expresses (?:his|her|their) (?:thanks|gratitude))\b",
    re.IGNORECASE,
)
_LEAST_REPEATED_WORDS = 4


def clean_text(text: str) -> str:
    """The text without chatter around it, headings, phrases such as "In this segment,", sentences that are not about
    the work (licences, thanks), and sentences said before. The same again where nothing is to be done, and never
    empty for a text that is not."""
    stripped = _CLOSING.sub("", _CHATTER.sub("", text.strip(), count=1), count=1)
    stripped = _HEADING.sub("", stripped).strip() or text.strip()
    paragraphs = [paragraph for paragraph in re.split(r"\n\s*\n", stripped) if paragraph.strip()]
    said: set[str] = set()
    kept = ["".join(_kept_sentences(paragraph.strip(), said)).strip() for paragraph in paragraphs]
    return "\n\n".join(filter(None, kept)) or stripped


def has_traces(text: str) -> bool:
    """Whether the text speaks of the pieces in which it was read."""
    return _TRACE.search(text) is not None


def without_repeats(text: str, so_far: str) -> str:
    """The text without sentences that stand in another one already, or twice in itself."""
    said = {key for key in map(_key, _sentences(so_far)) if key}
    return "".join(sentence for sentence in _sentences(text.strip()) if not _is_repeated(sentence, said)).strip()


def _kept_sentences(paragraph: str, said: set[str]) -> Iterator[str]:
    for sentence in _sentences(paragraph):
        if _NOT_THE_WORK.search(sentence) or _is_repeated(sentence, said):
            continue
        opened = _OPENING.sub("", sentence, count=1)
        yield sentence if opened == sentence else opened[:1].upper() + opened[1:]


def _is_repeated(sentence: str, said: set[str]) -> bool:
    """Whether a sentence that is long enough to be told by its words was said; notes it as said."""
    key = _key(sentence)
    repeated = bool(key) and key in said
    said.add(key)
    return repeated


def _key(sentence: str) -> str:
    words: list[str] = re.findall(r"\w+", sentence.casefold())
    return " ".join(words) if len(words) >= _LEAST_REPEATED_WORDS else ""


def _sentences(text: str) -> list[str]:
    return [text[start:end] for start, end in sentence_spans(text)]
