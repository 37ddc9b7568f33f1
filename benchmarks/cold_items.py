"""Items that training never saw, reached by what their titles say: the generative ranker against text similarity.

    .venv/bin/python benchmarks/cold_items.py --beauty FOLDER [--keep FOLDER] [--only NAME ...]
    … --share 100 --epochs 1      fewer hidden items and a short training, to try it

One of --share items of Amazon Beauty 2014 (briefs/beauty.yaml), drawn by the md5 of its id, is taken out of the
catalogue with all its training events. Rankers are fitted on the rest (fits), then the hidden items are put in:
`generative` gives them paths by their texts (`grown`), nothing is trained again. "Title" says that a hidden item's
title alone is known, "title and category" that its category is, too.
Judged are the test requests whose answer is a hidden item, histories as they are, ranked in the whole catalogue and
among the hidden items alone, with mid-ranks: items that no beam reaches, that nobody bought or that have no neighbour
are tied. Text similarity is the cosine of MiniLM vectors with the mean of the history, or with its last item.
Intervals: 95 %, bootstrap over people; differences are from the first text similarity, paired, tested by sign flips,
Holm over each metric of a list.

Text to ID: of the fits that learn titles, the path that beams decode after a title alone, with no history, against the
path that the item has; beside it the path of the item whose title is nearest among those that were not hidden.
Seconds are CPU seconds of one thread: put OMP_NUM_THREADS=1 before the command. A fit is kept in --keep and read again.
"""

from __future__ import annotations

import argparse
import hashlib
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from recommend_quality import BRIEFS, load, make, scored, values
from semantic_ids import LONG, ONE, Shop

from mercer.brief import Brief
from mercer.contracts import Dataset, Floats32, Holdout, Ragged, Requests, Vocabulary
from mercer.evaluation import Scored, adjust, compare
from mercer.language import MiniLm
from mercer.language.beams import DecoderSteps, beam_search
from mercer.language.events.texts import asked
from mercer.language.semantic_ids import VectorOptions
from mercer.language.semantic_ids.vectors import encode_items, texts_of
from mercer.recommend.generative import Generative

SEED = 1
METRICS = ("ndcg@10", "recall@10")
BEAMS = (50, 500)
TITLE = VectorOptions(fields={"title": 1.0})
TITLES = {"tasks": {"text_to_item": 0.3}, "events": {"text_tokens": 2000}}
FITS: dict[str, dict[str, Any]] = {
    "default": {},
    "titles": TITLES,
    "titles, no neighbours": TITLES | {"neighbours": 0.0},
}
BASE = "text similarity, history"


@dataclass(frozen=True)
class Cold:
    """A catalogue whose last items are hidden.

    train: over all items, its log without the hidden ones. known: the same without the hidden items. validation: over
    what is known. test: over all items, requests whose answer is hidden. n_old: items that are not hidden.
    """

    train: Dataset
    known: Dataset
    validation: Holdout
    test: Holdout
    n_old: int

    @property
    def new(self) -> np.ndarray:
        """Codes of the hidden items."""
        return np.arange(self.n_old, len(self.train.vocabulary))

    def items(self, *, has_category: bool) -> pd.DataFrame:
        """The catalogue as it is put in."""
        category = self.train.items["category"].where(
            has_category | (self.train.items.index < self.n_old), ""
        )
        return self.train.items.assign(category=category)


def rest(ids: tuple[str, ...], share: int) -> np.ndarray:
    """The md5 of each id modulo `share`, shape (I,): 0 is hidden."""
    return np.array(
        [int(hashlib.md5(one.encode(), usedforsecurity=False).hexdigest(), 16) % share for one in ids]
    )


def hidden(folder: Path, share: int) -> Cold:
    """Beauty with the hidden items at the end."""
    [split] = load("beauty", folder).values()
    names, log = split.train.vocabulary, split.train.interactions
    assert log is not None
    is_old = rest(names.ids, share) != 0
    order = np.concatenate([np.flatnonzero(is_old), np.flatnonzero(~is_old)])
    place, n_old = np.argsort(order).astype(np.int32), int(is_old.sum())
    whole = Vocabulary([names.ids[item] for item in order])
    heard = log.where(is_old[log.item])
    train = replace(
        split.train,
        vocabulary=whole,
        items=split.train.items.iloc[order].reset_index(drop=True),
        interactions=replace(heard, items=whole, item=place[heard.item]),
    )
    known = Shop(train, np.zeros((len(whole), 0), np.float32), "").only(np.arange(len(whole)) < n_old).train
    test = over(split.test, whole, place)
    wanted = np.flatnonzero(test.relevant.values >= n_old)
    validation = over(split.validation, known.vocabulary, np.where(place < n_old, place, -1))
    return Cold(train, known, validation, test.take(wanted), n_old)


