"""What a language model's reading of titles adds to the two-stage ranker. Amazon Beauty is not part of mercer.

    .venv/bin/python benchmarks/title_pmi.py --beauty FOLDER --keep FOLDER [--ways zero-shot few-shot random lora]
    … --tuned ADAPTER     the adapter for `lora` (benchmarks/title_examples.py writes what it learns from)

PMI = log p(title | titles of the history) − log p(title), of the first CANDIDATES of a ranker's list. Users are fixed
by the hash of their ids: LEARN of validation choose and learn, TEST of test are judged. For the two-stage ranker
without and with what it reads of brand, category and titles, and each way of asking:

    alone      the list in the order of PMI
    sum        log score + w · PMI, w chosen on validation rows
    feature    PMI as one more feature: trees grown on validation rows, beside the same trees without it

ndcg@10 over all users of the sample, in the whole catalogue: what is not among the candidates keeps its place. Pairs
are tested by sign flips; 95 % intervals by bootstrap over users. --keep: values once computed are read again.
"""

from __future__ import annotations

import argparse
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lightgbm as lgb
import numpy as np
from recommend_quality import load, make
from safetensors.numpy import load_file, save_file

from mercer.contracts import Dataset, Holdout
from mercer.evaluation.significance import sign_flip_p
from mercer.language.decoders import Decoder, ModelStore
from mercer.language.scoring import LocalScorer
from mercer.recommend.two_stage import GROUPS, features

