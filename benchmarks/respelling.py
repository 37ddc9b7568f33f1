"""Does a language model correct typing errors better than the words of the catalogue do?

    .venv/bin/python benchmarks/respelling.py [--limit N]

The plain speller takes, for a word that the catalogue lacks, the commonest catalogue word one edit away. Here the same
candidates, and the word as typed, are put into the query and scored: log p(query) + weight · log(1 + items that hold
the word) − penalty · changed. Weight and penalty are chosen on 300 queries made from the catalogue, half of them with
one slip; then both spellers correct the hand-written errors of benchmarks/held_out/spelling_errors.yaml. Exact: the
words that are looked up are those of what was meant. Harm: clean queries that come out changed. Differences are
paired, tested by sign flips; intervals by bootstrap.
"""

from __future__ import annotations

import argparse
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import yaml
from wordings import HELD_OUT, shop

from mercer.contracts import Dataset, Vocabulary
from mercer.evaluation.significance import sign_flip_p
from mercer.language.decoders import Decoder, ModelStore
from mercer.language.scoring import LocalScorer
from mercer.search.matching import FieldOptions, Matching
from mercer.search.spelling import Speller
from mercer.search.words import fold, terms
from mercer.simulate.queries import misspell, write_query
from mercer.simulate.tables import items_table

MODEL = "smollm2-135m-instruct"
WEIGHTS = (0.0, 0.25, 0.5, 1.0, 1.5, 2.0)
PENALTIES = (-8.0, -6.0, -4.0, -2.0, 0.0, 2.0, 4.0)
PROMPT = "A search in an online shop: "
_WORD = re.compile(r"[^\W\d_]+")


class Candidates(Speller):
    """What the plain speller would choose from."""

    def of(self, word: str) -> list[str]:
        """Catalogue words one edit from a word that the catalogue lacks, in alphabetical order; none for others."""
        folded = fold(word)
        if not (4 <= len(folded) <= 32) or self._knows(folded):
            return []
        return sorted({near for near in self._near(folded) if near in self._words})

    def count(self, word: str) -> int:
        """Items that hold a word."""
        return self._words.get(fold(word), 0)


@dataclass(frozen=True)
class Choice:
    """One query: its spellings, what the language model thinks of each, and what the catalogue holds of the word.

    Position 0 is the query as it was typed.
    """

    meant: str
    spellings: tuple[str, ...]
    log_p: np.ndarray
    count: np.ndarray

    def best(self, weight: float, penalty: float) -> str:
        score = self.log_p + weight * np.log1p(self.count)
        score[1:] -= penalty
        return self.spellings[int(np.argmax(score))]


def spellings(query: str, candidates: Candidates) -> Iterator[tuple[str, int]]:
    """The query as typed, and with the first unknown word replaced by each candidate, with the word's count."""
    yield query, 0
    for found in _WORD.finditer(query):
        near = candidates.of(found.group())
        for word in near:
            yield query[: found.start()] + word + query[found.end() :], candidates.count(word)
        if near:
            return


class Respeller:
    """Corrects one word after the other, by the scorer."""

    def __init__(self, candidates: Candidates, scorer: LocalScorer) -> None:
        self.candidates, self.scorer = candidates, scorer

    def choice(self, query: str, meant: str) -> Choice:
        pairs = list(spellings(query, self.candidates))
        texts = tuple(text for text, _ in pairs)
        log_p = np.zeros(1)
        if len(texts) > 1:
            log_p = np.asarray(self.scorer.score([PROMPT], [[text + "\n" for text in texts]])[0])
        return Choice(meant, texts, log_p, np.array([count for _, count in pairs], float))

    def corrected(self, query: str, weight: float, penalty: float) -> str:
        """At most three words, left to right; a word that stays as it is ends it."""
        for _ in range(3):
            better = self.choice(query, "").best(weight, penalty)
            if better == query:
                return query
            query = better
        return query


def same(a: str, b: str) -> bool:
    return terms(a, plurals=True) == terms(b, plurals=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--limit", type=int)
    given = parser.parse_args()
    world = shop()
    items = items_table(world.catalogue, world.calendar).to_pandas().fillna({"text": "", "attributes": ""})
    data = Dataset(vocabulary=Vocabulary(items["item"].tolist()), items=items, as_of=0)
    matching = Matching.build(data, FieldOptions())
    candidates = Candidates(matching.index.words)
    respeller = Respeller(candidates, LocalScorer(Decoder.load(ModelStore().get(MODEL))))
    weight, penalty = chosen(world, respeller)
    entries = yaml.safe_load((HELD_OUT / "spelling_errors.yaml").read_text("utf-8"))[: given.limit]
    plain, learned, seconds = [], [], []
    for entry in entries:
        plain.append(matching.corrected(entry["typed"]))
        begun = time.perf_counter()
        learned.append(respeller.corrected(entry["typed"], weight, penalty))
        seconds.append(time.perf_counter() - begun)
    wrong = np.array([not same(entry["typed"], entry["meant"]) for entry in entries])
    report("exact, misspelt", entries, plain, learned, wrong)
    report("exact, clean (1 − harm)", entries, plain, learned, ~wrong)
    took = 1000 * np.array(seconds)[wrong]
    print(
        f"{'milliseconds a misspelt query':26} p50 {np.median(took):.0f}, p99 {np.quantile(took, 0.99):.0f}"
    )


def chosen(world: object, respeller: Respeller) -> tuple[float, float]:
    """Weight and penalty with most exact corrections on queries made from the catalogue."""
    rng = np.random.default_rng(11)
    catalogue = world.catalogue  # type: ignore[attr-defined]
    choices = []
    for item in rng.choice(len(catalogue), 300, replace=False):
        meant = write_query(catalogue, int(item), rng).text
        typed = misspell(meant, rng) if rng.random() < 0.5 else meant
        choices.append(respeller.choice(typed, meant))
    score = {
        (w, p): np.mean([same(one.best(w, p), one.meant) for one in choices])
        for w in WEIGHTS
        for p in PENALTIES
    }
    best = max(score, key=lambda key: score[key])
    print(
        f"chosen on {len(choices)} made queries: weight {best[0]:g}, penalty {best[1]:g}: {score[best]:.3f} exact"
    )
    return best


def report(
    label: str, entries: list[dict[str, str]], plain: list[str], learned: list[str], rows: np.ndarray
) -> None:
    right = [
        np.array(
            [same(out, e["meant"]) for out, e, use in zip(made, entries, rows, strict=True) if use], float
        )
        for made in (plain, learned)
    ]
    gap = right[1] - right[0]
    draws = gap[np.random.default_rng(0).integers(0, len(gap), (2000, len(gap)))].mean(axis=1)
    low, high = np.quantile(draws, [0.025, 0.975])
    print(
        f"{label:26} n {len(gap)}: plain {right[0].mean():.3f}, language model {right[1].mean():.3f}, "
        f"{gap.mean():+.3f} [{low:+.3f}, {high:+.3f}] p {sign_flip_p(gap):.4f}"
    )


if __name__ == "__main__":
    main()
