"""What PMI of titles takes a request, beside the two-stage ranker alone. See benchmarks/title_pmi.py.

    .venv/bin/python benchmarks/title_latency.py --beauty FOLDER [--users 30] [--tuned ADAPTER]

One test user at a time: the first 12 candidates of the two-stage ranker, and log p(title | last five titles) of each;
log p(title) alone is the same for all users and can be kept. The examples of few-shot are read anew for each user.
--tuned: any adapter of rank 16; what it has learned changes no time.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from recommend_quality import load, make
from title_pmi import CANDIDATES, TEST, Reader, histories, prompt, sample, title_of
from ways import Times


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--beauty", type=Path, required=True)
    parser.add_argument("--users", type=int, default=30)
    parser.add_argument("--tuned", type=Path)
    given = parser.parse_args()
    [split] = load("beauty", given.beauty).values()
    titles = [title_of(text) for text in split.train.items["title"].fillna("").astype(str)]
    users = sample(sample(split.test, TEST), given.users)
    ranker = make("two-stage", {}).fit(split.train, validation=split.validation, seed=1)
    ranker.rank(users.requests, CANDIDATES)
    own, codes = Times(), []
    for row in range(len(users)):
        one = users.requests.take(np.array([row]))
        with own.one():
            codes.append(ranker.rank(one, CANDIDATES).items[0])
    print(f"two-stage: {own.said()}", flush=True)
    past = histories(users, titles)
    for way in ["zero-shot", "few-shot", *(["lora"] if given.tuned else [])]:
        reader = Reader(way, titles, split.train, Path(), given.tuned)
        times = Times()
        reader.scorer.score([prompt(past[0])], [[titles[codes[0][0]] + "\n"]])
        for row in range(len(users)):
            with times.one():
                reader.scorer.score(
                    [reader.prefix + prompt(past[row])], [[titles[code] + "\n" for code in codes[row]]]
                )
        print(f"PMI of {CANDIDATES} titles, {way}: {times.said()}", flush=True)


if __name__ == "__main__":
    main()
