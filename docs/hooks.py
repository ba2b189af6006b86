"""What happens to a page before it is drawn: the word behind the language of a block of code is for the tests alone."""

from __future__ import annotations

import re
from typing import Final

_MARKED: Final = re.compile(r"^( *`{3,}\w+) (?:run|no-run)$", re.MULTILINE)


def on_page_markdown(markdown: str, **_: object) -> str:
    """Called by MkDocs with the text of each page."""
    return _MARKED.sub(r"\1", markdown)
