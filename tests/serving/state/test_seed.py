from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from release.small_shop import CUT, Shop

from mercer.errors import DamagedError
from mercer.serving import OnlineState, seed_from_run
from mercer.serving.state import Seeded


def write_run(run: Path, events: pd.DataFrame) -> None:
    (run / "data").mkdir(parents=True, exist_ok=True)
    times = {name: pd.to_datetime(events[name], unit="us") for name in ("time", "known_at")}
    events.assign(**times).to_parquet(run / "data" / "events.parquet")
    users = events["user"].unique()
    people = pd.DataFrame({"user": users, "jurisdiction": "EU", "age": [11] + [40] * (len(users) - 1)})
    people.to_parquet(run / "data" / "users.parquet")
    said = pd.DataFrame(
        {"user": users, "purpose": "recommendation", "given": True, "time": pd.Timestamp("2025-01-01")}
    )
    said.to_parquet(run / "data" / "consents.parquet")


def test_a_run_is_loaded_once(state: OnlineState, shop: Shop, tmp_path: Path) -> None:
    write_run(tmp_path / "run", shop.events)
    n_users = shop.events["user"].nunique()
    assert seed_from_run(state, tmp_path / "run") == Seeded(len(shop.events), n_users, n_users)
    assert seed_from_run(state, tmp_path / "run") == Seeded(again=True)
    person = state.people.person(shop.events["user"].iloc[0])
    assert (person.jurisdiction, person.age, person.asks_consent) == ("EU", 11, True)
    assert len(person.consents) == 1


def test_histories_come_out_as_they_went_in(state: OnlineState, shop: Shop, tmp_path: Path) -> None:
    write_run(tmp_path / "run", shop.events)
    seed_from_run(state, tmp_path / "run")
    for user in ("customer-003", "customer-111"):
        own = shop.events[shop.events["user"] == user].sort_values("time", kind="stable")
        kept = state.events.history(user, CUT)
        for column in ("item", "time", "basket", "amount_minor", "event"):
            assert kept[column] == own[column].tolist()


def test_changed_data_add_what_is_new_and_change_nothing(
    state: OnlineState, shop: Shop, tmp_path: Path
) -> None:
    write_run(tmp_path / "run", shop.events.iloc[:-10])
    seed_from_run(state, tmp_path / "run")
    write_run(tmp_path / "run", shop.events.assign(amount_minor=1))
    assert seed_from_run(state, tmp_path / "run").events == 10
    first = shop.events.iloc[0]
    assert first["amount_minor"] in state.events.history(first["user"], CUT)["amount_minor"]


def test_a_run_without_data_seeds_nothing(state: OnlineState, tmp_path: Path) -> None:
    assert seed_from_run(state, tmp_path) == Seeded()


def test_a_truncated_table_is_refused_and_leaves_nothing(
    state: OnlineState, shop: Shop, tmp_path: Path
) -> None:
    write_run(tmp_path / "run", shop.events)
    file = tmp_path / "run" / "data" / "users.parquet"
    file.write_bytes(file.read_bytes()[:-50])
    with pytest.raises(DamagedError, match=r"users\.parquet"):
        seed_from_run(state, tmp_path / "run")
    assert state.events.history("customer-003", CUT)["item"] == []
