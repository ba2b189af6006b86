"""What the words of a request ask for: a summary, a check, a text, a change, an answer, or talk.

Rules only, for English, German, French, Spanish, Italian, Portuguese and Chinese. A request is read from its first word
that asks for something, after words of politeness; what no rule knows is left open.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from longdoc.agents.routing_talk import (
    GREETING,
    is_open_talk,
    later_clauses,
    sentences_of,
    tells_of_oneself,
    wishes_of,
)
from longdoc.agents.routing_vocabulary import (
    ANSWER_VERBS,
    CHANGE_VERBS,
    CHECK_VERBS,
    EXTRACT_VERBS,
    INTERROGATIVES,
    SUMMARY_NOUNS,
    SUMMARY_VERBS,
    WRITE_VERBS,
)


class Intent(StrEnum):
    """What is wanted. `CHANGE` is the same text in another form, `EXTRACT` pieces of it; `ANSWER` is an order to find
    or explain, `QUESTION` a question, `STATEMENT` a sentence that claims something."""

    TALK = "talk"
    CHECK = "check"
    SUMMARIZE = "summarize"
    WRITE = "write"
    CHANGE = "change"
    EXTRACT = "extract"
    ANSWER = "answer"
    QUESTION = "question"
    STATEMENT = "statement"


@dataclass(frozen=True, slots=True)
class FoundIntent:
    """An intent, and the words of the request that show it."""

    intent: Intent
    shown_by: str


_POLITE = re.compile(
    r"^(?:(?:hi|hello|hey|hallo|bonjour|hola|ciao|ol[áa]|你好|您好)\s*[,!，！。.]\s*)?"
    r"(?:(?:please|kindly|now|ok(?:ay)?|so|well|first(?:ly)?|second(?:ly)?|finally|lastly|next|then|also|just|let'?s"
    r"|let us|go and"
    r"|(?:can|could|would|will) you(?: please| kindly)?|(?:would|do) you mind|i(?:'d| would) like (?:you )?to"
    r"|i (?:want|need) you to|i want to|help me(?: to)?|your task is to|try to|quickly|briefly|carefully"
    r"|bitte|kannst du|k[öo]nnen sie|k[öo]nntest du|k[öo]nnten sie|w[üu]rdest du|mir|mal|ich m[öo]chte,? dass du"
    r"|zuerst|zun[äa]chst|dann|danach|anschlie[ßs]+end|schlie[ßs]+lich|hilf mir,?"
    r"|s'il (?:te|vous) pla[îi]t|stp|svp|peux-tu|pouvez-vous|pourrais-tu|pourriez-vous|veuillez|d'abord|ensuite|puis"
    r"|enfin|aide-moi à|tu peux|je voudrais que tu"
    r"|por favor|puedes|podr[íi]as|puede|podr[íi]a|primero|luego|despu[ée]s|finalmente|ay[úu]dame a|quiero que"
    r"|per favore|per piacere|puoi|potresti|può|potrebbe|prima|poi|infine|aiutami a|vorrei che"
    r"|voc[êe] pode|pode|poderia|primeiro|depois|em seguida|por fim|me ajude a|quero que"
    r"|me|mi)\b[\s,:;.]*"
    r"|(?:请你|请您|请|麻烦你|麻烦|帮我|帮忙|能不能|能否|可以|你能|您能|首先|先|然后|接着|再|最后|给我|为我)\s*[，,]?\s*)*"
)

_CHECK_ANYWHERE = re.compile(
    r"\b(?:(?:is (?:this|that|she|he)|are they) (?:true|right|correct|accurate)|true or false|is that so|(?:,|-"
    r"|–) ?(?:right|correct|true"
    r"|isn't it|is it)"
    r"|(?:wahr|richtig) oder falsch|(?:stimmt|richtig) (?:das|so)|, oder|vrai ou faux|n'est-ce pas|c'est vrai"
    r"|c'est exact"
    r"|verdadero o falso|es (?:eso )?(?:cierto|verdad)|vero o falso|[èe] vero|verdadeiro ou falso|[ée] verdade)\s?\?"
    r"|(?:, (?:right|correct|stimmt'?s?|nicht wahr|no es as[íi]|¿?verdad|¿?no|vero|giusto|n[ée]|certo))\s?\?"
    r"|是否属实|是真的吗|对不对|是否正确|是否准确|对吗|属实吗|真的吗|正确吗|这种说法"
)
_CHINESE_QUESTION = re.compile(
    r"[？吗呢]\s*$|谁|什么|何时|哪里|哪儿|哪个|哪些|哪一|为什么|为何|怎么|怎样|如何|多少|第?几[个位种名章次年岁人天]|有没有|是不是|是否"
)
_STATEMENT = re.compile(
    r"\b(?:is|are|was|were|has|had|have|does|did|will|would|can|could|never|always|\w{3,}ed|says|said|became|began"
    r"|dies|lives|wins|won|lost|went|came|took|gave|kills|loves|contains|shows|costs|owns|makes|made"
    r"|ist|sind|war|waren|hat|hatte|hatten|wurde|wurden|wird|werden|kann|stirbt|starb|lebt|lebte|ging|kam"
    r"|est|sont|[ée]tait|[ée]taient|fut|furent|ont|avait|avaient|sera|meurt|vit"
    r"|es|son|era|eran|fue|fueron|ha|han|hab[íi]a|ser[áa]|est[áa]|muere|muri[óo]|vive|tiene|ten[íi]a|\w{3,}[óo]"
    r"|[èe]|sono|erano|fu|furono|hanno|aveva|avevano|sar[àa]|muore|mor[ìi]"
    r"|[ée]|s[ãa]o|foi|foram|tem|tinha|estava|morre|morreu|vivia)\b"
    r"|[是有在了死住]"
)
_ORDERS: tuple[tuple[Intent, str], ...] = (
    (Intent.CHECK, CHECK_VERBS),
    (Intent.CHANGE, CHANGE_VERBS),
    (Intent.SUMMARIZE, SUMMARY_VERBS),
    (Intent.EXTRACT, EXTRACT_VERBS),
    (Intent.WRITE, WRITE_VERBS),
    (Intent.ANSWER, ANSWER_VERBS),
)
_CJK = r"[\u3400-\u9fff]"
_OPENING = tuple((intent, re.compile(rf"(?:{verbs})(?:(?<={_CJK})|(?!\w))", re.DOTALL)) for intent, verbs in _ORDERS)
_LATER = tuple(
    (
        intent,
        re.compile(
            rf"(?:[,:;.!?\n–—，：；。]\s*|\b(?:to|and|please|now|i need|i want|we need|and then|then|bitte|und|et|de|y"
            rf"|e|para|por favor|s'il vous pla[îi]t|s'il te pla[îi]t)\s+)"
            rf"(?P<verb>(?:{verbs})(?:(?<={_CJK})|(?!\w)))|(?P<han>(?:{verbs})(?<={_CJK}))"
        ),
    )
    for intent, verbs in _ORDERS
)
_QUESTION_MARK = re.compile(r"[?？]\s*[\"”»]?\s*$")
_OPENS_QUESTION = re.compile(rf"^[¿]?\s*(?:{INTERROGATIVES})(?!\w)")
_WRITTEN_SUMMARY = re.compile(rf"^(?:[^,.;:，。]|(?<=\d)[,.](?=\d)){{0,60}}?{SUMMARY_NOUNS}")
_SUMMARY_NOUN = re.compile(SUMMARY_NOUNS)
_IN_SHORT = re.compile(
    r"\b(?:(?:main|key|central|essential|most important) (?:ideas?|points?|arguments?|takeaways?|findings|messages?)"
    r"|takeaways|in a nutshell"
    r"|the gist|(?:hauptgedanken?|kernaussagen?|wichtigste[nrs]? punkte)|(?:id[ée]es|points) (?:principales?"
    r"|principaux|cl[ée]s)"
    r"|(?:ideas|puntos) (?:principales|clave)|(?:idee|punti) (?:principali|chiave)|(?:ideias|pontos) (?:principais"
    r"|chave))\b|要点|主要内容|大意"
)
_REQUESTED = re.compile(
    r"^(?:(?:can|could|would|will) you|kannst du|k[öo]nnen sie|k[öo]nntest du|k[öo]nnten sie|w[üu]rdest du|peux-tu"
    r"|pouvez-vous|pourrais-tu|pourriez-vous"
    r"|[¿]?(?:me )?(?:puedes|podr[íi]as|puede|podr[íi]a)|(?:mi )?(?:puoi|potresti|pu[òo]|potrebbe)"
    r"|(?:voc[êe] )?(?:pode|poderia)|能不能|能否|可以|你能|您能)\b"
)
_FINAL_VERB = (
    (Intent.SUMMARIZE, re.compile(r"\bzusammenfassen\b")),
    (
        Intent.CHANGE,
        re.compile(r"\b(?:[üu]bersetzen|umschreiben|korrigieren|k[üu]rzen|vereinfachen|umformulieren|verbessern)\b"),
    ),
    (Intent.CHECK, re.compile(r"\b(?:[üu]ber)?pr[üu]fen\b")),
    (Intent.WRITE, re.compile(r"\b(?:schreiben|verfassen|entwerfen)\b")),
    (
        Intent.ANSWER,
        re.compile(r"\b(?:erkl[äa]ren|beschreiben|nennen|auflisten|vergleichen|zeigen|sagen|finden|heraussuchen)\b"),
    ),
)
_THANKS = re.compile(
    r"^(?:thanks|thank you|danke|vielen dank|merci|gracias|muchas gracias|grazie|obrigad[oa]|谢谢|多谢)(?!\w)"
)
_OF_ONESELF = re.compile(
    r"^(?:i|i'm|i've|we|we're|my|our|ich|wir|mein\w*|je|j'|nous|mon|ma|mes|yo|nosotros|mi|mis|io|noi|mio|mia|eu"
    r"|n[óo]s|meu|minha|我)(?!\w)"
)
_NOUN = re.compile(
    r"(?:author|pen|label|tag|edit|draft|index|report|digest|list|name|find|search|show|count|review|trace|contrast|quote"
    r"|outline|answer|suggest|liste?|cita|cite|cerca|lista|prova)s?\b"
    r"(?! (?:it|them|the|this|these|those|that|all|each|every|any|me|us|its|their|what|who|how|where|why|when)\b)"
)
"""Verbs of orders that stand as nouns in a list of what somebody is."""
_NEED = re.compile(
    r"\b(?:want|need|brauchen?|m[öo]chten?|wollen?|veux|voudrais|besoin|necesito|quiero|quisiera|voglio|vorrei|bisogno"
    r"|preciso|quero|gostaria)\b|需要|想要"
)
_SENTENCE_END = re.compile(r"[.。!！]\s*[\"”»]?$")
_FUNCTION_WORD = re.compile(
    r"\b(?:the|an?|his|her|their|its|of|der|die|das|dem|den|des|eine[mnrs]?|ein|sein\w*|ihre?\w*|am|im|zum|zur|von"
    r"|le|la|les|du|des|une?|sa|ses|au"
    r"|el|los|las|una?|sus?|del|al|il|lo|gli|uno|dei|della|nel|nella|os?|as?|um|uma|seus?|suas?|do|da|dos|das|no|na)\b"
)
_FEWEST_OF_STATEMENT = 3
_SHORT_TALK = 10
"""Words."""


def intent_of(request: str) -> FoundIntent | None:
    """What a request asks for, by the first of its words that shows it; None where no rule knows."""
    text = _folded(request)
    bare = _bare(text)
    return next(filter(None, (rule(text, bare) for rule in _RULES)), None)


def gives_order(clause: str) -> Intent | None:
    """What a clause of a longer request orders, where its first word after politeness does; None otherwise."""
    found = _ordered("", _bare(_folded(clause)))
    return None if found is None else found.intent


def in_known_language(request: str) -> bool:
    """Whether little words show that a request is in a language whose orders are known: what orders nothing then is
    no order of a kind that is always named."""
    text = _folded(request)
    return re.search(_CJK, text) is not None or _FUNCTION_WORD.search(text) is not None


def asks_question(clause: str) -> bool:
    """Whether a clause is a question of its own."""
    text = _folded(clause)
    return _asks(text, _bare(text))


def _talked(text: str, bare: str) -> FoundIntent | None:
    """Talk, where nothing else is wanted along with it."""
    del bare
    if found := GREETING.search(text):
        return FoundIntent(Intent.TALK, found[0].strip())
    short = len(text.split()) <= _SHORT_TALK and not re.search("[?？]", text)
    if (
        short
        and (thanks := _THANKS.match(text))
        and _ordered("", _bare(text[thanks.end() :].lstrip(" ,.!，。！"))) is None
    ):
        return FoundIntent(Intent.TALK, thanks[0])
    if is_open_talk(text) and not any(map(_wants, sentences_of(text))):
        return FoundIntent(Intent.TALK, text)
    return None


def _wants(sentence: str) -> bool:
    """Whether a sentence wants more than talk: an order or a question that is none of a conversation."""
    bare, talk = _bare(sentence), is_open_talk(sentence)
    order = _ordered("", bare)
    if order is not None and not (talk and order.intent is Intent.ANSWER):
        return True
    if _asks(sentence, bare) and (not talk or tells_of_oneself(sentence)):
        return True
    for clause in later_clauses(sentence):
        found = _ordered("", _bare(clause))
        if found is not None and not _NOUN.match(_bare(clause)):
            return True
        if _asks(clause, _bare(clause)) and not is_open_talk(clause):
            return True
    if _NEED.search(sentence) and _SUMMARY_NOUN.search(sentence):
        return True
    return any(
        _ordered("", _bare(rest)) is not None or _SUMMARY_NOUN.match(re.sub(r"^(?:an?|the|short|brief)\s+", "", rest))
        for rest in wishes_of(sentence)
    )


def _ordered(text: str, bare: str) -> FoundIntent | None:
    """An order at the beginning; in Chinese, behind what it is done to."""
    del text
    if bare.startswith(("把", "将")):
        moved = max(_later(bare), key=lambda one: one[0], default=None)
        return None if moved is None else moved[2]
    for intent, pattern in _OPENING:
        if match := pattern.match(bare):
            return _refined(FoundIntent(intent, match[0]), bare[match.end() :])
    return None


def _doubted(text: str, bare: str) -> FoundIntent | None:
    del bare
    return FoundIntent(Intent.CHECK, "whether it is so") if _CHECK_ANYWHERE.search(text) else None


def _requested(text: str, bare: str) -> FoundIntent | None:
    """A polite question that wants something done, whose verb does not stand first."""
    if not _is_requested(text):
        pieces = [piece for sentence in sentences_of(text) for piece in (sentence, *later_clauses(sentence))]
        later = next(filter(_is_requested, pieces), None)
        if later is None:
            return None
        bare = _bare(later)
    if match := _SUMMARY_NOUN.search(bare):
        return FoundIntent(Intent.SUMMARIZE, match[0])
    for intent, pattern in _FINAL_VERB:
        if match := pattern.search(bare):
            return FoundIntent(intent, match[0])
    return None


def _is_requested(clause: str) -> bool:
    return _REQUESTED.match(clause.lstrip("¿¡ \"'")) is not None


def _questioned(text: str, bare: str) -> FoundIntent | None:
    if not _asks(text, bare):
        return None
    after = re.split(r"[?？.!]\s+", bare, maxsplit=1)[1:]
    order = _ordered("", _bare(after[0])) if after else None
    if order is not None and order.intent not in {Intent.ANSWER, Intent.QUESTION}:
        return order
    opens = _OPENS_QUESTION.match(bare)
    shown = bare.partition(" ")[0] if opens else (list(sentences_of(bare)) or ["?"])[-1]
    return FoundIntent(Intent.QUESTION, shown)


def _ordered_later(text: str, bare: str) -> FoundIntent | None:
    """An order that stands behind something else: the first one."""
    del text
    found = sorted(_later(bare), key=lambda one: one[0])
    if not found:
        return None
    _, end, first = found[0]
    return _refined(first, bare[end:])


def _named(text: str, bare: str) -> FoundIntent | None:
    del text
    match = _SUMMARY_NOUN.search(bare) or _IN_SHORT.search(bare)
    return None if match is None else FoundIntent(Intent.SUMMARIZE, match[0])


def _stated(text: str, bare: str) -> FoundIntent | None:
    """A sentence that claims something, not of who says it."""
    if _OF_ONESELF.match(bare):
        return None
    chinese = re.search(_CJK, bare) is not None
    enough = chinese or len(bare.split()) >= _FEWEST_OF_STATEMENT
    ended = _SENTENCE_END.search(bare) is not None and (chinese or _FUNCTION_WORD.search(bare) is not None)
    if enough and (ended or _STATEMENT.search(bare)):
        return FoundIntent(Intent.STATEMENT, text)
    return None


_RULES = (_talked, _ordered, _doubted, _requested, _questioned, _ordered_later, _named, _stated)
"""In their order: the first that knows decides."""


def _folded(request: str) -> str:
    return " ".join(request.casefold().replace("’", "'").split())


def _bare(text: str) -> str:
    """A request without words of politeness before it, and without marks of lists and quotes."""
    stripped = text.lstrip(" -*•·\"'“„«([¿¡")
    polite = _POLITE.match(stripped)
    return stripped if polite is None else stripped[polite.end() :]


def _asks(text: str, bare: str) -> bool:
    chinese = re.search(_CJK, text) is not None
    marked = _QUESTION_MARK.search(text) or _OPENS_QUESTION.match(bare)
    return bool(marked or (chinese and _CHINESE_QUESTION.search(text)))


def _later(bare: str) -> Iterator[tuple[int, int, FoundIntent]]:
    """Orders that stand behind something else, with where they begin and end."""
    for intent, pattern in _LATER:
        if match := pattern.search(bare):
            name = "verb" if match["verb"] else "han"
            yield match.start(name), match.end(name), FoundIntent(intent, match[name])


def _refined(found: FoundIntent, rest: str) -> FoundIntent:
    """To write a summary is to summarize."""
    if found.intent is Intent.WRITE and (match := _WRITTEN_SUMMARY.match(rest)):
        return FoundIntent(Intent.SUMMARIZE, f"{found.shown_by}{match[0]}")
    return found
