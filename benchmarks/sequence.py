"""How quick the sequence rankers train and answer, and what they know of items that nobody had yet.

    .venv/bin/python benchmarks/sequence.py --beauty FOLDER --epoch           seconds an epoch against a plain loop
    … --demo --epoch                                                          the same on the simulated shop
    .venv/bin/python benchmarks/sequence.py --beauty FOLDER --latency [--items 1000000]    one request at a time
    .venv/bin/python benchmarks/sequence.py --beauty FOLDER --cold            a tenth of the items hidden from training
    … --model ligr   … --options '{"epochs": 8}'   … --seed 1

Data that mercer does not include are read from FOLDER. The plain loop is what a tutorial writes: histories padded to
the window, items as IDs, all logits of a batch at once; its logits are made where there is an answer alone. Times are
CPU seconds of one thread, so that what others do on the machine is not counted. Cold items are scored on validation.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from recommend_quality import load, make, scored
from torch import nn

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
from mercer.training.sampler import Sampler

ONE = Runtime(threads=1)


class Plain(nn.Module):
    """SASRec as a tutorial writes it; width, blocks, heads and dropout are those of the options."""

    def __init__(self, n_items: int, o: Any) -> None:
        super().__init__()
        self.items, self.places = (
            nn.Embedding(n_items + 1, o.width, padding_idx=n_items),
            nn.Embedding(o.window, o.width),
        )
        layer = nn.TransformerEncoderLayer(
            o.width, o.heads, int(o.inner * o.width), o.dropout, "gelu", batch_first=True, norm_first=True
        )
        self.encoder = nn.TransformerEncoder(
            layer, o.blocks, nn.LayerNorm(o.width), enable_nested_tensor=False
        )
        self.drop = nn.Dropout(o.embedding_dropout)
        self.register_buffer("future", nn.Transformer.generate_square_subsequent_mask(o.window))
        for table in (self.items, self.places):
            nn.init.normal_(table.weight, std=0.02)

    def forward(self, history: torch.Tensor) -> torch.Tensor:
        hidden = self.items(history) * self.items.embedding_dim**0.5 + self.places.weight
        return self.encoder(self.drop(hidden), mask=self.future, is_causal=True)


def plain_epoch(ranker: SequenceRanker, train: Dataset, batches: int, rows: int = 128) -> tuple[float, int]:
    """CPU seconds of an epoch of the plain loop, from `batches` of its batches; and how many an epoch has."""
    o = ranker.options
    heard, weights = signals(_log(train), o)
    lessons = ranker._lessons(train, heard, weights)
    n_items, n = len(train.vocabulary), len(lessons)
    history, answer = np.full((n, o.window), n_items), np.full((n, o.window), -1)
    for row in range(n):
        first, length = lessons.spans.first[row], lessons.spans.length[row]
        history[row, :length] = heard.item[first : first + length]
        asked = slice(lessons.indptr[row], lessons.indptr[row + 1])
        answer[row, lessons.place[asked]] = lessons.answer[asked]
    history_T, answer_T = torch.from_numpy(history), torch.from_numpy(answer)
    torch.manual_seed(1)
    network = Plain(n_items, o).train()
    optimizer = torch.optim.AdamW(network.parameters(), lr=o.learning_rate)
    order = torch.randperm(n)[: rows * (batches + 1)].split(rows)
    begun = 0.0
    for number, picked in enumerate(order):
        if number == 1:
            begun = time.process_time()
        there = answer_T[picked] >= 0
        logits = network(history_T[picked])[there] @ network.items.weight[:-1].T
        loss = nn.functional.cross_entropy(logits, answer_T[picked][there])
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
    n_batches = -(-n // rows)
    return (time.process_time() - begun) / (len(order) - 1) * n_batches, n_batches


def epoch(target: str, split: RecommendSplit, ranker: SequenceRanker, batches: int) -> None:
    """Seconds an epoch of both loops, in turns, in one process."""
    torch.set_num_threads(1)
    for turn in range(2):
        plain, n_plain = plain_epoch(ranker, split.train, batches)
        ours, n_ours = our_epoch(ranker, split.train, 4 * batches)
        print(
            f"{target}, turn {turn + 1}: {ranker.name} {ours:.1f} CPU s an epoch ({n_ours} batches), "
            f"plain loop {plain:.1f} ({n_plain} batches), {plain / ours:.1f} times",
            flush=True,
        )


def our_epoch(ranker: SequenceRanker, train: Dataset, batches: int) -> tuple[float, int]:
    """CPU seconds of an epoch as `fit` does it, from `batches` of its batches; and how many an epoch has."""
    from mercer.training.learner import Learner
    from mercer.training.place import entered

    o = ranker.options
    heard, weights = signals(_log(train), o)
    lessons = ranker._lessons(train, heard, weights)
    ranker.state = ranker._counts(train, heard, weights)
    trainee = ranker._trainee(heard, weights, lessons, Content.read(train.items, o, 3600.0, ONE), 1)
    sampler = Sampler(trainee.costs(), o.batch_tokens, seed=1)
    plan = sampler.batches(0)
    with entered(ONE) as place:
        learner = Learner(trainee, o, seed=1, place=place)
        learner.step([plan[0]], step=0, rate=o.learning_rate)
        begun = time.process_time()
        picked = plan[1 : batches + 1]
        for number, batch in enumerate(picked):
            learner.step([batch], step=number + 1, rate=o.learning_rate)
        return (time.process_time() - begun) / len(picked) * len(plan), len(plan)


def latency(
    target: str, split: RecommendSplit, ranker: SequenceRanker, n_items: int, requests: int = 300
) -> None:
    """One request after the other through a ranker that was saved and loaded; the catalogue `n_items` large."""
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
    with TemporaryDirectory() as folder:
        short.save(Path(folder))
        mib = sum(file.stat().st_size for file in Path(folder).iterdir()) / 2**20
        loaded = type(ranker).load(Path(folder))
    whole = np.array([_milliseconds(lambda one=one: loaded.rank(one, 10)) for one in asked])[20:]
    alone = np.array([_milliseconds(lambda one=one: loaded.score_rows(one)) for one in asked])[20:]
    for what, took in (("rank(request, 10)", whole), ("scores alone", alone)):
        p50, p99 = np.percentile(took, [50, 99])
        print(
            f"{target}, {loaded.name}, {len(items)} items, {mib:.0f} MiB saved: "
            f"{what} p50 {p50:.2f} ms, p99 {p99:.2f} ms",
            flush=True,
        )


def _milliseconds(ask: Any) -> float:
    begun = time.thread_time()
    ask()
    return 1000 * (time.thread_time() - begun)


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
    parser.add_argument("--beauty", type=Path)
    parser.add_argument("--retail", type=Path)
    parser.add_argument("--demo", action="store_true")
    parser.add_argument("--model", default="sasrec", choices=("sasrec", "ligr"))
    parser.add_argument("--options", type=json.loads, default={})
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--epoch", action="store_true")
    parser.add_argument("--batches", type=int, default=5, help="batches of the plain loop that are timed")
    parser.add_argument("--latency", action="store_true")
    parser.add_argument("--items", type=int, default=0)
    parser.add_argument("--cold", action="store_true")
    chosen = parser.parse_args()
    splits: dict[str, RecommendSplit] = {}
    if chosen.beauty is not None:
        splits |= load("beauty", chosen.beauty)
    if chosen.retail is not None:
        splits |= load("online-retail", chosen.retail)
    if chosen.demo:
        splits |= load("demo")
    if not splits or not (chosen.epoch or chosen.latency or chosen.cold):
        parser.error("give --beauty, --retail or --demo, and --epoch, --latency or --cold")
    for target, split in splits.items():
        if chosen.epoch:
            epoch(target, split, make(chosen.model, chosen.options), chosen.batches)
        if chosen.latency:
            latency(target, split, make(chosen.model, chosen.options), chosen.items)
        if chosen.cold:
            cold(target, split, make(chosen.model, chosen.options), chosen.seed)


if __name__ == "__main__":
    main()
