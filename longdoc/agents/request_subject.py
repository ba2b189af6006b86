"""What a request for a summary asks besides a summary of the whole: a chapter, a question, a reader, a form.

Read off by leaving out what every request for a summary has: the order, the whole work by any name, a length.
"""

from __future__ import annotations

import re
from typing import Final

from longdoc.agents.routing_vocabulary import SUMMARY_NOUNS, SUMMARY_VERBS

MOST_SUBJECT: Final = 300
"""Characters of what is looked at."""
_CJK = "\u3400-\u9fff"
_AROUND = (
    re.compile(r"\bfass\w*\s(?P<inner>.{1,200}?)\bzusammen\b(?P<rest>.*)", re.IGNORECASE),
    re.compile(r"(?:^|(?<=[,.;:!?]))(?P<inner>[^,.;:!?]{1,200}?)\bzusammen(?:zu)?fassen\b(?P<rest>.*)", re.IGNORECASE),
    re.compile(r"\b(?:sum|boil)\s(?P<inner>(?!up\b).{1,160}?)\s(?:up|down)\b(?P<rest>.*)", re.IGNORECASE),
    re.compile(
        rf"[把将](?P<inner>[^，。；]{{1,60}}?)(?:总结|概括|概述|归纳|缩写)(?:成|为|一下)?(?P<rest>[{_CJK}\w，,]*)"
    ),
)
_ORDER = re.compile(
    rf"(?:^|(?<=[\s,.;:，。请我]))(?:{SUMMARY_VERBS})(?P<rest>.*)|{SUMMARY_NOUNS}(?P<noun>.*)", re.IGNORECASE
)
_SENTENCE_END = re.compile(r"[!?。！？；;\n]|\.(?=\s|$)")
_NUMBER = (
    r"(?:\d[\d.,]*|one|two|three|four|five|six|seven|eight"
    r"|nine|ten|a|an|eine[mnr]?|zwei|drei|une?|deux|trois|un|una|dos"
    r"|tres|due|tre|um|uma|dois|duas|três)"
)
_LENGTH = re.compile(
    r"\b(?:(?:in|to|of|with|within|under|using|mit|auf|unter|en|de|con|avec|di|com|em) )?(?:about |around |roughly "
    r"|approximately |at most |at least |no more than |less than |some |up to |etwa |ungef[äa]hr |circa |ca\.? |rund "
    r"|h[öo]chstens |environ |au plus |unas? |unos |alrededor de |cerca de |m[áa]ximo |al massimo |no m[áa]ximo )*"
    rf"{_NUMBER}[\s-]*(?:words?|pages?|w[öo]rter[n]?|worte[n]?|seiten?|mots|palabras|p[áa]ginas?|parole|pagin[ae]"
    r"|palavras)(?!\w)|[约大概]*[\d一二三四五六七八九十百千两]+(?:个)?(?:字|词)(?:左右|以内)?",
    re.IGNORECASE,
)
_BY_CHAPTER = re.compile(
    r"\b(?:chapter by chapter|kapitel f[üu]r kapitel|chapitre par chapitre|cap[íi]tulo (?:por|a) cap[íi]tulo"
    r"|capitolo per capitolo|(?:by|(?:of |for )?(?:each|every)) chapters?|pro kapitel|je kapitel)\b"
    r"|按章节?|逐章|每一?章|分章",
    re.IGNORECASE,
)
_WHOLE = (
    r"summar(?:y|ies)|synops[ie]s|overview|recap|digest|gist|books?|novels?|stor(?:y|ies)|documents?|texts?|files?"
    r"|attachments?|articles?|papers?|reports?|letters?|contracts?|leases?|transcripts?|depositions?|thes[ie]s"
    r"|biograph(?:y|ies)|essays?|manuscripts?|works?|emails?|minutes|chapters?|discussions?|conversations?"
    r"|chats?|collections?|pdfs?|everything|contents?"
    r"|buch(?:es|s)?|b[üu]cher[n]?|romane?[sn]?|dokument(?:e[ns]?|s)?|texte?[sn]?|datei(?:en)?|artikels?|berichte?[sn]?"
    r"|briefe?[sn]?|vertr[äa]ge?[sn]?|vertrag(?:e?s)?|werke?[sn]?|geschichten?|inhalte?s?|ganze[ns]?"
    r"|livres?|romans?|textes?|fichiers?|rapports?|lettres?|contrats?|[œo]e?uvres?|histoires?"
    r"|libros?|novelas?|documentos?|textos?|archivos?|art[íi]culos?|informes?|cartas?|contratos?|obras?|historias?"
    r"|libr[oi]|romanz[oi]|document[oi]|test[oi]|articol[oi]|relazion[ei]|letter[ae]|contratt[oi]|oper[ae]|stori[ae]"
    r"|livros?|romances?|arquivos?|artigos?|relat[óo]rios?"
)
_LITTLE = (
    r"this|that|these|those|it|them|the|an?|all|both|each|every|any|my|our|your|its|whole|entire|full|attached"
    r"|following"
    r"|above|below|given|of|in|to|for|me|us|up|down|please|thanks|thank|you|and|so|far|short(?:ly)?|brief(?:ly)?|long"
    r"|quick(?:ly)?|concise(?:ly)?|executive|detailed?|detail|tres|dos|trois|deux|zwei|drei|tre|due|dois|duas"
    r"|one|two|three|four|five|six|seven|eight|nine|ten|\d+|i|now|here|from|board"
    r"|words?|pages?|files?|language|help|plain|just|main|key|points?|ideas?|makes?|give|as|what|happens"
    r"|dies(?:e[mnrs]?|es)?|es|sie|ihn|der|die|das|dem|den|des|alle[ns]?|beide[ns]?|jede[mnrs]?|ganze[mnrs]?"
    r"|mir|uns|mal"
    r"|bitte|kurz(?:e[nrs]?)?|knapp|zu|zum|zur|von|vom|in|im|ein(?:e[mnrs]?)?|und|schreiben|machen|geben"
    r"|erstellen|kannst"
    r"|k[öo]nnen|k[öo]nntest|du|sie|[üu]ber|mit"
    r"|ce|cet|cette|ces|le|la|les|l|un|une|des|du|de|d|tout|toute|tous|entier|moi|nous|s|il|te|vous|pla[îi]t|svp"
    r"|bref|bri[èe]vement|court|et|à|chacun|chacune|en"
    r"|este|esta|estos|estas|el|los|las|lo|una?|unos|todo|toda|todos|completo|entero|me|nos|por|favore?|breve(?:mente)?"
    r"|corto|y|del|al"
    r"|questo|questa|questi|queste|quest|il|gli|i|un|uno|dell?[ao]?|dei|degli|delle|intero|tutto|mi|per|piacere|e|breve"
    r"|isto|isso|o|os|as|um|uma|do|da|dos|das|completo|inteiro|curto|se|no|na"
)
_PART = re.compile(
    r"\b(?:chapters?|parts?|sections?|books?|volumes?|acts?|pages?|articles?)\s+(?:\d+|[ivxlc]+)\b", re.IGNORECASE
)
_LAST_JOINT = re.compile(r"[\s,]+(?:and|or|und|et|y|e)$", re.IGNORECASE)
_PLAIN = re.compile(rf"(?:{_WHOLE}|{_LITTLE})")
_PLAIN_CHINESE = re.compile(
    r"一下|这[本篇部份个封些]?|那[本篇部份个封]|全[书文]|本[书文]|整[本篇部]|[一]?[本篇部份个封]|书|文章|小说|文档|文件|论文|报告|信|合同"
    r"|故事|内容|主要|全部|所有|以[上下]|附件|请|吧|的|给我|帮我|用|写|做|并|成|为|简[要短单]|地|总结|摘要|概要|概述|概括"
)
_LEADING_WHOLE = re.compile(
    rf"^(?:(?:kannst|k[öo]nn\w+|du|sie|bitte|mir|uns|mal|of|the|this|that|these|those|it|them|whole|entire"
    rf"|attached|all|der|die|das|dieses?|diesen|es|le|la|les|ce|cet"
    rf"|cette|ces|el|este|esta|il|lo|questo|questa|o|a|los|las|von|des|du|de|del)\s+)+(?:(?:{_WHOLE})\b\s*)?"
    rf"|^(?:it|this|them)\b\s*",
    re.IGNORECASE,
)
_PREPOSITION = re.compile(
    r"^(?:for|in|as|like|with|without|from|to|using|so|by|für|fuer|als|wie|mit|ohne|aus|pour|comme|avec|sans"
    r"|en|dans|para"
    r"|como|con|sin|per|come|senza|com|sem)\b",
    re.IGNORECASE,
)


