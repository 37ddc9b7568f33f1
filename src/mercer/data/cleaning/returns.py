"""Cancellations and returns: relabelled, and matched to the purchase they undo."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mercer.data.cleaning.rule import Facts, Rule
from mercer.data.cleaning.sheet import AMOUNT, Sheet


def _relabel(sheet: Sheet, _facts: Facts) -> int:
    """Rows of an order that begins with C and a digit, or with a negative quantity, become returns; what is a return
    already gets the sign of one."""
    frame = sheet.frame
    hit = np.zeros(len(frame), bool)
    if sheet.has("basket"):
        hit |= frame["basket"].astype("string").str.match(r"C\d").fillna(value=False).to_numpy(bool)
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
    """Fill `origin` of returns that name none: the latest earlier purchase by the same user of the same item in the
    same quantity at the same price; else in at least that quantity."""
    frame = sheet.frame
    if "origin" not in frame:
        frame = frame.assign(origin=None)
    lost = ((frame["kind"] == "return") & frame["origin"].isna()).to_numpy(bool)
    if not lost.any():
        return 0
    quantity = frame["quantity"].fillna(1.0) if "quantity" in frame else pd.Series(1.0, index=frame.index)
    amount = frame[AMOUNT].abs().fillna(0.0) if AMOUNT in frame else pd.Series(0.0, index=frame.index)
    keys = pd.DataFrame(
        {
            "user": frame["user"], "item": frame["item"], "time": frame["time"], "quantity": quantity,
            "amount": amount.round(0), "event": frame["event"], "at": np.arange(len(frame)),
        }
    ).sort_values(["time", "at"])  # fmt: skip
    bought = keys.loc[(frame["kind"] == "purchase").to_numpy()[keys["at"]]]
    back = keys.loc[lost[keys["at"]]]
    origin = np.full(len(frame), None, object)
    exact = _latest(back, bought, ["user", "item", "quantity", "amount"])
    origin[back["at"].to_numpy()] = exact
    rest = back.loc[pd.isna(exact)]
    loose = _latest(rest, bought, ["user", "item"], least=True)
    origin[rest["at"].to_numpy()] = loose
    filled = frame["origin"].to_numpy(object).copy()
    filled[lost] = origin[lost]
    sheet.frame = frame.assign(origin=filled)
    return int(pd.notna(origin[lost]).sum())


def _latest(
    back: pd.DataFrame, bought: pd.DataFrame, by: list[str], *, least: bool = False
) -> npt.NDArray[np.object_]:
    """The event id of the latest purchase at or before each return, by equal keys; None where there is none."""
    if back.empty or bought.empty:
        return np.full(len(back), None, object)
    right = bought[["time", "event", *by, *(["quantity"] if least else [])]].rename(
        columns={"event": "found", **({"quantity": "had"} if least else {})}
    )
    joined = pd.merge_asof(
        back[["time", "quantity", *[k for k in by if k != "quantity"]]], right, on="time", by=by
    )
    found = joined["found"].to_numpy(object).copy()
    if least:
        found[~(joined["had"] >= joined["quantity"]).to_numpy(bool)] = None
    found[pd.isna(found)] = None
    return found


RETURNS = Rule(
    "cancellation",
    "A row of an order whose number begins with C, or with a negative quantity, is a return: quantity positive, "
    "amount negative. So is every amount of a return.",
    "relabel",
    _relabel,
)
ORIGINS = Rule(
    "matched-return",
    "A return is tied to the latest earlier purchase of the same item by the same user in the same or a larger "
    "quantity.",
    "fill",
    _match,
)
