"""The record of what was sent where: a line of JSON per call, only ever appended.

It holds no text, no person and no key. A prompt stands in it as a keyed hash: whoever has the prompt and the key
file beside the record can prove that it was sent, and nobody can guess it from the record alone.
"""

from __future__ import annotations

import hmac
import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

from mercer.errors import OutputError
from mercer.language.remote.files import secret

Outcome = Literal["answered", "kept", "failed", "invalid", "spent", "refused", "interrupted"]


@dataclass(slots=True, kw_only=True)
class Record:
    """One call.

    time: when it ended, UTC. model: as the server reported it, None before it did. prompt: keyed hash. schema_hash:
    SHA-256 of the JSON schema, None without one. structured: who held the answer to the schema (server, asked, none).
    tokens_assumed: those among tokens_in and tokens_out that the server did not report and that were booked at the
    worst case. money: None where no price is given. faults: what went wrong in each attempt that failed.
    """

    schema: int = 1
    time: str = ""
    host: str
    model_asked: str
    model: str | None = None
    system_fingerprint: str | None = None
    prompt: str = ""
    schema_hash: str | None = None
    structured: Literal["none", "server", "asked"] = "none"
    permission: str
    purpose: str
    attempts: int = 0
    faults: list[str] = field(default_factory=list)
    tokens_in: int = 0
    tokens_out: int = 0
    tokens_assumed: int = 0
    money: float | None = None
    outcome: Outcome = "interrupted"


class AuditLog:
    """`audit.jsonl` in a folder, and `audit.key` beside it, both readable by their owner alone."""

    def __init__(self, folder: Path) -> None:
        """Raises OutputError when the folder can't be written: without a record nothing is sent."""
        self.path = folder / "audit.jsonl"
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._key = secret(folder / "audit.key")
            self._append(b"")
        except OSError as fault:
            raise _unwritable(fault) from None

    def hash(self, text: str) -> str:
        """The keyed hash of a prompt."""
        return hmac.digest(self._key, text.encode("utf-8"), "sha256").hex()

    def write(self, record: Record) -> None:
        """Append a line, flushed to disk. Raises OutputError."""
        try:
            self._append(json.dumps(asdict(record)).encode("ascii") + b"\n")
        except OSError as fault:
            raise _unwritable(fault) from None

    def _append(self, line: bytes) -> None:
        handle = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            end = os.fstat(handle).st_size
            # A killed process may have left half a line: it stays a line of its own.
            torn = end > 0 and os.pread(handle, 1, end - 1) != b"\n"
            if line or torn:
                os.write(handle, b"\n" * torn + line)
                os.fsync(handle)
        finally:
            os.close(handle)


def _unwritable(fault: OSError) -> OutputError:
    return OutputError(
        f"The audit record can't be written ({fault.strerror}), so nothing is sent.",
        remedy="Choose a folder you can write: option `folder`, or MERCER_CACHE.",
    )
