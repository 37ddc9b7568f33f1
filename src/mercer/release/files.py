"""Which files a release may hold: hashes, and the refusal of formats that could run code when read.

Weights are safetensors, NumPy arrays without objects, or a library's own text or index files. Pickles are
refused by name and by content.
"""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path

import numpy as np

from mercer.errors import UnsupportedError

_CHUNK = 1 << 20
_SAFE = frozenset(
    {
        ".safetensors", ".json", ".jsonl", ".yaml", ".yml", ".txt", ".md", ".csv", ".html", ".npy",
        ".parquet", ".onnx", ".svg", ".png",
        # tantivy's segment files
        ".idx", ".pos", ".term", ".store", ".fieldnorm", ".fast", ".del",
    }
)  # fmt: skip
_PICKLE_PROTOCOLS = frozenset({2, 3, 4, 5})


def sha256(path: Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as handle:
        while chunk := handle.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def is_lock(path: Path) -> bool:
    """An empty lock file that an index leaves in its folder when opened; it carries nothing."""
    return path.suffix == ".lock" and path.is_file() and path.stat().st_size == 0


def listed(folder: Path) -> list[Path]:
    """Every file and link under `folder`, sorted, without empty lock files."""
    return sorted(path for path in folder.rglob("*") if not path.is_dir() and not is_lock(path))


def refuse_unsafe(path: Path) -> None:
    """Raise UnsupportedError when reading `path` could run code, or its format is not known to be safe."""
    if path.is_symlink():
        raise UnsupportedError(
            f"{path.name} is a link; a release holds plain files.", remedy="Copy the file itself."
        )
    if path.suffix not in _SAFE:
        raise UnsupportedError(
            f"{path.name}: files of this kind can't be part of a release.",
            remedy=f"Save weights as safetensors or as safe text ({', '.join(sorted(_SAFE))}).",
        )
    if _is_pickle(path):
        raise UnsupportedError(
            f"{path.name} holds a pickle, which runs code when it is read.",
            remedy="Save weights as safetensors or as the library's own text format.",
        )


def _is_pickle(path: Path) -> bool:
    with path.open("rb") as handle:
        start = handle.read(8)
        if path.suffix == ".npy":
            return _has_objects(path)
    if len(start) >= 2 and start[0] == 0x80 and start[1] in _PICKLE_PROTOCOLS:
        # A safetensors file starts with the length of its header, which may look like a pickle's first bytes.
        return path.suffix != ".safetensors" or not _is_safetensors(path)
    return start.startswith(b"PK") and zipfile.is_zipfile(path)


def _has_objects(path: Path) -> bool:
    try:
        np.load(path, mmap_mode="r", allow_pickle=False)
    except ValueError:
        return True
    return False


def _is_safetensors(path: Path) -> bool:
    with path.open("rb") as handle:
        length = int.from_bytes(handle.read(8), "little")
        return length < path.stat().st_size and handle.read(1) == b"{"
