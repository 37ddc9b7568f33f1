"""GGUF files: read only here, dequantised once, and never met again.

The weights are stored in 16 bits. A quantised GGUF keeps 16-bit scales beside numbers of 8 bits and fewer, so
float16 loses the least of the types of that size: on SmolLM2 (Q4_1) the standard deviation of a token's
log-probability against float32 is .0020, that of bfloat16 .0120, and perplexity is equal in five digits. A file
whose tensors are float32 or bfloat16 throughout keeps its type.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mercer.errors import DataError, MissingExtraError, UnsupportedError
from mercer.language.decoders.card import name_from
from mercer.language.decoders.conversion import Loaded, Source, checked_family, parts_of

if TYPE_CHECKING:
    import torch

_PLAIN = ("F32", "F16", "BF16")
_QUANTISED = ("Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K")
_SPLITS = ("gpt-2", "llama3", "llama-v3", "llama-bpe", "tekken")
"""How a byte-level tokenizer cuts text before merging, where Transformers builds it as the file says."""
_DIGITS_FIRST = ("smollm", "starcoder", "refact", "command-r")
"""The same where each digit stands alone, which Transformers leaves out."""


def read(path: Path, *, name: str = "", origin: str = "", licence: str = "") -> Source:
    """The model in a GGUF file. name, origin, licence: instead of what the file says.

    Raises DataError when the file is not GGUF or cut off, UnsupportedError for another family, a type of tensor or a
    tokenizer that can't be converted faithfully, MissingExtraError without the library gguf.
    """
    if find_spec("gguf") is None:
        raise MissingExtraError("gguf", "decoder")
    fields, types = _header(path)
    checked_family(fields.get("general.architecture"))
    wrong = sorted(set(types) - {*_PLAIN, *_QUANTISED})
    if wrong:
        raise UnsupportedError(
            f"{path.name} has tensors of the GGUF type {', '.join(wrong)}.",
            remedy=f"Take a file of one of these: {', '.join((*_PLAIN, *_QUANTISED))}.",
        )
    _check_tokenizer(path, fields)
    return Source(
        name=name or name_from(path.stem),
        origin=origin or f"GGUF file {path.name}",
        revision="",
        licence=licence or str(fields.get("general.license") or "unknown"),
        files=(path,),
        load=partial(_load, path, fields, types),
    )


def _header(path: Path) -> tuple[dict[str, Any], Counter[str]]:
    """What a file says of itself, long lists left out, and how many numbers it has of each type."""
    with path.open("rb") as stream:
        if stream.read(4) != b"GGUF":
            raise DataError(
                f"{path.name} is not a GGUF file.",
                remedy="Give a GGUF file, or a folder in Hugging Face format.",
            )
    from gguf import GGUFReader, GGUFValueType

    try:
        reader = GGUFReader(path)
        fields = {
            key: field.contents()
            for key, field in reader.fields.items()
            if field.types and field.types[0] != GGUFValueType.ARRAY
        }
        types: Counter[str] = Counter()
        for tensor in reader.tensors:
            types[tensor.tensor_type.name] += int(tensor.n_elements)
    except (ValueError, IndexError, KeyError, OverflowError, UnicodeDecodeError) as fault:
        raise DataError(f"{path.name} is cut off or damaged.", remedy="Fetch it again, whole.") from fault
    if not types:
        raise DataError(f"{path.name} holds no tensors.", remedy="Take a file that holds the weights too.")
    return fields, types


def _check_tokenizer(path: Path, fields: dict[str, Any]) -> None:
    kind, split = fields.get("tokenizer.ggml.model"), fields.get("tokenizer.ggml.pre")
    if kind is None:
        raise DataError(f"{path.name} has no tokenizer.", remedy="Take a file that holds the tokenizer too.")
    if kind == "llama" or (kind == "gpt2" and split in (*_SPLITS, *_DIGITS_FIRST)):
        return
    raise UnsupportedError(
        f"{path.name} has a tokenizer of the kind {kind!r} that cuts text as {split!r} does.",
        remedy="Import the model from a folder in Hugging Face format, which holds its own tokenizer.",
    )


def _load(path: Path, fields: dict[str, Any], types: Counter[str]) -> Loaded:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer: Any
    model: Any
    # Alone in a folder, so that Transformers reads nothing that lies beside the file.
    with tempfile.TemporaryDirectory() as alone, parts_of(path.name):
        (Path(alone) / "model.gguf").symlink_to(path.resolve())
        tokenizer = AutoTokenizer.from_pretrained(alone, gguf_file="model.gguf")
        model = AutoModelForCausalLM.from_pretrained(alone, gguf_file="model.gguf", dtype=torch.float32)
    if fields.get("tokenizer.ggml.pre") in _DIGITS_FIRST:
        _split_digits(tokenizer)
    _forget_quantisation(model)
    model.to(_precision(model, types))
    return Loaded(model=model, tokenizer=tokenizer, notes=_notes(types))


def _split_digits(tokenizer: Any) -> None:
    from tokenizers import pre_tokenizers

    tokenizer.backend_tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Digits(individual_digits=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True),
        ]
    )


def _forget_quantisation(model: Any) -> None:
    """Transformers marks the model as quantised though it no longer is, and then refuses to save it."""
    for name in ("hf_quantizer", "is_quantized", "quantization_method"):
        vars(model).pop(name, None)
    if hasattr(model.config, "quantization_config"):
        del model.config.quantization_config


def _precision(model: Any, types: Counter[str]) -> torch.dtype:
    import torch

    if set(types) == {"F32"}:
        return torch.float32
    if set(types) <= {"F32", "BF16"}:
        return torch.bfloat16
    largest = max(float(weight.detach().abs().max()) for weight in model.parameters())
    return torch.float16 if largest <= torch.finfo(torch.float16).max else torch.float32


def _notes(types: Counter[str]) -> tuple[str, ...]:
    most = types.most_common(1)[0][0]
    if most in _PLAIN:
        return (f"Converted from a GGUF file of type {most}.",)
    others = sorted(set(types) - {most})
    rest = f" (with {', '.join(others)})" if others else ""
    return (f"Dequantised from {most}{rest}: not the weights that were trained.",)
