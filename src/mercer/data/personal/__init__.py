"""Personal data in free text: the one detector that cleaning, serving and the profile share.

detector.py    all finders together; redaction
found.py       kinds, places, and which of two overlapping finds stands
cards.py       issuer ranges and Luhn's check digit
accounts.py    bank accounts, social security numbers, documents
online.py      e-mail, IP and web addresses
phones.py      numbering plans, or the word phone
names.py       persons, by titles, introductions and given names (given_names.txt)
addresses.py   streets, boxes, post codes
prose.py       whether a capital means something in a text

The gate on card numbers has a detector of its own (compliance/card_numbers.py), on purpose: a gate that shared this
one's blind spot would prove nothing.
"""

from mercer.data.personal.detector import find_personal, holds, redact
from mercer.data.personal.found import KINDS, WORDS, Found, Kind

__all__ = ["KINDS", "WORDS", "Found", "Kind", "find_personal", "holds", "redact"]
