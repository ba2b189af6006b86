"""What is done to a section by rule when it is written: labels of the plan and hasty endings go, and what is too long
is cut where a text may end."""

from __future__ import annotations

import re
from collections.abc import Iterator

from longdoc.agents.cleanup import without_asides, without_markup
from longdoc.agents.sentences import count_words, cut_to_sentence, ends_in_sentence
from longdoc.agents.text_blocks import TextBlock, TextBlockKind, text_blocks
from longdoc.documents.atoms import sentence_spans

_NAMED = (
    r"(?:(?:section|paragraph|part|chapter|abschnitt)[ \t]{1,2}\d{1,3}(?:[ \t]of[ \t]\d{1,3})?"
    r"|第[ \t]?\d{1,3}[ \t]?(?:节|節|部分|章|段))"
)
_BEFORE, _AFTER = r"[ \t]{0,8}[#*>]{0,8}[ \t]{0,8}", r"[ \t*]{0,8}"
_LABEL = re.compile(
    rf"{_BEFORE}(?:{_NAMED}[:：.]?"
    r"|[(\[（]?(?:word count|main points?|字数)[ \t*]{0,4}[:：][^\n]{0,400}?"
    rf"|[(\[（]?\d[\d,]{{0,9}}[ \t]?(?:words|字)[)\]）]?){_AFTER}",
    re.IGNORECASE,
)
_TITLED_LABEL = re.compile(rf"{_BEFORE}{_NAMED}{_AFTER}[:：.–—-][^\n]{{0,120}}", re.IGNORECASE)
_LEADING_LABEL = re.compile(rf"{_BEFORE}{_NAMED}{_AFTER}[:：–—-]{_AFTER}", re.IGNORECASE)
"""With the text itself behind it."""
_NUMBERED = re.compile(rf"(?:{_NAMED}|\d{{1,3}})\W{{1,4}}", re.IGNORECASE)
_PIECE_OF = re.compile(r" \(\d{1,3}\)$")
_CONCLUDING = re.compile(
    r"\s{0,8}(?:(?:in (?:conclusion|summary|closing)|to (?:conclude|sum up|summari[sz]e)|overall|ultimately"
    r"|zusammenfassend|abschließend|en (?:conclusion|résumé|somme|conclusión|resumen|definitiva)|pour conclure"
    r"|para concluir)\b|总之|總之|综上所述|綜上所述|总而言之|總而言之)",
    re.IGNORECASE,
)
_MOST_CONCLUDING = 0.4
"""Of a section: what may be taken from its end as a hasty conclusion."""
_REFUSAL = re.compile(
    r"\W{0,4}(?:(?:i['’]?m|i am|we['’]?re) (?:very |so )?sorry\b|sorry\b|i apologi[sz]e\b|unfortunately\b)[^.\n]{0,40}"
    r"\b(?:can['’]?t|cannot|can not|unable|won['’]?t|not able)\b"
    r"|\W{0,4}i (?:can['’]?t|cannot|can not|am unable to|am not able to|won['’]?t) (?:assist|help|write|create|fulfil"
    r"|comply|continue|provide|generate|produce)\b"
    r"|\W{0,4}as an ai\b|\W{0,4}(?:很|非常)?抱歉[，,]我?(?:无法|不能)|\W{0,4}对不起[，,]我(?:无法|不能)",
    re.IGNORECASE,
)
_LONGEST_REFUSAL = 60
"""Words; a text that begins so and is longer is one."""
_OPENING_FENCE = re.compile(r"\s*(`+|~+)")
_SHORT_LINE = 8
"""Words of a last line that may be without a mark at its end: a signature, a verse."""
_LEAST, _MOST = 0.85, 1.15


def clean_section(text: str, heading: str) -> str:
    """A section without chatter, without labels of the plan, and without its own heading at its beginning; empty where
    there is nothing else."""
    kept = (_bare_block(text[block.start : block.end], block.kind) for block in text_blocks(text))
    bare = without_asides("".join(kept).strip())
    label = _LEADING_LABEL.match(bare)
    if label:
        bare = bare[label.end() :]
    while bare:
        first, _, rest = bare.partition("\n")
        if not _same(first, heading):
            break
        bare = rest.strip()
    return bare


