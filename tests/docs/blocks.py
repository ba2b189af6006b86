"""Blocks of code of the pages: which there are, and how those are run that can be.

Blocks in Python run unless they are marked `no-run`; commands are marked `run` or `no-run`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

DOCS: Final = Path(__file__).parents[2] / "docs"
_FENCE: Final = re.compile(
    r"^(?P<indent> *)```(?P<language>\w+)(?P<mark>[^\n]*)\n(?P<text>.*?)^ *```$", re.MULTILINE | re.DOTALL
)
_COMMANDS: Final = frozenset({"sh", "bash", "shell", "console"})


@dataclass(frozen=True)
class Block:
    """A block of code: its page, the line it begins at, and the word after its language."""

    page: str
    line: int
    language: str
    mark: str
    text: str

    @property
    def commands(self) -> bool:
        return self.language in _COMMANDS

    @property
    def runs(self) -> bool:
        return self.mark == "run" if self.commands else self.language == "python" and self.mark != "no-run"


def blocks_of(page: Path) -> list[Block]:
    text = page.read_text("utf-8")
    return [
        Block(
            page.name,
            text.count("\n", 0, found.start("text")) + 1,
            found["language"],
            found["mark"].strip(),
            re.sub(rf"^{found['indent']}", "", found["text"], flags=re.MULTILINE),
        )
        for found in _FENCE.finditer(text)
    ]


PAGES: Final = sorted(DOCS.glob("*.md"))
BLOCKS: Final = {page.name: blocks_of(page) for page in PAGES}
