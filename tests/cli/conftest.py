from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
from flow.house import House, make_house, shared_folder

from cli.typed import Typed, typed


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> House:
    return make_house(shared_folder(tmp_path_factory))


@pytest.fixture
def house_cache(house: House, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The cache that the house's run filled; for tests that change nothing in it."""
    monkeypatch.setenv("MERCER_CACHE", str(house.cache))
    return house.cache


@pytest.fixture
def mercer(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Typed:
    return partial(typed, monkeypatch, capsys)
