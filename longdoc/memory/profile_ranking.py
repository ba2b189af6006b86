"""Which items of a user serve a request: by words (BM25), by meaning, the newest, at random, or the first two fused.

Source: LaMP (Salemi and others, 2023, arXiv 2304.11406). A user has some dozens of items, so nothing is indexed: all of
them are read and scored. The published BM25 splits at whitespace and keeps case; here words are Unicode's, in lower
case, and signs of scripts without spaces are words. Time is linear in the length of the items.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from enum import StrEnum
from itertools import chain
from random import Random
from typing import Final

from longdoc.storage.profile_types import Item

_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|[^\W\u3040-\u30ff\u3400-\u9fff]+")
_ASCII_WORD = re.compile(r"\w+", re.ASCII)
"""The same where a text has no other signs, in half the time."""
_K1, _B = 1.5, 0.75
"""Of BM25 as `rank_bm25` has it, which LaMP uses."""
_MOST_WORDS: Final = 2_000
"""Of a request that are looked for."""


class Ranked(StrEnum):
    """How items are chosen."""

    WORDS = "bm25"
    MEANING = "dense"
    FUSED = "fused"
    NEWEST = "newest"
    RANDOM = "random"


def words_of(text: str, *, whitespace: bool = False) -> list[str]:
    """The words that items are found by; with `whitespace` what stands between spaces, in the case it has."""
    if whitespace:
        return text.split()
    return (_ASCII_WORD if text.isascii() else _WORD).findall(text.lower())


def searched_text(item: Item, *, with_output: bool) -> str:
    """What of an item is searched."""
    return f"{item.output}\n{item.text}" if with_output and item.output else item.text


def newest(items: Sequence[Item]) -> list[Item]:
    """The newest first."""
    return sorted(items, key=lambda one: (one.moment, one.number), reverse=True)


def by_words(request: str, items: Sequence[Item], *, with_output: bool, whitespace: bool = False) -> list[Item]:
    """The items with the most of the request's words first; of equal ones the newest."""
    scores = bm25(
        words_of(request, whitespace=whitespace),
        [words_of(searched_text(item, with_output=with_output), whitespace=whitespace) for item in items],
    )
    return _best_first(items, scores)


def by_meaning(request: Sequence[float], items: Sequence[Item], vectors: Mapping[int, Sequence[float]]) -> list[Item]:
    """The items whose vectors (by number, of length 1, as that of the request) lie nearest first; others come last."""
    return _best_first(items, cosines(request, items, vectors))


def fused(
    request: str,
    vector: Sequence[float],
    items: Sequence[Item],
    vectors: Mapping[int, Sequence[float]],
    *,
    with_output: bool,
) -> list[Item]:
    """By the mean of two scores of a fixed scale: the cosine, and BM25 as a share of the most that it could give."""
    words = words_of(request)
    texts = [words_of(searched_text(item, with_output=with_output)) for item in items]
    said = bm25(words, texts)
    most = _most(words, texts)
    near = cosines(vector, items, vectors)
    return _best_first(items, [one / most + other for one, other in zip(said, near, strict=True)])


def at_random(items: Sequence[Item], *, seed: str) -> list[Item]:
    """In an order that the seed tells; none comes twice."""
    mixed = sorted(items, key=lambda one: one.number)
    Random(seed).shuffle(mixed)  # noqa: S311 - nothing is secret, and all of it must come out again
    return mixed


def bm25(request: Sequence[str], texts: Sequence[Sequence[str]]) -> list[float]:
    """The score of each text; 0 for all where there are no words."""
    wanted = list(dict.fromkeys(request[:_MOST_WORDS]))
    counts = [Counter(words) for words in texts]
    mean = sum(map(len, texts)) / len(texts) if texts else 0.0
    if not mean:
        return [0.0] * len(texts)
    shared = _shared(wanted, counts)
    weights = _weights(wanted, shared)
    scores: list[float] = []
    for words, count, there in zip(texts, counts, shared, strict=True):
        norm = _K1 * (1 - _B + _B * len(words) / mean)
        found = [one for one in wanted if one in there] if there else []
        scores.append(sum(weights[one] * count[one] * (_K1 + 1) / (count[one] + norm) for one in found))
    return scores


def cosines(request: Sequence[float], items: Sequence[Item], vectors: Mapping[int, Sequence[float]]) -> list[float]:
    """How near each item lies; 0 for those without a vector."""
    return [
        sum(map(float.__mul__, map(float, request), map(float, vectors[item.number])))
        if item.number in vectors
        else 0.0
        for item in items
    ]


def _shared(wanted: Sequence[str], counts: Sequence[Counter[str]]) -> list[frozenset[str]]:
    """Which of the words that are looked for each text has."""
    words = frozenset(wanted)
    return [words & count.keys() for count in counts]


def _weights(wanted: Sequence[str], shared: Sequence[frozenset[str]]) -> dict[str, float]:
    """How telling each word is, always above 0."""
    number = len(shared)
    found = Counter(chain.from_iterable(shared))
    return {one: math.log(1 + (number - found[one] + 0.5) / (found[one] + 0.5)) for one in wanted}


def _most(request: Sequence[str], texts: Sequence[Sequence[str]]) -> float:
    wanted = list(dict.fromkeys(request[:_MOST_WORDS]))
    return sum(_weights(wanted, _shared(wanted, [Counter(words) for words in texts])).values()) * (_K1 + 1) or 1.0


def _best_first(items: Sequence[Item], scores: Sequence[float]) -> list[Item]:
    ranked = sorted(
        zip(scores, items, strict=True), key=lambda one: (-one[0], -one[1].moment.timestamp(), one[1].number)
    )
    return [item for _, item in ranked]
