"""Ingest and clean Online Retail with mercer, against the same written by hand in pandas, as ratios in one run.

    python benchmarks/ingest.py [--repeats 3]

Each runs in a process of its own, in turn, from the Parquet file to two clean Parquet tables and a table of the rows
that were set aside, by rule. Both have to set aside the same numbers of rows by the same rules, else it stops. Seconds
are of the work without imports, medians over the repeats; memory is the peak of the whole process. mercer besides makes
an id for every row, names a reason for every row set aside, keeps its content as it was with personal data redacted,
and accounts for all rows; neither draws the profile.
"""

from __future__ import annotations

import argparse
import importlib
import json
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
FILE = ROOT / "briefs" / "data" / "online_retail.parquet"

SERVICE = re.compile(r"(?i)post|dot|m|d|s|c2|cruk|pads|bank charges|amazonfee|gift_.*")
FEE = re.compile(r"next day carriage|(\w+ )?gift voucher \d+( \d+)?")
NOTE = re.compile(
    r"(\w+ ){0,2}adjust(ed|ment)?|adjust bad debt|stock check|(wet |water )?damage[sd]?|(\w+ )?thrown? away"
    r"|unsaleable destroyed|had been put aside|wrongly (coded|sold|marked)( \w+){0,4}|incorrect(ly)? (\w+ ?){1,5}"
    r"|sold as (sets?|\d+)( \w+){0,3}"
)
WORD = re.compile(
    r"|check|counted|found|lost|missing|faulty|broken|smashed|crushed|mouldy|wet( rusty)?|returned|mixed up|given away"
    r"|amazon|ebay|showroom|mailout"
)


def by_mercer(out: Path) -> dict[str, int]:
    """The brief's cleaning, as `mercer data clean` does it but for the profile."""
    from mercer.brief import Brief
    from mercer.contracts import Silent
    from mercer.data.ingest import clean_tables, sources_of

    brief = Brief.load(ROOT / "briefs" / "online-retail.yaml")
    folders = (FILE.parent,)
    accounting = clean_tables(brief, sources_of(brief, folders), folders, out, None, Silent())
    counts = {f"{name} kept": count.kept for name, count in accounting.tables.items()}
    for name, count in accounting.tables.items():
        counts |= {f"{name} {rule.rule}": rule.count for rule in count.rules if rule.count}
    return counts


def by_hand(out: Path) -> dict[str, int]:
    """What an analyst writes in a notebook."""
    import numpy as np
    import pandas as pd

    raw = pd.read_parquet(FILE)
    counts: dict[str, int] = {}
    aside = []

    def drop(frame: pd.DataFrame, bad: Any, rule: str) -> pd.DataFrame:
        aside.append(frame.loc[bad].assign(rule=rule))
        counts[rule] = int(bad.sum())
        return frame.loc[~bad]

    code = raw["StockCode"].astype(str).str.strip()
    title = raw["Description"].astype("string").str.strip()
    plain = title.str.lower().str.replace(r"[\W_]+", " ", regex=True).str.strip()

    items = pd.DataFrame({"item": code, "title": title, "plain": plain})
    unique = items["plain"].dropna().unique()
    note = items["plain"].isin([one for one in unique if NOTE.fullmatch(one)])
    word = items["plain"].isin([one for one in unique if WORD.fullmatch(one)])
    real = items.loc[items["title"].notna() & ~note & ~word, "item"].unique()
    items = drop(
        items, code.str.fullmatch("B") | note | (word & items["item"].isin(real)), "items adjustment"
    )
    fees = items.loc[items["plain"].isin([one for one in unique if FEE.fullmatch(one)]), "item"]
    fee = items["item"].isin(fees.unique())
    service = items["item"].isin([one for one in items["item"].unique() if SERVICE.fullmatch(one)])
    no_products = set(items.loc[service | fee, "item"])
    items = drop(items, service | fee, "items non-product")
    order = items.groupby(["item", "title"], dropna=False).size().reset_index(name="n")
    order = order.sort_values(["item", "n", "title"], ascending=[True, False, True])
    best = pd.concat([order.dropna(subset=["title"]), order]).drop_duplicates("item")
    counts["items repeated-item"] = len(items) - len(best)
    best = drop(best, best["title"].isna(), "items item-without-title")
    counts["items kept"] = len(best)
    best[["item", "title"]].sort_values("item").to_parquet(out / "items.parquet", index=False)

    local = raw["InvoiceDate"].dt.tz_localize("Europe/London", ambiguous=True, nonexistent="shift_forward")
    log = pd.DataFrame(
        {
            "user": raw["CustomerID"].astype("Int64").astype("string"),
            "item": code,
            "time": local.dt.tz_convert("UTC").dt.tz_localize(None).astype("datetime64[us]"),
            "quantity": raw["Quantity"],
            "price": raw["UnitPrice"],
            "basket": raw["InvoiceNo"].astype(str),
            "country": raw["Country"],
        }
    )
    log = drop(log, log["user"].isna(), "events missing-user")
    log = drop(log, log.duplicated(), "events repeated-row")
    log["amount_minor"] = (log["price"] * log["quantity"] * 100).round().astype("int64")
    back = log["basket"].str.fullmatch(r"C\d+") | (log["quantity"] < 0)
    counts["events cancellation"] = int(back.sum())
    log["kind"] = np.where(back, "return", "purchase")
    log["quantity"] = log["quantity"].abs()
    log["amount_minor"] = log["amount_minor"].abs().where(~back, -log["amount_minor"].abs())
    log = drop(log, log["item"].isin(no_products) | log["item"].str.fullmatch(SERVICE), "events non-product")
    log = drop(log, (log["kind"] == "purchase") & (log["amount_minor"] == 0), "events zero-price")
    bought = log.loc[log["kind"] == "purchase"].sort_values("time", kind="stable")
    unit = bought["amount_minor"] / bought["quantity"]
    wide = unit.groupby(bought["item"]).agg(["max", "min", "size"])
    odd = wide.index[(wide["max"] > 50 * wide["min"]) & (wide["size"] > 20)]
    far = set()
    for _, rows in bought.loc[bought["item"].isin(odd)].groupby("item"):
        price = unit[rows.index]
        usual = price.expanding(20).median()
        before = np.searchsorted(rows["time"].to_numpy(), rows["time"].to_numpy(), side="left") - 1
        median = np.where(before >= 0, usual.to_numpy()[np.maximum(before, 0)], np.nan)
        far |= set(rows.index[(price > 50 * median) | (price < median / 50)])
    log = drop(log, log.index.isin(far), "events impossible-price")
    counts["events matched-return"] = match(log)
    counts["events kept"] = len(log)
    log.sort_values(["user", "time", "item", "basket"]).to_parquet(out / "events.parquet", index=False)
    pd.concat(aside).to_parquet(out / "aside.parquet", index=False)
    return {name: count for name, count in counts.items() if count}


