"""How quick the sequence rankers train and answer, and what they know of items that nobody had yet.

    .venv/bin/python benchmarks/sequence.py --beauty FOLDER --epoch           seconds an epoch against a plain loop
    … --demo --epoch                                                          the same on the simulated shop
    … --quality               what a fit ranks of validation, and what it took
    … --plain-quality [--plain-seconds 1500] [--plain-rate 1e-3]      the same of the plain loop
    .venv/bin/python benchmarks/sequence.py --beauty FOLDER --latency [--items 1000000]    one request at a time
    .venv/bin/python benchmarks/sequence.py --beauty FOLDER --cold            a tenth of the items hidden from training
    … --export FILE.csv                               write the training log, for benchmarks/rectools_sasrec.py
    … --model ligr   … --options '{"epochs": 8}'   … --seed 1

Data that mercer does not include are read from FOLDER. The plain loop is what a tutorial writes (plain_loop.py). Times
are CPU seconds of one thread, so that what others do on the machine is not counted; put OMP_NUM_THREADS=1 before the
command. Cold items are scored on validation.
"""

from __future__ import annotations

import argparse
import json
import pickle
import resource
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
import torch
from plain_loop import epoch_seconds, quality
from recommend_quality import add_shops, make, scored, shops

from mercer.contracts import Dataset, Floats32, Holdout, Requests, Runtime, Vocabulary
from mercer.data.splits import RecommendSplit
from mercer.evaluation import value
from mercer.recommend import MostPopular
from mercer.recommend.scoring import ScoringRanker
from mercer.recommend.sequence import SequenceRanker
from mercer.recommend.sequence.content import Content
from mercer.recommend.sequence.ranker import _log
from mercer.recommend.signals import signals
from mercer.recommend.steps import ages
from mercer.training.learner import Learner
from mercer.training.place import entered
from mercer.training.sampler import Sampler

ONE = Runtime(threads=1)


def epoch(target: str, split: RecommendSplit, ranker: SequenceRanker, batches: int) -> None:
    """Seconds an epoch of both loops, in turns, in one process."""
    for turn in range(2):
        plain, n_plain = epoch_seconds(ranker, split.train, batches)
        made = Epoch(ranker, split.train)
        ours, n_ours = made.seconds(4 * batches), len(made.plan)
        print(
            f"{target}, turn {turn + 1}: {ranker.name} {ours:.1f} CPU s an epoch ({n_ours} batches), "
            f"plain loop {plain:.1f} ({n_plain} batches), {plain / ours:.1f} times",
            flush=True,
        )


def export(train: Dataset, file: Path) -> None:
    """Write a training log for other libraries: user, item and place in the history, numbers all three."""
    log = _log(train)
    place = np.arange(log.n_events) - np.repeat(log.indptr[:-1], log.lengths)
    pd.DataFrame({"user": log.user_of, "item": log.item, "place": place}).to_csv(file, index=False)


def say(sentence: str) -> None:
    print(sentence, flush=True)


def ranked(target: str, split: RecommendSplit, ranker: SequenceRanker, seed: int) -> None:
    """A fit: CPU seconds, memory, and what it ranks of the validation rows."""
    begun = time.process_time()
    ranker.fit(split.train, validation=split.validation, seed=seed, runtime=ONE)
    took, record = time.process_time() - begun, ranker.training
    assert record is not None
    highest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    whole = scored(ranker, split.validation)
    say(
        f"{target}: {ranker.name}, {record.epochs:g} epochs, {took:.0f} CPU s, evaluations counted: recall@10 "
        f"{value(whole, 'recall@10'):.4f}, ndcg@10 {value(whole, 'ndcg@10'):.4f} of {len(split.validation)} requests; "
        f"highest memory {highest:.0f} MiB, by the record {record.peak_mib:.0f} MiB"
    )


class Epoch:
    """A training as `fit` builds it, up to its first step, and what an epoch of it takes."""

    def __init__(self, ranker: SequenceRanker, train: Dataset) -> None:
        o = self._options = ranker.options
        heard, weights = signals(_log(train), o)
        lessons = ranker._lessons(train, heard, weights)
        ranker.state = ranker._counts(train, heard, weights)
        self.trainee = ranker._trainee(heard, weights, lessons, Content.read(train.items, o, 3600.0, ONE), 1)
        self.plan = Sampler(self.trainee.costs(), o.batch_tokens, seed=1).batches(0)

    def seconds(self, batches: int) -> float:
        """CPU seconds of an epoch, from `batches` of its batches after the first."""
        with entered(ONE) as place:
            learner = Learner(self.trainee, self._options, seed=1, place=place)
            learner.step([self.plan[0]], step=0, rate=self._options.learning_rate)
            begun = time.process_time()
            picked = self.plan[1 : batches + 1]
            for number, batch in enumerate(picked):
                learner.step([batch], step=number + 1, rate=self._options.learning_rate)
            return (time.process_time() - begun) / len(picked) * len(self.plan)


