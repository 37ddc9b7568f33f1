"""Tiny decoders over ID tokens, random catalogues and rules, and what answers should be, worked out plainly."""

from __future__ import annotations

import itertools

import numpy as np
import torch
import transformers

from mercer.contracts import Ragged

FIRST = 8
SIZES = (6, 5, 4, 3)
VOCABULARY = FIRST + sum(SIZES)
STARTS = FIRST + np.cumsum([0, *SIZES[:-1]])
ROWS = [(int(start), int(start + size)) for start, size in zip(STARTS, SIZES, strict=True)]

_SHAPE = {
    "vocab_size": VOCABULARY,
    "max_position_embeddings": 64,
    "initializer_range": 0.3,
    "bos_token_id": 0,
    "eos_token_id": None,
}


def model(family: str, *, layers: int = 2, window: int | None = None, seed: int = 1, **changes):
    """A decoder of width 32. window: how far back a Mistral looks."""
    shape = {**_SHAPE, **changes}
    if family == "gpt2":
        config = transformers.GPT2Config(n_embd=32, n_layer=layers, n_head=4, **shape)
    else:
        shape |= {
            "hidden_size": 32,
            "num_hidden_layers": layers,
            "num_attention_heads": 4,
            "num_key_value_heads": 2,
            "intermediate_size": 64,
        }
        if family == "llama":
            config = transformers.LlamaConfig(**shape)
        else:
            config = transformers.MistralConfig(sliding_window=window, **shape)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        made = transformers.AutoModelForCausalLM.from_config(config).eval()
    made.generation_config.pad_token_id = 0
    return made


def catalogue(n: int, rng: np.random.Generator, sizes: tuple[int, ...] = SIZES) -> np.ndarray:
    """Different paths, in no order."""
    every = np.array(list(itertools.product(*map(range, sizes))), np.int32)
    return every[rng.choice(len(every), n, replace=False)]


def prompts(lengths: list[int], rng: np.random.Generator) -> list[np.ndarray]:
    return [rng.integers(0, VOCABULARY, length).astype(np.int32) for length in lengths]


def exhaustive(model, prompt: np.ndarray, codes: np.ndarray, *, rows=ROWS) -> np.ndarray:
    """Log-probability of every item by one plain forward pass a path, float64, shape (I,)."""
    tokens = codes + (STARTS if rows is not None else 0)
    ids = np.concatenate([np.tile(prompt, (len(codes), 1)), tokens], 1)
    with torch.no_grad():
        logits = model(torch.from_numpy(ids.astype(np.int64))).logits.double()
    scores = np.zeros(len(codes))
    for step in range(codes.shape[1]):
        start, stop = (0, logits.shape[-1]) if rows is None else rows[step]
        known = torch.log_softmax(logits[:, len(prompt) - 1 + step, start:stop], -1).numpy()
        scores += known[np.arange(len(codes)), codes[:, step]]
    return scores


def ragged(n: int, n_items: int, most: int, rng: np.random.Generator) -> Ragged:
    """A list of items a request, some empty, some with a code that is no item."""
    return Ragged.from_rows([rng.integers(-1, n_items, rng.integers(0, most + 1)) for _ in range(n)])


def rules(n: int, n_items: int, rng: np.random.Generator) -> dict:
    """Arguments of `Prefixes.permitted`, of any kind and together."""
    chosen = {}
    if rng.random() < 0.6:
        chosen["available"] = rng.random(n_items) < rng.choice([0.0, 0.05, 0.5, 0.95])
    if rng.random() < 0.5:
        most = int(rng.choice([3, n_items, 4 * n_items]))
        chosen["allow"] = [ragged(n, n_items, most, rng) for _ in range(rng.integers(1, 3))]
    if rng.random() < 0.6:
        chosen["deny"] = [ragged(n, n_items, n_items, rng), None]
    if rng.random() < 0.3:
        chosen["mask"] = rng.random((n, n_items)) < rng.random((n, 1))
    return chosen


def allowed(n: int, n_items: int, *, available=None, allow=(), deny=(), mask=None) -> np.ndarray:
    """What rules permit, bool, shape (n, I), request by request and item by item."""
    left = np.ones((n, n_items), bool)
    for row, item in itertools.product(range(n), range(n_items)):
        left[row, item] = (
            (available is None or available[item])
            and all(item in rule[row] for rule in allow if rule is not None)
            and not any(item in rule[row] for rule in deny if rule is not None)
            and (mask is None or mask[row, item])
        )
    return left


def allowed_quickly(n: int, n_items: int, *, available=None, allow=(), deny=(), mask=None) -> np.ndarray:
    """The same for many, a row at a time; `test_permitted` holds both together."""
    left = np.ones((n, n_items), bool) if mask is None else mask.copy()
    for row in range(n):
        for rule in allow:
            left[row] &= np.isin(np.arange(n_items), rule[row])
        for rule in deny:
            if rule is not None:
                left[row, rule[row][rule[row] >= 0]] = False
    return left if available is None else left & available


class Even:
    """A StepModel to which every token is as likely as any other: nothing but ties."""

    def __init__(self, sizes=SIZES):
        self.sizes = sizes

    def begin(self, prompts, *, width, steps):
        return [], self._known(len(prompts), 1, 0)

    def step(self, state, parents, tokens, nodes):
        state.append(tokens)
        return self._known(*tokens.shape, len(state))

    def bytes_a_request(self, tokens, *, width, steps):
        return 1

    def _known(self, n, beams, position):
        size = self.sizes[position]
        return np.full((n, beams, size), -np.log(size), np.float32)
