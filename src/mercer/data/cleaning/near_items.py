"""One product under two codes: found by near equal titles, and folded only where nothing speaks against it.

Two items are the same where their titles are, but for the order of words, plural, joined words or one wrong letter in a
rare long word, and where besides

    their codes differ in capitals, blanks and dashes alone; or
    both sold in at least LEAST_ORDERS orders, never in one order together, at usual prices within NEAR_PRICE, and their
    codes are no variants of one another (82613B and 82613C).

Numbers, single letters, sizes and colours in titles have to be equal: they are what tells variants apart. What people
buy together under two codes is two things to them, whatever the titles say.

It acts only where a brief asks for it. A code is what the shop's other systems know a product by: after folding, the
catalogue, answers and features know one of two, and only the shop can say whether its stock does, too.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from mercer.data.cleaning.rule import Facts, Rule
from mercer.data.cleaning.sheet import AMOUNT, Sheet

LEAST_ORDERS = 20
NEAR_PRICE = 0.1

EVIDENCE = (
    "item", "kept", "title", "kept_title", "why", "price_minor", "kept_price_minor", "orders", "kept_orders",
    "together",
)  # fmt: skip
"""Columns of the evidence: the code folded and the one that stands for it, what they are called and why they are one;
usual unit prices in minor units (median), orders that hold either, orders that hold both."""

_LONG = 5
_MOST_IN_BLOCK = 200
"""A set of words that more titles share than this is a range of variants, and no place to look for one wrong letter."""

_STOP = frozenset({"of", "the", "and", "in", "with", "for"})
_SPOKEN = re.compile(
    "black|white|cream|ivory|brown|beige|green|orange|purple|violet|yellow|silver|golden|copper|bronze|turquoise|lilac|"
    "small|medium|large|little|giant|single|double|triple|short|left|right|inner|outer|upper|lower|first|second|third"
)
"""Words of five letters and more for colours, sizes and sides: a wrong letter in one of them is another variant."""


@dataclass(frozen=True, slots=True)
class _Item:
    code: str
    title: str
    words: tuple[str, ...]
    stems: tuple[str, ...]
    other: tuple[Any, ...]

    @property
    def spelling(self) -> str:
        """The code without what typing it differently changes."""
        return re.sub(r"[\s_-]+", "", self.code.casefold())


@dataclass(frozen=True, slots=True)
class _Sold:
    """Of each item its usual price and the orders that hold it."""

    price: Mapping[str, float]
    orders: Mapping[str, frozenset[int]]

    @classmethod
    def of(cls, sales: pd.DataFrame | None) -> _Sold:
        if sales is None or sales.empty:
            return cls({}, {})
        by_item = sales.groupby("item", sort=True)
        orders = {str(item): frozenset(numbers) for item, numbers in by_item["order"]}
        return cls({str(item): price for item, price in by_item["price"].median().items()}, orders)

    def count(self, code: str) -> int:
        """Orders that hold the item."""
        return len(self.orders.get(code, ()))

    def together(self, a: str, b: str) -> int:
        """Orders that hold both."""
        return len(self.orders.get(a, frozenset()) & self.orders.get(b, frozenset()))


def find_folds(items: pd.DataFrame, sales: pd.DataFrame | None = None) -> pd.DataFrame:
    """Items that are one with another; returns the EVIDENCE, a row for each that is to be folded.

    items: a row an item with `item` and `title`; `brand`, `category` and `min_age`, where there, have to be equal too.
    sales: a row a purchase line with `item`, `order` (a number) and `price` (of a unit, in minor units). The code that
    most orders hold stands for the others; of equals the first by name. None is folded into one that is folded itself.
    """
    sold = _Sold.of(sales)
    known = [_item(row, items) for row in items.dropna(subset=["title"]).to_dict("records")]
    frequent = Counter(word for item in known for word in set(item.words))
    blocks: dict[Any, list[_Item]] = defaultdict(list)
    found = []
    for item in sorted(known, key=lambda one: (-sold.count(one.code), one.code)):
        keys = list(_keys(item))
        match = next(_matches(item, keys, blocks, frequent, sold), None)
        if match is None:
            for key in keys:
                blocks[key].append(item)
        else:
            found.append(_evidence(item, *match, sold))
    evidence = pd.DataFrame(found, columns=list(EVIDENCE))
    return evidence.sort_values("item").reset_index(drop=True)


def _item(row: Mapping[Any, Any], items: pd.DataFrame) -> _Item:
    words = _words(str(row["title"]))
    stems = tuple(sorted(_stem(word) for word in words if word not in _STOP))
    same = [row[name] for name in ("brand", "category", "min_age") if name in items]
    return _Item(
        str(row["item"]), str(row["title"]), words, stems, tuple(None if pd.isna(v) else v for v in same)
    )


def _words(title: str) -> tuple[str, ...]:
    plain = unicodedata.normalize("NFKD", title.casefold().replace("&", " and ").replace("+", " and "))
    return tuple(re.findall(r"[^\W_]+", "".join(c for c in plain if not unicodedata.combining(c))))


def _stem(word: str) -> str:
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word


def _keys(item: _Item) -> Iterator[Any]:
    """Where an equal item would be found: by its words, by its letters, and by its words less a long one."""
    yield "words", item.stems
    yield "letters", "".join(item.words)
    for at, word in enumerate(item.stems):
        if len(word) >= _LONG and word.isalpha():
            yield "less", item.stems[:at] + item.stems[at + 1 :]


def _matches(
    item: _Item, keys: list[Any], blocks: Mapping[Any, list[_Item]], frequent: Counter[str], sold: _Sold
) -> Iterator[tuple[_Item, str]]:
    for key in keys:
        block = blocks.get(key, [])
        if key[0] == "less" and len(block) > _MOST_IN_BLOCK:
            continue
        for other in block:
            titles = _near(item, other, frequent)
            if titles and item.other == other.other:
                if item.spelling == other.spelling:
                    yield other, f"the same code in another spelling, {titles}"
                elif _is_one(item.code, other.code, sold):
                    yield other, f"{titles}, a like price, and never in one order"


def _near(a: _Item, b: _Item, frequent: Counter[str]) -> str | None:
    """How near two titles are, None where they are not."""
    if a.words == b.words:
        return "the same title"
    if _telling(a.words) != _telling(b.words):
        return None
    if a.stems == b.stems:
        return "the same words"
    if "".join(a.words) == "".join(b.words):
        return "the same letters"
    ours, theirs = Counter(a.stems) - Counter(b.stems), Counter(b.stems) - Counter(a.stems)
    if sum(ours.values()) != 1 or sum(theirs.values()) != 1:
        return None
    one, other = next(iter(ours)), next(iter(theirs))
    rare = min(_uses(one, frequent), _uses(other, frequent)) <= 1
    spoken = _SPOKEN.fullmatch(one) or _SPOKEN.fullmatch(other)
    near = rare and not spoken and min(len(one), len(other)) >= _LONG and _one_letter(one, other)
    return "titles that differ in one letter" if near else None


def _telling(words: tuple[str, ...]) -> Counter[str]:
    """Numbers and single letters."""
    return Counter(word for word in words if len(word) == 1 or any(c.isdigit() for c in word))


def _uses(stem: str, frequent: Counter[str]) -> int:
    return frequent[stem] + frequent[stem + "s"]


def _one_letter(a: str, b: str) -> bool:
    """Whether one letter was added, left out or changed, or two neighbours changed places."""
    if len(a) > len(b):
        a, b = b, a
    same = next((at for at, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), len(a))
    rest, other = a[same:], b[same:]
    if len(a) != len(b):
        return rest == other[1:]
    return rest[1:] == other[1:] or (rest[:2] == other[:2][::-1] and rest[2:] == other[2:])


def _is_one(a: str, b: str, sold: _Sold) -> bool:
    """Whether sales of two different codes say that they are one product."""
    if _variants(a, b) or min(sold.count(a), sold.count(b)) < LEAST_ORDERS or sold.together(a, b):
        return False
    low, high = sorted((sold.price[a], sold.price[b]))
    return bool(low > 0 and high <= low * (1 + NEAR_PRICE))


def _variants(a: str, b: str) -> bool:
    """Whether two codes differ in letters after the same beginning, as sizes and colours of one article do."""
    start = [re.match(r"(.*\d.*?|.{3,}?)[\s_./-]*[A-Za-z]*$", code) for code in (a, b)]
    return start[0] is not None and start[1] is not None and start[0][1].casefold() == start[1][1].casefold()


def _evidence(item: _Item, kept: _Item, why: str, sold: _Sold) -> tuple[Any, ...]:
    return (
        item.code, kept.code, item.title, kept.title, why, sold.price.get(item.code), sold.price.get(kept.code),
        sold.count(item.code), sold.count(kept.code), sold.together(item.code, kept.code),
    )  # fmt: skip


def sales_of(events: pd.DataFrame) -> pd.DataFrame:
    """The `sales` that `find_folds` reads, from a mapped event log: purchases at a price, an order being a basket or
    what one user bought on one day."""
    sale = (events["kind"] == "purchase") & events["item"].notna()
    if AMOUNT not in events:
        return pd.DataFrame({"item": [], "order": [], "price": []})
    quantity = events["quantity"] if "quantity" in events else pd.Series(1.0, index=events.index)
    sale &= (events[AMOUNT] > 0) & (quantity > 0) & np.isfinite(events[AMOUNT]) & np.isfinite(quantity)
    sold = events.loc[sale.fillna(value=False).to_numpy(bool)]
    order = sold["user"].astype("string") + " " + sold["time"].dt.date.astype("string")
    if "basket" in sold:
        order = ("order " + sold["basket"].astype("string")).fillna(order)
    return pd.DataFrame(
        {
            "item": sold["item"],
            "order": pd.factorize(order)[0],
            "price": sold[AMOUNT] / quantity.loc[sold.index],
        }
    )


def _fold(sheet: Sheet, facts: Facts) -> int:
    sheet.evidence = find_folds(sheet.frame, facts.sales)
    gone = sheet.frame["item"].isin(sheet.evidence["item"]).to_numpy()
    sheet.frame = sheet.frame.loc[~gone]
    sheet.merged += int(gone.sum())
    return int(gone.sum())


def _rename(sheet: Sheet, facts: Facts) -> int:
    if not facts.folds:
        return 0
    codes, items = pd.factorize(sheet.frame["item"])
    hit = np.array([*(item in facts.folds for item in items), False], bool)[codes]
    if hit.any():
        named = np.array([*(facts.folds.get(item, item) for item in items), None], object)
        sheet.frame = sheet.frame.assign(item=named[codes])
    return int(hit.sum())


NEAR = Rule(
    "near-duplicate-item",
    "An item whose code and title are those of another but for their spelling, or whose title and price are and which "
    "nobody bought together with it, is that other; the evidence is in near-duplicate-items.parquet.",
    "merge",
    _fold,
    asked=True,
)
FOLDED = Rule(
    "folded-item",
    "An item that near-duplicate-item took for another is that other.",
    "relabel",
    _rename,
    fixed=True,
)
