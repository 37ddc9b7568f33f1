"""A tokenizer and a decoder at rest: safetensors and JSON, held against their hashes, never pickled.

events.json          options, fields, what they are bound to
events.safetensors   codes of hashed columns of the catalogue, where there are any
text.json            the tokenizer of texts, where there are any
decoder.json         the decoder's shape and vocabulary, and the hash of every file; written last
config.json, model.safetensors   the model as Transformers writes it
adapter/, rows.safetensors       instead of these: what was learned beside a frozen model of the store
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from mercer.errors import ConflictError, DamagedError, OutputError, UnsupportedError
from mercer.language.decoders.card import file_sha256
from mercer.language.events.fields import described, restored
from mercer.language.events.options import EventOptions
from mercer.language.events.text import TextTokens

if TYPE_CHECKING:
    from mercer.language.events.tokenizer import EventTokenizer
    from mercer.language.semantic_ids import SemanticIds

Tokenizer = TypeVar("Tokenizer", bound="EventTokenizer")

SCHEMA = 1
EVENTS, TABLES, TEXT, MANIFEST = "events.json", "events.safetensors", "text.json", "decoder.json"
AGAIN = "Train again, or restore the folder."
_PICKLES = ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.pkl")


def save_tokenizer(tokenizer: EventTokenizer, folder: Path) -> None:
    """Write a tokenizer without its IDs, which are stored once, by themselves. Raises OutputError."""
    from safetensors.numpy import save_file

    told = {
        "schema": SCHEMA,
        "options": tokenizer.options.model_dump(mode="json"),
        "fields": [described(one) for one in tokenizer.fields],
        "ids": tokenizer.ids.fingerprint,
        "vocabulary": tokenizer.vocabulary,
        "fingerprint": tokenizer.fingerprint,
    }
    with writing(folder):
        if tokenizer.text is not None:
            (folder / TEXT).write_text(tokenizer.text.to_json(), "utf-8")
        if tokenizer.tables:
            save_file(dict(tokenizer.tables), folder / TABLES)
        (folder / EVENTS).write_text(json.dumps(told, indent=1, sort_keys=True), "utf-8")


def load_tokenizer(cls: type[Tokenizer], folder: Path, ids: SemanticIds) -> Tokenizer:
    """Read a tokenizer. Raises DamagedError for files that were changed, ConflictError for other IDs."""
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    told = read_json(folder / EVENTS)
    if told.get("ids") != ids.fingerprint:
        raise ConflictError(
            f"The tokenizer in {folder.name} belongs to the IDs {str(told.get('ids'))[:12]}, not to "
            f"{ids.fingerprint[:12]}.",
            remedy="Load it with the IDs it was saved with; `with_ids` then takes it to a catalogue that has grown.",
        )
    try:
        text = folder / TEXT
        made = cls(
            ids=ids,
            fields=tuple(restored(one) for one in told["fields"]),
            options=EventOptions(**told["options"]),
            text=TextTokens.from_json(text.read_text("utf-8")) if text.exists() else None,
            tables=load_file(folder / TABLES) if (folder / TABLES).exists() else {},
        )
        whole = made.fingerprint == told["fingerprint"]
    except (OSError, KeyError, ValueError, TypeError, SafetensorError) as fault:
        raise DamagedError(f"{folder.name} holds no whole event tokenizer.", remedy=AGAIN) from fault
    if not whole:
        raise DamagedError(
            f"The tokenizer in {folder.name} has the fingerprint {made.fingerprint[:12]}, {EVENTS} says "
            f"{str(told['fingerprint'])[:12]}.",
            remedy=AGAIN,
        )
    return made


def write_manifest(folder: Path, told: Mapping[str, Any]) -> None:
    """Write decoder.json, with the hash of every other file below the folder."""
    files = {
        path.relative_to(folder).as_posix(): file_sha256(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != MANIFEST
    }
    (folder / MANIFEST).write_text(
        json.dumps({"schema": SCHEMA, **told, "files": files}, indent=1, sort_keys=True), "utf-8"
    )


def read_manifest(folder: Path, vocabulary: str) -> dict[str, Any]:
    """decoder.json, after every file was held against its hash, and before any of them is read.

    Raises UnsupportedError for pickled weights, ConflictError for a decoder over another vocabulary, DamagedError for
    files that are missing or were changed.
    """
    pickled = [path.name for pattern in _PICKLES for path in folder.rglob(pattern)]
    if pickled:
        raise UnsupportedError(
            f"{folder.name} holds {pickled[0]}; pickled weights are never read.",
            remedy="Keep safetensors alone: `EventDecoder.save` writes nothing else.",
        )
    told = read_json(folder / MANIFEST)
    if told.get("schema") != SCHEMA:
        raise DamagedError(f"{MANIFEST} has schema {told.get('schema')!r}, not {SCHEMA}.", remedy=AGAIN)
    check_vocabulary(f"The decoder in {folder.name}", str(told.get("vocabulary")), vocabulary)
    for name, known in dict(told.get("files", {})).items():
        if not (folder / name).is_file() or file_sha256(folder / name) != known:
            raise DamagedError(f"{name} in {folder.name} differs from what {MANIFEST} says.", remedy=AGAIN)
    return told


def check_vocabulary(what: str, found: str, wanted: str) -> None:
    """Raises ConflictError for a decoder over another vocabulary than the tokenizer's."""
    if found != wanted:
        raise ConflictError(
            f"{what} has the vocabulary {found[:12]}, the tokenizer {wanted[:12]}.",
            remedy="Use the IDs and fields that it was trained with, or train again.",
        )


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object. Raises DamagedError where there is none."""
    try:
        told = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as fault:
        raise DamagedError(f"{path.name} is missing or no JSON.", remedy=AGAIN) from fault
    if not isinstance(told, dict):
        raise DamagedError(f"{path.name} is no JSON object.", remedy=AGAIN)
    return told


@contextmanager
def reading(folder: Path) -> Iterator[None]:
    """Say in the project's words that weights can't be read, whatever their hashes say."""
    from safetensors import SafetensorError

    try:
        yield
    except (SafetensorError, OSError, KeyError) as fault:
        raise DamagedError(
            f"The weights in {folder.name} are no safetensors, or not those of this decoder.", remedy=AGAIN
        ) from fault


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Make the folder, and say in the project's words that it can't be written."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        yield
    except OSError as fault:
        raise OutputError(
            f"{folder.name} can't be written ({fault.strerror}).", remedy="Give another folder."
        ) from fault
