"""All finders together: what personal data a text holds, and the text without them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping

from mercer.data.personal.accounts import find_documents, find_ibans, find_social_security
from mercer.data.personal.addresses import find_addresses
from mercer.data.personal.cards import find_cards
from mercer.data.personal.found import KINDS, Found, Kind, apart
from mercer.data.personal.names import find_names
from mercer.data.personal.online import find_emails, find_ips, find_urls
from mercer.data.personal.phones import find_phones

_FINDERS: Mapping[Kind, Callable[[str], Iterator[Found]]] = {
    "card": find_cards,
    "iban": find_ibans,
    "social-security": find_social_security,
    "document": find_documents,
    "email": find_emails,
    "phone": find_phones,
    "ip": find_ips,
    "url": find_urls,
    "person": find_names,
    "address": find_addresses,
}


def find_personal(text: str, kinds: Collection[Kind] = KINDS) -> list[Found]:
    """Personal data of the wanted kinds in a text, in order of place, none overlapping another."""
    return apart(one for kind in kinds for one in _FINDERS[kind](text))


def holds(text: str, kind: Kind) -> bool:
    """Whether a text holds personal data of a kind."""
    return next(_FINDERS[kind](text), None) is not None


def redact(text: str, *kinds: Kind) -> str:
    """The text with ‹kind› in place of what was found."""
    for one in reversed(find_personal(text, kinds)):
        text = f"{text[: one.start]}‹{one.kind}›{text[one.end :]}"
    return text
