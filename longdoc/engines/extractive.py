"""Answers made of the prompt's own text, without a model: the same answer for the same request, always.

Where a schema is asked for, the answer is the smallest JSON that fits it.
"""

from __future__ import annotations

import json
import re

from longdoc.engines.engine import CompletionRequest
from longdoc.engines.schema_instance import smallest_instance

_WORDS_ASKED = re.compile(r"at most (\d[\d,]*) words")
_FENCED = re.compile(r"<(\w+)>\n(.*?)\n</\1>", re.DOTALL)
_SENTENCE = re.compile(r"[^.!?。！？]*[.!?。！？]+[\"'”’»」)\]]*\s*")
_DEFAULT_WORDS = 100


def extractive_answer(request: CompletionRequest) -> str:
    """Leading sentences of each text in the last message, within the words asked for ("at most 247 words").

    Texts stand between tags on lines of their own; those under the last tag are meant where there are several. The
    answer ends with the end of a sentence and keeps to half of `max_tokens` in words.
    """
    if request.json_schema is not None:
        return json.dumps(smallest_instance(request.json_schema), ensure_ascii=False)
    prompt = request.messages[-1].content
    asked: list[str] = _WORDS_ASKED.findall(_FENCED.sub("", prompt))
    words = int(asked[-1].replace(",", "")) if asked else _DEFAULT_WORDS
    words = max(1, min(words, request.max_tokens // 2))
    texts = _quoted_texts(prompt)
    return " ".join(_lead(text, max(1, words // len(texts))) for text in texts)


def _quoted_texts(prompt: str) -> list[str]:
    fenced = [(match[1], match[2]) for match in _FENCED.finditer(prompt)]
    return [text for tag, text in fenced if tag == fenced[-1][0]] or [prompt]


def _lead(text: str, words: int) -> str:
    kept: list[str] = []
    left = words
    for match in _SENTENCE.finditer(text):
        sentence = match[0].split()
        if len(sentence) > left:
            break
        kept += sentence
        left -= len(sentence)
    return " ".join(kept) or f"{' '.join(text.split()[:words]).rstrip('.,;:!?')}."
