"""The evidence log of a run folder: continued, refused when tampered with, set aside when another key signed it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from mercer.brief import Brief
from mercer.compliance import EvidenceLog
from mercer.errors import DamagedError
from mercer.pipeline.flow import Flow
from mercer.pipeline.judge import settle_evidence
from mercer.simulate import demo_brief

DAY = datetime(2026, 10, 1, tzinfo=UTC)


@pytest.fixture
def flow(tmp_path: Path) -> Flow:
    made = Flow(brief=Brief.load(demo_brief()), out=tmp_path / "run", cache=tmp_path / "cache")
    made.out.mkdir()
    return made


def log_of(flow: Flow, cache: Path | None = None) -> EvidenceLog:
    return EvidenceLog(flow.out / "evidence.jsonl", (cache or flow.cache) / "keys")


def test_a_folder_without_a_log_is_settled(flow: Flow) -> None:
    settle_evidence(flow)
    assert list(flow.out.iterdir()) == []


def test_an_own_log_stays(flow: Flow) -> None:
    log_of(flow).append({"run": "a"}, at=DAY)
    settle_evidence(flow)
    assert [entry.content for entry in log_of(flow).verify()] == [{"run": "a"}]


def test_a_log_of_another_cache_is_kept_aside_and_a_new_one_begins(flow: Flow, tmp_path: Path) -> None:
    other = log_of(flow, tmp_path / "elsewhere")
    other.append({"run": "a"}, at=DAY)
    settle_evidence(flow)
    (kept,) = flow.out.glob("evidence.*.jsonl")
    assert [e.content for e in EvidenceLog(kept, tmp_path / "elsewhere" / "keys").verify()] == [{"run": "a"}]
    log_of(flow).append({"run": "b"}, at=DAY)
    assert log_of(flow).last_facts() == {"run": "b"}


def test_a_changed_line_stops_the_run_before_any_work(flow: Flow) -> None:
    log_of(flow).append({"run": "a"}, at=DAY)
    place = flow.out / "evidence.jsonl"
    place.write_text(place.read_text().replace('"a"', '"b"'))
    with pytest.raises(DamagedError):
        settle_evidence(flow)
