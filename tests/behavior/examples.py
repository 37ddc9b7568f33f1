"""Flat examples whose true probability is known."""

from __future__ import annotations

import numpy as np
import pandas as pd

from mercer.contracts import Budget, Interactions, Labelled, Runtime, Snapshots, Vocabulary

QUICK = {"budget": Budget(60), "seed": 1, "runtime": Runtime(threads=1), "validation": None}


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def examples(n: int, seed: int) -> tuple[Labelled, np.ndarray]:
    """n examples with five columns, and P(outcome = 1) of each."""
    rng = np.random.default_rng(seed)
    numbers = rng.normal(size=(n, 4))
    channel = rng.choice(np.array(["shop", "web", "app"], object), n)
    truth = sigmoid(0.9 * numbers[:, 0] + 0.6 * np.tanh(2 * numbers[:, 1]) + (channel == "app") - 0.5)
    users = Vocabulary(f"e{number}" for number in range(n))
    snapshots = Snapshots(
        entities=users.ids,
        as_of=np.full(n, 10),
        history=Interactions.empty(users, Vocabulary(["item"])),
        columns=pd.DataFrame(numbers, columns=list("abcd")).assign(channel=channel),
    )
    outcome = (rng.random(n) < truth).astype(float)
    return Labelled(snapshots=snapshots, outcome=outcome, label_known_at=snapshots.as_of), truth
