"""What a judge may answer, and which near misses still count."""

import pytest

from longdoc.agents.structured import read_shape
from longdoc.engines.schema_instance import smallest_instance
from longdoc.errors import InvalidOutputError
from longdoc.evaluation.booookscore import Judgement, Label
from longdoc.evaluation.judge_answers import SentenceAnswer, batch_answer

CLEAR = '{"questions": null, "types": []}'
WHO = '{"questions": "Who is he?", "types": ["entity omission"]}'


@pytest.mark.parametrize(
    ("text", "judgement"),
    [
        (CLEAR, Judgement()),
        ('{"questions": "None.", "types": []}', Judgement()),
        ('{"questions": " ", "types": ""}', Judgement()),
        (WHO, Judgement("Who is he?", (Label.ENTITY_OMISSION,))),
        (
            '{"questions": "Who?", "types": ["Entity_Omission", "entity omission", "Language"]}',
            Judgement("Who?", (Label.ENTITY_OMISSION, Label.LANGUAGE)),
        ),
        (
            '{"questions": "Why?", "types": "causal omission, event-omission"}',
            Judgement("Why?", (Label.CAUSAL_OMISSION, Label.EVENT_OMISSION)),
        ),
    ],
)
def test_an_answer_becomes_a_judgement(text: str, judgement: Judgement) -> None:
    assert read_shape(text, SentenceAnswer).judgements() == (judgement,)


@pytest.mark.parametrize(
    "text",
    [
        '{"questions": "Who is he?", "types": []}',
        '{"questions": null, "types": ["language"]}',
        '{"questions": "Who?", "types": ["boredom"]}',
        '{"questions": null}',
        '{"questions": null, "types": [], "score": 5}',
        "No confusion.",
    ],
)
def test_an_answer_that_contradicts_itself_or_the_shape_does_not_count(text: str) -> None:
    with pytest.raises(InvalidOutputError):
        read_shape(text, SentenceAnswer)


@pytest.mark.parametrize("form", ['{{"answers": [{0}, {1}]}}', "[{0}, {1}]"])
def test_a_batch_answers_in_order(form: str) -> None:
    answers = read_shape(form.format(CLEAR, WHO), batch_answer(2)).judgements()
    assert [answer.confusing for answer in answers] == [False, True]


@pytest.mark.parametrize("count", [1, 3])
def test_a_batch_with_too_many_or_too_few_answers_does_not_count(count: int) -> None:
    with pytest.raises(InvalidOutputError):
        read_shape(f"[{CLEAR}, {WHO}]", batch_answer(count))


def test_the_schemas_say_what_is_wanted() -> None:
    assert smallest_instance(batch_answer(3).model_json_schema()) == {
        "answers": [{"questions": "", "types": []}] * 3,
    }
    assert batch_answer(3).model_json_schema()["properties"]["answers"]["maxItems"] == 3
    assert SentenceAnswer.model_json_schema()["additionalProperties"] is False
