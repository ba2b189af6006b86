"""Questions in the form of what answers them."""

import pytest

from longdoc.retrieval.statements import as_statement


@pytest.mark.parametrize(
    ("question", "statement"),
    [
        ("Who keeps bees?", "Someone keeps bees."),
        ("  who has been an astronaut? ", "Someone has been an astronaut."),
        ("Whose pet is a tarantula?", "Someone's pet is a tarantula."),
        ("Whom does Kitty marry?", "Whom does Kitty marry?"),
        ("What is in the letter?", "What is in the letter?"),
        ("Who is he? Where does he live?", "Who is he? Where does he live?"),
        ("Wholesale prices?", "Wholesale prices?"),
        ("Who keeps bees", "Who keeps bees"),
    ],
)
def test_a_question_for_a_person_becomes_a_statement_and_others_stay(question: str, statement: str) -> None:
    assert as_statement(question) == statement
