"""`release.json`: what a release is made of, with the hash of every file and of itself."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from mercer.errors import DamagedError
from mercer.release.files import listed, sha256

SCHEMA = 1
MANIFEST = "release.json"
EVIDENCE = "evidence"

Decision = Literal["", "ship", "do-not-ship", "need-more-data"]


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class FileEntry(_Record):
    """A file's SHA-256 and its size in bytes."""

    sha256: str
    bytes: int


class TargetEntry(_Record):
    """What answers one target.

    group: the entry-point group of the model. policy: the name under which its answers are logged.
    fit_on: what it was fitted on ("train", "train+validation", or "all": then no test scored it).
    """

    task: Literal["recommend", "search", "behavior"]
    model: str
    group: str
    policy: str
    options: dict[str, Any] = {}
    seed: int
    fit_on: str


class Manifest(_Record):
    """The content of `release.json`.

    phase: "candidate" before the gates, "final" once the evidence is bound in.
    content_hash: over models, catalogue, brief and feature definitions; equal in candidate and final, so that
    evidence can name what it judged. hash: over everything else in this file. fallbacks: by target, what answers
    where its own ranker is late; left out of the file where there is none.
    """

    schema_: int = Field(SCHEMA, alias="schema")
    name: str
    mercer: str
    created: str
    phase: Literal["candidate", "final"]
    decision: Decision = ""
    targets: dict[str, TargetEntry]
    fallbacks: dict[str, TargetEntry] = {}
    features_hash: str
    vocabulary: str
    n_items: int
    files: dict[str, FileEntry]
    content_hash: str
    hash: str = ""

    def sealed(self) -> Manifest:
        """The same with its hash computed."""
        return self.model_copy(update={"hash": _digest(self._content())})

    def _content(self) -> dict[str, Any]:
        return {name: value for name, value in self._written().items() if name != "hash"}

    def _written(self) -> dict[str, Any]:
        # A release without fallbacks is to the byte what it was before there were any.
        left_out: set[str] = set() if self.fallbacks else {"fallbacks"}
        return self.model_dump(mode="json", by_alias=True, exclude=left_out)

    @property
    def is_intact(self) -> bool:
        """Whether the manifest agrees with its own hashes."""
        content = content_hash(self.files, self.targets, self.features_hash, self.fallbacks)
        return self.hash == _digest(self._content()) and self.content_hash == content

    def write(self, folder: Path) -> None:
        """Write `release.json`, flushed."""
        text = json.dumps(self._written(), indent=1, sort_keys=True)
        with (folder / MANIFEST).open("w", encoding="utf-8") as handle:
            handle.write(text + "\n")
            handle.flush()
            os.fsync(handle.fileno())

    @classmethod
    def read(cls, folder: Path) -> Manifest:
        """Read and check `release.json` itself. Raises DamagedError saying what is wrong with it."""
        remedy = "Build the release again: mercer run BRIEF --out DIR"
        try:
            text = (folder / MANIFEST).read_text("utf-8")
        except (OSError, UnicodeDecodeError) as fault:
            raise DamagedError(f"{folder}: {MANIFEST} is missing or unreadable.", remedy=remedy) from fault
        try:
            manifest = cls.model_validate_json(text)
        except ValidationError as fault:
            places = sorted({".".join(str(part) for part in error["loc"]) for error in fault.errors()})
            raise DamagedError(
                f"{folder}: {MANIFEST} is not valid at {', '.join(places)}.", remedy=remedy
            ) from None
        if manifest.schema_ != SCHEMA:
            raise DamagedError(
                f"{folder}: {MANIFEST} has schema {manifest.schema_}; this mercer reads {SCHEMA}.",
                remedy="Serve it with the mercer that made it, or build it again.",
            )
        if not manifest.is_intact:
            raise DamagedError(
                f"{folder}: {MANIFEST} was changed after it was written; its hash differs.", remedy=remedy
            )
        return manifest


def file_entries(folder: Path) -> dict[str, FileEntry]:
    """Hash and size of every file of a release but the manifest, by path relative to it."""
    return {
        path.relative_to(folder).as_posix(): FileEntry(sha256=sha256(path), bytes=path.stat().st_size)
        for path in listed(folder)
        if path != folder / MANIFEST
    }


def content_hash(
    files: Mapping[str, FileEntry],
    targets: Mapping[str, TargetEntry],
    features_hash: str,
    fallbacks: Mapping[str, TargetEntry],
) -> str:
    """SHA-256 over what answers: every file but the evidence, the targets and fallbacks, the feature definitions."""
    content: dict[str, Any] = {
        "files": {p: entry.sha256 for p, entry in files.items() if not p.startswith(f"{EVIDENCE}/")},
        "targets": {name: entry.model_dump(mode="json") for name, entry in targets.items()},
        "features": features_hash,
    }
    if fallbacks:
        content["fallbacks"] = {name: entry.model_dump(mode="json") for name, entry in fallbacks.items()}
    return _digest(content)


def _digest(content: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=False).encode()).hexdigest()
