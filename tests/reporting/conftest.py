from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import vl_convert

from reporting.small_run import make_run


@pytest.fixture(scope="session")
def whole_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run folder that tests only read."""
    return make_run(tmp_path_factory.mktemp("run"))


@pytest.fixture
def run(whole_run: Path, tmp_path: Path) -> Path:
    """A copy that a test may change."""
    return Path(shutil.copytree(whole_run, tmp_path / "run"))


@pytest.fixture(autouse=True, scope="session")
def charts_drawn_once() -> Iterator[None]:
    """Most pages of these tests show the same charts: each distinct one is drawn once."""
    drawn: dict[str, Any] = {}
    draw = vl_convert.vegalite_to_svg

    def remembered(spec: dict[str, Any]) -> Any:
        key = json.dumps(spec, sort_keys=True)
        if key not in drawn:
            drawn[key] = draw(spec)
        return drawn[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(vl_convert, "vegalite_to_svg", remembered)
        yield
