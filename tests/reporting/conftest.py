from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from reporting.small_run import make_run


@pytest.fixture(scope="session")
def whole_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run folder that tests only read."""
    return make_run(tmp_path_factory.mktemp("run"))


@pytest.fixture
def run(whole_run: Path, tmp_path: Path) -> Path:
    """A copy that a test may change."""
    return Path(shutil.copytree(whole_run, tmp_path / "run"))
