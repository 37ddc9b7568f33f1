"""How good semantic IDs are before a model learns them, and what a refresh of the catalogue costs.

    .venv/bin/python benchmarks/semantic_ids.py --beauty FOLDER                   every codebook at several weights
    … --refresh                               a tenth of the items hidden from the fit, then given IDs
    … --kinds residual-kmeans rqvae   … --weights 0 0.25 0.5 0.75   … --balances 0 1   … --levels 2 3   … --seed 1

Weight: share of the collaborative part in a squared distance; 0 is text alone. Balance: of residual k-means. FOLDER
holds Amazon Beauty 2014 (briefs/beauty.yaml), which mercer does not include; events are those of the training part.
Times are CPU seconds of one thread: put OMP_NUM_THREADS=1 before the command. Memory is the highest of the process
while a codebook is fitted, data included. Intervals: 95 %, bootstrap over items.
"""

from __future__ import annotations

import argparse
import hashlib
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from recommend_quality import load

from mercer.contracts import Budget, Dataset, Floats32, Interactions, Runtime, Vocabulary
from mercer.language import MiniLm
from mercer.language.semantic_ids import IdOptions, ItemVectors, SemanticCatalogue, VectorOptions, report
from mercer.language.semantic_ids.cooccurrence import near
from mercer.language.semantic_ids.report import reconstruction
from mercer.language.semantic_ids.vectors import encode_items, texts_of
from mercer.training.memory import Memory

ONE = Runtime(threads=1)
LONG = Budget(36_000)
SAMPLE = 200
"""Titles encoded anew to time the encoder."""


@dataclass(frozen=True)
class Shop:
    """A catalogue with its encoded texts and its training log."""

    train: Dataset
    encoded: Floats32
    encoder: str

    @property
    def log(self) -> Interactions:
        assert self.train.interactions is not None
        return self.train.interactions

    def vectors(self, options: VectorOptions, seed: int) -> ItemVectors:
        return ItemVectors.of_encoded(self.encoded, self.log, options, encoder=self.encoder, seed=seed)

    def only(self, kept: np.ndarray) -> Shop:
        """The shop as if the other items had never been there. kept: bool, shape (I,)."""
        names = Vocabulary([one for one, there in zip(self.train.vocabulary.ids, kept, strict=True) if there])
        log = self.log.where(kept[self.log.item])
        code = (np.cumsum(kept) - 1).astype(np.int32)
        log = replace(log, items=names, item=code[log.item])
        items = self.train.items[kept].reset_index(drop=True)
        train = replace(self.train, vocabulary=names, items=items, interactions=log)
        return Shop(train, self.encoded[kept], self.encoder)


def say(sentence: str) -> None:
    print(sentence, flush=True)


def fitted(shop: Shop, options: IdOptions, seed: int) -> tuple[SemanticCatalogue, ItemVectors, str]:
    """IDs, the vectors they were made of, and what it took."""
    with Memory(torch.device("cpu")) as memory:
        begun = time.process_time()
        vectors = shop.vectors(options.vectors, seed)
        at = time.process_time()
        made = SemanticCatalogue.of_vectors(
            vectors, shop.train.vocabulary, options, seed=seed, runtime=ONE, budget=LONG
        )
        took = f"vectors {at - begun:.1f} s, codebook {time.process_time() - at:.1f} s, {memory.peak_mib:.0f} MiB"
    return made, vectors, took


def quality(shop: Shop, options: IdOptions, seed: int) -> None:
    """One line a codebook."""
    made, vectors, took = fitted(shop, options, seed)
    say(
        f"{_name(options)}: {report(made.codebook, vectors.joined).said()}; last token {made.ids.sizes[-1]}; {took}"
    )


def hidden_of(shop: Shop) -> np.ndarray:
    """A tenth of the items, drawn by a hash of their ids: bool, shape (I,)."""
    return np.array([hashlib.sha256(one.encode()).digest()[0] % 10 == 0 for one in shop.train.vocabulary.ids])


def put_in(part: SemanticCatalogue, shop: Shop, hidden: np.ndarray) -> tuple[SemanticCatalogue, Floats32]:
    """Hidden items given IDs by their texts alone: the catalogue with all paths in the shop's order, and their vectors.

    part: of the items that are not hidden.
    """
    names, new = shop.train.vocabulary, np.flatnonzero(hidden)
    order = np.concatenate([np.flatnonzero(~hidden), new])
    vectors = part.space.of_new(shop.encoded[new])
    longer = part.extended_by(vectors, Vocabulary([names.ids[item] for item in order]))
    place = np.argsort(order)
    ids = replace(longer.ids, codes=longer.ids.codes[place], catalogue=names.fingerprint, n_base=len(place))
    return replace(longer, ids=ids, vectors=longer.vectors[place]), vectors


