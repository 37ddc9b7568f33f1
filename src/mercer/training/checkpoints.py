"""Checkpoints: folders that are whole or not there.

    FOLDER/step-00000120/weights.safetensors, optimizer.safetensors, ...  tensors
    FOLDER/step-00000120/state.json                                       position and history
    FOLDER/step-00000120/manifest.json                                    identity and the hash of every file

A checkpoint is written into a hidden folder; its files are flushed to the disk, then the manifest with their hashes,
then the folder is renamed. A process killed at any moment leaves a hidden folder, which the next one sweeps away,
or a whole checkpoint. The two newest are kept, and the best that they name. Nothing is pickled.
"""

from __future__ import annotations

import fcntl
import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mercer.errors import ConflictError, DamagedError, MercerError, OutputError
from mercer.training.files import MANIFEST, SCHEMA, STATE, WORK, file_hash, flush, write
from mercer.training.state import State

if TYPE_CHECKING:
    import torch

    Tensors = dict[str, torch.Tensor]

_NAMED = 3
"""So many differences are named; the rest is counted."""


class ForeignCheckpointError(ConflictError):
    """All checkpoints of a folder are of other trainings."""


@dataclass(frozen=True, slots=True)
class Found:
    """A checkpoint that was read: where the training was, and its tensors by file and name."""

    state: State
    tensors: dict[str, Tensors]


