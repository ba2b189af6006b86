"""Talk: greetings, what people say of themselves, and what was said before, as far as nothing else is wanted.

A remark of who asks stands before many requests ("I am a lawyer. What does this contract say of rent?"), so the open
kinds count only where no order and no question goes with them, which `routing_words.py` tells.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

GREETING = re.compile(
    r"^(?:hi|hello|hey|hallo|guten (?:tag|morgen|abend)|good (?:morning|evening|afternoon|night)|bonjour|bonsoir"
    r"|salut|coucou|hola|buenos d[íi]as"
    r"|buenas (?:tardes|noches)|ciao|buongiorno|buonasera|ol[áa]|bom dia|boa (?:tarde|noite)|你好|您好|早上好|晚上好"
    r"|thanks?(?: you)?(?: so much| very much| a lot)?|danke(?: sch[öo]n| dir| ihnen)?|merci(?: beaucoup)?"
    r"|(?:muchas )?gracias|grazie(?: mille)?|(?:muito )?obrigad[oa]|谢谢你?|再见"
    r"|bye|good ?bye|see you|tsch[üu]ss|au revoir|adi[óo]s|arrivederci|tchau|ok(?:ay)?|great|cool|nice|perfect"
    r"|got it|sounds good|yes|no)"
    r"(?:[,，]? (?:there|again|everyone|all|my friend|so far|longdoc|for (?:that|your help|the help|everything)"
    r"|for (?:deine|ihre) hilfe|f[üu]r (?:deine|ihre|die) hilfe|pour ton aide|pour votre aide|por (?:tu|su|la|a sua"
    r"|sua) ayuda|por (?:sua|tua) ajuda|per (?:il tuo|l'|il suo) ?aiuto))*\s*[.!！。~?？]*$"
)
"""A whole request that greets, thanks or agrees."""
_SMALL_TALK = re.compile(
    r"^how are you\b|^how'?s it going|^who are you\b|^what(?:'s| is) your name|^what can you do|^nice to meet you"
    r"|^let'?s (?:talk|chat)\b|^can we (?:talk|chat)"
    r"|^wie geht(?:'s| es)|^wer bist du|^was kannst du|^wie hei[ßs]+t du|^(?:comment )?[çc]a va|^comment (?:vas-tu"
    r"|allez-vous|tu t'appelles)|^qui es-tu"
    r"|^[¿]?(?:c[óo]mo est[áa]s|qu[ée] tal|qui[ée]n eres)|^come stai|^chi sei|^come ti chiami|^tudo bem|^como (?:vai"
    r"|voc[êe] est[áa])|^quem [ée] voc[êe]|^你是谁|^你叫什么|^最近(?:怎么样|好吗)|^我们?(?:聊聊|聊一聊)"
)
_OF_ONESELF = re.compile(
    r"^(?:please )?(?:remember|don't forget|keep in mind|note) that (?:i|my|we)\b|^(?:bitte )?(?:merk dir"
    r"|denk daran)\b|^(?:souviens-toi|rappelle-toi|retiens)\b|^recuerda que (?:yo|mi|me|soy|vivo)\b"
    r"|^ricord(?:a|ati) che\b|^lembre-se de que|^记住"
    r"|^(?:my name is|i(?:'m| am) (?!looking|interested|writing|trying|working)|i live|i(?:'ve| have) (?:got )?(?:a"
    r"|two|three) |i (?:like|love|hate|prefer|feel|moved|work)\b|call me"
    r"|ich (?:hei[ßs]+e|bin|wohne|mag|habe|arbeite|f[üu]hle)|mein name ist|je (?:m'appelle|suis|vis|travaille"
    r"|me sens)|j'(?:habite|aime|ai)|me llamo|mi nombre es|(?:yo )?(?:soy|vivo|trabajo)|me gusta"
    r"|mi chiamo|(?:io )?(?:sono|abito|lavoro)\b|mi piace|meu nome [ée]|(?:eu )?(?:sou|moro|gosto|trabalho)\b"
    r"|me chamo|我(?:叫|是|住|喜欢|在))"
)
_EARLIER = re.compile(
    r"\b(?:did|have) i (?:say|tell|said|told|mention|ever)|\bi (?:told|said|mentioned)\b.*\b(?:you|earlier|before"
    r"|yesterday|last)|\bwhat (?:do|did) you (?:know|remember) (?:about|of) me"
    r"|\b(?:we|you and i) (?:talk|spoke|discuss|were (?:talking|discussing))|\bour (?:last |previous "
    r"|earlier )?(?:conversation|chat|discussion)"
    r"|\b(?:habe ich (?:dir|ihnen)|haben wir .*(?:gesprochen|besprochen)|was wei[ßs]+t du (?:[üu]ber|von) mi(?:ch|r)"
    r"|unser\w* (?:letzte[sn]? )?(?:gespr[äa]ch|unterhaltung))"
    r"|\b(?:t'ai-je|vous ai-je|je t'ai (?:dit|parl[ée])|que sais-tu de moi|notre (?:derni[èe]re )?conversation)"
    r"|\b(?:te (?:dije|cont[ée])|qu[ée] sabes de m[íi]|nuestra (?:[úu]ltima )?conversaci[óo]n)"
    r"|\b(?:ti ho (?:detto|raccontato)|cosa sai di me|nostra (?:ultima )?conversazione)|\b(?:eu te (?:disse|contei)"
    r"|o que voc[êe] sabe sobre mim|nossa ([úu]ltima )?conversa)"
    r"|我(?:跟|和|对)?你?(?:说过|讲过|提过)|我们(?:上次|昨天|之前)(?:聊|谈|说)|你(?:知道|记得)我"
)
_QUOTED = re.compile(r"\"[^\"]*\"|“[^”]*”|„[^“”]*[“”]|«[^»]*»|「[^」]*」|(?<!\w)'[^']*'(?!\w)")
_MOST_TALK = 2_000
"""Characters of what can be talk and nothing else."""
_SENTENCES = re.compile(r"(?<=[?？!！。；;])\s*|(?<=[.])\s+|\s*[:：]\s*")
_CLAUSES = re.compile(r"\s*[,，、]\s*|\s+[–—-]\s+")
_CONNECTIVE = re.compile(
    r"^(?:so|and|but|now|therefore|hence|thus|then|also|und|aber|daher|deshalb|nun|jetzt|donc|et|mais|alors|as[íi] que"
    r"|y|pero|ahora|entonces|quindi|dunque|e|ma|ora|ent[ãa]o|mas|agora|portanto)\b\s*|^(?:所以|那么|那|因此|现在|但是?)"
)
_WISH = re.compile(
    r"\b(?:(?:and|so|but) (?:i |we |i'd |we'd )?(?:want|need|would like|like)?(?: you)?(?: to)?"
    r"(?= (?:know|find out|check|verify|summari[sz]e|a (?:short )?summary|understand|translate))"
    r"|so|please|(?:can|could|would|will) you|help me(?: to)?|who (?:wants|needs)(?: to)?|need|i'd like(?: you)? to"
    r"|i would like(?: you)? to|bitte|kannst du|k[öo]nnen sie|s'il (?:te|vous) pla[îi]t|peux-tu|pouvez-vous|por favor"
    r"|puedes|podr[íi]as?|per favore|puoi|potresti|voc[êe] pode)\b[\s,]*|[请帮](?:你|您|我)?(?:帮我)?|能不能|能否"
)


def is_open_talk(text: str) -> bool:
    """Whether a folded text begins as small talk or tells of who says it, or of what was said before."""
    bare = _QUOTED.sub(" ", text) if len(text) <= _MOST_TALK else ""
    return any(pattern.search(bare) for pattern in (_SMALL_TALK, _OF_ONESELF, _EARLIER))


def tells_of_oneself(text: str) -> bool:
    """Whether a folded text tells of who says it: no question is of that kind."""
    return _OF_ONESELF.search(text) is not None


def sentences_of(text: str) -> Iterator[str]:
    """The sentences of a folded text; what stands behind a colon is one of its own."""
    yield from filter(None, (one.strip() for one in _SENTENCES.split(text)))


def later_clauses(sentence: str) -> Iterator[str]:
    """What stands behind the first comma of a sentence, piece by piece, without the words that join them."""
    for clause in _CLAUSES.split(sentence)[1:]:
        bare = _CONNECTIVE.sub("", clause.strip())
        if bare:
            yield bare


def wishes_of(sentence: str) -> Iterator[str]:
    """What follows the words in a sentence by which something is wished for."""
    for match in _WISH.finditer(sentence):
        if match.start() and (rest := sentence[match.end() :].strip()):
            yield rest
