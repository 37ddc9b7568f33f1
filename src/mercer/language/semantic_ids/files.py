"""One part of a semantic catalogue at rest: NAME.safetensors beside NAME.json, which holds its hash.

    NAME.json   schema, part (what it is), facts (options, sizes, fingerprints), sha256 (of tensors and facts)

Nothing read here can run code.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from mercer.errors import ConflictError, DamagedError, OutputError
from mercer.language.semantic_ids.codebook import Arrays

SCHEMA = 1
_AGAIN = "Make the semantic IDs again, or restore the folder."


@dataclass(frozen=True, slots=True)
class Part:
    """What was read: arrays by name, and facts as plain JSON."""

    arrays: dict[str, npt.NDArray[Any]]
    facts: dict[str, Any]


def write_part(folder: Path, name: str, arrays: Arrays, facts: dict[str, Any]) -> None:
    """Write both files; equal content gives equal bytes. Raises OutputError where they can't be written."""
    from safetensors.numpy import save

    content = save({key: np.ascontiguousarray(one) for key, one in sorted(arrays.items())})
    head = {"schema": SCHEMA, "part": name, "sha256": _hash(content, facts), "facts": facts}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}.safetensors").write_bytes(content)
        (folder / f"{name}.json").write_text(json.dumps(head, indent=1, sort_keys=True), "utf-8")
    except OSError as fault:
        raise OutputError(
            f"Semantic IDs can't be written into {folder} ({fault.strerror}).", remedy="Give another folder."
        ) from fault


def read_part(folder: Path, name: str) -> Part:
    """Read both files. Raises DamagedError where one is missing, unlike its hash, or of another schema."""
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        head = json.loads((folder / f"{name}.json").read_text("utf-8"))
        content = (folder / f"{name}.safetensors").read_bytes()
        known, schema, facts = head["sha256"], head["schema"], dict(head["facts"])
        found = _hash(content, facts)
        if schema == SCHEMA and found == known:
            return Part(load(content), facts)
    except (OSError, ValueError, KeyError, TypeError, SafetensorError) as fault:
        raise DamagedError(f"{folder.name} holds no whole {name} of semantic IDs.", remedy=_AGAIN) from fault
    if schema != SCHEMA:
        raise DamagedError(
            f"{name}.json in {folder.name} has schema {schema!r}, not {SCHEMA}.", remedy=_AGAIN
        )
    raise DamagedError(
        f"{name}.safetensors and {name}.json in {folder.name} have SHA-256 {found[:12]}, not {str(known)[:12]}.",
        remedy=_AGAIN,
    )


def _hash(content: bytes, facts: dict[str, Any]) -> str:
    return hashlib.sha256(content + json.dumps(facts, sort_keys=True).encode()).hexdigest()


def refuse_other(what: str, found: str, wanted: str | None) -> None:
    """Raises ConflictError where a part is bound to another version than the one asked for; None asks for none."""
    if wanted is not None and found != wanted:
        raise ConflictError(
            f"These semantic IDs belong to {what} {found[:12]}, not {wanted[:12]}.",
            remedy=f"Load them with the {what} they were made for, or make them again.",
        )
