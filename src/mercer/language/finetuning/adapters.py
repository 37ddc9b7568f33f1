"""Adapters: what a fine-tuning learned, in a folder of its own beside the model that it belongs to.

    adapter_model.safetensors, adapter_config.json   as peft writes them
    mercer_adapter.json                              what it belongs to and comes from (`AdapterCard`)
    tokenizer.json, tokenizer_config.json            only where tokens were added

`Decoder.load(base, adapter=FOLDER)` reads one, and refuses it beside another model or tokenizer. `merged` makes a model
of both.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from mercer.errors import DamagedError, NotFoundError
from mercer.language.decoders.decoder import ADAPTER_CARD, Decoder, Stored

if TYPE_CHECKING:
    from mercer.language.finetuning.options import FineTuningOptions


@dataclass(frozen=True, slots=True, kw_only=True)
class AdapterCard:
    """`mercer_adapter.json`: what an adapter belongs to and comes from.

    base: hash of the model. tokenizer: SHA-256 of its tokenizer.json. method, rank: of the fine-tuning.
    added_tokens: how many. training: hash of the facts, options and seed of the training. licence: of the model, to
    which the adapter is bound too; what its examples allow is for their owner to say.
    """

    base: str
    tokenizer: str
    family: str
    method: str
    rank: int
    added_tokens: int
    training: str
    licence: str

    @classmethod
    def load(cls, folder: Path) -> Self:
        """The card of an adapter. Raises NotFoundError where there is none, DamagedError where it can't be read."""
        path = folder / ADAPTER_CARD
        try:
            return cls(**json.loads(path.read_text("utf-8")))
        except FileNotFoundError as fault:
            raise NotFoundError(
                f"No adapter lies in the folder {folder.name!r}.",
                remedy="Name a folder that a fine-tuning wrote.",
            ) from fault
        except (OSError, ValueError, TypeError) as fault:
            raise DamagedError(
                f"{path.name} of {folder.name!r} can't be read.", remedy="Fine-tune again."
            ) from fault


def save_adapter(
    model: Any,
    decoder: Decoder,
    folder: Path,
    *,
    options: FineTuningOptions,
    training: str,
    licence: str,
) -> AdapterCard:
    """Write the small matrices of a PeftModel of `decoder.model` into an existing folder; the card comes last."""
    (folder / ADAPTER_CARD).unlink(missing_ok=True)
    for config in model.peft_config.values():
        # Where the base lay on this machine is nobody's business; its hash is in the card.
        config.base_model_name_or_path = ""
    model.save_pretrained(folder, save_embedding_layers=False)
    (folder / "README.md").unlink(missing_ok=True)
    if options.added_tokens:
        decoder.tokenizer.save_pretrained(folder)
    card = AdapterCard(
        base=decoder.base,
        tokenizer=decoder.tokenizer_hash,
        family=decoder.family,
        method=options.method,
        rank=options.rank,
        added_tokens=len(options.added_tokens),
        training=training,
        licence=licence,
    )
    (folder / ADAPTER_CARD).write_text(json.dumps(asdict(card), indent=1), "utf-8")
    return card


def merged(source: Path | Stored, adapter: Path) -> Decoder:
    """A model and its adapter as one model, in fp32; `save` writes it.

    Sums of products are added in another order then: logits move by about 1e-4 to 1e-3.
    Raises what `Decoder.load` raises.
    """
    both = Decoder.load(source, adapter=adapter, precision="fp32")
    _put_together(both.model)
    base = hashlib.sha256(both.fingerprint.encode()).hexdigest()
    return Decoder(both.model, both.tokenizer, base=base, tokenizer_hash=both.tokenizer_hash)


def _put_together(model: Any) -> None:
    """Add every small matrix to the large one beside it, and leave that in its place."""
    from peft.tuners.tuners_utils import BaseTunerLayer
    from peft.utils import AuxiliaryTrainingWrapper

    for name, part in list(model.named_modules()):
        if isinstance(part, AuxiliaryTrainingWrapper):
            whole = part.unload_and_optionally_merge_module(merge=True, safe_merge=True, adapter_names=None)
        elif isinstance(part, BaseTunerLayer) and hasattr(part, "lora_A"):
            part.merge(safe_merge=True)
            whole = part.get_base_layer()
        else:
            continue
        above, _, own = name.rpartition(".")
        setattr(model.get_submodule(above), own, whole)
