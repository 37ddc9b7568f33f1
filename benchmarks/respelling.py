"""Does a language model correct typing errors better than the words of the catalogue do?

    .venv/bin/python benchmarks/respelling.py [--limit N]

The plain speller takes, for a word that the catalogue lacks, the commonest catalogue word one edit away. Here the
candidates (one edit; or up to two for words of SEVEN letters and more), and the word as typed, are scored:

    weight · log(1 + items that hold the word) − penalty · edits [+ log p(query with the word), by the language model]

Weight and penalty are chosen for each of them on 400 queries made from the catalogue, half of them with one slip or
two; then all correct the hand-written errors of benchmarks/held_out/spelling_errors.yaml. Exact: the words that are
looked up are those of what was meant. Clean queries and names of goods that the shop lacks should come out as they
were typed. Differences from the speller of one edit are paired, tested by sign flips; intervals by bootstrap.

--no-model: the spellers of the catalogue's words alone, which ship.
"""

from __future__ import annotations

import argparse
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import yaml
from wordings import HELD_OUT, shop

from mercer.contracts import Dataset, Vocabulary
from mercer.evaluation.significance import sign_flip_p
from mercer.language import MiniLm
from mercer.language.decoders import Decoder, ModelStore
from mercer.language.scoring import LocalScorer
from mercer.search.matching import FieldOptions, Matching
from mercer.search.spelling import Speller, edits
from mercer.search.words import fold, terms
from mercer.simulate.queries import misspell, write_query
from mercer.simulate.tables import items_table
from mercer.simulate.world import World

MODEL = "smollm2-135m-instruct"
WEIGHTS = (0.0, 0.25, 0.5, 1.0, 1.5, 2.0)
PENALTIES = (-8.0, -4.0, -2.0, 0.0, 1.0, 2.0, 4.0, 6.0, 8.0)
SLIPS = (0.5, 0.35, 0.15)
SEVEN = 7
PROMPT = "A search in an online shop: "
_WORD = re.compile(r"[^\W\d_]+")
Pair = tuple[str, str]


class Candidates(Speller):
    """What a word may have been meant to be. most: edits."""

    def __init__(self, words: Mapping[str, int], most: int) -> None:
        super().__init__(words)
        self.most = most

    def of(self, word: str) -> dict[str, int]:
        """Catalogue words and how many edits away each is, for a word that the catalogue lacks; none for others."""
        folded = fold(word)
        if not (4 <= len(folded) <= 32) or self._knows(folded):
            return {}
        near = dict.fromkeys(sorted({near for near in self._near(folded) if near in self._words}), 1)
        if self.most > 1 and len(folded) >= SEVEN:
            for other in self._words:
                if other not in near and edits(folded, other, 2) == 2:
                    near[other] = 2
        return near

    def count(self, word: str) -> int:
        """Items that hold a word."""
        return self._words.get(fold(word), 0)


@dataclass(frozen=True)
class Choice:
    """One query and its spellings; position 0 is the query as it was typed. edits, count: of the word in question."""

    meant: str
    spellings: tuple[str, ...]
    log_p: np.ndarray
    count: np.ndarray
    edits: np.ndarray

    def best(self, weight: float, penalty: float) -> str:
        score = self.log_p + weight * np.log1p(self.count) - penalty * self.edits
        return self.spellings[int(np.argmax(score))]


