"""The live view of `lda do`: the view of a run, told step by step."""

from __future__ import annotations

from longdoc.cli.run_view import RunView

_MOST_TITLE = 60


class StepView(RunView):
    """See `RunView`; the title is the beginning of the request."""

    def __init__(self, request: str, *, quiet: bool) -> None:
        line = " ".join(request.split())
        super().__init__(line if len(line) <= _MOST_TITLE else f"{line[: _MOST_TITLE - 1]}…", quiet=quiet)
