"""Folders in Hugging Face format: safetensors, a configuration and a tokenizer; nothing in them is executed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from mercer.errors import DataError, UnsupportedError
from mercer.language.decoders.card import (
    CHAT_TEMPLATE,
    CONFIG,
    GENERATION,
    TOKENIZER,
    TOKENIZER_CONFIG,
    WEIGHTS,
)
from mercer.language.decoders.conversion import Loaded, Source, checked_family, parts_of, weights_in

INDEX = f"{WEIGHTS}.index.json"
_PICKLED = frozenset({".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle"})
_TOKENIZERS = ((TOKENIZER,), ("vocab.json", "merges.txt"))
_BESIDE = (CHAT_TEMPLATE, GENERATION, TOKENIZER_CONFIG, "special_tokens_map.json", "added_tokens.json")


def read(folder: Path, *, name: str, origin: str = "", revision: str = "") -> Source:
    """The model in a folder.

    Raises UnsupportedError for weights that are only pickled, code of the model's own, another family or quantised
    weights, DataError when a file is missing, damaged or not what it should be.
    """
    config = _json(folder / CONFIG)
    checked_family(config.get("model_type"))
    _refuse_code(folder, config)
    weights = _weights(folder)
    tokenizer = _tokenizer(folder)
    beside = [folder / one for one in (*tokenizer, *_BESIDE) if (folder / one).is_file()]
    return Source(
        name=name,
        origin=origin or f"folder {folder.resolve().name}",
        revision=revision,
        licence=_licence(folder),
        files=(folder / CONFIG, *weights, *beside),
        load=partial(_load, folder, weights, has_fast=tokenizer == (TOKENIZER,)),
    )


def _json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise DataError(
            f"{path.parent.name!r} has no {path.name}.", remedy="Give a folder in Hugging Face format."
        ) from None
    except (OSError, ValueError) as fault:
        raise DataError(f"{path.name} is no JSON.", remedy="Fetch it again, whole.") from fault
    if not isinstance(content, dict):
        raise DataError(f"{path.name} is no JSON object.", remedy="Fetch it again, whole.")
    return content


def _refuse_code(folder: Path, config: dict[str, Any]) -> None:
    settings = _json(folder / TOKENIZER_CONFIG) if (folder / TOKENIZER_CONFIG).is_file() else {}
    if any("auto_map" in one or one.get("trust_remote_code") for one in (config, settings)):
        raise UnsupportedError(
            "The model brings code of its own (auto_map), which is never executed.",
            remedy="Take a version of the model that Transformers loads without it.",
        )
    if "quantization_config" in config:
        raise UnsupportedError(
            "The weights are quantised (quantization_config).",
            remedy="Take the version that is not, or a GGUF file.",
        )


def _weights(folder: Path) -> Sequence[Path]:
    if (folder / WEIGHTS).is_file():
        return (folder / WEIGHTS,)
    if (folder / INDEX).is_file():
        named = _json(folder / INDEX).get("weight_map")
        if not isinstance(named, dict) or not named or not all(_is_plain(one) for one in named.values()):
            raise DataError(f"{INDEX} names no files.", remedy="Fetch it again, whole.")
        shards = [folder / one for one in sorted(set(named.values()))]
        absent = [path.name for path in shards if not path.is_file()]
        if absent:
            raise DataError(f"{INDEX} names {absent[0]}, which is missing.", remedy="Fetch every shard.")
        return (folder / INDEX, *shards)
    pickled = _pickles(folder)
    if pickled:
        raise UnsupportedError(
            f"The weights are pickled ({pickled[0]}): opening such a file can run anything.",
            remedy="Where you trust it, load it with Transformers on a machine that holds nothing of value, and "
            "save it as safetensors: model.save_pretrained(FOLDER).",
        )
    raise DataError(f"{folder.name!r} has no {WEIGHTS}.", remedy="Give a folder in Hugging Face format.")


def _is_plain(name: object) -> bool:
    """Whether an index names a file of its own folder."""
    return isinstance(name, str) and Path(name).name == name and name.endswith(".safetensors")


def _pickles(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.suffix in _PICKLED)


def _tokenizer(folder: Path) -> Sequence[str]:
    for names in _TOKENIZERS:
        if all((folder / one).is_file() for one in names):
            return names
    raise DataError(
        f"{folder.name!r} has no tokenizer that can be read.",
        remedy=f"Put {TOKENIZER} there; Transformers writes it: tokenizer.save_pretrained(FOLDER).",
    )


def _licence(folder: Path) -> str:
    """What the head of the model's own README.md states."""
    import yaml

    readme = folder / "README.md"
    parts = readme.read_text("utf-8", errors="replace").split("---", 2) if readme.is_file() else []
    if len(parts) < 3 or parts[0].strip():
        return "unknown"
    try:
        head = yaml.safe_load(parts[1])
    except yaml.YAMLError:
        return "unknown"
    stated = head.get("license") if isinstance(head, dict) else None
    return stated if isinstance(stated, str) and stated else "unknown"


def _load(folder: Path, weights: Sequence[Path], *, has_fast: bool) -> Loaded:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedTokenizerFast

    shards = [path for path in weights if path.suffix == ".safetensors"]
    types = set[str]().union(*(weights_in(path)[1] for path in shards))
    precision = _precision(types)
    # The class that config or tokenizer name may rebuild the tokenizer by its own rules: the file is what counts.
    reader: Any = PreTrainedTokenizerFast if has_fast else AutoTokenizer
    whole: Any = AutoModelForCausalLM
    with parts_of(folder.name):
        tokenizer = reader.from_pretrained(folder, local_files_only=True)
        model, said = whole.from_pretrained(
            folder, dtype=getattr(torch, precision), use_safetensors=True, trust_remote_code=False,
            local_files_only=True, output_loading_info=True,
        )  # fmt: skip
    if said["missing_keys"]:
        raise DataError(
            f"The weights lack {len(said['missing_keys'])} tensors (first: {min(said['missing_keys'])}).",
            remedy="Fetch every file of the model; a classifier or an adapter alone can't be imported.",
        )
    return Loaded(model=model, tokenizer=tokenizer, notes=_notes(folder, said["unexpected_keys"]))


def _precision(types: set[str]) -> str:
    """The type that holds every weight without loss."""
    only = {"F16": "float16", "BF16": "bfloat16"}
    if not types <= {"F16", "BF16", "F32", "F64"}:
        raise UnsupportedError(
            f"The weights are of the type {', '.join(sorted(types))}.",
            remedy="Take a version in 16 or 32 bits.",
        )
    return only[next(iter(types))] if len(types) == 1 and types <= set(only) else "float32"


def _notes(folder: Path, unexpected: Sequence[str]) -> tuple[str, ...]:
    notes = []
    if pickled := _pickles(folder):
        notes.append(f"Pickled files lay beside the safetensors and were not opened: {', '.join(pickled)}.")
    if unexpected:
        notes.append(f"{len(unexpected)} tensors are no part of the network: left out.")
    return tuple(notes)
