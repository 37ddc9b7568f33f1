"""The files of one checkpoint: tensors in the safetensors format, the rest in JSON, all on the disk when written."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

MANIFEST = "manifest.json"
STATE = "state.json"
SCHEMA = 1
WORK = ".writing-"
"""How the name of a folder begins that is being written."""


def write(
    place: Path,
    state: Mapping[str, Any],
    tensors: Mapping[str, Mapping[str, torch.Tensor]],
    identity: Mapping[str, Any],
) -> None:
    """Write the files of a checkpoint into an empty folder and flush them, the manifest last."""
    from safetensors.torch import save_file

    for name, group in tensors.items():
        path = place / f"{name}.safetensors"
        save_file({key: one.detach().contiguous().cpu() for key, one in group.items()}, path)
        flush(path)
    _write_json(place / STATE, state)
    files = {path.name: file_hash(path) for path in sorted(place.iterdir())}
    _write_json(place / MANIFEST, {"schema": SCHEMA, "identity": identity, "files": files})
    flush(place)


def flush(path: Path) -> None:
    """Have a file or folder on the disk before going on."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def file_hash(path: Path) -> str:
    """SHA-256 of a file's bytes."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def digest(root: Path, places: Iterable[Path]) -> bytes:
    """SHA-256, 32 bytes, over names below `root` and contents of those places that are files, in their order."""
    total = hashlib.sha256()
    for path in places:
        if path.is_file():
            total.update(f"{path.relative_to(root).as_posix()}\0".encode())
            total.update(bytes.fromhex(file_hash(path)))
    return total.digest()


def _write_json(path: Path, content: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(content), "utf-8")
    flush(path)
