"""Constrained decoding beside Transformers' own: requests a second and peak memory, in turns in one run.

    OMP_NUM_THREADS=1 .venv/bin/python benchmarks/beams.py [--model small|smollm2-135m-instruct] [--rounds 5]

The same model, requests, catalogue and width for both; ours with the whole vocabulary at every position
(`rows=None`), so that both find the same items with the same scores, which is checked. The peer is
`generate(num_beams=W, prefix_allowed_tokens_fn=…)` with its cache, told the tokens after a prefix by one look into a
dictionary, in batches of each size of --batches; the fastest of them counts. Ratios are of CPU seconds of this process,
round by round, with a 95% interval over rounds (t of the logarithms), so that other jobs on the machine change them
little. `own rows`: ours normalised over each position's own rows, as rankers decode. Weights of the small model
are random, which changes no time. --memory: peaks above what the model takes, each in a process of its own.
"""

from __future__ import annotations

import argparse
import math
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import torch

from mercer.language.beams import DecoderSteps, Prefixes, beam_search

SIZES = (256, 256, 256, 8)
SMALL = "small"
T_95 = {2: 12.71, 3: 4.30, 4: 3.18, 5: 2.78, 6: 2.57, 7: 2.45, 8: 2.36, 9: 2.31, 10: 2.26}


def load(name: str, family: str) -> tuple[Any, int]:
    """The model with ID tokens at the end of its vocabulary, and the row of the first."""
    import transformers

    torch.manual_seed(0)
    if name != SMALL:
        from mercer.language.decoders import Decoder, ModelStore

        model: Any = Decoder.load(ModelStore().get(name), precision="fp32").model
        first = model.config.vocab_size
        model.resize_token_embeddings(first + sum(SIZES), mean_resizing=False)
        model.generation_config = transformers.GenerationConfig(pad_token_id=0)
        return model.eval(), first
    shape: dict[str, Any] = {"vocab_size": 16 + sum(SIZES), "bos_token_id": 0, "eos_token_id": None}
    config: Any
    if family == "gpt2":
        config = transformers.GPT2Config(n_embd=128, n_layer=4, n_head=4, n_positions=512, **shape)
    else:
        kind = transformers.LlamaConfig if family == "llama" else transformers.MistralConfig
        config = kind(
            hidden_size=128,
            num_hidden_layers=4,
            num_attention_heads=4,
            num_key_value_heads=4,
            intermediate_size=512,
            max_position_embeddings=512,
            **shape,
        )
    model = transformers.AutoModelForCausalLM.from_config(config).eval()
    model.generation_config.pad_token_id = 0
    return model, 16


def catalogue(n_items: int, rng: np.random.Generator) -> np.ndarray:
    """Paths of items: codes at random, with a last token that tells equal ones apart."""
    codes = np.stack([rng.integers(0, size, n_items) for size in SIZES[:-1]], 1)
    seen: dict[bytes, int] = defaultdict(int)
    last = np.zeros(n_items, np.int64)
    for row, code in enumerate(codes):
        key = code.tobytes()
        last[row] = seen[key]
        seen[key] += 1
    return np.column_stack([codes, last]).astype(np.int32)


class Case:
    """One model, catalogue and set of requests, for both."""

    def __init__(self, model: Any, first: int, *, items: int, prompt: int, requests: int) -> None:
        rng = np.random.default_rng(0)
        starts = first + np.cumsum([0, *SIZES[:-1]])
        codes = catalogue(items, rng)
        vocabulary = model.config.vocab_size
        self.prompt = prompt
        self.prompts = [rng.integers(0, vocabulary, prompt).astype(np.int32) for _ in range(requests)]
        self.model = model
        self.whole = Prefixes.of((codes + starts).astype(np.int32), (vocabulary,) * len(SIZES))
        self.own = Prefixes.of(codes, SIZES)
        self.rows = [(int(start), int(start + size)) for start, size in zip(starts, SIZES, strict=True)]
        self.paths = {tuple(path): item for item, path in enumerate((codes + starts).tolist())}
        self.after: dict[tuple[int, ...], list[int]] = {}
        below: dict[tuple[int, ...], set[int]] = defaultdict(set)
        for path in self.paths:
            for step in range(len(path)):
                below[path[:step]].add(path[step])
        self.after = {prefix: sorted(tokens) for prefix, tokens in below.items()}

    def ours(self, width: int, *, own_rows: bool = False) -> Any:
        steps = DecoderSteps(self.model, self.rows if own_rows else None)
        return beam_search(steps, self.prompts, self.own if own_rows else self.whole, width=width, k=width)

    def theirs(self, width: int, batch: int) -> tuple[np.ndarray, np.ndarray]:
        items, scores = [], []
        for begin in range(0, len(self.prompts), batch):
            ids = torch.from_numpy(np.stack(self.prompts[begin : begin + batch]).astype(np.int64))
            answer = self.model.generate(
                ids,
                attention_mask=torch.ones_like(ids),
                num_beams=width,
                num_return_sequences=width,
                max_new_tokens=len(SIZES),
                do_sample=False,
                length_penalty=0.0,
                prefix_allowed_tokens_fn=lambda _, told: self.after[tuple(told[self.prompt :].tolist())],
                return_dict_in_generate=True,
                output_scores=True,
            )
            paths = answer.sequences[:, self.prompt :].tolist()
            items.append(np.array([self.paths[tuple(path)] for path in paths]).reshape(len(ids), width))
            scores.append(answer.sequences_scores.numpy().reshape(len(ids), width))
        return np.concatenate(items), np.concatenate(scores)


