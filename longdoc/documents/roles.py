"""What a section is for, told from what its source calls it.

Owns the words: structural types of EPUB, titles in several languages, file names. Which of them a reader has,
and which it trusts more, is the reader's own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from longdoc.documents.document import SectionRole

_TYPES = {
    SectionRole.COVER: "cover cover-image doc-cover",
    SectionRole.TITLE_PAGE: "titlepage title-page halftitlepage halftitle",
    SectionRole.CONTENTS: "toc toc-brief loi lot loa lov contents doc-toc",
    SectionRole.FRONT: "dedication epigraph frontispiece acknowledgments acknowledgements doc-dedication "
    "doc-epigraph doc-acknowledgments",
    SectionRole.LICENCE: "imprint imprimatur colophon copyright-page copyright uncopyright license doc-colophon",
    SectionRole.NOTES: "footnotes endnotes rearnotes notes doc-endnotes",
    SectionRole.BACK: "index bibliography glossary other-credits contributors doc-index doc-bibliography doc-glossary",
    SectionRole.BODY: "bodymatter chapter part volume division introduction preface prologue foreword "
    "preamble afterword epilogue conclusion text doc-chapter doc-part doc-introduction doc-preface "
    "doc-prologue doc-foreword doc-afterword doc-epilogue doc-conclusion",
}
_ROLE_OF_TYPE = {word: role for role, words in _TYPES.items() for word in words.split()}

_TITLES = {
    SectionRole.COVER: r"(front |back )?cover|表紙|封面|обложка|couverture|umschlag|portada",
    SectionRole.TITLE_PAGE: r"(half[ -]?)?title[ -]?page|half[ -]?title|扉|书名页|титульный лист|titelseite",
    SectionRole.CONTENTS: (
        r"(table of |brief )?contents|toc|(list|table) of (illustrations|figures|tables|plates|maps)|inhalt"
        r"(sverzeichnis)?|table des mati[eè]res|sommaire|[ií]ndice|inhoud|目次|目录|目錄|図表?一覧"
        r"|содержание|оглавление|תוכן( ה?עניינים)?|المحتويات|विषय[ -]?सूची"
    ),
    SectionRole.FRONT: r"dedication|epigraph|acknowledge?ments?|widmung|danksagung|d[ée]dicace|献辞|謝辞"
    r"|also by .{1,60}",
    SectionRole.LICENCE: (
        r"imprint|colophon|(un)?copyright( page| notice| information)?"
        r"|(the )?(full )?(project gutenberg.{0,4} )?licen[cs]e|legal notices?|impressum|mentions l[ée]gales"
        r"|奥付|版权(页|信息)?|著作権|авторские права|זכויות יוצרים"
    ),
    SectionRole.NOTES: r"(end|foot)?notes|anmerkungen|注(释|釈)?(一覧)?|примечания|הערות( שוליים)?",
    SectionRole.BACK: r"(general |subject )?index|(selected )?bibliography|works cited|references|glossary"
    r"|about the authors?|索引|参考文献|bibliographie|glossar|literaturverzeichnis",
}
_TITLE_PATTERNS = [(role, re.compile(pattern, re.IGNORECASE)) for role, pattern in _TITLES.items()]

_FILE_NAMES = {
    SectionRole.COVER: r"cover([_-]?page)?",
    SectionRole.TITLE_PAGE: r"(half)?[_-]?title([_-]?page)?",
    SectionRole.CONTENTS: r"toc|nav|contents|table[_-]of[_-]contents|lo[ift]",
    SectionRole.FRONT: r"dedication|epigraph|acknowledge?ments?",
    SectionRole.LICENCE: r"(un)?copyright([_-]?page)?|colophon|imprint|licen[cs]e|legal",
    SectionRole.NOTES: r"(end|foot)?notes?",
    SectionRole.BACK: r"bibliography|glossary|about[_-]?the[_-]?author",
}
_FILE_PATTERNS = [(role, re.compile(pattern, re.IGNORECASE)) for role, pattern in _FILE_NAMES.items()]
_DEEP_NUMBER = re.compile(r"\s*\d+\.\d")
_EDGES = re.compile(r"^[\W\d_]+|[\W_]+$")


def role_of_types(types: Iterable[str]) -> SectionRole | None:
    """The role that structural types (`epub:type`, ARIA roles, guide) name; special ones before body."""
    roles = [_ROLE_OF_TYPE[word] for word in types if word in _ROLE_OF_TYPE]
    special = (role for role in roles if role is not SectionRole.BODY)
    return next(special, roles[0] if roles else None)


def role_of_title(title: str) -> SectionRole | None:
    """The role that a title gives away; None for most titles, and for parts of chapters ("2.1 Notes")."""
    if _DEEP_NUMBER.match(title):
        return None
    bare = _EDGES.sub("", title.strip())
    return next((role for role, pattern in _TITLE_PATTERNS if pattern.fullmatch(bare)), None)


def role_of_file_name(stem: str) -> SectionRole | None:
    """The role that a file's name without extension gives away; None for most names."""
    bare = _EDGES.sub("", stem)
    return next((role for role, pattern in _FILE_PATTERNS if pattern.fullmatch(bare)), None)
