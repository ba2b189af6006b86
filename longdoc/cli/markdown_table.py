"""Tables in Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence


def markdown_table(columns: Sequence[str], rows: Sequence[Sequence[str]], *, left: int = 1) -> Iterator[str]:
    """The lines of a table, also read as it stands: its first `left` columns to the left, the others to the right."""
    cells = [[cell.replace("|", "\\|") for cell in row] for row in (columns, *rows)]
    widths = [max(2, *(len(row[i]) for row in cells)) for i in range(len(columns))]
    rule = [f":{'-' * (width - 1)}" if i < left else f"{'-' * (width - 1)}:" for i, width in enumerate(widths)]
    for row in (cells[0], rule, *cells[1:]):
        padded = (
            cell.ljust(w) if i < left else cell.rjust(w) for i, (cell, w) in enumerate(zip(row, widths, strict=True))
        )
        yield f"| {' | '.join(padded)} |"
