"""How far estimates of trainings are from what they took, and what the loop costs beside a bare one.

    .venv/bin/python benchmarks/training.py [--models sasrec ligr] [--seeds 1 2 3] [--users 6000] [--items 3000]
    … --beauty FOLDER --demo        the error alone, of documented defaults on real data and on the simulated shop

On random histories (as in benchmarks/ranking.py), one thread. Each error is given in wall seconds and in CPU seconds of
this process: other jobs on the machine change the first, and hardly the second. The bare loop takes the same batches
through the same loss and AdamW, and does nothing else: no checkpoint, no seeds of steps, no record; both are timed in
turns, in CPU seconds. With --checkpoints DIR the training writes its checkpoints there, every 100 steps. On named data
it is the error of what `mercer fit --estimate` says before the fit, as far as the fit went, and that of the estimate
that the fit itself makes in its first steps.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import torch
from ranking import random_log
from recommend_quality import load

from mercer.contracts import Budget, Dataset, Runtime, plugins
from mercer.data.splits import RecommendSplit
from mercer.testing.handmade import dataset
from mercer.training import TrainingRecord, estimate, train
from mercer.training.sampler import Sampler


def shop(users: int, items: int, seed: int) -> Dataset:
    log = random_log(users, items, seed)
    return dataset(log, repeats=False)


@contextmanager
def clock(kind: str) -> Iterator[None]:
    """Let the training room's clocks tell CPU seconds."""
    if kind == "wall":
        yield
        return
    with (
        mock.patch.object(time, "monotonic", time.process_time),
        mock.patch.object(time, "perf_counter", time.process_time),
    ):
        yield


def trainee_of(model: str, data: Dataset, epochs: int, seed: int) -> Any:
    """A trainee as the ranker builds it for its own fit, and its options."""
    cls = plugins.load(plugins.RANKERS, model)
    ranker = cls(cls.Options(epochs=epochs, content=(), checkpoint_every=100))
    built: dict[str, Any] = {}

    def catch(trainee: Any, options: Any, **_: Any) -> TrainingRecord:
        built.update(trainee=trainee, options=options)
        raise _BuiltError

    with mock.patch("mercer.training.train", catch):
        try:
            ranker.fit(data, seed=seed, budget=Budget(1e9), runtime=Runtime(threads=1))
        except _BuiltError:
            return built["trainee"], built["options"]
    raise AssertionError("the ranker did not train")


def priced(model: str, split: RecommendSplit, seed: int, kind: str, folder: Path) -> str:
    """What `mercer fit --estimate` measures, the fit itself, and the error, in words."""
    cls = plugins.load(plugins.RANKERS, model)
    ranker = cls(cls.Options())
    asked = {"validation": split.validation, "seed": seed}
    with clock(kind), tempfile.TemporaryDirectory(dir=folder) as place:
        runtime = Runtime(threads=1, checkpoint_folder=Path(place))
        said = ranker.measure(split.train, **asked, runtime=runtime)
        ranker.fit(split.train, **asked, budget=Budget(1e9), runtime=runtime)
    record = ranker.training
    done = said.seconds_for(
        epochs=record.epochs, evaluations=len(record.validations), checkpoints=record.checkpoints
    )
    return (
        f"said {said.seconds:.1f} s for the whole and {done:.1f} s for what was done, took {record.seconds:.1f} s "
        f"({record.epochs:g} epochs, {len(record.validations)} evaluations, {record.checkpoints} checkpoints): "
        f"{100 * (done / record.seconds - 1):+.1f} %, its own estimate {100 * (record.estimate_error or 0):+.1f} %; "
        f"memory said {said.peak_mib:.0f} MiB, took {record.peak_mib:.0f} MiB"
    )


class _BuiltError(Exception):
    pass


def error(model: str, data: Dataset, epochs: int, seed: int, kind: str, folder: Path) -> TrainingRecord:
    trainee, options = trainee_of(model, data, epochs, seed)
    with clock(kind), tempfile.TemporaryDirectory(dir=folder) as place:
        runtime = Runtime(threads=1, checkpoint_folder=Path(place))
        return train(trainee, options, seed=seed, facts={}, runtime=runtime, budget=Budget(1e9))


