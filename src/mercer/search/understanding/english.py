"""The English words that a query is read with: closed classes and a few phrases, the same "
"for every catalogue."""

from __future__ import annotations


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


CURRENCIES = frozenset(
    _words("€ £ $ euro euros eur pound pounds gbp sterling quid dollar dollars usd buck bucks")
)

NUMBERS = {
    word: value
    for value, word in enumerate(
        _words(
            "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
            "fifteen sixteen "
            "seventeen eighteen nineteen"
        )
    )
}
TENS = {
    word: 10 * value
    for value, word in enumerate(_words("twenty thirty forty fifty sixty seventy eighty ninety"), start=2)
}
ORDINALS = {
    word: value
    for value, word in enumerate(
        _words(
            "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth "
            "thirteenth fourteenth "
            "fifteenth sixteenth seventeenth eighteenth nineteenth twentieth"
        ),
        start=1,
    )
}
ORDINALS |= {
    "thirtieth": 30,
    "fortieth": 40,
    "fiftieth": 50,
    "sixtieth": 60,
    "seventieth": 70,
    "eightieth": 80,
}
NOTES = {"fiver": 5, "tenner": 10}

MEASURES = frozenset(
    _words(
        "gb tb mb kb gbps mbps hz khz mhz ghz w kw v mv a ma mah wh mm cm m km in inch inches ft "
        "foot feet g kg mg l ml "
        "cl oz lb lbs mp px rpm dpi ppm db gram grams kilo kilos litre litres liter liters metre "
        "metres meter meters "
        "centimetre centimetres watt watts volt volts minute minutes hour hours day days week "
        "weeks month months year "
        "years yr yrs yo second seconds people persons guests pieces piece pcs pack packs packet "
        "box boxes cup cups port "
        'ports x % s sheets pages cores person pint pints degree degrees hp bit inch"'
    )
)
"""What makes a bare number an amount of something else than money."""

PERSON = _words(
    "mum mom mummy mother mam dad daddy father son daughter boy girl child kid toddler baby "
    "teenager teen brother "
    "sister niece nephew wife husband partner boyfriend girlfriend fiance fiancee friend mate "
    "grandma grandmother "
    "granny gran nan nana grandad granddad grandfather grandpa grandson granddaughter "
    "grandchild uncle aunt auntie "
    "cousin colleague coworker boss teacher neighbour neighbor godson goddaughter flatmate "
    "roommate housemate host "
    "hostess man woman lady gentleman guy lad bloke student parent stepson stepdaughter"
)
PEOPLE = _words(
    "sons daughters boys girls children kids toddlers brothers sisters nieces nephews friends "
    "parents grandparents "
    "grandchildren colleagues coworkers neighbours neighbors cousins in-laws twins teachers mates"
)
PRONOUNS = _words("him her them someone somebody")

GRAMMAR = frozenset(
    _words(
        "a an and any are as at be but by can do does for from get go had has have he her here him "
        "his how i if in is it "
        "its just like look looking me my need no not of off on one only or our out over please "
        "same she show so some "
        "something anything somebody someone such than that the their them then there these they "
        "thing this to too under "
        "up us very want we what when where which who will with without would you your thanks "
        "thank really quite maybe "
        "made make makes named called left stock offer sale available online today now asap pls plz ok ones "
        "priced costing costs cost ideally maybe preferably possible if because since while than that which "
        "about around cheap good nice great best new buy find"
    )
)
"""Words that are no name of a thing: they end a group of words that names one."""

PREPOSITIONS = frozenset(_words("for with to that which in on from by as who when where under over without"))

NEGATIONS = frozenset(
    _words("not no without except never non excluding dont doesnt isnt wont cant cannot avoid minus nor")
)
NEGATING_PAIRS = frozenset(
    {("other", "than"), ("rather", "than"), ("instead", "of"), ("apart", "from"), ("anything", "but")}
)
PASSED = frozenset(_words("a an any the in made of from with want be is by too have like it to"))
"""What may stand between a negation and what it denies."""

OPENINGS = (
    r"(?:hi|hello|hey|good morning|good evening)(?: there)?",
    r"(?:i am|im|we are|were) (?:looking|searching|shopping|hunting|after)(?: for| to buy| to find)?",
    r"(?:looking|searching|shopping|hunting) for",
    r"(?:i|we) (?:want|need|would like|d like|am after|wish)(?: to (?:buy|get|find|order|see|have))?",
    r"(?:id|wed) like(?: to (?:buy|get|find|order|see|have))?",
    r"(?:do|have|would|did) you (?:have|got|sell|stock|carry|offer|happen to have)",
    r"(?:can|could|would|will) you (?:please )?(?:show|find|recommend|suggest|get|help|give)(?: "
    "me)?(?: find)?",
    r"(?:please )?(?:show|find|get|give|recommend|suggest|search|bring)(?: me| us)",
    r"(?:where|how) can i (?:find|buy|get)",
    r"(?:is|are) there",
    r"(?:what|which) (?:are )?(?:the )?(?:best )?(?:would|do) you (?:have|recommend|suggest)",
    r"(?:got|have you got)(?= a| an| any| some)",
    r"please|pls|plz|thanks|thank you|cheers|kindly",
)
POLITE = r"please|pls|plz|thanks|thank you|many thanks|cheers|kindly|asap|any ideas"
"""Courtesies that may stand anywhere."""

"""Courtesies around what is asked for, as patterns over folded words."""

OCCASIONS = frozenset(
    _words(
        "gift present birthday bday surprise treat idea anniversary wedding delivery order return "
        "refund price budget age "
        "home kid child adult thing stuff item product set pack size colour color brand kind type style"
    )
)
"""Words that say what a thing is for or what is told of it; alone they name no kind of thing."""