def refresh(shop: Shop, options: IdOptions, seed: int) -> None:
    """A tenth of the items hidden from everything that is fitted, then given IDs by their texts alone."""
    hidden = hidden_of(shop)
    ids, old, new = shop.train.vocabulary.ids, np.flatnonzero(~hidden), np.flatnonzero(hidden)
    part, _, took = fitted(shop.only(~hidden), options, seed)
    begun = time.process_time()
    longer, vectors = put_in(part, shop, hidden)
    per_thousand = 1000 * (time.process_time() - begun) / len(new)
    full, all_vectors, took_full = fitted(shop, options, seed)

    text = shop.encoded[:, 0]
    beside_text = old[(text[new] @ text[old].T).argmax(axis=1)]
    pairs = near(shop.log, options.vectors)[new][:, old].tocsr()
    bought = np.flatnonzero(np.diff(pairs.indptr) > 0)
    beside_bought = old[pairs[bought].toarray().argmax(axis=1)]
    codes, name = longer.ids.codes, _name(options)
    say(f"{name}: {len(new)} of {len(ids)} items hidden; fit without them {took}; with them {took_full}")
    r2 = [
        reconstruction(made.codebook, rows, made.codebook.encode(rows), rows.mean(axis=0))[0]
        for made, rows in ((part, vectors), (full, all_vectors.joined[new]))
    ]
    shared = float((np.unique(codes[:, :-1], axis=0, return_counts=True)[1]).max())
    say(
        f"  {per_thousand:.2f} CPU s per 1,000 new items from their encoded texts; R² of them {r2[0]:.3f}, fitted with "
        f"them {r2[1]:.3f}; most items of one path {shared:.0f}, last token {longer.ids.sizes[-1]}"
    )
    chance = np.random.default_rng(seed)
    for what, items, beside in (
        ("nearest title", new, beside_text),
        ("most often bought near", new[bought], beside_bought),
    ):
        for depth in range(1, full.ids.depth):
            cells = [
                _share(_same(of, items, other, depth), seed)
                for of, other in (
                    (codes, beside),
                    (full.ids.codes, beside),
                    (codes, chance.permutation(beside)),
                )
            ]
            say(
                f"  {what}, {len(items)} items, first {depth} codes shared: by text {cells[0]}; fitted with them "
                f"{cells[1]}; by chance {cells[2]}"
            )


def encoding(shop: Shop) -> None:
    """What encoding a new title takes."""
    titles = texts_of(shop.train.items, "title")[:: max(1, len(shop.train.items) // SAMPLE)][:SAMPLE]
    encoder = MiniLm()
    encoder.encode(titles[:2])
    begun = time.process_time()
    encoder.encode(titles)
    say(f"encoding: {1000 * (time.process_time() - begun) / len(titles):.1f} CPU s per 1,000 titles")


def _same(codes: np.ndarray, items: np.ndarray, beside: np.ndarray, depth: int) -> np.ndarray:
    return (codes[items, :depth] == codes[beside, :depth]).all(axis=1)


def _share(hit: np.ndarray, seed: int) -> str:
    drawn = np.random.default_rng(seed).integers(0, len(hit), (1000, len(hit)))
    low, high = np.percentile(hit[drawn].mean(axis=1), [2.5, 97.5])
    return f"{hit.mean():.3f} [{low:.3f}, {high:.3f}]"


def _name(options: IdOptions) -> str:
    chosen = "".join(f", {name} {value}" for name, value in options.codebook.items())
    return f"{options.kind}, collaborative {options.vectors.collaborative:g}{chosen}"


def _chosen(arguments: argparse.Namespace) -> list[IdOptions]:
    found = []
    for kind in arguments.kinds:
        balances: list[Any] = arguments.balances if kind == "residual-kmeans" else [None]
        found += [
            IdOptions(
                kind=kind,
                vectors=VectorOptions(collaborative=weight),
                codebook={"levels": levels} | ({} if balance is None else {"balance": balance}),
            )
            for levels in arguments.levels
            for weight in arguments.weights
            for balance in balances
        ]
    return found


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--beauty", type=Path, required=True)
    parser.add_argument("--kinds", nargs="+", default=["residual-kmeans", "rqvae"])
    parser.add_argument("--weights", nargs="+", type=float, default=[0.0, 0.25, 0.5, 0.75])
    parser.add_argument("--balances", nargs="+", type=float, default=[None])
    parser.add_argument("--levels", nargs="+", type=int, default=[3])
    parser.add_argument("--refresh", action="store_true")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    [split] = load("beauty", arguments.beauty).values()
    encoder = MiniLm()
    encoded = encode_items(split.train.items, encoder, VectorOptions(), budget=LONG)
    shop = Shop(split.train, encoded, encoder.fingerprint)
    if arguments.refresh:
        encoding(shop)
    for options in _chosen(arguments):
        (refresh if arguments.refresh else quality)(shop, options, arguments.seed)


if __name__ == "__main__":
    main()
