"""The files as a whole: schema, identity of bytes, and what must hold between tables."""

import hashlib
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from mercer.contracts import TABLES
from mercer.errors import OutputError
from mercer.simulate import ShopOptions, small_shop, write_shop

TABLE_NAMES = (
    "events", "items", "users", "consents", "requests", "impressions", "outcomes", "judgments", "payments",
)  # fmt: skip


def digests(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(small: Path, tmp_path: Path) -> None:
    small_shop(tmp_path / "again", seed=1)
    small_shop(tmp_path / "other", seed=2)
    first, again, other = digests(small), digests(tmp_path / "again"), digests(tmp_path / "other")
    assert len(first) == len(TABLE_NAMES) + 6
    assert again == first
    assert not [name for name in first if first[name] == other[name]]


@pytest.mark.parametrize("name", TABLE_NAMES)
def test_tables_conform_to_their_schemas_and_keys(shop: Path, name: str) -> None:
    table = pq.read_table(shop / f"{name}.parquet")
    schema = TABLES[name]
    declared = [(field.name, field.type) for field in schema.arrow()]
    assert [(field.name, field.type) for field in table.schema] == declared
    assert schema.conform(table).num_rows == table.num_rows
    assert table.num_rows
    if schema.key:
        assert not table.select(list(schema.key)).to_pandas().duplicated().any()


def test_the_demo_is_as_large_as_promised(shop: Path, events: pd.DataFrame) -> None:
    assert pq.read_metadata(shop / "users.parquet").num_rows == 5000
    assert pq.read_metadata(shop / "items.parquet").num_rows == 2000
    assert events["time"].dt.to_period("M").nunique() == 12
    assert set(events["kind"]) == {"view", "cart", "purchase", "return"}


def test_ids_that_refer_are_there(shop: Path, events: pd.DataFrame) -> None:
    def ids(table: str, column: str) -> set[str]:
        return set(pq.read_table(shop / f"{table}.parquet", columns=[column]).column(column).to_pylist())

    users, items, requests = ids("users", "user"), ids("items", "item"), ids("requests", "request")
    assert set(events["user"]) <= users
    assert set(events["item"]) <= items
    assert ids("judgments", "item") <= items
    assert ids("impressions", "item") <= items
    assert ids("impressions", "request") <= requests
    assert ids("outcomes", "request") <= requests
    assert ids("payments", "payer") <= users
    assert ids("consents", "user") == users


def test_amounts_are_price_times_quantity(shop: Path, events: pd.DataFrame) -> None:
    price = pd.read_parquet(shop / "items.parquet").set_index("item")["price_minor"]
    sign = events["kind"].map({"view": 0, "cart": 0, "purchase": 1, "return": -1})
    expected = sign * price.reindex(events["item"]).to_numpy() * events["quantity"]
    assert (events["amount_minor"] == expected).all()


def test_returns_name_the_purchase_they_undo(events: pd.DataFrame) -> None:
    back = events[events["kind"] == "return"]
    bought = events.set_index("event").loc[back["origin"]]
    assert len(back) > 1000
    assert events.loc[events["kind"] != "return", "origin"].isna().all()
    assert (bought["kind"] == "purchase").all()
    for column in ("user", "item", "quantity", "basket"):
        assert (bought[column].to_numpy() == back[column].to_numpy()).all()
    assert (back["time"].to_numpy() > bought["time"].to_numpy()).all()


def test_receipts_of_the_store_arrive_in_the_night_and_all_else_at_once(events: pd.DataFrame) -> None:
    late = events["known_at"] > events["time"]
    assert (events["channel"][late] == "store").all()
    assert late[events["channel"] == "store"].mean() > 0.97  # a return is known when it arrives
    assert (events["known_at"] - events["time"]).max() < pd.Timedelta(hours=29)
    assert (events["known_at"] >= events["time"]).all()


def test_nobody_buys_what_they_are_too_young_for_or_what_is_not_on_sale(
    shop: Path, purchases: pd.DataFrame
) -> None:
    items = pd.read_parquet(shop / "items.parquet").set_index("item")
    ages = pd.read_parquet(shop / "users.parquet").set_index("user")["age"]
    limit = items["min_age"].reindex(purchases["item"]).to_numpy()
    age = ages.reindex(purchases["user"]).to_numpy(float)
    assert (limit >= 18).sum() > 1000
    assert not (age < limit).any()
    begins = items["available_from"].reindex(purchases["item"]).to_numpy()
    ends = items["available_until"].reindex(purchases["item"]).to_numpy()
    day = purchases["time"].to_numpy()
    assert not (day < begins).any()
    assert not (day >= ends).any()


def test_visits_are_short_and_baskets_are_paid_at_one_moment(events: pd.DataFrame) -> None:
    visits = events.dropna(subset=["session"]).groupby("session")
    assert (visits["time"].max() - visits["time"].min()).max() < pd.Timedelta(minutes=15)
    assert (visits["user"].nunique() == 1).all()
    baskets = events[events["kind"] == "purchase"].groupby("basket")
    assert (baskets["time"].nunique() == 1).all()
    assert not events[events["kind"] == "purchase"].duplicated(["basket", "item"]).any()


def test_searches_hold_slips_and_wishes_that_the_shop_cannot_serve(shop: Path) -> None:
    from mercer.simulate.kinds import assortment

    requests = pd.read_parquet(shop / "requests.parquet")
    searches = requests[requests["query"].notna()]
    empty = searches["eligible"].map(len) == 0
    unserved = searches["query"].isin(assortment().unserved)
    assert len(searches) > 3000
    assert 0.03 < unserved.mean() < 0.1
    assert 0.05 < (empty & ~unserved).mean() < 0.2
    assert np.isin(searches.loc[unserved, "query"], list(assortment().unserved)).all()


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    with pytest.raises(OutputError, match="can't be written"):
        write_shop(blocked / "shop", ShopOptions(users=50, items=60, months=3))


def test_unknown_options_are_refused() -> None:
    with pytest.raises(ValueError, match="extra"):
        ShopOptions(customers=10)  # type: ignore[call-arg]
