"""Names of persons, as far as rules go: a title before, words that introduce, or a given name before a surname.

No model of language is at work, so a name that nothing announces is missed, and a brand that is a person's name (Laura
Ashley) is found where a text looks like a sentence. Texts in capitals, and titles in which every word has one, are
asked only for announced names: there a capital says nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from importlib import resources

from mercer.data.personal.found import Found
from mercer.data.personal.prose import is_prose

_WORD = r"[^\W\d_]+(?:['’-][^\W\d_]+)*"
_CAP = r"(?=[^\W\d_a-zß-ÿ])" + _WORD
_PARTICLE = r"(?:de|da|do|dos|del|della|der|den|van|von|zu|la|le|bin|al|el|af|ten|ter)"
_NAME = rf"{_CAP}(?:(?: [A-Z]\.?(?= ))?(?: {_PARTICLE}){{0,2}} {_CAP}){{0,3}}"

_TITLE = re.compile(
    r"(?<!\w)(?:Mr|Mrs|Ms|Miss|Mx|Dr|Prof|Professor|Sir|Dame|Herr|Frau|Mme|Mlle|Monsieur|Madame|Señora?|Signora?)"
    rf"\.? ({_NAME})"
)
_INTRODUCED = re.compile(
    r"(?<!\w)(?i:(?:my |his |her |their |partner's |full |first |last )?name(?: is|:| appears as)|"
    r"(?:people |they |you can |please )?call me|was called|is called|named|dear|sincerely,?|regards,?|attn:?|c/o|"
    r"for the attention of|on behalf of|in the name of|care of|signed,?|directed by:?|written by|account\? user:|"
    r"contact:?|speak (?:to|with)|follow up with|under my \w+'s name|need to add|customer:|recipient:|ship to:?|"
    r"deliver to:?|assistant to)"
    rf"[ \t\n]{{1,8}}({_NAME})"
)
_SELF = re.compile(rf"(?<!\w)(?:(?i:i am|i'm|this is|it's|hi|hello|hey|by|remember me)),? ({_NAME})")
_FULL = rf"{_CAP}(?: [A-Z]\.?(?= ))?(?: {_PARTICLE}){{0,2}}(?: {_CAP}){{1,2}}"
_LISTED = re.compile(rf"(?<!\w)({_FULL})")
_DOES = re.compile(
    rf"(?<!\w)({_NAME})(?:'s)?(?: (?i:says?|said|lives|lived|shouted|wrote|was born|is married|had given|will be|"
    r"spent|is a|is very|just turned|called|told|asked|works|worked|killers?|wants?|wanted|bought|ordered))\b"
)
_MET = re.compile(
    r"(?<!\w)(?i:shouted at|given|sung by|directed by|starring|founders:|gender of|married to|met with|spoke to)"
    rf" ({_NAME})"
)
_TALKS = re.compile(rf"^({_CAP}):(?= )", re.MULTILINE)
_ALONE = re.compile(rf"\A[ \t?]*({_FULL})[ \t]*\n")

_NEVER = frozenset(
    re.findall(
        r"\w+",
        "the a an and or of for in on at to my your our their this that these those it he she we they i you is are was "
        "real person human agent manager customer customers sir madam team support service everyone everybody all "
        "friend friends there bot user please thanks thank hello hi hey dear monday tuesday wednesday thursday friday "
        "saturday sunday january february march april june july august september october november december english "
        "german french italian spanish american british street road avenue st new north south east west united city "
        "state president king queen god mr mrs ms dr phone email fax mobile address website info office what who when "
        "where why how",
    )
)
"""Words that are no name where they stand first or last."""

_FIRM = frozenset(
    re.findall(
        r"\w+",
        "inc corp corporation company co ltd llc gmbh group bank university college school club services technologies "
        "agency unlimited systems solutions association foundation institute",
    )
)
"""Words that make of names a firm."""


def find_names(text: str) -> Iterator[Found]:
    """Names of persons; see the module for what is missed."""
    yield from _found(_TITLE, text)
    if not is_prose(text):
        return
    yield from _found(_INTRODUCED, text)
    for match in (*_SELF.finditer(text), *_LISTED.finditer(text), *_TALKS.finditer(text)):
        if _given(match.group(1)):
            yield from _trimmed(match)
    for match in (*_DOES.finditer(text), *_MET.finditer(text)):
        if " " in match.group(1) or _given(match.group(1)):
            yield from _trimmed(match)
    if any(c.isdigit() for c in text):
        yield from _found(_ALONE, text)


def _found(pattern: re.Pattern[str], text: str) -> Iterator[Found]:
    for match in pattern.finditer(text):
        yield from _trimmed(match)


def _trimmed(match: re.Match[str]) -> Iterator[Found]:
    """The name without words at its ends that are none; nothing where no word is left."""
    words = [(m.start(), m.end()) for m in re.finditer(r"\S+", match.group(1))]
    if any(match.group(1)[slice(*word)].lower() in _FIRM for word in words):
        return
    while words and match.group(1)[slice(*words[0])].lower() in _NEVER:
        words.pop(0)
    while words and match.group(1)[slice(*words[-1])].lower() in _NEVER:
        words.pop()
    if words:
        yield Found(match.start(1) + words[0][0], match.start(1) + words[-1][1], "person")


def _given(name: str) -> bool:
    """Whether the first word is a given name, and none an abbreviation: DELL P and Lena SM are articles."""
    words = re.findall(_WORD, name)
    return (
        words[0].lower() in given_names()
        and not any(len(w) > 1 and w.isupper() for w in words)
        and len(words[-1]) > 1
    )


@cache
def given_names() -> frozenset[str]:
    """Frequent given names, lower case."""
    text = resources.files("mercer.data.personal").joinpath("given_names.txt").read_text("utf-8")
    return frozenset(line for line in text.splitlines() if not line.startswith("#"))
