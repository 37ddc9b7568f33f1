"""Rows that are no trade in goods: tests, corrections and notes of the stock, postage and fees.

They are known by the item's code in a log whose codes are numbers, by what most rows of the item are called, and by the
user. What the catalogue found to be no product is none in the log either.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pandas as pd

from mercer.data.cleaning.rule import Facts, Rule
from mercer.data.cleaning.sheet import Bools, Sheet

_NUMBERED = re.compile(r"(?:\D*\d){3}")
_MOSTLY = 0.8
_MOST_USERS = 0.2
"""Where more users than this share are called test, it is how the log names people."""

_SERVICE_CODE = re.compile(
    r"post|dot|m|d|s|c2|cruk|pads|bank charges|amazonfee|gift_.*"
    r"|carriage|shipping|freight|delivery|discount|voucher|fee",
    re.IGNORECASE,
)
_SERVICE_TITLE = re.compile(
    r"(?:(?:next day|express|standard|free|international|uk|eu|dotcom) )?"
    r"(?:postage|carriage|shipping|freight|delivery)(?: and (?:packing|handling))?(?: (?:fee|cost|charge)s?)?"
    r"|(?:amazon|bank|booking|handling|service|transaction|restocking) (?:fee|charge)s?"
    r"|(?:\w+ )?gift (?:voucher|card|certificate)s?(?: \d+(?: \d+)?)?"
    r"|(?:cruk |sales )?commission|discounts?|samples?"
)
_BOOK_CODE = re.compile(r"adjust\w*|adj|b|correction|write[ _-]?off", re.IGNORECASE)
_NOTE = re.compile(
    r"(?:\w+ ){0,2}adjust(?:ed|ment|ments)?|adjust bad debt|stock ?(?:take|check|count|entry|corrections?)|write ?offs?"
    r"|(?:wet |water )?damage[sd]?|(?:\w+ )?thrown? away|unsaleable(?: destroyed)?|had been put aside"
    r"|wrongly (?:coded|sold|marked)(?: \w+){0,4}|incorrect(?:ly)? (?:\w+ ?){1,5}|sold as (?:sets?|\d+)(?: \w+){0,3}"
)
"""Whole titles that no product has, in small letters and without punctuation."""

_WORD = re.compile(
    r"check(?:ed)?|counted|found|lost|missing|faulty|broken|smashed|crushed|mouldy|rusty|wet(?: rusty)?"
    r"|destroyed|returned|mixed up|given away|put aside|amazon|ebay|showroom|mailout"
)
"""Titles that a product could have, but not one that has another title beside."""

_TEST_CODE = re.compile(
    r"(?:test|dummy)(?:[-_ ]?(?:item|product|article|sku|\d+))*|do[-_ ]?not[-_ ]?use", re.IGNORECASE
)
_TEST_TITLE = re.compile(
    r"(?:this is a )?(?:test|dummy)(?: (?:item|product|article|sku|order))*(?: \d+)?|do not (?:use|order|sell)"
)
_TEST_USER = re.compile(
    r"(?:test|dummy)[-_. ]?(?:user|customer|account|buyer|order)?[-_. ]?\d*(?:@.*)?", re.IGNORECASE
)


def _quarantine(name: str, reason: str, find: Callable[[Sheet], Bools]) -> Callable[[Sheet, Facts], int]:
    def apply(sheet: Sheet, facts: Facts) -> int:
        bad = find(sheet)
        known = [code for code, rule in facts.no_products.items() if rule == name]
        if known and sheet.table != "items" and "item" in sheet.frame:
            bad = bad | sheet.frame["item"].isin(known).to_numpy()
        return sheet.quarantine(bad, name, reason)

    return apply


def _service(sheet: Sheet) -> Bools:
    return _by_code(sheet, _SERVICE_CODE, numbered=True) | _by_title(sheet, _SERVICE_TITLE)


def _correction(sheet: Sheet) -> Bools:
    """Corrections by code; in a catalogue taken from a log also rows whose title is a note of the stock."""
    bad = _by_code(sheet, _BOOK_CODE, numbered=True)
    frame = sheet.frame
    if sheet.table != "items" or "title" not in frame or not frame["item"].duplicated().any():
        return bad
    codes, titles = pd.factorize(frame["title"])
    note = _flags(titles, lambda title: bool(_NOTE.fullmatch(plain(title))))[codes]
    word = _flags(titles, lambda title: bool(_WORD.fullmatch(plain(title))) or not plain(title))[codes]
    named = frame["item"].isin(frame.loc[(codes >= 0) & ~note & ~word, "item"]).to_numpy()
    return bad | note | (word & named)


def _test(sheet: Sheet) -> Bools:
    bad = _by_code(sheet, _TEST_CODE, numbered=False) | _by_title(sheet, _TEST_TITLE)
    if "user" in sheet.frame:
        codes, users = pd.factorize(sheet.frame["user"])
        called = _flags(users, lambda user: bool(_TEST_USER.fullmatch(user)))
        if called.sum() <= _MOST_USERS * len(users):
            bad |= called[codes]
    return bad


def plain(title: str) -> str:
    """Small letters, digits and single blanks."""
    return re.sub(r"[\W_]+", " ", title.casefold()).strip()


def _by_code(sheet: Sheet, pattern: re.Pattern[str], *, numbered: bool) -> Bools:
    """Rows whose item's code the pattern matches; numbered: only where most codes hold a number of three digits."""
    if "item" not in sheet.frame:
        return np.zeros(len(sheet.frame), bool)
    codes, ids = pd.factorize(sheet.frame["item"])
    if numbered and (not len(ids) or np.mean([bool(_NUMBERED.match(one)) for one in ids]) < _MOSTLY):
        return np.zeros(len(sheet.frame), bool)
    return _flags(ids, lambda code: bool(pattern.fullmatch(code)))[codes]


