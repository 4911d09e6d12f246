"""The text of the default corpus: plain English sentences, drawn from templates and word lists."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence
from zlib import crc32

from gantools import UserError

FAMILIES = {
    # statements
    "past": "{name} {past} the {adjective} {noun} {adverb}.",
    "past-two": "The {person} {past} my {noun} and {past} your {noun}.",
    "past-when": "On {day}, our {person} {past} the {noun}.",
    "past-where": "We {past} their {noun} near the {place}.",
    "is": "The {noun} in the {place} is {adjective}.",
    "was": "That {person} was {adverb} {adjective} about it.",
    "were": "These {things} were too {adjective} for {name}.",
    "going": "{name} is {going} with the {person} from {city}.",
    "going-while": "They were {going} while she was {going}.",
    "there-are": "There are {number} {things} behind the {place}.",
    "there-was": "There was some {food} under the {adjective} {noun}.",
    "never": "I have never seen such {adjective} {things}.",
    "because": "He stayed at home because his {animal} was {adjective}.",
    "if": "If you {verb} the {noun}, {name} will be {adjective}.",
    "when": "When it rains in {city}, the {animal} sleeps.",
    "before": "Before {month}, she {past} {number} {things}.",
    "but": "His {noun} is {adjective}, but her {noun} is {adjective}.",
    "comparison": "My {animal} is as {adjective} as your {person}.",
    "travel": "{name} flew from {city} to {city} in {month}.",
    "job": "{name} works as the {person} of {city}.",
    "name-is": "{name} is {adjective}.",
    "long": "In {month}, the {person} and the {adjective} {animal} {past} {number} {things}.",
    "who-is-from": "{name}, who is from {city}, {past} my {noun} on {day}.",
    "price": "That {noun} costs {number} dollars and {number} cents.",
    "clock": "The {adjective} train leaves platform {number} at {hour}.",
    "date": "It happened on {day}, the {ordinal} of {month}.",
    "age": "{name} will be {number} years old next {month}.",
    "wish": "I would rather {verb} this {noun} than {verb} that one.",
    "said": "The {person} said that {city} was {adjective}.",
    "both": "Both the {animal} and the {animal} like {food}.",
    "neither": "Neither {name} nor {name} could {verb} it.",
    "almost": "They almost {past} us, though we were {adjective}.",
    "colour": "She wore {colour} {things} and {colour} gloves.",
    # lists
    "shopping": "Buy {food}, {food}, {food} and {number} {things}.",
    "friends": "{name}, {name} and {name} {past} the {noun}.",
    "qualities": "It was {adjective}, {adjective} and very {adjective}.",
    "counting": "{number}, {number}, {number}, and {number}.",
    "colours": "{colour}, {colour} and {colour} {things} are here.",
    "animals": "Every {animal}, {animal} and {animal} was {going}.",
    # questions
    "did": "Did {name} {verb} the {noun} on {day}?",
    "will": "Will you {verb} our {adjective} {things}, {name}?",
    "is-it": "Is the {place} in {city} {adjective}?",
    "have-you": "Have you ever tried {food} with {food}?",
    "where": "Where did you put the {colour} {noun}?",
    "who": "Who {past} the {noun} of the {person}?",
    "who-is": "Who is {going}?",
    "why": "Why are those {things} so {adjective}?",
    "how-many": "How many {things} can the {animal} see?",
    "which": "Which {noun} is yours, the {colour} one?",
    "or": "Would you like {food} or {food}, {name}?",
    # exclamations
    "what-a": "What {adjective} {things} you have, {name}!",
    "how": "How {adverb} the {animal} moves!",
    "look": "Look at that {adjective} {animal}!",
    "watch-out": "Watch out, the {noun} is {going}!",
    "never-again": "Never {verb} my {noun} again!",
    "greeting": "Good morning, {name}!",
    "hooray": "We won {number} {things}, {name}!",
    # commands
    "please": "Please {verb} the {noun} {adverb}.",
    "do-not": "Do not {verb} the {things} in the {place}.",
    "bring": "Bring {number} {colour} {things} to the {place}.",
    "keep": "Keep {going}, {name}.",
    "tell": "Tell the {person} about the {adjective} {noun}.",
    # telephones
    "hold": "Please hold the line, {name} is {going}.",
    "press": "To {verb} your {noun}, press {digit}.",
    "dial": "Please dial {digit}, {digit}, {digit} for the {place}.",
    "call-is": "Your call to the {place} is {adjective}.",
    "mailbox": "The mailbox of {name} is {adjective}.",
    "caller": "You are caller number {number}, please wait.",
    "messages": "You have {number} new messages from {name}.",
    "leave": "Leave your {noun} for the {person} after the tone.",
    "extension": "Extension {digit} {digit} {digit} is busy.",
    "reach": "You have reached the {person} in {city}.",
    "office": "Our {place} is closed until {hour} on {day}.",
    "transfer": "Shall I transfer you to {name} in {city}?",
    "goodbye": "Thank you for calling {city}, goodbye!",
}
"""What sentences are made of, by name: 3 to 12 words, of which those in braces are drawn."""

HELD_OUT = ("but", "price", "going-while", "shopping", "have-you", "why", "look", "tell", "reach")
"""Families that are for tests."""
VALIDATION = ("was", "office", "colour", "or")
"""Families of the training that checkpoints are chosen by, and that are not learned from."""
TRIES = 100
"""How many sentences of a family are drawn to find a new one before it has no more to give."""

_DIGITS = "one two three four five six seven eight nine"
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
_COMPOUND = " ".join(f"{ten}-{digit}" for ten in _TENS.split() for digit in _DIGITS.split())

CLOSED = {
    "day": "Monday Tuesday Wednesday Thursday Friday Saturday Sunday",
    "month": (
        "January February March April May June July August September October November December"
    ),
    "digit": f"zero {_DIGITS}",
    "hour": f"{_DIGITS} ten eleven noon midnight",
    "ordinal": (
        "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth "
        "thirteenth fifteenth eighteenth twentieth thirtieth"
    ),
    "number": (
        f"{_DIGITS} ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen "
        f"nineteen {_TENS} {_COMPOUND}"
    ).removeprefix("one "),
    "colour": (
        "red green blue yellow orange purple brown black white grey pink beige violet turquoise "
        "golden silver"
    ),
}
"""Words by what they are, with spaces between: those that are few, and known to all who speak."""

OPEN = {
    "name": (
        "Adam Agnes Alice Amy Andrew Anna Arthur Barbara Beth Bob Boyd Brian Bruce Carl Carol "
        "Catherine Charles Chloe Claire Daniel David Deborah Dorothy Douglas Edith Edward Eleanor "
        "Emily Ethan Eve Faith Felix Fiona Floyd Frank George Grace Guy Hannah Harold Heather "
        "Helen Henry Howard Hugh Ian Isaac Jack James Jane Jason Jennifer Joan John Joseph Joyce "
        "Judith Julia Justin Karen Keith Kevin Laura Leo Lewis Lily Louise Lucy Luke Margaret "
        "Mark Martha Martin Mary Matthew Megan Michael Molly Nancy Nathan Noah Olivia Oscar "
        "Patrick Paul Peter Philip Rachel Ralph Raymond Rebecca Richard Robert Roger Rose Roy "
        "Russell Ruth Samuel Sarah Scott Shirley Simon Sophie Stephen Susan Theodore Thomas "
        "Timothy Tony Valerie Victor Vincent Walter Wendy William Yvonne Zachary Zoe"
    ),
    "city": (
        "Athens Austin Baltimore Berlin Birmingham Boston Brooklyn Cairo Calgary Charlotte Chicago "
        "Cleveland Dallas Delhi Denver Detroit Dublin Edinburgh Florence Frankfurt Geneva Glasgow "
        "Houston Jerusalem Kansas Liverpool London Louisville Madrid Manchester Melbourne Memphis "
        "Miami Milwaukee Montreal Moscow Munich Nashville Oakland Oslo Oxford Paris Philadelphia "
        "Phoenix Pittsburgh Plymouth Portland Prague Richmond Rome Seattle Stockholm Sydney Tokyo "
        "Toronto Tulsa Vancouver Venice Vienna Warsaw Washington Zurich"
    ),
    "place": (
        "airport alley attic avenue bakery bank barn basement bathroom beach bridge building "
        "bureau canyon castle cathedral cave cellar chapel church cinema clinic college cottage "
        "courthouse courtyard desert entrance factory farm field forest fountain garage garden "
        "gym hallway harbor hospital hotel house island jungle kitchen laboratory lake library "
        "lighthouse lobby market mountain museum office orchard palace park pharmacy playground "
        "pool prison ranch restaurant river school shop square stadium station store street "
        "studio theater tower town tunnel university valley village warehouse yard zoo"
    ),
    "person": (
        "actor admiral architect artist athlete aunt author baker banker barber boss boy brother "
        "butcher captain carpenter cashier chef chief child clerk coach cook cousin dancer "
        "daughter dentist doctor driver duchess duke editor engineer father farmer fisherman "
        "friend gardener general girl guard guest guide hunter judge journalist king knight lady "
        "lawyer leader magician manager mayor mechanic merchant messenger minister mother musician "
        "neighbor nephew nurse officer owner painter partner physician pilot plumber poet prince "
        "princess producer professor queen sailor scientist secretary shepherd sheriff singer "
        "sister soldier student surgeon tailor teacher thief trainer treasurer uncle usher visitor "
        "waiter watchmaker witness writer youth"
    ),
    "animal": (
        "badger bat bear beetle bird buffalo bull camel cat cheetah chicken cow crab crow deer dog "
        "dolphin donkey dove duck eagle elephant fish fox frog giraffe goat goose hawk horse "
        "jaguar kangaroo kitten lamb lion lizard lobster monkey moose mouse mule octopus ostrich "
        "otter owl oyster panther parrot pigeon pony puppy rabbit raven rooster seal shark sheep "
        "snail snake sparrow spider squirrel swan tiger toad turkey turtle walrus whale wolf worm "
        "yak zebra"
    ),
    "food": (
        "almonds apples apricots asparagus bacon bananas barley beans beef berries bread broccoli "
        "butter cabbage cake carrots cashews celery cheese cherries chicken chocolate coffee corn "
        "cream cucumber curry eggs fish flour fudge garlic ginger grapes ham honey jam juice "
        "ketchup lamb lemonade lentils lettuce mango maple meat melon milk mushrooms mustard nuts "
        "oatmeal olives onions oranges pancakes pasta peaches peanuts pears pepper pickles pizza "
        "plums pork porridge potatoes pudding pumpkin radish raisins rice salad salmon salt "
        "sausage soup spinach squash strawberries sugar toast tofu tomatoes tuna turnips vanilla "
        "vinegar walnuts yogurt zucchini"
    ),
    "noun": (
        "account address alarm anchor answer arrow axe badge bag ball balloon bandage basket "
        "battery beam bell belt bicycle blanket boat bone book bottle bowl box brake branch broom "
        "brush bucket bulb button cable cage calendar camera candle canoe card carpet cart case "
        "chain chair chalk chart choice cigar clock cloth coach coat coin collar comb computer "
        "couch cup curtain cushion decision desk dictionary document door drawer dress drum "
        "earring edge engine envelope exposure faucet feather fence file fire flag flashlight "
        "flute fork frame fuse gate gift glass glove guitar hammer hat helmet hinge hook hose "
        "idea invoice jacket jar jewel joint journal judgment key knife knot ladder lamp latch "
        "leaf leather leash letter lever lock luggage machine magnet map mask match measure medal "
        "menu message mirror mixture motor mouth nail napkin necklace needle nest net noise "
        "notebook number oath oil order organ oven package page paint paper passage password path "
        "pencil photograph piano picture pillow pipe plan plate pocket point poison poster pot "
        "present prize project purse question quilt quiz radio raft razor receipt record "
        "ribbon rifle ring robe rocket roof rope rug ruler saddle safe sail scarf schedule "
        "screen sculpture seat shadow shelf shield shirt shoe shovel shower signal sink sketch "
        "sleeve smoke soap sock sofa song spoon square stamp statue stove string suit suitcase "
        "sweater switch sword table tape target telephone telescope television tent thread throne "
        "ticket tie tooth torch towel toy tray treasure trophy truck trumpet tube umbrella vase "
        "vehicle version vest violin vision visa voice wallet watch weather wheel whistle window "
        "wire wish word wreath yarn yacht zipper"
    ),
    "things": (
        "actions bathtubs beaches beliefs birthdays books boys breezes bridges brushes buses "
        "cabbages cages chairs changes churches classes clothes clouds coins crowds days deaths "
        "doubts dreams edges eyes faces fields fights figures flowers forests friendships gardens "
        "ghosts gifts giraffes hearts hedges hours houses images jobs journeys judges keys "
        "kitchens laughs leaves lessons lives maps marches maths months mornings mouths noises "
        "numbers oceans oranges paths pieces pleasures poems points prices prizes puzzles rooms "
        "roads rumors seasons shapes ships shoes shops sixths skies sleighs smiles songs sounds "
        "speeches stairs stars stones storms stories streets strengths tests thoughts thumbs toes "
        "tools toys treasures trees truths urns usages vases views villages voices votes voyages "
        "walls watches waves ways wishes wives wolves words worlds years youths"
    ),
    "adjective": (
        "able absent afraid ancient angry anxious ashamed asleep average awful awkward bad bare "
        "beautiful big bitter blind bold boring brave brief bright broken busy calm careful casual "
        "cautious charming cheap cheerful clean clear clever cloudy clumsy cold common "
        "complete cool correct courageous crazy cruel curious damp dangerous dark deaf deep "
        "delicious different difficult dirty double dry dull eager early easy elegant empty "
        "enormous equal expensive faithful familiar famous fast feeble final fine foolish foreign "
        "fragile free fresh friendly frozen full funny fuzzy gentle genuine glad good gorgeous "
        "graceful grand grateful greedy guilty happy hard harsh healthy heavy helpful high hollow "
        "honest horrible huge humble hungry icy ideal important impossible innocent jealous jolly "
        "joyful kind large late lazy light little lively lonely long loose loud lovely loyal lucky "
        "massive mature mean mighty modern modest moist narrow natural nervous new nice noisy "
        "normal nuclear obvious odd old open ordinary outrageous painful pale patient peaceful "
        "perfect plain pleasant polite poor popular precious pretty private proud public pure "
        "quick quiet rare ready real regular rich right rough royal rude rusty sad safe salty "
        "selfish serious severe shallow sharp shiny short shy sick silent silly simple sincere "
        "slim slow small smooth soft sore sour special spoiled square stale stiff strange "
        "strict strong stubborn sturdy sudden sunny superb sure sweet tall tasty tender terrible "
        "thick thin thirsty thorough thoughtful tidy tight tiny tired tough tricky true ugly "
        "unique unusual urgent useful usual vague various vast vicious visual vivid voiceless warm "
        "wealthy weird wet wicked wide wild wise wonderful wooden worthy wrong young zealous"
    ),
    "verb": (
        "accept admire announce avoid bake beat bend bless borrow bounce break bring brush build "
        "burn bury carry catch change chase check choose clean climb close collect copy count "
        "cover crush cut damage deliver destroy discover divide draw dream drop earn enjoy examine "
        "exchange explain explore fetch fill find finish fix fold follow forget forgive furnish "
        "gather give grab grow guess handle hate hear hide hire hit hold ignore imagine improve "
        "inspect invent join judge jump keep kick know lend like lift lose love manage mark "
        "measure melt mention miss move need notice obey offer open order own paint pass pay pick "
        "plant play polish pour prepare print protect prove pull push question raise reach read "
        "receive record recognize remember remove rent repair replace rescue return rob ruin save "
        "scratch search sell send serve sew shake share shoot show sketch smash smell solve steal "
        "stir store strike study switch take taste teach tear throw tie touch trade trust try turn "
        "twist use value visit want wash watch weigh wipe wish wrap write"
    ),
    "past": (
        "accepted adored announced asked attacked baked begged blamed bought bothered broke "
        "brought brushed built burned called carried caught changed chased checked chose cleaned "
        "closed crushed counted covered cut damaged described deserved destroyed dragged drew "
        "drove dropped earned enjoyed envied examined exchanged explained found fetched filled "
        "finished fixed followed forgot fought gave grabbed guarded guessed hated heard hid "
        "hired hugged ignored imagined improved inspected invented joined judged kept kicked "
        "knew learned left lifted lost loved made managed marked matched measured "
        "melted mentioned missed mixed moved needed noticed offered opened ordered owed owned "
        "packed painted passed paid pitched planned played poured praised preserved pressed "
        "promised protected pushed raised reached received refused remembered removed rented "
        "repaired replaced rescued robbed ruined saved saw scratched searched shared showed sold "
        "smelled smoothed solved stirred stole stored stretched studied switched taught tasted "
        "threw tied took touched traded trusted turned twisted understood used visited wanted "
        "warmed washed watched welcomed wiped won worshipped wrapped wrote"
    ),
    "going": (
        "arguing arriving baking bathing begging blushing boiling breathing buzzing camping "
        "changing charging chatting cheating choking climbing cooking coughing counting crawling "
        "crying dancing diving dozing dreaming driving drowning eating exploding fading falling "
        "fighting fishing fleeing floating flying freezing gazing giggling growing growling "
        "hopping howling hunting hurrying joking juggling jumping kneeling knitting knocking "
        "laughing leaving listening lying marching measuring moving paying playing praying "
        "reading relaxing resting rising rowing running sailing shaking shining shivering "
        "shopping shouting singing sitting skating sleeping smiling smoking snoring speaking "
        "spinning standing stretching swimming talking teaching thinking traveling trembling "
        "typing vanishing voting waiting walking washing watching waving weeping whispering "
        "whistling winning wishing working worrying writing yawning yelling"
    ),
    "adverb": (
        "again badly barely bravely briefly brightly calmly carefully casually cheerfully clearly "
        "cleverly closely deeply directly eagerly early easily entirely exactly fairly "
        "finally firmly freely gently gladly gracefully greedily happily hardly honestly hourly "
        "hungrily jointly joyfully kindly largely lately lazily loudly loyally mostly mysteriously "
        "neatly nervously newly nicely often oddly openly partly patiently perfectly politely "
        "poorly properly proudly purely quickly quietly rarely really regularly roughly sadly "
        "safely seldom sharply shortly silently simply slowly smoothly softly soon strangely "
        "strongly suddenly surely sweetly thoroughly thoughtfully tightly together truly unusually "
        "urgently usually utterly vaguely warmly weakly wildly wisely yearly"
    ),
}
"""The others, of which one in four or so is for tests."""


def corpus(count: int, seed: int) -> list[tuple[str, str]]:
    """Draw distinct sentences, each with the name of its family, every family as often.

    The same arguments give the same sentences, and a larger count the same first.

    Raises:
        UserError: there are not so many.
    """
    return _drawn(count, seed, FAMILIES, _lists({**CLOSED, **OPEN}))


def split(train: int, test: int, seed: int) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """Draw sentences to train on and to test: the tests' families, ``HELD_OUT``, are not trained.

    Nor are the words of ``OPEN`` that the tests draw. Which those are is the same with every seed.
    Numbers, days and colours, other forms of a word, and what stands in the templates themselves
    are in both: :func:`unseen` counts.

    Args:
        train: how many to train on.
        test: how many to test.
        seed: draws.

    Raises:
        UserError: there are not so many.
    """
    return _part(train, seed, tests=False), _part(test, seed, tests=True)


def words(text: str) -> list[str]:
    """The words of a text, in small letters."""
    return re.findall(r"[a-z]+", text.lower())


def unseen(train: Sequence[str], test: Sequence[str]) -> float:
    """Of all words of the texts ``test``, the share that no text of ``train`` has, 0 to 1."""
    seen = {word for text in train for word in words(text)}
    spoken = [word for text in test for word in words(text)]
    return sum(word not in seen for word in spoken) / len(spoken)


def _part(count: int, seed: int, *, tests: bool) -> list[tuple[str, str]]:
    families = {name: made for name, made in FAMILIES.items() if (name in HELD_OUT) == tests}
    opened = {
        kind: [word for word in words if _for_tests(word) == tests]
        for kind, words in _lists(OPEN).items()
    }
    return _drawn(count, seed, families, {**_lists(CLOSED), **opened})


def _lists(kinds: Mapping[str, str]) -> dict[str, list[str]]:
    return {kind: words.split() for kind, words in kinds.items()}


def _for_tests(word: str) -> bool:
    return crc32(word.lower().encode()) % 4 == 0


def _drawn(
    count: int, seed: int, families: Mapping[str, str], lists: Mapping[str, Sequence[str]]
) -> list[tuple[str, str]]:
    """Distinct sentences, by turns of all families that have another one to give."""
    chance = random.Random(seed)
    drawn: dict[str, str] = {}
    rest = dict(families)
    while len(drawn) < count:
        if not rest:
            raise UserError(f"There are no {count:,} sentences to draw, only {len(drawn):,}.")
        for family, template in list(rest.items()):
            for _ in range(TRIES):
                text = _filled(template, lists, chance)
                if text not in drawn:
                    drawn[text] = family
                    break
            else:
                del rest[family]
    return [(family, text) for text, family in drawn.items()][:count]


def _filled(template: str, lists: Mapping[str, Sequence[str]], chance: random.Random) -> str:
    """A template with words in it, none of them twice."""
    left = {kind: list(words) for kind, words in lists.items() if f"{{{kind}}}" in template}

    def word(slot: re.Match[str]) -> str:
        choices = left[slot[1]]
        return choices.pop(chance.randrange(len(choices)))

    text = re.sub(r"\{(\w+)\}", word, template)
    return text[0].upper() + text[1:]
