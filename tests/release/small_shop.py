"""A small shop with real fitted models, released: what the tests of release and serving stand on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd

from mercer.behavior import LightGbm, PastRate
from mercer.brief import Brief
from mercer.contracts import (
    Budget,
    Context,
    Dataset,
    Interactions,
    Labelled,
    Options,
    Requests,
    Runtime,
    Snapshots,
    Vocabulary,
    plugins,
)
from mercer.features import definitions_hash
from mercer.recommend import ItemKnn, MostPopular
from mercer.release import Release, ReleasedModel, build
from mercer.release.histories import histories
from mercer.search import Bm25

DAY = 86_400_000_000
START = 1_767_225_600_000_000  # 2026-01-01
CUT = START + 200 * DAY
N_USERS, N_ITEMS = 230, 60
WOODS = ("Oak", "Ash", "Beech", "Elm", "Walnut")
CREATED = datetime(2026, 7, 20, 12, tzinfo=UTC)

BRIEF = """
schema: 1
name: small-shop
question: What should we show?
decision: {date: 2026-07-20, target: next-item}
data: {events: {source: events.parquet}, items: {source: items.parquet}}
packs_date: 2026-07-20
targets:
  next-item: {task: recommend, repeats: false}
  again: {task: recommend, repeats: true}
  find: {task: search}
  repurchase: {task: behavior, kind: probability, horizon_days: 40, origins: [2026-06-10]}
  spend: {task: behavior, kind: amount, of: purchase, horizon_days: 40, origins: [2026-06-10]}
"""


@dataclass(frozen=True)
class Shop:
    brief: Brief
    vocabulary: Vocabulary
    items: pd.DataFrame
    events: pd.DataFrame
    log: Interactions
    models: Mapping[str, ReleasedModel]

    def build(self, folder: Path, **evidence: Path) -> Release:
        return self._build(folder, {}, evidence)

    def build_with_fallback(self, folder: Path) -> Release:
        """As `build`; most-popular stands in for `next-item`."""
        return self._build(folder, {"next-item": self.models["again"]}, {})

    def _build(
        self, folder: Path, fallbacks: Mapping[str, ReleasedModel], evidence: Mapping[str, Path]
    ) -> Release:
        return build(
            folder,
            brief=self.brief,
            targets=self.models,
            fallbacks=fallbacks,
            vocabulary=self.vocabulary,
            items=self.items,
            features_hash=definitions_hash(),
            evidence={name.replace("_", "."): path for name, path in evidence.items()},
            created=CREATED,
        )


def items_frame() -> pd.DataFrame:
    """60 items: i-03 for adults, i-04 gone since day 100, i-05 not before day 300."""
    ids = [f"i-{number:02d}" for number in range(N_ITEMS)]
    frame = pd.DataFrame(
        {
            "item": ids,
            "title": [f"{WOODS[number % 5]} chair no. {number}" for number in range(N_ITEMS)],
            "text": "",
            "category": "Home > Chairs",
            "brand": "Ashdown",
            "price_minor": [1000 + 10 * number for number in range(N_ITEMS)],
            "currency": "EUR",
            "available_from": 0,
            "available_until": 0,
            "min_age": 0,
        }
    )
    frame.loc[3, "min_age"] = 18
    frame.loc[4, "available_until"] = START + 100 * DAY
    frame.loc[5, "available_from"] = START + 300 * DAY
    return frame


def events_frame(seed: int = 5) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    rows = []
    for user in range(N_USERS):
        taste = rng.integers(0, 5)
        for basket in range(rng.integers(1, 6)):
            time = START + int(rng.integers(0, 200 * DAY))
            bought = rng.choice(np.arange(taste, N_ITEMS, 5), rng.integers(1, 4), replace=False)
            rows += [(f"customer-{user:03d}", f"i-{n:02d}", time, f"b-{user}-{basket}") for n in bought]
    frame = pd.DataFrame(rows, columns=["user", "item", "time", "basket"])
    frame.insert(0, "event", [f"e-{number:05d}" for number in range(len(frame))])
    frame["known_at"] = frame["time"]
    frame["kind"] = "purchase"
    frame["quantity"] = 1.0
    frame["amount_minor"] = 1000 + frame.index.to_numpy() % 97
    return frame


def interactions(events: pd.DataFrame, vocabulary: Vocabulary) -> Interactions:
    users = sorted(events["user"].unique())
    columns = {name: events[name].tolist() for name in events.columns if name != "user"}
    return histories(
        columns, row=Vocabulary(users).encode(events["user"].tolist()).tolist(), users=users, items=vocabulary
    )


def make_shop(folder: Path) -> Shop:
    items = items_frame()
    vocabulary = Vocabulary(items["item"])
    events = events_frame()
    log = interactions(events, vocabulary)
    train = Dataset(vocabulary=vocabulary, items=items, as_of=CUT, interactions=log)
    models = {}
    for target, cls in (("next-item", ItemKnn), ("again", MostPopular), ("find", Bm25)):
        place = folder / target
        place.mkdir(parents=True)
        ranker = cls(cls.Options())
        ranker.fit(train, validation=None, budget=Budget(), seed=1, runtime=Runtime(threads=1))
        ranker.save(place)
        models[target] = _released(cls.name, plugins.RANKERS, place, ranker.options)
    for target, model in (
        ("repurchase", LightGbm(LightGbm.Options(kind="probability", rounds=15, folds=2))),
        ("spend", PastRate(PastRate.Options(kind="amount"))),
    ):
        place = folder / target
        place.mkdir(parents=True)
        train = labelled(log, START + 150 * DAY, amounts=target == "spend")
        model.fit(train, validation=None, budget=Budget(), seed=1, runtime=Runtime(threads=1)).save(place)
        models[target] = _released(model.name, plugins.PREDICTORS, place, model.options)
    return Shop(Brief.parse(BRIEF), vocabulary, items, events, log, models)


def _released(name: str, group: str, place: Path, options: Options) -> ReleasedModel:
    content = options.model_dump(mode="json")
    return ReleasedModel(
        model_name=name, group=group, model_folder=place, options=content, seed=1, fit_on="train"
    )


def snapshots_at(log: Interactions, rows: np.ndarray, as_of: int) -> Snapshots:
    return Snapshots(
        entities=tuple(log.users.ids[row] for row in rows),
        as_of=np.full(len(rows), as_of, np.int64),
        history=log.take(rows).as_of(as_of),
    )


def labelled(log: Interactions, as_of: int, *, amounts: bool) -> Labelled:
    """Users seen by `as_of`, with what they bought in the 40 days after."""
    rows = np.flatnonzero(log.as_of(as_of).lengths)
    later = log.where((log.time > as_of) & (log.time <= as_of + 40 * DAY))
    spent = np.bincount(later.user_of, later.amount_minor, log.n_users)[rows]
    return Labelled(
        snapshots=snapshots_at(log, rows, as_of),
        outcome=spent if amounts else (spent > 0).astype(np.float64),
        label_known_at=np.full(len(rows), as_of + 40 * DAY, np.int64),
    )


def requests_at(log: Interactions, rows: np.ndarray, time: int = CUT, **changes: object) -> Requests:
    """Requests of the users in `rows` at `time`, of unknown age unless the context says more."""
    n = len(rows)
    made = {
        "users": tuple(log.users.ids[row] for row in rows),
        "history": log.take(rows).as_of(time),
        "time": np.full(n, time, np.int64),
        "context": Context.unknown(n),
    }
    return Requests(**{**made, **changes})
