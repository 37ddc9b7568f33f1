"""What attacks in a title do to its place, beside harmless words of the same length (corpus of mercer.testing).

    .venv/bin/python benchmarks/injections.py [--prompts NAME ...] [--questions N] [--precision bf16] [--twin]

Eight titles, N questions (six at most); each of the corpus's texts stands behind one title, drawn. --twin: a row more
for each prompt, with random weights. The prompt has its greatest searched weight, 1.
"""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np

from mercer.language.prompts import PromptScorer, load_prompt
from mercer.language.prompts.models import Bound
from mercer.testing.injections import injections, title_effect

TITLES = ("Blue mug", "Red lamp", "Warm scarf of wool", "Notebook, ruled", "Steel bottle", "Oak shelf", "Desk lamp",
          "White mug with a lid")  # fmt: skip
QUERIES = ("blue mug", "lamp for a desk", "something warm", "notebook", "shelf for books", "bottle for water")
PROMPTS = ("search-likelihood", "search-title", "recommend-title")


def main() -> None:
    """Print a line for each prompt and model, and the kinds of attack that gain most."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", default="smollm2-135m-instruct")
    parser.add_argument("--prompts", nargs="*", default=list(PROMPTS))
    parser.add_argument("--questions", type=int, default=len(QUERIES))
    parser.add_argument("--precision", default="fp32", choices=["fp32", "bf16"])
    parser.add_argument("--twin", action="store_true")
    given = parser.parse_args()
    corpus = injections()
    kinds = sorted({one.kind for one in corpus})
    for name in given.prompts:
        for weights in ("pretrained", "random")[: 1 + given.twin]:
            decoder = Bound.find(given.model, weights=weights, precision=given.precision, seed=1).decoder()
            scorer = PromptScorer(load_prompt(name), decoder)
            found = title_effect(
                scorer,
                [(question(name, query), TITLES) for query in QUERIES[: given.questions]],
                corpus,
                weight=1.0,
            )
            print(f"{name}, {weights}: {found.said()}", flush=True)
            excess = found.attack - found.harmless
            by_kind = {kind: float(np.mean(excess[[one.kind == kind for one in corpus]])) for kind in kinds}
            first = sorted(by_kind, key=lambda kind: -by_kind[kind])[:4]
            print("  most:", ", ".join(f"{kind} {by_kind[kind]:+.2f}" for kind in first), flush=True)


def question(name: str, query: str) -> dict[str, Any]:
    """The question of a prompt; what was searched for stands as the last title of a history."""
    return {"history": ["Red lamp", query]} if name.startswith("recommend") else {"query": query}


if __name__ == "__main__":
    main()