def seconds(work: Callable[[], object]) -> float:
    begun = time.process_time()
    work()
    return time.process_time() - begun


def ratio(slow: list[float], fast: list[float]) -> str:
    each = [math.log(one / other) for one, other in zip(slow, fast, strict=True)]
    centre = statistics.mean(each)
    if len(each) < 2:
        return f"{math.exp(centre):.2f}"
    half = T_95.get(len(each), 2.0) * statistics.stdev(each) / math.sqrt(len(each))
    return f"{math.exp(centre):.2f} ({math.exp(centre - half):.2f} to {math.exp(centre + half):.2f})"


def same(case: Case, width: int, batch: int) -> str:
    """How far apart the answers of both are."""
    ours = case.ours(width)
    items, scores = case.theirs(width, batch)
    apart = float(np.abs(ours.log_probability - scores).max())
    return f"{(ours.items == items).mean():.2%} of places the same, scores {apart:.1g} apart at most"


def speed(case: Case, width: int, batches: list[int], rounds: int) -> None:
    case.ours(width, own_rows=True)
    agreed = same(case, width, batches[0])
    took: dict[str, list[float]] = defaultdict(list)
    for _ in range(rounds):
        took["ours"].append(seconds(lambda: case.ours(width)))
        took["own rows"].append(seconds(lambda: case.ours(width, own_rows=True)))
        for batch in batches:
            took[f"generate, {batch} at once"].append(seconds(lambda b=batch: case.theirs(width, b)))
    n = len(case.prompts)
    peers = [name for name in took if name.startswith("generate")]
    best = min(peers, key=lambda name: statistics.median(took[name]))
    said = "; ".join(f"{name} {statistics.median(values) / n * 1e3:.1f}" for name, values in took.items())
    print(
        f"prompt {case.prompt}, width {width}: {ratio(took[best], took['ours'])} times generate at its best "
        f"({best}); own rows {ratio(took[best], took['own rows'])}\n"
        f"  CPU ms a request, median: {said}\n  {agreed}",
        flush=True,
    )


def status(name: str) -> int:
    """A figure of this process in bytes, as Linux tells it."""
    line = next(row for row in Path("/proc/self/status").read_text().splitlines() if row.startswith(name))
    return int(line.split()[1]) * 1024


def peak(work: Callable[[], object]) -> float:
    """MB that the work takes above what was there before."""
    before = status("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")
    work()
    return (status("VmHWM") - before) / 2**20


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", default=SMALL)
    parser.add_argument("--family", default="llama", choices=["gpt2", "llama", "mistral"])
    parser.add_argument("--items", type=int, default=12_000)
    parser.add_argument("--requests", type=int, default=64)
    parser.add_argument("--prompts", type=int, nargs="+", default=[40, 200])
    parser.add_argument("--widths", type=int, nargs="+", default=[10, 20, 50])
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 8, 32])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--memory", action="store_true")
    parser.add_argument("--alone", choices=["ours", "theirs"], help=argparse.SUPPRESS)
    options = parser.parse_args()
    torch.set_num_threads(1)
    if options.memory and options.alone is None:
        # What one case took is not all given back, and would hide in the next.
        for who, prompt, width in product(("ours", "theirs"), options.prompts, options.widths):
            only = ["--alone", who, "--prompts", str(prompt), "--widths", str(width)]
            subprocess.run([sys.executable, *sys.argv, *only], check=True)
        return
    model, first = load(options.model, options.family)
    print(f"{options.model} {options.family}, {options.items} items, {options.requests} requests, 1 thread")
    for prompt in options.prompts:
        case = Case(model, first, items=options.items, prompt=prompt, requests=options.requests)
        for width in options.widths:
            if options.alone:
                work = partial(case.ours, width)
                if options.alone == "theirs":
                    work = partial(case.theirs, width, options.batches[-1])
                print(
                    f"{options.alone}: prompt {prompt}, width {width}: peak {peak(work):.0f} MB above the model"
                )
            else:
                speed(case, width, options.batches, options.rounds)


if __name__ == "__main__":
    main()
