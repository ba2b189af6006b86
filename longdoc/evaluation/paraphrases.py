"""Facts and questions that share no word but the commonest: what is found by meaning, or not at all.

Each fact tells of an invented person, the answer is the name. No question shares a word with any fact here, and no fact
answers the question of another one. The idea is that of NoLiMa (Modarressi et al., 2025); the stock is our own.
"""

from __future__ import annotations

from typing import Final

_STOCK = """
{name} bakes loaves before sunrise and peddles them from a handcart. | Who earns a living with bread?
{name} was born sightless. | Who is totally blind?
{name} has touched neither beef nor pork since the age of nine. | Who is a vegetarian?
{name} draws up wills and argues cases before the magistrate. | Who is a lawyer?
{name} pulls out rotten teeth for a shilling apiece. | Who is a dentist?
{name} spent that fateful winter at the South Pole. | Who has been to Antarctica?
{name} cannot sign with anything but a cross. | Who is illiterate?
{name} buried a husband in March and wears mourning to this day. | Who is a widow?
{name} shapes wet clay into bowls on a spinning wheel. | Who is a potter?
{name} tends forty hives at the edge of the heath. | Who raises bees?
{name} owns a castle, three coal mines and a yacht. | Who is extremely rich?
{name} owes money to every shopkeeper in the street. | Who is deep in debt?
{name} faints whenever a spider crawls across the floor. | Who dreads arachnids?
{name} takes the red flag for the green one every time. | Who confuses colours?
{name} has crossed the finish of the marathon ahead of all rivals six summers in a row. | Who is an outstanding runner?
{name} forges horseshoes and mends ploughs over glowing coals. | Who is a blacksmith?
{name} rows the ferry from bank to bank, whatever the weather. | Who transports travellers over the river?
{name} can recite a page after a single glance at it. | Who possesses a photographic memory?
{name} gave birth to two girls within the same hour. | Who is the mother of twins?
{name} lost both parents to the plague at the age of four. | Who grew up as an orphan?
{name} has walked with a crutch since the tunnel collapsed. | Who is lame?
{name} speaks nine tongues without an accent. | Who is a polyglot?
{name} watches the moons of Saturn through a brass tube every cloudless night. | Who is an astronomer?
{name} has eleven thousand bottles of Burgundy in the cellar. | Who collects wine?
{name} hides aces up a sleeve at every round of poker. | Who is a cheat?
{name} slipped over the frontier at night with tobacco in false-bottomed crates. | Who is a smuggler?
{name} cuts and sews coats for the gentry. | Who is a tailor?
{name} put the whole opera to paper, from the overture to the last aria. | Who is a composer of music?
{name} milks sixty goats and ripens the curds in a cave. | Who produces cheese?
{name} has to stoop under every doorway, being seven feet from heel to crown. | Who is uncommonly tall?
{name} dozes off at table, in church and on horseback. | Who is constantly tired?
{name} sits in the county gaol for setting a granary ablaze. | Who was convicted of arson?
{name} laces up skates each morning and glides along the frozen canal to the office. | Who commutes on ice?
{name} drills sums and spelling into the youngest children of the valley. | Who runs a primary school?
{name} jumped into the harbour and dragged a drowning boy ashore. | Who saved a life?
{name} shaves beards and trims moustaches opposite the town hall. | Who is a barber?
{name} wears lenses as thick as the bottom of a jar. | Who has poor vision?
{name} will sit on the throne once the present king dies. | Who is the heir to a realm?
{name} turns pale on any deck as soon as the anchor is up. | Who gets seasick?
{name} digs graves behind the chapel. | Who is employed at a cemetery?
{name} paints portraits of dukes for a fat fee. | Who is an artist?
{name} has not uttered one syllable since the oath of silence. | Who is mute?
{name} hears nothing of the thunder, even when it shakes the windows. | Who is deaf?
{name} set bones and stitched wounds for the garrison. | Who served as a surgeon?
{name} grows tulips and roses under glass. | Who is a gardener?
{name} spends each Sunday up in a balloon. | Whose hobby is aviation?
{name} turns secret ciphers of the ministry back into plain sentences. | Who is a cryptographer?
{name} hands half of every wage to the almshouse. | Who is charitable?
{name} counts each candle end and reheats the tea leaves thrice. | Who is a miser?
{name} left the groom at the altar. | Who decided against marriage?
{name} harpooned a hundred beasts off Greenland. | Who hunted sea mammals?
{name} plants a vine for each grandchild, and there are thirty already. | Who has many descendants?
{name} mends pendulums, mainsprings and cuckoos by lamplight. | Who repairs clocks?
{name} sneezes all through June, until the last meadow is mown. | Who is allergic to pollen?
{name} was drummed out of the regiment for fleeing at the first shot. | Who is a coward?
{name} swears that a headless monk walks the corridor at midnight. | Who believes in ghosts?
{name} empties a flask of gin before breakfast. | Who is an alcoholic?
{name} deciphered what the pharaohs had carved upon their tombs. | Who understands hieroglyphs?
{name} dwells alone in a hut on the summit and bars the door to callers. | Who is a hermit?
{name} stokes the boiler of the night express. | Who has a job with the railway?
{name} juggles torches and swallows swords in the ring. | Who performs at the circus?
{name} won the ballot by nine votes. | Who is a politician?
{name} refuses to carry a rifle for any cause. | Who is a pacifist?
{name} chips statues out of marble. | Who is a sculptor?
{name} has played Hamlet and Macbeth on every stage of the province. | Who is an actor?
{name} lifted the purse of a bishop in broad daylight. | Who is a thief?
{name} nets eels and smokes them in a shed. | Who is a fisherman?
{name} blew out ninety-nine candles on the cake. | Who is very old?
{name} binds torn folios in calf and gilds the spines. | Who restores books?
{name} shook hands with the emperor of Japan at the palace gate. | Who visited Tokyo?
{name} lit a pipe beneath the Eiffel Tower last spring. | Who went to Paris?
{name} sat in a gondola beneath the Rialto. | Who has seen Venice?
{name} lets a parrot out of its cage each evening. | Whose pet is a bird?
{name} carries nitroglycerine up the quarry and lights the fuse. | Who deals with explosives?
"""


def _pairs() -> tuple[tuple[str, str], ...]:
    lines = (line.split(" | ") for line in _STOCK.strip().splitlines())
    return tuple((fact, question) for fact, question in lines)


PARAPHRASES: Final = _pairs()
"""Facts, with `{name}` where the person is named, and the question of each."""
