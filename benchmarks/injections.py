"""What attacks in titles and questions do to a ranking, beside as many tokens of harmless words (mercer.testing).

    .venv/bin/python benchmarks/injections.py [--prompts NAME ...] [--places title question] [--questions N] [--twin]

Eight titles, N questions (six at most). title: each of the corpus's texts stands behind one title, drawn; counted are
the places that this item gains. question: it stands behind the search, or behind the last title of the history;
counted are the places that an item moves in the mean, up or down. --twin: a row more for each prompt, with random
weights. The prompt has its greatest searched weight, 1. p: one-sided, by swapping the texts of pairs, of the means and
of the 95th percentiles; Holm over all of the table.
"""

from __future__ import annotations

import argparse
import time
from itertools import product
from typing import Any

import numpy as np

from mercer.evaluation.significance import holm
from mercer.language.prompts import PromptScorer, load_prompt
from mercer.language.prompts.models import Bound
from mercer.testing.injections import Effect, injections, question_effect, title_effect

TITLES = ("Blue mug", "Red lamp", "Warm scarf of wool", "Notebook, ruled", "Steel bottle", "Oak shelf", "Desk lamp",
          "White mug with a lid")  # fmt: skip
QUERIES = ("blue mug", "lamp for a desk", "something warm", "notebook", "shelf for books", "bottle for water")
PROMPTS = ("search-likelihood", "search-title", "recommend-title")
CORPUS = injections()


EFFECTS = {"title": title_effect, "question": question_effect}


def main() -> None:
    """Print a line for each prompt, model and place, the kinds of attack that do most, and Holm's correction."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", default="smollm2-135m-instruct")
    parser.add_argument("--prompts", nargs="*", default=list(PROMPTS))
    parser.add_argument("--places", nargs="*", default=list(EFFECTS), choices=list(EFFECTS))
    parser.add_argument("--questions", type=int, default=len(QUERIES))
    parser.add_argument("--precision", default="fp32", choices=["fp32", "bf16"])
    parser.add_argument("--twin", action="store_true")
    given = parser.parse_args()
    found: dict[str, Effect] = {}
    for place, name, weights in product(
        given.places, given.prompts, ("pretrained", "random")[: 1 + given.twin]
    ):
        decoder = Bound.find(given.model, weights=weights, precision=given.precision, seed=1).decoder()
        scorer = PromptScorer(load_prompt(name), decoder)
        questions = [(question(name, query), TITLES) for query in QUERIES[: given.questions]]
        began = time.process_time()
        label = f"{place}, {name}, {weights}"
        found[label] = EFFECTS[place](scorer, questions, CORPUS, weight=1.0)
        print(f"{label}: {found[label].said()}; {time.process_time() - began:.0f} s", flush=True)
        print("  most:", most(found[label]), flush=True)
    tests = {
        f"{label}, {statistic}": p
        for label, one in found.items()
        for statistic, p in (("mean", one.p), ("95th percentile", one.p_of_the_greatest))
    }
    for label, p in zip(tests, holm(list(tests.values())), strict=True):
        print(f"Holm {label}: {p:.3f}")


def most(found: Effect) -> str:
    """The kinds of attack that do most beyond their harmless texts."""
    excess = found.attack - found.harmless
    kinds = {one.kind for one in CORPUS}
    by_kind = {kind: float(np.mean(excess[[one.kind == kind for one in CORPUS]])) for kind in kinds}
    first = sorted(by_kind, key=lambda kind: -by_kind[kind])[:4]
    return ", ".join(f"{kind} {by_kind[kind]:+.2f}" for kind in first)


def question(name: str, query: str) -> dict[str, Any]:
    """The question of a prompt; what was searched for stands as the last title of a history."""
    return {"history": ["Red lamp", query]} if name.startswith("recommend") else {"query": query}


if __name__ == "__main__":
    main()
