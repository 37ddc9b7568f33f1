"""What LocalScorer and ConstrainedDecoder save, as ratios of times taken in turns in one run.

    .venv/bin/python benchmarks/decoder.py [--model smollm2-135m-instruct] [--rounds 3] [--queries 5]

On the imported model; where it is not imported, on a tiny one with random weights, and the first line says so: such
ratios mean nothing about a real model. Scoring: one history of about 100 tokens with 50 candidates, against
Transformers' plain loop (one forward pass of history and candidate for each of them) and against its best plain batch
(all 50 padded, with the logits of every position), in bf16 and in fp32. Writing: a query understood as JSON over a
catalogue of 2,000 brands, against `generate` of Transformers with a `prefix_allowed_tokens_fn` over the same automaton.
Times are CPU seconds of this process, so that other jobs on the machine change them little.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import numpy as np
import torch

from mercer.errors import NotFoundError
from mercer.language.decoders import Decoder, ModelStore
from mercer.language.generating import ConstrainedDecoder, Grammar
from mercer.language.generating.grammar import Vocabulary
from mercer.language.scoring import LocalScorer
from mercer.testing.decoders import tiny_decoder

MODEL = "smollm2-135m-instruct"
ADJECTIVES = (
    "warm",
    "waterproof",
    "lightweight",
    "classic",
    "soft",
    "wireless",
    "large",
    "organic",
    "recycled",
)
THINGS = ("winter jacket", "running shoes", "coffee mug", "desk lamp", "backpack", "rain coat", "headphones")
BRANDS = tuple(f"{first}{last}" for first in ("North", "Blue", "Acme", "Lumi", "Zed") for last in range(400))
ASKED = (
    "something warm for a boy of eight under 40 pounds",
    "Blue12 coffee mug",
    "cheap waterproof running shoes",
    "a desk lamp by Acme7, at most 25 pounds",
    "gift for my sister",
)
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "query": {"type": "string", "maxLength": 40},
        "brand": {"enum": [None, *BRANDS]},
        "price": {"anyOf": [{"type": "null"}, {"type": "integer", "minimum": 1, "maximum": 10_000}]},
        "intent": {"enum": ["buy", "browse", "compare"]},
    },
    "required": ["query", "brand", "price", "intent"],
}
INSTRUCTION = (
    "You turn what a shopper types into JSON. query: the words to search for, without brand and price. "
    "brand: the brand named, or null. price: the highest price in pounds, or null. intent: buy, browse or compare."
)


def seconds(work: Callable[[], object]) -> float:
    begun = time.process_time()
    work()
    return time.process_time() - begun


def in_turns(rounds: int, *works: Callable[[], object]) -> list[list[float]]:
    """CPU seconds of each work, round by round."""
    return [
        list(took) for took in zip(*([seconds(work) for work in works] for _ in range(rounds)), strict=True)
    ]


def ratio(slow: list[float], fast: list[float]) -> str:
    each = [one / other for one, other in zip(slow, fast, strict=True)]
    return f"{statistics.median(each):.2f} times (rounds {min(each):.2f} to {max(each):.2f})"


def shelf(decoder: Decoder, rng: np.random.Generator) -> tuple[str, list[str]]:
    """A history of about 100 tokens and 50 titles."""
    title = lambda: f"{rng.choice(BRANDS)} {' '.join(rng.choice(ADJECTIVES, 3, False))} {rng.choice(THINGS)}"  # noqa: E731
    history = "A shopper bought:"
    while len(decoder.encode(history)) < 90:
        history += f"\n- {title()}"
    return history + "\n-", [f" {title()}" for _ in range(50)]


def plain_loop(decoder: Decoder, prompt: list[int], rows: list[list[int]]) -> list[float]:
    found = []
    with torch.inference_mode():
        for row in rows:
            logits = decoder.model(torch.tensor([prompt + row])).logits[0, len(prompt) - 1 : -1].float()
            chosen = torch.log_softmax(logits, -1).gather(1, torch.tensor(row)[:, None])
            found.append(float(chosen.sum()))
    return found


def plain_batch(decoder: Decoder, prompt: list[int], rows: list[list[int]]) -> list[float]:
    longest = max(map(len, rows))
    ids = torch.tensor([prompt + row + [0] * (longest - len(row)) for row in rows])
    mask = torch.tensor([[1] * (len(prompt) + len(row)) + [0] * (longest - len(row)) for row in rows])
    with torch.inference_mode():
        logits = decoder.model(ids, attention_mask=mask).logits[:, len(prompt) - 1 : -1].float()
        every = torch.log_softmax(logits, -1).gather(2, ids[:, len(prompt) :, None])[..., 0]
    return [float(values[: len(row)].sum()) for values, row in zip(every, rows, strict=True)]


def scoring(decoder: Decoder, rounds: int) -> list[float]:
    """Prints the ratios; returns CPU seconds of LocalScorer."""
    history, titles = shelf(decoder, np.random.default_rng(0))
    prompt = decoder.start + decoder.encode(history)
    rows = [decoder.encode(title, joined=True) for title in titles]
    scorer = LocalScorer(decoder)
    warm = scorer.score_ids([prompt], [rows[:3]])[0].log_probability
    apart = np.abs(np.array(plain_loop(decoder, prompt, rows[:3])) - warm).max()
    loop, batch, ours = in_turns(
        rounds,
        lambda: plain_loop(decoder, prompt, rows),
        lambda: plain_batch(decoder, prompt, rows),
        lambda: scorer.score_ids([prompt], [rows]),
    )
    print(
        f"{decoder.precision}: history of {len(prompt)} tokens, {len(rows)} candidates of "
        f"{np.mean([len(row) for row in rows]):.1f}: LocalScorer {statistics.median(ours):.3f} s\n"
        f"  plain loop takes {ratio(loop, ours)}, plain batch takes {ratio(batch, ours)}\n"
        f"  largest difference to the plain loop in three candidates {apart:.2g}"
    )
    return ours


class Plain:
    """Transformers' generate, with the same automaton asked for the tokens allowed at every place."""

    def __init__(self, decoder: Decoder, grammar: Grammar) -> None:
        self._decoder, self._grammar = decoder, grammar
        self._vocabulary = Vocabulary(decoder)
        self._known: dict[Any, list[int]] = {}

    def __call__(self, prompt: list[int], max_tokens: int) -> list[int]:
        decoder = self._decoder

        def allowed(_row: int, ids: torch.Tensor) -> list[int]:
            written = b"".join(self._vocabulary.bytes[token] for token in ids[len(prompt) :].tolist())
            node = self._grammar.start.follow(written)
            assert node is not None
            if node not in self._known:
                more = [decoder.end] if node.ends else []
                self._known[node] = self._vocabulary.allowed(node).tokens.tolist() + more
            return self._known[node]

        ids = decoder.model.generate(
            torch.tensor([prompt]),
            max_new_tokens=max_tokens,
            do_sample=False,
            prefix_allowed_tokens_fn=allowed,
            eos_token_id=decoder.end,
            pad_token_id=decoder.end,
        )
        return ids[0, len(prompt) :].tolist()


