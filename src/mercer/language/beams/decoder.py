"""DecoderSteps: a causal language model of Transformers as the search's model.

The beams of a request lie side by side in one row of the batch. A new token attends to the prompt and to its own
ancestors, by a mask; so a prompt is read once for all beams, its keys and values are held once, and when beams are
dropped nothing is copied or reordered. Prompts are filled up on the right: a causal model's real tokens never see
what comes after them, so a block of unequal prompts needs no mask, and each is read as if it were alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from mercer.errors import UnsupportedError, UsageError

if TYPE_CHECKING:
    import torch

    from mercer.language.beams.states import Kept

Int32s = npt.NDArray[np.int32]
Floats32 = npt.NDArray[np.float32]

FAMILIES = ("gpt2", "llama", "mistral")

READ_AT_ONCE = 2_048
"""Tokens of prompts in one forward step: what layers hold in between does not grow with the block."""


class Beside(Protocol):
    """What a decoder knows of items beside its tokens."""

    def read(self, ids: torch.Tensor) -> torch.Tensor:
        """What is added to what enters the layers, shape (n, length, width), for prompts, shape (n, length)."""
        ...

    def foretold(self, states: torch.Tensor, level: int, nodes: npt.NDArray[np.integer]) -> torch.Tensor:
        """What is added to the logits of a position's tokens, shape (m, tokens), after states, shape (m, width).

        nodes: shape (m,): of the tree, where each stands.
        """
        ...


class DecoderSteps:
    """StepModel of a GPT-2, LLaMA or Mistral.

    model: in evaluation mode, with sdpa or eager attention. rows: for each position of a path, the rows
    `start:stop` of the vocabulary that its tokens are; token c of position t is row `start + c`, and probabilities are
    normalised over these rows. None: tokens are the vocabulary's own at every position, normalised over all of it.
    beside: with `rows`, what is known of items beside their tokens.
    Raises UnsupportedError for another family or attention, UsageError for rows that the vocabulary does not have.

    Stability: experimental.
    """

    def __init__(
        self, model: Any, rows: Sequence[tuple[int, int]] | None = None, *, beside: Beside | None = None
    ) -> None:
        self.model = model
        self.beside = beside
        config = model.config
        if config.model_type not in FAMILIES or config._attn_implementation not in ("sdpa", "eager"):
            raise UnsupportedError(
                f"A {config.model_type} with {config._attn_implementation} attention can't read beams side by side.",
                remedy=f"Use one of {', '.join(FAMILIES)} with attn_implementation='sdpa'.",
            )
        self.rows = None if rows is None else tuple((int(start), int(stop)) for start, stop in rows)
        for start, stop in self.rows or ():
            if not 0 <= start < stop <= config.vocab_size:
                raise UsageError(
                    f"Rows {start} to {stop} are not among the vocabulary's {config.vocab_size}.",
                    remedy="Give the rows of the tokenizer that the model was made for.",
                )

    def begin(self, prompts: Sequence[Int32s], *, width: int, steps: int) -> tuple[Kept, Floats32]:
        """As StepModel says.

        Raises UsageError for an empty prompt, for one that passes the window with the path, and for a model in
        training mode, whose dropout would make the answer a matter of chance.
        """
        import torch

        self._check(prompts, steps)
        device = self.model.device
        lengths = [len(prompt) for prompt in prompts]
        ids = np.zeros((len(prompts), max(lengths)), np.int64)
        for row, prompt in enumerate(prompts):
            ids[row, : len(prompt)] = prompt
        tokens = torch.from_numpy(ids).to(device)
        kept = self._room(torch.tensor(lengths, device=device), max(lengths), width * steps)
        at_once = max(1, READ_AT_ONCE // max(lengths))
        ends = [
            self._read(kept, tokens, slice(begin, begin + at_once))
            for begin in range(0, len(prompts), at_once)
        ]
        root = np.zeros((len(prompts), 1), np.int32)
        return kept, self._log_probabilities(torch.cat(ends)[:, None], 0, root)

    def step(self, state: Kept, parents: Int32s, tokens: Int32s, nodes: Int32s) -> Floats32:
        """As StepModel says."""
        import torch

        device = self.model.device
        start = 0 if self.rows is None else self.rows[state.depth][0]
        ids = torch.from_numpy(tokens.astype(np.int64) + start).to(device)
        state.grow(torch.from_numpy(parents.astype(np.int64)).to(device))
        with torch.inference_mode():
            hidden = self._layers(
                input_ids=ids,
                attention_mask=state.mask(self._window, self.model.dtype),
                position_ids=(state.lengths[:, None] + (state.depth - 1)).expand(ids.shape),
                past_key_values=state,
                use_cache=True,
            ).last_hidden_state
        return self._log_probabilities(hidden, state.depth, nodes)

    def bytes_a_request(self, tokens: int, *, width: int, steps: int) -> int:
        """As StepModel says: keys, values, the mask and the probabilities of one step."""
        heads, columns = self._shape
        rows = self.model.config.vocab_size if self.rows is None else max(b - a for a, b in self.rows)
        columns_kept = tokens + width * steps
        number = int(self.model.dtype.itemsize)
        kept = 2 * len(self._blocks) * heads * columns * columns_kept * number
        return kept + width * (columns_kept * number + 2 * rows * 4)

    def _check(self, prompts: Sequence[Int32s], steps: int) -> None:
        if self.model.training:
            raise UsageError("The model is in training mode.", remedy="Call model.eval() first.")
        window = int(self.model.config.max_position_embeddings)
        for prompt in prompts:
            if not len(prompt) or len(prompt) + steps > window:
                raise UsageError(
                    f"A prompt has {len(prompt):,} tokens and its answer {steps:,} more are read; the model's window "
                    f"has {window:,}.",
                    remedy="Begin every prompt with a start token, and cut the oldest events of a long history.",
                )

    @property
    def _layers(self) -> Any:
        """The network below the head."""
        return getattr(self.model, self.model.base_model_prefix)

    @property
    def _blocks(self) -> Any:
        layers = self._layers
        return layers.h if self.model.config.model_type == "gpt2" else layers.layers

    @property
    def _window(self) -> int | None:
        """How many tokens back a token looks."""
        window = getattr(self.model.config, "sliding_window", None)
        return None if window is None else int(window)

    @property
    def _shape(self) -> tuple[int, int]:
        """Heads and columns of keys and values."""
        config = self.model.config
        heads = getattr(config, "num_key_value_heads", None) or config.num_attention_heads
        columns = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
        return int(heads), int(columns)

    def _room(self, lengths: torch.Tensor, longest: int, more: int) -> Kept:
        """Room for prompts and for what comes after."""
        import torch

        from mercer.language.beams.states import Kept

        heads, columns = self._shape
        shape = (len(lengths), heads, longest + more, columns)
        keys, values = (
            [torch.empty(shape, dtype=self.model.dtype, device=lengths.device) for _ in self._blocks]
            for _ in range(2)
        )
        nothing = torch.zeros((len(lengths), 0, 0), dtype=torch.bool, device=lengths.device)
        return Kept(keys, values, lengths, longest, [], nothing)

    def _read(self, kept: Kept, tokens: torch.Tensor, part: slice) -> torch.Tensor:
        """Read some of the prompts into their room; the outputs at their ends, shape (part, width)."""
        import torch
        from transformers import DynamicCache

        # Without a config the cache keeps all, also what lies outside a sliding window.
        cache: Any = DynamicCache()
        with torch.inference_mode():
            hidden = self._layers(
                **self._entering(tokens[part]), past_key_values=cache, use_cache=True
            ).last_hidden_state
            for layer, read in enumerate(cache.layers):
                kept.keys[layer][part, :, : kept.prompt] = read.keys
                kept.values[layer][part, :, : kept.prompt] = read.values
            ends: torch.Tensor = hidden[torch.arange(len(hidden)), kept.lengths[part] - 1]
        return ends

    def _entering(self, tokens: torch.Tensor) -> dict[str, torch.Tensor]:
        if self.beside is None:
            return {"input_ids": tokens}
        return {"inputs_embeds": self.model.get_input_embeddings()(tokens) + self.beside.read(tokens)}

    def _log_probabilities(self, hidden: torch.Tensor, position: int, nodes: Int32s) -> Floats32:
        """Shape (n, beams, tokens of the position); hidden: shape (n, beams, width); nodes: shape (n, beams)."""
        import torch

        head = self.model.get_output_embeddings()
        with torch.inference_mode():
            if self.rows is None:
                logits = head(hidden)
            else:
                start, stop = self.rows[position]
                if type(head) is torch.nn.Linear:
                    bias = None if head.bias is None else head.bias[start:stop]
                    logits = torch.nn.functional.linear(hidden, head.weight[start:stop], bias)
                else:
                    # An adapter may stand in for the head.
                    logits = head(hidden)[..., start:stop]
            if self.beside is not None:
                said = self.beside.foretold(hidden.flatten(0, 1), position, nodes.ravel())
                logits = logits + said.view(logits.shape)
            found: Floats32 = torch.log_softmax(logits.float(), -1).cpu().numpy()
        return found
