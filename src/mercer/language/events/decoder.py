"""EventDecoder: a causal language model of Transformers over the tokens of events."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt

from mercer.contracts import Dataset, Ragged
from mercer.errors import DamagedError, UsageError
from mercer.language.decoders.loading import libraries, without_bars
from mercer.language.events import starting
from mercer.language.events.options import EventOptions, ShapeOptions
from mercer.language.events.storing import (
    AGAIN,
    check_vocabulary,
    read_manifest,
    reading,
    write_manifest,
    writing,
)
from mercer.language.events.text import TextTokens
from mercer.language.events.tokenizer import EventTokenizer

if TYPE_CHECKING:
    import torch

    from mercer.language.decoders import Decoder
    from mercer.language.events.meaning import Meaning, Vectors
    from mercer.language.semantic_ids import SemanticIds

Floats32 = npt.NDArray[np.float32]

_ADAPTER, _ROWS = "adapter", "rows.safetensors"
_MEANING, _MEANING_FILE = "item_meaning", "meaning.safetensors"


class EventDecoder:
    """GPT2LMHeadModel, LlamaForCausalLM or MistralForCausalLM over the vocabulary of a tokenizer.

    model: in evaluation mode; its head has a row for each token, and a token's probability is the softmax over the
    rows of its own field alone. shape: as chosen.
    Stability: experimental.
    """

    def __init__(
        self,
        model: Any,
        tokenizer: EventTokenizer,
        shape: ShapeOptions,
        *,
        started: starting.Started | None = None,
        meaning: Meaning | None = None,
    ) -> None:
        self.model = model
        self.tokenizer = tokenizer
        self.shape = shape
        self.meaning = meaning
        self._started = started or starting.Started(model)
        if meaning is not None:
            # A part of the model, so that it learns, moves and is kept with it.
            model.add_module(_MEANING, meaning.weights)

    @classmethod
    def build(
        cls,
        dataset: Dataset,
        ids: SemanticIds,
        events: EventOptions,
        shape: ShapeOptions,
        *,
        seed: int,
        vectors: Vectors | None = None,
    ) -> Self:
        """A tokenizer fitted to a training log, and a decoder over it at its start; texts as `shape.start` reads them.

        vectors: of the items, shape (I, V), for `shape.meaning`.
        Raises what `EventTokenizer.build`, `starting.pretrained` and `new` raise.
        """
        base = starting.pretrained(shape)
        text = None if base is None else TextTokens.pretrained(base)
        tokenizer = EventTokenizer.build(dataset, ids, events, text=text)
        return cls.new(tokenizer, shape, seed=seed, base=base, vectors=vectors)

    @classmethod
    def new(
        cls,
        tokenizer: EventTokenizer,
        shape: ShapeOptions,
        *,
        seed: int,
        base: Decoder | None = None,
        vectors: Vectors | None = None,
    ) -> Self:
        """A decoder at its start; what is not pretrained of its weights is a function of the seed.

        base: what `starting.pretrained(shape)` gave, which becomes the decoder's own; left out, it is read again.
        Raises MissingExtraError without the libraries, UsageError for `shape.meaning` without vectors, and what
        `starting.from_pretrained` raises.
        """
        base = base or starting.pretrained(shape)
        if base is None:
            started = starting.from_config(tokenizer, shape, seed=seed)
        else:
            started = starting.from_pretrained(base, tokenizer, shape, seed=seed)
        meaning = None
        if shape.meaning != "tokens":
            from mercer.language.events.meaning import Meaning, MeaningWeights

            found = _given(vectors)
            width = int(started.model.config.hidden_size)
            weights = MeaningWeights(
                found.shape[1], width, len(found), rows=shape.meaning == "items", seed=seed
            )
            meaning = Meaning(weights, tokenizer, found)
        return cls(started.model, tokenizer, shape, started=started, meaning=meaning)

    @property
    def n_weights(self) -> int:
        """Numbers in the weights, tied ones once."""
        return sum(one.numel() for one in self.model.parameters())

    def slot_rows(self, number: int) -> tuple[int, int]:
        """The rows over which a slot of the tokenizer is normalised."""
        slot = self.tokenizer.slots[number]
        return slot.start, slot.stop

    def states(self, ids: torch.Tensor) -> torch.Tensor:
        """The last layer's output after each token, shape (n, length, width); padding stands on the right."""
        body = getattr(self.model, self.model.base_model_prefix)
        entering = self.model.get_input_embeddings()(ids)
        if self.meaning is not None:
            entering = entering + self.meaning.read(ids)
        found: torch.Tensor = body(inputs_embeds=entering, use_cache=False).last_hidden_state
        return found

    def logits(self, states: torch.Tensor, start: int, stop: int) -> torch.Tensor:
        """Scores of the tokens from start to stop - 1, shape (n, stop - start), from states, shape (n, width)."""
        from torch.nn import functional

        grown = getattr(self.model, starting.HEAD_ROWS, None) or self.model.get_input_embeddings()
        if hasattr(grown, "rows"):
            return functional.linear(states, grown.rows(start, stop))
        return functional.linear(states, self.model.get_output_embeddings().weight[start:stop])

    def pooled(self, rows: Ragged, *, batch_tokens: int = 8192) -> tuple[Floats32, Floats32]:
        """The state after the last token of each row, and the mean of the states after all, shape (n, width) each.

        rows: of one token or more. What stands in another row changes nothing but last digits.
        """
        import torch

        width = int(self.model.config.hidden_size)
        last, mean = np.zeros((2, len(rows), width), np.float32)
        device = next(self.model.parameters()).device
        with torch.inference_mode():
            for batch in _batches(rows.lengths, batch_tokens):
                length = torch.from_numpy(rows.lengths[batch]).to(device)
                states = self.states(torch.from_numpy(_padded(rows, batch)).to(device)).float()
                there = torch.arange(states.shape[1], device=device) < length[:, None]
                last[batch] = states[torch.arange(len(batch), device=device), length - 1].cpu().numpy()
                mean[batch] = ((states * there[..., None]).sum(1) / length[:, None]).cpu().numpy()
        return last, mean

    def save(self, folder: Path) -> None:
        """Write tokenizer and weights; with an adapter, only what was learned beside the model of the store.

        The IDs are stored by themselves. Raises OutputError where the folder can't be written.
        """
        from safetensors.torch import save_file

        told = {
            "vocabulary": self.tokenizer.vocabulary,
            "shape": self.shape.model_dump(mode="json"),
            "base": "",
        }
        with writing(folder):
            self.tokenizer.save(folder)
            if self._started.base is None:
                _, transformers = libraries()
                with without_bars(transformers):
                    own = {
                        name: weight
                        for name, weight in self.model.state_dict().items()
                        if not name.startswith(_MEANING)
                    }
                    self.model.save_pretrained(folder, state_dict=own)
            else:
                told["base"] = self._started.base.base
                (folder / _ADAPTER).mkdir(exist_ok=True)
                starting.save_adapter_of(self._started, folder / _ADAPTER, self.shape)
                save_file(starting.learned_rows(self.model), folder / _ROWS)
            if self.meaning is not None:
                save_file(self.meaning.weights.state_dict(), folder / _MEANING_FILE)
            write_manifest(folder, told)

    @classmethod
    def load(
        cls, folder: Path, ids: SemanticIds, *, vectors: Vectors | None = None, device: str = "cpu"
    ) -> Self:
        """Read what `save` wrote; it answers bit for bit as the saved one on the same machine.

        ids, vectors: those it was trained with; `over` then takes it to a catalogue that has grown. Raises
        ConflictError for other IDs or another vocabulary, UsageError where it needs vectors and none are given,
        DamagedError for files that were changed, UnsupportedError for pickled weights, NotFoundError where it has an
        adapter and the store does not hold its model.
        """
        tokenizer = EventTokenizer.load(folder, ids)
        told = read_manifest(folder, tokenizer.vocabulary)
        try:
            shape = ShapeOptions(**told["shape"])
            base = str(told["base"])
        except (KeyError, ValueError, TypeError) as fault:
            raise DamagedError(f"{folder.name} holds no whole decoder.", remedy=AGAIN) from fault
        meaning = None
        with reading(folder):
            if base:
                from safetensors.torch import load_file

                rows = load_file(folder / _ROWS)
                started = starting.with_adapter(folder / _ADAPTER, rows, tokenizer, base)
            else:
                started = starting.from_folder(folder, shape)
            if shape.meaning != "tokens":
                from mercer.language.events.meaning import Meaning, MeaningWeights

                meaning = Meaning(MeaningWeights.load(folder / _MEANING_FILE), tokenizer, _given(vectors))
        made = cls(started.model, tokenizer, shape, started=started, meaning=meaning)
        made.model.to(device)
        return made

    def over(self, tokenizer: EventTokenizer, vectors: Vectors | None = None) -> Self:
        """The same weights over a catalogue that has grown. vectors: of all its items, where the decoder reads them.

        Raises ConflictError for another vocabulary.
        """
        check_vocabulary("The decoder", self.tokenizer.vocabulary, tokenizer.vocabulary)
        meaning = None if self.meaning is None else self.meaning.over(tokenizer, _given(vectors))
        return type(self)(self.model, tokenizer, self.shape, started=self._started, meaning=meaning)


def _given(vectors: Vectors | None) -> Vectors:
    if vectors is None:
        raise UsageError(
            "The decoder reads what items mean, and no vectors are given.",
            remedy="Give those that the IDs were made from (SemanticCatalogue.vectors), or set meaning to tokens.",
        )
    return vectors


def _batches(lengths: npt.NDArray[np.int64], batch_tokens: int) -> Iterator[npt.NDArray[np.int64]]:
    """All rows once, the longest first, so many at a time that with padding they are `batch_tokens` or one row."""
    order, at = np.argsort(-lengths, kind="stable"), 0
    while at < len(order):
        n = max(1, batch_tokens // int(lengths[order[at]]))
        yield order[at : at + n]
        at += n


def _padded(rows: Ragged, batch: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Tokens of some rows, shape (rows, longest); padding on the right repeats a row's last token."""
    length = rows.lengths[batch]
    place = np.minimum(np.arange(int(length.max())), length[:, None] - 1)
    return rows.values[rows.indptr[batch, None] + place].astype(np.int64)
