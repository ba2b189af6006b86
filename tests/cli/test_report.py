"""What stands in the file of a report; what a browser does with it is tested in `test_report_page.py`."""

import base64
import hashlib
import json
import re
from dataclasses import asdict

import lxml.html
from hypothesis import given
from hypothesis import strategies as st

from longdoc.cli.report import Report, report_html
from tests.cli.reports import TEXT, report, root

_HOSTILE = "</script><script>alert(1)</script><!-- <img src=x onerror=alert(2)> \u2028 {{report}} {{policy}} &amp;"
_TEXTS = st.text() | st.sampled_from([_HOSTILE, "]]>", "\r\n\0", "\ud800", "𐌰𐌱"])


def _data(page: str) -> object:
    """The report that a page holds, as a browser finds it."""
    (element,) = lxml.html.document_fromstring(page).xpath("//script[@id='data']")
    return json.loads(element.text)


def _plain(made: Report) -> object:
    return json.loads(json.dumps(asdict(made)))


def test_a_page_holds_the_whole_report():
    assert _data(report_html(report())) == _plain(report())


@given(text=_TEXTS, title=_TEXTS, fact=_TEXTS)
def test_any_text_comes_out_as_it_went_in(text: str, title: str, fact: str):
    made = report(title=title, document_text=text, nodes=(root(text=text, title=title),), facts=((fact, fact),))

    page = report_html(made)

    assert _data(page.encode("utf-8").decode("utf-8")) == _plain(made)


def test_no_text_ends_the_element_it_stands_in():
    page = report_html(report(title=_HOSTILE, document_text=_HOSTILE, creators=(_HOSTILE,)))

    assert page.count("</script>") == 2
    assert "<img" not in page
    assert "\u2028" not in page


def test_nothing_outside_the_file_is_referred_to():
    page = report_html(report())

    assert not re.search(r"https?:|//[a-z]+\.|@import|url\(|\bsrc=|\bhref=", page)


def test_only_the_style_and_the_script_of_the_page_itself_are_allowed():
    page = report_html(report(title=_HOSTILE))

    (policy,) = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)
    for tag in ("style", "script"):
        (content,) = re.findall(rf"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy


def test_a_page_is_hardly_larger_than_its_texts():
    empty = len(report_html(report(document_text="")))

    assert empty < 100_000
    assert len(report_html(report(document_text=TEXT * 100))) < empty + 1.1 * len(TEXT * 100)
