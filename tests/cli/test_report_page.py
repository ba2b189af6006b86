"""The report as its reader meets it: opened from disk in a headless Chromium."""

import os
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from longdoc.cli.report import Report, ReportNode, ReportSection, ReportSentence, report_html
from tests.cli.reports import TEXT, found, report, root, segment

_NAMES = ("chromium", "chromium-browser", "google-chrome")
_SENTENCE = ".sentence[role=button]"

Open = Callable[..., Page]


def _browser_path() -> str:
    """A browser of the system. BROWSER_FOR_TESTS names one that must be there."""
    required = os.environ.get("BROWSER_FOR_TESTS")
    path = next(filter(None, map(shutil.which, [required] if required else _NAMES)), None)
    if path is None and required:
        pytest.fail(f"BROWSER_FOR_TESTS is {required!r}, which is not installed")
    return path or pytest.skip("needs a Chromium; on Debian: apt-get install chromium")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=_browser_path())
        yield browser
        browser.close()


@pytest.fixture
def open_report(browser: Browser, tmp_path: Path) -> Iterator[Open]:
    """Opens a report from disk. However a test uses it, it must run without errors and ask for no other file."""
    path = tmp_path / "report.html"
    asked: list[str] = []
    errors: list[str] = []
    contexts = []

    def open_report(made: Report, address: str = "", **options: object) -> Page:
        path.write_text(report_html(made), encoding="utf-8")
        context = browser.new_context(**({"reduced_motion": "reduce"} | options))
        contexts.append(context)
        page = context.new_page()
        page.on("request", lambda request: asked.append(request.url.partition("#")[0]))
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        page.goto(path.as_uri() + address)
        return page

    yield open_report
    for context in contexts:
        context.close()
    assert set(asked) <= {path.as_uri()}
    assert errors == []


def _choose(page: Page, number: int) -> None:
    page.locator(_SENTENCE).nth(number).click()


def test_clicking_a_sentence_shows_its_passage_in_its_surroundings(open_report: Open):
    page = open_report(report())
    expect(page.locator("#source")).to_contain_text("Choose a sentence")

    _choose(page, 0)

    expect(page.locator("mark.now")).to_have_text("The keeper wrote 7 in the book.")
    expect(page.locator("mark.now")).to_be_in_viewport()
    expect(page.locator(".passage p.near")).to_have_text(
        "Paragraph 7 is about the river. The keeper wrote 7 in the book. Then it rained."
    )
    expect(page.locator(".passage")).to_contain_text("Paragraph 6 is")
    expect(page.locator(".passage")).to_contain_text("Paragraph 8 is")
    expect(page.locator(".passage")).not_to_contain_text("Paragraph 20 is")
    expect(page.locator("#source h2")).to_have_text("Part One")
    start, end = found("The keeper wrote 7 in the book.")
    expect(page.locator(".head")).to_contain_text(f"characters {start}–{end}")
    expect(page.locator("[aria-current=true]")).to_have_text(re.compile("^The keeper wrote seven"))


def test_a_passage_is_highlighted_in_a_colour_of_its_own(open_report: Open):
    page = open_report(report(), "#s=0&n=run.2")

    colours = [
        page.locator(place).evaluate("element => getComputedStyle(element).backgroundColor")
        for place in ("mark.now", "#source")
    ]

    assert colours[0] != colours[1]
    assert colours[0] != "rgba(0, 0, 0, 0)"


def test_a_switch_leads_to_the_other_passages(open_report: Open):
    page = open_report(report())
    _choose(page, 0)
    expect(page.locator(".switch")).to_contain_text("1 of 2")

    page.get_by_label("Next passage").click()

    expect(page.locator("mark.now")).to_have_text("Paragraph 30 is about the river.")
    expect(page.locator("#source h2")).to_have_text("Part Two")
    expect(page.locator(".switch")).to_contain_text("2 of 2")
    page.get_by_label("Previous passage").click()
    expect(page.locator("mark.now")).to_have_text("The keeper wrote 7 in the book.")


def test_more_of_the_source_can_be_read_on_either_side(open_report: Open):
    page = open_report(report(), "#n=run.2&s=0")

    page.get_by_text("Later text").click()
    page.get_by_text("Earlier text").click()

    expect(page.locator(".passage")).to_contain_text("Paragraph 0 is")
    expect(page.locator(".passage")).to_contain_text("Paragraph 39 is")
    expect(page.locator(".more")).to_have_count(0)


