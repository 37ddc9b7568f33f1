"""The page tells open cases of failed gates in words, and of no other kind: those name people."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from mercer.compliance import CaseStore, NewCase
from mercer.reporting.case_view import STORE, cases_of

NOW = datetime(2026, 10, 1, tzinfo=UTC)


def gate(occasion: str, measured: int) -> NewCase:
    told = {"measured": measured, "threshold": 0, "remedy": "Ask for consent.", "target": ""}
    return NewCase(
        kind="failed-gate", subject="gdpr-consent", rule="gdpr-consent", opened=NOW, occasion=occasion,
        reasons=(told, {"user": "a1b2"}),
    )  # fmt: skip


def test_newest_open_failed_gate_is_told_and_no_person_is(tmp_path: Path) -> None:
    (tmp_path / STORE).parent.mkdir()
    store = CaseStore(f"sqlite:///{tmp_path / STORE}")
    store.open([gate("one", 17), gate("two", 9)])
    store.open(NewCase(kind="alert", subject="anna", rule="churn", opened=NOW, occasion="day", score=0.4))
    store.dispose()

    alerts, gates = cases_of(tmp_path)

    assert alerts.told == ""
    assert gates.told == (
        "Case-000002 is a failed gate, opened on 1 October 2026 under the rule gdpr-consent. Measured was 9. "
        "The threshold is 0. The rows listed: 1. The remedy reads: Ask for consent."
    )


def test_closed_failed_gate_is_not_told(tmp_path: Path) -> None:
    (tmp_path / STORE).parent.mkdir()
    store = CaseStore(f"sqlite:///{tmp_path / STORE}")
    [case] = store.open([gate("one", 17)])
    store.close(case, "mended", "data", NOW)
    store.dispose()

    assert cases_of(tmp_path)[0].told == ""
