"""Finding and erasing a person in a folder tree: tables, quarantined rows and cases, file by file."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data.written import event, write
from mercer.data import FolderStore
from mercer.data.folder_store import PEOPLE
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


def test_a_release_holds_nobody_and_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "release").mkdir()
    (tmp_path / "release" / "items.parquet").write_bytes(b"signed")
    store = FolderStore(tmp_path, "run")
    assert store.find("ann") == []
    assert store.erase("ann") == 0


@pytest.mark.parametrize("folder", ["models", "fit"])
def test_models_may_keep_people_and_are_searched(tmp_path: Path, folder: str) -> None:
    place = tmp_path / folder / "next-item" / "user-knn"
    place.mkdir(parents=True)
    pq.write_table(pa.table({"user": ["ann", "bob"], "item": [1, 2]}), place / "people.parquet")
    (place / "weights.safetensors").write_bytes(b"weights")
    assert FolderStore(tmp_path, "run").erase("ann") == 1
    assert pq.read_table(place / "people.parquet")["user"].to_pylist() == ["bob"]


def test_a_file_that_cannot_be_read_is_no_proof_of_absence(tmp_path: Path) -> None:
    (tmp_path / "events.parquet").write_bytes(b"PAR1 half a file")
    with pytest.raises(DamagedError, match=r"events\.parquet can't be read, so nobody can tell"):
        FolderStore(tmp_path, "run").find("ann")


def ids(file: Path, name: str = "user") -> list[object]:
    found: list[object] = pq.read_table(file).column(name).to_pylist()
    return found


def test_every_place_is_told_by_file_and_count(tmp_path: Path) -> None:
    write(tmp_path / "data", "events", [event(f"e{n}", "ann", "tea", n) for n in range(3)])
    write(tmp_path / "data", "users", [{"user": "ann"}, {"user": "bob"}])
    (tmp_path / "cases.json").write_text(json.dumps([{"subject": "ann"}, {"subject": "bob"}]))
    store = FolderStore(tmp_path, "run")
    assert store.find("ann") == [
        "data/events.parquet: 3 rows",
        "data/users.parquet: 1 rows",
        "cases.json: 1 entries",
    ]
    assert store.erase("ann") == 5


@pytest.mark.parametrize("name", PEOPLE)
def test_every_column_of_people_is_searched_in_every_folder(tmp_path: Path, name: str) -> None:
    file = tmp_path / "deep" / "er" / "rows.parquet"
    file.parent.mkdir(parents=True)
    pq.write_table(pa.table({name: ["ann", "bob", " ann ", None], "n": [1, 2, 3, 4]}), file)
    assert FolderStore(tmp_path, "run").erase("ann") == 2
    assert ids(file, "n") == [2, 4]


def test_numbers_are_ids_too(tmp_path: Path) -> None:
    pq.write_table(pa.table({"user": [17850, 178, 17851]}), tmp_path / "rows.parquet")
    assert FolderStore(tmp_path, "run").erase("17850") == 1
    assert ids(tmp_path / "rows.parquet") == [178, 17851]


def test_a_row_that_names_a_person_twice_is_one_row(tmp_path: Path) -> None:
    pq.write_table(pa.table({"unit": ["ann"], "cluster": ["ann"]}), tmp_path / "rows.parquet")
    assert FolderStore(tmp_path, "run").erase("ann") == 1


@pytest.mark.parametrize("written_", [178501, 17850.5, "no 17850", "x17850", 1.785e9, True, None, [17850]])
def test_a_value_that_only_contains_the_id_is_somebody_else(tmp_path: Path, written_: object) -> None:
    store = quarantine(tmp_path, None, {"Customer": written_})
    assert store.find("17850") == []
    assert store.erase("17850") == 0


def test_a_quarantined_text_that_is_no_json_is_searched_as_it_is(tmp_path: Path) -> None:
    torn = pa.table({"user": pa.nulls(2, pa.string()), "content": ["ann,tea,half a li", "bob,tea"]})
    pq.write_table(torn, tmp_path / "q.parquet")
    assert FolderStore(tmp_path, "run").erase("ann") == 1
    assert ids(tmp_path / "q.parquet", "content") == ["bob,tea"]


@pytest.mark.parametrize("user", ["o'brien", 'say "hi"', "back\\slash", "a/b", "zo\u00eb"])
def test_ids_that_json_writes_differently_are_found(tmp_path: Path, user: str) -> None:
    text = json.dumps({"who": user}, ensure_ascii=False)
    rows = [text, text.replace("/", "\\/"), '{"who": "other"}']
    pq.write_table(pa.table({"user": pa.nulls(3, pa.string()), "content": rows}), tmp_path / "q.parquet")
    assert FolderStore(tmp_path, "run").erase(user) == 2


def test_cases_of_the_person_go_and_others_stay_in_order(tmp_path: Path) -> None:
    file = tmp_path / "reports" / "cases.json"
    file.parent.mkdir()
    entries = [{"case": n, "subject": who} for n, who in enumerate(["bob", "ann", "cas", "ann"])]
    file.write_text(json.dumps(entries))
    store = FolderStore(tmp_path, "run")
    assert store.erase("ann") == 2
    assert json.loads(file.read_text()) == [entries[0], entries[2]]
    assert [change.path for change in store.changes] == ["reports/cases.json"]


def test_other_json_files_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "settings.json").write_text('[{"subject": "ann"}]')
    assert FolderStore(tmp_path, "run").erase("ann") == 0
    assert (tmp_path / "settings.json").read_text() == '[{"subject": "ann"}]'


@pytest.mark.parametrize("folder", ["release", "encoders", "simulate"])
def test_not_a_byte_changes_below_a_folder_that_is_not_searched(tmp_path: Path, folder: str) -> None:
    for place in (tmp_path / folder, tmp_path / "runs" / folder / "deep"):
        write(place, "events", [event("e1", "ann", "tea", 1)])
    before = {path: path.read_bytes() for path in tmp_path.rglob("*.parquet")}
    assert FolderStore(tmp_path, "run").erase("ann") == 0
    assert {path: path.read_bytes() for path in before} == before
    assert len(before) == 2
    # The store's own folder may be called so: only what lies below it counts.
    assert FolderStore(tmp_path / folder, "run").erase("ann") == 1


def test_finding_changes_nothing(tmp_path: Path) -> None:
    write(tmp_path, "events", [event("e1", "ann", "tea", 1)])
    before = (tmp_path / "events.parquet").read_bytes()
    store = FolderStore(tmp_path, "run")
    assert store.find("ann")
    assert store.changes == []
    assert (tmp_path / "events.parquet").read_bytes() == before


def test_the_table_keeps_its_columns_types_and_other_rows(tmp_path: Path) -> None:
    rows = [event(f"e{n}", who, "tea", n, quantity=1.5) for n, who in enumerate(["bob", "ann", "cas"])]
    write(tmp_path, "events", rows)
    before = pq.read_table(tmp_path / "events.parquet")
    FolderStore(tmp_path, "run").erase("ann")
    assert pq.read_table(tmp_path / "events.parquet").equals(before.take([0, 2]))


def test_a_crash_while_writing_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, "events", [event("e1", "ann", "tea", 1), event("e2", "bob", "tea", 1)])
    file = tmp_path / "events.parquet"
    old = file.read_bytes()

    def half(table: pa.Table, where: Path) -> None:
        where.write_bytes(b"PAR1 and then the machine stopped")
        raise OSError("stopped")

    store = FolderStore(tmp_path, "run")
    with monkeypatch.context() as broken:
        broken.setattr(pq, "write_table", half)
        with pytest.raises(OSError, match="stopped"):
            store.erase("ann")
    assert file.read_bytes() == old
    assert store.changes == []
    assert store.erase("ann") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["events.parquet"]


def test_a_damaged_file_stops_erasing_too_and_names_nobody(tmp_path: Path) -> None:
    write(tmp_path, "events", [event("e1", "ann", "tea", 1)])
    (tmp_path / "users.parquet").write_bytes(b"PAR1 damaged")
    with pytest.raises(DamagedError, match=r"users\.parquet") as caught:
        FolderStore(tmp_path, "run").erase("ann")
    assert "ann" not in str(caught.value)


def test_a_folder_that_is_not_there_holds_nobody(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "gone", "run")
    assert store.find("ann") == []
    assert store.erase("ann") == 0
