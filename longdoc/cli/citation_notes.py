"""Citations said in words: marks in an answer, and what each mark stands for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from longdoc.agents.citations import Citation, Claim

_UNSUPPORTED: Final = "unsupported"


class CitationNotes:
    """Numbers citations while claims are marked with them; `several` documents are told by their titles."""

    def __init__(self, *, several: bool, markdown: bool) -> None:
        self._several = several
        self._markdown = markdown
        self._numbers: dict[Citation, int] = {}
        self._unsupported = False

    def marked(self, claim: Claim) -> str:
        """A claim with the numbers of what it rests on."""
        labels = [str(self._numbers.setdefault(citation, len(self._numbers) + 1)) for citation in claim.citations]
        if not labels:
            self._unsupported = True
            labels = [_UNSUPPORTED]
        return claim.text + "".join(self._mark(label) for label in labels)

    def lines(self) -> Sequence[str]:
        """What the numbers stand for, in order."""
        lines = [
            self._line(str(number), cited(citation, with_title=self._several))
            for citation, number in self._numbers.items()
        ]
        if self._unsupported:
            lines.append(
                self._line(_UNSUPPORTED, "The model gave no quotation of the text for this that stands in it.")
            )
        return lines

    def _mark(self, label: str) -> str:
        return f"[^{label}]" if self._markdown else f" [{label}]"

    def _line(self, label: str, text: str) -> str:
        return f"[^{label}]: {text}" if self._markdown else f"[{label}] {text}"


def cited(citation: Citation, *, with_title: bool) -> str:
    """A citation in words: the quote, and where it stands."""
    where = [
        citation.title if with_title else "",
        str(citation.place),
        f"characters {citation.start:,}–{citation.end:,}",
    ]
    return f"“{' '.join(citation.quote.split())}” ({', '.join(filter(None, where))})"