def match(log: Any) -> int:
    """Tie each return to the latest purchase of which as much is left; how many found one."""
    returned = set(log.loc[log["kind"] == "return", ["user", "item"]].itertuples(index=False, name=None))
    pairs = log.set_index(["user", "item"]).index
    rows = log.loc[pairs.isin(returned)].sort_values(["time", "kind"], kind="stable")
    had: dict[tuple[str, str], list[list[float]]] = defaultdict(list)
    found = 0
    columns = ["user", "item", "kind", "quantity", "amount_minor"]
    for user, item, kind, quantity, amount in rows[columns].itertuples(index=False, name=None):
        stock = had[user, item]
        if kind == "purchase":
            stock.append([quantity, amount, quantity, amount])
            continue
        fits = [one for one in stock if one[2] >= quantity and one[3] >= -amount]
        same = [one for one in fits if one[0] == quantity and one[1] == -amount]
        if fits:
            best = (same or fits)[-1]
            best[2] -= quantity
            best[3] += amount
            found += 1
    return found


WORK = {"mercer": by_mercer, "pandas": by_hand}
WHAT = ("seconds", "cpu", "mib")


def work(name: str) -> None:
    """One run of one of them, in this process; prints seconds, MiB and counts."""
    for module in ("pandas", "pyarrow.parquet", *(["mercer.data.ingest"] if name == "mercer" else [])):
        importlib.import_module(module)
    with tempfile.TemporaryDirectory() as folder:
        start, busy = time.perf_counter(), time.process_time()
        counts = WORK[name](Path(folder))
        seconds, cpu = time.perf_counter() - start, time.process_time() - busy
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": seconds, "cpu": cpu, "mib": peak, "counts": counts}))


def main() -> None:
    """Run both in turn and print medians and ratios."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--work", choices=WORK)
    asked = parser.parse_args()
    if asked.work:
        work(asked.work)
        return
    runs: dict[str, list[dict[str, Any]]] = {name: [] for name in WORK}
    for _ in range(asked.repeats):
        for name in WORK:
            done = subprocess.run(
                [sys.executable, __file__, "--work", name], check=True, capture_output=True, text=True
            )
            runs[name].append(json.loads(done.stdout))
    ours, theirs = (runs[name][0]["counts"] for name in WORK)
    differ = {
        key: (ours.get(key), theirs.get(key))
        for key in ours.keys() | theirs.keys()
        if ours.get(key) != theirs.get(key)
    }
    if differ:
        raise SystemExit(f"mercer and pandas do not clean alike (mercer, pandas): {differ}")
    print(
        f"Online Retail, 541,909 rows twice; both keep {ours['events kept']:,} events and {ours['items kept']:,} items"
    )
    middle = {}
    for name, done in runs.items():
        seconds, cpu, mib = middle[name] = [statistics.median(one[what] for one in done) for what in WHAT]
        low, high = min(one["seconds"] for one in done), max(one["seconds"] for one in done)
        print(
            f"  {name:<7} {seconds:6.2f} s ({low:.2f} to {high:.2f}), {cpu:.2f} s of CPU, peak {mib:,.0f} MiB"
        )
    ratios = [ours / theirs for ours, theirs in zip(middle["mercer"], middle["pandas"], strict=True)]
    print(
        "mercer over pandas: {:.2f} of the time, {:.2f} of the CPU time, {:.2f} of the memory".format(*ratios)
    )


if __name__ == "__main__":
    main()
