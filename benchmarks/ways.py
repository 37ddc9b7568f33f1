"""What benchmarks of ways to use a language model share: what a request takes, and adapters fine-tuned once.

Times are of one request after the other on one thread, in processor milliseconds: what they take where the core has no
other work. Money is of the same. Fine-tuning: LoRA of rank 16, one pass, seed 1, on the first
examples that fit into a number of tokens.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from understanding import CPU_HOUR

from mercer.contracts import Budget, Runtime
from mercer.language.decoders import Decoder, ModelStore
from mercer.language.finetuning import ADAPTER_CARD, Example, FineTuningOptions, finetune
from mercer.language.finetuning.examples import lessons
from mercer.language.scoring import LocalScorer

MODEL = "smollm2-135m-instruct"
TOKENS = 24_000
"""Of a fine-tuning: about five minutes of one core without bf16."""


class Times:
    """What single requests take."""

    def __init__(self) -> None:
        self.wall: list[float] = []
        self.busy: list[float] = []

    @contextmanager
    def one(self) -> Iterator[None]:
        """Measures what is done inside as one request."""
        wall, busy = time.perf_counter(), time.process_time()
        yield
        self.wall.append(time.perf_counter() - wall)
        self.busy.append(time.process_time() - busy)

    def said(self) -> str:
        p50, p99 = 1000 * np.quantile(self.busy, [0.5, 0.99])
        busy, wall = float(np.mean(self.busy)), float(np.mean(self.wall))
        return (
            f"p50 {p50:.1f} ms, p99 {p99:.1f} ms, mean {1000 * busy:.1f} ms of a core (wall {1000 * wall:.1f}); "
            f"{busy * 1000 * CPU_HOUR / 3600:.5f} for 1,000 ({len(self.busy)} measured)"
        )


def decoder(adapter: Path | None = None) -> Decoder:
    """The model, with what was fine-tuned; bf16 where the processor has it, else fp32."""
    return Decoder.load(ModelStore().get(MODEL), adapter=adapter)


def scorer(adapter: Path | None = None) -> LocalScorer:
    return LocalScorer(decoder(adapter))


def tuned(
    folder: Path, examples: Sequence[Example], *, tokens: int = TOKENS, batch_tokens: int = 256
) -> Path:
    """The adapter that lies in the folder; fine-tuned now where there is none."""
    if (folder / ADAPTER_CARD).exists():
        return folder
    base = Decoder.load(ModelStore().get(MODEL), precision="fp32")
    lengths = [len(lesson[0].ids) for lesson in lessons(base, examples).kept]
    n = int(np.searchsorted(np.cumsum(lengths), tokens))
    options = FineTuningOptions(epochs=1, batch_tokens=batch_tokens)
    begun = time.process_time()
    made = finetune(
        base, examples[:n], options, folder=folder, seed=1,
        runtime=Runtime(threads=1, price_per_hour=CPU_HOUR), budget=Budget(seconds=1200),
    )  # fmt: skip
    record = made.record
    steps = len(record.losses)
    tenth = max(1, steps // 10)
    print(
        f"fine-tuned on {n} examples, {record.tokens} tokens, {steps} steps of {batch_tokens} tokens at most: "
        f"{time.process_time() - begun:.0f} processor s ({record.seconds:.0f} wall), {record.peak_mib:.0f} MiB; loss "
        f"{np.mean(record.losses[:tenth]):.3f} in the first tenth, {np.mean(record.losses[-tenth:]):.3f} in the last",
        flush=True,
    )
    return folder
