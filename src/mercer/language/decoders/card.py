"""The card of an imported model: what it is, where it comes from, what is known about it, and its hashes.

A release names a model by `hash`. It covers what decides an answer (weights, configuration, tokenizer, chat
template), so the same content has the same hash on every machine.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from mercer.errors import DamagedError, UsageError

CARD = "card.json"
CONFIG = "config.json"
WEIGHTS = "model.safetensors"
TOKENIZER = "tokenizer.json"
TOKENIZER_CONFIG = "tokenizer_config.json"
CHAT_TEMPLATE = "chat_template.jinja"
GENERATION = "generation_config.json"
FORMAT = 1
FAMILIES = ("gpt2", "llama", "mistral")

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,79}")
_HASHED = (CHAT_TEMPLATE, CONFIG, TOKENIZER, TOKENIZER_CONFIG, WEIGHTS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """What card.json says.

    family: gpt2, llama or mistral. revision: a commit of the hub; empty elsewhere. licence: as the source states
    it, or "unknown". notes: what a user of the model should know, a sentence each. parameters: numbers in the
    weights, tied ones once. window: longest input in tokens. vocabulary: rows of the embedding. precision: of
    the weights as stored (float32, float16 or bfloat16). chat: whether there is a chat template.
    files: SHA-256 by file name. hash: SHA-256 of the content, see `content_hash`. source_hash: SHA-256 over the
    files that were read. turn: 1 for the first model of its name in a store, 2 for the next.
    made_with: versions of the libraries that converted it.
    """

    name: str
    family: str
    origin: str
    revision: str
    licence: str
    notes: tuple[str, ...]
    parameters: int
    window: int
    vocabulary: int
    precision: str
    chat: bool
    files: dict[str, str]
    hash: str
    source_hash: str
    made_with: dict[str, str]
    turn: int = 1
    format: int = FORMAT

    @property
    def folder_name(self) -> str:
        """The name of the model's folder in a store."""
        return f"{self.name}-{self.hash[:12]}"

    def to_json(self) -> dict[str, Any]:
        """The card as JSON holds it."""
        return {**asdict(self), "notes": list(self.notes)}

    def write(self, folder: Path) -> None:
        """Write the card into `folder`."""
        (folder / CARD).write_text(json.dumps(self.to_json(), indent=2, sort_keys=True) + "\n", "utf-8")

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read the card of `folder`. Raises DamagedError when it is absent, no card, or of another format."""
        try:
            content = json.loads((folder / CARD).read_text("utf-8"))
            if content["format"] != FORMAT:
                raise ValueError(content["format"])
            card = cls(**{**content, "notes": tuple(content["notes"])})
            whole = card.hash == content_hash(card.files) and card.folder_name == folder.name
        except (OSError, ValueError, KeyError, TypeError) as fault:
            raise damaged(folder, CARD) from fault
        if not whole:
            raise damaged(folder, CARD)
        return card


def content_hash(files: Mapping[str, str]) -> str:
    """SHA-256 over the sorted (file, SHA-256) of weights, configuration, tokenizer and chat template.

    Defaults of sampling (generation_config.json) are left out: the caller of a model sets them.
    """
    return pairs_hash({name: files[name] for name in _HASHED if name in files})


def pairs_hash(files: Mapping[str, str]) -> str:
    """SHA-256 over sorted (file, SHA-256) pairs."""
    return hashlib.sha256(json.dumps(sorted(files.items())).encode()).hexdigest()


def file_sha256(path: Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def checked_name(name: str) -> str:
    """`name`, when a model may be called so. Raises UsageError otherwise."""
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"A model can't be called {name!r}.",
            remedy="Use lower-case letters, digits, dots, dashes and underscores: at most 80, no dash first.",
        )
    return name


def name_from(text: str) -> str:
    """A valid name made from a folder's, file's or hub name."""
    plain = re.sub(r"[^a-z0-9._-]+", "-", text.lower()).strip("-._")[:80]
    return plain or "model"


def damaged(folder: Path, name: str) -> DamagedError:
    """The error of a stored model whose file differs from its card."""
    return DamagedError(
        f"The model in {folder.name!r} is damaged: {name} differs from what its card says.",
        remedy="Delete that folder and import the model again: mercer models import SOURCE",
    )
