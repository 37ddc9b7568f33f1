"""Short keyed hashes that stand for people in findings, and the key files they need.

Whoever holds the key can find the person again by hashing the ids at hand (`resolve`); nobody else can. Key
files live outside every run folder and are readable by their owner alone.
"""

from __future__ import annotations

import hmac
import os
import secrets
from collections.abc import Iterable
from pathlib import Path

from mercer.errors import DamagedError, OutputError

LENGTH = 12
_KEY_BYTES = 32


class Pseudonyms:
    """Keyed pseudonyms: HMAC-SHA256 of an id, its first 12 hexadecimal digits behind `p:`."""

    __slots__ = ("_key",)

    def __init__(self, key: bytes) -> None:
        """Raises DamagedError for a key shorter than 16 bytes."""
        if len(key) < 16:
            raise DamagedError("A pseudonym key has fewer than 16 bytes.", remedy="Remove the key file.")
        self._key = key

    def of(self, external: object) -> str:
        """The pseudonym of one id."""
        return "p:" + hmac.digest(self._key, str(external).encode("utf-8"), "sha256").hex()[:LENGTH]

    def resolve(self, pseudonym: str, ids: Iterable[str]) -> list[str]:
        """Those of `ids` that the pseudonym stands for."""
        return [external for external in ids if self.of(external) == pseudonym]

    @classmethod
    def load(cls, folder: Path) -> Pseudonyms:
        """The pseudonyms of this installation; makes the key on first use."""
        return cls(key_file(folder, "pseudonyms.key"))


def key_file(folder: Path, name: str) -> bytes:
    """Read a secret of 32 bytes, or make it: created exclusively, mode 0600, in a folder of mode 0700.

    Raises OutputError when the folder can't be written, DamagedError when the file is not such a key.
    """
    path = folder / name
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_secret(path, secrets.token_bytes(_KEY_BYTES))
    except FileExistsError:
        pass
    except OSError as fault:
        raise OutputError(
            f"The key folder can't be written ({fault.strerror}).", remedy="Choose a folder you own."
        ) from fault
    key = path.read_bytes()
    if len(key) != _KEY_BYTES:
        raise DamagedError(f"{name} is not a key of {_KEY_BYTES} bytes.", remedy="Restore it from a backup.")
    return key


def write_secret(path: Path, content: bytes) -> None:
    """Create a file that only its owner can read, whole or not at all. Raises FileExistsError."""
    draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        os.link(draft, path)
    finally:
        draft.unlink()
