"""One small shop and one of the demo's size for the whole folder: both are made once."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from mercer.simulate import ShopOptions, Truth, small_shop, write_shop
from mercer.simulate.world import World, draw_world


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("small")
    small_shop(folder)
    return folder


@pytest.fixture(scope="session")
def small_world() -> World:
    return draw_world(ShopOptions(users=300, items=120, months=6, judged_queries=40, seed=1))


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shop")
    write_shop(folder, ShopOptions(faults=False))
    return folder


@pytest.fixture(scope="session")
def truth(shop: Path) -> Truth:
    return Truth.load(shop)


@pytest.fixture(scope="session")
def events(shop: Path) -> pd.DataFrame:
    return pq.read_table(shop / "events.parquet").to_pandas()


@pytest.fixture(scope="session")
def purchases(events: pd.DataFrame) -> pd.DataFrame:
    return events.loc[events["kind"] == "purchase"].reset_index(drop=True)
