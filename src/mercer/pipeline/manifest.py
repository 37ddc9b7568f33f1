"""What a run records of itself: code, packages, hardware, costs, selections."""

from __future__ import annotations

import hashlib
import os
import platform
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import psutil

import mercer

PACKAGES = (
    "duckdb", "ibis-framework", "lightgbm", "numpy", "onnxruntime", "pandas", "pyarrow", "pydantic",
    "scikit-learn", "scipy", "tantivy", "tokenizers",
)  # fmt: skip


@cache
def code_hash(*rooms: str) -> str:
    """SHA-256 over the source of some rooms and of the contracts they all stand on."""
    root = Path(mercer.__file__).parent
    digest = hashlib.sha256()
    for room in sorted({*rooms, "contracts", "brief.py", "errors.py"}):
        place = root / room
        files = [place] if place.is_file() else sorted(p for p in place.rglob("*") if _is_source(p))
        for file in files:
            digest.update(str(file.relative_to(root)).encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()


def _is_source(path: Path) -> bool:
    return path.is_file() and "__pycache__" not in path.parts


@cache
def packages() -> dict[str, str]:
    """Versions of the libraries that results depend on."""
    found = {name: version_of(name) for name in PACKAGES}
    return {"python": platform.python_version(), **{name: one for name, one in found.items() if one}}


def version_of(name: str) -> str:
    """Version of an installed library; empty where it is not installed."""
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def hardware() -> dict[str, str | int | float]:
    """The machine, without its name."""
    return {
        "machine": platform.machine(),
        "system": platform.system(),
        "processors": len(os.sched_getaffinity(0))
        if hasattr(os, "sched_getaffinity")
        else os.cpu_count() or 1,
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
    }
