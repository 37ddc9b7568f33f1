from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy.exc import IntegrityError

from mercer.errors import DamagedError, MercerError, UsageError
from mercer.serving.state import Database
from mercer.serving.state.schema import meta


def test_sqlite_keeps_a_write_ahead_log_and_overwrites_what_is_deleted(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/deep/er/mercer.db")
    with database.read() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA secure_delete").scalar() == 1


def test_a_failed_transaction_leaves_nothing(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/mercer.db")

    def fail() -> None:
        with database.write() as connection:
            connection.execute(meta.insert(), {"name": "a", "value": "b"})
            connection.execute(meta.insert(), {"name": "a", "value": "again"})

    with pytest.raises(IntegrityError):
        fail()
    with database.read() as connection:
        assert connection.execute(meta.select().where(meta.c.name == "a")).first() is None


def test_another_schema_is_refused(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/mercer.db"
    with Database(url).write() as connection:
        connection.execute(meta.update().values(value="9"))
    with pytest.raises(DamagedError, match="schema 9"):
        Database(url)


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mercer.db").write_text("this is a text of some length, and no database at all" * 30)
    with pytest.raises(DamagedError, match="no database"):
        Database(f"sqlite:///{tmp_path}/mercer.db")


def test_a_url_that_is_none_is_refused() -> None:
    with pytest.raises(UsageError, match="state URL"):
        Database("not a url")


def test_a_folder_that_cannot_be_made_is_an_error_of_ours(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(MercerError, match="can't be"):
        Database(f"sqlite:///{tmp_path}/file/mercer.db")
