"""The store of imported models: one folder each, written once, never changed.

    FOLDER/NAME-HASH12/card.json           what it is, and the SHA-256 of every other file
    FOLDER/NAME-HASH12/model.safetensors   weights, tied ones once
    FOLDER/NAME-HASH12/config.json, tokenizer.json, tokenizer_config.json, chat_template.jinja, ...
    FOLDER/.importing-*                    an import at work, or what a killed one left; swept by the next

A model is written into a folder beside, flushed to the disk and renamed, so a killed import leaves nothing half-made
under a name. Two contents under one name both stay; the later one answers to the name.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

from pydantic import ValidationInfo

from mercer.environment import model_folder
from mercer.errors import DamagedError, NotFoundError, OutputError, UsageError, nearest
from mercer.language.decoders.card import CARD, Card, damaged, file_sha256

Found = list["StoredModel"]
"""Several models; inside ModelStore the name `list` is its method."""
Names = list[str]

_WORK = ".importing-"
_LOCK = ".lock"
_IMPORT = "Import it with: mercer models import SOURCE"


@dataclass(frozen=True, slots=True)
class StoredModel:
    """A model in a store: its folder and its card."""

    folder: Path
    card: Card

    def check(self) -> None:
        """Compare every file with the card. Raises DamagedError naming the first that differs."""
        for name, known in sorted(self.card.files.items()):
            path = self.folder / name
            if not path.is_file() or file_sha256(path) != known:
                raise damaged(self.folder, name)

    def is_whole(self) -> bool:
        """Whether every file is as the card says."""
        try:
            self.check()
        except DamagedError:
            return False
        return True


class ModelStore:
    """Imported models under one folder (default: `mercer.environment.model_folder()`)."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = model_folder() if folder is None else folder

    def list(self) -> Found:
        """Every model with a readable card, by name, the one that answers to a name last; files aren't hashed."""
        found = []
        for folder in self._folders():
            with suppress(DamagedError):
                found.append(StoredModel(folder, Card.read(folder)))
        return sorted(found, key=lambda model: (model.card.name, model.card.turn, model.card.hash))

    def damaged(self) -> Names:
        """Names of folders whose card can't be read."""
        readable = {model.folder for model in self.list()}
        return [folder.name for folder in self._folders() if folder not in readable]

    def get(self, name: str, *, verify: bool = True) -> StoredModel:
        """The model of that name (the latest), folder name, or beginning of its hash.

        verify: hash every file (about a second for 500 MB) and compare with the card.
        Raises NotFoundError naming the nearest name, UsageError when several models' hashes begin so,
        DamagedError naming the file that differs.
        """
        model = self._find(name)
        if verify:
            model.check()
        return model

    def hash_of(self, name: str) -> str:
        """The hash of what a name stands for now, so that a fit is known by the model and not by its name.

        "" where the store does not hold it: a brief may be read where the model is not, and a fit says what to do.
        Raises UsageError and DamagedError as `get` does.
        """
        try:
            return self.get(name, verify=False).card.hash
        except NotFoundError:
            return ""

    def with_source(self, source_hash: str) -> Found:
        """The models that were imported from these very files."""
        return [model for model in self.list() if model.card.source_hash == source_hash]

    @contextmanager
    def work(self) -> Iterator[Path]:
        """An empty folder to write a model into; it vanishes afterwards unless `publish` took it.

        Raises OutputError when the store can't be written.
        """
        with self._locked():
            self._sweep()
            folder = self.folder / f"{_WORK}{secrets.token_hex(6)}"
            folder.mkdir()
            held = _hold(folder / _LOCK, wait=True)
        try:
            yield folder
        finally:
            if held is not None:
                held.close()
            shutil.rmtree(folder, ignore_errors=True)

    def publish(self, work: Path, card: Card) -> StoredModel:
        """Rename the files in `work` into place under their card, or return the model with that content.

        The card gets its turn, and a note where it takes a name from another model. A damaged model of the same
        content is put right. Raises OutputError when the store can't be written.
        """
        with self._locked():
            for known in self.list():
                if known.card.hash == card.hash and known.is_whole():
                    return known
            card = self._in_turn(card)
            (work / _LOCK).unlink(missing_ok=True)
            card.write(work)
            for path in work.iterdir():
                path.chmod(0o644)
                _flush(path)
            _flush(work)
            target = self.folder / card.folder_name
            if target.exists():
                # Only a damaged folder can be here; it has the name of work that the next import sweeps.
                target.rename(self.folder / f"{_WORK}{secrets.token_hex(6)}")
            work.rename(target)
            _flush(self.folder)
            return StoredModel(target, card)

    def _in_turn(self, card: Card) -> Card:
        """The card with its place among those of its name; a damaged model of the same content keeps its place."""
        before = [model.card for model in self.list() if model.card.name == card.name]
        for one in before:
            if one.hash == card.hash:
                return replace(card, turn=one.turn, notes=one.notes)
        if not before:
            return card
        said = f"Takes the name from {before[-1].folder_name}, which stays in the store."
        return replace(card, turn=before[-1].turn + 1, notes=(*card.notes, said))

    def _folders(self) -> Sequence[Path]:
        if not self.folder.is_dir():
            return ()
        return sorted(p for p in self.folder.iterdir() if p.is_dir() and not p.name.startswith("."))

    def _find(self, name: str) -> StoredModel:
        models = self.list()
        named = [model for model in models if name in (model.card.name, model.folder.name)]
        if named:
            return named[-1]
        begun = [model for model in models if name and model.card.hash.startswith(name.lower())]
        if len(begun) == 1:
            return begun[0]
        if begun:
            raise UsageError(
                f"The hashes of {len(begun)} models begin with {name!r}.",
                remedy=f"Give more of it, or a name: {', '.join(model.folder.name for model in begun)}.",
            )
        folder = self.folder / name
        if name in self.damaged():
            raise damaged(folder, CARD)
        near = nearest(name, [model.card.name for model in models]) if models else "No model is imported yet."
        raise NotFoundError(f"No imported model is called {name!r}. {near}", remedy=_IMPORT)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Nobody else begins, sweeps or publishes meanwhile."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            held = _hold(self.folder / _LOCK, wait=True)
        except OSError as fault:
            raise self._unwritable(fault) from fault
        try:
            yield
        except OSError as fault:
            raise self._unwritable(fault) from fault
        finally:
            if held is not None:
                held.close()

    def _unwritable(self, fault: OSError) -> OutputError:
        return OutputError(
            f"The model folder {self.folder} can't be written ({fault.strerror}).",
            remedy="Set MERCER_MODELS to a folder that can, with space for the model.",
        )

    def _sweep(self) -> None:
        """Remove what killed imports left: a process that lives holds the lock in its folder."""
        for left in self.folder.glob(f"{_WORK}*"):
            held = _hold(left / _LOCK, wait=False)
            if held is not None:
                shutil.rmtree(left, ignore_errors=True)
                held.close()


def hash_of_named(info: ValidationInfo, field: str) -> str:
    """For an option that holds the hash of the model that another one names: what `field` stands for now.

    "" where it names none, or one that the store does not hold.
    """
    named = info.data.get(field)
    return ModelStore().hash_of(named) if named else ""


def _hold(path: Path, *, wait: bool) -> IO[bytes] | None:
    """The lock file, locked until closed or until the process ends; None when another process has it."""
    stream = path.open("ab")
    try:
        fcntl.flock(stream, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        stream.close()
        return None
    return stream


def _flush(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
