"""Texts and questions as terms of an index: stems of words, numbers and references, and pairs of characters.

Owns what counts as the same term, in any script; where terms are found is `lexical_index.py`.
"""

from __future__ import annotations

import re
import unicodedata
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import import_module
from importlib.metadata import version
from threading import Lock
from typing import TYPE_CHECKING

from longdoc.retrieval.common_words import COMMON_WORDS
from longdoc.retrieval.scripts import ACCENTS, MARKS, POINTS, SPACELESS

if TYPE_CHECKING:
    from snowballstemmer.basestemmer import BaseStemmer

_TERMS_VERSION = 2
"""Raised when the same text would get other terms, so that an index made before is not used."""

_PAIRED = f"{SPACELESS}\uac00-\ud7af"
"""Scripts whose words are told by pairs of characters: Korean too, whose words take on endings with every use."""
_WORD = rf"[^\W_{_PAIRED}]+(?:[{MARKS}]+[^\W_{_PAIRED}]*)*"
_CHUNK = re.compile(rf"[{_PAIRED}]+|{_WORD}(?:[.,:/'’ʼ‐–-]{_WORD})*")
_IS_PAIRED = re.compile(f"[{_PAIRED}]")
_JOINTS = re.compile("[.,:/'’ʼ‐–-]")
_OTHER_JOINTS = re.compile("[‐–'’ʼ]")
_ACCENT = re.compile(f"[{ACCENTS}]")
_POINT = re.compile(f"[{POINTS}]+")
_DIGIT = re.compile(r"\d")
_THOUSANDS = re.compile(r"\d{1,3}(?:,\d{3})+")
_NUMBER = re.compile(r"\d+(?:[.,:/-]\d+)*")
_NAMED_NUMBER = re.compile(rf"(\d?[^\W\d]+)[.-]?({_NUMBER.pattern})")
_RANGE = re.compile("[-/,]")
_RUN = re.compile(r"\d+|[^\W\d]+")
_BETWEEN = re.compile(r"[ .\n]{1,3}")
"""What may stand between a name and its number: "Genesis 1:1", "Fig. 3"."""
_QUOTED = re.compile('["“”„«「『]([^"“”„«»「」『』]+)["“”»」』]')
_FEWEST_WORDS_QUOTED, _MOST_WORDS_QUOTED = 4, 60
_LONGEST_TERM = 64
_MOST_QUESTION_TERMS = 200
_MOST_NAME_WORDS = 3
_SHORTEST_ABBREVIATION = 2
_LAST_LATIN = "ɏ"
_STEMMED = (  # first letter, last letter, language of the stemmer
    ("a", _LAST_LATIN, "english"),
    ("ͱ", "ϡ", "greek"),
    ("а", "ԯ", "russian"),
    ("ա", "և", "armenian"),
    ("ؠ", "ۓ", "arabic"),
    ("ऄ", "ॿ", "hindi"),
    ("அ", "௯", "tamil"),
)
_stemming = Lock()  # a stemmer holds the word it works on


@dataclass(frozen=True, slots=True)
class Reference:
    """A number with the name before it, as in "1 Samuel 3:4"; `names` are the forms it may have, as in "1samuel"."""

    number: str
    names: tuple[str, ...]

    def spellings(self, known: Iterable[str]) -> list[str]:
        """Those of the names that a text has before this number which mean this one: the same, else the nearest.

        Names agree where one is an abbreviation of the other: it begins alike and has letters of it in their order.
        """
        there = set(known)
        same = [name for name in self.names if name in there]
        if same:
            return same
        distances = {name: min(self._distances(name), default=None) for name in sorted(there)}
        agreeing = {name: distance for name, distance in distances.items() if distance is not None}
        return [name for name, distance in agreeing.items() if distance == min(agreeing.values())]

    def _distances(self, name: str) -> Iterator[int]:
        for own in self.names:
            if _abbreviates(name, own) or _abbreviates(own, name):
                yield abs(len(own) - len(name))


