"""The words that a narrative may use apart from its facts. Every word outside these lists and the facts is refused.

Words are listed by their stems (`stem`). A cue word makes a claim of its own and needs a fact of the kinds named for
it; a frame word makes none. Nothing here is about a customer: what is said of a person must come from a fact.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from mercer.reporting.narratives.fact import Direction, Kind

_IRREGULAR = {
    "bought": "buy", "buys": "buy", "buying": "buy", "cost": "cost", "costs": "cost", "is": "is", "this": "this",
    "has": "has", "was": "was", "its": "its", "as": "as", "gave": "give", "given": "give", "shown": "show",
    "made": "make", "rose": "rise", "risen": "rise", "less": "less", "does": "does", "these": "these",
    "came": "come", "days": "day", "stood": "stand", "were": "were", "because": "because", "there": "there",
    "those": "those", "one": "one", "been": "been", "seen": "see", "below": "below", "brings": "bring",
    "brought": "bring", "measured": "measure", "threshold": "threshold",
}  # fmt: skip


def stem(word: str) -> str:
    """The word in lower case without the endings of plural, past and participle; crude, and the same for both sides."""
    low = word.lower().removesuffix("'s").removesuffix("'")
    if low in _IRREGULAR:
        return _IRREGULAR[low]
    for ending, rest in (("ies", "y"), ("sses", "ss"), ("ing", ""), ("ed", ""), ("es", ""), ("s", "")):
        if low.endswith(ending) and len(low) - len(ending) >= 3 and not low.endswith("ss"):
            low = low.removesuffix(ending) + rest
            break
    low = re.sub(r"([bdgklmnprt])\1$", r"\1", low) if len(low) > 4 else low
    return low.removesuffix("e") if len(low) > 3 else low


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _stems(text: str) -> frozenset[str]:
    return frozenset(stem(word) for word in text.split())


SKIPPED = _stems(
    "a an the this that these those of in on at to for from with was were is are be been it its their your"
)
"""Function words that may come or go inside the name of a fact."""

FRAME = SKIPPED | _stems(
    "and as has have had by about against also but while which who they them you we me there what why how when "
    "case customer account subject model value values figure gives give given gets received got show stands stand "
    "stood comes come came rests rest based basis behind belongs concerns concern regards relates listed list "
    "recorded record stored so such said says reads it's than mainly make makes result put both number placed"
)
"""Words without a claim of their own."""

DIRECTIONS: Mapping[str, Direction] = {
    **dict.fromkeys(_stems("raise increase lift push-up up higher rise boost"), "raises"),
    **dict.fromkeys(_stems("lower reduce decrease down cut fall drop"), "lowers"),
}
"""What a word says of the score or the prediction."""

CARRIERS = _stems("push pull bring go move")
"""Verbs that mean nothing without `up` or `down`."""

SCALE = _stems("score prediction probability")
"""What a direction is about."""

OVER = _stems("above over exceeds exceed greater larger beyond")
UNDER = _stems("below beneath under smaller short")
THAN = _stems("more higher")
LESS_THAN = _stems("less lower fewer")

NEGATIONS = _words(
    "no not never none neither nor nothing nobody without cannot hardly barely n't isn't wasn't doesn't "
    "didn't don't can't won't hasn't haven't aren't weren't fails failed lacks rather instead except "
    "unlike"
)
ADVICE = _words(
    "should must ought advise advised consider contact call review block suspend approve "
    "reject refuse offer please need needs better best"
)
PROTECTED = _words(
    "he she his her hers him gender sex male female man woman race racial ethnic ethnicity religion "
    "religious muslim christian jewish hindu disabled disability pregnant pregnancy nationality national "
    "foreign immigrant gay lesbian transgender married divorced age aged old young elderly health sick "
    "union"
)

CUES: Mapping[str, frozenset[Kind]] = {
    **dict.fromkeys(_stems("rule target"), frozenset({"rule"})),
    **dict.fromkeys(_stems("because reason reasons matter matters due count"), frozenset(
        {"reason", "history", "parameter"})),
    **dict.fromkeys(_stems("since"), frozenset({"reason", "history", "parameter", "opened", "closed"})),
    **dict.fromkeys(_stems("shown recommended recommend suggested suggest see"), frozenset({"item"})),
    **dict.fromkeys(_stems("brand maker"), frozenset({"brand"})),
    **dict.fromkeys(_stems("parameter ranking order ordered depends looks rank"), frozenset({"parameter"})),
    **dict.fromkeys(_stems("remedy"), frozenset({"remedy"})),
    **dict.fromkeys(_stems("role"), frozenset({"role"})),
    **dict.fromkeys(_stems("decision"), frozenset({"disposition", "case-kind"})),
    **dict.fromkeys(_stems("gate"), frozenset({"case-kind"})),
    **dict.fromkeys(_stems("missing unknown"), frozenset({"reason"})),
    **dict.fromkeys(_stems("strongest largest biggest main"), frozenset({"reason", "parameter"})),
}  # fmt: skip
"""Words that need a fact of one of these kinds in the same sentence."""

NAMED: Mapping[Kind, frozenset[str]] = {
    "score": _stems("score"),
    "measured": _stems("measured measurement"),
    "threshold": _stems("threshold limit"),
    "price": _stems("price priced costs cost sells"),
    "prediction": _stems("prediction predicted predicts probability estimate"),
    "rows": _stems("rows row"),
    "opened": _stems("opened open dates"),
    "closed": _stems("closed"),
}
"""Words that name a fact whose value is a number or a date."""

BOUGHT = _stems("bought purchases purchased purchase own")
SHOWN = _stems(
    "shown recommended recommend suggested suggest see price costs cost sells priced brand made maker by from"
)
"""The last verb or sign near an item says whether it is the item shown or one of the customer's purchases."""

FIRST = _stems("strongest largest biggest main")

CAUSES = _stems("because since due")
"""What stands after them must hold a cause."""

STATES = _stems("opened closed")
NOT_CASES = _stems("customer account subject model score rule target list value")
"""Nouns that are never opened, closed or disposed of here."""

RANKING = _stems("parameter ranking order depends looks matters rank")
"""One of them stands in a sentence that says what a ranking depends on."""

BRANDED = _stems("brand maker made")
"""One of them, or the item itself, stands beside a brand."""

CUES_OF_RULE = _stems("rule target")
