"""The state a run carries from step to step: brief, folders, cache, and the keys of the steps already done."""

from __future__ import annotations

import fcntl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from mercer.brief import Brief, Fit
from mercer.contracts import Progress, Runtime
from mercer.environment import cache_folder, device, precision, price_per_hour, threads, torchrun
from mercer.errors import OutputError, UnsupportedError, UsageError
from mercer.pipeline.cache import Step, StepCache, file_hash, key_of
from mercer.pipeline.manifest import packages
from mercer.pipeline.progress import Quiet, RunProgress

STAGES = ("data", "fit", "evaluate", "gate", "report", "release")
"""Where a run may stop, in order; every one is also a command."""


def rival_name(target: str) -> str:
    """What the file of a target's incumbent is called among the sources."""
    return f"incumbent:{target}"


def machine() -> Runtime:
    """Where and how to compute, as the environment says. Raises UsageError for a setting that is none."""
    return Runtime(device=device(), precision=precision(), threads=threads(), price_per_hour=price_per_hour())


@dataclass(kw_only=True)
class Flow:
    """One run. `steps` holds every finished step by name, in the order they were done.

    fit_seconds: most that a fit may take.
    """

    brief: Brief
    out: Path
    data_folders: tuple[Path, ...] = ()
    fault: str | None = None
    cache: Path = field(default_factory=cache_folder)
    progress: RunProgress = field(default_factory=Quiet)
    machine: Runtime = field(default_factory=machine)

    def __post_init__(self) -> None:
        """Raises UnsupportedError where `torchrun` started several processes: they would all write one folder;
        UsageError where the brief limits money and no price is known, before anything is done."""
        self.fit_seconds = _fit_seconds(self.brief.fit, self.machine.price_per_hour)
        n = torchrun().size
        if n > 1:
            raise UnsupportedError(
                f"A run is one process; torchrun started {n}.",
                remedy="Train in several processes with mercer.training.train in a script of your own.",
            )

    steps: dict[str, Step] = field(default_factory=dict)
    fit_seconds: float = field(init=False)

    def step(self, name: str, facts: dict[str, Any], make: Callable[[Path, Progress], None]) -> Step:
        """Do a step, or find that an earlier run did it; record and report it."""
        bar = self.progress.begin(name)
        done = StepCache(self.cache).step(name, with_packages(facts), lambda folder: make(folder, bar))
        self.steps[name] = done
        self.progress.end(name, seconds=done.cost.seconds, cached=done.cached)
        return done

    @property
    def run_id(self) -> str:
        """Name of the brief and the start of its hash: the same brief is the same run, wherever it is kept."""
        return f"{self.brief.name}-{self.brief.hash[:12]}"

    @cached_property
    def source_hashes(self) -> dict[str, str]:
        """SHA-256 of every source file, by table; of a database that of the copy of its rows."""
        from mercer.data import find_source

        sources = dict(self.brief.data.sources)
        sources |= {rival_name(target): source for target, source in self.brief.rivals.items()}
        found = {name: find_source(source, self.data_folders) for name, source in sources.items()}
        return {name: file_hash(place) for name, place in found.items() if isinstance(place, Path)}

    def runtime(self, bar: Progress, checkpoints: Path | None = None) -> Runtime:
        """The runtime every fit gets. checkpoints: where an interrupted training goes on; None keeps nothing."""
        return replace(self.machine, cache_folder=self.cache, progress=bar, checkpoint_folder=checkpoints)

    def checkpoints(self, name: str, facts: dict[str, Any]) -> Path:
        """Where the training inside a step keeps its checkpoints until the step is done.

        It is under the step's key, so that only the same training finds them.
        """
        return self.cache / "checkpoints" / key_of({"step": name, **with_packages(facts)})


def _fit_seconds(limits: Fit, hour: float | None) -> float:
    """Most that a fit may take: by the brief's seconds, and by its money at the price of an hour."""
    if limits.money is None:
        return limits.seconds
    if hour is None:
        raise UsageError(
            f"The brief lets a fit cost {limits.money:g}, and what an hour of this machine costs is not known.",
            remedy="Set MERCER_PRICE_PER_HOUR to it (0 where it costs nothing), or leave fit.money out.",
        )
    return min(limits.seconds, 3600 * limits.money / hour) if hour else limits.seconds


def with_packages(facts: Mapping[str, Any]) -> dict[str, Any]:
    """The facts of a step, and the versions of the libraries that its results depend on."""
    return {**facts, "packages": packages()}


@contextmanager
def locked(out: Path) -> Iterator[None]:
    """Hold a run folder alone; the lock goes with the process. Raises OutputError where it can't be had."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        handle = (out / ".lock").open("w")
    except OSError as fault:
        raise OutputError(
            f"The output folder {out} can't be written ({fault.strerror}).",
            remedy="Choose another with --out.",
        ) from fault
    with handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as fault:
            raise OutputError(
                f"Another run is writing {out}.", remedy="Wait for it, or choose another folder with --out."
            ) from fault
        yield