@dataclass(frozen=True, slots=True)
class QuestionTerms:
    """What a question looks for: terms, each once; references among them; and what it may quote, word for word.

    `quotes` are what stands in quotation marks, else the whole question: their terms in order, common ones too. Where
    they are neither most of the question nor all that is telling in it, as a title in 'Who drowns in "The Open Boat"?',
    it asks for something else.
    """

    terms: tuple[str, ...]
    references: tuple[Reference, ...]
    quotes: tuple[tuple[str, ...], ...] = ()


def terms_identity() -> str:
    """What the terms of a text depend on: equal identities, equal terms."""
    return f"terms:{_TERMS_VERSION}:snowball-{version('snowballstemmer')}:unicode-{unicodedata.unidata_version}"


def reference_term(number: str, name: str = "") -> str:
    """The term of a reference; all names of a number share its beginning, which is that of no name."""
    return f"{number}|{name}"


def is_beginning(term: str) -> bool:
    """Whether terms that begin with this one of a question are meant: a single character of those taken in pairs."""
    return len(term) == 1 and _IS_PAIRED.match(term) is not None


def index_terms(text: str) -> list[str]:
    """The terms of a text, in order, each as often as it occurs.

    A number with a name before it is also a term by itself, with the name in front or glued to it.
    """
    folded = _folded(text)
    terms: list[str] = []
    before: tuple[str, int] = ("", 0)  # the name that a number may follow, and its end
    digit: tuple[str, int] = ("", 0)  # a single digit, which may be the beginning of a name
    for match in _CHUNK.finditer(folded):
        chunk = _chunk(match[0])
        terms.extend(chunk.terms)
        if chunk.number:
            follows = not chunk.name and before[0] and _BETWEEN.fullmatch(folded, before[1], match.start())
            if follows:
                terms.append(reference_term(chunk.number, before[0]))
            before, digit = ("", 0), (match[0] if len(match[0]) == 1 else "", match.end())
        else:
            name = chunk.name if _may_name(chunk.name) else ""
            numbered = name and digit[0] and _BETWEEN.fullmatch(folded, digit[1], match.start())
            before, digit = (f"{digit[0]}{name}" if numbered else name, match.end()), ("", 0)
    return terms


def question_terms(text: str) -> QuestionTerms:
    """The terms of a question, without common words unless there is nothing else."""
    folded = _folded(text)
    terms: dict[str, None] = {}
    common: dict[str, None] = {}
    references: list[Reference] = []
    before: deque[str] = deque(maxlen=_MOST_NAME_WORDS + 1)
    end = words = 0
    for match in _CHUNK.finditer(folded):
        chunk = _chunk(match[0])
        if not _BETWEEN.fullmatch(folded, end, match.start()):
            before.clear()
        if chunk.number:
            names = [chunk.name] if chunk.name else _names(before)
            references.extend([Reference(chunk.number, tuple(names))] if names else [])
        before.append(match[0] if chunk.number else chunk.name)
        end = match.end()
        words += 1 if chunk.number else len(chunk.asked)
        (common if match[0] in COMMON_WORDS else terms).update(dict.fromkeys(chunk.asked))
    asked, quotes = terms or common, tuple(_quotes(folded))
    quoted = [term for quote in quotes for term in quote]
    if 2 * len(quoted) <= words and not asked.keys() <= set(quoted):
        quotes = ()
    return QuestionTerms(tuple(asked)[:_MOST_QUESTION_TERMS], tuple(references), quotes)


@dataclass(frozen=True, slots=True)
class _Chunk:
    """What stands between spaces: the terms of it in a text and in a question; the number that it is or ends with;
    and the name before that, or the name it may be of a number to come."""

    terms: tuple[str, ...]
    asked: tuple[str, ...]
    name: str = ""
    number: str = ""


