"""Markup is parsed safely, and as far as it can be."""

from pathlib import Path

import pytest

from longdoc.documents.limits import Limits
from longdoc.documents.markup.xml import parse_xhtml, parse_xml
from longdoc.errors import DocumentTooLargeError, MalformedDocumentError


def text_of(markup: str) -> str:
    return str(parse_xhtml(markup.encode(), source="x", limits=Limits()).xpath("string()"))


def test_named_characters_of_html_are_known_with_and_without_doctype() -> None:
    doctype = '<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.1//EN" "http://example.org/none.dtd">'
    for start in ("", doctype):
        assert text_of(f"{start}<html>caf&eacute;&nbsp;&mdash; &amp; &lt;</html>") == "café\u00a0— & <"


def test_entities_of_the_internal_subset_are_replaced() -> None:
    assert text_of('<!DOCTYPE a [<!-- don\'t --><!ENTITY who "Ada">]><a>&who;!</a>') == "Ada!"


def test_external_entities_are_not_read(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("secret")
    assert "secret" not in text_of(f'<!DOCTYPE a [<!ENTITY x SYSTEM "{secret.as_uri()}">]><a>&x;</a>').replace(
        "&x;", ""
    )


def test_entities_within_entities_are_refused() -> None:
    with pytest.raises(DocumentTooLargeError):
        text_of('<!DOCTYPE a [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><a>&b;</a>')


def test_a_long_entity_used_often_is_refused() -> None:
    with pytest.raises(DocumentTooLargeError):
        text_of(f'<!DOCTYPE a [<!ENTITY a "{"x" * 10_000}">]><a>{"&a;" * 10_000}</a>')


@pytest.mark.parametrize("depth", [300, 100_000])
def test_deep_nesting_is_refused(depth: int) -> None:
    with pytest.raises(DocumentTooLargeError):
        parse_xml(b"<a>" * depth + b"</a>" * depth, source="x", limits=Limits())


def test_broken_markup_still_gives_its_text() -> None:
    assert "one" in text_of("<html><body><p>one<br>two</body>")
    assert "two" in text_of("<html><body><p>one<br>two</body>")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "iso-8859-1", "windows-1251"])
def test_declared_encodings_are_used(encoding: str) -> None:
    word = "слово" if encoding != "iso-8859-1" else "Käse"
    data = f'<?xml version="1.0" encoding="{encoding}"?><a>{word}</a>'.encode(encoding)
    assert parse_xml(data, source="x", limits=Limits()).text == word


def test_what_is_no_markup_is_malformed() -> None:
    with pytest.raises(MalformedDocumentError):
        parse_xml(b"hello", source="x", limits=Limits())
