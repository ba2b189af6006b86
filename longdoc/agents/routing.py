"""Which capability serves a request: rules over its words and the sizes of what it is about.

Owns the capabilities, the route with its reason, and the rules; what the words of a request ask for is
`routing_words.py`, what the rules leave open the model is asked in `route_choice.py`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from longdoc.agents.draft_budget import SHORT_REQUEST
from longdoc.agents.draft_request import requested_length
from longdoc.agents.request_words import focus_of
from longdoc.agents.routing_words import FoundIntent, Intent, in_known_language, intent_of
from longdoc.json_value import JsonValue


class Capability(StrEnum):
    """What can be done. `CALL` is one call: without documents, or with all of them in it."""

    CALL = "call"
    SUMMARIZE = "summarize"
    ASK = "ask"
    CHECK = "check"
    WRITE = "write"
    CHAT = "chat"


class DecidedBy(StrEnum):
    """Who decided on a route."""

    RULE = "rule"
    MODEL = "model"
    USER = "user"


@dataclass(frozen=True, slots=True)
class Route:
    """The capability that serves a request, and why, in a sentence.

    `words` and `chapters` are the length that was asked for; `by_chapter` has chapters summarized one by one; `how`
    says by which method or strategy, as far as that is known before.
    """

    capability: Capability
    reason: str
    decided_by: DecidedBy = DecidedBy.RULE
    words: int | None = None
    chapters: int | None = None
    by_chapter: bool = False
    how: str = ""

    def to_json(self) -> dict[str, JsonValue]:
        """As a value for programs."""
        return {
            "capability": str(self.capability),
            "reason": self.reason,
            "decided_by": str(self.decided_by),
            "words": self.words,
            "chapters": self.chapters,
            "by_chapter": self.by_chapter,
            "how": self.how,
        }


@dataclass(frozen=True, slots=True)
class AskedWith:
    """What a request comes with: how many `documents`, of about so many `tokens` together, of which one call holds
    `room`; whether it asks a `collection`, belongs to a `session`, follows other `turns`; the `words` that are set."""

    documents: int = 0
    tokens: float = 0.0
    room: int = 4_000
    collection: bool = False
    session: bool = False
    turns: int = 0
    words: int | None = None

    @property
    def grounded(self) -> bool:
        """Whether there is any text to work from."""
        return self.documents > 0 or self.collection

    @property
    def fits(self) -> bool:
        """Whether all of the text fits one call."""
        return not self.collection and self.tokens <= self.room

    @property
    def talking(self) -> bool:
        """Whether it is part of a conversation."""
        return self.session or self.turns > 0

    @property
    def size(self) -> str:
        """How long the text is beside one call, in words."""
        if not self.grounded:
            return "there is no document"
        if self.collection and not self.tokens:
            return "a collection is asked"
        fits = "fit" if self.fits else "do not fit"
        return f"about {self.tokens:,.0f} tokens {fits} one call, which holds {self.room:,}"


_LONG_FORMS = re.compile(
    r"\b(?:essays?|reports?|articles?|papers?|stor(?:y|ies)|novels?|novellas?|books?|thes[ie]s|dissertations?"
    r"|guides?|manuals?|handbooks?"
    r"|tutorials?|white ?papers?|biograph(?:y|ies)|histor(?:y|ies)|reviews?|speech(?:es)?|screenplays?|plays?"
    r"|proposals?|treatises?|monographs?"
    r"|memoirs?|textbooks?|documentation|chronicles?|lectures?|fairy ?tales?|blog posts?|case stud(?:y|ies)"
    r"|business plans?|introductions?|analys[ie]s"
    r"|aufs[äa]tze?|berichte?|artikel|geschichten?|romane?|novellen?|b[üu]cher|buch|abhandlung(?:en)?|ratgeber"
    r"|handb[üu]ch(?:er)?|reden?|m[äa]rchen|gutachten|referate?|hausarbeit|leitfaden|drehbuch"
    r"|essais?|rapports?|romans?|histoires?|nouvelles?|livres?|guides?|manuels?|discours|contes?|dissertations?"
    r"|exposés?|m[ée]moires?"
    r"|ensayos?|informes?|art[íi]culos?|novelas?|cuentos?|historias?|libros?|gu[íi]as?|discursos?|relatos?|tratados?"
    r"|saggi(?:o)?|relazion[ei]|articol[oi]|romanz[oi]|raccont[oi]|stori[ae]|libr[oi]|guid[ae]|discors[oi]|tem[ai]"
    r"|fiab[ae]"
    r"|ensaios?|relat[óo]rios?|artigos?|romances?|contos?|hist[óo]rias?|livros?|guias?|discursos?|monografias?)\b"
    r"|文章|论文|报告|小说|故事|散文|书|指南|手册|演讲稿|评论|剧本|传记|教程|童话"
)
_SHORT_FORMS = re.compile(
    r"\b(?:e-?mails?|mails?|letters?|notes?|tweets?|posts?|messages?|haikus?|poems?|limericks?|sonnets?|jokes?"
    r"|titles?|headlines?|captions?|slogans?"
    r"|sentences?|paragraphs?|taglines?|bios?|repl(?:y|ies)|answers?|responses?|subject lines?|recipes?|functions?"
    r"|code|regex|quer(?:y|ies)|abstracts?|blurbs?|invitations?|toasts?|press release|memos?|songs?|lyrics|riddles?"
    r"|puns?|product descriptions?|to-?do lists?|shopping lists?"
    r"|briefe?|gedichte?|nachrichten?|s[äa]tze?|absatz|[üu]berschriften?|titel|witze?|antwort(?:en)?"
    r"|einladung(?:en)?|rezepte?|lied(?:er)?"
    r"|lettres?|courriels?|po[èe]mes?|messages?|phrases?|paragraphes?|titres?|blagues?|r[ée]ponses?|invitations?"
    r"|recettes?|chansons?"
    r"|cartas?|correos?|poemas?|mensajes?|frases?|p[áa]rrafos?|t[íi]tulos?|chistes?|respuestas?|invitaci[óo]n|recetas?"
    r"|letter[ae]|poesi[ae]|messaggi(?:o)?|fras[ei]|paragraf[oi]|titol[oi]|barzellett[ae]|rispost[ae]|invit[oi]"
    r"|ricett[ae]"
    r"|e-mails?|poemas?|mensagens?|mensagem|par[áa]grafos?|piadas?|respostas?|convites?|receitas?)\b"
    r"|邮件|信|诗|短信|消息|标题|句子|一句话|一段话|笑话|回复|请柬|菜谱|口号|短文"
)
_BY_CHAPTER = re.compile(
    r"chapter[- ]by[- ]chapter|\bby chapters?\b|\b(?:each|every|per|all(?: the)?) chapters?\b|\bof (?:each"
    r"|every) chapter|chapter summar"
    r"|kapitelweise|kapitel f[üu]r kapitel|\b(?:pro|je|jedes|jedem|jeden|nach) kapiteln?\b"
    r"|chapitre par chapitre|\b(?:par|chaque) chapitres?\b|cap[íi]tulo (?:por|a) cap[íi]tulo|\b(?:por"
    r"|cada) cap[íi]tulos?\b"
    r"|capitolo per capitolo|\b(?:ogni|per) capitol[oi]\b|逐章|每一?个?章|按章|各章|分章"
)
_LENGTHENS = {Intent.WRITE, Intent.ANSWER, Intent.EXTRACT, Intent.CHANGE}
"""Intents in which a length of many words makes a text of its own."""


def route_by_rules(request: str, given: AskedWith) -> Route | None:
    """The route of a request by rules; None where its words leave it open."""
    found = intent_of(request)
    asked = requested_length(request)
    words = given.words or asked.words
    if found is None:
        return _without_intent(request, given, words, asked.chapters)
    return _routed(request, found, given, words, asked.chapters)


def open_capabilities(request: str, given: AskedWith) -> tuple[Capability, ...]:
    """What can serve a request that no rule knows, the likeliest first.

    Who wants a text written or a claim checked says so; where the language is known and nothing says so, neither is
    meant.
    """
    if given.grounded:
        named = () if in_known_language(request) else (Capability.CHECK, Capability.WRITE)
        one_call = (Capability.CALL,) if given.fits and not in_known_language(request) else ()
        talk = (Capability.CHAT,) if given.talking else ()
        return (Capability.ASK, Capability.SUMMARIZE, *named, *one_call, *talk)
    if given.talking:
        return (Capability.CHAT, Capability.WRITE)
    return (Capability.CALL, Capability.WRITE, Capability.CHAT)


def _routed(
    request: str, found: FoundIntent, given: AskedWith, words: int | None, chapters: int | None
) -> Route | None:
    intent = found.intent
    long = (words or 0) >= SHORT_REQUEST or (chapters or 0) > 1
    said = _said(found)
    if intent is Intent.TALK:
        return Route(Capability.CHAT, f"it is talk: {said}")
    if intent in _LENGTHENS and long and (intent is not Intent.CHANGE or (words or 0) > given.tokens):
        length = f"{words:,} words" if words else f"{chapters} chapters"
        return Route(
            Capability.WRITE,
            f"{said} asks for a text of {length}" + (", written from the documents" if given.grounded else ""),
            words=words,
            chapters=chapters,
        )
    if intent is Intent.WRITE:
        return _written(request, said, given, words)
    if not given.grounded:
        return _ungrounded(said, intent, given, words)
    return _grounded(request, said, intent, given, words)


def _grounded(request: str, said: str, intent: Intent, given: AskedWith, words: int | None) -> Route:
    """The route of a request that has a text to work from."""
    if intent is Intent.SUMMARIZE:
        by_chapter = _BY_CHAPTER.search(request.casefold()) is not None
        focus = focus_of(request)
        view = "" if focus is None else f"; all of it is read, with “{shortened(focus)}” in view"
        why = f"{said} asks for a summary{', chapter by chapter' if by_chapter else ''}; {given.size}{view}"
        return Route(Capability.SUMMARIZE, why, words=words, by_chapter=by_chapter)
    if intent is Intent.CHECK:
        return Route(Capability.CHECK, f"{said} asks whether the text bears it out")
    if intent in {Intent.CHANGE, Intent.EXTRACT}:
        return _changed(said, intent, given, words)
    if given.session or (intent is Intent.STATEMENT and given.talking):
        return Route(Capability.CHAT, f"{said} is said in a conversation")
    if intent is Intent.STATEMENT:
        return Route(Capability.CHECK, f"{said} claims something, which is checked against the text")
    return Route(Capability.ASK, f"{said} asks what the text says")


def _changed(said: str, intent: Intent, given: AskedWith, words: int | None) -> Route:
    """The route of a text that is wanted in another form, or in pieces."""
    why = f"{said} asks for the text in another form, and {given.size}"
    if given.fits:
        return Route(Capability.CALL, why, words=words)
    if intent is Intent.EXTRACT:
        return Route(Capability.ASK, f"{said} asks for what stands in the text, and {given.size}")
    return Route(Capability.WRITE, f"{why}: it is written anew, from its parts", words=words)


def _ungrounded(said: str, intent: Intent, given: AskedWith, words: int | None) -> Route:
    if given.talking:
        return Route(Capability.CHAT, "it goes on with a conversation, and there is no document", words=words)
    if intent is Intent.SUMMARIZE:
        return Route(Capability.CALL, "what is to be summarized stands in the request itself", words=words)
    if intent in {Intent.CHECK, Intent.STATEMENT}:
        return Route(Capability.CALL, "there is no document to check it against, so the model says what it knows")
    return Route(Capability.CALL, f"{said} fits one call, and there is no document", words=words)


def _written(request: str, said: str, given: AskedWith, words: int | None) -> Route | None:
    """The route of a text to be written that has no length of many words."""
    folded = request.casefold()
    short, long = _SHORT_FORMS.search(folded), _LONG_FORMS.search(folded)
    if short and long:  # "an email about the report": what is written is named first
        short, long = (short, None) if short.start() <= long.start() else (None, long)
    if words is not None or short:
        size = f"{words:,} words" if words is not None else f"a {short[0] if short else ''}"
        if given.grounded and not given.fits:
            return Route(Capability.WRITE, f"{size} are written from the text, and {given.size}", words=words or 150)
        if given.talking and not given.grounded:
            return Route(Capability.CHAT, f"{size} in a conversation", words=words)
        return Route(Capability.CALL, f"{said} asks for {size}, which one call writes", words=words)
    if long:
        return Route(Capability.WRITE, f"{said} asks for a long text ({long[0]})")
    if given.grounded:
        return Route(Capability.WRITE, f"{said} asks for a text, written from the documents")
    return None


def _without_intent(request: str, given: AskedWith, words: int | None, chapters: int | None) -> Route | None:
    """The route of a request that no verb tells."""
    folded = request.casefold()
    if (words or 0) >= SHORT_REQUEST or (chapters or 0) > 1:
        return Route(Capability.WRITE, f"a text of {words or 0:,} words is asked for", words=words, chapters=chapters)
    if not given.grounded and given.talking:
        return Route(Capability.CHAT, "it goes on with a conversation, and there is no document")
    if not given.grounded:
        if _LONG_FORMS.search(folded) and len(request) < 400:
            return Route(Capability.WRITE, "it names a long text, and there is no document that it could be about")
        return Route(Capability.CALL, "it fits one call, and there is no document", words=words)
    return None


def _said(found: FoundIntent) -> str:
    return f"“{shortened(found.shown_by.strip())}”"


def shortened(text: str, most: int = 40) -> str:
    """A text of one line, cut to so many characters."""
    line = " ".join(text.split())
    return line if len(line) <= most else f"{line[:most]}…"


def route_of_json(value: Mapping[str, JsonValue]) -> Route | None:
    """The route that `Route.to_json` told of; None for anything else."""
    capability, decided = value.get("capability"), value.get("decided_by")
    if capability not in set(Capability) or decided not in set(DecidedBy):
        return None
    words, chapters = value.get("words"), value.get("chapters")
    return Route(
        Capability(str(capability)),
        str(value.get("reason") or ""),
        DecidedBy(str(decided)),
        words if isinstance(words, int) else None,
        chapters if isinstance(chapters, int) else None,
        value.get("by_chapter") is True,
        str(value.get("how") or ""),
    )
