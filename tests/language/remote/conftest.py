from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from language.remote.model import make_model
from language.remote.proxy import FaultyProxy, proxied
from language.remote.quick import QuickClock
from language.remote.server import ChatServer, served
from mercer.language.remote import RemoteGenerator

pytest.importorskip("httpx")


@pytest.fixture(scope="session")
def model_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tiny")
    make_model(folder)
    return folder


@pytest.fixture(scope="session")
def _server(model_folder: Path) -> Iterator[ChatServer]:
    with served(ChatServer(model_folder)) as server:
        yield server


@pytest.fixture(scope="session")
def _proxy(_server: ChatServer) -> Iterator[FaultyProxy]:
    with proxied(_server.base_url) as proxy:
        yield proxy


@pytest.fixture
def server(_server: ChatServer) -> ChatServer:
    _server.reset()
    return _server


@pytest.fixture
def proxy(_proxy: FaultyProxy, server: ChatServer) -> FaultyProxy:
    _proxy.play([])
    return _proxy


Make = Callable[..., RemoteGenerator]


@pytest.fixture
def remote(tmp_path: Path) -> Iterator[Make]:
    """Makes generators of a server or proxy with a quick clock, and closes them."""
    made: list[RemoteGenerator] = []

    def make(
        of: ChatServer | FaultyProxy,
        *,
        clock: Any = None,
        mark: Any = None,
        ledger: Any = None,
        **options: Any,
    ):
        chosen = {
            "base_url": of.base_url,
            "model": "tiny",
            "read_seconds": 5.0,
            "folder": tmp_path / "remote",
        }
        made.append(
            RemoteGenerator(
                RemoteGenerator.Options(**{**chosen, **options}),
                clock=clock or QuickClock(),
                mark=mark,
                ledger=ledger,
                jitter_seed=1,
            )
        )
        return made[-1]

    yield make
    for one in made:
        one.close()
