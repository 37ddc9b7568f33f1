"""Unit prices that can't be: far from what the item had cost by then."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from mercer.data.cleaning.rule import Facts, Rule
from mercer.data.cleaning.sheet import AMOUNT, Bools, Sheet

TIMES = 50
LEAST_PURCHASES = 20


def _impossible(sheet: Sheet, _facts: Facts) -> int:
    """What was known when a purchase came decides, so that later prices change nothing earlier. A return at such a
    price stays, for the money went back; but for one that undoes such a purchase whole."""
    frame = sheet.frame
    if AMOUNT not in frame or not (frame["kind"] == "purchase").any():
        return 0
    quantity = frame["quantity"].fillna(1.0) if "quantity" in frame else pd.Series(1.0, index=frame.index)
    log = pd.DataFrame(
        {
            "user": frame["user"], "item": frame["item"], "quantity": quantity, "known": frame["known_at"],
            "price": frame[AMOUNT].abs() / quantity, "row": np.arange(len(frame)),
            "currency": frame["currency"].fillna("") if "currency" in frame else "",
        }
    )  # fmt: skip
    bought = (frame["kind"] == "purchase") & (log["price"] > 0)
    wrong = [rows["row"].to_numpy()[_far(rows)] for _, rows in _suspects(log.loc[bought])]
    bad = np.zeros(len(frame), bool)
    bad[np.concatenate([*wrong, np.zeros(0, np.int64)])] = True
    if bad.any():
        what = ["user", "item", "quantity", "price", "currency"]
        keys = pd.MultiIndex.from_frame(log[what])
        bad |= (frame["kind"] == "return").to_numpy(bool) & keys.isin(keys[bad])
    return sheet.quarantine(
        bad, "impossible-price", f"over {TIMES} times or under 1/{TIMES} of what the item had cost"
    )


def _suspects(log: pd.DataFrame) -> Any:
    """The items whose prices lie far enough apart at all, few of any log."""
    by_item = log.groupby(["item", "currency"], sort=False)["price"]
    wide = (by_item.transform("max") > TIMES * by_item.transform("min")) & (
        by_item.transform("size") > LEAST_PURCHASES
    )
    return log.loc[wide].groupby(["item", "currency"], sort=False)


def _far(bought: pd.DataFrame) -> Bools:
    """Which purchases of one item lie far from the median of those known before them, shape (n,)."""
    in_time = bought.sort_values("known", kind="stable")
    usual = in_time["price"].expanding(LEAST_PURCHASES).median().to_numpy()
    before = np.searchsorted(in_time["known"].to_numpy(), bought["known"].to_numpy(), side="left") - 1
    median = np.where(before >= 0, usual[np.maximum(before, 0)], np.nan)
    price = bought["price"].to_numpy()
    with np.errstate(invalid="ignore"):
        far: Bools = (price > TIMES * median) | (price < median / TIMES)
    return far


IMPOSSIBLE = Rule(
    "impossible-price",
    f"A purchase at a unit price over {TIMES} times or under 1/{TIMES} of the median of the item's earlier purchases, "
    f"where there are {LEAST_PURCHASES}, is an error of entry; so is the return that undoes it whole.",
    "quarantine",
    _impossible,
)
