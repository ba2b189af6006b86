"""Answers made of the prompt's own text, without a model: the same answer for the same request, always.

Where a schema is asked for, the answer is the smallest JSON that fits it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence

from longdoc.engines.engine import CompletionRequest
from longdoc.engines.schema_instance import smallest_instance

_WORDS_ASKED = re.compile(r"(?:at most|about) (\d[\d,]*) (?:more )?words")
_FENCED = re.compile(r"<(\w+)>\n(.*?)\n</\1>", re.DOTALL)
_SENTENCE = re.compile(r"[^.!?。！？]*[.!?。！？]+[\"'”’»」)\]]*\s*")
_DEFAULT_WORDS = 100


def extractive_answer(request: CompletionRequest) -> str:
    """Leading sentences of each text in the last message, within the words asked for ("at most 247 words").

    Texts stand between tags on lines of their own; those under the last tag are meant where there are several, and
    sentences that stand under `summary` already are passed over where there is another text. The answer ends with the
    end of a sentence and keeps to half of `max_tokens` in words.
    """
    if request.json_schema is not None:
        return json.dumps(smallest_instance(request.json_schema), ensure_ascii=False)
    prompt = request.messages[-1].content
    asked: list[str] = _WORDS_ASKED.findall(_FENCED.sub("", prompt))
    words = int(asked[-1].replace(",", "")) if asked else _DEFAULT_WORDS
    words = max(1, min(words, request.max_tokens // 2))
    begun = {sentence for text in _fenced(prompt, "summary") for sentence in _sentences(text)}
    texts = _quoted_texts(prompt, but="summary" if begun else None)
    return " ".join(filter(None, _leads(texts, words, begun)))


def _quoted_texts(prompt: str, *, but: str | None) -> list[str]:
    fenced = [(match[1], match[2]) for match in _FENCED.finditer(prompt) if match[1] != but]
    if not fenced:
        return _fenced(prompt, but) if but is not None else [prompt]
    return [text for tag, text in fenced if tag == fenced[-1][0]]


def _fenced(prompt: str, tag: str) -> list[str]:
    return [match[2] for match in _FENCED.finditer(prompt) if match[1] == tag]


def _leads(texts: Sequence[str], words: int, begun: set[str]) -> Iterator[str]:
    """Leading sentences of each text that are not `begun`; what one leaves of its share, the next ones have."""
    left = words
    for number, text in enumerate(texts):
        share = max(1, left // (len(texts) - number))
        lead = _lead(text, share, begun)
        left = max(0, left - len(lead.split()))
        yield lead


def _lead(text: str, words: int, begun: set[str]) -> str:
    kept: list[str] = []
    left = words
    for sentence in _sentences(text):
        if sentence in begun:
            continue
        if len(sentence.split()) > left:
            break
        kept.append(sentence)
        left -= len(sentence.split())
    if kept or begun:
        return " ".join(kept)
    return f"{' '.join(text.split()[:words]).rstrip('.,;:!?')}."


def _sentences(text: str) -> list[str]:
    return [" ".join(match[0].split()) for match in _SENTENCE.finditer(text)]
