"""A book with a fact in it, and a reader that finds it, for tests of answers over HTTP."""

import json
import re
from functools import cache

from longdoc.engines.engine import CompletionRequest
from longdoc.engines.extractive import extractive_answer

MODEL = "longdoc/scripted"
FACT = "The lighthouse keeper was called Xenia Quillfeather."
QUOTE = FACT.removesuffix(".")
QUESTION = "Who was the lighthouse keeper?"
_EXCERPT = re.compile(r"<excerpt[^>]*>\n(.*?)\n</excerpt", re.DOTALL)


@cache
def book(sentences: int = 900) -> bytes:
    """A book of chapters in Markdown, of some ten thousand words, with the fact in the middle."""
    lines: list[str] = []
    for number in range(sentences):
        if number % 60 == 0:
            lines.append(f"\n## Chapter {number // 60 + 1}\n")
        ship, rock = number * 7919 % 613, number * 104729 % 997
        lines.append(f"On day {number} the ship {ship} sailed past rock {rock} in calm weather.")
        if number == sentences // 2:
            lines.append(FACT)
    return "# The Sea\n\n{}\n".format("\n".join(lines)).encode()


def careful_reader(request: CompletionRequest) -> str:
    """Quotes the fact where it is shown, says that it is not there where it is not, and says three words."""
    prompt = request.messages[-1].content
    if request.json_schema is not None and "claims" in json.dumps(request.json_schema):
        return json.dumps(_answer(prompt))
    if "three words" in prompt and len(prompt) < 3_000:
        return "Three words indeed."
    return extractive_answer(request)


def _answer(prompt: str) -> dict[str, object]:
    if FACT not in prompt:
        return {"found": False, "claims": []}
    number = next((n for n, text in enumerate(_EXCERPT.findall(prompt), 1) if FACT in text), 1)
    claim = {"text": "The keeper was Xenia Quillfeather.", "quotes": [{"excerpt": number, "words": FACT}]}
    return {"found": True, "claims": [claim]}
