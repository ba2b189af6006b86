"""What a request says beside what is to be done: the language to write in, what to look at, the claims to check."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from longdoc.agents.request_subject import subject_of
from longdoc.errors import ConfigError

MOST_CLAIMS: Final = 200
"""Claims of one request."""

_LANGUAGES: Final = {
    "English": r"auf englisch|en anglais|en ingl[ée]s|in inglese|em ingl[êe]s",
    "German": r"auf deutsch|en allemand|en alem[áa]n|in tedesco|em alem[ãa]o",
    "French": r"auf franz[öo]sisch|en fran[çc]ais|en franc[ée]s|in francese|em franc[êe]s",
    "Spanish": r"auf spanisch|en espagnol|en espa[ñn]ol|in spagnolo|em espanhol",
    "Italian": r"auf italienisch|en italien|en italiano|in italiano|em italiano",
    "Portuguese": r"auf portugiesisch|en portugais|en portugu[ée]s|in portoghese|em portugu[êe]s",
    "Chinese": r"auf chinesisch|en chinois|en chino|in cinese|em chin[êe]s",
}
_IN_CHINESE: Final = {
    "English": "英",
    "German": "德",
    "French": "法",
    "Spanish": "西班牙",
    "Italian": "意大利",
    "Portuguese": "葡萄牙",
    "Chinese": "[中汉]",
}
_CLAUSE_GOES_ON = (
    r"(?!\s+(?:and|or)\s+(?:english|german|french|spanish|italian|portuguese|chinese)\s+\w)"
    r"(?=\s*(?:$|[^\w\s]|\d|(?:and|or|with|within|using|please|for|by|in|on|at|to|about|of|what|how|who|why|when|where"
    r"|which|whether|the|this|that|these|those|it|them|all|each|every|a|an|only|first|then|now|instead|as|from|so|but"
    r"|chapter by chapter|briefly)(?!\w)))"
)
"""Behind "in French": "in French cities" is not the language."""
_LANGUAGE = {
    name: re.compile(
        rf"(?<!\w)(?:in {name.lower()}(?!\w){_CLAUSE_GOES_ON}|(?:{words})(?!\w))|用{_IN_CHINESE[name]}[文语]",
        re.IGNORECASE,
    )
    for name, words in _LANGUAGES.items()
}
_FOCUS = re.compile(
    r"(?:focus(?:s?ing|ed)? on|with (?:a |an |special |particular )?(?:focus|emphasis|attention) (?:on|to)"
    r"|concentrat\w+ on|pay(?:ing)? attention to|emphasi[sz]ing"
    r"|(?:especially|particularly) (?:on |about |of )?|with (?:regard|respect) to|as far as it concerns"
    r"|mit (?:dem )?(?:schwerpunkt|fokus|augenmerk) auf|besonders|insbesondere|vor allem"
    r"|en (?:mettant l'accent|insistant|te concentrant|vous concentrant) sur|surtout|notamment"
    r"|con (?:[ée]nfasis|enfoque|atenci[óo]n) en|centr[áa]ndote en|sobre todo|especialmente"
    r"|con (?:enfasi|attenzione) (?:su|a)(?:l|lla|lle|i|gli)?|soprattutto|concentrandoti su(?:l|lla)?"
    r"|com ([êe]nfase|foco|aten[çc][ãa]o) (?:em|n[oa]s?)|sobretudo|principalmente|focando em"
    r"|重点(?:关注|介绍|放在|是)?|着重|尤其是?|特别是)\s*(?P<focus>[^.;!?。；！？\n]{3,200})",
    re.IGNORECASE,
)
_ORDER_BEFORE_CLAIMS = re.compile(
    r"^[^:：\n]{0,160}?(?:check|verify|fact-?\s?check|claims?|statements?|true or false|pr[üu]f\w*|aussagen?"
    r"|behauptung(?:en)?"
    r"|v[ée]rifi\w*|affirmations?|verific\w*|verifi\w*|afirmaci[óo]n(?:es)?|comprueb\w*|afirma[çc]\w*"
    r"|affermazion[ei]|核实|验证|核查|说法|判断)"
    r"[^:：\n]{0,100}?[:：]\s*",
    re.IGNORECASE,
)
_ORDER = re.compile(
    r"^(?:please |can you |could you |kannst du |bitte |peux-tu |puedes |puoi |voc[êe] pode |请|帮我)*"
    r"(?:(?:double-?)?check (?:whether|if|that)|verify (?:whether|if|that)|fact-?\s?check (?:whether|if|that)?"
    r"|confirm (?:whether|if|that)"
    r"|(?:is|was) it (?:really |actually )?(?:true|correct|right|accurate|the case|a fact) (?:that|to say that)"
    r"|true or false\s*[:,-]?"
    r"|(?:does|do) (?:the|this|that|these|any) \w+ (?:say|state|claim|support|confirm)s? that"
    r"|(?:[üu]ber)?pr[üu]f(?:e|en|t)?(?: bitte)?,? ob|stimmt es,? dass|ist es (?:wahr|richtig|korrekt),? dass"
    r"|trifft es zu,? dass"
    r"|v[ée]rifi(?:e|er|ez) (?:si|que)|est[- ]il (?:vrai|exact|correct) qu(?:e |')|est-ce (?:vrai|exact) qu(?:e |')"
    r"|(?:verifica|comprueba|confirma) (?:si|que)|es (?:cierto|verdad|correcto) que"
    r"|(?:verifica|controlla|conferma) (?:se|che)|[èe] (?:vero|corretto) che"
    r"|(?:verifique|confira|confirme|cheque) (?:se|que)|[ée] (?:verdade|correto) que"
    r"|(?:核实|验证|查证|核查|检查)(?:一下)?(?:是否)?)\s*",
    re.IGNORECASE,
)
_BULLET = re.compile(r"^\s*(?:[-*•·]|\(?\d{1,3}[.):、])\s*")
_TAG_END = re.compile(
    r"[,，]?\s*(?:right|correct|true|isn't it|true or false|stimmt's|stimmt das|richtig|oder|n'est-ce pas|c'est vrai"
    r"|verdad|no es as[íi]|vero|giusto|certo|n[ée]"
    r"|是真的吗|对吗|对不对|是否属实|是否正确|正确吗|属实吗)\s*[?？]\s*$",
    re.IGNORECASE,
)


def language_of(request: str) -> str | None:
    """The language, in English, that a request wants the result in; None where it says nothing of it."""
    return next((name for name, pattern in _LANGUAGE.items() if pattern.search(request)), None)


def focus_of(request: str) -> str | None:
    """What a summary is to look at above all: what a request says so of, else whatever it asks besides the whole; None
    where there is nothing of the kind."""
    found = _FOCUS.search(request.replace("’", "'"))
    if found is not None:
        return found["focus"].strip(" ,，")
    for pattern in _LANGUAGE.values():
        request = pattern.sub(" ", request)
    return subject_of(request)


def claims_of(request: str) -> Sequence[str]:
    """The claims that a request has checked, without the order to check them: lines of a list one by one.

    Raises `ConfigError` where there are too many.
    """
    text = request.strip()
    listed = [line for line in text.splitlines() if _BULLET.match(line)]
    if listed:
        claims = [_BULLET.sub("", line).strip() for line in listed]
    else:
        rest = _ORDER_BEFORE_CLAIMS.sub("", text, count=1).strip() or text
        claims = [_bare_claim(rest)]
    claims = [claim for claim in claims if claim]
    if len(claims) > MOST_CLAIMS:
        raise ConfigError(f"{len(claims)} claims are listed, and {MOST_CLAIMS} are checked at once; ask in parts")
    return claims or [text]


def _bare_claim(text: str) -> str:
    """A claim without what asks whether it is so."""
    bare = _ORDER.sub("", text.lstrip("¿¡ "), count=1)
    without_tag = _TAG_END.sub("", bare).strip()
    changed = without_tag != text.strip()
    claim = without_tag.strip("\"'“”„«» ") if without_tag else text
    return claim.rstrip("?？").strip() if changed else claim
