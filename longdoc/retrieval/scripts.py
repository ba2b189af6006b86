"""Classes of characters that tell where a word is, as they stand inside the brackets of a regular expression."""

from __future__ import annotations

from typing import Final

SPACELESS: Final = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"  # Thai, Lao, Burmese, Khmer
    "\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff"  # kana
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"  # Han
)
"""Scripts that put no spaces between words."""

POINTS: Final = (
    "\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7"  # points and accents of Hebrew
    "\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06dc\u06df-\u06e4\u06e7\u06e8\u06ea-\u06ed\u08ca-\u08e1\u08e3-\u08ff"
    "\u0640"  # of Arabic: vowels, signs for recitation, the stroke that makes a word longer
)
"""What the same word of Hebrew or Arabic is written with or without."""

MARKS: Final = f"\u0900-\u0963\u0966-\u0dff\u0300-\u036f{POINTS}"
"""Marks that belong to words though they are no `\\w`: those of Indic scripts, accents that stand alone, points."""

ACCENTS: Final = f"\u0300-\u036f{POINTS}"
"""What is left out so that words agree: accents of Latin, Greek and Cyrillic; points of Hebrew; vowels of Arabic."""
