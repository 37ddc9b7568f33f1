"""Which weights of a decoder learn: small matrices beside the frozen ones, or all of them."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, Literal

from mercer.errors import MissingExtraError, UnsupportedError

if TYPE_CHECKING:
    from mercer.contracts import Runtime
    from mercer.language.decoders import Decoder
    from mercer.language.finetuning.options import FineTuningOptions

_LLAMA = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
TARGETS = {"gpt2": ("c_attn", "c_proj", "c_fc"), "llama": _LLAMA, "mistral": _LLAMA}
"""The matrices of each family beside which small ones are put: all of attention and of the layers between."""


def frozen_precision(options: FineTuningOptions, runtime: Runtime) -> Literal["fp32", "bf16"]:
    """In which precision the weights that are frozen are held.

    fp32, also where the steps are computed in bf16: on a processor that is faster than bf16 weights (measured, see
    the docs), and exact. On a GPU they follow the steps, since its memory is what limits the size of the model.
    """
    if options.method == "full" or runtime.precision == "fp32":
        return "fp32"
    import torch

    on_gpu = runtime.device.startswith("cuda") or (runtime.device == "auto" and torch.cuda.is_available())
    return "bf16" if on_gpu else "fp32"


def prepared(decoder: Decoder, options: FineTuningOptions, *, seed: int) -> Any:
    """The decoder's model with its weights ready to learn; the decoder itself is changed.

    Returns a PeftModel for lora and dpo, else the model. New tokens are added first. The first small matrices are a
    function of the seed, and add nothing. Raises UnsupportedError for another family and for a decoder that has an
    adapter.
    """
    if decoder.family not in TARGETS:
        raise UnsupportedError(
            f"Models of the family {decoder.family!r} can't be fine-tuned.",
            remedy=f"Use one of {', '.join(TARGETS)}.",
        )
    if hasattr(decoder.model, "peft_config"):
        raise UnsupportedError(
            "The decoder has an adapter already.",
            remedy="Merge it into the model first (`merged`), then go on.",
        )
    added = add_tokens(decoder, options.added_tokens)
    if options.method == "full":
        whole: Any = decoder.model
        return whole.float().requires_grad_(True)
    return _with_small_matrices(decoder, options, added, seed)


def add_tokens(decoder: Decoder, texts: tuple[str, ...]) -> list[int]:
    """Make texts into tokens of their own; their embeddings start as the mean of all. Returns their ids.

    Raises UnsupportedError for a text that is a token already.
    """
    if not texts:
        return []
    import torch

    known = decoder.tokenizer.get_vocab()
    if there := [text for text in texts if text in known]:
        raise UnsupportedError(
            f"{len(there)} of the {len(texts)} texts to add are tokens already, the first is number "
            f"{texts.index(there[0]) + 1}.",
            remedy="Leave them out of added_tokens.",
        )
    model: Any = decoder.model
    tokenizer = decoder.tokenizer
    tokenizer.add_tokens(list(texts))
    words = tokenizer.get_vocab()
    ids = [words[text] for text in texts]
    has = model.get_input_embeddings().weight.shape[0]
    if len(tokenizer) > has:
        model.resize_token_embeddings(len(tokenizer), mean_resizing=False)
    rows = torch.tensor(ids)
    with torch.no_grad():
        for part in {id(part): part for part in _embeddings(model)}.values():
            known_rows = part.weight[: min(ids)].double()
            part.weight[rows.to(part.weight.device)] = known_rows.mean(0).to(part.weight.dtype)
    return ids


def _embeddings(model: Any) -> list[Any]:
    return [model.get_input_embeddings(), model.get_output_embeddings()]


def tied(model: Any) -> bool:
    """Whether what reads tokens and what foretells them is one matrix."""
    reads, foretells = _embeddings(model)
    return reads.weight is foretells.weight


def _with_small_matrices(decoder: Decoder, options: FineTuningOptions, added: list[int], seed: int) -> Any:
    peft = needs_peft()
    import torch

    model = decoder.model
    names = {id(part): name.rsplit(".", 1)[-1] for name, part in model.named_modules()}
    trained = _embeddings(model)[: 1 if tied(model) else 2]
    config = peft.LoraConfig(
        r=options.rank,
        lora_alpha=options.alpha,
        lora_dropout=options.dropout,
        target_modules=list(TARGETS[decoder.family]),
        fan_in_fan_out=decoder.family == "gpt2",
        trainable_token_indices={names[id(part)]: added for part in trained} if added else None,
        task_type="CAUSAL_LM",
    )
    with torch.random.fork_rng(devices=[]), warnings.catch_warnings():
        # peft reads a property of the model whose name will change; nothing that a reader could mend.
        warnings.simplefilter("ignore", FutureWarning)
        torch.manual_seed(seed)
        return peft.get_peft_model(model, config)


def needs_peft() -> Any:
    """The library peft. Raises MissingExtraError where it is not installed."""
    try:
        import peft
    except ImportError as fault:
        raise MissingExtraError("peft", "decoder") from fault
    return peft
