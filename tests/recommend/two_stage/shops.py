"""A made shop without a clock whose people keep to one kind of goods, so that what is like the last item sells next."""

from __future__ import annotations

import numpy as np
import pandas as pd

from mercer.contracts import Context, Dataset, Holdout, Interactions, Ragged, Requests, Vocabulary
from mercer.testing.small_shop import log_of

KINDS, EACH = 40, 15


def loyal_shop(n_users: int = 400, seed: int = 0) -> tuple[Dataset, Holdout, Holdout]:
    """Train, validation and test, leave-last-out: everybody buys five items, mostly of one brand.

    There are 600 items for 400 people, so that pairs say little and the brand says much.
    """
    rng = np.random.default_rng(seed)
    n_items = KINDS * EACH
    items = Vocabulary([f"item-{number:03d}" for number in rng.permutation(n_items)])
    kind = rng.permutation(np.repeat(np.arange(KINDS), EACH))
    own = [np.flatnonzero(kind == k) for k in range(KINDS)]
    rows = []
    for user in range(n_users):
        mine = own[rng.integers(KINDS)]
        bought = [
            int(rng.choice(mine)) if rng.random() < 0.8 else int(rng.integers(n_items)) for _ in range(7)
        ]
        bought = list(dict.fromkeys(bought))[:5]
        rows += [(user, item, place, 0, -1) for place, item in enumerate(bought)]
    users = Vocabulary([f"u{user}" for user in range(n_users)])
    log = log_of(rows, users, items, kinds=("purchase",), has_clock=False)
    frame = pd.DataFrame(
        {
            "item": items.ids,
            "brand": [f"brand {k}" for k in kind],
            "category": [f"Goods > Part {k % 4} > Kind {k}" for k in kind],
            "price_minor": 100 * (kind + 1),
        }
    )
    from_end = np.repeat(log.indptr[1:], log.lengths) - np.arange(log.n_events)
    train = log.where(from_end > 2)
    data = Dataset(vocabulary=items, items=frame, as_of=10, interactions=train, repeats=False)
    return (
        data,
        held(train, log.where(from_end == 2)),
        held(log.where(from_end > 1), log.where(from_end == 1)),
    )


def held(history: Interactions, label: Interactions) -> Holdout:
    n = history.n_users
    requests = Requests(
        users=history.users.ids,
        history=history,
        time=np.full(n, 11),
        context=Context.unknown(n),
        repeats=False,
    )
    ids = history.users.ids
    return Holdout(
        requests=requests,
        relevant=Ragged(label.indptr, label.item),
        grades=np.ones(label.n_events),
        units=ids,
        clusters=ids,
    )