def test_a_sentence_without_support_is_marked_by_more_than_colour(open_report: Open):
    page = open_report(report())
    unsupported = page.locator(_SENTENCE).nth(2)

    assert unsupported.evaluate("element => getComputedStyle(element).textDecorationStyle") == "dotted"
    expect(unsupported.locator(".doubt")).to_be_visible()
    expect(page.get_by_role("button", name="He was never seen again. (no support found)")).to_have_count(1)
    expect(page.locator(".legend")).to_contain_text("in 1 of 3")

    page.locator("#without").click()

    expect(page.locator("#source .note")).to_contain_text("No support found")
    expect(page.locator("#source mark")).to_have_count(0)


def test_the_strength_of_an_underline_follows_the_score(open_report: Open):
    page = open_report(report())

    widths = [
        page.locator(_SENTENCE)
        .nth(number)
        .evaluate("element => parseFloat(getComputedStyle(element).textDecorationThickness)")
        for number in (0, 1)
    ]

    assert widths[0] > widths[1]


def test_the_keyboard_does_all_that_a_pointer_does(open_report: Open):
    page = open_report(report())
    page.locator("#without").focus()

    page.keyboard.press("Tab")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")

    expect(page.locator("mark.now")).to_have_text("The keeper wrote 30 in the book.")
    expect(page.locator(_SENTENCE).nth(1)).to_be_focused()
    expect(page.locator("[role=status]")).to_contain_text("Passage 1 of 1: Part Two")

    page.keyboard.press("Home")
    expect(page.locator(_SENTENCE).nth(0)).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("mark.now")).to_have_count(0)


def test_the_summaries_between_a_sentence_and_its_source_can_be_visited(open_report: Open):
    page = open_report(report())
    _choose(page, 1)

    page.locator(".through .step").click()

    expect(page.locator("#read h2")).to_have_text("Part Two")
    expect(page.locator("[aria-current=true]")).to_contain_text("Segment 1 says what was written.")
    expect(page.locator("mark.now")).to_have_text("The keeper wrote 30 in the book.")
    assert page.url.endswith("#n=run.1&s=0")
    page.go_back()
    expect(page.locator("#read h1")).to_have_text("The Keeper")
    expect(page.locator("[aria-current=true]")).to_contain_text("He wrote thirty")


@pytest.mark.parametrize("address", ["#n=run.9&s=0", "#n=run.2&s=99", "#n=run.2&s=x&p=-1", "#view=nothing&n=%00"])
def test_an_address_that_leads_nowhere_leads_to_the_summary(open_report: Open, address: str):
    page = open_report(report(), address)

    expect(page.locator("#read h1")).to_have_text("The Keeper")


def test_markup_in_texts_is_shown_and_not_obeyed(open_report: Open):
    hostile = "<img src=x onerror='window.owned = true'></script><script>window.owned = true</script>"
    nodes = (
        segment(0, title=hostile, text=hostile, reason=hostile, status="gap", sentences=()),
        root(title=hostile, text=hostile, children=("run.0",), sentences=()),
    )
    sections = (ReportSection(hostile, 0, len(hostile), 0),)
    made = report(title=hostile, creators=(hostile,), document_text=hostile * 3, sections=sections, nodes=nodes)
    page = open_report(made)

    _choose(page, 0)
    expect(page.locator("h1")).to_have_text(hostile)
    expect(page.locator("#read .prose")).to_have_text(hostile)
    for tab in ("Tree", "Figures"):
        page.get_by_role("tab", name=tab).click()

    assert page.evaluate("window.owned") is None
    expect(page.locator("img")).to_have_count(0)


def test_offsets_count_characters_outside_the_basic_plane_as_one(open_report: Open):
    text = "𐌰𐌱𐌲 and 🙂 came first. " * 30 + "Here is the passage. 🙂"
    start, end = found("Here is the passage.", within=text)
    said = "🙂🙂 It came last."
    sentences = (ReportSentence(3, len(said), 1, True, ((start, end),)),)
    made = report(document_text=text, sections=(), nodes=(root(text=said, children=(), sentences=sentences),))
    page = open_report(made)

    _choose(page, 0)

    expect(page.locator(_SENTENCE)).to_have_text(re.compile("^It came last"))
    expect(page.locator("mark.now")).to_have_text("Here is the passage.")
    expect(page.locator(".head")).to_contain_text(f"characters {start}–{end}")


