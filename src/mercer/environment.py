"""The only module that reads environment variables.

MERCER_CACHE   where steps, encoders and the ledgers live (default: ~/.cache/mercer)
MERCER_ENCODERS where exported text encoders live (default: the cache's folder `encoders`)
MERCER_THREADS threads for fits (default: the number of usable processors)
MERCER_DEBUG   when set, a fault shows its traceback
"""

from __future__ import annotations

import os
from pathlib import Path


def cache_folder() -> Path:
    """The cache folder; created on first use by whoever writes there."""
    return Path(os.environ.get("MERCER_CACHE") or Path.home() / ".cache" / "mercer").expanduser()


def encoder_folder() -> Path:
    """Where exported text encoders live."""
    chosen = os.environ.get("MERCER_ENCODERS")
    return Path(chosen).expanduser() if chosen else cache_folder() / "encoders"


def threads() -> int:
    """Threads a fit may use, at least 1."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, int(os.environ.get("MERCER_THREADS") or usable))


def debug() -> bool:
    """Whether a fault shows its traceback."""
    return bool(os.environ.get("MERCER_DEBUG"))
