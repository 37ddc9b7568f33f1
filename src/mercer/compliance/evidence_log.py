"""The evidence log: append-only lines, each holding the hash of the one before, each signed.

A line can't be edited, taken out or moved without breaking the chain, nor written anew without the private
key. Lines cut off at the end would leave a whole chain, so a signed head (how many lines, which last hash)
is kept in the key folder, outside the run. Keys: Ed25519, the private one readable by its owner alone.
"""

from __future__ import annotations

import base64
import fcntl
import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from mercer.compliance.case_records import to_micros
from mercer.compliance.gates.base import instant
from mercer.compliance.pseudonyms import key_file
from mercer.errors import DamagedError, OutputError

SCHEMA = 1
GENESIS = "0" * 64
PRIVATE_KEY = "evidence-signing.key"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line. at: when it was written, UTC. content: JSON-able, without personal data."""

    number: int
    at: str
    kind: str
    content: Mapping[str, Any]
    previous: str
    hash: str
    signature: str
    key: str


class EvidenceLog:
    """An append-only log at `path`. Stability: callers stable; the line format carries its schema number."""

    def __init__(self, path: Path, key_folder: Path) -> None:
        """Nothing is written yet. key_folder: outside the run; keys and heads live there."""
        self.path = path
        self.key_folder = key_folder

    def append(self, content: Mapping[str, Any], at: datetime | int, kind: str = "run") -> Entry:
        """Add one signed line and force it to disk. at: UTC, or int64 microseconds.

        A line that a crash left half written is taken away first. Raises DamagedError when the log that is
        there does not verify, OutputError when it can't be written.
        """
        private = self._private_key()
        with self._locked() as stream:
            held = stream.read()
            whole = held.rfind(b"\n") + 1
            lines = [_parse(number, text) for number, text in enumerate(self._split(held[:whole]))]
            entries = self._verified(lines, None)
            # Only now: a half line may be the remains of one that the head knows, and then it is evidence.
            stream.truncate(whole)
            previous = entries[-1].hash if entries else GENESIS
            body = {
                "schema": SCHEMA,
                "number": len(entries),
                "at": instant(to_micros(at)),
                "kind": kind,
                "content": dict(content),
                "previous": previous,
                "key": _fingerprint(private.public_key()),
            }
            digest = _digest(body)
            signature = base64.b64encode(private.sign(digest.encode("ascii"))).decode("ascii")
            line = {**body, "hash": digest, "signature": signature}
            stream.seek(0, os.SEEK_END)
            stream.write((_canonical(line) + "\n").encode("utf-8"))
            stream.flush()
            os.fsync(stream.fileno())
            first = entries[0].hash if entries else digest
            self._write_head(first, len(entries) + 1, digest, private)
        return _entry(line)

    def last_facts(self) -> Mapping[str, Any] | None:
        """Content of the last line, after verifying all of them; None for a log that is not there yet."""
        entries = self.verify()
        return entries[-1].content if entries else None

    def entries(self) -> list[Entry]:
        """Every line, unverified. Raises DamagedError when a line is no entry."""
        return [_entry(_parse(number, text)) for number, text in enumerate(self._lines())]

    def verify(self, public_key: bytes | None = None) -> list[Entry]:
        """Check hashes, chain, signatures and the head; returns the entries.

        public_key: 32 raw bytes, to verify elsewhere; left out: the key folder's own, and then the head too.
        Raises DamagedError naming the first line that is wrong and why.
        """
        lines = [_parse(number, text) for number, text in enumerate(self._lines())]
        if not lines and self.path.exists():
            raise _damaged(0, "every line was taken away")
        return self._verified(lines, public_key)

    def _verified(self, lines: list[dict[str, Any]], public_key: bytes | None) -> list[Entry]:
        own = public_key is None
        public = self._public_key() if public_key is None else Ed25519PublicKey.from_public_bytes(public_key)
        previous = GENESIS
        for number, line in enumerate(lines):
            _check_line(number, line, previous, public)
            previous = str(line["hash"])
        if own and lines:
            self._check_head(str(lines[0]["hash"]), [str(line["hash"]) for line in lines])
        return [_entry(line) for line in lines]

    def foreign_key(self) -> str | None:
        """Fingerprint of the key that the log names when it is not this key folder's; else None.

        Such a log can't be continued here; `verify` with that key's public half still can check it.
        """
        entries = self.entries()
        own = _fingerprint(self._public_key())
        return entries[0].key if entries and entries[0].key != own else None

    @property
    def public_key(self) -> bytes:
        """The 32 raw bytes that others verify with. Made with the private key on first use."""
        return self._private_key().public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)

    def _private_key(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(key_file(self.key_folder, PRIVATE_KEY))

    def _public_key(self) -> Ed25519PublicKey:
        return self._private_key().public_key()

    def _lines(self) -> list[str]:
        try:
            return self._split(self.path.read_bytes())
        except FileNotFoundError:
            return []

    def _split(self, content: bytes) -> list[str]:
        try:
            text = content.decode("utf-8")
        except UnicodeDecodeError as fault:
            raise DamagedError(f"{self.path.name} can't be read as text.") from fault
        if text and not text.endswith("\n"):
            raise _damaged(text.count("\n"), "it is cut off")
        # Not splitlines: a JSON text may hold other characters that it takes for line ends.
        return text.split("\n")[:-1]

    @contextmanager
    def _locked(self) -> Iterator[IO[bytes]]:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as fault:
            raise OutputError(f"{self.path.name} can't be written ({fault.strerror}).") from fault
        with os.fdopen(handle, "r+b") as stream:
            fcntl.flock(stream, fcntl.LOCK_EX)
            yield stream

    def _head_path(self, first: str) -> Path:
        return self.key_folder / "evidence-heads" / f"{first}.json"

    def _write_head(self, first: str, count: int, last: str, private: Ed25519PrivateKey) -> None:
        signature = base64.b64encode(private.sign(f"{first} {count} {last}".encode("ascii"))).decode("ascii")
        head = {"first": first, "count": count, "last": last, "signature": signature}
        path = self._head_path(first)
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = path.with_suffix(".draft")
        with draft.open("w", encoding="utf-8") as stream:
            stream.write(_canonical(head))
            stream.flush()
            os.fsync(stream.fileno())
        draft.replace(path)

    def _check_head(self, first: str, hashes: list[str]) -> None:
        path = self._head_path(first)
        if not path.exists():
            if len(hashes) == 1:
                return  # a crash between the first line and its head
            raise _damaged(0, "the key folder knows no log that begins so")
        try:
            head = json.loads(path.read_text("utf-8"))
            signed = f"{first} {head['count']} {head['last']}".encode("ascii")
            self._public_key().verify(base64.b64decode(head["signature"]), signed)
            count = int(head["count"])
        except (InvalidSignature, ValueError, KeyError) as fault:
            raise DamagedError(
                "The head of the evidence log is not what was signed.", remedy="Restore the key folder."
            ) from fault
        # A crash between line and head leaves the log one signed line ahead, which is whole.
        if len(hashes) < count:
            raise _damaged(len(hashes), f"{count - len(hashes)} lines were cut off at the end")
        if hashes[count - 1] != head["last"]:
            raise _damaged(count - 1, "it is not the line that was written last")


def _check_line(number: int, line: Mapping[str, Any], previous: str, public: Ed25519PublicKey) -> None:
    if line.get("schema") != SCHEMA:
        raise _damaged(number, f"it has schema {line.get('schema')!r}")
    if line["number"] != number:
        raise _damaged(number, f"it is numbered {line['number']}")
    if line["previous"] != previous:
        raise _damaged(number, "it does not follow the line before it")
    body = {name: value for name, value in line.items() if name not in ("hash", "signature")}
    if _digest(body) != line["hash"]:
        raise _damaged(number, "its content is not what was hashed")
    try:
        public.verify(base64.b64decode(line["signature"]), str(line["hash"]).encode("ascii"))
    except (InvalidSignature, ValueError) as fault:
        raise _damaged(number, "its signature is wrong") from fault


def _parse(number: int, text: str) -> dict[str, Any]:
    try:
        line = json.loads(text)
    except ValueError as fault:
        raise _damaged(number, "it is no JSON") from fault
    fields = {"schema", "number", "at", "kind", "content", "previous", "key", "hash", "signature"}
    if not isinstance(line, dict) or set(line) != fields:
        raise _damaged(number, "it has not the fields of an entry")
    return line


def _entry(line: Mapping[str, Any]) -> Entry:
    return Entry(**{name: value for name, value in line.items() if name != "schema"})


def _damaged(number: int, why: str) -> DamagedError:
    return DamagedError(
        f"The evidence log is not as it was written: line {number + 1}, {why}.",
        remedy="Trust nothing after that line; compare with a copy kept elsewhere.",
    )


def _canonical(content: Mapping[str, Any]) -> str:
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def _digest(content: Mapping[str, Any]) -> str:
    return hashlib.sha256(_canonical(content).encode("utf-8")).hexdigest()


def _fingerprint(public: Ed25519PublicKey) -> str:
    return hashlib.sha256(public.public_bytes(Encoding.Raw, PublicFormat.Raw)).hexdigest()[:16]