def subject_of(request: str) -> str | None:
    """What a request for a summary asks besides the whole; None where it says nothing of the kind.

    A part or a question is given as it stands, a reader or a form with the order it belongs to.
    """
    text = " ".join(request.replace("’", "'").split())
    found = _behind_order(text)
    if found is None:
        return None
    rest = found[:MOST_SUBJECT]
    for pattern in (_LENGTH, _BY_CHAPTER):
        rest = pattern.sub(" ", rest)
    rest = " ".join(rest.split()).strip(" ,.:：，-–—\"'“”")
    rest = _LAST_JOINT.sub("", rest)
    if not _says_something(rest):
        return None
    subject = _LEADING_WHOLE.sub("", rest) if _says_something(_LEADING_WHOLE.sub("", rest)) else rest
    return f"what they ask for, “{text[:MOST_SUBJECT]}”" if _PREPOSITION.match(subject) else subject


def _behind_order(text: str) -> str | None:
    """What the order to summarize is about, to the end of its sentence."""
    for pattern in _AROUND:
        if found := pattern.search(text):
            return f"{found['inner']} {_SENTENCE_END.split(found['rest'], maxsplit=1)[0]}"
    found = _ORDER.search(text)
    if found is None:
        return None
    return _SENTENCE_END.split(found["rest"] or found["noun"] or "", maxsplit=1)[0]


def _says_something(text: str) -> bool:
    """Whether a text names anything but the whole work."""
    if re.search(f"[{_CJK}]", text):
        return len(re.findall(f"[{_CJK}]", _PLAIN_CHINESE.sub("", text))) > 1
    named = any(_PLAIN.fullmatch(word.casefold()) is None for word in re.findall(r"\w+", text))
    return named or _PART.search(text) is not None
