"""Characters of symbol fonts (Symbol, Wingdings), which old files name by their place in the font."""

from __future__ import annotations

_PRIVATE = 0xF000
_SYMBOL_FROM_21 = "!∀#∃%&∍()∗+,−./0123456789:;<=>?≅ΑΒΧΔΕΦΓΗΙϑΚΛΜΝΟΠΘΡΣΤΥςΩΞΨΖ[∴]⊥_‾αβχδεφγηιϕκλμνοπθρστυϖωξψζ{|}∼"
_SYMBOL_FROM_A0 = "€ϒ′≤⁄∞ƒ♣♦♥♠↔←↑→↓°±″≥×∝∂•÷≠≡≈…⏐⎯↵ℵℑℜ℘⊗⊕∅∩∪⊃⊇⊄⊂⊆∈∉∠∇®©™∏√⋅¬∧∨⇔⇐⇑⇒⇓◊〈®©™∑"
_WINGDINGS = {
    0x4A: "☺", 0x6C: "●", 0x6E: "■", 0x71: "❑", 0x75: "◆", 0x76: "❖", 0x9F: "•", 0xA7: "▪", 0xA8: "◻", 0xD8: "➢",
    0xDF: "←", 0xE0: "→", 0xE1: "↑", 0xE2: "↓", 0xE8: "➔", 0xF0: "⇨", 0xFB: "✗", 0xFC: "✓", 0xFD: "☒", 0xFE: "☑",
}  # fmt: skip


def symbol(code: str, font: str) -> str:
    """The character at a hexadecimal place of a font; empty where it has no Unicode that we know."""
    try:
        place = int(code, 16)
    except ValueError:
        return ""
    place -= _PRIVATE if _PRIVATE <= place < _PRIVATE + 256 else 0
    if font.lower() == "symbol":
        return _in_table(place)
    if font.lower().startswith("wingdings"):
        return _WINGDINGS.get(place, "")
    return chr(place) if 32 <= place < 0xD800 else ""


def _in_table(place: int) -> str:
    for first, table in ((0x21, _SYMBOL_FROM_21), (0xA0, _SYMBOL_FROM_A0)):
        if first <= place < first + len(table):
            return table[place - first]
    return ""
