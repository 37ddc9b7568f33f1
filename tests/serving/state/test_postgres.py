"""The same state on PostgreSQL: a server of its own for these tests, started and ended here."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from release.small_shop import CUT, Shop

from mercer.errors import ConflictError
from mercer.serving import OnlineState, seed_from_run
from mercer.serving.state import Added, ItemChange
from mercer.testing.stores import ErasableContract
from serving.state.test_event_log import BOUGHT
from serving.state.test_online import fill
from serving.state.test_seed import write_run

pytestmark = pytest.mark.postgres


def _as_postgres(*command: str) -> None:
    """PostgreSQL refuses to run as root: there, its own account runs it."""
    prefix = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    subprocess.run([*prefix, *command], check=True, capture_output=True, timeout=120)


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    pytest.importorskip("psycopg")
    initdb = shutil.which("initdb")
    if initdb is None:
        pytest.skip("no PostgreSQL server is installed")
    tools = Path(initdb).resolve().parent
    folder = Path(tempfile.mkdtemp(prefix="mercer-pg-"))
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres", "postgres")
    data = folder / "data"
    _as_postgres(str(tools / "initdb"), "-D", str(data), "-A", "trust", "-U", "postgres")
    options = f"-c listen_addresses='' -c unix_socket_directories={folder} -c fsync=off"
    _as_postgres(
        str(tools / "pg_ctl"), "-D", str(data), "-w", "-o", options, "-l", str(folder / "log"), "start"
    )
    try:
        yield f"postgresql+psycopg://postgres@/postgres?host={folder}"
    finally:
        _as_postgres(str(tools / "pg_ctl"), "-D", str(data), "-m", "immediate", "stop")
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def state(url: str) -> Iterator[OnlineState]:
    from mercer.serving.state.schema import metadata

    made = OnlineState(url)
    yield made
    metadata.drop_all(made.database.engine)
    made.close()


class TestOnlineStateOnPostgres(ErasableContract):
    @pytest.fixture
    def store(self, state: OnlineState) -> OnlineState:
        fill(state, self.user)
        fill(state, self.other)
        return state


def test_events_are_idempotent_and_conflicts_are_told(state: OnlineState) -> None:
    assert state.events.add([BOUGHT, replace(BOUGHT, event="e2")]) == Added(2, 0)
    assert state.events.add([BOUGHT, replace(BOUGHT, event="e3")]) == Added(1, 1)
    with pytest.raises(ConflictError):
        state.events.add([replace(BOUGHT, item="b")])
    assert state.events.history("u", 100)["event"] == ["e1", "e2", "e3"]


def test_writers_at_once_add_each_event_once(url: str, state: OnlineState) -> None:
    writers = [OnlineState(url), OnlineState(url)]
    batches = [[replace(BOUGHT, event=f"e{n}") for n in range(at, at + 20)] for at in range(0, 100, 10)]
    with ThreadPoolExecutor(4) as pool:
        jobs = [pool.submit(w.events.add, b) for b in batches for w in writers]
        added = [job.result() for job in jobs]
    assert sum(a.accepted for a in added) == 110
    for writer in writers:
        writer.close()


def test_overlay_keys_and_people_work(state: OnlineState) -> None:
    state.catalogue.put("a", ItemChange(price_minor=7), time=1)
    assert state.catalogue.withdraw("b", time=2) == 2
    assert state.catalogue.overlay().withdrawn == {"b"}
    key = state.keys.create("k", ["answer"], time=1)
    assert state.keys.check(key) is not None
    assert state.people.person("u").asks_consent is False


def test_a_run_is_loaded_once(state: OnlineState, shop: Shop, tmp_path: Path) -> None:
    write_run(tmp_path / "run", shop.events)
    assert seed_from_run(state, tmp_path / "run").events == len(shop.events)
    assert seed_from_run(state, tmp_path / "run").again
    assert state.events.history("customer-003", CUT)["item"]