def writing(decoder: Decoder, rounds: int, queries: int) -> None:
    grammar = Grammar(SCHEMA)
    engine, plain = ConstrainedDecoder(decoder), Plain(decoder, grammar)
    talk = lambda asked: [{"role": "system", "content": INSTRUCTION}, {"role": "user", "content": asked}]  # noqa: E731
    prompts = [decoder.chat(talk(asked)) for asked in ASKED[:queries]]
    prefix = engine.prefix(decoder.chat(talk("x")))
    # What is found out about the grammar's states is kept by both; it is no part of the times.
    answers = [engine.decode(prompt, grammar, max_tokens=80, prefix=prefix) for prompt in prompts]
    peers = [plain(prompt, 80) for prompt in prompts]
    with_prefix, without, theirs = in_turns(
        rounds,
        lambda: [engine.decode(prompt, grammar, max_tokens=80, prefix=prefix) for prompt in prompts],
        lambda: [engine.decode(prompt, grammar, max_tokens=80) for prompt in prompts],
        lambda: [plain(prompt, 80) for prompt in prompts],
    )
    tokens, steps = sum(len(one.ids) for one in answers), sum(one.steps for one in answers)
    print(
        f"{decoder.precision}: {len(prompts)} queries as JSON, prompts of {np.mean([len(p) for p in prompts]):.0f} "
        f"tokens\n  {tokens} tokens in {steps} steps: {tokens / statistics.median(with_prefix):.1f} tokens a CPU "
        f"second, {statistics.median(with_prefix) / len(prompts):.3f} s a query; generate wrote "
        f"{sum(map(len, peers))} tokens, one step each\n"
        f"  generate with prefix_allowed_tokens_fn takes {ratio(theirs, with_prefix)}; "
        f"without the prefix kept it takes {ratio(without, with_prefix)}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", default=MODEL)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--queries", type=int, default=len(ASKED))
    parser.add_argument("--only", choices=["scoring", "writing"])
    options = parser.parse_args()
    with TemporaryDirectory() as scratch:
        try:
            source: Any = ModelStore().get(options.model)
            print(f"{options.model}, {torch.get_num_threads()} threads")
        except NotFoundError:
            source = Path(scratch)
            tiny_decoder(folder=source, vocabulary=2_000, window=1_024)
            print("A TINY DECODER WITH RANDOM WEIGHTS: the ratios mean nothing about a real model")
        took: dict[str, list[float]] = {}
        precisions: tuple[Literal["bf16", "fp32"], ...] = ("bf16", "fp32")
        for precision in precisions:
            decoder = Decoder.load(source, precision=precision)
            if options.only != "writing":
                took[precision] = scoring(decoder, options.rounds)
            if options.only != "scoring" and precision == "bf16":
                writing(decoder, options.rounds, options.queries)
        if took:
            print(f"LocalScorer in bf16 takes 1, in fp32 {ratio(took['fp32'], took['bf16'])}")


if __name__ == "__main__":
    main()
