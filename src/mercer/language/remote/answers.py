"""Answers kept on disk by the content of their questions: the same question costs nothing twice.

    FOLDER/KEY[:2]/KEY.json   KEY: SHA-256 of server, model as reported, messages, parameters and schema

An entry holds the answer, never the question. An answer can repeat personal data of its prompt, so an entry also
holds the keyed hashes of the people it was asked about: by them it is found and erased.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from mercer.errors import DamagedError, OutputError, UsageError
from mercer.language.remote.files import write_whole

Mark = Callable[[str], str]
"""A person's id -> keyed hash, such as `mercer.compliance.pseudonyms.Pseudonyms.of`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """An answer as it is kept."""

    text: str
    finish_reason: str
    tokens_in: int
    tokens_out: int
    fingerprint: str
    structured: str


class RemoteAnswers:
    """The cache of answers; any number of processes may share its folder. An Erasable.

    Stability: caller stable.
    """

    store = "remote-answers"

    def __init__(self, folder: Path, mark: Mark | None = None) -> None:
        """mark: the keyed hash of a person's id; without it no question about people can be kept."""
        self.folder = folder
        self._mark = mark

    def marks(self, subjects: Iterable[str]) -> list[str]:
        """The keyed hashes of people. Raises UsageError for people where no `mark` was given."""
        people = sorted(set(subjects))
        if people and self._mark is None:
            raise UsageError(
                "A question about people can't be kept without a keyed hash of their ids.",
                remedy="Give `mark`, such as Pseudonyms.load(folder).of, or switch the cache off.",
            )
        return sorted(self._mark(person) for person in people) if self._mark else []

    def get(self, key: str, marks: Iterable[str] = ()) -> Kept | None:
        """The answer under `key`, or None; people that its entry does not name yet are added.

        Raises DamagedError for an entry that is not as it was written.
        """
        entry = self._read(self._path(key))
        if entry is None:
            return None
        answer, subjects = entry
        if not set(marks) <= set(subjects):
            self.put(key, answer, marks)
        return answer

    def put(self, key: str, answer: Kept, marks: Iterable[str] = ()) -> None:
        """Keep an answer, whole or not at all. Raises OutputError when the folder can't be written."""
        path = self._path(key)
        with self._alone():
            known = self._read(path)
            subjects = sorted({*marks, *(known[1] if known else ())})
            answered = asdict(answer)
            # The people come first: a draft that was cut before them holds no answer either.
            content = {"schema": 1, "subjects": subjects, "hash": _hash(answered), "answer": answered}
            path.parent.mkdir(mode=0o700, exist_ok=True)
            write_whole(path, json.dumps(content).encode("ascii"))

    def find(self, user: str) -> list[str]:
        """The entries about a person, one line each."""
        return [f"remote answer {path.name}" for path in self._about(user)]

    def erase(self, user: str) -> int:
        """Remove every entry about a person; returns how many. Drafts of killed processes go too."""
        with self._alone():
            found = list(self._about(user))
            for path in found:
                path.unlink(missing_ok=True)
            for draft in self.folder.glob("*/*.draft"):
                # Whoever writes holds the lock, so nobody alive is writing this one.
                draft.unlink(missing_ok=True)
        return len(found)

    def _about(self, user: str) -> Iterator[Path]:
        (mark,) = self.marks([user])
        wanted = json.dumps(mark).encode("ascii")
        for path in sorted(self.folder.glob("*/*")):
            # By the bytes: a draft that was cut is no JSON.
            with suppress(FileNotFoundError):
                if wanted in path.read_bytes():
                    yield path

    def _path(self, key: str) -> Path:
        return self.folder / key[:2] / f"{key}.json"

    def _read(self, path: Path) -> tuple[Kept, list[str]] | None:
        try:
            content = json.loads(path.read_bytes())
            answer = Kept(**content["answer"])
            whole = content["hash"] == _hash(asdict(answer))
            subjects = [str(one) for one in content["subjects"]]
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError):
            whole = False
        if not whole:
            raise DamagedError(
                f"The kept answer {path.name} is not as it was written.",
                remedy="Remove it; it is asked again.",
            )
        return answer, subjects

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One writer at a time, over threads and processes: two that add people must not lose one."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            handle = os.open(self.folder / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX)
                yield
            finally:
                os.close(handle)
        except OSError as fault:
            raise OutputError(
                f"The folder of kept answers can't be written ({fault.strerror}).", remedy="Set MERCER_CACHE."
            ) from None


def _hash(answer: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(answer, sort_keys=True).encode("ascii")).hexdigest()
