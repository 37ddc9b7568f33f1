"""The language model that a prompt is given to: found in the model store, one copy in memory for all who share it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, Self
from weakref import WeakValueDictionary

from mercer.language.decoders import Decoder
from mercer.language.decoders.store import ModelStore

Weights = Literal["pretrained", "random"]
Precision = Literal["auto", "fp32", "bf16"]
"""auto: bf16 where the processor computes in it, else fp32: without, bf16 is some four times slower."""

# Trials of a tuning and the rankers of one run would otherwise each hold some hundred megabytes.
_IN_MEMORY: WeakValueDictionary[tuple[Any, ...], Decoder] = WeakValueDictionary()


@dataclass(frozen=True, slots=True)
class Bound:
    """Which model, to the bit: name and hash in the store, and for a random twin the seed of its weights."""

    name: str
    hash: str
    weights: Weights = "pretrained"
    precision: Precision = "fp32"
    seed: int = 0

    @classmethod
    def find(cls, name: str, *, weights: Weights, precision: Precision, seed: int) -> Self:
        """The model of that name or hash in the store.

        Raises NotFoundError naming the nearest name and `mercer models import`.
        """
        card = ModelStore().get(name, verify=False).card
        return cls(card.name, card.hash, weights, precision, seed if weights == "random" else 0)

    def decoder(self, device: str = "cpu") -> Decoder:
        """The model in memory.

        Raises NotFoundError with `mercer models import` where the store lacks it, DamagedError where its files differ
        from its card.
        """
        device = _there(device)
        key = (self.hash, self.weights, self.precision, self.seed, device)
        shared = _IN_MEMORY.get(key)
        stored = ModelStore().get(self.hash, verify=shared is None)
        if shared is None:
            shared = Decoder.load(stored, precision=self.precision, device=device)
            if self.weights == "random":
                shared = random_twin(shared, self.seed)
            _IN_MEMORY[key] = shared
        return shared


def _there(device: str) -> str:
    """A device as PyTorch names it: `auto` is a GPU where there is one."""
    if device != "auto":
        return device
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def random_twin(decoder: Decoder, seed: int) -> Decoder:
    """A decoder of the same shape and tokenizer whose weights are drawn by the seed, as before any training."""
    import torch

    device, dtype = decoder.model.device, decoder.model.dtype
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        # Drawn on the processor in fp32, so that every device and precision starts from the same numbers.
        model: Any = type(decoder.model)(decoder.model.config)
    return Decoder(
        model.to(device=device, dtype=dtype),
        decoder.tokenizer,
        base=f"random {seed} of {decoder.base}",
        tokenizer_hash=decoder.tokenizer_hash,
        precision="bf16" if decoder.precision == "bf16" else "fp32",
    )
