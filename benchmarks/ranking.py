"""Rank the full catalogue for every user with item-knn, against a plain NumPy loop that does the same.

    .venv/bin/python benchmarks/ranking.py [--users 20000] [--items 12000] [--seed 1]

Both read the same fitted neighbours and the same histories, one thread each, in one run; the answers are
compared before a time is printed. What counts is the ratio; seconds depend on the machine.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
import pandas as pd

from mercer.contracts import Context, Dataset, Interactions, Rankings, Requests, Vocabulary
from mercer.recommend import ItemKnn
from mercer.testing.small_shop import log_of

K = 10


def random_log(n_users: int, n_items: int, seed: int) -> Interactions:
    """Histories of 4 to 20 purchases; popularity falls off as in most shops (Zipf), neighbours by code."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(4, 21, n_users)
    user = np.repeat(np.arange(n_users), lengths)
    taste = np.repeat(rng.integers(0, n_items, n_users), lengths)
    near = (taste + rng.integers(-40, 41, len(user))) % n_items
    popular = np.minimum(rng.zipf(1.2, len(user)), n_items) - 1
    item = np.where(rng.random(len(user)) < 0.7, near, popular)
    position = np.arange(len(user)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    rows = np.stack([user, item, position, np.zeros_like(user), np.full_like(user, -1)], axis=1)
    users = Vocabulary([f"u{number}" for number in range(n_users)])
    items = Vocabulary([f"i{number}" for number in range(n_items)])
    return log_of(rows, users, items, kinds=("purchase",), has_clock=False)  # type: ignore[arg-type]


def plain_loop(ranker: ItemKnn, requests: Requests) -> Rankings:
    """What a careful person writes first: a dense row a user, a neighbour row a purchase, a partition."""
    state, log = ranker.state, requests.history
    share, indptr, indices, data = (state[name] for name in ("share", "indptr", "indices", "data"))
    found, best = [], []
    for user in range(len(requests)):
        history = log.item[log.indptr[user] : log.indptr[user + 1]]
        row = np.zeros(len(share), np.float32)
        for age, item in enumerate(history[::-1]):
            weight = np.float32(ranker.options.decay**age)
            if weight > 1e-6:
                near = slice(indptr[item], indptr[item + 1])
                row[indices[near]] += weight * data[near]
        known = row > 0
        ceiling = row[known].min() / 2 if known.any() else 1
        row = np.where(known, row, ceiling * share)
        row[history] = -np.inf
        best_few = np.argpartition(-row, K)[:K]
        order = best_few[np.argsort(-row[best_few])]
        found.append(order)
        best.append(row[order])
    return Rankings(np.array(found, np.int32), np.array(best, np.float32))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--users", type=int, default=20_000)
    parser.add_argument("--items", type=int, default=12_000)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    log = random_log(chosen.users, chosen.items, chosen.seed)
    train = Dataset(
        vocabulary=log.items,
        items=pd.DataFrame({"item": log.items.ids}),
        as_of=10**6,
        interactions=log,
        repeats=False,
    )
    n = log.n_users
    requests = Requests(
        users=log.users.ids, history=log, time=np.full(n, 10**6), context=Context.unknown(n), repeats=False
    )
    start = time.perf_counter()
    ranker = ItemKnn().fit(train)
    fit_seconds = time.perf_counter() - start

    start = time.perf_counter()
    answer = ranker.rank(requests, K)
    mercer_seconds = time.perf_counter() - start

    start = time.perf_counter()
    plain = plain_loop(ranker, requests)
    plain_seconds = time.perf_counter() - start

    # Sums in another order may swap near ties; the scores place by place must agree all the same.
    np.testing.assert_allclose(answer.scores, plain.scores, rtol=1e-4)
    print(f"events {log.n_events}, users {n}, items {chosen.items}, k {K}")
    print(f"fit              {fit_seconds:8.2f} s")
    print(f"rank, mercer     {mercer_seconds:8.2f} s  {1e6 * mercer_seconds / n:8.0f} us a user")
    print(f"rank, plain loop {plain_seconds:8.2f} s  {1e6 * plain_seconds / n:8.0f} us a user")
    print(f"ratio            {plain_seconds / mercer_seconds:8.2f} (plain loop / mercer; over 1 is faster)")


if __name__ == "__main__":
    main()
