"""How good the rankers' documented defaults are on two real logs. Reads data that mercer does not include.

    .venv/bin/python benchmarks/recommend_quality.py --beauty FOLDER --retail FILE

--beauty: folder with interactions.parquet (user_id, item_id, position, split) of Amazon Beauty 2014, 5-core:
    leave-last-out, history masked. --retail: UCI Online Retail as Parquet: the first basket after 2011-09-10,
    validation the 28 days before, new items alone and with repeats.
Everything is fitted on train alone; mid-ranks over the full catalogue; 95 % intervals, bootstrap over users.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
import pandas as pd

from mercer import recommend
from mercer.contracts import Context, Dataset, Holdout, Interactions, Ragged, Requests, Vocabulary, plugins
from mercer.evaluation import RowInfo, rows_for, score_ranking
from mercer.testing.small_shop import DAY_US, log_of

Split = tuple[Dataset, Holdout, Holdout]


def make_log(frame: pd.DataFrame, *, has_clock: bool) -> Interactions:
    """From columns user, item, time, basket in chronological order."""
    users, items = (Vocabulary(sorted(frame[name].unique())) for name in ("user", "item"))
    codes = np.stack(
        [
            users.encode(frame["user"].tolist()).astype(np.int64),
            items.encode(frame["item"].tolist()).astype(np.int64),
            frame["time"].to_numpy(np.int64),
            np.zeros(len(frame), np.int64),
            frame["basket"].to_numpy(np.int64),
        ],
        axis=1,
    )
    rows = codes[np.argsort(codes[:, 0], kind="stable")]
    return log_of(rows, users, items, kinds=("purchase",), has_clock=has_clock)  # type: ignore[arg-type]


def make_dataset(log: Interactions, as_of: int, *, repeats: bool) -> Dataset:
    items = pd.DataFrame({"item": log.items.ids})
    return Dataset(vocabulary=log.items, items=items, as_of=as_of, interactions=log, repeats=repeats)


def make_holdout(history: Interactions, relevant: Ragged, *, repeats: bool, time_us: int) -> Holdout:
    n = history.n_users
    requests = Requests(
        users=history.users.ids,
        history=history,
        time=np.full(n, time_us),
        context=Context.unknown(n),
        repeats=repeats,
    )
    ids = history.users.ids
    return Holdout(
        requests=requests, relevant=relevant, grades=np.ones(len(relevant.values)), units=ids, clusters=ids
    )


def beauty(folder: Path) -> Split:
    """Test: the last item; validation: the one before; the history at test includes the validation item."""
    frame = pd.read_parquet(folder / "interactions.parquet").sort_values(
        ["user_id", "position"], kind="stable"
    )
    part = frame["split"].to_numpy()
    renamed = frame.rename(columns={"user_id": "user", "item_id": "item", "position": "time"}).assign(
        basket=-1
    )
    log = make_log(renamed, has_clock=False)
    end = int(log.time.max()) + 1
    train = log.where(part == "train")
    past = log.where(part != "test")
    return (
        make_dataset(train, end, repeats=False),
        make_holdout(train, log.where(part == "valid").item_rows, repeats=False, time_us=end),
        make_holdout(past, log.where(part == "test").item_rows, repeats=False, time_us=end),
    )


def retail(file: Path, *, repeats: bool) -> Split:
    """Temporal: the first basket in the window of everybody with a history before it."""
    frame = pd.read_parquet(file)
    # Goods only: five digits and perhaps a letter; postage, fees and manual entries have other codes.
    kept = frame[
        frame["CustomerID"].notna()
        & (frame["Quantity"] > 0)
        & (frame["UnitPrice"] > 0)
        & frame["StockCode"].str.match(r"^\d{5}")
    ].sort_values("InvoiceDate", kind="stable")
    log = make_log(
        pd.DataFrame(
            {
                "user": kept["CustomerID"].astype(int).astype(str),
                "item": kept["StockCode"],
                "time": kept["InvoiceDate"].astype("datetime64[us]").astype("int64"),
                "basket": pd.factorize(kept["InvoiceNo"])[0],
            }
        ),
        has_clock=True,
    )
    test_from = int(pd.Timestamp("2011-09-10").value // 1000)
    valid_from = test_from - 28 * DAY_US
    train = log.as_of(valid_from - 1)
    return (
        make_dataset(train, valid_from - 1, repeats=repeats),
        first_baskets(log, valid_from, test_from, repeats=repeats),
        first_baskets(log, test_from, int(log.time.max()) + 1, repeats=repeats),
    )


def first_baskets(log: Interactions, start: int, stop: int, *, repeats: bool) -> Holdout:
    past, window = log.as_of(start - 1), log.where((log.time >= start) & (log.time < stop))
    rows, relevant = [], []
    for row in np.flatnonzero((past.lengths > 0) & (window.lengths > 0)):
        events = slice(window.indptr[row], window.indptr[row + 1])
        bought = np.unique(window.item[events][window.basket[events] == window.basket[events][0]])
        if not repeats:
            bought = np.setdiff1d(bought, past.item[past.indptr[row] : past.indptr[row + 1]])
        if len(bought):
            rows.append(row)
            relevant.append(bought)
    history = past.take(np.array(rows, np.int64))
    return make_holdout(history, Ragged.from_rows(relevant), repeats=repeats, time_us=start)


def report(title: str, split: Split) -> None:
    train, validation, test = split
    print(f"\n{title}: {train.interactions.n_events} training events, {len(train.vocabulary)} items")
    print(f"{'model':20} {'split':10} {'n':>6}  recall@10               ndcg@10                 seconds")
    codes = np.arange(len(train.vocabulary), dtype=np.int32)
    for name in recommend.DEFAULTS:
        start = time.perf_counter()
        ranker = plugins.load(plugins.RANKERS, name)().fit(train)
        for part, holdout in (("validation", validation), ("test", test)):
            scored = score_ranking(holdout, score=lambda block, ranker=ranker: ranker.score(block, codes))
            seconds = time.perf_counter() - start
            info = RowInfo(task="recommend", target=title, model=name, split=part)
            rows = {row.metric: row for row in rows_for(scored, info) if row.slice == "all"}
            cells = "  ".join(
                f"{rows[m].value:.4f} [{rows[m].low:.4f}, {rows[m].high:.4f}]"
                for m in ("recall@10", "ndcg@10")
            )
            print(f"{name:20} {part:10} {len(holdout):6}  {cells}  {seconds:5.1f}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--beauty", type=Path)
    parser.add_argument("--retail", type=Path)
    chosen = parser.parse_args()
    if chosen.beauty is None and chosen.retail is None:
        parser.error("give --beauty, --retail or both")
    if chosen.beauty is not None:
        report("Amazon Beauty, leave-last-out", beauty(chosen.beauty))
    if chosen.retail is not None:
        report("Online Retail, next basket, new items", retail(chosen.retail, repeats=False))
        report("Online Retail, next basket, repeats allowed", retail(chosen.retail, repeats=True))


if __name__ == "__main__":
    main()
