"""HTML: one page that needs nothing else, runs nothing, and links its notes both ways."""

import base64
import hashlib
import re

from lxml import html

from longdoc.documents.manuscript import Manuscript, ManuscriptSection
from longdoc.documents.writers.html import manuscript_html
from tests.documents.manuscripts import KEEPER, of_text, rich_manuscript


def test_calls_and_notes_lead_to_each_other() -> None:
    root = html.fromstring(manuscript_html(rich_manuscript()))
    calls = root.xpath("//a[@role='doc-noteref']")
    assert [call.text for call in calls] == ["1", "2", "3"]
    for call in calls:
        note = root.get_element_by_id(call.get("href")[1:])
        back = note.xpath(".//a[@role='doc-backlink']")[0]
        assert root.get_element_by_id(back.get("href")[1:]) is call


def test_a_call_stands_where_the_note_belongs() -> None:
    page = manuscript_html(of_text("First. Second.", notes=((6, KEEPER), (14, KEEPER))))
    call = r'<a href="#note{0}" id="ref{0}"[^>]*>{0}</a>'
    assert re.search(f"<p>First.{call.format(1)} Second.{call.format(2)}</p>", page)


def test_marks_at_one_place_do_not_run_together() -> None:
    page = manuscript_html(of_text("Word.", notes=((5, KEEPER), (5, KEEPER))))
    assert re.search("<p>Word.<a[^>]*>1</a>\u2009<a[^>]*>2</a></p>", page)


def test_the_contents_list_leads_to_every_section() -> None:
    root = html.fromstring(manuscript_html(rich_manuscript()))
    links = root.xpath("//nav//a")
    assert [link.text for link in links] == ["Part One", "The Lamp", "Oil", "Part Two", "Bibliography", "Notes"]
    assert all(root.get_element_by_id(link.get("href")[1:]) is not None for link in links)
    assert [link.text for link in root.xpath("//nav/ol/li/ol/li/a")] == ["The Lamp", "Oil"]


def test_the_policy_allows_the_style_of_the_page_and_nothing_else() -> None:
    page = manuscript_html(rich_manuscript())
    style = re.search("<style>(.*?)</style>", page, re.DOTALL)
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert f"default-src 'none'; style-src 'sha256-{digest}'" in page
    assert not re.search("<(?:script|link|img|iframe)|@import|url\\(", page)


def test_raw_html_is_shown() -> None:
    page = manuscript_html(of_text("<img src=x onerror=alert(1)> </style></main>", author='"><script>'))
    assert "&lt;img src=x onerror=alert(1)&gt; &lt;/style&gt;&lt;/main&gt;" in page
    assert "<script" not in page


def test_language_and_direction() -> None:
    sections = (ManuscriptSection("פרק", 1, "טקסט\n\nEnglish words"),)
    root = html.fromstring(manuscript_html(Manuscript("ספר", sections, language="he")))
    assert (root.get("lang"), root.get("dir")) == ("he", "rtl")
    assert [(p.text, p.get("dir")) for p in root.xpath("//main/p")] == [("טקסט", None), ("English words", "ltr")]
    assert root.get_element_by_id("contents").text == "תוכן העניינים"


def test_headings_never_pass_the_sixth_level() -> None:
    root = html.fromstring(manuscript_html(Manuscript("T", (ManuscriptSection("Deep", 9, "# In text"),))))
    assert [heading.tag for heading in root.iter("h1", "h2", "h3", "h4", "h5", "h6")] == ["h1", "h6", "h6"]
