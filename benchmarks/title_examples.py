"""What `lora` of benchmarks/title_pmi.py learns from: titles of histories, and the title that came next.

    .venv/bin/python benchmarks/title_examples.py --beauty FOLDER OUT.jsonl [--examples 3000]
    .venv/bin/mercer models finetune smollm2-135m-instruct OUT.jsonl --out FOLDER --epochs 1

From training events alone, one example a customer, of customers drawn at random.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
from recommend_quality import load
from title_pmi import HISTORY, prompt, title_of


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("out", type=Path)
    parser.add_argument("--beauty", type=Path, required=True)
    parser.add_argument("--examples", type=int, default=3000)
    given = parser.parse_args()
    [split] = load("beauty", given.beauty).values()
    log = split.train.interactions
    assert log is not None
    titles = [title_of(text) for text in split.train.items["title"].fillna("").astype(str)]
    rng = np.random.default_rng(2)
    users = np.flatnonzero(np.diff(log.indptr) >= 2)
    with given.out.open("w", encoding="utf-8") as stream:
        for user in rng.choice(users, min(given.examples, len(users)), replace=False):
            codes = log.item[log.indptr[user] : log.indptr[user + 1]]
            end = int(rng.integers(1, len(codes)))
            past = [titles[code] for code in codes[max(0, end - HISTORY) : end]]
            stream.write(json.dumps({"prompt": prompt(past), "answer": titles[codes[end]] + "\n"}) + "\n")


if __name__ == "__main__":
    main()