def test_without_provenance_a_text_shows_the_range_it_stands_for(open_report: Open):
    page = open_report(report(nodes=(segment(0), segment(1, sentences=()), root(sentences=()))), "#n=run.1")

    page.locator(_SENTENCE).click()

    expect(page.locator(".passage p.within").first).to_have_text("Part Two")
    expect(page.locator("#source")).to_contain_text("The source it stands for")


def test_gaps_and_cuts_are_said(open_report: Open):
    gap = segment(0, status="gap", reason="the model refused", text="", sentences=())
    page = open_report(report(nodes=(gap, segment(1), root(status="truncated", reason="too long"))))

    expect(page.locator("#read")).to_contain_text("Cut at its last finished sentence: too long")
    expect(page.locator("#read .aside.bad")).to_contain_text("Part One: the model refused")
    page.get_by_role("tab", name="Tree").click()
    expect(page.get_by_role("treeitem", name="Part One")).to_contain_text("gap")
    page.get_by_role("treeitem", name="Part One").click()
    expect(page.locator("#source")).to_contain_text("Nothing could be summarized here: the model refused")


def test_the_tree_opens_closes_and_shows_nodes(open_report: Open):
    page = open_report(report(), "#view=tree")
    rows = page.get_by_role("treeitem")
    expect(rows).to_have_count(3)

    page.locator(".twisty").first.click()
    expect(rows).to_have_count(1)
    page.get_by_role("tree").press("ArrowRight")
    page.get_by_role("tree").press("ArrowDown")
    page.get_by_role("tree").press("Enter")

    expect(page.locator("#source h2")).to_have_text("Part One")
    expect(page.locator("#source .summary-of")).to_have_text("Segment 0 says what was written.")
    page.get_by_text("Read it sentence by sentence").click()
    expect(page.locator("#read h2")).to_have_text("Part One")


def test_a_chain_of_thousands_is_drawn_only_where_it_is_looked_at(open_report: Open):
    said = "So far it went on."
    chain = [
        segment(
            0,
            id=f"run.{i}",
            level=i,
            title=f"Step {i}",
            text=said,
            children=(f"run.{i - 1}",) if i else (),
            sentences=(
                ReportSentence(0, len(said), 1, True, (found("Part Two"),), ((f"run.{i - 1}", 0),) if i else ()),
            ),
        )
        for i in range(3000)
    ]
    page = open_report(report(nodes=tuple(chain), root="run.2999"))

    _choose(page, 0)
    expect(page.locator(".through > ol > li")).to_have_count(8)
    page.get_by_role("tab", name="Tree").click()
    page.get_by_text("Open all").click()
    page.get_by_role("tree").press("End")
    page.get_by_role("tree").press("Enter")

    expect(page.locator("#source h2")).to_have_text("Step 0")
    last = page.get_by_role("treeitem", name="Step 0", exact=False).last
    expect(last).to_have_attribute("aria-level", "3000")
    expect(last).to_be_in_viewport()
    assert page.get_by_role("treeitem").count() < 100
    page.get_by_text("Read it sentence by sentence").click()
    expect(page.locator(".crumbs")).to_contain_text("2,995 more")


def test_a_long_book_with_many_nodes_stays_light(open_report: Open):
    text = "\n\n".join(f"Paragraph {i} of a long book, which says what paragraphs say." for i in range(50_000))
    said = " ".join(f"Sentence {i} was here." for i in range(30))
    spans = (found("Paragraph 44444 of a long book", within=text),)
    sentences = tuple(
        ReportSentence(*found(f"Sentence {i} was here.", within=said), 0.7, True, spans) for i in range(30)
    )
    leaves = tuple(
        ReportNode(f"run.{i}", 0, f"Leaf {i}", "done", "", said, i * 4000, (i + 1) * 4000, (), sentences)
        for i in range(700)
    )
    top = root(id="run.700", text=said, end=len(text), children=tuple(leaf.id for leaf in leaves), sentences=sentences)
    page = open_report(report(document_text=text, nodes=(*leaves, top), root="run.700"))

    _choose(page, 29)

    expect(page.locator("mark.now")).to_have_text("Paragraph 44444 of a long book")
    page.get_by_role("tab", name="Tree").click()
    assert page.locator("*").count() < 3000


