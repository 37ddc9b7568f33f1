"""Files of the remote client: whole or not there at all, readable by their owner alone."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from mercer.errors import DamagedError

KEY_BYTES = 32


def write_whole(path: Path, content: bytes, *, keep: bool = False) -> None:
    """Write a file at once, mode 0600. A process killed on the way leaves `path` as it was, and a draft.

    keep: leave a file that is there already. Raises OSError.
    """
    draft = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}.draft")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        if keep:
            os.link(draft, path)
        else:
            draft.replace(path)
    except FileExistsError:
        pass
    finally:
        draft.unlink(missing_ok=True)


def secret(path: Path) -> bytes:
    """The 32 random bytes in `path`, made on first use. Raises OSError; DamagedError for another content."""
    if not path.exists():
        write_whole(path, secrets.token_bytes(KEY_BYTES), keep=True)
    key = path.read_bytes()
    if len(key) != KEY_BYTES:
        raise DamagedError(f"{path.name} is not a key of {KEY_BYTES} bytes.", remedy="Remove it.")
    return key
