"""Texts of any length that make careless patterns take forever."""

from collections.abc import Callable, Mapping


def _repeated(piece: str) -> Callable[[int], str]:
    return lambda length: piece * (length // len(piece))


HOSTILE: Mapping[str, Callable[[int], str]] = {
    name: _repeated(piece)
    for name, piece in {
        "digits": "1",
        "letters": "a",
        "words": "word ",
        "numbers": "100 words ",
        "grouped": "111,",
        "parted digits": "1 ",
        "dashes": "-",
        "spaces": " ",
        "lines": "\n",
        "spaced lines": " \n",
        "signs": "十",
        "hundreds": "hundred ",
        "hashes": "#",
        "stars": "*",
        "bars": "|",
        "fences": "```\n",
        "opened": '{"a":',
        "tags": "<b",
        "chapters": "each chapter ",
        "marks": '."',
        "items": "- \n",
        "labels": "Section 1:",
    }.items()
}
