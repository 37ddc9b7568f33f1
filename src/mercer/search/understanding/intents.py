"""What a person is about: a thing, a gift for somebody else, or a service such as the state of an order."""

from __future__ import annotations

import re
from dataclasses import dataclass

from mercer.search.understanding.amounts import MONEY, NUMBER, Line
from mercer.search.understanding.contract import Intent
from mercer.search.understanding.english import PEOPLE, PERSON, PRONOUNS


@dataclass(frozen=True, slots=True)
class Occasion:
    """The intent, and the positions of the tokens that say no more than that."""

    intent: Intent
    used: frozenset[int] = frozenset()


def occasion(line: Line, *, products: frozenset[int], has_age: bool) -> Occasion:
    """The intent of a query.

    products: positions of tokens that name a product. has_age: another person's age is told.
    """
    if any(pattern.search(line.text) for pattern in _SERVICE):
        return Occasion("service")
    used: set[int] = set()
    for pattern in _GIFT:
        for covered, _ in line.matches(pattern):
            if not products & set(covered):
                used |= set(covered)
    return Occasion("gift" if used or has_age else "product", frozenset(used))


def _patterns(*texts: str) -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(rf"(?<!\S)(?:{text})(?!\S)") for text in texts)


_PARCEL = r"(?:orders?|parcels?|packages?|deliver(?:y|ies)|shipments?|purchases?)"
_SERVICE = _patterns(
    rf"(?:where|wheres|when|whens) (?:is|are|was|will|can|does|do)?.{{0,20}}\b(?:my|our|the) "
    rf"(?:\S+ ){{0,3}}{_PARCEL}.*",
    rf"(?:track|tracking|cancel|cancelling|canceling|change|amend|check|find) (?:my |our |an |the |a "
    rf"|status of (?:my )?)*{_PARCEL}.*",
    rf"(?:status|state|tracking) (?:of |for )?(?:my |the |an )?{_PARCEL}",
    rf"{_PARCEL} (?:status|tracking|number|history|confirmation|is late|not arrived|never arrived|missing"
    rf"|delayed|times?|costs?|charges?|options?|fees?)",
    rf"(?:my|our|the) {_PARCEL} (?:has|hasnt|have|havent|did|didnt|was|wasnt|never|is|isnt|still|came"
    rf"|arrived|got).*",
    r"(?:how|can|could|may|do|where|want|need|like|would|id|i) .{0,24}\b(?:return|exchange|refund"
    r"|send back|bring back|give back)\b.*",
    r"^(?:returns?|refunds?|exchanges?|shipping|delivery|postage|warranty|guarantee|complaints?|payment"
    r"|privacy)(?: (?:and|or) (?:returns?|refunds?|exchanges?|shipping|delivery))?(?: (?:policy|policies"
    r"|form|label|address|conditions|terms|info|information|costs?|charges?|times?|options?|fees?|methods?"
    r"|claim|claims|process))?$",
    r"(?:return|exchange|send back|refund|cancel) (?:(?:an?|my|the|this|these|it|something|some) ?)+.{0,40}",
    r"(?:refund|refunds|returns) (?:for|of|on) .*",
    r".*\b(?:money|cash) back\b.*",
    r"(?:opening|store|shop|business|closing|trading) (?:hours|times?).*",
    r"(?:when|what time|how late|are|is|what days) (?:do|are|is|does)? ?(?:you|the shop|the store"
    r"|your shop|your store) (?:open|close|closed|shut|opening).*",
    r"^contact$|contact (?:us|you|details|number|form|customer|somebody|someone|support).*",
    r"(?:customer (?:service|support|care)|help ?desk|helpline|live chat|call you|email you)(?: .*)?",
    r"(?:do|can|will) you (?:ship|deliver|post|send)(?: .*)?",
    r"(?:how long|how much|how fast|how soon|how many days) .{0,30}\b(?:delivery|deliver|shipping|postage"
    r"|arrive|dispatch)\b.*",
    r"(?:forgot|reset|change|lost)(?: my| the)? (?:password|address|email|account).*",
    r"(?:my|the|an) (?:invoice|receipt|account|refund|return|voucher code|discount code|promo code)\b.*",
    r"(?:invoice|receipt) (?:for|of) .*",
    rf".*\b(?:arrived|came|was delivered|received|got) (?:it |them |my {_PARCEL} )?(?:broken|damaged"
    rf"|faulty|cracked|smashed|wrong|the wrong).*",
    r".*\bwrong (?:item|size|colour|order|product)\b.*",
    r"(?:speak|talk) (?:to|with) (?:a |an |some)?(?:human|person|agent|somebody|someone|one).*",
)

