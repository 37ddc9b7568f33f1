"""A run folder of the small shop whose data went through the real data step."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd
from release.small_shop import START, Shop

from mercer.brief import Brief
from mercer.data import Accounting, SuppressionList, ingest
from mercer.release import finalize

DATA = """data:
  events: {source: events.parquet, timezone: UTC}
  items: {source: items.parquet, timezone: UTC}
  users: {source: users.parquet}
  consents: {source: consents.parquet, timezone: UTC}
"""


def brief_of(shop: Shop) -> Brief:
    from release.small_shop import BRIEF

    line = "data: {events: {source: events.parquet}, items: {source: items.parquet}}\n"
    assert line in BRIEF
    return Brief.parse(BRIEF.replace(line, DATA))


def write_source(shop: Shop, folder: Path) -> None:
    """Events, items, people and consents; customer-002 objects, customer-004 never consented."""
    folder.mkdir(parents=True)
    times = {name: pd.to_datetime(shop.events[name], unit="us") for name in ("time", "known_at")}
    shop.events.assign(**times).to_parquet(folder / "events.parquet")
    items = shop.items[["item", "title", "category", "brand", "price_minor", "currency", "min_age"]]
    items.to_parquet(folder / "items.parquet")
    users = shop.log.users.ids
    pd.DataFrame({"user": users, "jurisdiction": "EU", "age": 40}).to_parquet(folder / "users.parquet")
    begin = pd.Timestamp(START, unit="us")
    said = [(user, "recommendation", user != "customer-004", begin) for user in users]
    said.append(("customer-002", "objection", True, begin))
    columns = ["user", "purpose", "given", "time"]
    pd.DataFrame(said, columns=columns).to_parquet(folder / "consents.parquet")


def clean(shop: Shop, source: Path, run: Path, cache: Path) -> Accounting:
    """The data step, the forgotten left out."""
    return ingest(brief_of(shop), data_folders=(source,), out=run / "data", suppressed=SuppressionList(cache))


def make_run(shop: Shop, source: Path, run: Path, cache: Path) -> None:
    """Data, scored rows and a final release."""
    write_source(shop, source)
    clean(shop, source, run, cache)
    scores = run / "scores" / "spend"
    scores.mkdir(parents=True)
    users = list(shop.log.users.ids)
    rows = pd.DataFrame({"unit": users, "cluster": users, "value": 1.0})
    rows.to_parquet(scores / "past-rate.test.train.parquet")
    replace(shop, brief=brief_of(shop)).build(run / "release")
    finalize(run / "release", {}, decision="ship")
