"""Does a language model spell better with examples, or fine-tuned on made errors? Beside benchmarks/respelling.py.

    .venv/bin/python benchmarks/respelling_taught.py --keep FOLDER [--ways few-shot lora] [--tokens N]

few-shot: the candidates of benchmarks/respelling.py are scored after four examples, typed and meant. lora: after what
was typed alone, by an adapter fine-tuned on such pairs. Examples are queries written from the catalogue with slips by
program; the held-out file teaches nothing. Weight and penalty are chosen on the same 400 made queries as in
respelling.py, the penalty from a wider range, since a model that is shown what was typed likes to repeat it.

The same held-out queries and the same tests: beside the speller of one edit, and beside the one that ships (two edits,
real words stay). p as they come; Holm over all spellers of the table is in the last lines.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from respelling import Candidates, OneEdit, Respeller, chosen, held_out, made_queries, same
from ways import TOKENS, Times, scorer, tuned
from wordings import shop

from mercer.contracts import Dataset, Vocabulary
from mercer.evaluation.significance import holm, sign_flip_p
from mercer.language import MiniLm
from mercer.language.finetuning import Example
from mercer.language.scoring import LocalScorer
from mercer.search.matching import FieldOptions, Matching
from mercer.search.spelling import Speller
from mercer.simulate.tables import items_table
from mercer.simulate.world import World

PENALTIES = tuple(float(p) for p in range(-16, 18, 2))
TAUGHT = (0.2, 0.6, 0.2)
"""Share of made queries with no slip, one, two that the adapter learns from."""


class Shown(Respeller):
    """The language model sees what was typed, after `examples`; what was scored once is kept."""

    def __init__(self, candidates: Candidates, by: LocalScorer, examples: str) -> None:
        super().__init__(candidates, by)
        self.by, self.examples = by, examples
        self.known: dict[tuple[str, str], float] = {}

    def read(self, queries: Sequence[Sequence[str]]) -> None:
        """Score the spellings of many queries in one go."""
        new = [
            texts
            for texts in queries
            if len(texts) > 1 and any((texts[0], text) not in self.known for text in texts)
        ]
        told = self.by.score(
            [self.examples + prompt(texts[0]) for texts in new],
            [[f" {text}\n" for text in texts] for texts in new],
        )
        for texts, scores in zip(new, told, strict=True):
            self.known |= {(texts[0], text): float(score) for text, score in zip(texts, scores, strict=True)}

    def told(self, texts: Sequence[str]) -> np.ndarray:
        if any((texts[0], text) not in self.known for text in texts):
            self.read([texts])
        return np.array([self.known[texts[0], text] for text in texts])


def prompt(typed: str) -> str:
    return f"Typed: {typed}\nMeant:"


def shots(world: World) -> str:
    """Four made queries with one slip each."""
    pairs = made_queries(world, seed=13, n=20, slips=(0, 1, 0))
    found = [(typed, meant) for typed, meant in pairs if typed != meant][:4]
    return "A shop corrects what people type.\n\n" + "".join(
        f"{prompt(typed)} {meant}\n\n" for typed, meant in found
    )


def lessons_of(world: World) -> list[Example]:
    pairs = made_queries(world, seed=12, n=6000, slips=TAUGHT)
    return [Example(prompt(typed), f" {meant}\n") for typed, meant in pairs]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--keep", type=Path, required=True)
    parser.add_argument("--ways", nargs="+", default=["few-shot", "lora"], choices=["few-shot", "lora"])
    parser.add_argument("--tokens", type=int, default=TOKENS)
    parser.add_argument("--limit", type=int)
    given = parser.parse_args()
    world = shop()
    items = items_table(world.catalogue, world.calendar).to_pandas().fillna({"text": "", "attributes": ""})
    data = Dataset(vocabulary=Vocabulary(items["item"].tolist()), items=items, as_of=0)
    words, real = Matching.build(data, FieldOptions()).index.words, MiniLm().words
    parts = held_out(world, given.limit)
    ships = Speller(words, real).corrected
    table = Table(parts, OneEdit(words).corrected, ships)
    table.line("two edits", Speller(words).corrected)
    table.line("two edits, real words stay", ships)
    typed = [pair[0] for pair in made_queries(world)]
    for way in given.ways:
        if way == "lora":
            by, examples = scorer(tuned(given.keep / "spelling", lessons_of(world), tokens=given.tokens)), ""
        else:
            by, examples = scorer(), shots(world)
            print(examples)
        known: dict[tuple[str, str], float] = {}
        # Two edits first: those of one edit are among them, so that nothing is scored twice.
        for most in (2, 1):
            respeller = Shown(Candidates(words, most), by, examples)
            respeller.known = known
            respeller.read([[text for text, _, _ in respeller.spellings(query)] for query in typed])
            weight, penalty = chosen(world, respeller, PENALTIES)

            def made(query: str, of: Respeller = respeller, w: float = weight, p: float = penalty) -> str:
                return of.corrected(query, w, p)

            table.line(f"{way}, {('one edit', 'two edits')[most - 1]}", made, timed=most == 2)
    table.end()


class Table:
    """Lines of spellers, each beside two others."""

    def __init__(
        self,
        parts: dict[str, list[dict[str, str]]],
        plain: Callable[[str], str],
        ships: Callable[[str], str],
    ) -> None:
        self.parts = parts
        self.against = {"one edit": self.right(plain), "what ships": self.right(ships)}
        self.tested: dict[str, list[tuple[str, float]]] = {name: [] for name in self.against}

    def right(self, speller: Callable[[str], str], times: Times | None = None) -> dict[str, np.ndarray]:
        """Whether each query comes out as it was meant; times: of the misspelt ones."""
        found = {}
        for part, entries in self.parts.items():
            rows = []
            for entry in entries:
                with (times if times is not None and part == "misspelt" else Times()).one():
                    made = speller(entry["typed"])
                rows.append(float(same(made, entry["meant"])))
            found[part] = np.array(rows)
        return found

    def line(self, label: str, speller: Callable[[str], str], *, timed: bool = True) -> None:
        times = Times()
        right = self.right(speller, times)
        for part, own in right.items():
            if not len(own):
                continue
            text = f"{label:28} {part:9} n {len(own):3}  exact {own.mean():.3f} [{spread(own, '')}]"
            for name, other in self.against.items():
                gap = own - other[part]
                p = sign_flip_p(gap)
                text += f"  | {name} {gap.mean():+.3f} [{spread(gap, '+')}] p {p:.4f}"
                if part == "misspelt":
                    self.tested[name].append((label, p))
            print(text, flush=True)
        if timed:
            print(f"    a misspelt query: {times.said()}", flush=True)

    def end(self) -> None:
        for name, rows in self.tested.items():
            adjusted = holm([p for _, p in rows])
            told = ", ".join(f"{label} {p:.4f}" for (label, _), p in zip(rows, adjusted, strict=True))
            print(f"Holm over these, beside {name}: {told}")


def spread(values: np.ndarray, sign: str) -> str:
    draws = values[np.random.default_rng(0).integers(0, len(values), (2000, len(values)))].mean(axis=1)
    low, high = np.quantile(draws, [0.025, 0.975])
    return f"{low:{sign}.3f}, {high:{sign}.3f}"


if __name__ == "__main__":
    main()
