"""What fine-tuning costs, as ratios within one run on SmolLM2-135M-Instruct; and what an adapter weighs.

    .venv/bin/python benchmarks/finetuning.py speed [--rounds 3] [--batch-tokens 1024]
    .venv/bin/python benchmarks/finetuning.py packing [--rounds 3] [--batch-tokens 1024]
    .venv/bin/python benchmarks/finetuning.py losses [--steps 24]
    .venv/bin/python benchmarks/finetuning.py adapter [--seconds 60]

speed: one step of each kind in turns, real tokens a second (padding not counted), medians and their ratios: small
matrices against all weights, bf16 against fp32, with the frozen weights in bf16 or in fp32. packing: rows of several
examples against one example a row. losses: the same steps with the frozen weights in fp32 and in bf16, judged
afterwards on held-out examples in fp32. adapter: `finetune` for some seconds, the size of what it wrote, and how far
logits are after reading it again. The examples are queries and their filters as JSON, made by rule from a seed.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch

from mercer.contracts import Budget, Runtime
from mercer.environment import threads
from mercer.language.decoders import ModelStore
from mercer.language.decoders.decoder import Decoder
from mercer.language.finetuning import Example, FineTuningOptions, finetune
from mercer.language.finetuning.examples import lessons
from mercer.language.finetuning.network import AnswerNetwork
from mercer.language.finetuning.supervised import SupervisedTrainee
from mercer.language.finetuning.weights import prepared
from mercer.training.learner import Learner
from mercer.training.place import entered
from mercer.training.sampler import Sampler

MODEL = "smollm2-135m-instruct"
Precision = Literal["fp32", "bf16"]

_COLOURS = ("red", "blue", "black", "white", "green", "grey")
_KINDS = ("running shoes", "mugs", "jackets", "headphones", "backpacks", "keyboards", "lamps", "tents")
_ASKED = (
    "{colour} {kind} under {price} pounds",
    "do you have {kind}, {colour} if possible, for less than {price}?",
    "{kind} {colour} max {price}",
    "I am looking for a present for my brother, he likes {colour} and wants {kind}, "
    "but I can't spend more than {price}",
)


def examples(n: int, seed: int) -> list[Example]:
    chance = np.random.default_rng(seed)
    made = []
    for _ in range(n):
        colour, kind = chance.choice(_COLOURS), chance.choice(_KINDS)
        price = int(chance.integers(5, 300))
        asked = str(chance.choice(_ASKED)).format(colour=colour, kind=kind, price=price)
        answer = f'{{"category": "{kind}", "colour": "{colour}", "price": {{"max": {price}}}}}'
        said = [{"role": "system", "content": "Write the filters of a query as JSON."},
                {"role": "user", "content": asked}]  # fmt: skip
        made.append(Example(said, answer))
    return made


def decoder(precision: Precision) -> Decoder:
    return Decoder.load(ModelStore().get(MODEL), precision=precision)


def trainee(options: FineTuningOptions, precision: Precision, n: int = 240) -> SupervisedTrainee:
    base = decoder(precision)
    network = AnswerNetwork(prepared(base, options, seed=1))
    return SupervisedTrainee(network, lessons(base, examples(n, 1)).kept, options)


def other_rows(one: SupervisedTrainee, options: FineTuningOptions, n: int = 240) -> SupervisedTrainee:
    """The same network with its rows made otherwise."""
    kept = lessons(decoder("bf16"), examples(n, 1)).kept
    network: Any = one.module
    return SupervisedTrainee(network, kept, options)


def speed(rounds: int, batch_tokens: int) -> None:
    lora = FineTuningOptions(batch_tokens=batch_tokens)
    full = FineTuningOptions(method="full", batch_tokens=batch_tokens)
    of_bf16, of_fp32, whole = trainee(lora, "bf16"), trainee(lora, "fp32"), trainee(full, "fp32")
    arms: dict[str, tuple[SupervisedTrainee, FineTuningOptions, Precision]] = {
        "LoRA, frozen bf16": (of_bf16, lora, "bf16"),
        "LoRA, frozen fp32, autocast": (of_fp32, lora, "bf16"),
        "LoRA, fp32": (of_fp32, lora, "fp32"),
        "full, autocast": (whole, full, "bf16"),
        "full, fp32": (whole, full, "fp32"),
    }
    runtime = Runtime(threads=threads())
    taken: dict[str, list[float]] = {name: [] for name in arms}
    with entered(runtime) as place:
        ready = {}
        for name, (some, options, precision) in arms.items():
            sampler = Sampler(some.costs(), options.batch_tokens, seed=1)
            batches = sorted(sampler.batches(0), key=len)
            learner = Learner(some, options, seed=1, place=replace(place, precision=precision))
            learner.step(batches[:1], step=0, rate=0.0)
            ready[name] = (learner, sampler)
        for turn in range(rounds):
            for name, (learner, sampler) in ready.items():
                batches = sampler.batches(0)
                batch = batches[turn % len(batches)]
                begun = time.perf_counter()
                learner.step([batch], step=0, rate=0.0)
                taken[name].append(int(sampler.costs[batch].sum()) / (time.perf_counter() - begun))
                print(f"  {name}: {taken[name][-1]:.0f} tokens/s", flush=True)
    rate = {name: float(np.median(rates)) for name, rates in taken.items()}
    for name, value in rate.items():
        learner, sampler = ready[name]
        padding = sum(map(sampler.padded, sampler.batches(0))) / sampler.costs.sum() - 1
        print(f"{name:<30} {value:6.0f} tokens/s, {learner.n_weights:>11,} weights, padding {padding:.1%}")
    for above, below in (
        ("LoRA, frozen fp32, autocast", "full, autocast"),
        ("LoRA, fp32", "full, fp32"),
        ("LoRA, frozen fp32, autocast", "LoRA, fp32"),
        ("LoRA, frozen bf16", "LoRA, frozen fp32, autocast"),
        ("full, autocast", "full, fp32"),
    ):
        print(f"{above} / {below}: {rate[above] / rate[below]:.2f}")


def packing(rounds: int, batch_tokens: int) -> None:
    """Rows of several lengths against one example a row, whose batches hold examples of similar length."""
    options = FineTuningOptions(batch_tokens=batch_tokens)
    first = trainee(options, "fp32")
    arms = {"padded": options}
    arms |= {
        f"packed to {n}": options.model_copy(update={"pack": True, "row_tokens": n}) for n in (128, 256, 512)
    }
    taken: dict[str, list[float]] = {name: [] for name in arms}
    with entered(Runtime(threads=threads())) as place:
        ready = {}
        for name, chosen in arms.items():
            some = other_rows(first, chosen)
            learner = Learner(some, chosen, seed=1, place=replace(place, precision="bf16"))
            ready[name] = (learner, Sampler(some.costs(), chosen.batch_tokens, seed=1))
        for turn in range(rounds + 1):
            for name, (learner, sampler) in ready.items():
                batches = sampler.batches(0)
                batch = batches[turn % len(batches)]
                begun = time.perf_counter()
                learner.step([batch], step=0, rate=0.0)
                taken[name].append(int(sampler.costs[batch].sum()) / (time.perf_counter() - begun))
    rate = {name: float(np.median(rates[1:])) for name, rates in taken.items()}
    for name, (_, sampler) in ready.items():
        padding = sum(map(sampler.padded, sampler.batches(0))) / sampler.costs.sum() - 1
        print(
            f"{name:<14} {rate[name]:6.0f} tokens/s, padding {padding:.1%}, {rate[name] / rate['padded']:.2f} of padded"
        )


def losses(steps: int) -> None:
    options = FineTuningOptions(batch_tokens=512)
    held_out = lessons(decoder("fp32"), examples(60, 2)).kept
    for frozen, precision in (("fp32", "fp32"), ("fp32", "bf16"), ("bf16", "bf16")):
        some = trainee(options, frozen)  # type: ignore[arg-type]
        sampler = Sampler(some.costs(), options.batch_tokens, seed=1)
        batches = [one for epoch in range(9) for one in sampler.batches(epoch)][:steps]
        with entered(Runtime(threads=threads())) as place:
            learner = Learner(some, options, seed=1, place=replace(place, precision=precision))
            begun = time.perf_counter()
            for number, batch in enumerate(batches):
                last = learner.step(
                    [batch], step=number, rate=options.learning_rate * min(1.0, (number + 1) / 4)
                )
            seconds = time.perf_counter() - begun
        some.module.float()
        network: Any = some.module
        with torch.no_grad():
            value = SupervisedTrainee(network.eval(), held_out, options, held_out).validate()
        print(
            f"frozen {frozen}, steps in {precision}: last loss {last.loss:.4f}, held-out log-likelihood a token "
            f"in fp32 {value:.4f}, {seconds:.0f} s for {steps} steps",
            flush=True,
        )


def adapter(seconds: float) -> None:
    seen: list[torch.Tensor] = []
    ids = torch.tensor([decoder("fp32").chat([{"role": "user", "content": "black lamps max 30"}])])

    def logits(some: Decoder) -> torch.Tensor:
        with torch.no_grad():
            return some.model(ids).logits

    def judge(now: Decoder) -> float:
        seen.append(logits(now))
        return float(len(seen))

    with tempfile.TemporaryDirectory() as place:
        options = FineTuningOptions(batch_tokens=512, evaluate_every=0.2, estimate_steps=0, added_tokens=tuple(
            f"<code {n}>" for n in range(1024)))  # fmt: skip
        for chosen in (options.model_copy(update={"added_tokens": ()}), options):
            seen.clear()
            out = Path(place) / str(len(chosen.added_tokens))
            found = finetune(MODEL, examples(120, 1), chosen, folder=out, validation=judge, seed=1,
                             runtime=Runtime(threads=threads()), budget=Budget(seconds))  # fmt: skip
            again = logits(Decoder.load(ModelStore().get(MODEL), adapter=out, precision="fp32"))
            size = sum(path.stat().st_size for path in out.glob("adapter_*")) / 2**20
            record = found.record
            print(
                f"rank {chosen.rank}, {len(chosen.added_tokens)} added tokens: {size:.1f} MiB, {record.weights:,} "
                f"weights, logits after reading it again differ by {(again - seen[-1]).abs().max():.3g}; "
                f"{record.steps} steps, loss {record.losses[0]:.3f} to {record.losses[-1]:.3f}, "
                f"{record.tokens_per_second:.0f} tokens/s, {record.peak_mib:.0f} MiB",
                flush=True,
            )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=("speed", "packing", "losses", "adapter"))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--batch-tokens", type=int, default=1024)
    parser.add_argument("--steps", type=int, default=24)
    parser.add_argument("--seconds", type=float, default=60)
    given = parser.parse_args()
    if given.what == "speed":
        speed(given.rounds, given.batch_tokens)
    elif given.what == "packing":
        packing(given.rounds, given.batch_tokens)
    elif given.what == "losses":
        losses(given.steps)
    else:
        adapter(given.seconds)


if __name__ == "__main__":
    main()
