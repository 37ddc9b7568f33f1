"""What is looked at before a model's weights are read: its folder, its adapter, and what the processor can do."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, Protocol, runtime_checkable

from mercer.errors import DamagedError, MissingExtraError, NotFoundError, UnsupportedError, UsageError
from mercer.language.decoders.card import (
    CHAT_TEMPLATE,
    CONFIG,
    FAMILIES,
    TOKENIZER,
    TOKENIZER_CONFIG,
    file_sha256,
    pairs_hash,
)

ADAPTER_CARD = "mercer_adapter.json"
"""Beside an adapter's weights: {"base": hash of the model, "tokenizer": SHA-256 of the base's tokenizer.json}."""

ADAPTER_CONFIG = "adapter_config.json"

Precision = Literal["auto", "fp32", "bf16"]


@runtime_checkable
class _Card(Protocol):
    @property
    def hash(self) -> str: ...


@runtime_checkable
class Stored(Protocol):
    """A model of the store: its folder and its card with the hash of all files."""

    @property
    def folder(self) -> Path:
        """Where the files lie."""
        ...

    @property
    def card(self) -> _Card:
        """What is known about them."""
        ...


def resolve_precision(precision: Precision, device: str) -> Literal["fp32", "bf16"]:
    """What `auto` means on a device: bf16 where it computes in it, fp32 elsewhere."""
    if precision not in ("auto", "fp32", "bf16"):
        raise UsageError(f"Precision is {precision!r}.", remedy="Use auto, fp32 or bf16.")
    if precision != "auto":
        return precision
    if device.startswith("cuda"):
        torch, _ = libraries()
        return "bf16" if torch.cuda.is_bf16_supported() else "fp32"
    return "bf16" if device == "cpu" and _cpu_has_bf16() else "fp32"


def folder_hash(folder: Path) -> str:
    """The hash that a card would have: of weights, configuration, tokenizer and template."""
    return _hash_of(folder, CONFIG, TOKENIZER, TOKENIZER_CONFIG, CHAT_TEMPLATE)


def _hash_of(folder: Path, *names: str) -> str:
    """One hash of the folder's safetensors and of the named files that are there."""
    found = [path for name in names if (path := folder / name).exists()] + list(folder.glob("*.safetensors"))
    return pairs_hash({path.name: file_sha256(path) for path in found})


def libraries() -> tuple[Any, Any]:
    """PyTorch and Transformers. Raises MissingExtraError where one is absent."""
    try:
        import torch
        import transformers
    except ImportError as missing:
        raise MissingExtraError(missing.name or "transformers", "decoder") from missing
    return torch, transformers


@contextmanager
def without_bars(transformers: Any) -> Iterator[None]:
    """Transformers draws a progress bar for each file, also for one that takes no time."""
    logging = transformers.utils.logging
    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()


def _cpu_has_bf16() -> bool:
    """Whether the processor multiplies in bf16; without it, bf16 is emulated and slower than fp32."""
    about = Path("/proc/cpuinfo")
    if not about.exists():
        return False
    lines = about.read_text().splitlines()
    flags = next((line for line in lines if line.startswith(("flags", "Features"))), "").split()
    return not {"avx512_bf16", "amx_bf16", "bf16"}.isdisjoint(flags)


def check_folder(folder: Path) -> None:
    """Raises NotFoundError, DamagedError or UnsupportedError for a folder that is not read."""
    config = folder / CONFIG
    if not config.exists():
        raise NotFoundError(
            f"No model lies in the folder {folder.name!r}: {CONFIG} is missing.",
            remedy="Import one with: mercer models import SOURCE",
        )
    try:
        family = json.loads(config.read_text(encoding="utf-8")).get("model_type")
    except (ValueError, AttributeError) as broken:
        raise DamagedError(f"{config.name} of {folder.name!r} is no JSON object.") from broken
    if family not in FAMILIES:
        raise UnsupportedError(
            f"The model in {folder.name!r} is of the family {family!r}.",
            remedy=f"Use one of {', '.join(FAMILIES)}.",
        )
    if not any(folder.glob("*.safetensors")):
        raise UnsupportedError(
            f"The folder {folder.name!r} holds no safetensors weights; pickled ones are never read.",
            remedy="Convert them first, or import the model with: mercer models import SOURCE",
        )
    if not (folder / TOKENIZER).exists():
        raise UnsupportedError(
            f"The folder {folder.name!r} holds no {TOKENIZER}.",
            remedy="Save the model with a fast tokenizer, which writes that file.",
        )


def check_adapter(adapter: Path, base: str, tokenizer_hash: str) -> str:
    """The adapter's hash. Raises UnsupportedError where it belongs to another model or tokenizer."""
    card = adapter / ADAPTER_CARD
    if not card.exists() or not any(adapter.glob("*.safetensors")):
        raise NotFoundError(
            f"No adapter lies in the folder {adapter.name!r}: {ADAPTER_CARD} or its safetensors are missing.",
            remedy="Name a folder that a fine-tuning wrote.",
        )
    told = json.loads(card.read_text(encoding="utf-8"))
    for what, wanted, found in (
        ("model", told["base"], base),
        ("tokenizer", told["tokenizer"], tokenizer_hash),
    ):
        if wanted != found:
            raise UnsupportedError(
                f"The adapter {adapter.name!r} was trained on the {what} {wanted[:12]}, but this one is {found[:12]}.",
                remedy="Load it with the model that its card names.",
            )
    return _hash_of(adapter, ADAPTER_CARD, ADAPTER_CONFIG, TOKENIZER)


def with_adapter(model: Any, adapter: Path, n_tokens: int) -> Any:
    """The model with the adapter's layers put in; grown first where the adapter brings tokens."""
    try:
        import peft
    except ImportError as missing:
        raise MissingExtraError("peft", "decoder") from missing
    if n_tokens > model.get_input_embeddings().num_embeddings:
        model.resize_token_embeddings(n_tokens, mean_resizing=False)
    with warnings.catch_warnings():
        # peft asks for a name that Transformers has renamed.
        warnings.filterwarnings("ignore", "`is_gradient_checkpointing`", FutureWarning)
        adapted = peft.PeftModel.from_pretrained(model, adapter, is_trainable=False)
    return adapted.get_base_model()
