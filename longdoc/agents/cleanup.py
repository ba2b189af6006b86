"""Traces that piecewise reading leaves in a summary, and matter that is not the work's: found and removed by rule.

The rules know English; a text in another language passes as it is. They take only what can hardly be meant: a passage
may be one through mountains, and a book may be about copyright. What a rule cannot remove without harm is only found,
for a call to mend.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from longdoc.documents.atoms import sentence_spans

_PIECE = r"(?:part|segment|section|passage|excerpt|extract|portion|chapter|text|summary|story so far|chunk)"
_WHOLE = r"(?:book|story|novel|text|work|document|narrative|summary)"
_OF_WHOLE = rf"(?: of (?:the|this) {_WHOLE})?"
_GIVEN = r"(?:given|provided|present|current|above|following)"
_ORDINAL = r"(?:(?:first|next|second|third|last|final) )?"

_SURE = r"(?:sure|certainly|of course|okay)"
_HERE = r"(?:here(?: is|'s|’s| are)|below is|the following is)"
_CHATTER = re.compile(
    rf"\A(?:{_SURE}\b[^\n.:]{{0,60}}[.!:,]\s*)?{_HERE}\b"
    r"(?:[^\n.:]{0,80}\b(?:summary|synopsis)\b[^\n.:]{0,120}:\s+|[^\n:]{0,120}:[ \t]*\n)"
    rf"|\A{_SURE}[!,.][^\n:]{{0,120}}:[ \t]*\n"
    r"|\A[*#\s]*(?:final |overall |revised )?summary(?:\**:\**\s+|\**[ \t]*\n)",
    re.IGNORECASE,
)
_CLOSING = re.compile(
    r"(?:\s{0,20}[\[(]\**(?:word count:?\s*\d+(?: words)?|\d+ words)\**[\])]\.?"
    r"|\n\s{0,20}\**(?:word count:?\**:?\s*\d+(?: words)?|\d+ words)\**\.?"
    r"|(?:\n\s{0,20}|(?<=[.!?…\"”’)])\s+)"
    r"(?:(?:please )?let me know if|i hope (?:this|that) (?:summary|helps|meets)\b)[^\n]*)\s*\Z",
    re.IGNORECASE,
)
_HEADING = re.compile(r"^[ \t]*(?:#{1,6}[ \t]+.*|\*\*[^*\n]{1,80}\*\*:?)[ \t]*$\n?", re.MULTILINE)
_TAG = (
    r"<{1,2}/?(?:article|body|br|chapter|code|div|document|excerpt|fixed|h[1-6]|head|html|instructions?|last_words|li|ol"
    r"|p|part|parts|plan|pre|section|segment|so_far|span|strong|style|summary|text|title|ul|written_before)"
    r"\b[^<>\n]{0,80}>{1,2}"
)
_MARKUP = re.compile(rf"^(?:[ \t]*{_TAG})+[ \t]*|(?<![ \t])[ \t]*(?:{_TAG}[ \t]*)+$", re.IGNORECASE | re.MULTILINE)
"""Tags at the ends of lines: of a model that writes as the prompt is written. Tags spoken of stand amid words."""
_OPENING = re.compile(
    r"\A(?:(?:in|throughout|at the (?:beginning|start|end|close) of|later in|earlier in) "
    rf"(?:this {_ORDINAL}{_PIECE}|the {_GIVEN} {_PIECE}|the {_ORDINAL}(?:segment|excerpt|chunk|chapter)"
    rf"|the (?:text|summary|story so far)){_OF_WHOLE}"
    r"|in (?:summary|conclusion)|to summari[sz]e|overall)\s*,\s+(?!(?:en)?titled\b|called\b|named\b|which\b|where\b)",
    re.IGNORECASE,
)
_TRACE = re.compile(
    rf"\b(?:this|the (?:{_GIVEN}|previous|next)) {_PIECE}{_OF_WHOLE}\b(?! (?:of|through|between|across|from|into)\b)"
    rf"|\bthe (?:segment|excerpt|extract|chunk|passage){_OF_WHOLE} (?:begins|opens|starts|ends|closes|describes|tells|"
    r"focuses|introduces|continues|concludes|provides|recounts|shows)\b"
    rf"|\b(?:in|of) part \d+ of (?:the|this) (?:text|summary|document)\b",
    re.IGNORECASE,
)
_THIS_TEXT = r"(?:this (?:e-?book|book|work|edition|text)|the (?:e-?book|text))"
_NOT_THE_WORK = re.compile(
    rf"\bproject gutenberg(?:™|-tm)? (?:e-?book|licen[cs]e|literary archive)|\b{_THIS_TEXT}\b.*\bproject gutenberg\b"
    r"|\bISBN[\s:-]*\d|^\W*all rights reserved\W*$|^\W*(?:copyright|©)[\s©]*(?:\(c\)\s*)?\d{4}"
    rf"|\b{_THIS_TEXT} (?:begins|opens|starts|ends|includes|contains|lists|provides|presents)\b.*\btable of contents\b"
    r"|\b(?:this|the) e-?book (?:is|was|has been) (?:produced|prepared|released|licensed|distributed|provided)\b"
    r"|\bthis (?:edition|book|text|work) is (?:licensed|distributed|provided)\b"
    r"|\btranscriber[’']?s[’']? notes?\b"
    r"|\bthe (?:author|editor|translator) (?:thanks|acknowledges|expresses (?:his|her|their) (?:thanks|gratitude))\b"
    r".*\b(?:help|support|assistance|encouragement|advice|contributors|colleagues|readers)\b",
    re.IGNORECASE | re.DOTALL,
)
_LEAST_REPEATED_WORDS = 4


def clean_text(text: str) -> str:
    """The text without markup, chatter around it, headings, phrases such as "In this segment,", sentences that are
    not about the work (licences, thanks), and sentences said before. The same again where nothing is to be done, and
    never empty for a text that is not."""
    bare = without_chatter(text)
    stripped = _HEADING.sub("", bare).strip() or bare
    paragraphs = [paragraph for paragraph in re.split(r"\n\s*\n", stripped) if paragraph.strip()]
    said: set[str] = set()
    kept = ["".join(_kept_sentences(paragraph.strip(), said)).strip() for paragraph in paragraphs]
    return "\n\n".join(filter(None, kept)) or stripped


def without_chatter(text: str) -> str:
    """The text without what models write around one: tags of the prompt, "Here is …:", counts of words, offers of help.
    Never empty for a text that is not."""
    return without_asides(without_markup(text))


def without_markup(text: str) -> str:
    """The text without tags at the ends of its lines; never empty for a text that is not."""
    return _MARKUP.sub("", text).strip() or text.strip()


def without_asides(text: str) -> str:
    """The text without "Here is …:" before it, and counts of words or offers of help after it; never empty for a text
    that is not."""
    return _CLOSING.sub("", _CHATTER.sub("", text, count=1), count=1).strip() or text


def has_traces(text: str) -> bool:
    """Whether the text speaks of the pieces in which it was read."""
    return _TRACE.search(text) is not None


def without_repeats(text: str, so_far: str) -> str:
    """The text without sentences that stand in another one already, or twice in itself; empty where all of it does.

    Sentences of a few words may be said again, but not alone.
    """
    before = [sentence.strip() for sentence in _sentences(so_far)]
    said = set(map(_key, before))
    kept = [sentence for sentence in _sentences(text.strip()) if not _is_repeated(sentence, said)]
    return "" if {sentence.strip() for sentence in kept} <= set(before) else "".join(kept).strip()


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
