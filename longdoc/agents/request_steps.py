"""A request of several steps taken apart by rules: "summarize these three, compare their views, then write …".

Lists, semicolons and words of sequence part steps; so does a comma or an "and" where an order to do something else
follows. Each step is told what it works on: documents of the request, or what earlier steps gave.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum

from longdoc.agents.routing_words import Intent, asks_question, gives_order

_SEQUENCE = (
    r"(?:and |und |et |y |e )?(?:then|after ?wards?|after (?:that|this)|next|finally|lastly|in the end|subsequently"
    r""
    r"|dann|danach|anschlie(?:ß|ss)end|schlie(?:ß|ss)lich|zum schluss|zuletzt|im anschluss|daraufhin"
    r"|puis|ensuite|apr[èe]s (?:cela|[çc]a|quoi)|enfin|pour finir|finalement"
    r"|luego|despu[ée]s|a continuaci[óo]n|por [úu]ltimo|finalmente|al final"
    r"|poi|dopo(?: di che| ci[òo])?|successivamente|infine|alla fine|in seguito"
    r"|depois(?: disso)?|em seguida|por fim|por [úu]ltimo)\b[\s,:]*"
    r"|(?:然后|接着|再(?!次|现|说)|最后|随后|之后|接下来|并且|并)[，,\s]*"
)
_STARTS_SEQUENCE = re.compile(_SEQUENCE, re.IGNORECASE)
_JOINT = re.compile(
    rf"(?P<strong>\s*[;；]\s*|(?:\s*[,，.。:：]\s*|\s+)(?=(?:{_SEQUENCE}))|(?<=[\u3400-\u9fff])(?=(?:然后|接着|再(?!次|现|说)|最后"
    rf"|随后|接下来|并)))"
    r"|(?P<comma>\s*[,，、]\s*(?:(?:and|und|et|y|e|sowie|并|并且)\s+)?)"
    r"|(?P<and>\s+(?:and|und|et|y|e|&|as well as|sowie)\s+)",
    re.IGNORECASE,
)
_ITEM = re.compile(
    r"(?:^|\n)\s*(?:[-*•·]|\(?\d{1,2}[.):、]|(?:step|schritt|[ée]tape|paso|passo)\s+\d{1,2}\s*[:.)–-]"
    r"|第[一二三四五六七八九十\d]+步[，,:：]?)\s*",
    re.IGNORECASE,
)
_INLINE_ITEM = re.compile(r"(?:^|(?<=[\s,;，；。：:]))\(?\d{1,2}[.)、]\s*(?=\S)")
_NOUNS_TOO = re.compile(
    r"^(?:list|name|review|draft|tag|label|format|fix|quote|count|trace|search|show|answer|edit|outline|digest|index"
    r"|polish|correct|pen|find|code|sort|contrast|classify|report|redact|table)s?\b"
    r"(?!\s+(?:it|them|the|a|an|this|these|those|that|all|each|every|any|me|us|their|its|his|her|\d|what|who|how"
    r"|which|whether|why|where|when|out|up)\b)",
    re.IGNORECASE,
)
_OUTPUTS = {
    Intent.SUMMARIZE: (
        r"summar(?:y|ies)|synops[ie]s|zusammenfassung(?:en)?|r[ée]sum[ée]s?|synth[èe]ses?|resumen(?:es)?|resumos?"
        r"|riassunt[oi]|sintesi|总结|摘要|概要|概述"
    ),
    Intent.ANSWER: (
        r"answers?|comparisons?|list|explanations?|findings?|results?|differences|analys[ie]s|antwort(?:en)?"
        r"|vergleichs?|liste|ergebnis(?:se[ns]?)?|r[ée]ponses?|comparaisons?|r[ée]sultats?|liste|respuestas?"
        r"|comparaci[óo]n|resultados?|lista|rispost[ae]|confronto|risultat[oi]|elenco|respostas?|compara[çc][ãa]o"
        r"|答案|结果|比较|对比|列表|清单"
    ),
    Intent.CHECK: r"verdicts?|checks?|pr[üu]fung|verifica\w*|v[ée]rification|结论",
    Intent.WRITE: (
        r"essays?|reports?|articles?|stor(?:y|ies)|texts?|drafts?|letters?|e-?mails?|poems?|speech|review"
        r"|aufsatz(?:es)?|bericht(?:s|es)?|artikel|geschichte|text(?:es)?|brief|rapports?|articles?|histoire|lettre"
        r"|texte|ensayo|informe|art[íi]culo|cuento|carta|texto|saggio|relazione|articolo|racconto|lettera|testo"
        r"|ensaio|relat[óo]rio|artigo|conto|文章|报告|故事|信|诗"
    ),
    Intent.CHANGE: (
        r"translations?|version|rewrite|[üu]bersetzung(?:en)?|fassung|traductions?|traducci[óo]n(?:es)?"
        r"|traduzion[ei]|tradu[çc][ãa]o|译文|翻译|改写"
    ),
    Intent.EXTRACT: r"tables?|lists?|timelines?|extracts?|tabelle|liste|tableau|tabla|tabella|tabela|表格|表|时间线",
}
_RESULT_BEFORE = (
    r"(?:the|this|that|these|those|your|both|all|each|all of the|der|die|das|den|dem|des|diese[rmns]?|deine[rn]?|le"
    r"|la|les|l'|ce|cet|cette|ces|el|los|las|este|esta|estos|il|lo|gli|i|queste?|questi|o|a|os|as|este|esse|essa"
    r"|esses|essas|del|della|dei|delle|degli|dello|du|des|do|da|dos|das|al|alla|ai|alle|aux?|in the|上述|这些?|该|各)"
)
_PRONOUN = re.compile(
    r"\b(?:it|its|them|their|they|this|that|these|those|the (?:result|results|outcome|former|above)|both"
    r"|es|sie|ihre?[nrms]?|ihnen|diese[ns]?|das ergebnis|daraus|davon|dazu|beide[ns]?|leurs?|cela|[çc]a|sus|ello|esto"
    r"|eso|loro|esso|ci[òo]|isso|eles|elas|deles|delas)\b|-(?:le|la|les|lo|los|las|os|as|o|a)\b"
    r"|\b(?:trad|resum|res[úu]m|riassum|escr|scriv|corr[ei]g|corrij|simplif|reform|compar|paragon)"
    r"\w{0,8}(?:lo|la|los|las|li|le)\b|它们?|其|这些?|上述|两者",
    re.IGNORECASE,
)
_ORDINALS = (
    r"first|erste[nrs]?|premi(?:er|[èe]re)|primer[ao]?|prim[ao]|primeir[ao]|第一",
    r"second|zweite[nrs]?|deuxi[èe]me|second[ea]|segund[ao]|second[oa]|第二",
    r"third|dritte[nrs]?|troisi[èe]me|tercer[ao]?|terz[ao]|terceir[ao]|第三",
    r"fourth|vierte[nrs]?|quatri[èe]me|cuart[ao]|quart[ao]|第四",
    r"fifth|f[üu]nfte[nrs]?|cinqui[èe]me|quint[ao]|第五",
)
_DOCUMENT = (
    r"(?:documents?|books?|files?|texts?|reports?|articles?|papers?|novels?|stor(?:y|ies)|letters?|one|pdfs?"
    r"|dokuments?|buch|buches|b[üu]cher|datei|texts?|bericht|artikel|roman|brief|livre|fichier|texte|rapport|roman"
    r"|lettre|libro|documento|archivo|texto|informe|art[íi]culo|novela|carta|file|testo|romanzo|articolo|lettera"
    r"|livro|arquivo|romance|artigo)"
)
_LAST = re.compile(
    rf"\b(?:the last|letzte[nrs]?|la derni[èe]re|le dernier|[úu]ltim[oa])\s+{_DOCUMENT}\b", re.IGNORECASE
)
_OF_DOCUMENTS = re.compile(
    r"\b(?:the|these|those|this|all|both|each|original|die|diese|alle|beide|les|ces|los|estos|i|questi|os"
    r"|estes)\b[^.;]{0,24}\b(?:documents?|books?|files?|originals?|texts|novels?|reports|articles|papers|dokumente?"
    r"|b[üu]cher|texte|romane|livres|textes|romans|libros|textos|novelas|libri|testi|romanzi|livros|romances)\b"
    r"|文档|文件|书|原文|小说",
    re.IGNORECASE,
)

_MOST_PARTED = 6_000
"""Characters of a request that is taken apart: what is longer holds a text to work on."""
_LOOKED_AT = 300
"""Characters beside a joint that tell whether it parts two steps."""

_MOST_NAMED = 50
"""Steps whose inputs are looked for: a request of more is refused."""


class Joint(IntEnum):
    """How clearly one step ends and another begins."""

    AND = 1
    COMMA = 2
    STRONG = 3


@dataclass(frozen=True, slots=True)
class StepWords:
    """A step in words: what it orders (None: it is unclear), the places of the documents that it names (empty: all),
    and the numbers (from 1) of earlier steps whose texts it works on; `documents` tells whether it works on those."""

    text: str
    intent: Intent | None
    places: tuple[int, ...] = ()
    steps: tuple[int, ...] = ()
    documents: bool = True


@dataclass(frozen=True, slots=True)
class Steps:
    """The steps of a request; where one is not `clear`, there are several, but rules do not know which."""

    steps: tuple[StepWords, ...]
    clear: bool = True


def steps_of(request: str, titles: Sequence[str] = ()) -> Steps:
    """The steps that a request names, one if it is a single thing; `titles` are those of its documents."""
    clauses, clear = _clauses(request.strip())
    if len(clauses) < 2:
        return Steps((StepWords(request.strip(), gives_order(request), _places(request, titles)),), clear=clear)
    steps: list[StepWords] = []
    for clause in clauses:
        steps.append(_step(clause, steps, titles) if len(steps) < _MOST_NAMED else StepWords(clause, None))
    return Steps(tuple(steps), clear and all(step.intent is not None for step in steps[:_MOST_NAMED]))


def _clauses(request: str) -> tuple[list[str], bool]:
    if len(request) > _MOST_PARTED:
        return [request], True
    listed = _listed(request)
    if listed:
        return listed, True
    clauses = _parted(request)
    if len(clauses) > 1:
        return clauses, True
    return clauses, not _seems_several(request)


def _listed(request: str) -> list[str]:
    """The items of a list of orders; empty where it is none."""
    for pattern in (_ITEM, _INLINE_ITEM):
        parts = pattern.split(request)
        items = [part.strip(" \n,;，；") for part in parts[1:] if part.strip(" \n,;，；")]
        if len(items) > 1 and all(_orders(item) is not None for item in items):
            return [re.sub(r"\s*(?:,\s*)?(?:and|und|et|y|e)$", "", item) for item in items]
    return []


def _parted(request: str) -> list[str]:
    clauses: list[str] = []
    begin = position = 0
    while match := _JOINT.search(request, position):
        left = request[begin : min(match.start(), begin + _LOOKED_AT)]
        right = request[match.end() : match.end() + _LOOKED_AT]
        joint = Joint.STRONG if match["strong"] is not None else Joint.COMMA if match["comma"] else Joint.AND
        if left.strip() and _parts(left, right, joint):
            clauses.append(_bare(request[begin : match.start()]))
            begin = match.end()
        position = max(match.end(), match.start() + 1)
    return [*clauses, _bare(request[begin:])]


def _parts(left: str, right: str, joint: Joint) -> bool:
    """Whether a joint parts two steps."""
    first, second = _orders(left), _orders(_bare(right))
    if first is None or second is None or _short(left) or not re.search(r"\w", _bare(right)):
        return False
    if joint is Joint.STRONG:
        return True
    if second is Intent.QUESTION or _NOUNS_TOO.match(_bare(right)):
        return False
    answers = {Intent.ANSWER, Intent.QUESTION, Intent.EXTRACT}
    same = first is second and first is not Intent.SUMMARIZE
    told_more = first in {Intent.WRITE, Intent.CHECK} and second in answers
    return not (
        same
        or told_more
        or (first in answers and second in answers)
        or {first, second} == {Intent.CHANGE, Intent.EXTRACT}
    )


def _orders(clause: str) -> Intent | None:
    """What a clause orders or asks."""
    bare = _bare(clause)
    return gives_order(bare) or (Intent.QUESTION if asks_question(_sentence(bare)) else None)


def _sentence(clause: str) -> str:
    """The first sentence of a clause: a question that stands behind another sentence is not what it orders."""
    return re.split(r"(?<=[.!。！])\s", clause, maxsplit=1)[0]


def _bare(clause: str) -> str:
    stripped = clause.strip(" \n,;，；")
    match = _STARTS_SEQUENCE.match(stripped)
    return stripped[match.end() :].strip() if match and match.end() < len(stripped) else stripped


def _short(left: str) -> bool:
    """Whether there is a verb only: "compare and contrast" is one thing."""
    text = left.strip()
    return len(text) < 3 if re.search(r"[\u3400-\u9fff]", text) else len(text.split()) < 2


def _seems_several(request: str) -> bool:
    """Whether words of sequence stand behind an order, though what follows them is not understood."""
    if gives_order(request[:_LOOKED_AT]) is None:
        return False
    for match in _JOINT.finditer(request):
        if match["strong"] is None or not request[: match.start()].strip():
            continue
        sequence = _STARTS_SEQUENCE.match(request, match.end())
        if (
            sequence
            and gives_order(request[: min(match.start(), _LOOKED_AT)]) is not None
            and request[sequence.end() : sequence.end() + _LOOKED_AT].strip(" .?!")
        ):
            return True
    return False


def _step(clause: str, before: Sequence[StepWords], titles: Sequence[str]) -> StepWords:
    intent = _orders(clause)
    places = _places(clause, titles)
    if not before:
        return StepWords(clause, intent, places)
    everything = tuple(range(1, len(before) + 1))
    if named := _named_outputs(clause, before):
        return StepWords(clause, intent, places, named, documents=bool(places) or bool(_OF_DOCUMENTS.search(clause)))
    if intent is Intent.WRITE:
        return StepWords(clause, intent, places, everything)
    if intent in {Intent.CHANGE, Intent.EXTRACT} and not places:
        return StepWords(
            clause,
            intent,
            (),
            everything[-1:],
            documents=not _PRONOUN.search(clause) and bool(_OF_DOCUMENTS.search(clause)),
        )
    made = before[-1].intent in {Intent.WRITE, Intent.CHANGE, Intent.EXTRACT}
    if made and not places and _PRONOUN.search(clause):
        return StepWords(clause, intent, (), everything[-1:], documents=False)
    return StepWords(clause, intent, places)


def _named_outputs(clause: str, before: Sequence[StepWords]) -> tuple[int, ...]:
    """The earlier steps whose results a clause names."""
    found: list[int] = []
    for number, step in enumerate(before, 1):
        kind = Intent.ANSWER if step.intent is Intent.QUESTION else step.intent
        nouns = _OUTPUTS.get(kind) if kind is not None else None
        if nouns and re.search(
            rf"(?:\b{_RESULT_BEFORE}\s*(?:\w+\s+)?(?:{nouns})(?!\w)|(?<=[\u3400-\u9fff])(?:{nouns}))",
            clause,
            re.IGNORECASE,
        ):
            found.append(number)
    return tuple(found)


def _places(clause: str, titles: Sequence[str]) -> tuple[int, ...]:
    """The places of the documents that a clause names by number or title; empty where it names none."""
    found = set(_ordinals(clause, len(titles))) | set(_titled(clause, titles))
    return tuple(sorted(found)) if len(found) < len(titles) else ()


def _ordinals(clause: str, count: int) -> Iterator[int]:
    if count < 2:
        return
    for place, words in enumerate(_ORDINALS[:count]):
        if re.search(rf"\b(?:{words})\s+(?:\w+\s+)?{_DOCUMENT}\b|(?:{words})(?:本|篇|份|个|部)", clause, re.IGNORECASE):
            yield place
    if _LAST.search(clause):
        yield count - 1


def _titled(clause: str, titles: Sequence[str]) -> Iterator[int]:
    folded = clause.casefold()
    for place, title in enumerate(titles):
        name = re.sub(r"\.\w{1,8}$", "", title.casefold().rpartition("/")[2]).strip()
        if len(name) > 2 and re.search(rf"(?<!\w){re.escape(name)}(?!\w)", folded):
            yield place
