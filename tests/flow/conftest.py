from __future__ import annotations

from pathlib import Path

import pytest

from flow.house import House, make_house, shared_folder


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> House:
    return make_house(shared_folder(tmp_path_factory))


@pytest.fixture(autouse=True)
def own_cache(house: House, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Tests of the flow share one cache, so that what was done once is found again."""
    monkeypatch.setenv("MERCER_CACHE", str(house.cache))
    return house.cache
