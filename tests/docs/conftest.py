from __future__ import annotations

import pytest
from flow.house import House, make_house, shared_folder


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> House:
    return make_house(shared_folder(tmp_path_factory))
