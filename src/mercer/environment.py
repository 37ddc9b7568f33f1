"""The only module that reads environment variables.

MERCER_CACHE   where steps, encoders and the ledgers live (default: ~/.cache/mercer)
MERCER_ENCODERS where exported text encoders live (default: the cache's folder `encoders`)
MERCER_MODELS  where imported language models live (default: the cache's folder `models`)
MERCER_THREADS threads for fits (default: the number of usable processors)
MERCER_DEVICE  where neural models are trained: cpu, cuda, cuda:1 or auto (default: cpu)
MERCER_PRECISION fp32 or bf16 (default: fp32)
MERCER_PRICE_PER_HOUR what an hour of this machine costs, in any unit of money (default: not known)
MERCER_DEBUG   when set, a fault shows its traceback
RANK, LOCAL_RANK, WORLD_SIZE: set by torchrun for each of its processes
and those that a brief names as ${NAME} in a database URL
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from mercer.errors import UsageError


def cache_folder() -> Path:
    """The cache folder; created on first use by whoever writes there."""
    return Path(os.environ.get("MERCER_CACHE") or Path.home() / ".cache" / "mercer").expanduser()


def encoder_folder() -> Path:
    """Where exported text encoders live."""
    chosen = os.environ.get("MERCER_ENCODERS")
    return Path(chosen).expanduser() if chosen else cache_folder() / "encoders"


def model_folder() -> Path:
    """Where imported language models live."""
    chosen = os.environ.get("MERCER_MODELS")
    return Path(chosen).expanduser() if chosen else cache_folder() / "models"


def threads() -> int:
    """Threads a fit may use, at least 1: MERCER_THREADS, else OMP_NUM_THREADS, else every usable core.

    More threads than cores are free cost far more than they bring: they wait for each other by spinning.
    Raises UsageError when MERCER_THREADS is no whole number.
    """
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    of_openmp = os.environ.get("OMP_NUM_THREADS", "")
    wanted = os.environ.get("MERCER_THREADS") or (of_openmp if of_openmp.isdecimal() else str(usable))
    if not wanted.isdecimal():
        raise UsageError(f"MERCER_THREADS is {wanted!r}.", remedy="Set it to a whole number, or unset it.")
    return max(1, int(wanted))


def device() -> str:
    """Where neural models are trained."""
    return os.environ.get("MERCER_DEVICE") or "cpu"


def precision() -> Literal["fp32", "bf16"]:
    """How exactly neural models are trained. Raises UsageError when MERCER_PRECISION is neither."""
    wanted = os.environ.get("MERCER_PRECISION") or "fp32"
    if wanted == "fp32":
        return "fp32"
    if wanted == "bf16":
        return "bf16"
    raise UsageError(f"MERCER_PRECISION is {wanted!r}.", remedy="Set it to fp32 or bf16, or unset it.")


def price_per_hour() -> float | None:
    """What an hour of this machine costs. Raises UsageError when MERCER_PRICE_PER_HOUR is no amount."""
    wanted = os.environ.get("MERCER_PRICE_PER_HOUR")
    if not wanted:
        return None
    try:
        price = float(wanted)
    except ValueError:
        price = -1.0
    if not 0 <= price < float("inf"):
        raise UsageError(f"MERCER_PRICE_PER_HOUR is {wanted!r}.", remedy="Set it to an amount, or unset it.")
    return price


def debug() -> bool:
    """Whether a fault shows its traceback."""
    return bool(os.environ.get("MERCER_DEBUG"))


def variable(name: str) -> str | None:
    """What a variable that a brief names holds; None where it is not set or empty."""
    return os.environ.get(name) or None


@dataclass(frozen=True, slots=True)
class Processes:
    """This process among those that `torchrun` started; on its own where it started none."""

    rank: int = 0
    local_rank: int = 0
    size: int = 1


def torchrun() -> Processes:
    """Where this process stands: `torchrun` says so in RANK, LOCAL_RANK and WORLD_SIZE."""
    told = [os.environ.get(name, "") for name in ("RANK", "LOCAL_RANK", "WORLD_SIZE")]
    if not all(number.isdecimal() for number in told):
        return Processes()
    return Processes(*map(int, told))


def default(name: str, value: str) -> None:
    """Tell a library of this process by a variable, unless somebody set it already."""
    os.environ.setdefault(name, value)
