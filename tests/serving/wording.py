"""The shop whose search understands queries, served; and makers that are slow, hang or break."""

from __future__ import annotations

import copy
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
from release.wording_shop import NOW

from mercer.compliance import CaseStore
from mercer.release import Release
from mercer.search.understanding import Maker, Understanding
from mercer.serving import OnlineState, Settings, build_app
from mercer.serving.state import SCOPES
from serving.live import live

AMPLE = 20.0


@dataclass(frozen=True)
class Server:
    """A live server: a client whose key opens everything, and the parts behind it."""

    client: httpx.Client
    settings: Settings

    def search(self, query: str, status: int = 200, **body: object) -> dict:
        """POST /v1/search to the search that understands queries."""
        reply = self.client.post("/v1/search", json={"target": "find", "query": query, **body})
        assert reply.status_code == status, reply.text
        return reply.json()


@contextmanager
def served(release: Release, folder: Path, **settings: object) -> Iterator[Server]:
    """Serve a release on the loopback with a fresh state."""
    url = f"sqlite:///{folder}/state/mercer.db"
    state = OnlineState(url)
    key = state.keys.create("test", SCOPES, time=NOW)
    made = Settings(release=release, state=state, cases=CaseStore(url), clock=lambda: NOW, **settings)  # type: ignore[arg-type]
    headers = {"Authorization": f"Bearer {key}"}
    with (
        live(build_app(made)) as address,
        httpx.Client(base_url=address, headers=headers, trust_env=False, timeout=AMPLE) as client,
    ):
        yield Server(client, made)
    state.close()


class Held:
    """A maker that works once `go` is set, for at most `AMPLE` seconds; counts what it is asked."""

    name = "rules"

    def __init__(self, inner: Maker) -> None:
        self.inner = inner
        self.go = threading.Event()
        self.asked: list[str] = []
        self.most = 0
        self._now = 0
        self._lock = threading.Lock()

    def understand(self, query: str) -> Understanding:
        """What the inner maker understands, later."""
        with self._lock:
            self.asked.append(query)
            self._now += 1
            self.most = max(self.most, self._now)
        self.go.wait(AMPLE)
        with self._lock:
            self._now -= 1
        return self.inner.understand(query)


class Broken:
    """A maker that fails."""

    name = "rules"

    def understand(self, query: str) -> Understanding:
        """Fail, quoting the query."""
        raise RuntimeError(query)


def with_maker(release: Release, maker: Maker) -> Release:
    """The release with another maker in its search."""
    ranker = copy.copy(release.reader("find"))
    ranker.maker = maker
    return replace(release, rankers={**release.rankers, "find": ranker})  # type: ignore[dict-item]