class Checkpoints:
    """The checkpoints of one training in one folder; with None nothing is kept and nothing is found.

    identity: flat facts that make a training this one and no other; a checkpoint with others is foreign.
    """

    def __init__(self, folder: Path | None, identity: Mapping[str, Any]) -> None:
        self.folder = folder
        self._identity = json.loads(json.dumps(identity, sort_keys=True, default=str))

    @contextmanager
    def alone(self, *, writes: bool = True) -> Iterator[None]:
        """Hold the folder against other trainings, and sweep what a killed one left. `writes`: False does neither.

        Raises OutputError where another holds it, or where it can't be written.
        """
        if self.folder is None or not writes:
            yield
            return
        with _writing(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            lock = (self.folder / ".lock").open("w")
        with lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as fault:
                raise OutputError(
                    f"Another training is writing checkpoints into {self.folder}.",
                    remedy="Wait for it, or give another checkpoint folder.",
                ) from fault
            for left in self.folder.glob(f"{WORK}*"):
                shutil.rmtree(left, ignore_errors=True)
            yield

    def steps(self) -> list[int]:
        """The steps of the checkpoints that are there, newest first."""
        if self.folder is None:
            return []
        found = [path.name.removeprefix("step-") for path in self.folder.glob("step-*")]
        return sorted((int(name) for name in found if name.isdecimal()), reverse=True)

    def newest(self) -> tuple[int | None, list[str]]:
        """The newest step whose checkpoint, and the best that it names, are whole and of this training; and what
        was refused on the way, a sentence each.

        Raises ForeignCheckpointError where all that is there belongs to other trainings.
        """
        refused, foreign = [], []
        for step in self.steps():
            try:
                state = self._state(step)
                best = state.best
                if best is not None and best.step != step:
                    self._state(best.step)
            except (DamagedError, ConflictError) as fault:
                refused.append(f"The checkpoint of step {step} was refused: {fault.message}")
                foreign.append(isinstance(fault, ConflictError))
                continue
            return step, [f"{one} Step {step} was used." for one in refused]
        if refused and any(foreign):
            raise ForeignCheckpointError(
                f"The checkpoints in {self.folder} are of another training. {refused[foreign.index(True)]}",
                remedy="Give another checkpoint folder, or remove this one.",
            )
        return None, [f"{one} The training began anew." for one in refused]

    def read(self, step: int) -> Found:
        """A checkpoint. Raises DamagedError and ConflictError as `newest` says."""
        from safetensors.torch import load_file

        state = self._state(step)
        place = self._place(step)
        return Found(state, {path.stem: load_file(path) for path in sorted(place.glob("*.safetensors"))})

    def _place(self, step: int) -> Path:
        assert self.folder is not None
        return self.folder / f"step-{step:08d}"

    def _state(self, step: int) -> State:
        """The state of a checkpoint, after everything in it was held against its manifest."""
        place = self._place(step)
        manifest = _json(place / MANIFEST)
        if manifest.get("schema") != SCHEMA:
            raise DamagedError(f"its {MANIFEST} has schema {manifest.get('schema')!r}, not {SCHEMA}.")
        for name, known in manifest.get("files", {}).items():
            if not (place / name).is_file():
                raise DamagedError(f"{name} is missing.")
            if (found := file_hash(place / name)) != known:
                raise DamagedError(f"{name} has SHA-256 {found[:12]}, its manifest says {known[:12]}.")
        if STATE not in manifest.get("files", {}):
            raise DamagedError(f"its {MANIFEST} names no {STATE}.")
        differences = _differences(manifest.get("identity", {}), self._identity)
        if differences:
            rest = f" and {len(differences) - _NAMED} more" if len(differences) > _NAMED else ""
            raise ConflictError("it differs in " + "; ".join(differences[:_NAMED]) + rest + ".")
        try:
            return State.from_json(_json(place / STATE))
        except (KeyError, TypeError) as fault:
            raise DamagedError(f"{STATE} is not what this mercer writes ({fault}).") from fault

    def save(self, state: State, tensors: Mapping[str, Tensors]) -> None:
        """Write a checkpoint, whole or not at all, and remove what is no longer kept."""
        if self.folder is None:
            return
        state.checkpoints += 1
        place = self._place(state.step)
        work = self.folder / f"{WORK}{place.name}"
        with _writing(self.folder):
            shutil.rmtree(work, ignore_errors=True)
            work.mkdir()
            write(work, state.to_json(), tensors, self._identity)
            shutil.rmtree(place, ignore_errors=True)
            work.rename(place)
            flush(self.folder)
        self._remove(state)

    def _remove(self, state: State) -> None:
        """Keep the two newest, and the best that each of them names."""
        kept = set(self.steps()[:2])
        for step in tuple(kept):
            best = state.best if step == state.step else self._best_of(step)
            if best is not None:
                kept.add(best if isinstance(best, int) else best.step)
        for step in self.steps():
            if step not in kept:
                # The manifest first: what is half removed must not look whole.
                (self._place(step) / MANIFEST).unlink(missing_ok=True)
                shutil.rmtree(self._place(step), ignore_errors=True)

    def _best_of(self, step: int) -> int | None:
        try:
            state = State.from_json(_json(self._place(step) / STATE))
        except (MercerError, KeyError, TypeError):
            return None
        return None if state.best is None else state.best.step


def _json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text("utf-8"))
    except FileNotFoundError as fault:
        raise DamagedError(f"{path.name} is missing.") from fault
    except (OSError, ValueError) as fault:
        raise DamagedError(f"{path.name} can't be read as JSON.") from fault
    if not isinstance(content, dict):
        raise DamagedError(f"{path.name} is no JSON object.")
    return content


def _differences(found: Mapping[str, Any], wanted: Mapping[str, Any]) -> list[str]:
    return [
        f"{name} ({_short(found.get(name))} there, {_short(wanted.get(name))} here)"
        for name in sorted({*found, *wanted})
        if found.get(name) != wanted.get(name)
    ]


def _short(value: Any) -> str:
    text = "nothing" if value is None else str(value)
    return text if len(text) <= 24 else f"{text[:16]}…"


@contextmanager
def _writing(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as fault:
        raise OutputError(
            f"Checkpoints can't be written into {folder} ({fault.strerror}).",
            remedy="Free some space, or set MERCER_CACHE to a folder that can be written.",
        ) from fault