def is_refusal(text: str) -> bool:
    """Whether a text is nothing but words of a model that does not do what is asked."""
    return _REFUSAL.match(text) is not None and count_words(text) <= _LONGEST_REFUSAL


def without_conclusion(text: str) -> str:
    """A section that others follow without last paragraphs that conclude; these are not more than two fifths of it."""
    end, words = len(text), count_words(text)
    for block in reversed(list(text_blocks(text))):
        concludes = block.kind is TextBlockKind.PARAGRAPH and _CONCLUDING.match(text[block.start : block.end])
        if not concludes or count_words(text[block.start :]) > _MOST_CONCLUDING * words:
            break
        end = block.start
    return text[:end].rstrip()


def finished(text: str, *, cut: bool) -> str:
    """A section up to its last finished sentence, list item, table or block of code; all of it where it holds none.

    `cut` tells that the model was stopped: then an item or a row at the end is not finished, and code is closed.
    """
    text = text.rstrip()
    blocks = list(text_blocks(text))
    while blocks:
        block = blocks.pop()
        last = text[block.start : block.end].rstrip()
        ended = _ended(last, block.kind, cut=cut)
        if ended:
            return text[: block.start] + ended
        if not text[: block.start].strip():
            return _closed(text, block.kind)
        text, cut = text[: block.start].rstrip(), False
    return text


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


def _bare_block(block: str, kind: TextBlockKind) -> str:
    """A block without tags and labels; code and tables as they are."""
    if kind in {TextBlockKind.CODE, TextBlockKind.OPEN_CODE, TextBlockKind.TABLE}:
        return block
    lines = [line for line in without_markup(block).splitlines() if not _is_label(line)]
    if not any(map(str.strip, lines)):
        return ""
    indent, gap = block[: len(block) - len(block.lstrip())], block[len(block.rstrip()) :]
    return indent + "\n".join(lines) + gap


def _is_label(line: str) -> bool:
    if _LABEL.fullmatch(line):
        return True
    return _TITLED_LABEL.fullmatch(line) is not None and not ends_in_sentence(line)


def _ended(block: str, kind: TextBlockKind, *, cut: bool) -> str:
    """A last block as far as it is finished; empty where nothing of it is."""
    match kind:
        case TextBlockKind.CODE:
            return block
        case TextBlockKind.OPEN_CODE:
            lines = block.rpartition("\n")[0] if cut else block
            return _closed(lines, kind) if "\n" in lines else ""
        case TextBlockKind.TABLE:
            whole = block if not cut or block.endswith("|") else block.rpartition("\n")[0]
            return whole.rstrip()
        case TextBlockKind.ITEM:
            return block if not cut or ends_in_sentence(block) else ""
        case TextBlockKind.HEADING:
            return ""
        case TextBlockKind.PARAGRAPH:
            return _ended_paragraph(block, cut=cut)


def _closed(block: str, kind: TextBlockKind) -> str:
    """A block with its fence closed, where it has an open one."""
    fence = _OPENING_FENCE.match(block)
    return f"{block}\n{fence[1]}" if fence and kind is TextBlockKind.OPEN_CODE else block


def _ended_paragraph(block: str, *, cut: bool) -> str:
    sentences = cut_to_sentence(block)
    if ends_in_sentence(sentences) and sentences == block:
        return block
    last_line = block.rpartition("\n")[2]
    if not cut and count_words(last_line) <= _SHORT_LINE and not block.endswith((":", "：")):
        return block
    return sentences if ends_in_sentence(sentences) else ""


def _ends(text: str) -> Iterator[int]:
    """Where a text may end."""
    for block in text_blocks(text):
        if block.kind is TextBlockKind.PARAGRAPH:
            yield from _sentence_ends(text, block)
        elif block.kind is not TextBlockKind.HEADING:
            yield block.end


def _sentence_ends(text: str, block: TextBlock) -> Iterator[int]:
    for start, end in sentence_spans(text[block.start : block.end]):
        if ends_in_sentence(text[block.start + start : block.start + end]):
            yield block.start + end


def _same(line: str, heading: str) -> bool:
    """Whether a line is the heading, be it with a number."""
    said, wanted = _words(line), _words(_PIECE_OF.sub("", heading))
    return said in (wanted, _words(heading)) or (bool(wanted) and _words(_NUMBERED.sub("", line, count=1)) == wanted)


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.casefold())
