from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mercer.data import FolderStore
from mercer.errors import DamagedError
from mercer.testing.stores import ErasableContract

from .made import EVENT, brief_of, clean, written


class TestFolderStoreContract(ErasableContract):
    @pytest.fixture
    def files(self, tmp_path: Path) -> Path:
        return tmp_path / "run"

    @pytest.fixture
    def store(self, files: Path) -> FolderStore:
        """A run's folder as cleaning, scoring and cases leave it."""
        sources = files.parent / "sources"
        sources.mkdir()
        people = [self.user, self.other, None]
        rows = [
            {**EVENT, "event": f"{user}-{at}" if at else f"e{place}", "user": user, "quantity": 1 - at}
            for place, user in enumerate(people)
            for at in range(2)
        ]
        clean(brief_of({"events": {"source": written(sources, "log", rows)}}), sources, files / "data")
        (files / "scores").mkdir()
        for column in ("unit", "cluster", "entity", "payer", "subject"):
            table = pa.table({column: people, "value": [1.0, 2.0, 3.0]})
            pq.write_table(table, files / "scores" / f"{column}.parquet")
        coded = pa.table({"user": pa.array(people).dictionary_encode()})
        pq.write_table(coded, files / "scores" / "coded.parquet")
        cases = [{"case": "1", "subject": self.user}, {"case": "2", "subject": self.other}]
        (files / "cases.json").write_text(json.dumps(cases))
        return FolderStore(files, "run folder")


def quarantine(folder: Path, user: str | None, content: dict[str, object]) -> FolderStore:
    table = pa.table({"row": [0], "user": pa.array([user], pa.string()), "content": [json.dumps(content)]})
    pq.write_table(table, folder / "q.parquet")
    return FolderStore(folder, "run")


def test_a_source_row_is_searched_where_quarantine_tells_no_user(tmp_path: Path) -> None:
    for content in (
        {"CustomerID": 17850.0},
        {"CustomerID": " 17850 "},
        {"CustomerID": "17850", "Quantity": None},
    ):
        assert quarantine(tmp_path, None, content).erase("17850") == 1
    assert quarantine(tmp_path, None, {"CustomerID": "178501"}).erase("17850") == 0
    assert quarantine(tmp_path, None, {"CustomerID": "a/b"}).erase("a/b") == 1


def test_another_persons_row_that_holds_the_number_by_chance_stays(tmp_path: Path) -> None:
    assert quarantine(tmp_path, "17851", {"CustomerID": 17851, "Quantity": 17850}).erase("17850") == 0


def test_every_changed_file_is_told_with_its_hashes(tmp_path: Path) -> None:
    store = quarantine(tmp_path, "ann", {})
    pq.write_table(pa.table({"user": ["bob"]}), tmp_path / "other.parquet")
    before = sha256((tmp_path / "q.parquet").read_bytes()).hexdigest()
    store.erase("ann")
    (change,) = store.changes
    assert (change.path, change.before) == ("q.parquet", before)
    assert change.after == sha256((tmp_path / "q.parquet").read_bytes()).hexdigest()


def test_releases_and_models_hold_nobody_and_are_not_touched(tmp_path: Path) -> None:
    for name in ("release", "models"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "items.parquet").write_bytes(b"signed")
    store = FolderStore(tmp_path, "run")
    assert store.find("ann") == []
    assert store.erase("ann") == 0


def test_a_file_that_cannot_be_read_is_no_proof_of_absence(tmp_path: Path) -> None:
    (tmp_path / "events.parquet").write_bytes(b"PAR1 half a file")
    with pytest.raises(DamagedError, match=r"events\.parquet can't be read, so nobody can tell"):
        FolderStore(tmp_path, "run").find("ann")
