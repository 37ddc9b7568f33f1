"""Online Retail as a log and labels, read directly: these tests judge predictors and not ingestion."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from mercer.contracts import NEVER, Interactions, Labelled, Snapshots, Vocabulary

DAY = 86_400_000_000


def microseconds(day: str) -> int:
    return int(pd.Timestamp(day).value // 1000)


def read_log(file: Path) -> Interactions:
    """Lines with a customer, a price and an article number; cancellations as returns of the same line."""
    lines = pd.read_parquet(file)
    code = lines.StockCode.astype(str).str.upper()
    lines = lines[lines.CustomerID.notna() & (lines.UnitPrice > 0) & code.str.match(r"^\d{5}[A-Z]*$")]
    table = pd.DataFrame(
        {
            "user": lines.CustomerID.astype(float).astype(int).astype(str),
            "item": lines.StockCode.astype(str).str.upper(),
            "time": pd.to_datetime(lines.InvoiceDate).astype("datetime64[us]").astype("int64"),
            "quantity": lines.Quantity.abs(),
            "price": lines.UnitPrice,
            "amount": (lines.UnitPrice * lines.Quantity * 100).round().astype("int64"),
            "basket": pd.factorize(lines.InvoiceNo.astype(str))[0],
        }
    )
    table = table.sort_values(["user", "time"], kind="stable").reset_index(drop=True)
    users, items = Vocabulary(sorted(set(table.user))), Vocabulary(sorted(set(table.item)))
    indptr = np.zeros(len(users) + 1, np.int64)
    np.cumsum(np.bincount(users.encode(table.user.tolist()), minlength=len(users)), out=indptr[1:])
    time = table.time.to_numpy()
    return Interactions(
        users=users,
        items=items,
        kinds=("purchase", "return"),
        indptr=indptr,
        item=items.encode(table["item"].tolist()),
        time=time,
        known_at=time,
        kind=(table.amount.to_numpy() < 0).astype(np.int8),
        quantity=table.quantity.to_numpy(np.float32),
        amount_minor=table.amount.to_numpy(),
        basket=table.basket.to_numpy(np.int64),
        session=np.full(len(table), -1, np.int64),
        origin_time=_origins(table),
    )


def labelled(log: Interactions, origins: list[str], kind: str, days: int, known: str) -> Labelled:
    """Customers with a purchase before each origin; purchases or net spend in the days after it."""
    parts = [_at(log, origin, kind, days, known) for origin in origins]
    rows = np.concatenate([rows for rows, _ in parts])
    as_of = np.repeat([microseconds(origin) - 1 for origin in origins], [len(rows) for rows, _ in parts])
    snapshots = Snapshots(
        entities=tuple(log.users.ids[row] for row in rows), as_of=as_of, history=log.take(rows).as_of(as_of)
    )
    outcome = np.concatenate([outcome for _, outcome in parts])
    return Labelled(snapshots=snapshots, outcome=outcome, label_known_at=as_of + days * DAY)


def spend_gini(predicted: np.ndarray, spent: np.ndarray) -> float:
    """The Lorenz area of spend in predicted order over that of the perfect order."""

    def area(order: np.ndarray) -> float:
        return float((np.cumsum(spent[order]) / spent.sum()).mean() - 0.5)

    return area(np.argsort(-predicted, kind="stable")) / area(np.argsort(-spent, kind="stable"))


def _origins(table: pd.DataFrame) -> np.ndarray:
    key = ["user", "item", "quantity", "price"]
    bought, undone = table[table.amount > 0], table[table.amount < 0]
    found = pd.merge_asof(
        undone.reset_index()[["index", "time", *key]].sort_values("time"),
        bought[["time", *key]].assign(origin=bought.time).sort_values("time"),
        on="time",
        by=key,
    ).set_index("index")
    origin = table.time.copy()
    origin[found.index] = found.origin.fillna(NEVER).astype("int64")
    return origin.to_numpy()


def _at(log: Interactions, origin: str, kind: str, days: int, known: str) -> tuple[np.ndarray, np.ndarray]:
    start = microseconds(origin)
    end, user, buys = start + days * DAY, log.user_of, log.kind == 0
    rows = np.flatnonzero(np.bincount(user[buys & (log.known_at < start)], minlength=log.n_users))
    if kind == "probability":
        inside = buys & (log.time >= start) & (log.time < end)
        return rows, (np.bincount(user[inside], minlength=log.n_users) > 0).astype(float)[rows]
    when = np.where(log.origin_time == NEVER, log.time, log.origin_time)
    inside = (when >= start) & (when < end) & (log.known_at < microseconds(known))
    net = np.bincount(user[inside], log.amount_minor[inside], log.n_users)
    return rows, np.maximum(net, 0)[rows]
