"""The list of people who were forgotten: keyed hashes of their ids, applied at every later ingest."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from mercer.errors import DamagedError, OutputError


class SuppressionList:
    """HMAC-SHA256 of forgotten ids in `folder/suppression.txt`, keyed by `folder/suppression.key` (mode 0600).

    Without the key the list says nothing of whom it holds; with it only whether a given id is on it.
    """

    def __init__(self, folder: Path) -> None:
        self.file = folder / "suppression.txt"
        self.key_file = folder / "suppression.key"

    def add(self, user: str) -> None:
        """Put an id on the list, flushed to disk; adding it again changes nothing.

        Raises OutputError when the folder can't be written, DamagedError when the list's key is gone.
        """
        try:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            mark = self._mark(user, self._key(create=True))
            if mark in self._marks():
                return
            # A crash may have left half a line: it stays a line of its own.
            torn = self.file.is_file() and not self.file.read_bytes().endswith(b"\n")
            with self.file.open("a", encoding="ascii") as handle:
                handle.write("\n" * torn + mark + "\n")
                handle.flush()
                os.fsync(handle.fileno())
        except OSError as fault:
            raise OutputError(
                f"The suppression list can't be written ({fault.strerror}).", remedy="Set MERCER_CACHE."
            ) from fault

    def contains(self, ids: Sequence[str]) -> npt.NDArray[np.bool_]:
        """Which ids are on the list, shape (len(ids),). Raises DamagedError when the list's key is gone."""
        marks = self._marks()
        if not marks:
            return np.zeros(len(ids), bool)
        key = self._key(create=False)
        return np.fromiter((self._mark(one, key) in marks for one in ids), bool, len(ids))

    def state(self) -> str:
        """A hash that changes when the list does; part of what the data step depends on."""
        return hashlib.sha256("\n".join(sorted(self._marks())).encode()).hexdigest()

    def _marks(self) -> frozenset[str]:
        if not self.file.is_file():
            return frozenset()
        return frozenset(self.file.read_text("ascii").split())

    def _key(self, *, create: bool) -> bytes:
        if not self.key_file.exists() and self._marks():
            raise DamagedError(
                "The suppression list's key is gone: nobody can tell who is on it.",
                remedy="Put suppression.key back, or forget everyone on the list again under a new list.",
            )
        if create and not self.key_file.exists():
            handle = os.open(self.key_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "wb") as stream:
                stream.write(secrets.token_bytes(32))
        return self.key_file.read_bytes()

    @staticmethod
    def _mark(user: str, key: bytes) -> str:
        return hmac.new(key, user.strip().encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()
