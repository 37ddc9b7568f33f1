"""A training as a process of its own that can die at any moment, also inside the saving of a checkpoint.

    python -m training.process FOLDER OUT             trains, with checkpoints in FOLDER, and writes OUT/
    python -m training.process FOLDER OUT KIND N      kills itself before the Nth file operation of a kind

A file operation is what Python's audit events name: opening, making, renaming and removing below FOLDER, such as
"open manifest.json" or "os.rename a checkpoint". So nothing in the room has to know of the test.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

TESTS = Path(__file__).parent.parent
LONGEST = 300
"""Seconds after which a process is taken for hung."""
EPOCHS = 10
OPERATIONS = ("open", "os.mkdir", "os.rename", "os.remove", "os.rmdir", "shutil.rmtree")


def watch(folder: Path, deadly: str, number: int) -> list[str]:
    """The file operations below a folder, as they come; the process kills itself before one of a kind."""
    seen: list[str] = []

    def hook(event: str, arguments: tuple) -> None:
        if event in OPERATIONS and isinstance(arguments[0], (str, os.PathLike)):
            path = Path(arguments[0])
            if folder in path.parents:
                named = (
                    "a checkpoint" if "step-" in path.name or path.name.startswith(".writing") else path.name
                )
                seen.append(f"{event} {named}")
                if seen[-1] == deadly and seen.count(deadly) == number:
                    os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)
    return seen


def main() -> None:
    import json

    from safetensors.torch import save_file

    from training.small import NextItem, here, trained

    folder, out, kind, number = [*sys.argv[1:], "", "0"][:4]
    seen = watch(Path(folder), kind, int(number))

    class Steps:
        def advance(self, done: int, total: int, note: str = "") -> None:
            print(done, flush=True)

    runtime = here(checkpoint_folder=Path(folder), progress=Steps())
    trainee, record = trained(
        NextItem(weight_seed=os.getpid()) if Path(folder, "step-00000005").exists() else NextItem(),
        runtime=runtime, epochs=EPOCHS, checkpoint_every=5, average=0.9, estimate_steps=2,
    )  # fmt: skip
    Path(out).mkdir(parents=True)
    record.save(Path(out))
    save_file(trainee.module.state_dict(), Path(out) / "weights.safetensors")
    (Path(out) / "operations.json").write_text(json.dumps(seen))


@dataclass(frozen=True)
class Ended:
    """Exit code (negative: the signal), and the steps that it reported."""

    code: int
    steps: tuple[int, ...]
    errors: str


def process(folder: Path, out: Path, *more: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "training.process", str(folder), str(out), *map(str, more)],
        cwd=TESTS,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def to_the_end(folder: Path, out: Path, *more: object) -> Ended:
    """Let it run until it ends, or kills itself."""
    child = process(folder, out, *more)
    said, errors = child.communicate(timeout=LONGEST)
    return Ended(child.returncode, tuple(map(int, said.split())), errors)


def until(folder: Path, out: Path, *, steps: int, wait: float) -> Ended:
    """Let it report some steps, wait a moment, and kill it."""
    child = process(folder, out)
    assert child.stdout is not None
    said: list[str] = []
    while len(said) < steps and (line := child.stdout.readline()):
        said.append(line)
    time.sleep(wait)
    child.kill()
    rest, errors = child.communicate(timeout=LONGEST)
    return Ended(child.returncode, tuple(map(int, "".join(said).split() + rest.split())), errors)


if __name__ == "__main__":
    main()
