"""What `lda do` reads before anything is done."""

from __future__ import annotations

import io
import sys
from types import SimpleNamespace

import pytest

from longdoc.cli import do_job
from longdoc.cli.do_job import read_instruction
from longdoc.documents.limits import Limits
from longdoc.errors import ConfigError


def test_a_request_too_long_for_standard_input_is_refused_and_not_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(do_job, "Limits", lambda: Limits(file_bytes=20))
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(b"a text of some length. Who came?")))
    with pytest.raises(ConfigError, match="more than 20 bytes"):
        read_instruction("-")
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(b"Who came at last?")))
    assert read_instruction("-") == "Who came at last?"
