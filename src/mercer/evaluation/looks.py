"""The ledger of test looks: one line for every scoring of a test set, outside every run folder.

A test set that was looked at often selects by itself; the page prints the count. Append-only JSON lines.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from mercer.environment import cache_folder
from mercer.errors import OutputError


class TestLooks:
    """The ledger at `path` (default: test-looks.jsonl in the cache).

    A key is the hash of a data set and its split, so another output folder does not start anew.
    """

    __test__ = False  # the name is the domain's word, not a test class for pytest to collect

    def __init__(self, path: Path | None = None) -> None:
        self.path = cache_folder() / "test-looks.jsonl" if path is None else path

    def add(self, key: str, *, at: datetime, **facts: Any) -> int:
        """Append a look, flushed to disk, and return the count of the key.

        at: when, with a zone. facts: plain values such as target, model, run; no personal data.
        Raises OutputError when the ledger can't be written.
        """
        line = json.dumps({"key": key, "at": at.isoformat(), **facts}, ensure_ascii=False, sort_keys=True)
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("a+b") as ledger:
                fcntl.flock(ledger, fcntl.LOCK_EX)
                ledger.write(_mend(ledger) + line.encode() + b"\n")
                ledger.flush()
                os.fsync(ledger.fileno())
        except OSError as fault:
            raise OutputError(
                f"The ledger of test looks can't be written ({fault.strerror}).",
                remedy="Give a writable cache folder in MERCER_CACHE.",
            ) from fault
        return self.count(key)

    def count(self, key: str) -> int:
        """How often the key was looked at."""
        return sum(look["key"] == key for look in self.looks())

    def looks(self) -> Iterator[Mapping[str, Any]]:
        """Every whole line, oldest first; a line torn by a crash is skipped."""
        if not self.path.is_file():
            return
        with self.path.open("rb") as ledger:
            for line in ledger:
                try:
                    look = json.loads(line)
                except ValueError:
                    continue
                if isinstance(look, dict) and "key" in look:
                    yield look


def _mend(ledger: Any) -> bytes:
    """A line feed where the last line was torn, so that the next one stands alone."""
    if ledger.seek(0, os.SEEK_END) == 0:
        return b""
    ledger.seek(-1, os.SEEK_END)
    return b"" if ledger.read(1) == b"\n" else b"\n"