def test_on_a_narrow_screen_the_source_slides_over_and_back(open_report: Open):
    page = open_report(report(), viewport={"width": 390, "height": 800})
    expect(page.locator("#source")).not_to_be_visible()

    _choose(page, 1)

    expect(page.locator("mark.now")).to_be_in_viewport()
    expect(page.locator("#source .said")).to_have_text(re.compile("He wrote thirty as well."))
    expect(page.locator("#close")).to_be_focused()
    page.locator("#close").click()
    expect(page.locator("#source")).not_to_be_visible()
    expect(page.locator(_SENTENCE).nth(1)).to_be_focused()


@pytest.mark.parametrize("address", ["", "#n=run.2&s=0", "#view=tree&n=run.1", "#view=figures"])
def test_nothing_is_wider_than_a_narrow_screen(open_report: Open, address: str):
    title = "Anextremelylongtitlewithoutanyspaceinitwhichhastobreaksomewhere"
    made = report(title=title, facts=(("Model", "a/" * 60),))
    page = open_report(made, address, viewport={"width": 320, "height": 600})

    assert page.evaluate("document.documentElement.scrollWidth") == 320


@pytest.mark.parametrize(("scheme", "light"), [("light", True), ("dark", False)])
def test_light_and_dark_follow_the_system(open_report: Open, scheme: str, light: bool):
    page = open_report(report(), color_scheme=scheme)

    colour = page.locator("body").evaluate("element => getComputedStyle(element).backgroundColor")

    assert (sum(map(int, re.findall(r"\d+", colour)[:3])) > 380) is light


def test_texts_run_in_their_own_direction(open_report: Open):
    said = "كان الحارس يكتب كل يوم. ثم نزل المطر."
    cut = said.index(".") + 1
    sentences = (
        ReportSentence(0, cut, 1, True, (found("Part One"),)),
        ReportSentence(cut + 1, len(said), 1, True, (found("Part Two"),)),
    )
    page = open_report(report(language="ar", nodes=(root(text=said, children=(), sentences=sentences),)))
    first = page.locator(_SENTENCE).first

    assert first.evaluate("element => getComputedStyle(element).direction") == "rtl"
    expect(page.locator("#prose")).to_have_attribute("lang", "ar")
    first.press("ArrowLeft")
    expect(page.locator(_SENTENCE).nth(1)).to_be_focused()


def test_figures_are_listed_with_the_share_of_supported_sentences(open_report: Open):
    page = open_report(report(), "#view=figures")

    expect(page.get_by_role("row", name="Cost")).to_contain_text("$0.0123")
    expect(page.locator("#figures")).to_contain_text("67% of the summary’s sentences rest on the source")
    expect(page.get_by_role("row", name="segments")).to_contain_text("100%")


def test_printed_it_is_the_summary_with_footnotes(open_report: Open):
    page = open_report(report())
    notes = page.locator(".footnotes li")
    expect(notes.first).not_to_be_visible()

    page.emulate_media(media="print")

    expect(notes.nth(0)).to_contain_text("“The keeper wrote 7 in the book.” (Part One, characters")
    expect(notes.nth(2)).to_have_text("No support found.")
    expect(notes.first).to_be_visible()
    expect(page.locator(".ref").nth(1)).to_be_visible()
    expect(page.locator("#source")).not_to_be_visible()


def test_a_saved_copy_of_the_opened_page_works_again(open_report: Open, tmp_path: Path):
    page = open_report(report(), "#n=run.2&s=0")
    copy = tmp_path / "copy.html"
    copy.write_text(page.content(), encoding="utf-8")
    fresh = page.context.browser.new_context().new_page()

    fresh.goto(copy.as_uri())
    _choose(fresh, 1)

    expect(fresh.locator("mark.now")).to_have_text("The keeper wrote 30 in the book.")
    expect(fresh.locator("[role=tree]")).to_have_count(1)
    assert len(TEXT) < copy.stat().st_size
    fresh.context.close()
