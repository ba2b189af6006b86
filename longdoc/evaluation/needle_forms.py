"""What plain needles say: forms of sentences and questions, and what they are filled with.

Every form has several fellows of its kind, so that many needles of a text are not all alike. `{name}` is a person,
`{place}` a town, `{link}` what leads from one fact to another, `{value}` the answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Form:
    """A fact and the question that it answers, with words in common."""

    fact: str
    question: str
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BridgeForm:
    """Two facts that answer a question only together: the first leads from the name to the link, the second on.

    The question has words of both forms, so that a lone second fact would be found by them: it takes others beside it,
    of the same form and with other links, for the link to be needed.
    """

    first: str
    second: str
    question: str


PASSKEY_FORMS: Final = (
    Form("The pass key of the {place} archive is {value}.", "What is the pass key of the {place} archive?"),
    Form("Remember the code of the vault at {place}: it is {value}.", "What is the code of the vault at {place}?"),
    Form("The secret number of the {place} lodge is {value}.", "What is the secret number of the {place} lodge?"),
    Form("To open the gate of {place}, dial {value}.", "What has to be dialled to open the gate of {place}?"),
    Form("The {place} account is opened with {value}.", "With which number is the {place} account opened?"),
    Form("{value} is the password of the {place} station.", "What is the password of the {place} station?"),
)
"""Of the values, five digits each, none is given twice."""


def _plain(fact: str, question: str, values: str) -> Form:
    return Form(fact, question, tuple(value.strip() for value in values.split(",")))


PLAIN_FORMS: Final = (
    _plain(
        "The favourite instrument of {name} is the {value}.",
        "What is the favourite instrument of {name}?",
        "glass harp, hurdy-gurdy, bass clarinet, alpine horn, nose flute, celesta, theorbo, serpent",
    ),
    _plain(
        "{name} keeps a tame {value} in the wash house.",
        "What animal does {name} keep in the wash house?",
        "otter, badger, marmoset, porcupine, raven, mongoose, tapir, pangolin",
    ),
    _plain(
        "The front door of {name} is painted {value}.",
        "In which colour is the front door of {name} painted?",
        "turquoise, saffron, magenta, olive green, cobalt blue, salmon pink, ochre, lilac",
    ),
    _plain(
        "{name} takes {value} with every cup of coffee.",
        "What does {name} take with every cup of coffee?",
        "candied ginger, salted butter, a raw egg, black pepper, pickled plums, burnt sugar, rose petals, dried figs",
    ),
    _plain(
        "The ship on which {name} came over was called the {value}.",
        "What was the ship called on which {name} came over?",
        "Iron Petrel, Gilded Hare, Northern Lantern, Patient Widow, Amber Swallow, Second Harvest, Blue Thistle",
    ),
    _plain(
        "At the fair {name} won a {value} in the lottery.",
        "What did {name} win in the lottery at the fair?",
        "copper kettle, sewing machine, stuffed pike, brass telescope, feather quilt, rocking horse, cuckoo clock",
    ),
    _plain(
        "{name} has been afraid of {value} since childhood.",
        "What has {name} been afraid of since childhood?",
        "escalators, church bells, moths, revolving doors, scarecrows, fog horns, mirrors, weathercocks",
    ),
    _plain(
        "The house of {name} was built by a master from {value}.",
        "Where did the master come from who built the house of {name}?",
        "Lapland, Sardinia, Moravia, Galicia, Anatolia, Bohemia, Flanders, Cornwall",
    ),
    _plain(
        "{name} paid for the bridge with a sack of {value}.",
        "With a sack of what did {name} pay for the bridge?",
        "nutmeg, saltpetre, walnuts, horsehair, sea shells, poppy seed, brass buttons, goose down",
    ),
    _plain(
        "On Thursdays {name} lectures on {value} in the parish hall.",
        "On what does {name} lecture in the parish hall on Thursdays?",
        "fungi, comets, heraldry, earthworms, tidal locks, Etruscan pottery, lighthouses, beetles",
    ),
)

DECOY_FORMS: Final = (
    Form("The locker of {name} has the number {value}.", "What number has the locker of {name}?"),
    Form("The medal of {name} bears the number {value}.", "What number does the medal of {name} bear?"),
    Form("In the ledger {name} stands under {value}.", "Under which number does {name} stand in the ledger?"),
    Form("{name} sold exactly {value} tickets.", "How many tickets did {name} sell?"),
    Form("{name} was registered as recruit {value}.", "As which recruit was {name} registered?"),
)
"""Filled with numbers of five digits, as passkeys are."""

BRIDGE_FORMS: Final = (
    BridgeForm(
        "{name} keeps all savings in the bank at {link}.",
        "A mastiff called {value} guards the bank at {link}.",
        "What is the mastiff called that guards the bank where {name} keeps all savings?",
    ),
    BridgeForm(
        "{name} was apprenticed to old {link} the saddler.",
        "It was {value} who married the daughter of {link}.",
        "Who married the daughter of the saddler to whom {name} was apprenticed?",
    ),
    BridgeForm(
        "The summer house of {name} stands at {link}.",
        "The beacon of {link} is tended by {value}.",
        "Who tends the beacon of the town where the summer house of {name} stands?",
    ),
    BridgeForm(
        "{name} plays the cello in the {link} quartet.",
        "The patron of the {link} quartet is {value}.",
        "Who is the patron of the quartet in which {name} plays the cello?",
    ),
    BridgeForm(
        "{name} bought the mare {link} at the autumn sale.",
        "The mare {link} was bred by {value}.",
        "Who bred the mare that {name} bought at the autumn sale?",
    ),
    BridgeForm(
        "The telegram to {name} was sent from {link}.",
        "The telegraph office of {link} is run by {value}.",
        "Who runs the telegraph office from which the telegram to {name} was sent?",
    ),
    BridgeForm(
        "{name} lodges with a family named {link}.",
        "The family named {link} fled from the flood at {value}.",
        "From the flood at which place did the family flee with whom {name} lodges?",
    ),
    BridgeForm(
        "The portrait of {name} hangs in the museum at {link}.",
        "The museum at {link} was founded by {value}.",
        "Who founded the museum in which the portrait of {name} hangs?",
    ),
)
"""Links and values are invented names."""
