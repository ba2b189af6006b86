"""What the language of a manuscript decides: the words a writer adds, and the direction of lines.

Owns these tables; typography is the formats' own.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum

_TAG = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*")
_UNKNOWN = "und"
_RIGHT_TO_LEFT = frozenset({"ar", "ckb", "dv", "fa", "he", "iw", "ps", "sd", "syr", "ug", "ur", "yi"})
_STRONG = {"L": "ltr", "R": "rtl", "AL": "rtl"}


class Direction(StrEnum):
    """Which way lines run."""

    LTR = "ltr"
    RTL = "rtl"


@dataclass(frozen=True, slots=True)
class Labels:
    """The headings that a writer adds."""

    contents: str
    notes: str
    bibliography: str


_LABELS = {
    "en": Labels("Contents", "Notes", "Bibliography"),
    "ar": Labels("المحتويات", "الهوامش", "المراجع"),
    "de": Labels("Inhalt", "Anmerkungen", "Literaturverzeichnis"),
    "el": Labels("Περιεχόμενα", "Σημειώσεις", "Βιβλιογραφία"),
    "es": Labels("Índice", "Notas", "Bibliografía"),
    "fr": Labels("Table des matières", "Notes", "Bibliographie"),
    "he": Labels("תוכן העניינים", "הערות", "ביבליוגרפיה"),
    "it": Labels("Indice", "Note", "Bibliografia"),
    "ja": Labels("目次", "注", "参考文献"),
    "ko": Labels("차례", "주", "참고 문헌"),
    "nl": Labels("Inhoud", "Noten", "Bibliografie"),
    "pl": Labels("Spis treści", "Przypisy", "Bibliografia"),
    "pt": Labels("Índice", "Notas", "Bibliografia"),
    "ru": Labels("Содержание", "Примечания", "Литература"),
    "tr": Labels("İçindekiler", "Notlar", "Kaynakça"),
    "uk": Labels("Зміст", "Примітки", "Література"),
    "zh": Labels("目录", "注释", "参考文献"),
}


def language_tag(language: str) -> str:
    """The language as a well-formed BCP 47 tag, "und" where it is none."""
    tag = language.strip().replace("_", "-")
    return tag if _TAG.fullmatch(tag) else _UNKNOWN


def labels_of(tag: str) -> Labels:
    """The added headings in a language, in English where they are not known in it."""
    return _LABELS.get(primary(tag), _LABELS["en"])


def direction_of_language(tag: str) -> Direction:
    """The direction in which a language is written."""
    return Direction.RTL if primary(tag) in _RIGHT_TO_LEFT else Direction.LTR


def direction_of_text(text: str, default: Direction) -> Direction:
    """The direction of the first letter that has one."""
    found = (_STRONG.get(unicodedata.bidirectional(character)) for character in text)
    return Direction(next((direction for direction in found if direction), default))


def primary(tag: str) -> str:
    """The language alone, without script and region."""
    return tag.partition("-")[0].lower()
