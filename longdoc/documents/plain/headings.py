"""Headings in plain text: what looks like one, and which of these are.

Owns the patterns and the choice between candidates; layout is `plain/layout.py`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import Enum, IntEnum, auto

from longdoc.documents.document import SectionRole
from longdoc.documents.plain.layout import Paragraphs
from longdoc.documents.roles import role_of_title

_LONGEST = 200
_MOST_LINES = 4
_CLOSE = 240
"""Headings nearer to each other than this have no text of their own between them."""
_FEWEST_IN_LIST = 4
_FEWEST_UNDERLINED = 3
_FEWEST_NUMBERED = 3
_REPEATED_SHARE = 0.5
_UNDERLINED_SHARE = 0.7
_UPPER_SHARE = 0.8
_ENDED_SHARE = 0.9
_LONGEST_ALONE = 60
_LONGEST_DOTTED = 100

_CARDINALS = """
    one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen
    eighteen nineteen twenty
"""
_ORDINALS = """
    first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth
    fifteenth sixteenth seventeenth eighteenth nineteenth twentieth
"""
_NUMBER_WORDS = {w: n for words in (_CARDINALS, _ORDINALS) for n, w in enumerate(words.split(), 1)} | {
    "last": 0,
    "final": 0,
}
_HAN_DIGITS = {digit: value for value, digit in enumerate("一二三四五六七八九十", 1)}
_ROMAN_DIGITS = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100, "D": 500, "M": 1000}
_ROMAN = r"(?=[MDCLXVI])M{0,3}(?:CM|CD|D?C{0,4})(?:XC|XL|L?X{0,4})(?:IX|IV|V?I{0,4})"
_NUMBER = rf"(?:the\s+)?(?:\d{{1,4}}|{_ROMAN}|{'|'.join(sorted(_NUMBER_WORDS, key=len, reverse=True))})"


class Rank(IntEnum):
    """How far out in the outline a kind of heading stands; lower is outer."""

    ALONE = -1
    VOLUME = 1
    BOOK = 2
    CHAPTER = 4
    SECTION = 5
    NUMERAL = 6


_KEYWORDS = {
    "volume|vol|tome|tomo|band|том": Rank.VOLUME,
    "book|part|act|teil|buch|livre|partie|acte|libro|parte|часть|книга|epilogue|division": Rank.BOOK,
    "chapter|chap|letter|stave|canto|scene|lecture|sermon|lesson|fable|tale|story|adventure"
    "|chapitre|kapitel|cap[ií]tulo|capitolo|глава|hoofdstuk|kapittel|rozdzia[łl]|fejezet": Rank.CHAPTER,
    "section|abschnitt|§": Rank.SECTION,
}
_KEYWORD = "|".join(_KEYWORDS)
_AFTER = r"(?:\s*[.:;)\]—–-]+\s*(?P<title>.*)|\s+(?P<bare>[^a-zà-ÿ\s].*))?"
_KEYED = re.compile(rf"(?i:(?P<word>{_KEYWORD})\.?\s+(?P<number>{_NUMBER}))\b{_AFTER}", re.DOTALL)
_ORDINAL_FIRST = re.compile(
    rf"(?i:(?:the\s+)?(?P<number>{'|'.join(_ORDINALS.split())})\s+(?P<word>{_KEYWORD}))\b(?:\s*[.:—–-]\s*(?P<title>.*))?",
    re.DOTALL,
)
_NUMERAL = re.compile(
    rf"(?P<number>{_ROMAN}|\d{{1,3}}|[一二三四五六七八九十]{{1,3}})(?:[.)]?|[.:]\s+(?P<title>\S.*))",
    re.DOTALL,
)
_DOTTED = re.compile(r"(?P<number>\d{1,3}(?:\.\d{1,3}){0,5})\.?\s+(?P<title>[^\W\d_][^\n]*)")
_HAN = re.compile(
    r"第\s*[0-9０-９〇零一二三四五六七八九十百千两兩]{1,7}\s*(?P<unit>[章回节節卷部篇幕話话編编集])"
    r"(?:[\s　:：、.].{0,60})?"
)
_HAN_RANKS = {
    "卷": Rank.BOOK,
    "部": Rank.BOOK,
    "編": Rank.BOOK,
    "编": Rank.BOOK,
    "篇": Rank.BOOK,
    "集": Rank.BOOK,
}
_ALONE = re.compile(
    r"prologue|epilogue|preface|foreword|introduction|introductory( note)?|afterword|conclusion|preamble"
    r"|postscript|interlude|appendix( [A-Z0-9]{1,4})?|dramatis person(ae|æ)|etymology|author[’']s note|vorwort"
    r"|einleitung|nachwort|epilog|prolog|pr[ée]face|avant-propos|[ée]pilogue|pr[óo]logo|ep[íi]logo"
    r"|предисловие|послесловие|пролог|эпилог|введение|заключение|序章?|序言|前言|后记|後記|尾声|楔子|引子|終章|终章"
    r"|あとがき|まえがき|はじめに|おわりに",
    re.IGNORECASE,
)
_UNDERLINE = re.compile(r"([=\-~*^#\"'+_.:])\1{2,}")
_LEADER = re.compile(r"(\s*\.){4,}\s*\d*$|\s{3,}\d+$")
_SENTENCE_END = tuple(".!?…:;\"'”’)]»。！？」』*_—-")


class Family(Enum):
    """What makes a candidate look like a heading, and hence what must confirm it."""

    KEYED = auto()
    UNDERLINED = auto()
    NUMERAL = auto()
    DOTTED = auto()


@dataclass(frozen=True, slots=True)
class HeadingLine:
    """A heading: the first `lines` lines of run `paragraph` of the text; `rank` orders depths, outer first.

    `word` is what it is called ("chapter"), `number` which one it is; `ended` that the text before it ended.
    """

    title: str
    word: str
    family: Family
    rank: int
    number: int | None = None
    role: SectionRole = SectionRole.BODY
    ended: bool = True
    paragraph: int = 0
    lines: int = 1

    @property
    def key(self) -> str:
        """Equal for a heading and its line in a contents list."""
        return self.word if self.number is None else f"{self.word} {self.number}"


def find_headings(paragraphs: Paragraphs, first: int, last: int) -> list[HeadingLine]:
    """The headings among runs `first` to `last`-1, in order, contents lists left out."""
    candidates = [c for index in range(first, last) if (c := _candidate(paragraphs, index)) is not None]
    underlined = [candidate for candidate in candidates if candidate.family is Family.UNDERLINED]
    if len(underlined) >= _FEWEST_UNDERLINED:
        return _ranked_by_style(underlined)
    outside = _outside_contents(candidates, paragraphs)
    sure = [c for c in outside if c.family in {Family.KEYED, Family.UNDERLINED}]
    dotted = _true_dotted([c for c in outside if c.family is Family.DOTTED])
    numerals = _true_numerals([c for c in outside if c.family is Family.NUMERAL])
    return _nested_containers(sorted((*sure, *dotted, *numerals), key=lambda c: c.paragraph))


def _candidate(paragraphs: Paragraphs, index: int) -> HeadingLine | None:
    """What a run would be if it were a heading, None where it cannot be one."""
    start, end = paragraphs.starts[index], paragraphs.ends[index]
    lines = [line.strip() for line in paragraphs.text[start : min(end, start + 2 * _LONGEST)].split("\n")]
    underlined = _underlined(lines, index)
    if underlined is not None or end - start > _LONGEST or len(lines) > _MOST_LINES:
        return underlined
    title = " ".join(" ".join(lines).split())
    if _LEADER.search(title) or (len(lines) > 1 and _KEYED.fullmatch(lines[0]) and _KEYED.fullmatch(lines[1])):
        return None
    found = _keyed(title) or _han(title)
    if found is None and len(lines) == 1:
        found = _alone(title) or _numeral(title, paragraphs, index) or _dotted(title)
    return None if found is None else replace(found, paragraph=index, lines=len(lines))


def _underlined(lines: Sequence[str], index: int) -> HeadingLine | None:
    """A line with a line of "====" under it, or between two such lines."""
    over = len(lines) > 2 and _UNDERLINE.fullmatch(lines[0]) is not None
    at = 1 if over else 0
    if len(lines) < at + 2 or not lines[at] or _UNDERLINE.fullmatch(lines[at]):
        return None
    title, line = lines[at], lines[at + 1]
    if not _UNDERLINE.fullmatch(line) or len(line) < len(title) * _UNDERLINED_SHARE:
        return None
    style = line[0] * (at + 1)
    role = role_of_title(title) or SectionRole.BODY
    return HeadingLine(title, style, Family.UNDERLINED, Rank.CHAPTER, role=role, paragraph=index, lines=at + 2)


def _keyed(title: str) -> HeadingLine | None:
    match = _KEYED.fullmatch(title) or _ORDINAL_FIRST.fullmatch(title)
    if match is None or not title[0].isupper():
        return None
    word = match["word"].lower()
    rank = next(rank for words, rank in _KEYWORDS.items() if re.fullmatch(words, word))
    return HeadingLine(title, word, Family.KEYED, rank, _number(match["number"]))


def _han(title: str) -> HeadingLine | None:
    match = _HAN.fullmatch(title)
    if match is None or title.endswith(("。", "！", "？")):
        return None
    unit = match["unit"]
    number = title[: title.index(unit)]
    return HeadingLine(title, f"{number}{unit}", Family.KEYED, _HAN_RANKS.get(unit, Rank.CHAPTER))


def _alone(title: str) -> HeadingLine | None:
    if len(title) > _LONGEST_ALONE:
        return None
    role = role_of_title(title)
    if role is None and not _ALONE.fullmatch(title.rstrip(".: ")):
        return None
    return HeadingLine(title, title.lower(), Family.KEYED, Rank.ALONE, role=role or SectionRole.BODY)


def _numeral(title: str, paragraphs: Paragraphs, index: int) -> HeadingLine | None:
    match = _NUMERAL.fullmatch(title)
    if match is None or (match["title"] and not is_upper(match["title"])):
        return None
    before = paragraphs.text[max(0, paragraphs.ends[index - 1] - 8) : paragraphs.ends[index - 1]] if index else ""
    ended = not before or before.rstrip().endswith(_SENTENCE_END) or is_upper(before)
    return HeadingLine(title, "numeral", Family.NUMERAL, Rank.NUMERAL, _number(match["number"]), ended=ended)


def _dotted(title: str) -> HeadingLine | None:
    match = _DOTTED.fullmatch(title)
    if match is None or title.endswith((".", ",", ";")) or len(title) > _LONGEST_DOTTED:
        return None
    depth = match["number"].count(".")
    return HeadingLine(title, match["number"], Family.DOTTED, Rank.CHAPTER + depth)


def _number(text: str) -> int:
    """The value of a number in figures, Roman or Chinese figures, or words; 0 for "last"."""
    bare = text.lower().removeprefix("the").strip()
    if bare.isdecimal():
        return int(bare)
    if bare in _NUMBER_WORDS:
        return _NUMBER_WORDS[bare]
    if bare[0] in _HAN_DIGITS:
        return _han_number(bare)
    digits = [_ROMAN_DIGITS[digit] for digit in bare.upper()]
    return sum(-d if d < following else d for d, following in zip(digits, [*digits[1:], 0], strict=True))


def _han_number(text: str) -> int:
    tens, ten, units = text.rpartition("十")
    value = _HAN_DIGITS.get(units, 0) if units else 0
    return value + (10 * _HAN_DIGITS.get(tens, 1) if ten else 0)


def is_upper(text: str) -> bool:
    """Whether a text is set in capitals, bar a few letters."""
    letters = [character for character in text if character.isalpha()]
    return bool(letters) and sum(c.isupper() for c in letters) >= len(letters) * _UPPER_SHARE


def _ranked_by_style(headings: Sequence[HeadingLine]) -> list[HeadingLine]:
    """Styles of underlining nest in the order in which they first appear."""
    styles = list(dict.fromkeys(heading.word for heading in headings))
    return [replace(heading, rank=styles.index(heading.word)) for heading in headings]


def _outside_contents(candidates: Sequence[HeadingLine], paragraphs: Paragraphs) -> list[HeadingLine]:
    """The candidates without those that only list headings that stand elsewhere."""
    times = Counter(c.key for c in candidates)
    kept: list[HeadingLine] = []
    for run in _close_runs(candidates, paragraphs):
        listed = _listed(run, times)
        kept += [c for c in run[:listed] if c.role is SectionRole.CONTENTS] + run[listed:]
    return kept


def _close_runs(candidates: Sequence[HeadingLine], paragraphs: Paragraphs) -> Iterator[list[HeadingLine]]:
    """Candidates with next to no text between them, together."""
    run: list[HeadingLine] = []
    for candidate in candidates:
        if run and paragraphs.starts[candidate.paragraph] - paragraphs.ends[run[-1].paragraph] > _CLOSE:
            yield run
            run = []
        run.append(candidate)
    if run:
        yield run


def _listed(run: Sequence[HeadingLine], times: Counter[str]) -> int:
    """How many headings at the start of a run are a contents list."""
    alike = Counter(candidate.word for candidate in run).most_common(1)[0][1]
    if len(run) < _FEWEST_IN_LIST or alike < _FEWEST_IN_LIST - 1:
        return 0
    seen: set[str] = set()
    for number, candidate in enumerate(run):
        if candidate.key in seen:
            return number
        seen.add(candidate.key)
    elsewhere = sum(times[candidate.key] > 1 for candidate in run)
    if elsewhere < len(run) * _REPEATED_SHARE:
        return 0
    return len(run) if times[run[-1].key] > 1 else len(run) - 1


def _true_dotted(candidates: Sequence[HeadingLine]) -> list[HeadingLine]:
    """Those like "2.1 Title" that begin or go on a count; counts without a second level are mere lists."""
    accepted: dict[tuple[int, ...], HeadingLine] = {}
    for candidate in candidates:
        place = tuple(map(int, candidate.word.split(".")))
        before = (*place[:-1], place[-1] - 1)
        begins = place[-1] <= 1 and (len(place) <= 2 or place[:-1] in accepted)
        if place not in accepted and (begins or before in accepted):
            accepted[place] = candidate
    deeper = {place[:1] for place in accepted if len(place) > 1}
    true = [c for place, c in accepted.items() if len(place) > 1 or place in deeper]
    return true if len(true) >= _FEWEST_NUMBERED else []


def _true_numerals(candidates: Sequence[HeadingLine]) -> list[HeadingLine]:
    """Those that count up from one; numbers in the midst of sentences are of pages."""
    chains: list[list[HeadingLine]] = []
    for candidate in candidates:
        if chains and candidate.number == (chains[-1][-1].number or 0) + 1:
            chains[-1].append(candidate)
        elif candidate.number == 1:
            chains.append([candidate])
    true = [candidate for chain in chains if len(chain) > 1 for candidate in chain]
    ended = sum(candidate.ended for candidate in true)
    return true if len(true) >= _FEWEST_NUMBERED and ended >= len(true) * _ENDED_SHARE else []


def _nested_containers(headings: Sequence[HeadingLine]) -> list[HeadingLine]:
    """Of books and parts, those named first hold the others."""
    words = list(dict.fromkeys(h.word for h in headings if h.rank == Rank.BOOK))
    inner = set(words[1:])
    return [replace(h, rank=h.rank + 1) if h.rank == Rank.BOOK and h.word in inner else h for h in headings]
