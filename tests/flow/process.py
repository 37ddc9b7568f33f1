"""A run as a process of its own, ended by a signal after a chosen step and a short while."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

LONGEST = 300
"""Seconds after which a run of the small shop is taken for hung."""


@dataclass(frozen=True)
class Ended:
    """How a process ended: its exit code (negative: the signal), what it had said, whether it was interrupted."""

    code: int
    output: str
    errors: str
    interrupted: bool


def command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "mercer", *map(str, arguments)]


def environment(cache: Path) -> dict[str, str]:
    return {**os.environ, "MERCER_CACHE": str(cache)}


def run_until(
    brief: Path, out: Path, cache: Path, *, steps: int, wait: float, how: signal.Signals = signal.SIGKILL
) -> Ended:
    """Start a run, let it report `steps` steps, wait a moment, and send it a signal."""
    child = subprocess.Popen(
        command("run", brief, "--out", out, "--json"),
        env=environment(cache),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert child.stderr is not None
    said: list[str] = []
    while sum("✓" in line for line in said) < steps and (line := child.stderr.readline()):
        said.append(line)
    time.sleep(wait)
    interrupted = child.poll() is None
    child.send_signal(how)
    _, rest = child.communicate(timeout=LONGEST)
    return Ended(child.returncode, "", "".join(said) + rest, interrupted)


def run_to_the_end(brief: Path, out: Path, cache: Path) -> Ended:
    done = subprocess.run(
        command("run", brief, "--out", out, "--json"),
        env=environment(cache),
        capture_output=True,
        text=True,
        timeout=LONGEST,
        check=False,
    )
    return Ended(done.returncode, done.stdout, done.stderr, interrupted=False)
