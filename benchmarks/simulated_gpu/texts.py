"""Tokens and answers of the simulated model: four characters are a token, and answers follow from the request."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.simulated_gpu.settings import BLOCK_TOKENS

_TOKEN_CHARACTERS = 4
_BLOCK_CHARACTERS = BLOCK_TOKENS * _TOKEN_CHARACTERS
_SENTENCE_WORDS = (6, 16)
_VOCABULARY = (
    "the a her his their that one old young first last long house town road river letter answer question friend "
    "mother father brother captain stranger morning evening winter and but while before after because with without "
    "about against under over through went came stood spoke asked told found lost kept gave took saw heard knew "
    "thought wanted feared hoped left stayed returned remembered promised quietly slowly again never always soon"
)
_WORDS = _VOCABULARY.split()


@dataclass(frozen=True, slots=True)
class AnswerRule:
    """How long answers are: a share of the limit drawn between two bounds; above 1 the limit cuts them off."""

    shortest: float = 0.6
    longest: float = 1.0
    seed: int = 1


@dataclass(frozen=True, slots=True)
class Answer:
    """A text, its tokens, and whether the limit cut it off."""

    text: str
    tokens: int
    cut: bool


def count_tokens(text: str) -> int:
    """Tokens of a text."""
    return -(-len(text) // _TOKEN_CHARACTERS)


def block_hashes(text: str) -> tuple[int, ...]:
    """A hash for each full block of a prompt, which covers all that stands before it as well."""
    digest = hashlib.blake2b(digest_size=8)
    hashes: list[int] = []
    for start in range(0, len(text) - _BLOCK_CHARACTERS + 1, _BLOCK_CHARACTERS):
        digest.update(text[start : start + _BLOCK_CHARACTERS].encode("utf-8", "surrogatepass"))
        hashes.append(int.from_bytes(digest.digest(), "big"))
    return tuple(hashes)


def draw_answer(prompt: str, *, limit: int, rule: AnswerRule) -> Answer:
    """The answer to a prompt, the same whenever it is asked: sentences, the last one ended unless it is cut off."""
    seed = hashlib.blake2b(prompt.encode("utf-8", "surrogatepass"), key=b"%d" % rule.seed, digest_size=16)
    chance = random.Random(seed.digest())
    wished = round(limit * chance.uniform(rule.shortest, rule.longest))
    tokens = max(1, min(limit, wished))
    return Answer(_sentences(chance, tokens, ended=wished <= limit), tokens, cut=wished > limit)


def draw_share(prompt: str) -> float:
    """A number between 0 and 1, neither of them, the same for the same prompt."""
    digest = hashlib.blake2b(prompt.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return (int.from_bytes(digest, "big") + 1) / (2**64 + 2)


def first_tokens(text: str, tokens: int) -> str:
    """What stands in the first so many tokens."""
    return text[: tokens * _TOKEN_CHARACTERS]


def _sentences(chance: random.Random, tokens: int, *, ended: bool) -> str:
    """A text of exactly so many tokens."""
    characters = tokens * _TOKEN_CHARACTERS
    sentences: list[str] = []
    length = 0
    while length < characters:
        sentences.append(_sentence(chance.choices(_WORDS, k=chance.randint(*_SENTENCE_WORDS))))
        length += len(sentences[-1]) + 1
    text = " ".join(sentences)
    return text[: characters - 1].rstrip(" .") + "." if ended else text[:characters]


def _sentence(words: Sequence[str]) -> str:
    return f"{' '.join(words).capitalize()}."
