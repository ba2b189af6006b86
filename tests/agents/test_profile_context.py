from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from longdoc.agents.profile_context import Count, build_context, cut_input
from longdoc.agents.profile_tasks import BUILT_IN
from longdoc.storage.profile_types import Item, ProfileSummary

_NOW = datetime(2024, 1, 1, tzinfo=UTC)
_TITLE = BUILT_IN["title"]


def _item(number: int, text: str, output: str | None = "A title") -> Item:
    return Item(1, number, number, "title", f"i{number}", text, output, "", _NOW, _NOW)


def _summary(text: str, *, edited: bool = False, locked: bool = False) -> ProfileSummary:
    return ProfileSummary("title", text, (1,), 3, 3, "model", "profile/summary.v1", _NOW, edited=edited, locked=locked)


def _signs(text: str) -> int:
    return len(text)


def _bytes(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))


def _words(text: str) -> int:
    return len(text.split())


@given(
    st.lists(st.text(max_size=300), max_size=12),
    st.text(max_size=400) | st.none(),
    st.integers(12, 400),
    st.integers(0, 12) | st.none(),
    st.sampled_from([_signs, _words, _bytes]),
)
def test_it_keeps_to_its_budget_and_tells_what_is_left_out(
    texts: list[str], said: str | None, budget: int, take: int | None, count: Count
) -> None:
    items = [_item(number, text) for number, text in enumerate(texts, 1)]
    summary = None if said is None else _summary(said)
    found = build_context(_TITLE, items, summary, known=len(items), take=take, budget=budget, count=count)
    assert found.tokens == (count(found.summary) if found.summary else 0) + sum(count(one.text) for one in found.items)
    assert found.tokens <= budget
    chosen = {one.item.key for one in found.items} | set(found.left_out)
    assert len(chosen) == len(found.items) + len(found.left_out)
    if items and take is not None:
        assert len(chosen) == min(take, len(items))
    assert found.personal or found.reason


def test_room_that_one_item_does_not_need_the_others_have() -> None:
    items = [_item(1, "short"), _item(2, "word " * 100), _item(3, "word " * 100)]
    found = build_context(_TITLE, items, None, known=3, take=3, budget=120, count=_words)
    assert [one.cut for one in found.items] == [False, True, True]
    assert found.tokens >= 115
    assert all(one.text.startswith('"A title"') for one in found.items), "what came out of it is never cut"


def test_a_script_without_spaces_is_cut_between_signs() -> None:
    found = build_context(_TITLE, [_item(1, "天" * 500)], None, known=1, take=1, budget=100, count=_signs)
    assert 50 < found.items[0].text.count("天") < 100


def test_with_two_items_a_summary_counts_only_where_a_person_wrote_it() -> None:
    items = [_item(1, "a"), _item(2, "b")]
    for summary, used in (
        (_summary("so"), False),
        (_summary("so", edited=True), True),
        (_summary("so", locked=True), True),
    ):
        found = build_context(_TITLE, items, summary, known=2, take=None, budget=100, count=_words)
        assert bool(found.summary) is used
        assert len(found.items) == (1 if used else 2)


def test_of_an_input_that_is_too_long_the_beginning_is_taken() -> None:
    assert cut_input("a b c", 100, _words) == ("a b c", False)
    text, cut = cut_input("word " * 100, 50, _words)
    assert cut
    assert _words(text) <= 30
