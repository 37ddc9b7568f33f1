from __future__ import annotations

from pathlib import Path

import pytest

from mercer.release import Release
from release.small_shop import Shop, make_shop


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    return make_shop(tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="session")
def candidate(shop: Shop, tmp_path_factory: pytest.TempPathFactory) -> Release:
    return shop.build(tmp_path_factory.mktemp("built") / "release")


@pytest.fixture
def folder(shop: Shop, tmp_path: Path) -> Path:
    """An own copy of the release, to damage."""
    shop.build(tmp_path / "release")
    return tmp_path / "release"