MODEL = "smollm2-135m-instruct"
CANDIDATES = 12
HISTORY = 5
LEARN, TEST = 300, 400
BLOCK = 20
TITLE_WORDS = 10
CONTENT = ("brand", "category", "titles")
WEIGHTS = (0.0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
RANKERS: dict[str, tuple[str, dict[str, Any]]] = {
    "two-stage without content": (
        "two-stage",
        {"groups": [name for name in GROUPS if name not in CONTENT]},
    ),
    "two-stage": ("two-stage", {}),
}


def prompt(titles: list[str]) -> str:
    """What stands before the title that is scored."""
    return "A customer bought, in this order:\n" + "".join(f"- {title}\n" for title in titles) + "- "


NOBODY = "A customer bought:\n- "
"""Before a title without a history."""


def title_of(text: str) -> str:
    """The first words of a title: the rest is sizes and repetition."""
    return " ".join(text.split()[:TITLE_WORDS]) or "untitled"


def sample(holdout: Holdout, n: int) -> Holdout:
    """n users by the hash of their ids, in their order."""
    order = sorted(
        range(len(holdout)), key=lambda row: hashlib.sha256(holdout.units[row].encode()).hexdigest()
    )
    return holdout.take(np.sort(np.array(order[:n])))


def histories(holdout: Holdout, titles: list[str]) -> list[list[str]]:
    """The last HISTORY titles of each request, oldest first."""
    log = holdout.requests.history
    return [
        [titles[code] for code in log.item[start:end][-HISTORY:]]
        for start, end in zip(log.indptr[:-1], log.indptr[1:], strict=True)
    ]


@dataclass(frozen=True)
class Lists:
    """The candidates of a ranker.

    items: (n, CANDIDATES). scores: their logarithms. wanted: the item that came, (n,). first: its mid-rank in the
    ranker's own order over the catalogue, from 1.
    """

    items: np.ndarray
    scores: np.ndarray
    wanted: np.ndarray
    first: np.ndarray

    def ndcg(self, scores: np.ndarray) -> np.ndarray:
        """ndcg@10 of each user with the candidates in the order of new scores, ties at mid-rank, shape (n,)."""
        inside = self.items == self.wanted[:, None]
        own = np.where(inside, scores, -np.inf).max(axis=1)
        above = (scores > own[:, None]).sum(axis=1)
        equal = (scores == own[:, None]).sum(axis=1)
        rank = np.where(inside.any(axis=1), 1 + above + (equal - 1) / 2, self.first)
        return np.where(rank <= 10, 1 / np.log2(rank + 1), 0.0)


def lists(ranker: Any, holdout: Holdout) -> Lists:
    """The first candidates of every user, and where the item that came stands."""
    found = ranker.rank(holdout.requests, CANDIDATES)
    wanted = holdout.relevant.values[holdout.relevant.indptr[:-1]]
    codes = np.arange(len(holdout.requests.items), dtype=np.int32)
    first = []
    for row in range(len(holdout)):
        one = holdout.requests.take(np.array([row]))
        scores = np.where(one.eligible()[0], ranker.score(one, codes)[0], -np.inf)
        own = scores[wanted[row]]
        first.append(1 + (scores > own).sum() + ((scores == own).sum() - 1) / 2)
    return Lists(
        found.items, np.log(np.maximum(found.scores, 1e-30)), wanted.astype(np.int32), np.array(first)
    )


class Reader:
    """PMI of titles by one way of asking; what was computed is kept."""

    def __init__(self, way: str, titles: list[str], train: Dataset, keep: Path, tuned: Path | None) -> None:
        self.way, self.titles, self.keep = way, titles, keep
        self.tuned, self.prefix = tuned, _examples(train, titles) if way == "few-shot" else ""
        self._scorer: LocalScorer | None = None

    @property
    def scorer(self) -> LocalScorer:
        if self._scorer is None:
            decoder = Decoder.load(
                ModelStore().get(MODEL), adapter=self.tuned if self.way == "lora" else None
            )
            if self.way == "random":
                import torch

                torch.manual_seed(1)
                decoder.model.apply(decoder.model._init_weights)
                decoder.model.tie_weights()
            self._scorer = LocalScorer(decoder)
        return self._scorer

    def alone(self, name: str, codes: np.ndarray) -> np.ndarray:
        """log p(title) of items without a history, shape as codes."""

        def compute() -> np.ndarray:
            distinct = sorted({self.titles[code] for code in codes.ravel()})
            found = self.scorer.score([self.prefix + NOBODY], [[title + "\n" for title in distinct]])[0]
            value = dict(zip(distinct, found, strict=True))
            return np.array([value[self.titles[code]] for code in codes.ravel()])

        return self._kept(f"alone {name}", compute).reshape(codes.shape)

    def pmi(self, name: str, past: list[list[str]], asked: Sequence[np.ndarray]) -> list[np.ndarray]:
        """PMI of the candidates of several rankers, each of shape (n, CANDIDATES); what they share is read once."""
        together = np.concatenate(asked, axis=1)

        def compute() -> np.ndarray:
            out = np.empty(together.shape)
            # Users in blocks: what their prompts begin with alike is read once a block.
            for start in range(0, len(together), BLOCK):
                rows = range(start, min(start + BLOCK, len(together)))
                found = [np.unique(together[row], return_inverse=True) for row in rows]
                told = self.scorer.score(
                    [self.prefix + prompt(past[row]) for row in rows],
                    [[self.titles[code] + "\n" for code in codes] for codes, _ in found],
                )
                for row, (_, place), scores in zip(rows, found, told, strict=True):
                    out[row] = scores[place]
                print(f"  {self.way}, {name}: {rows.stop} of {len(together)} users", flush=True)
            return out

        found = self._kept(name, compute) - self.alone(name, together)
        return np.split(found, len(asked), axis=1)

    def _kept(self, name: str, compute: Any) -> np.ndarray:
        path = self.keep / f"{self.way}-{name.replace(' ', '-')}.safetensors"
        if not path.exists():
            save_file({"values": np.ascontiguousarray(compute())}, path)
        return load_file(path)["values"]


def _examples(train: Dataset, titles: list[str]) -> str:
    """Two histories of the training log, written as the prompt is."""
    log = train.interactions
    assert log is not None
    long = np.flatnonzero(np.diff(log.indptr) >= HISTORY + 1)
    rows = np.random.default_rng(1).choice(long, 2, replace=False)
    parts = []
    for row in rows:
        codes = log.item[log.indptr[row] : log.indptr[row + 1]][-HISTORY - 1 :]
        *past, last = [titles[code] for code in codes]
        parts.append(prompt(past) + last + "\n\n")
    return "".join(parts)


def matrix(ranker: Any, holdout: Holdout, found: Lists) -> np.ndarray:
    """What the two-stage ranker reads of each candidate, and its score and place; of item-kNN these two alone."""
    place = np.broadcast_to(np.arange(CANDIDATES, dtype=float), found.items.shape)
    own = np.stack([found.scores, place], axis=2)
    if not hasattr(ranker, "_asked"):
        return own
    rows = []
    for row in range(len(holdout)):
        asked = ranker._asked(holdout.requests.take(np.array([row])), ranker._known)
        values = features.matrix(asked, ranker.options.groups)
        where = {int(item): at for at, item in enumerate(asked.pool.item)}
        blank = np.full(values.shape[1], np.nan)
        rows.append([values[where[int(i)]] if int(i) in where else blank for i in found.items[row]])
    return np.concatenate([np.array(rows), own], axis=2)


def grown(learn: np.ndarray, bought: np.ndarray, test: np.ndarray) -> np.ndarray:
    """Scores of test candidates by trees grown on the learning ones; lists without a hit teach nothing."""
    hit = bought.any(axis=1)
    data = lgb.Dataset(
        learn[hit].reshape(-1, learn.shape[2]),
        bought[hit].ravel().astype(int),
        group=[CANDIDATES] * int(hit.sum()),
    )
    options = {
        "objective": "lambdarank", "num_leaves": 7, "learning_rate": 0.05, "min_data_in_leaf": 50, "verbose": -1,
        "num_threads": 1, "seed": 1, "lambda_l2": 5.0, "feature_fraction": 0.5,
    }  # fmt: skip
    model = lgb.train(options, data, num_boost_round=80)
    return model.predict(test.reshape(-1, test.shape[2])).reshape(test.shape[:2])


def line(label: str, values: np.ndarray, against: np.ndarray | None = None) -> None:
    text = f"  {label:44} {values.mean():.4f} [{_interval(values)}]"
    if against is not None:
        gap = values - against
        text += f"   {gap.mean():+.4f} [{_interval(gap, '+')}] p {sign_flip_p(gap):.4f}"
    print(text, flush=True)


def _interval(values: np.ndarray, sign: str = "") -> str:
    rng = np.random.default_rng(0)
    means = values[rng.integers(0, len(values), (2000, len(values)))].mean(axis=1)
    low, high = np.quantile(means, [0.025, 0.975])
    return f"{low:{sign}.4f}, {high:{sign}.4f}"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--beauty", type=Path, required=True)
    parser.add_argument("--keep", type=Path, required=True)
    parser.add_argument("--tuned", type=Path)
    parser.add_argument("--learn", type=int, default=LEARN)
    parser.add_argument("--test", type=int, default=TEST)
    parser.add_argument(
        "--ways", nargs="+", default=["zero-shot", "few-shot", "random"],
        choices=["zero-shot", "few-shot", "random", "lora"],
    )  # fmt: skip
    given = parser.parse_args()
    given.keep.mkdir(parents=True, exist_ok=True)
    [split] = load("beauty", given.beauty).values()
    train = split.train
    titles = [title_of(text) for text in train.items["title"].fillna("").astype(str)]
    learn, test = sample(split.validation, given.learn), sample(split.test, given.test)
    readers = [Reader(way, titles, train, given.keep, given.tuned) for way in given.ways]
    rankers = {
        label: make(name, options).fit(train, validation=split.validation, seed=1)
        for label, (name, options) in RANKERS.items()
    }
    found = {label: lists(ranker, learn) for label, ranker in rankers.items()}
    held = {label: lists(ranker, test) for label, ranker in rankers.items()}
    for label, ranker in rankers.items():
        base = held[label].ndcg(held[label].scores)
        print(f"\n{label}: {len(learn)} users learn, {len(test)} test")
        line("the ranker", base)
        learned, asked = matrix(ranker, learn, found[label]), matrix(ranker, test, held[label])
        bought = found[label].items == found[label].wanted[:, None]
        trees = held[label].ndcg(grown(learned, bought, asked))
        line("trees over it, no PMI", trees, base)
        for reader in readers:
            at = list(rankers).index(label)
            seen = reader.pmi("learn", histories(learn, titles), [one.items for one in found.values()])[at]
            read = reader.pmi("test", histories(test, titles), [one.items for one in held.values()])[at]
            line(f"{reader.way}, alone", held[label].ndcg(read), base)
            weight = max(WEIGHTS, key=lambda w: found[label].ndcg(found[label].scores + w * seen).mean())
            line(
                f"{reader.way}, sum ({weight:g})", held[label].ndcg(held[label].scores + weight * read), base
            )
            more = grown(np.dstack([learned, seen]), bought, np.dstack([asked, read]))
            line(f"{reader.way}, feature (against trees)", held[label].ndcg(more), trees)


if __name__ == "__main__":
    main()
