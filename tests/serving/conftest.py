from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from release.small_shop import CUT, DAY, Shop, make_shop
from starlette.testclient import TestClient

from mercer.compliance import CaseStore
from mercer.release import Release
from mercer.serving import OnlineState, Settings, build_app
from mercer.serving.state import SCOPES

NOW = CUT + 30 * DAY
"""The moment at which every test of this room takes place."""


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    return make_shop(tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="session")
def release(shop: Shop, tmp_path_factory: pytest.TempPathFactory) -> Release:
    return shop.build(tmp_path_factory.mktemp("built") / "release")


@pytest.fixture
def state(tmp_path: Path) -> Iterator[OnlineState]:
    made = OnlineState(f"sqlite:///{tmp_path}/state/mercer.db")
    yield made
    made.close()


@pytest.fixture
def settings(release: Release, state: OnlineState, tmp_path: Path) -> Settings:
    cases = CaseStore(f"sqlite:///{tmp_path}/state/mercer.db")
    return Settings(release=release, state=state, cases=cases, clock=lambda: NOW, max_body_bytes=100_000)


@pytest.fixture
def client(settings: Settings) -> TestClient:
    """A client with a key that opens everything."""
    key = settings.state.keys.create("test", SCOPES, time=NOW)
    return TestClient(
        build_app(settings), headers={"Authorization": f"Bearer {key}"}, raise_server_exceptions=False
    )