_ADJECTIVES = (
    r"(?:(?:little|big|young|older|younger|elder|best|dear|lovely|small|new|old|good|elderly|favourite|tiny|"
    r"teenage|own|closest|late|grown up) )*"
)
_ONE = "|".join(PERSON)
_MANY = "|".join([*PERSON, *PEOPLE])
_THINGS = (
    r"wrap|wraps|wrapping|card|cards|bag|bags|box|boxes|basket|baskets|hamper|hampers|tag|tags|paper|set"
    r"|sets|voucher|"
    r"vouchers|ribbon|ribbons|tissue|labels?|certificates?|cake|cakes|candles?|balloons?|banner|banners"
    r"|decorations?|invitations?|bow|bows"
)
_EVENT = (
    r"birthday|bday|christmas|xmas|wedding|anniversary|housewarming|house warming|leaving|retirement"
    r"|graduation|"
    r"engagement|valentines|valentines day|mothers day|fathers day|easter|thank you|secret santa|hostess"
    r"|christening|"
    r"baby shower|teachers?|new baby|get well"
)
_LIKES = (
    r"(?: (?:who|that) (?:loves?|likes?|enjoys?|adores?|is into|is mad about|is crazy about"
    r"|is fond of|wants|needs))?"
)
_GIFT = _patterns(
    rf"(?:as |for )?(?:a |an |the |some |my )?(?:(?:lovely|nice|good|great|little|small|perfect|special"
    rf"|cheap|last minute|late|early|surprise) )*"
    rf"(?:(?:{_EVENT}) )?(?:gifts?|presents?|giftidea|pressie|prezzie)(?! (?:{_THINGS}))(?: ideas?)?",
    rf"(?:for|to give(?: to)?|to send to|to) (?:(?:a|an|my|our|his|her|their"
    rf"|your) ){_ADJECTIVES}(?:{_ONE})s?(?: in law)?{_LIKES}",
    rf"(?:for|to give(?: to)?|to send to) (?:my|our|his|her|their) {_ADJECTIVES}(?:{_MANY}){_LIKES}",
    rf"(?:for|to give(?: to)?|to surprise) (?:{'|'.join(PRONOUNS)})(?: else| special)?{_LIKES}(?! {NUMBER})",
    r"(?:for|to give(?: to)?) (?:mum|mom|mummy|mommy|dad|daddy|grandma|grandad|granddad|granny|gran|nan"
    r"|nana|grandpa)" + _LIKES,
    rf"(?:for )?(?:(?:a|an|his|her|my|our|their|the|somebodys|someones|[a-z]+s) )?(?:{NUMBER} ?(?:th|st|nd"
    rf"|rd) )?(?:birthday|bday|secret santa|stocking filler|stocking fillers)(?! (?:{_THINGS}))",
    rf"(?:as a )?(?:surprise|treat) for (?:my|our|a|his|her) {_ADJECTIVES}(?:{_ONE})",
    rf"for (?:the |a |an |his |her |their )?(?:mothers day|fathers day|valentines day|valentines|wedding"
    rf"|anniversary)(?! (?:{_THINGS}|{MONEY}))",
)

WORDS = frozenset(
    word for pattern in (*_GIFT, *_SERVICE) for word in re.findall(r"[a-z]{3,}", pattern.pattern)
)
"""The words of these patterns, which a speller leaves alone."""
