"""Cancellations and returns: relabelled, and matched to the purchase they undo."""

from __future__ import annotations

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
    lost = ((frame["kind"] == "return") & frame["origin"].isna()).to_numpy(bool)
    if not lost.any():
        return 0
    bought = (frame["kind"] == "purchase").to_numpy(bool)
    quantity = frame["quantity"].fillna(1.0) if "quantity" in frame else pd.Series(1.0, index=frame.index)
    amount = frame[AMOUNT].abs().fillna(0.0) if AMOUNT in frame else pd.Series(0.0, index=frame.index)
    log = pd.DataFrame(
        {
            "user": frame["user"], "item": frame["item"], "time": frame["time"], "quantity": quantity,
            "amount": amount.round(0), "event": frame["event"], "back": lost, "row": np.arange(len(frame)),
        }
    )  # fmt: skip
    found = undone(log.loc[lost | bought])
    origin = frame["origin"].to_numpy(object).copy()
    origin[found.index.to_numpy()] = found.to_numpy(object)
    sheet.frame = frame.assign(origin=origin)
    return len(found)


def undone(log: pd.DataFrame) -> pd.Series[Any]:
    """The purchase that each return undoes: row of the return -> event id of the purchase; others are left out.

    log: purchases and returns (`back`) with user, item, time, quantity, amount, event and row. First the latest
    purchase before it of the same user, item, quantity and amount that no other return undid. Else, of the
    purchases that none undid as a whole, the latest of the item, if it had at least as many units and as much money
    left. So no purchase is ever undone beyond what it was.
    """
    # Of one time purchases come first; the event id leaves no ties, so the order of the source does not matter.
    log = log.sort_values(["time", "back", "event"])
    whole = _brackets(log)
    rest = log.loc[~log["row"].isin(whole.index) & ~log["event"].isin(set(whole))]
    parts = _parts(rest.loc[rest["back"]], rest.loc[~rest["back"]])
    found: pd.Series[Any] = pd.concat([whole, parts]) if len(parts) else whole
    return found


def _brackets(log: pd.DataFrame) -> pd.Series[Any]:
    """Returns and purchases of equal content matched as closing and opening brackets are.

    The running count of purchases less returns, kept from falling below zero, is the depth of the brackets. At one
    depth purchases and returns take turns, so the purchase that a return undoes is the row before it there.
    """
    key = log.groupby(["user", "item", "quantity", "amount"], sort=False).ngroup()
    key = key[key.isin(key[log["back"]])]
    log = log.loc[key.index]
    total = pd.Series(np.where(log["back"], -1, 1), index=log.index).groupby(key).cumsum()
    least = total.groupby(key).cummin().clip(upper=0)
    lone = log["back"] & (least < least.groupby(key).shift(fill_value=0))
    depth = (total - least + log["back"])[~lone]
    before = log.loc[~lone, "event"].groupby([key[~lone], depth]).shift()
    closing = log.loc[~lone, "back"]
    return pd.Series(before[closing].to_numpy(object), index=log.loc[closing.index[closing], "row"])


def _parts(back: pd.DataFrame, bought: pd.DataFrame) -> pd.Series[Any]:
    """Returns tied to the latest purchase of the same user and item, as long as something of it is left."""
    if back.empty or bought.empty:
        return pd.Series([], dtype=object)
    had = bought[["user", "item", "time", "event", "quantity", "amount"]].rename(
        columns={"event": "found", "quantity": "units", "amount": "paid"}
    )
    tied = pd.merge_asof(back, had, on="time", by=["user", "item"]).dropna(subset=["found"])
    fits = (tied["quantity"] <= tied["units"]) & (tied["amount"] <= tied["paid"])
    tied = tied.loc[fits.to_numpy(bool)]
    taken = tied.groupby("found", sort=False)[["quantity", "amount"]].cumsum()
    left = (taken["quantity"] <= tied["units"]) & (taken["amount"] <= tied["paid"])
    tied = tied.loc[left.to_numpy(bool)]
    return pd.Series(tied["found"].to_numpy(object), index=tied["row"])


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
    "same price that no other return undid, else to the latest of which as much is left.",
    "fill",
    _match,
)