def over(held: Holdout, names: Vocabulary, code: np.ndarray) -> Holdout:
    """Held-out requests, of one answer each, over another catalogue.

    code: of each item in it, -1 where it is not there: such events, and requests with such an answer, are left out.
    """
    held = held.take(np.flatnonzero(code[held.relevant.values] >= 0))
    history = held.requests.history
    history = history.where(code[history.item] >= 0)
    history = replace(history, items=names, item=code[history.item].astype(np.int32))
    relevant = replace(held.relevant, values=code[held.relevant.values].astype(np.int32))
    return replace(held, requests=replace(held.requests, history=history), relevant=relevant)


@dataclass(frozen=True)
class LikeTexts:
    """Cosine of an item's text with the mean of the history's, or with its last item's. text: float32, shape (I, d)."""

    text: Floats32
    is_last: bool

    def score(self, requests: Requests, items: np.ndarray) -> Floats32:
        heard = requests.history
        history = (
            heard.where(np.isin(np.arange(heard.n_events), heard.indptr[1:] - 1)) if self.is_last else heard
        )
        taste = np.zeros((len(requests), self.text.shape[1]), np.float32)
        np.add.at(taste, history.user_of, self.text[history.item])
        found: Floats32 = taste @ self.text[items].T
        return found


def vectors(items: pd.DataFrame, options: VectorOptions) -> Floats32:
    """MiniLM vectors of the items' texts, of length 1, float32, shape (I, d)."""
    found = encode_items(items, MiniLm(), options, budget=LONG).reshape(len(items), -1)
    length = np.linalg.norm(found, axis=1, keepdims=True)
    return np.asarray(found / np.maximum(length, 1e-9), np.float32)


def rivals(cold: Cold) -> dict[str, Any]:
    """What is compared with."""
    tuned = Brief.load(BRIEFS / "beauty.yaml").targets["next-item"].options["item-knn"]
    title, both = vectors(cold.train.items, TITLE), vectors(cold.train.items, VectorOptions())
    return {
        BASE: LikeTexts(title, is_last=False),
        "text similarity, last item": LikeTexts(title, is_last=True),
        "text similarity with category, history": LikeTexts(both, is_last=False),
        "most-popular": make("most-popular", {}).fit(cold.train, seed=SEED),
        "item-knn": make("item-knn", tuned).fit(cold.train, seed=SEED),
    }


def fitted(name: str, cold: Cold, keep: Path | None, epochs: int | None) -> Generative:
    """The ranker that never saw the hidden items: read from `keep`, or fitted and kept there."""
    options = Generative.Options(**FITS[name], **({} if epochs is None else {"epochs": epochs}))
    folder = None if keep is None else keep / name.replace(", ", "-").replace(" ", "-")
    if folder is not None and folder.is_dir():
        held = Generative.load(folder)
        if held.options == options and held._catalogue == cold.known.vocabulary.fingerprint:
            return held
    begun = time.process_time()
    ranker = Generative(options).fit(
        cold.known, validation=cold.validation, budget=LONG, seed=SEED, runtime=ONE
    )
    say(f"{name}: fitted in {time.process_time() - begun:.0f} CPU s")
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        ranker.save(folder)
    return ranker


def grown(ranker: Generative, cold: Cold, *, has_category: bool) -> Generative:
    """With the hidden items put in."""
    return ranker.grown(cold.items(has_category=has_category), cold.train.vocabulary, runtime=ONE)


def with_beams(ranker: Generative, beams: int) -> Generative:
    """The same, answering with so many beams."""
    ranker.options = ranker.options.model_copy(update={"beams": beams})
    return ranker


def ranked(rankers: Mapping[str, Any], held: Holdout, where: str) -> dict[str, Scored]:
    """A line a ranker."""
    found = {}
    for name, ranker in rankers.items():
        begun = time.process_time()
        found[name] = scored(ranker, held)
        ms = 1000 * (time.process_time() - begun) / len(held)
        say(f"{where}: {name} {values(found[name], where)}  {ms:.1f} ms a request")
    return found


