"""What a question asks of a text: one fact, or something that only the whole text tells.

Decided by rules, so that it costs no call and is the same every time: patterns of English, and the commonest of
German, French, Spanish and Chinese. A question that no rule knows is a look-up. The rules, first match wins:

- counting: "how many" or "how often" with a unit that the text itself has (chapters, sections, paragraphs, pages,
  times, mentions), or with anything else where the question says that the whole text is meant ("in the book", "in
  all") and no amount is paid, taken or measured; "how many crowns did he pay" is a look-up, and so is "how many
  times a week";
- listing: "list all", "name every", "who are all the"; and "in which chapters", in the plural, with its unit;
- aggregation: summaries, themes, what a text is about, comparisons, developments, "throughout".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum


class QuestionForm(StrEnum):
    """What an answer is made of."""

    COUNTING = "counting"
    LISTING = "listing"
    AGGREGATION = "aggregation"
    LOOKUP = "lookup"


class Unit(StrEnum):
    """What is counted or listed; `ITEMS` are things that the question names, whatever they are."""

    CHAPTERS = "chapters"
    SECTIONS = "sections"
    PARAGRAPHS = "paragraphs"
    PAGES = "pages"
    MENTIONS = "mentions"
    ITEMS = "items"


@dataclass(frozen=True, slots=True)
class QuestionKind:
    """The form of a question; for counting and listing its unit, and the `term` where a word in itself is meant."""

    form: QuestionForm
    unit: Unit | None = None
    term: str | None = None

    @property
    def needs_all(self) -> bool:
        """Whether only the whole text holds the answer, so that no selection of segments can."""
        return self.form is not QuestionForm.LOOKUP


_TIMES = (
    r"times(?! (?:a|per|each|every|as|more|less|larger|greater)\b)|mentions|occurrences|references|instances"
    r"|malen?|erw[äa]hnungen|fois(?! par\b)|veces(?! (?:al?|por)\b)|menciones"
)
_UNITS = (
    (Unit.CHAPTERS, r"chapters|books and chapters|kapiteln?|chapitres|cap[ií]tulos", r"章|回"),
    (Unit.SECTIONS, r"sections|abschnitten?|secciones", r"节"),
    (Unit.PARAGRAPHS, r"paragraphs|abs[äa]tzen?|paragraphes|p[áa]rrafos", r"段"),
    (Unit.PAGES, r"pages|seiten|p[áa]ginas", r"页"),
    (Unit.MENTIONS, _TIMES, r"次|处"),
)
_WHOLE_TEXT = (
    r"(?:in|of|across|throughout|through|over) (?:the|this) (?:whole |entire |complete )?"
    r"(?:book|novel|story|text|document|work|volume|collection|report|transcript|meeting|play|poem)s?\b"
    r"|\bin (?:all|total)\b|\baltogether\b|\bthroughout\b"
    r"|\bim (?:ganzen )?(?:buch|roman|text|dokument|werk)\b"
    r"|\bin der (?:ganzen )?(?:geschichte|erz[äa]hlung)\b|\binsgesamt\b"
    r"|\bdans (?:le|ce|tout le) (?:livre|roman|texte|document|r[ée]cit)\b|\ben tout\b|\bau total\b"
    r"|\ben (?:el|este|todo el) (?:libro|texto|documento|relato)\b|\ben (?:la|esta) (?:novela|historia)\b|\ben total\b"
    r"|书中|全书|文中|小说中|故事中|一共|总共"
)
_HOW_MANY = r"(?:how many|number of|count (?:of )?(?:all |the )*|wie\s?viele[nr]?|combien (?:de|d[’'])|cu[áa]nt[oa]s)"
_OTHER = r"(?:(?!a\b|per\b)[\w’'-]+ ){0,2}"
_HOW_MANY_ITEMS = re.compile(rf"\b{_HOW_MANY}\b|多少|几(?:个|位|种|名)", re.IGNORECASE)
_AMOUNT = re.compile(
    r"\b(?:pay|pays|paid|cost|costs|spend|spends|spent|owe[ds]?|earn(?:s|ed)?|lend|lent|borrow(?:s|ed)?|charged?|worth"
    r"|weigh(?:s|ed)?|last(?:s|ed)?|measured?|inherit(?:s|ed)?|w[oi]n|loses?|lost|took|takes?)\b"
    r"|\b(?:zahlte?n?|bezahlte?n?|kostete?n?|dauerte?n?)\b|\b(?:pay[ée]e?|co[ûu]t[ée]?|pag[óo]|cost[óo])\b|付了|花了",
    re.IGNORECASE,
)
"""What is asked of with these verbs stands in one place."""
_HOW_OFTEN = re.compile(
    r"\b(?:how often|how frequently)\b.*"
    r"\b(?:mention|occur|appear|use|name|refer|quote|cite|repeat|crop|come up|say|said)"
    r"|\bwie oft\b.*\b(?:erw[äa]hn|vorkomm|kommt|genannt|auftauch|taucht|erschein|verwend|benutz|steh)"
    r"|\bcombien de fois\b|\bcu[áa]ntas veces\b",
    re.IGNORECASE,
)
_HOW_OFTEN_IN_ALL = re.compile(r"\b(?:how often|how frequently|wie oft)\b", re.IGNORECASE)
_LISTING = re.compile(
    r"\b(?:list|name|enumerate|find|give(?: me)?|show(?: me)?|identify|quote|collect)(?: me| us)?(?: a list of)? "
    r"(?:all|every|each|the (?:names|titles) of (?:all|every))\b"
    r"|\blist (?:of )?(?:the|them|any)\b|\bwhat are all\b|\bwho are all\b"
    r"|\ball (?:the )?(?:mentions|references|occurrences|instances)\b"
    r"|\b(?:every|each) (?:time|mention|instance|occurrence|place where)\b"
    r"|\b(?:liste|nenne|z[äa]hle|finde|zeige)\b.*\b(?:alle|jede|s[äa]mtliche)\b"
    r"|\b(?:liste[rz]?|[ée]num[èe]re[rz]?|[ée]num[ée]re[rz]?|cite[rz]?|nomme[rz]?|trouve[rz]?)\b.*\b(?:tous|toutes|chaque)\b"
    r"|\b(?:enumera|lista|nombra|menciona|encuentra)\b.*\b(?:todos|todas|cada)\b"
    r"|(?:列出|列举|找出|说出)(?:.{0,6})?(?:所有|全部|每)|有哪些",
    re.IGNORECASE,
)
_AGGREGATION = re.compile(
    r"\b(?:summar(?:y|i[sz]e|ies)|synopsis|overview|outline|recap|gist)\b"
    r"|\bwhat (?:is|was|are)\b[^?]*\babout\s*\?"
    r"|\bwhat happens\b(?=[^?]*(?:book|novel|story|text|play|work)|\s*\?)"
    r"|\b(?:main|central|key|major|overall|recurring|principal) "
    r"(?:\w+ )?(?:themes?|ideas?|points?|arguments?|messages?|claims?|topics?|motifs?|conclusions?|takeaways?|plot)\b"
    r"|\bthemes?\b|\bmotifs?\b|\bthe moral\b|\boverall(?:,|\s*\?)|^overall\b|\bthroughout\b|\bin general\b"
    r"|\bas a whole\b|\bcharacter arc\b"
    r"|\bcompar(?:e|es|ing|ison)\b|\bcontrast\b|\bdifferences? between\b|\bsimilarit(?:y|ies) between\b"
    r"|\bhow (?:does|do|did|has|have)\b.*\b(?:change|develop|evolve|grow|progress)\b"
    r"|\bfass\w*\b.*\bzusammen\b|\bzusammenfass|\bworum geht\b|\bthemen\b|\bhauptthem|\bvergleich"
    r"|\bunterschiede? zwischen\b"
    r"|\br[ée]sum(?:e|er|ez|é)\b|\bde quoi parle\b|\bth[èe]mes?\b|\bcompare[rz]\b|\bdiff[ée]rences? entre\b"
    r"|\bresum(?:e|en|ir)\b|\bde qu[ée] trata\b|\btemas?\b|\bcompar[ae]r?\b|\bdiferencias? entre\b"
    r"|总结|概括|概述|摘要|主题|大意|讲了什么|讲的是什么|比较|对比|区别",
    re.IGNORECASE,
)
_IN_QUOTATION_MARKS = re.compile(
    r"[\"“”„«»「『]\s*([^\"“”„«»「」『』]{1,80}?)\s*[\"“”«»」』]|(?<!\w)['‘‚]([^'‘’‚]{1,80})['’‘](?!\w)"
)
_NAMED_WORD = re.compile(
    r"\b(?:the (?:word|name|term)|das wort|de[rn] (?:namen?|begriff)|le (?:mot|nom|terme)|la palabra"
    r"|el (?:nombre|t[ée]rmino))"
    r"\s+(?!(?:of|for|is|does|was|von|f[üu]r|wird|kommt|de|pour|est|del|para|es|aparece)\b)([\w’'-]+)",
    re.IGNORECASE,
)


def kind_of(question: str) -> QuestionKind:
    """What a question asks of a text, by the rules of this module."""
    asked = " ".join(question.split())
    return next(_matches(asked), QuestionKind(QuestionForm.LOOKUP))


def _matches(asked: str) -> Iterator[QuestionKind]:
    """The kinds whose rules fit, in the order of the rules."""
    for unit, latin, chinese in _UNITS:
        if re.search(rf"\b{_HOW_MANY}\s*{_OTHER}(?:{latin})\b|(?:多少|几)个?(?:{chinese})", asked, re.IGNORECASE):
            yield QuestionKind(QuestionForm.COUNTING, unit, _term(asked))
    whole = re.search(_WHOLE_TEXT, asked, re.IGNORECASE)
    if _HOW_OFTEN.search(asked) or (whole and _HOW_OFTEN_IN_ALL.search(asked)):
        yield QuestionKind(QuestionForm.COUNTING, Unit.MENTIONS, _term(asked))
    if whole and _HOW_MANY_ITEMS.search(asked) and not _AMOUNT.search(asked):
        yield QuestionKind(QuestionForm.COUNTING, Unit.ITEMS)
    for unit, latin, chinese in _UNITS:
        which = r"(?:which|what|welchen?|quel(?:le)?s|qu[ée])"
        if re.search(rf"\b{which} (?:{latin})\b|(?:哪些|哪几)(?:{chinese})", asked, re.IGNORECASE):
            yield QuestionKind(QuestionForm.LISTING, unit, _term(asked))
    if _LISTING.search(asked):
        yield QuestionKind(QuestionForm.LISTING, _listed_unit(asked), _term(asked))
    if _AGGREGATION.search(asked):
        yield QuestionKind(QuestionForm.AGGREGATION)


def _listed_unit(asked: str) -> Unit:
    """What a list is of: a unit named right after "all", else the things that the question names."""
    for unit, latin, chinese in _UNITS:
        every = r"(?:all|every|each|alle|s[äa]mtliche|tous les|toutes les|todos los|todas las)"
        singular = rf"(?:{latin}|{unit.value.removesuffix('s')})"
        if re.search(rf"\b{every} (?:the )?{singular}\b|(?:所有|全部)(?:的)?(?:{chinese})", asked, re.IGNORECASE):
            return unit
    return Unit.ITEMS


def _term(asked: str) -> str | None:
    """The word, name or phrase that a question speaks of as such."""
    quoted = _IN_QUOTATION_MARKS.search(asked)
    if quoted:
        return quoted[1] or quoted[2]
    named = _NAMED_WORD.search(asked)
    return named[1] if named else None