def latency(
    target: str, split: RecommendSplit, ranker: SequenceRanker, n_items: int, requests: int = 300
) -> None:
    """One request after the other through a ranker that another process loads; the catalogue `n_items` large."""
    short = type(ranker)(ranker.options.model_copy(update={"epochs": 1, "estimate_steps": 0}))
    short.fit(split.train, seed=1, runtime=ONE)
    known, history = split.train.vocabulary, split.test.requests.history
    times = max(1, round(n_items / len(known)))
    items = Vocabulary([f"{one}/{k}" for k in range(times) for one in known.ids]) if times > 1 else known
    tall = {name: np.concatenate([short.state[name]] * times) for name in ("vectors", "share")}
    if "indptr" in short.state:
        # Only rows of the history's items are read, and histories hold items of the first copy.
        tall["indptr"] = np.pad(short.state["indptr"], (0, len(items) - len(known)), mode="edge")
    short.state, short._catalogue = {**short.state, **tall}, items.fingerprint
    asked = replace(split.test.requests, history=replace(history, items=items)).blocks(1)[: requests + 20]
    with TemporaryDirectory() as place:
        folder, pickled = Path(place) / "ranker", Path(place) / "requests.pickle"
        folder.mkdir()
        short.save(folder)
        pickled.write_bytes(pickle.dumps(asked))
        mib = sum(file.stat().st_size for file in folder.iterdir()) / 2**20
        print(f"{target}, {ranker.name}, {len(items)} items, {mib:.0f} MiB saved", flush=True)
        serving = Path(__file__).with_name("sequence_serving.py")
        subprocess.run([sys.executable, serving, ranker.name, folder, pickled], check=True)


class LikeTitles(ScoringRanker):
    """Nothing but the titles: the decayed sum of cosines with the history's items."""

    name = "like-titles"

    def learn(self, train: Dataset, log: Any, seed: int) -> dict[str, Any]:  # noqa: ARG002
        options = SequenceRanker.Options(content=("title",), text_width=384)
        return {"text": Content.read(train.items, options, 3600.0, ONE).text}

    def score_rows(self, requests: Requests) -> Floats32:
        heard = requests.history
        text, out = self.state["text"], np.zeros((len(requests), self.state["text"].shape[1]), np.float32)
        np.add.at(out, heard.user_of, text[heard.item] * (0.75 ** ages(heard))[:, None].astype(np.float32))
        return out @ text.T

    def parameters(self) -> list[tuple[str, str]]:
        return [("Likeness of titles", "Items with titles like those you bought come first.")]


def cold(target: str, split: RecommendSplit, ranker: SequenceRanker, seed: int) -> None:
    """A tenth of the items that held-out people wanted is hidden from training; who finds it?"""
    rng = np.random.default_rng(seed)
    n_items = len(split.train.vocabulary)
    hidden = np.zeros(n_items, bool)
    hidden[rng.permutation(n_items)[: n_items // 10]] = True
    log = _log(split.train)
    train = replace(split.train, interactions=log.where(~hidden[log.item]))
    held = _wanting(split.validation, hidden)
    print(
        f"{target}: {hidden.sum()} of {n_items} items hidden, {len(held)} validation requests want one",
        flush=True,
    )
    ranker.fit(train, validation=_wanting(split.validation, ~hidden), seed=seed, runtime=ONE)
    only = replace(held.requests, allow=_every(np.flatnonzero(hidden), len(held)))
    for model in (MostPopular().fit(train), LikeTitles().fit(train), ranker):
        whole, among = scored(model, held), scored(model, replace(held, requests=only))
        metrics = ("recall@10", "ndcg@10", "recall@100")
        found = [" ".join(f"{m} {value(of, m):.4f}" for m in metrics) for of in (whole, among)]
        print(f"  {model.name:14} whole catalogue: {found[0]}; hidden items alone: {found[1]}", flush=True)


def _wanting(held: Holdout, items: np.ndarray) -> Holdout:
    """The requests with an answer among `items`, and those answers alone."""
    keep = items[held.relevant.values]
    running = np.concatenate([[0], np.cumsum(keep)])
    relevant = replace(held.relevant, indptr=running[held.relevant.indptr], values=held.relevant.values[keep])
    cut = replace(held, relevant=relevant, grades=held.grades[keep])
    return cut.take(np.flatnonzero(relevant.lengths > 0))


def _every(codes: np.ndarray, n: int) -> Any:
    from mercer.contracts import Ragged

    return Ragged.from_rows([codes] * n)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_shops(parser)
    parser.add_argument("--model", default="sasrec", choices=("sasrec", "ligr"))
    parser.add_argument("--options", type=json.loads, default={})
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--epoch", action="store_true")
    parser.add_argument("--batches", type=int, default=5, help="batches of the plain loop that are timed")
    parser.add_argument("--export", type=Path)
    parser.add_argument("--quality", action="store_true")
    parser.add_argument("--plain-quality", action="store_true")
    parser.add_argument("--plain-seconds", type=float, default=1500, help="CPU seconds, at most")
    parser.add_argument("--plain-rate", type=float, default=1e-3)
    parser.add_argument("--latency", action="store_true")
    parser.add_argument("--items", type=int, default=0)
    parser.add_argument("--cold", action="store_true")
    chosen = parser.parse_args()
    splits = shops(chosen)
    wanted = ("export", "epoch", "quality", "plain_quality", "latency", "cold")
    if not splits or not any(getattr(chosen, name) for name in wanted):
        parser.error("give --beauty, --retail or --demo, and what to measure (see above)")
    torch.set_num_threads(1)
    for target, split in splits.items():
        if chosen.export:
            export(split.train, chosen.export)
        if chosen.epoch:
            epoch(target, split, make(chosen.model, chosen.options), chosen.batches)
        if chosen.quality:
            ranked(target, split, make(chosen.model, chosen.options), chosen.seed)
        if chosen.plain_quality:
            ranker = make(chosen.model, chosen.options)
            limits = {"seconds": chosen.plain_seconds, "rate": chosen.plain_rate}
            quality(ranker, split.train, split.validation, **limits, say=say)
        if chosen.latency:
            latency(target, split, make(chosen.model, chosen.options), chosen.items)
        if chosen.cold:
            cold(target, split, make(chosen.model, chosen.options), chosen.seed)


if __name__ == "__main__":
    main()
