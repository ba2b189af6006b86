"""Whether a text ends as a text should, how to make one end so, and how long it is."""

from __future__ import annotations

import math
import re

from longdoc.documents.atoms import sentence_spans

_MARKS = ".!?…‽।॥؟۔։။។፧።"
_CLOSING = "\"'”’»)\\]*_"
_ENDED = re.compile(rf"[{_MARKS}。！？][{_CLOSING}」』]*$")
_END = re.compile(rf"[{_MARKS}][{_CLOSING}]*(?=\s)|[。！？][」』]*")
_SIGNS = r"\u3040-\u30ff\u3400-\u9fff"
_SIGN = re.compile(rf"[{_SIGNS}]")
_UNPARTED = r"\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"
"""Thai, Lao, Burmese and Khmer, whose words are letters, and not parted."""
_LETTERS_A_WORD = 5
_WORD = re.compile(rf"[{_SIGNS}]|(?<![^\s{_SIGNS}])[^\s{_SIGNS}]*[^\W_{_SIGNS}][^\s{_SIGNS}]*")
"""What stands between spaces is looked at once, from its beginning: time is linear also where it holds no letter."""
_LETTER = re.compile(f"[{_UNPARTED}]")
_UNMARKED = re.compile(r"[\u0e00-\u0eff][\"'”’)]*$")
"""Thai and Lao end their sentences without a mark, with a space at most."""


def ends_in_sentence(text: str) -> bool:
    """Whether the text ends with a finished sentence: with a mark of its script, where the script has one."""
    text = text.rstrip()
    return _ENDED.search(text) is not None or _UNMARKED.search(text) is not None


def cut_to_sentence(text: str) -> str:
    """The text up to its last finished sentence, not to an abbreviation in one begun; all of it where it holds none."""
    text = text.rstrip()
    if ends_in_sentence(text):
        return text
    ends = [match.end() for match in _END.finditer(text)]
    starts = {len(text[:start].rstrip()) for start, _ in sentence_spans(text)}
    return text[: next((end for end in reversed(ends) if end in starts), ends[-1])] if ends else text


def count_words(text: str) -> int:
    """Words of a text. Scripts that do not part words are told by their characters: each Chinese or Japanese one counts
    as a word, and of Thai, Lao, Burmese and Khmer every five."""
    return sum(max(1, len(_LETTER.findall(word)) // _LETTERS_A_WORD) for word in _WORD.findall(text))


def count_signs(text: str) -> int:
    """Chinese and Japanese characters of a text."""
    return len(_SIGN.findall(text))


def cut_to_words(text: str, words: int) -> str:
    """The text up to that end of a sentence at which it is closest to so many words; at least its first sentence."""
    best, count = 0, 0
    nearest = math.inf
    for start, end in sentence_spans(text):
        count += count_words(text[start:end])
        if abs(count - words) < nearest:
            best, nearest = end, abs(count - words)
    return text[:best].rstrip()


def last_sentences(text: str, characters: int) -> str:
    """The end of a text from the first sentence that begins in its last so many characters; its last one at least."""
    if len(text) <= characters:
        return text
    starts = [start for start, _ in sentence_spans(text)]
    fitting = [start for start in starts if start >= len(text) - characters]
    return text[fitting[0] if fitting else starts[-1] :]