def bare(trainee: Any, options: Any, steps: int) -> None:
    """The loop that one writes first."""
    sampler = Sampler(trainee.costs(), options.batch_tokens, seed=1)
    weights = [one for one in trainee.module.parameters() if one.requires_grad]
    optimizer = torch.optim.AdamW(weights, lr=1e-3, fused=True)
    generator = torch.Generator().manual_seed(1)
    trainee.module.train()
    for batch in sampler.batches(0)[:steps]:
        loss, terms = trainee.loss(batch, generator)
        (loss / terms).backward()
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)


def cpu_seconds(work: Callable[[], object]) -> float:
    begun = time.process_time()
    work()
    return time.process_time() - begun


def overhead(model: str, data: Dataset, rounds: int) -> list[float]:
    """CPU seconds of an epoch of the loop over those of the bare one, a ratio a round."""
    ratios = []
    for seed in range(rounds):
        trainee, options = trainee_of(model, data, 1, seed)
        steps = len(Sampler(trainee.costs(), options.batch_tokens, seed=1).batches(0))
        quick = options.model_copy(update={"estimate_steps": 0, "patience": 0})
        trainee.validate = lambda: None
        plain = cpu_seconds(lambda t=trainee, o=options, n=steps: bare(t, o, n))
        whole = cpu_seconds(
            lambda t=trainee, o=quick: train(
                t, o, seed=1, facts={}, runtime=Runtime(threads=1), budget=Budget(1e9)
            )
        )
        ratios.append(whole / plain)
    return ratios


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", nargs="+", default=["sasrec", "ligr"])
    parser.add_argument("--seeds", nargs="+", type=int, default=[1, 2, 3])
    parser.add_argument("--beauty", type=Path, help="folder of the data of briefs/beauty.yaml")
    parser.add_argument("--demo", action="store_true")
    parser.add_argument("--clocks", nargs="+", default=["cpu", "wall"], choices=("cpu", "wall"))
    parser.add_argument("--users", type=int, default=6_000)
    parser.add_argument("--items", type=int, default=3_000)
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--checkpoints", type=Path, default=None, help="a folder on the disk to be written to"
    )
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    folder = chosen.checkpoints or Path(tempfile.gettempdir())
    splits = load("beauty", chosen.beauty) if chosen.beauty else {}
    splits |= load("demo") if chosen.demo else {}
    for target, split in splits.items():
        for model, seed, kind in product(chosen.models, chosen.seeds, chosen.clocks):
            found = priced(model, split, seed, kind, folder)
            print(f"{target}, {model}, seed {seed}, {kind} seconds: {found}", flush=True)
    if splits:
        return
    data = shop(chosen.users, chosen.items, 1)
    print(f"users {chosen.users}, items {chosen.items}, epochs {chosen.epochs}, one thread")
    for model in chosen.models:
        for kind in chosen.clocks:
            records = [error(model, data, chosen.epochs, seed, kind, folder) for seed in chosen.seeds]
            errors = [100 * (record.estimate_error or 0.0) for record in records]
            taken = [record.seconds for record in records]
            memory = [100 * (r.estimate.peak_mib / r.peak_mib - 1) for r in records if r.estimate is not None]
            print(
                f"{model:8} {kind:4} took {min(taken):.1f}-{max(taken):.1f} s, {records[0].steps} steps; "
                f"estimate {', '.join(f'{one:+.1f}' for one in errors)} %, memory "
                f"{', '.join(f'{one:+.1f}' for one in memory)} %",
                flush=True,
            )
        ratios = overhead(model, data, chosen.rounds)
        print(
            f"{model:8} loop / bare loop {np.median(ratios):.3f} ({min(ratios):.3f}-{max(ratios):.3f})",
            flush=True,
        )
    trainee, options = trainee_of(chosen.models[0], data, chosen.epochs, 1)
    found = estimate(trainee, options, runtime=Runtime(threads=1))
    print(f"{chosen.models[0]}: an epoch {found.epoch:.1f} s, {found.peak_mib:.0f} MiB")


if __name__ == "__main__":
    main()
