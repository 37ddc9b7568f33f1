"""The model at its start: made from a config, or a pretrained one of the store whose vocabulary grows."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mercer.errors import ConflictError, DamagedError, NotFoundError, UsageError
from mercer.language.decoders.loading import libraries, without_bars
from mercer.language.decoders.store import ModelStore
from mercer.language.events.options import ShapeOptions
from mercer.language.events.storing import AGAIN

if TYPE_CHECKING:
    import torch

    from mercer.language.decoders import Decoder
    from mercer.language.events.tokenizer import EventTokenizer
    from mercer.language.finetuning import FineTuningOptions


@dataclass(frozen=True, slots=True)
class Started:
    """A model ready to learn. adapted: the same with small matrices, as peft holds it; base: what they stand beside."""

    model: Any
    adapted: Any = None
    base: Decoder | None = None


def from_config(tokenizer: EventTokenizer, shape: ShapeOptions, *, seed: int) -> Started:
    """A causal language model of Transformers in evaluation mode; its weights are a function of the seed.

    Raises MissingExtraError without the libraries.
    """
    torch, transformers = libraries()
    from mercer.language.events.dropout import with_dropout

    config, cls = _config(transformers, tokenizer, shape)
    config._attn_implementation = "sdpa"
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = cls(config).eval()
    with_dropout(model, shape.dropout)
    return Started(model)


def _config(transformers: Any, tokenizer: EventTokenizer, shape: ShapeOptions) -> tuple[Any, type[Any]]:
    inner = int(shape.width * shape.inner)
    same: dict[str, Any] = {
        "vocab_size": tokenizer.size,
        "pad_token_id": None,
        "bos_token_id": None,
        "eos_token_id": None,
        "tie_word_embeddings": shape.tied,
        "max_position_embeddings": tokenizer.longest,
    }
    if shape.family == "gpt2":
        config = transformers.GPT2Config(
            n_embd=shape.width, n_layer=shape.layers, n_head=shape.heads, n_inner=inner,
            # The same function as gelu_new, in one kernel.
            activation_function="gelu_pytorch_tanh",
            embd_pdrop=0.0, resid_pdrop=0.0, attn_pdrop=0.0, **same,
        )  # fmt: skip
        return config, transformers.GPT2LMHeadModel
    same |= {
        "hidden_size": shape.width,
        "intermediate_size": inner,
        "num_hidden_layers": shape.layers,
        "num_attention_heads": shape.heads,
        "num_key_value_heads": shape.heads,
        "attention_dropout": 0.0,
    }
    if shape.family == "llama":
        return transformers.LlamaConfig(**same), transformers.LlamaForCausalLM
    return transformers.MistralConfig(sliding_window=shape.sliding, **same), transformers.MistralForCausalLM


def pretrained(shape: ShapeOptions, *, store: ModelStore | None = None) -> Decoder | None:
    """The model of the store to start from; None where `shape` names none.

    `TextTokens.pretrained` of it is what the tokenizer must be built with. Raises NotFoundError without that model.
    """
    if not shape.start:
        return None
    from mercer.language.decoders import Decoder

    return Decoder.load((store or ModelStore()).get(shape.start_hash or shape.start), precision="fp32")


def from_pretrained(base: Decoder, tokenizer: EventTokenizer, shape: ShapeOptions, *, seed: int) -> Started:
    """A pretrained model with a row more for every token of events; `base` itself is changed.

    lora: small matrices and the new rows learn, the rest is frozen; full: every weight learns. The first values of the
    new rows and of the small matrices are a function of the seed.
    Raises ConflictError where the tokenizer's texts are not those of the model, UsageError where its rows do not fit
    the model's window, MissingExtraError without peft.
    """
    import torch

    from mercer.language.finetuning.weights import prepared

    _check(base, tokenizer)
    adapted = prepared(base, tuning(shape), seed=seed)
    generator = torch.Generator().manual_seed(seed)
    if shape.method == "lora":
        return Started(grow_frozen(adapted.get_base_model(), tokenizer.size, generator), adapted, base)
    return Started(_grow(adapted, tokenizer.size, generator).eval())


def with_adapter(
    folder: Path, rows: dict[str, torch.Tensor], tokenizer: EventTokenizer, base: str
) -> Started:
    """The model of the store whose hash is `base`, with the small matrices of a folder, and rows that were learned.

    Raises NotFoundError where the store does not hold the model, and what `Decoder.load` raises.
    """
    from mercer.language.decoders import Decoder
    from mercer.language.decoders.loading import check_adapter
    from mercer.language.finetuning.weights import needs_peft

    try:
        stored = ModelStore().get(base)
    except NotFoundError as fault:
        raise NotFoundError(
            f"What was learned stands beside the pretrained model {base[:12]}, and the store does not hold it.",
            remedy="Import that model on this machine too, or set MERCER_MODELS to a copy of the store it is in.",
        ) from fault
    below = Decoder.load(stored, precision="fp32")
    _check(below, tokenizer)
    check_adapter(folder, below.base, below.tokenizer_hash)
    with warnings.catch_warnings():
        # peft asks for a name that Transformers has renamed.
        warnings.simplefilter("ignore", FutureWarning)
        adapted = needs_peft().PeftModel.from_pretrained(below.model, folder, is_trainable=True)
    model = grow_frozen(adapted.get_base_model(), tokenizer.size, None, rows)
    return Started(model.eval(), adapted, below)


def from_folder(folder: Path, shape: ShapeOptions) -> Started:
    """A whole model of a folder, whose files were held against their hashes.

    Raises DamagedError where the weights lack one of the network's.
    """
    torch, transformers = libraries()
    from mercer.language.events.dropout import with_dropout

    with without_bars(transformers):
        model, said = transformers.AutoModelForCausalLM.from_pretrained(
            folder,
            dtype=torch.float32,
            attn_implementation="sdpa",
            local_files_only=True,
            use_safetensors=True,
            trust_remote_code=False,
            output_loading_info=True,
        )
    if said["missing_keys"]:
        raise DamagedError(
            f"The weights in {folder.name} lack {min(said['missing_keys'])}.",
            remedy=AGAIN,
        )
    # Weights of a mapped file lie where its header ends, and some processors' kernels round otherwise at another
    # alignment: as PyTorch allocates them, the model answers bit for bit as the one that was saved.
    for weight in model.parameters():
        weight.data = weight.data.clone()
    if not shape.start:
        with_dropout(model, shape.dropout)
    return Started(model.eval())


def save_adapter_of(started: Started, folder: Path, shape: ShapeOptions) -> None:
    """Write the small matrices into an existing folder."""
    from mercer.language.finetuning.adapters import save_adapter

    assert started.base is not None
    save_adapter(started.adapted, started.base, folder, options=tuning(shape), training="", licence="unknown")


def tuning(shape: ShapeOptions) -> FineTuningOptions:
    """The options of the fine-tuning that the adapters are made by."""
    from mercer.language.finetuning import FineTuningOptions

    return FineTuningOptions(method=shape.method, rank=shape.rank, alpha=shape.alpha)


def _check(base: Decoder, tokenizer: EventTokenizer) -> None:
    from mercer.language.events.text import TextTokens

    text = tokenizer.text
    if text is None or not text.leads or text.hash != TextTokens.pretrained(base).hash:
        raise ConflictError(
            "The tokenizer was not built with the texts of the model to start from.",
            remedy="Build it with text=TextTokens.pretrained(model).",
        )
    if tokenizer.longest > base.window:
        raise UsageError(
            f"Rows have {tokenizer.longest} tokens at most, but the model reads {base.window}.",
            remedy="Lower `window` of the events.",
        )


def _grow(model: Any, size: int, generator: torch.Generator) -> Any:
    """More rows at the end of a model that learns as a whole."""
    import torch

    from mercer.language.events.grown import drawn

    n_old = len(model.get_input_embeddings().weight)
    model.resize_token_embeddings(size, mean_resizing=False)
    parts = {id(part.weight): part for part in (model.get_input_embeddings(), model.get_output_embeddings())}
    with torch.no_grad():
        for part in parts.values():
            part.weight[n_old:] = drawn(part.weight[:n_old], size - n_old, generator)
    return model.requires_grad_(True)


HEAD_ROWS = "event_head"
"""Where a model whose head is a matrix of its own holds what learns of it."""


def grow_frozen(
    model: Any,
    size: int,
    generator: torch.Generator | None,
    rows: dict[str, torch.Tensor] | None = None,
) -> Any:
    """More rows at the end of a model whose own stay as they are; the new ones learn.

    rows: their values by name, as `learned_rows` gives them; left out, they are drawn.
    """
    from mercer.language.events.grown import GrownRows, drawn

    reads, foretells = model.get_input_embeddings(), model.get_output_embeddings()
    one_matrix = reads.weight is foretells.weight

    def new(old: torch.Tensor, name: str) -> torch.Tensor:
        if rows is not None:
            return rows[name]
        assert generator is not None
        return drawn(old, size - len(old), generator)

    grown = GrownRows(reads.weight, new(reads.weight, "reads"), foretells if one_matrix else None)
    if not one_matrix:
        head = GrownRows(foretells.weight, new(foretells.weight, "foretells"), foretells)
        model.add_module(HEAD_ROWS, head)
    model.set_input_embeddings(grown)
    model.config.vocab_size = size
    return model


def learned_rows(model: Any) -> dict[str, torch.Tensor]:
    """The values of the rows that learned in a model that `grow_frozen` made."""
    found = {"reads": model.get_input_embeddings().new.detach().cpu().contiguous().clone()}
    if hasattr(model, HEAD_ROWS):
        found["foretells"] = getattr(model, HEAD_ROWS).new.detach().cpu().contiguous().clone()
    return found
