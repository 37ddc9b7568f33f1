"""Cancellations and returns: relabelled, and matched to the purchase they undo."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from mercer.data.cleaning.rule import Facts, Rule
from mercer.data.cleaning.sheet import AMOUNT, Sheet

_NUMBERED, _CANCELLED = r"\d+", r"C\d+"
_MOSTLY = 0.5
"""C before a number marks a cancelled order only where the other orders have plain numbers: elsewhere all orders may
begin with C, and none of them is a return."""


def _relabel(sheet: Sheet, _facts: Facts) -> int:
    """Orders C + number among numbered orders and negative quantities become returns; what is a return already gets
    the sign of one."""
    frame = sheet.frame
    hit = np.zeros(len(frame), bool)
    if sheet.has("basket"):
        basket = frame["basket"].astype("string")
        if basket.dropna().str.fullmatch(_NUMBERED).mean() >= _MOSTLY:
            hit |= basket.str.fullmatch(_CANCELLED).fillna(value=False).to_numpy(bool)
    if sheet.has("quantity"):
        hit |= (frame["quantity"] < 0).to_numpy(bool)
    if AMOUNT in frame:
        hit |= (frame["kind"] == "return").to_numpy(bool) & (frame[AMOUNT] > 0).to_numpy(bool)
    hit &= (frame["kind"].isin(["purchase", "return"])).to_numpy(bool)
    if not hit.any():
        return 0
    changes: dict[str, Any] = {"kind": np.where(hit, "return", frame["kind"])}
    if "quantity" in frame:
        changes["quantity"] = frame["quantity"].abs().where(hit, frame["quantity"])
    if AMOUNT in frame:
        changes[AMOUNT] = (-frame[AMOUNT].abs()).where(hit, frame[AMOUNT])
    sheet.frame = frame.assign(**changes)
    return int(hit.sum())


def _match(sheet: Sheet, _facts: Facts) -> int:
    """Fill `origin` of returns that name none, by `undone`."""
    frame = sheet.frame
    if "origin" not in frame:
        frame = frame.assign(origin=None)
    back = (frame["kind"] == "return").to_numpy(bool)
    bought = (frame["kind"] == "purchase").to_numpy(bool)
    if not (back & frame["origin"].isna().to_numpy(bool)).any():
        return 0
    quantity = frame["quantity"].fillna(1.0) if "quantity" in frame else pd.Series(1.0, index=frame.index)
    amount = frame[AMOUNT].abs().fillna(0.0) if AMOUNT in frame else pd.Series(0.0, index=frame.index)
    log = pd.DataFrame(
        {
            "user": frame["user"], "item": frame["item"], "time": frame["time"],
            "known": frame[["known_at", "time"]].max(axis=1), "quantity": quantity, "amount": amount.round(0),
            "event": frame["event"], "back": back, "origin": frame["origin"], "row": np.arange(len(frame)),
        }
    )  # fmt: skip
    found = undone(log.loc[back | bought])
    origin = frame["origin"].to_numpy(object).copy()
    origin[list(found)] = list(found.values())
    sheet.frame = frame.assign(origin=origin)
    return len(found)


@dataclass
class _Purchase:
    """A purchase, and how much of it no return has undone."""

    time: Any
    event: str
    quantity: float
    amount: float
    units_left: float
    paid_left: float

    def undo(self, quantity: float, amount: float) -> None:
        """Take off what came back."""
        self.units_left -= quantity
        self.paid_left -= amount


def undone(log: pd.DataFrame) -> dict[int, str]:
    """The purchase that each return undoes: row of the return -> event id of the purchase; others are left out.

    log: purchases and returns (`back`) with user, item, time, known, quantity, amount, event, row, and the origin of
    returns that name it. Rows are taken up in the order in which they became known, so what a return undoes does not
    depend on what was not known yet. A return undoes the latest purchase before it of the same user, item, quantity and
    amount of which nothing was undone; else the latest of the item of which as many units and as much money are left.
    So no purchase is ever undone beyond what it was.
    """
    pair = log.groupby(["user", "item"], sort=False).ngroup()
    log = log.loc[pair.isin(pair[log["back"]])].assign(pair=pair)
    # Of one instant purchases come first; the event id leaves no ties, so the order of the source does not matter.
    log = log.sort_values(["pair", "known", "back", "time", "event"])
    found: dict[int, str] = {}
    had: list[_Purchase] = []
    before = -1
    columns = ["pair", "back", "time", "event", "quantity", "amount", "origin", "row"]
    for group, back, time, event, quantity, amount, origin, row in log[columns].itertuples(
        index=False, name=None
    ):
        if group != before:
            had, before = [], group
        if not back:
            had.append(_Purchase(time, event, quantity, amount, quantity, amount))
            continue
        named = isinstance(origin, str)
        purchase = (
            next((one for one in had if one.event == origin), None)
            if named
            else _latest(had, time, quantity, amount)
        )
        if purchase is None:
            continue
        purchase.undo(quantity, amount)
        if not named:
            found[row] = purchase.event
    return found


def _latest(had: list[_Purchase], time: Any, quantity: float, amount: float) -> _Purchase | None:
    """The latest purchase up to a time that a return of so many units and so much money undoes."""
    fits = [one for one in had if one.time <= time and one.units_left >= quantity and one.paid_left >= amount]
    same = [one for one in fits if (one.quantity, one.amount) == (quantity, amount)]
    return max(same or fits, key=lambda one: (one.time, one.event), default=None)


RETURNS = Rule(
    "cancellation",
    "A row of an order C + number among numbered orders, or with a negative quantity, is a return: quantity positive, "
    "amount negative. So is every amount of a return.",
    "relabel",
    _relabel,
)
ORIGINS = Rule(
    "matched-return",
    "A return is tied to the latest earlier purchase of the same item by the same user in the same quantity at the "
    "same price that no other return undid, else to the latest of which as much is left; in the order in which they "
    "became known.",
    "fill",
    _match,
)
