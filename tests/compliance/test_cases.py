"""Cases are opened once, closed once, remembered, and forgotten on request."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from mercer.compliance import CaseStore, NewCase
from mercer.contracts import TABLES, Erasable
from mercer.errors import NotFoundError, OutputError, UsageError

DAY = datetime(2026, 10, 1, 12, tzinfo=UTC)
USER = "anna.+%_[x]@shop.test"


def alert(subject: str = USER, occasion: str = "2026-10-01", score: float = 0.25) -> NewCase:
    return NewCase(
        kind="alert",
        subject=subject,
        opened=DAY,
        rule="repurchase",
        occasion=occasion,
        score=score,
        reasons=({"feature": "recency_days", "value": 90.0},),
    )


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[CaseStore]:
    url = f"sqlite:///{tmp_path / 'state' / 'mercer.db'}"
    if request.param == "postgres":
        url = request.getfixturevalue("postgres_url")
        engine = sa.create_engine(url)
        with engine.begin() as connection:
            connection.execute(sa.text("DROP TABLE IF EXISTS case_history, cases"))
        engine.dispose()
    opened = CaseStore(url)
    yield opened
    opened.dispose()


def test_case_opens_once_however_often_it_is_brought(store: CaseStore) -> None:
    first = store.open([alert(), alert("other")])
    again = store.open([replace(alert(), score=0.9), alert(occasion="2026-10-02")])

    assert first == ["case-000001", "case-000002"]
    assert again == ["case-000001", "case-000003"]
    assert store.show("case-000001").score == 0.25


def test_closing_keeps_role_time_and_history(store: CaseStore) -> None:
    (case,) = store.open(alert())

    closed = store.close(case, "confirmed", "risk", DAY + timedelta(hours=1), "called the customer")

    assert (closed.status, closed.disposition, closed.reviewer_role) == ("closed", "confirmed", "risk")
    assert [(line.action, line.note) for line in closed.history] == [
        ("opened", ""),
        ("closed", "called the customer"),
    ]
    assert closed.closed == DAY + timedelta(hours=1)


def test_list_narrows_and_is_newest_first(store: CaseStore) -> None:
    store.open(
        [alert(), replace(alert("b"), opened=DAY + timedelta(days=1)), replace(alert("c"), rule="spend")]
    )
    store.close("case-000001", "dismissed", "risk", DAY)

    assert [case.subject for case in store.list()] == ["b", "c", USER]
    assert [case.subject for case in store.list(status="open", rule="repurchase")] == ["b"]
    assert [case.subject for case in store.list(status="closed")] == [USER]
    assert [case.subject for case in store.list(limit=1, offset=1)] == ["c"]
    assert store.list(kind="failed-gate") == []


def test_errors_say_what_is_wrong(store: CaseStore) -> None:
    (case,) = store.open(alert())
    with pytest.raises(NotFoundError, match="case-000009"):
        store.show("case-000009")
    with pytest.raises(NotFoundError):
        store.show("1; drop table cases")
    with pytest.raises(UsageError, match="Did you mean 'confirmed'"):
        store.close(case, "confirm", "risk", DAY)
    with pytest.raises(UsageError, match="role"):
        store.close(case, "confirmed", "  ", DAY)
    with pytest.raises(UsageError, match="opened later"):
        store.close(case, "confirmed", "risk", DAY - timedelta(days=1))
    with pytest.raises(UsageError, match="without zone"):
        store.close(case, "confirmed", "risk", DAY.replace(tzinfo=None))
    store.close(case, "confirmed", "risk", DAY)
    with pytest.raises(UsageError, match="closed already, as confirmed"):
        store.close(case, "dismissed", "risk", DAY)
    assert store.show(case).disposition == "confirmed"


def test_dispositions_are_labels_known_when_closed(store: CaseStore) -> None:
    store.open([alert("a"), alert("b"), alert("c"), alert("open")])
    store.close("case-000002", "dismissed", "risk", DAY + timedelta(days=2))
    store.close("case-000001", "upheld", "risk", DAY + timedelta(days=3))
    store.close("case-000003", "inconclusive", "risk", DAY + timedelta(days=4))

    labels = store.labels()

    assert labels["subject"].tolist() == ["b", "a", "c"]
    assert labels["label"].tolist()[:2] == [0.0, 1.0]
    assert labels["label"].isna().tolist() == [False, False, True]
    assert str(labels["label_known_at"].iloc[0]) == "2026-10-03 12:00:00"
    assert str(labels["label_known_at"].dtype) == "datetime64[us]"


def test_labels_of_an_empty_store_have_their_columns(store: CaseStore) -> None:
    assert store.labels().empty
    assert "label_known_at" in store.labels().columns


def test_case_fields_are_those_of_the_table(store: CaseStore) -> None:
    store.open(alert())

    assert set(TABLES["cases"].column_names) <= set(store.list()[0].to_json())


def test_erasing_leaves_a_tombstone_and_no_trace(store: CaseStore) -> None:
    store.open(
        [alert(), alert("other"), replace(alert("third"), reasons=({"note": f"same flat as {USER}"},))]
    )
    store.close("case-000002", "confirmed", "risk", DAY, f"paid by {USER}, says the bank")
    assert isinstance(store, Erasable)
    assert len(store.find(USER)) == 3

    assert store.erase(USER) == 3

    assert store.find(USER) == []
    assert store.erase(USER) == 0
    tombstone = store.show("case-000001")
    assert (tombstone.subject, tombstone.reasons, tombstone.rule) == ("erased", (), "repurchase")
    assert [line.action for line in tombstone.history] == ["opened", "erased"]
    assert store.labels().empty


def test_erased_person_is_not_left_in_the_files(tmp_path: Path) -> None:
    store = CaseStore(f"sqlite:///{tmp_path / 'mercer.db'}")
    store.open(alert())
    store.close("case-000001", "confirmed", "risk", DAY, f"paid by {USER}")
    store.erase(USER)

    assert [path.name for path in tmp_path.iterdir() if USER.encode() in path.read_bytes()] == []


def test_finding_a_person_does_not_find_longer_ids(store: CaseStore) -> None:
    store.open(replace(alert("other"), reasons=({"note": "user 12345 and user 7"},)))

    assert store.find("123") == []
    assert len(store.find("12345")) == 1


def test_opening_from_many_threads_opens_once(store: CaseStore) -> None:
    wanted = [alert(f"user-{number % 5}") for number in range(40)]
    with ThreadPoolExecutor(4) as pool:
        opened = list(pool.map(lambda new: store.open(new)[0], wanted))

    assert len(set(opened)) == 5
    assert len(store.list()) == 5


def test_sqlite_is_in_wal_mode(tmp_path: Path) -> None:
    CaseStore(f"sqlite:///{tmp_path / 'state' / 'mercer.db'}").dispose()
    with sqlite3.connect(tmp_path / "state" / "mercer.db") as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_unusable_urls_are_told_without_their_password(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="URL"):
        CaseStore("no url at all")
    with pytest.raises(OutputError) as told:
        CaseStore("postgresql+psycopg://mercer:hush@127.0.0.1:1/none")
    assert "hush" not in str(told.value)
