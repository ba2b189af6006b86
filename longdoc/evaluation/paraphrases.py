"""Facts and questions that share no word but the commonest: what is found by meaning, or not at all.

Each fact tells of an invented person, the answer is the name. No question shares a word with any fact here. What they
are about is so odd or so new that hardly any book says of whom it is true, and a question whose telling word the text
has is left out: the text may answer it. The idea is that of NoLiMa (Modarressi et al., 2025); the stock is our own.
"""

from __future__ import annotations

import re
from collections.abc import Set
from dataclasses import dataclass
from typing import Final

from longdoc.retrieval.terms import index_terms


@dataclass(frozen=True, slots=True)
class Paraphrase:
    """A fact, with `{name}` where the person is named, and its question.

    `telling` is the word of the question that says what is asked for. Facts of one `topic` might be taken for answers
    to each other's questions; most have one of their own.
    """

    fact: str
    question: str
    telling: str
    topic: str


# fact | question with its *telling* word | topic, where it is shared
_STOCK = """
{name} floated for half a year in a capsule four hundred kilometres above the ground. | Who has been an *astronaut*?
{name} has had the left kidney of a cousin sewn in. | Who is the recipient of a *transplant*?
{name} carries a small battery below the collarbone that sets the beat of the heart. | Who wears a *pacemaker*?
{name} eats neither meat nor fish, nor eggs, milk or honey. | Who is *vegan*?
{name} solders chips onto green boards in a factory by the canal. | Who builds *electronics*?
{name} learnt nine thousand decimals of pi and has yet to slip. | Who is a skilled *mnemonist*?
{name} steers a sled for four through curves of ice at ninety miles an hour. | Who competes in *bobsleigh*?
{name} leapt out of an aeroplane at four thousand metres and pulled the cord late. | Who went *skydiving*? | falls
{name} types commands in Fortran and hunts for bugs until the screen stays clean. | Who develops *software*? | machines
{name} teaches arms of steel to weld the doors of lorries. | Who configures *robots*? | machines
{name} turns the cube with coloured faces right in eleven seconds. | Who is an expert at *Rubik's* puzzle? | games
{name} stood between the posts when the national eleven lost the shoot-out. | Who is a *goalkeeper*?
{name} shows yellow and red cards on Saturdays and is booed by both stands. | Who is a *referee*?
{name} had a barcode inked on the neck in a parlour by the docks. | Who has a *tattoo*?
{name} feeds bamboo shoots to two black-and-white bears from Sichuan. | Who takes care of *pandas*?
{name} tosses herring to leaping orcas in front of a paying crowd. | Who trains mammals at an *aquarium*?
{name} puts little gummed squares from Ceylon and Peru, cancelled and perforated, into albums. | Who is a *philatelist*?
{name} was revived on the platform with two paddles and a jolt of current. | Who was saved by a *defibrillator*?
{name} chats into a microphone in the attic, and forty thousand download the episode. | Who makes a *podcast*?
{name} raises tomatoes in pipes of flowing nutrients, without a crumb of soil. | Who is engaged in *hydroponics*?
{name} guides jets down to the runway from a glass tower, by voice and radar. | Who is employed in *aviation*? | flying
{name} picks mountaineers off cliffs, hovering beneath a whirling rotor. | Who is a *helicopter* pilot? | flying
{name} brings parcels with a buzzing contraption of four rotors. | Who operates a *drone*? | flying
{name} followed penguins with a sixteen-millimetre camera for a broadcaster. | Who makes *documentaries*? | cameras
{name} breathes from a steel bottle while photographing sharks on the reef. | Who practises *scuba* diving? | cameras
{name} reads genes letter by letter from drops of saliva. | Who is a specialist in *DNA*?
{name} hangs from ropes outside the sixtieth floor with a squeegee and a bucket. | Who washes windows of a *skyscraper*?
{name} pedals to the bakery on a single wheel, without handlebars. | Who rides a *unicycle*?
{name} waves both hands before two antennas to draw out a wailing melody. | Who plays the *theremin*?
{name} mixes records at two turntables in a cellar until dawn. | Who is a *DJ*?
{name} mined coins of pure arithmetic with a rack of humming graphics cards. | Who invested in *cryptocurrency*?
{name} lowers rods of uranium into the pool of the reactor. | Who has a *nuclear* job?
{name} stood upon the highest peak of Nepal without bottled oxygen. | Who ascended *Everest*?
{name} has half a litre drawn from the arm every eighth week, for strangers in hospital. | Who is a blood *donor*?
{name} keeps a syringe of adrenaline at hand for biscuits with peanuts. | Who suffers from an *allergy*? | syringes
{name} cannot digest wheat, rye or barley. | Who has to avoid *gluten*?
{name} pricks a finger and injects insulin after each dessert. | Who is *diabetic*? | syringes
{name} spends three mornings a week tied to a pump that rinses the veins. | Who depends on *dialysis*?
{name} lost every hair to the drip, and the tumour with it. | Who underwent *chemotherapy*?
{name} bears wires and brackets on both rows of teeth until spring. | Who is under *orthodontic* treatment?
{name} hears through a coil at the temple and thin wires within. | Whose deafness called for a *cochlear* device?
{name} threw the spectacles away after a beam had reshaped both corneas. | Who underwent *laser* surgery?
{name} lulls people to sleep with propofol before they are cut open. | Who is an *anaesthetist*?
{name} tells people to hold their breath and photographs their ribs from the next room. | Who is a *radiologist*?
{name} eases migraines with forty fine needles along the spine. | Who is an *acupuncturist*?
{name} runs the fingertips over raised dots to follow a novel. | Who understands *Braille*?
{name} has got about on two big rims and a cushion since the crash. | Who uses a *wheelchair*?
{name} fries patties and onions in a van outside the stadium. | Who sells *hamburgers*?
{name} rolls vinegared rice and raw tuna in seaweed behind a counter. | Who prepares *sushi*?
{name} pours hearts of foam upon every cappuccino. | Who is a *barista*?
{name} whirls dough overhead and slides it, with mozzarella, into a stone oven. | Who bakes *pizza*?
{name} feeds crickets to a hairy eight-legged companion in a terrarium. | Whose pet is a *tarantula*?
{name} has corrected nine thousand articles of the free encyclopaedia that anyone may edit. | Who improves *Wikipedia*?
{name} received a gold medal and a cheque from the Swedish king for work on enzymes. | Who is a *Nobel* laureate?
{name} watches needles jitter whenever the crust trembles beneath Chile. | Who is a *seismologist*?
{name} brushes sand from the jawbone of a triceratops. | Who excavates *dinosaurs*?
{name} points at isobars and predicts drizzle after the evening bulletin. | Who is a *meteorologist*?
{name} empties the coins from thirty tumbling drums at the corner every evening. | Who owns a *launderette*?
{name} drives eight carriages through tunnels from Stockwell to Morden. | Who is employed by the *subway*?
{name} sets grids of black and white with cryptic clues for the Sunday supplement. | Who compiles *crosswords*? | games
{name} mails one move of knight or bishop a month to an opponent in Reykjavik. | Who likes *chess*? | games
{name} fitted twenty thousand pieces of cardboard into a view of Neuschwanstein. | Who completed a *jigsaw*? | games
{name} sprays slogans on viaducts at night, hooded, with cans from the hardware shop. | Who produces *graffiti*?
{name} creases square sheets into cranes and beetles, without scissors. | Who is fond of *origami*?
{name} wires and clips a pine of two centuries that is no taller than a teapot. | Who cultivates *bonsai*?
{name} sings along with scrolling lyrics at the bar every Tuesday. | Who enjoys *karaoke*?
{name} splits bricks with the edge of a bare palm and has won a black belt. | Who has mastered *karate*?
{name} weighs a hundred and sixty kilos and shoves rivals out of a ring of straw in Osaka. | Who is a *sumo* wrestler?
{name} dropped off the viaduct with an elastic rope round both ankles. | Who tried *bungee* jumping? | falls
{name} stands up on a waxed plank at dawn and is carried home by the breakers. | Who is a *surfer*?
{name} carves down the powder sideways, both boots strapped to one board. | Who goes *snowboarding*?
{name} dunks through the hoop with either hand. | Who plays *basketball*?
{name} shakes pompoms on the sideline and stands atop human pyramids. | Who is a *cheerleader*?
{name} greets the sun on a rubber mat, one foot behind the neck. | Who does *yoga*?
{name} crossed Canada with a raised thumb, in the cabs of lorries. | Who went *hitchhiking*?
{name} vaults railings and springs from roof to roof on the way to school. | Who does *parkour*? | falls
{name} crashes motorcycles and falls off balconies in place of film stars. | Who is a *stunt* double? | falls
{name} greases gearboxes at the top of masts whose three blades feed the grid. | Who maintains *turbines*? | power
{name} bolts dark panels to roofs that face south. | Who installs *photovoltaic* systems? | power
{name} straps sensors to suspects and sees from the squiggles whether they lie. | Who administers the *polygraph*?
{name} snips the right wire of unexploded shells while the street is cleared. | Who *defuses* munitions?
{name} spent the summer beneath the polar ice with ninety sailors in a hull of steel. | Who served on a *submarine*?
{name} has a wooden doll talk without moving a lip. | Who is a *ventriloquist*?
{name} stuffs foxes and owls and gives them eyes of glass. | Who is a *taxidermist*?
{name} rings strangers at supper to praise broadband contracts. | Who is busy in *telemarketing*?
{name} swears that a glowing saucer landed in the barley. | Who claims to have sighted a *UFO*?
{name} talks to guests in the tongue that Doctor Zamenhof invented. | Who is fluent in *Esperanto*?
"""
_MARKED = re.compile(r"\*(.+?)\*")


def _paraphrase(line: str) -> Paraphrase:
    fact, marked, *topic = line.split(" | ")
    telling = _MARKED.findall(marked)[0]
    return Paraphrase(fact, _MARKED.sub(r"\1", marked), telling, topic[0] if topic else telling)


PARAPHRASES: Final = tuple(map(_paraphrase, _STOCK.strip().splitlines()))
"""All of the stock."""


def paraphrases_beside(words: Set[str]) -> tuple[Paraphrase, ...]:
    """Those whose telling words, in whatever form, are none of the words of a text (which are lower case).

    One of each topic comes before the second of any, so that as many as can be share a text.
    """
    there = set(index_terms(" ".join(sorted(words))))
    kept = [one for one in PARAPHRASES if there.isdisjoint(index_terms(one.telling))]
    topics = [one.topic for one in kept]
    repeated = [topics[:number].count(topic) for number, topic in enumerate(topics)]
    return tuple(kept[number] for number in sorted(range(len(kept)), key=repeated.__getitem__))
