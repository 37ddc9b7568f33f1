"""From a loaded model to the files of the store, and their card."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stderr
from dataclasses import dataclass
from importlib.metadata import version
from io import StringIO
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mercer.errors import DataError, UnsupportedError
from mercer.language.decoders.card import (
    CHAT_TEMPLATE,
    CONFIG,
    FAMILIES,
    TOKENIZER_CONFIG,
    WEIGHTS,
    Card,
    content_hash,
    file_sha256,
)

if TYPE_CHECKING:
    import transformers

_PLACES = ("_name_or_path", "_model_name_or_path", "name_or_path", "is_local", "local_files_only")
"""Keys by which Transformers remembers where it read something: no part of the model."""
_UNLIMITED = "1TB"
_PRECISIONS = {"F32": "float32", "F16": "float16", "BF16": "bfloat16"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """A model and its tokenizer in memory, and what its card should say about the conversion."""

    model: transformers.PreTrainedModel
    tokenizer: transformers.PreTrainedTokenizerFast
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A source that was found: what it calls itself, the files that are read, and how to load them."""

    name: str
    origin: str
    revision: str
    licence: str
    files: Sequence[Path]
    load: Callable[[], Loaded]


def checked_family(family: object) -> str:
    """`family`, when mercer has it. Raises UnsupportedError naming those that it has."""
    if family not in FAMILIES:
        raise UnsupportedError(
            f"Models of the family {family!r} can't be imported.",
            remedy=f"Families that can: {', '.join(FAMILIES)}.",
        )
    return str(family)


def write(loaded: Loaded, folder: Path) -> None:
    """Write weights (one safetensors file), configuration, tokenizer and chat template into `folder`.

    Raises DataError when the tokenizer has numbers beyond the embedding.
    """
    embedding: Any = loaded.model.get_input_embeddings()
    rows = embedding.weight.shape[0]
    highest = max(loaded.tokenizer.get_vocab().values(), default=-1)
    if not 0 <= highest < rows:
        raise DataError(
            f"The tokenizer's highest number is {highest}, and the embedding has {rows} rows.",
            remedy="Take tokenizer and weights of the same model.",
        )
    loaded.tokenizer.model_max_length = _window(loaded.model.config.to_dict())
    with quiet():
        loaded.model.save_pretrained(folder, max_shard_size=_UNLIMITED)
        loaded.tokenizer.save_pretrained(folder)
    for name in (CONFIG, TOKENIZER_CONFIG):
        _forget_places(folder / name)


def card_of(folder: Path, source: Source, loaded: Loaded, *, name: str, source_hash: str) -> Card:
    """The card of the files that `write` wrote."""
    config = json.loads((folder / CONFIG).read_text("utf-8"))
    sizes, precisions = weights_in(folder / WEIGHTS)
    files = {
        path.name: file_sha256(path) for path in sorted(folder.iterdir()) if not path.name.startswith(".")
    }
    return Card(
        name=name,
        family=config["model_type"],
        origin=source.origin,
        revision=source.revision,
        licence=source.licence,
        notes=loaded.notes,
        parameters=sum(sizes.values()),
        window=_window(config),
        vocabulary=config["vocab_size"],
        precision=" and ".join(_PRECISIONS.get(one, one) for one in sorted(precisions)),
        chat=(folder / CHAT_TEMPLATE).is_file(),
        files=files,
        hash=content_hash(files),
        source_hash=source_hash,
        made_with={library: version(library) for library in ("torch", "transformers", "tokenizers")},
    )


def weights_in(path: Path) -> tuple[dict[str, int], set[str]]:
    """Numbers in each tensor of a safetensors file, and the types of those that are no whole numbers.

    Raises DataError when the file is cut off or no safetensors file.
    """
    from safetensors import SafetensorError, safe_open

    sizes, types = {}, set()
    try:
        with safe_open(path, framework="pt") as tensors:
            for key in tensors.keys():  # noqa: SIM118 - a safetensors handle is no mapping
                part = tensors.get_slice(key)
                sizes[key] = prod(part.get_shape())
                types.add(part.get_dtype())
    except (SafetensorError, OSError) as fault:
        raise DataError(
            f"{path.name} is cut off or no safetensors file.", remedy="Fetch it again, whole."
        ) from fault
    return sizes, {one for one in types if one.startswith(("F", "BF"))}


@contextmanager
def quiet() -> Iterator[None]:
    """Transformers draws no bars and gives no warnings meanwhile: mercer says what matters itself."""
    import transformers

    logging: Any = transformers.utils.logging
    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        # One bar of Transformers heeds no setting.
        with redirect_stderr(StringIO()):
            yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()


@contextmanager
def parts_of(name: str) -> Iterator[None]:
    """Transformers reads a source meanwhile, and says nothing.

    Raises DataError when configuration, weights and tokenizer of `name` are broken or don't fit each other.
    """
    from huggingface_hub.errors import StrictDataclassError

    try:
        with quiet():
            yield
    except (
        ValueError, TypeError, KeyError, AttributeError, RuntimeError, OSError, StrictDataclassError,
    ) as fault:  # fmt: skip
        raise DataError(
            f"{name!r} can't be loaded ({type(fault).__name__}): its parts are broken or don't fit each other.",
            remedy="Take configuration, weights and tokenizer of the same model, each whole.",
        ) from fault


def _window(config: dict[str, Any]) -> int:
    return int(config.get("max_position_embeddings") or config["n_positions"])


def _forget_places(path: Path) -> None:
    content = json.loads(path.read_text("utf-8"))
    kept = {key: value for key, value in content.items() if key not in _PLACES}
    path.write_text(json.dumps(kept, indent=2, sort_keys=True, ensure_ascii=False) + "\n", "utf-8")
