"""The evidence log notices every way of tampering, and survives a crash."""

from __future__ import annotations

import json
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mercer.compliance import EvidenceLog
from mercer.errors import DamagedError

AT = 1_790_000_000_000_000


@pytest.fixture
def log(tmp_path: Path) -> EvidenceLog:
    written = EvidenceLog(tmp_path / "run" / "evidence.jsonl", tmp_path / "keys")
    for number in range(4):
        written.append({"verdict": "pass", "number": number}, AT + number, "gates")
    return written


def lines(log: EvidenceLog) -> list[str]:
    return log.path.read_text("utf-8").splitlines(keepends=True)


def test_what_was_appended_is_read_back_in_order(log: EvidenceLog) -> None:
    entries = log.verify()

    assert [entry.content["number"] for entry in entries] == [0, 1, 2, 3]
    assert entries[0].previous == "0" * 64
    assert [entry.previous for entry in entries[1:]] == [entry.hash for entry in entries[:-1]]
    assert entries[0].at == "2026-09-21T14:13Z"


def test_edited_line_is_named(log: EvidenceLog) -> None:
    changed = lines(log)
    changed[1] = changed[1].replace('"pass"', '"fail"')
    log.path.write_text("".join(changed), "utf-8")

    with pytest.raises(DamagedError, match="line 2, its content is not what was hashed"):
        log.verify()


def test_line_rehashed_without_the_key_is_named(log: EvidenceLog, tmp_path: Path) -> None:
    stranger = EvidenceLog(tmp_path / "other.jsonl", tmp_path / "other-keys")
    for number in range(4):
        stranger.append({"verdict": "pass", "number": number}, AT + number, "gates")
    log.path.write_bytes(stranger.path.read_bytes())

    with pytest.raises(DamagedError, match="line 1, its signature is wrong"):
        log.verify()


@pytest.mark.parametrize(
    ("keep", "message"),
    [
        ([0, 2, 3], "line 2, it is numbered 2"),
        ([0, 2, 1, 3], "line 2, it is numbered 2"),
        ([1, 2, 3], "line 1, it is numbered 1"),
        ([0, 1, 2], "line 4, 1 lines were cut off"),
        ([0, 1, 2, 3, 3], "line 5, it is numbered 3"),
        ([], "every line was taken away"),
    ],
)
def test_deleted_moved_repeated_or_cut_lines_are_named(
    log: EvidenceLog, keep: list[int], message: str
) -> None:
    before = lines(log)
    log.path.write_text("".join(before[number] for number in keep), "utf-8")

    with pytest.raises(DamagedError, match=message):
        log.verify()


def test_half_a_line_is_damage_until_the_next_append_mends_it(log: EvidenceLog) -> None:
    with log.path.open("a", encoding="utf-8") as stream:
        stream.write('{"schema":1,"number":4')
    with pytest.raises(DamagedError, match="line 5, it is cut off"):
        log.verify()

    log.append({}, AT + 9, "report")

    assert [entry.kind for entry in log.verify()][-1] == "report"
    assert len(log.verify()) == 5


def test_cut_inside_an_acknowledged_line_is_not_mended(log: EvidenceLog) -> None:
    log.path.write_bytes(log.path.read_bytes()[:-10])

    remains = log.path.read_bytes()

    with pytest.raises(DamagedError, match="1 lines were cut off"):
        log.append({}, AT + 9, "report")

    assert log.path.read_bytes() == remains


def test_crash_between_line_and_head_loses_nothing(log: EvidenceLog, tmp_path: Path) -> None:
    heads = tmp_path / "keys" / "evidence-heads"
    before = {path: path.read_bytes() for path in heads.iterdir()}
    log.append({}, AT + 9, "report")
    for path, content in before.items():
        path.write_bytes(content)

    assert len(log.verify()) == 5


def test_edited_head_is_noticed(log: EvidenceLog, tmp_path: Path) -> None:
    (head,) = (tmp_path / "keys" / "evidence-heads").iterdir()
    content = json.loads(head.read_text())
    head.write_text(json.dumps({**content, "count": 2}))

    with pytest.raises(DamagedError, match="head"):
        log.verify()


def test_others_verify_with_the_public_key_alone(log: EvidenceLog, tmp_path: Path) -> None:
    elsewhere = EvidenceLog(log.path, tmp_path / "no-keys-here")

    assert len(elsewhere.verify(log.public_key)) == 4
    assert not (tmp_path / "no-keys-here").exists()


def test_private_key_is_its_owners_alone(log: EvidenceLog, tmp_path: Path) -> None:
    mode = (tmp_path / "keys" / "evidence-signing.key").stat().st_mode

    assert stat.S_IMODE(mode) == 0o600
    assert log.path.read_bytes().find((tmp_path / "keys" / "evidence-signing.key").read_bytes()) == -1


def test_log_without_a_file_is_empty(tmp_path: Path) -> None:
    log = EvidenceLog(tmp_path / "none.jsonl", tmp_path / "keys")

    assert log.verify() == []
    assert log.last_facts() is None


def test_last_facts_are_those_appended_last(log: EvidenceLog) -> None:
    log.append({"files": {"gates.json": "aa"}}, datetime(2026, 10, 2, tzinfo=UTC))

    assert log.last_facts() == {"files": {"gates.json": "aa"}}
    assert log.entries()[-1].at == "2026-10-02T00:00Z"


@settings(max_examples=40, deadline=None)
@given(at=st.integers(0, 10_000), bit=st.integers(0, 7))
def test_any_flipped_bit_is_noticed(tmp_path_factory: pytest.TempPathFactory, at: int, bit: int) -> None:
    folder = tmp_path_factory.mktemp("flip")
    log = EvidenceLog(folder / "evidence.jsonl", folder / "keys")
    log.append({"text": "a sentence \u2028 with another line end"}, AT, "gates")
    log.append({"text": "another"}, AT, "gates")
    content = bytearray(log.path.read_bytes())
    content[at % len(content)] ^= 1 << bit
    log.path.write_bytes(bytes(content))

    with pytest.raises(DamagedError):
        log.verify()