def differences(found: Mapping[str, Scored], where: str) -> None:
    """Everything less the first text similarity."""
    for metric in METRICS:
        pairs = [
            compare(one, found[BASE], metric, names=(name, BASE), task="recommend", target=where)
            for name, one in found.items()
            if name != BASE
        ]
        for one in adjust(pairs):
            interval = f"{one.difference:+.4f} [{one.low:+.4f}, {one.high:+.4f}]"
            say(f"{where} {metric}: {one.a} over it {interval} p {one.p:.4f}, adjusted {one.p_adjusted:.4f}")


def by_title(name: str, ranker: Generative, cold: Cold, codes: np.ndarray, what: str) -> None:
    """What is decoded after nothing but titles. codes: of the items that are asked for."""
    assert ranker.parts_ is not None
    parts, titles = ranker.parts_, texts_of(cold.train.items, "title")
    codes = np.array([code for code in codes if titles[code]])
    prompts = asked(parts.tokenizer, [titles[code] for code in codes], opening="text")
    found = beam_search(
        DecoderSteps(parts.decoder.model, parts.tokenizer.item_rows, beside=parts.decoder.meaning),
        [prompts[row] for row in range(len(prompts))],
        parts.tokenizer.prefixes,
        width=BEAMS[0],
        k=10,
        among_children=True,
    ).items
    paths, text = parts.tokenizer.ids.codes, vectors(cold.train.items, TITLE)
    like = text[codes] @ text[: cold.n_old].T
    like[codes[:, None] == np.arange(cold.n_old)] = -np.inf
    nearest = like.argmax(axis=1)
    chance = np.random.default_rng(SEED).permutation(found[:, 0])
    told = ", ".join(f"{share(found[:, :k] == codes[:, None])} among {k}" for k in (1, 10))
    say(f"text to ID, {name}, {len(codes)} {what}: the item itself {told}")
    for depth in range(1, paths.shape[1]):
        same = [
            share((paths[other, :depth] == paths[codes, :depth]).all(axis=1, keepdims=True))
            for other in (found[:, 0], nearest, chance)
        ]
        say(f"  first {depth} codes: decoded {same[0]}; of the nearest title {same[1]}; by chance {same[2]}")


def share(hit: np.ndarray) -> str:
    """Share of rows with a hit, and its interval. hit: bool, shape (n, k)."""
    rows = np.asarray(hit.any(axis=1))
    drawn = np.random.default_rng(SEED).integers(0, len(rows), (1000, len(rows)))
    low, high = np.percentile(rows[drawn].mean(axis=1), [2.5, 97.5])
    return f"{rows.mean():.3f} [{low:.3f}, {high:.3f}]"


def say(sentence: str) -> None:
    print(sentence, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--beauty", type=Path, required=True)
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--only", nargs="+", default=list(FITS), choices=list(FITS), metavar="NAME")
    parser.add_argument("--share", type=int, default=20)
    parser.add_argument("--epochs", type=int)
    given = parser.parse_args()
    logging.disable(logging.WARNING)
    torch.set_num_threads(1)
    cold = hidden(given.beauty, given.share)
    only = Ragged.from_rows([cold.new] * len(cold.test))
    questions = {
        "whole catalogue": cold.test,
        "hidden alone": replace(cold.test, requests=replace(cold.test.requests, allow=only)),
    }
    say(
        f"{len(cold.new)} of {len(cold.train.vocabulary)} items hidden, {len(cold.test)} test requests want one"
    )
    others = rivals(cold)
    found = {where: ranked(others, held, where) for where, held in questions.items()}
    for name in given.only:
        ranker = fitted(name, cold, given.keep, given.epochs)
        for known, has_category in (("title", False), ("title and category", True)):
            larger = grown(ranker, cold, has_category=has_category)
            for beams in BEAMS:
                row = {f"generative, {name}, {known}, {beams} beams": with_beams(larger, beams)}
                for where, held in questions.items():
                    found[where] |= ranked(row, held, where)
            if larger.options.tasks.text_to_item:
                by_title(name, larger, cold, cold.new, f"hidden items, {known}")
        if ranker.options.tasks.text_to_item:
            seen = np.flatnonzero(rest(cold.known.vocabulary.ids, given.share) == 1)
            by_title(name, larger, cold, seen, "items of the training")
    for where, rows in found.items():
        differences(rows, where)


if __name__ == "__main__":
    main()
