from __future__ import annotations

import json
import stat
import threading
from pathlib import Path
from typing import Any

import pytest

from language.remote.server import ChatServer
from mercer.errors import DamagedError, OutputError
from mercer.language.remote.audit import AuditLog, Record


def record(**changed: Any) -> Record:
    return Record(**{"host": "h", "model_asked": "m", "permission": "loopback", "purpose": "", **changed})


def test_lines_are_appended_whole_by_many_threads(tmp_path: Path) -> None:
    logs = [AuditLog(tmp_path) for _ in range(2)]

    def write(at: int) -> None:
        for _ in range(20):
            logs[at % 2].write(record(attempts=at))

    threads = [threading.Thread(target=write, args=(at,)) for at in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    read = [json.loads(line)["attempts"] for line in logs[0].path.read_text().splitlines()]
    assert sorted(read) == sorted([at for at in range(6) for _ in range(20)])


def test_half_a_line_of_a_killed_process_stays_a_line_of_its_own(tmp_path: Path) -> None:
    log = AuditLog(tmp_path)
    log.write(record())
    with log.path.open("ab") as file:
        file.write(b'{"schema": 1, "ti')
    log.write(record(attempts=7))
    first, half, last = log.path.read_text().splitlines()
    assert (json.loads(first)["attempts"], half, json.loads(last)["attempts"]) == (0, '{"schema": 1, "ti', 7)


def test_a_prompt_stands_in_it_as_a_keyed_hash(tmp_path: Path) -> None:
    log, again, other = AuditLog(tmp_path / "a"), AuditLog(tmp_path / "a"), AuditLog(tmp_path / "b")
    assert log.hash("a prompt") == again.hash("a prompt") != log.hash("another")
    assert log.hash("a prompt") != other.hash("a prompt"), "without the key nobody can try prompts"
    for path in (tmp_path / "a").iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    (tmp_path / "a" / "audit.key").write_bytes(b"short")
    with pytest.raises(DamagedError, match="not a key"):
        AuditLog(tmp_path / "a")


def test_where_nothing_can_be_recorded_nothing_is_sent(
    server: ChatServer, remote: Any, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="nothing is sent"):
        remote(server, folder=tmp_path / "file" / "remote")
    assert not server.bodies


def test_a_line_says_what_was_done(server: ChatServer, remote: Any, tmp_path: Path) -> None:
    generator = remote(server, price_in=1.0, price_out=2.0)
    answer = generator.generate(
        [{"role": "user", "content": "running shoes"}], max_tokens=40, temperature=0, seed=1
    )
    line = json.loads((tmp_path / "remote" / "audit.jsonl").read_text())
    assert line["time"].endswith("+00:00")
    assert len(line["prompt"]) == 64
    expected = {
        "schema": 1, "host": "127.0.0.1", "model_asked": "tiny", "model": "tiny", "permission": "loopback",
        "system_fingerprint": "fp-tiny-llama-1", "schema_hash": None, "structured": "none", "purpose": "",
        "attempts": 1, "faults": [], "tokens_in": answer.tokens_in, "tokens_out": answer.tokens_out,
        "tokens_assumed": 0, "money": pytest.approx(answer.cost), "outcome": "answered",
    }  # fmt: skip
    assert {key: line[key] for key in expected} == expected
    assert set(line) == {*expected, "time", "prompt"}
