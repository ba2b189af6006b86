"""Words of pandoc's native format, for comparing our readers with its gold parses.

Reads the strings that are text and what parts words; the tree itself is left alone.
"""

import re
from dataclasses import dataclass

_TOKEN = re.compile(r'"((?:[^"\\]|\\.)*)"|([A-Z][A-Za-z]+)|([\[\]()])', re.DOTALL)
_ESCAPE = re.compile(r'\\(?:(\d+)|x([0-9a-fA-F]+)|([\\"nt&]))')
_PLAIN_ESCAPES = {"\\": "\\", '"': '"', "n": "\n", "t": "\t", "&": ""}
_PARTING = {"Space", "SoftBreak", "LineBreak", "Para", "Plain", "Header", "Cell", "CodeBlock"}


@dataclass(frozen=True)
class GoldText:
    """Words of the running text and words of the notes, in order."""

    words: list[str]
    note_words: list[str]


def read_native(text: str) -> GoldText:
    """The words of a native file; strings that are attributes (classes, targets, sizes) are left out.

    A string is text right after `Str`, or at the depth of its `Code`, `CodeBlock` or `Math`.
    """
    body: list[str] = []
    notes: list[str] = []
    depth, note_depth = 0, None
    expected: tuple[str, int] | None = None
    for string, name, bracket in _TOKEN.findall(_without_metadata(text)):
        target = body if note_depth is None else notes
        if bracket:
            depth += 1 if bracket in "[(" else -1
            note_depth = None if note_depth is not None and depth < note_depth else note_depth
        elif name:
            target.append(" " if name in _PARTING else "")
            note_depth = depth + 1 if name == "Note" and note_depth is None else note_depth
            expected = (name, depth) if name in {"Str", "Code", "CodeBlock", "Math"} else expected
        elif expected and depth == expected[1]:
            target.append(_unescaped(string))
            expected = None
    return GoldText("".join(body).split(), "".join(notes).split())


def _without_metadata(text: str) -> str:
    """The text after `Pandoc (Meta …)`."""
    match = re.match(r"\s*Pandoc\s*\(", text)
    if match is None:
        return text
    depth = 1
    for token in _TOKEN.finditer(text, match.end()):
        depth += {"(": 1, ")": -1}.get(token[3] or "", 0)
        if depth == 0:
            return text[token.end() :]
    return text


def _unescaped(string: str) -> str:
    def replace(match: re.Match[str]) -> str:
        if match[1]:
            return chr(int(match[1]))
        return chr(int(match[2], 16)) if match[2] else _PLAIN_ESCAPES[match[3]]

    return _ESCAPE.sub(replace, string)