@lru_cache(maxsize=1 << 18)
def _chunk(chunk: str) -> _Chunk:
    if _IS_PAIRED.match(chunk):
        return _paired(chunk)
    if _DIGIT.search(chunk):
        return _numeric(_OTHER_JOINTS.sub("-", chunk))
    words = [word for word in _JOINTS.split(chunk) if len(word) > 1] or [chunk]  # not the "s" of "Hester's"
    stems = tuple(map(_stem, words))
    return _Chunk(stems, stems, name=_without_accents(words[-1])[:_LONGEST_TERM])


def _paired(run: str) -> _Chunk:
    """Pairs of characters, and the last one alone, so that every character begins a term."""
    pairs = tuple(run[start : start + 2] for start in range(len(run) - 1))
    return _Chunk((*pairs, run[-1]), pairs or (run,))


def _numeric(chunk: str) -> _Chunk:
    if _THOUSANDS.fullmatch(chunk):
        number = chunk.replace(",", "")
        return _Chunk((number,), (number,), number=number)
    if _NUMBER.fullmatch(chunk):
        terms = _unique(chunk, *_RANGE.split(chunk), *_RUN.findall(chunk))
        return _Chunk(terms, terms, number=_RANGE.split(chunk)[0])
    parts = [run if run[0].isdigit() else _stem(run) for run in _RUN.findall(chunk)]
    named = _NAMED_NUMBER.fullmatch(chunk)
    if named is None:
        terms = _unique(chunk, *parts)
        return _Chunk(terms, terms)
    name, number = _without_accents(named[1]), _RANGE.split(named[2])[0]
    terms = _unique(chunk, number, *parts)
    return _Chunk((*terms, reference_term(number, name)), terms, name=name, number=number)


def _unique(*terms: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(term[:_LONGEST_TERM] for term in terms))


def _quotes(folded: str) -> Iterator[tuple[str, ...]]:
    """Texts of one word tell nothing, and neither do questions of a few words; nobody quotes what is very long."""
    quoted: list[str] = _QUOTED.findall(folded)
    for text in quoted or [folded]:
        chunks = [_chunk(match[0]) for match in _CHUNK.finditer(text)]
        said = tuple(term for chunk in chunks for term in (chunk.asked[:1] if chunk.number else chunk.asked))
        if (2 if quoted else _FEWEST_WORDS_QUOTED) <= len(said) <= _MOST_WORDS_QUOTED:
            yield said


def _may_name(word: str) -> bool:
    return word != "" and word not in COMMON_WORDS


def _names(before: Sequence[str]) -> list[str]:
    """The names that the words before a number may make, from the last one back; a digit is part of a name."""
    names: list[str] = []
    name = ""
    for word in reversed(before):
        if len(word) == 1 and word.isdigit() and name:
            return [f"{word}{name}"]
        if not word or _DIGIT.search(word) or len(names) == _MOST_NAME_WORDS or not (name or _may_name(word)):
            break
        name = f"{word}{name}"
        names.append(name)
    return names


def _abbreviates(short: str, long: str) -> bool:
    letters = iter(long)
    return len(short) >= _SHORTEST_ABBREVIATION and short[0] == long[:1] and all(letter in letters for letter in short)


def _folded(text: str) -> str:
    """In one case and form, without points: with and without them it is the same word."""
    return _POINT.sub("", unicodedata.normalize("NFKC", text)).casefold()


def _without_accents(word: str) -> str:
    if word.isascii():
        return word
    return unicodedata.normalize("NFC", _ACCENT.sub("", unicodedata.normalize("NFD", word))) or word


def _stem(word: str) -> str:
    word = _without_accents(word) if word[0] <= _LAST_LATIN else word  # other stemmers know their accents
    language = next((name for first, last, name in _STEMMED if first <= word[0] <= last), None)
    if language is not None and len(word) <= _LONGEST_TERM:
        with _stemming:
            word = _stemmer(language).stemWord(word) or word
    return _without_accents(word)[:_LONGEST_TERM]


@cache
def _stemmer(language: str) -> BaseStemmer:
    """In plain Python always: the fast one in C, where it is installed, may be of another version."""
    module = import_module(f"snowballstemmer.{language}_stemmer")
    return getattr(module, f"{language.capitalize()}Stemmer")()
