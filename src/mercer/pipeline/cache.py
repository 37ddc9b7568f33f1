"""Steps cached by the content of their inputs, so that a second run does only what changed.

    $MERCER_CACHE/steps/NAME/KEY/          what the step wrote
    $MERCER_CACHE/steps/NAME/KEY/step.json facts, cost and the hash of every file; written last

KEY is the SHA-256 of the facts: step, code of the rooms it uses, options, keys of the steps before it, hashes of
the files it reads, versions of the libraries. A step works in a temporary sibling that is renamed when whole, so
a process killed at any moment leaves nothing half-written under a key.
"""

from __future__ import annotations

import glob
import hashlib
import json
import os
import platform
import re
import shutil
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from mercer.errors import MercerError, OutputError

STEP_FILE = "step.json"
_CHUNK = 1 << 20
_HOST = re.sub(r"\W", "-", platform.node())
"""Hosts and containers may share a cache, but no process numbers."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What a step took: wall and CPU seconds of this process, and its peak resident memory in MiB."""

    seconds: float
    cpu_seconds: float
    peak_mib: float


@dataclass(frozen=True, slots=True)
class Step:
    """A finished step: its key, the folder that holds its files, its cost when it was made, and whether it was
    found in the cache."""

    name: str
    key: str
    folder: Path
    cost: Cost
    cached: bool

    @property
    def tables_hash(self) -> str:
        """SHA-256 of the tables in the folder: equal where the rows are, whatever the code that made them."""
        files = json.loads((self.folder / STEP_FILE).read_text("utf-8"))["files"]
        return key_of({name: digest for name, digest in files.items() if name.endswith(".parquet")})


def file_hash(path: Path) -> str:
    """SHA-256 of a file's bytes."""
    digest = hashlib.sha256()
    with path.open("rb") as handle:
        while chunk := handle.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def key_of(facts: Mapping[str, Any]) -> str:
    """SHA-256 of facts, independent of their order."""
    return hashlib.sha256(json.dumps(facts, sort_keys=True, default=str).encode()).hexdigest()


class StepCache:
    """The cache of steps under one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "steps"

    def step(self, name: str, facts: Mapping[str, Any], make: Callable[[Path], None]) -> Step:
        """The step with these facts: found, or made by `make(folder)`.

        An entry whose files differ from its hashes is made anew. Raises OutputError when the cache can't be
        written; whatever `make` raises passes through and leaves no entry.
        """
        key = key_of({"step": name, **facts})
        place = self.folder / name.replace(":", "/") / key
        found = self._read(name, key, place)
        if found is not None:
            return found
        work = beside(place, "tmp")
        try:
            sweep(place)
            shutil.rmtree(work, ignore_errors=True)
            work.mkdir(parents=True)
        except OSError as fault:
            raise OutputError(
                f"The cache folder {self.folder} can't be written ({fault.strerror}).",
                remedy="Set MERCER_CACHE to a folder that can.",
            ) from fault
        try:
            with Meter() as meter:
                make(work)
            self._seal(work, name, facts, meter.cost)
            shutil.rmtree(place, ignore_errors=True)
            work.rename(place)
        finally:
            shutil.rmtree(work, ignore_errors=True)
        made = self._read(name, key, place)
        if made is None:
            raise MercerError(f"Step {name} could not be read back from the cache.", remedy="Run again.")
        return Step(made.name, made.key, made.folder, made.cost, cached=False)

    def _seal(self, work: Path, name: str, facts: Mapping[str, Any], cost: Cost) -> None:
        files = {
            str(path.relative_to(work)): file_hash(path) for path in sorted(work.rglob("*")) if path.is_file()
        }
        record = {"step": name, "facts": facts, "files": files, "cost": _as_dict(cost)}
        path = work / STEP_FILE
        with path.open("w", encoding="utf-8") as handle:
            json.dump(record, handle, indent=1, sort_keys=True, default=str)
            handle.flush()
            os.fsync(handle.fileno())

    def _read(self, name: str, key: str, place: Path) -> Step | None:
        try:
            record = json.loads((place / STEP_FILE).read_text("utf-8"))
            intact = all(file_hash(place / file) == known for file, known in record["files"].items())
            cost = Cost(**record["cost"])
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return Step(name, key, place, cost, cached=True) if intact else None


class Meter:
    """Measures wall seconds, CPU seconds and peak resident memory of the block it wraps."""

    def __enter__(self) -> Meter:
        self._process = psutil.Process()
        self._start = time.perf_counter()
        self._cpu = time.process_time()
        self._peak = self._process.memory_info().rss
        self._done = threading.Event()
        self._watch = threading.Thread(target=self._sample, daemon=True)
        self._watch.start()
        return self

    def _sample(self) -> None:
        while not self._done.wait(0.05):
            self._peak = max(self._peak, self._process.memory_info().rss)

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._watch.join()
        self._peak = max(self._peak, self._process.memory_info().rss)
        self.cost = Cost(
            seconds=round(time.perf_counter() - self._start, 3),
            cpu_seconds=round(time.process_time() - self._cpu, 3),
            peak_mib=round(self._peak / 2**20, 1),
        )


def _as_dict(cost: Cost) -> dict[str, float]:
    return {"seconds": cost.seconds, "cpu_seconds": cost.cpu_seconds, "peak_mib": cost.peak_mib}


def publish(source: Path, target: Path) -> None:
    """Make `target` (a file or folder of a run) equal `source`, by a rename, so that no reader sees half of it.

    Raises OutputError when the run folder can't be written.
    """
    work = beside(target, "tmp")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        sweep(target)
        if source.is_dir():
            shutil.rmtree(work, ignore_errors=True)
            shutil.copytree(source, work, ignore=shutil.ignore_patterns(STEP_FILE))
            old = beside(target, "old")
            if target.exists():
                target.rename(old)
            work.rename(target)
            shutil.rmtree(old, ignore_errors=True)
        else:
            shutil.copyfile(source, work)
            work.replace(target)
    except OSError as fault:
        raise OutputError(
            f"The output folder {target.parent} can't be written ({fault.strerror}).",
            remedy="Choose another with --out.",
        ) from fault


def write_text(path: Path, text: str) -> None:
    """Write a file whole: temporary sibling, flush, rename. Raises OutputError when that fails."""
    work = beside(path, "tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        sweep(path)
        with work.open("w", encoding="utf-8") as handle:
            handle.write(text)
            handle.flush()
            os.fsync(handle.fileno())
        work.replace(path)
    except OSError as fault:
        raise OutputError(
            f"{path} can't be written ({fault.strerror}).", remedy="Choose another folder with --out."
        ) from fault


def beside(place: Path, ending: str) -> Path:
    """A hidden sibling for this process alone to work in; its name says which host and process made it."""
    return place.with_name(f".{place.name}.{_HOST}.{os.getpid()}.{ending}")


def sweep(place: Path) -> None:
    """Remove what killed processes of this host left beside a place."""
    name = re.compile(rf"\.{re.escape(place.name)}\.{re.escape(_HOST)}\.(\d+)\.(?:tmp|old)")
    for sibling in place.parent.glob(f".{glob.escape(place.name)}.*"):
        found = name.fullmatch(sibling.name)
        if found is None or psutil.pid_exists(int(found[1])):
            continue
        if sibling.is_dir():
            shutil.rmtree(sibling, ignore_errors=True)
        else:
            sibling.unlink(missing_ok=True)
