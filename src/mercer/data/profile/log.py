"""The event log as plain arrays of numbers, the form in which every section counts it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from mercer.data.money import decimals
from mercer.data.profile.words import DAY_US, money
from mercer.errors import DamagedError

Ints = npt.NDArray[np.int64]

_TEXTS = ("user", "item", "kind", "currency", "basket", "session")
_NEEDED = (*_TEXTS, "time", "quantity", "amount_minor")


@dataclass(frozen=True)
class Log:
    """Kept events, shape (n_events,). user, item, basket: codes from 0, -1 where missing; items: the
    item of each code. time: µs UTC.

    amount: minor units, 0 where missing or in another currency than `currency`, the most frequent one.
    zone: where the shop's clock hangs. has_clock: False for a log that knows only what came after what.
    """

    user: Ints
    item: Ints
    items: list[str]
    basket: Ints
    time: Ints
    kind: npt.NDArray[np.object_]
    amount: Ints
    unit_price: npt.NDArray[np.float64]
    currency: str
    n_foreign: int
    zone: str
    has_money: bool
    has_clock: bool = True

    @property
    def n(self) -> int:
        """How many events."""
        return len(self.time)

    @property
    def n_users(self) -> int:
        """How many different users."""
        return len(np.unique(self.user[self.user >= 0]))

    @property
    def n_items(self) -> int:
        """How many different items."""
        return len(np.unique(self.item[self.item >= 0]))

    @cached_property
    def is_purchase(self) -> npt.NDArray[np.bool_]:
        """Rows of kind purchase."""
        return np.asarray(self.kind == "purchase", bool)

    @cached_property
    def is_net(self) -> npt.NDArray[np.bool_]:
        """Purchases and returns: what counts as revenue."""
        return np.asarray(self.is_purchase | (self.kind == "return"), bool)

    @cached_property
    def local(self) -> pd.DatetimeIndex:
        """Times on the shop's clock, without zone."""
        return (
            pd.DatetimeIndex(pd.to_datetime(self.time, unit="us", utc=True))
            .tz_convert(self.zone)
            .tz_localize(None)
        )

    @cached_property
    def orders(self) -> pd.DataFrame:
        """One row an order, in order of user and time: user, time (first), n_items (different ones), amount.

        Purchases of one user with the same basket, else the same visit, else the same day, are one order.
        """
        rows = np.flatnonzero(self.is_purchase)
        lines = pd.DataFrame(
            {
                "user": self.user[rows],
                "order": self.basket[rows],
                "item": self.item[rows],
                "time": self.time[rows],
                "amount": self.amount[rows],
            }
        )
        lines.loc[lines["order"] < 0, "order"] = -1 - lines["time"] // DAY_US
        key = ["user", "order"]
        orders = lines.groupby(key, sort=True).agg(time=("time", "min"), amount=("amount", "sum"))
        orders["n_items"] = lines.drop_duplicates([*key, "item"]).groupby(key, sort=True).size()
        return orders.reset_index().sort_values(["user", "time", "order"], ignore_index=True)

    @property
    def per_major(self) -> int:
        """Minor units in a major one."""
        return int(10 ** decimals(self.currency or None))

    @property
    def unit(self) -> str:
        """The currency as an axis names it."""
        return self.currency or "money"

    def say(self, minor: float) -> str:
        """Money in the log's currency."""
        return money(minor, self.currency, decimals(self.currency or None))

    def major(self, minor: Any) -> Any:
        """Minor units as major ones."""
        return minor / self.per_major


def load_log(folder: Path, zone: str, *, has_clock: bool = True) -> Log | None:
    """The kept events of a folder, None where there are none. Raises DamagedError when the file can't be read."""
    place = folder / "events.parquet"
    if not place.is_file():
        return None
    try:
        names = pq.read_schema(place).names
        table = pq.read_table(place, columns=[name for name in _NEEDED if name in names])
    except (OSError, pa.ArrowException) as fault:
        raise DamagedError("events.parquet can't be read.", remedy="Clean the data again.") from fault
    if not table.num_rows:
        return None
    return _log(table, zone, has_clock)


def _log(table: pa.Table, zone: str, has_clock: bool) -> Log:
    kinds, kind_names = codes(table, "kind")
    kind = np.array([*kind_names, ""], object)[kinds]
    amount = _numbers(table, "amount_minor")
    currencies, names = codes(table, "currency")
    counts = np.bincount(currencies[currencies >= 0], minlength=len(names))
    main = int(counts.argmax()) if counts.size and counts.max() else -1
    foreign = (currencies >= 0) & (currencies != main)
    with np.errstate(invalid="ignore", divide="ignore"):
        unit = np.abs(amount) / _numbers(table, "quantity")
    unit[~np.isfinite(unit) | foreign] = np.nan
    baskets, known = codes(table, "basket")
    items, item_names = codes(table, "item")
    visits = codes(table, "session")[0]
    return Log(
        user=codes(table, "user")[0],
        item=items,
        items=item_names,
        basket=np.where(baskets >= 0, baskets, np.where(visits >= 0, visits + len(known), -1)),
        time=table.column("time").cast(pa.int64()).to_numpy(),
        kind=kind,
        amount=np.where(foreign, 0.0, np.nan_to_num(amount)).astype(np.int64),
        unit_price=unit,
        currency=names[main] if main >= 0 else "",
        n_foreign=int(foreign.sum()),
        zone=zone,
        has_money=bool(np.isfinite(amount).any()),
        has_clock=has_clock,
    )


def codes(table: pa.Table, name: str) -> tuple[Ints, list[str]]:
    """A text column as codes into its distinct values in order of appearance; -1 where missing."""
    if name not in table.column_names:
        return np.full(table.num_rows, -1, np.int64), []
    column = table.column(name).combine_chunks().dictionary_encode()
    found = column.indices.fill_null(-1).to_numpy().astype(np.int64)
    return found, column.dictionary.to_pylist()


def _numbers(table: pa.Table, name: str) -> npt.NDArray[np.float64]:
    if name not in table.column_names:
        return np.full(table.num_rows, np.nan)
    values: npt.NDArray[np.float64] = table.column(name).cast(pa.float64()).to_numpy()
    return np.where(np.isfinite(values), values, np.nan)