class Respeller:
    """Corrects one word after the other. scorer: None leaves the language model out."""

    def __init__(self, candidates: Candidates, scorer: LocalScorer | None) -> None:
        self.candidates, self.scorer = candidates, scorer

    def spellings(self, query: str) -> list[tuple[str, int, int]]:
        """The query as it is, and with each candidate of the first word that has some; the word's count and edits."""
        rows = [(query, 0, 0)]
        for found in _WORD.finditer(query):
            for word, away in self.candidates.of(found.group()).items():
                text = query[: found.start()] + word + query[found.end() :]
                rows.append((text, self.candidates.count(word), away))
            if len(rows) > 1:
                break
        return rows

    def told(self, texts: Sequence[str]) -> np.ndarray:
        """What the language model says of each spelling of a query, the first as it was typed."""
        if self.scorer is None:
            return np.zeros(len(texts))
        return np.asarray(self.scorer.score([PROMPT], [[text + "\n" for text in texts]])[0])

    def choice(self, query: str, meant: str) -> Choice:
        """The spellings of a query and what speaks for each."""
        texts, count, away = zip(*self.spellings(query), strict=True)
        log_p = self.told(texts) if len(texts) > 1 else np.zeros(1)
        return Choice(meant, texts, log_p, np.array(count, float), np.array(away, float))

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
    parser.add_argument("--no-model", action="store_true")
    given = parser.parse_args()
    world = shop()
    items = items_table(world.catalogue, world.calendar).to_pandas().fillna({"text": "", "attributes": ""})
    data = Dataset(vocabulary=Vocabulary(items["item"].tolist()), items=items, as_of=0)
    matching = Matching.build(data, FieldOptions())
    parts = held_out(world, given.limit)
    words, real = matching.index.words, MiniLm().words
    plain = OneEdit(words)
    report("one edit", parts, plain.corrected, plain.corrected)
    report("one edit, real words stay", parts, OneEdit(words, real).corrected, plain.corrected)
    report("two edits", parts, Speller(words).corrected, plain.corrected)
    report("two edits, real words stay", parts, Speller(words, real).corrected, plain.corrected)
    if given.no_model:
        return
    scorer = LocalScorer(Decoder.load(ModelStore().get(MODEL)))
    for label, most, by in (
        ("one edit, counts", 1, None), ("two edits, counts", 2, None),
        ("one edit, language model", 1, scorer), ("two edits, language model", 2, scorer),
    ):  # fmt: skip
        respeller = Respeller(Candidates(words, most), by)
        weight, penalty = chosen(world, respeller)
        seconds: list[float] = []

        def corrected(
            query: str,
            of: Respeller = respeller,
            w: float = weight,
            p: float = penalty,
            took: list[float] = seconds,
        ) -> str:
            begun = time.perf_counter()
            made = of.corrected(query, w, p)
            took.append(1000 * (time.perf_counter() - begun))
            return made

        report(label, parts, corrected, plain.corrected)
        took = np.array(seconds[: len(parts["misspelt"])])
        print(
            f"    a misspelt query: p50 {np.median(took):.0f} ms, p99 {np.quantile(took, 0.99):.0f} ms",
            flush=True,
        )


def held_out(world: World, limit: int | None = None) -> dict[str, list[dict[str, str]]]:
    """The hand-written queries with an error, the clean ones, and names of goods that the shop lacks."""
    entries = yaml.safe_load((HELD_OUT / "spelling_errors.yaml").read_text("utf-8"))[:limit]
    clean = [same(entry["typed"], entry["meant"]) for entry in entries]
    return {
        "misspelt": [entry for entry, good in zip(entries, clean, strict=True) if not good],
        "clean": [entry for entry, good in zip(entries, clean, strict=True) if good],
        "lacking": [{"typed": text, "meant": text} for text in world.catalogue.assortment.unserved],
    }


class OneEdit(Speller):
    """The speller without its second edit."""

    def _two_edits_away(self, word: str) -> list[str]:  # noqa: ARG002
        return []


def made_queries(world: World, *, seed: int = 11, n: int = 400, slips: Sequence[float] = SLIPS) -> list[Pair]:
    """Queries written from the catalogue: as typed, and as meant. slips: how likely none, one, two are."""
    rng = np.random.default_rng(seed)
    catalogue = world.catalogue
    pairs = []
    for item in rng.choice(len(catalogue), n, replace=n > len(catalogue)):
        meant = write_query(catalogue, int(item), rng).text
        typed = meant
        for _ in range(int(rng.choice(3, p=slips))):
            typed = misspell(typed, rng)
        pairs.append((typed, meant))
    return pairs


def chosen(world: World, respeller: Respeller, penalties: Sequence[float] = PENALTIES) -> tuple[float, float]:
    """Weight and penalty with most exact corrections on queries made from the catalogue."""
    choices = [respeller.choice(typed, meant) for typed, meant in made_queries(world)]
    score = {
        (w, p): np.mean([same(one.best(w, p), one.meant) for one in choices])
        for w in WEIGHTS
        for p in penalties
    }
    best = max(score, key=lambda key: score[key])
    print(
        f"    chosen on {len(choices)} made queries: weight {best[0]:g}, penalty {best[1]:g}: {score[best]:.3f} exact"
    )
    return best


def report(
    label: str,
    parts: Mapping[str, list[dict[str, str]]],
    made: Callable[[str], str],
    plain: Callable[[str], str],
) -> None:
    """What comes out as it was meant, beside what the plain speller makes of it."""
    for part, entries in parts.items():
        right = [
            np.array([same(speller(entry["typed"]), entry["meant"]) for entry in entries], float)
            for speller in (made, plain)
        ]
        gap = right[0] - right[1]
        draws = gap[np.random.default_rng(0).integers(0, len(gap), (2000, len(gap)))].mean(axis=1)
        low, high = np.quantile(draws, [0.025, 0.975])
        print(
            f"{label:28} {part:9} n {len(gap):3}  exact {right[0].mean():.3f}  "
            f"{gap.mean():+.3f} [{low:+.3f}, {high:+.3f}] p {sign_flip_p(gap):.4f}"
        )


if __name__ == "__main__":
    main()
