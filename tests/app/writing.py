"""A scripted writer for tests: plans in the shape that is asked for, and prose of about so many words."""

from __future__ import annotations

import hashlib
import json
import random
import re
from collections.abc import Callable
from dataclasses import dataclass

from longdoc.engines.engine import CompletionRequest

_WORDS = re.compile(r"(?:Write|on from its last sentence with|it again with) about (\d+) words|with about (\d+) words")
_PLAN = re.compile(r"which has (\d+) words|It has (\d+) words")
_COUNT = re.compile(r"Divide it into (\d+) to (\d+)")
_SYLLABLES = [consonant + vowel for consonant in "bdklmnr" for vowel in "aeiou"]


@dataclass
class ScriptedWriter:
    """Answers requests of `lda write`. `length` is how long a section is as a share of what is asked for."""

    length: Callable[[random.Random], float] = lambda chance: chance.uniform(0.8, 1.2)
    repeats: bool = False

    def __call__(self, request: CompletionRequest) -> str:
        name = "" if request.origin is None else request.origin.name
        prompt = request.messages[-1].content
        chance = random.Random(hashlib.sha256(f"{prompt}{request.seed}".encode()).digest())
        if name == "write/plan":
            return self.plan(prompt, chance)
        if name == "write/length":
            return '{"words": 1200}'
        if name == "write/synopsis":
            year = chance.randrange(1810, 1899)
            return f"It tells of {prose(chance, 8)}\nFacts: {word(chance)} is a town; the year is {year}"
        if name == "write/style":
            return "Use short sentences. Address the reader."
        words = [int(one or other) for one, other in _WORDS.findall(prompt)]
        asked = max(1, round(words[-1] * self.length(chance)))
        return prose(random.Random(1) if self.repeats else chance, asked)

    def plan(self, prompt: str, chance: random.Random) -> str:
        words = [int(one or other) for one, other in _PLAN.findall(prompt)][-1]
        fewest, most = next((int(one), int(other)) for one, other in _COUNT.findall(prompt))
        count = chance.randint(fewest, most)
        lines = [
            {"heading": word(chance).title(), "main_point": prose(chance, 9), "words": words // count}
            for _ in range(count)
        ]
        return json.dumps({"title": word(chance).title(), "sections": lines})


def word(chance: random.Random) -> str:
    return "".join(chance.choices(_SYLLABLES, k=4))


def prose(chance: random.Random, words: int) -> str:
    """Sentences of made-up words, so many words in all."""
    sentences: list[str] = []
    while words > 0:
        count = min(words, chance.randint(6, 14))
        sentences.append(" ".join(word(chance) for _ in range(count)).capitalize() + ".")
        words -= count
    paragraphs = [" ".join(sentences[at : at + 6]) for at in range(0, len(sentences), 6)]
    return "\n\n".join(paragraphs)