def _by_title(sheet: Sheet, pattern: re.Pattern[str]) -> Bools:
    """All rows of an item that most of its rows with a title call so."""
    if sheet.table != "items" or "title" not in sheet.frame:
        return np.zeros(len(sheet.frame), bool)
    codes, titles = pd.factorize(sheet.frame["title"])
    called = pd.Series(_flags(titles, lambda title: bool(pattern.fullmatch(plain(title))))[codes])
    known, item = codes >= 0, sheet.frame["item"].to_numpy()
    if not called.any():
        return np.zeros(len(sheet.frame), bool)
    share = called[known].groupby(item[known]).mean()
    return np.isin(item.astype(str), share.index[share > 0.5].to_numpy(str))


def _flags(values: Iterable[Any], test: Callable[[str], bool]) -> Bools:
    """Which values pass, and False last, for the code -1 of a missing one."""
    return np.array([*(test(str(value)) for value in values), False], bool)


TEST = Rule(
    "test-row",
    "A row that was written to try the system is no behaviour: an item or a user called test or dummy, "
    "among others that are not.",
    "quarantine",
    _quarantine("test-row", "written to try the system", _test),
)
ADJUSTMENT = Rule(
    "adjustment",
    "A row that corrects the books or notes the state of the stock is nobody's purchase: a code such as ADJUST in a "
    "log of numbered codes, a title such as damaged, check or found.",
    "quarantine",
    _quarantine("adjustment", "a correction of the books or a note of the stock", _correction),
)
NO_PRODUCT = Rule(
    "non-product",
    "Postage, fees, discounts, vouchers and samples are no products: a code such as POST, DOT, M or BANK CHARGES in a "
    "log of numbered codes, an item that most of its rows call so.",
    "quarantine",
    _quarantine("non-product", "postage, a fee, a discount, a voucher or a sample", _service),
)

BY_ITEM = (TEST.name, NO_PRODUCT.name)
"""Rules that take whole items out of a catalogue, and so their events out of the log."""
