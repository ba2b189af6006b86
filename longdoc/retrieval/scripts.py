"""Classes of characters that tell where a word is, as they stand inside the brackets of a regular expression."""

from __future__ import annotations

from typing import Final

SPACELESS: Final = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"  # Thai, Lao, Burmese, Khmer
    "\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff"  # kana
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"  # Han
)
"""Scripts that put no spaces between words."""

MARKS: Final = "\u0900-\u0dff\u0300-\u036f"
"""Marks that belong to words though they are no `\\w`: those of Indic scripts, and accents that stand alone."""

ACCENTS: Final = "\u0300-\u036f\u0591-\u05c7\u064b-\u0652\u0640"
"""What is left out so that words agree: accents of Latin, Greek and Cyrillic; points of Hebrew; vowels of Arabic."""
