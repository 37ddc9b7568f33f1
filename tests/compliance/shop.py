"""A small shop built through the contracts, with a release that really ranks, predicts and explains.

240 people, 40 items, two years' events ending on the decision day. Nothing in it breaks a rule.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from mercer.brief import Brief
from mercer.compliance import Evidence, Pseudonyms
from mercer.contracts import (
    ITEM_COLUMNS,
    Interactions,
    Predictions,
    Rankings,
    Reason,
    Requests,
    Snapshots,
    Vocabulary,
)

N_USERS, N_ITEMS, N_EVENTS = 240, 40, 8
DAY = 86_400_000_000
NOW = int(np.datetime64("2026-10-02", "us").astype(np.int64)) - 1
LIMITED = (3, 17)

BRIEF = """
schema: 1
name: small-shop
question: What should we show, and who buys again?
owner_role: growth
decision: {date: 2026-10-01, target: next-item}
data:
  events: {source: events.parquet}
  items: {source: items.parquet}
  users: {source: users.parquet}
  consents: {source: consents.parquet}
  judgments: {source: judgments.parquet}
jurisdictions: [EU, UK, US, US-CA, US-CO, US-NY]
packs_date: 2026-11-24
columns: {religion: {means: for audits only, protected: true}}
governance: {tier: moderate, owner_role: growth, validator_role: model-risk}
targets:
  next-item: {task: recommend, repeats: true}
  find: {task: search}
  repurchase: {task: behavior, kind: probability, effect: significant, capacity_per_day: 20}
accept:
  - {rule: edpb-model, role: data-protection, reason: no attack is built yet, until: 2027-03-31}
  - {rule: aia-5, role: data-protection, reason: review under way, until: 2027-03-31}
  - {rule: gdpr-dpia, role: data-protection, reason: to be signed, until: 2027-03-31}
  - {rule: ccpa-ra, role: data-protection, reason: to be signed, until: 2027-03-31}
"""

MEANINGS = {"recency_days": "days since the last purchase", "n_purchases": "purchases so far"}
WEIGHTS = {"recency_days": -0.01, "n_purchases": 0.25}
OFFSET = -1.0


def people() -> list[str]:
    """Ids that no finding may show."""
    return [f"person{number:04d}@shop.test" for number in range(N_USERS)]


def features_of(snapshots: Snapshots) -> pd.DataFrame:
    """Recency and frequency as of each snapshot."""
    history, as_of = snapshots.history, snapshots.as_of
    last = np.full(len(as_of), np.iinfo(np.int64).min)
    np.maximum.at(last, history.user_of, history.time)
    recency = np.where(history.lengths > 0, (as_of - last) / DAY, 400.0)
    frame = pd.DataFrame({"recency_days": recency, "n_purchases": history.lengths.astype(np.float64)})
    return frame.set_axis(pd.Index(snapshots.entities, dtype=object))


@dataclass(frozen=True)
class TinyRelease:
    """A candidate: neighbours by shared buyers plus popularity, and a logistic score of two features."""

    vocabulary: Vocabulary
    min_age: npt.NDArray[np.int64]
    neighbours: npt.NDArray[np.float64]
    popular: npt.NDArray[np.float64]

    def _rank(self, requests: Requests, k: int, boost: npt.NDArray[np.float64]) -> Rankings:
        seen = requests.visible_history
        counts = np.zeros((len(requests), N_ITEMS))
        np.add.at(counts, (seen.user_of, seen.item), 1.0)
        scores = (counts @ self.neighbours + self.popular + boost).astype(np.float32)
        allowed = requests.eligible() & (
            self.min_age[None, :] <= np.maximum(requests.context.age, 0)[:, None]
        )
        return Rankings.top_k(scores, k, eligible=allowed, pin=requests.pin)

    def recommend(self, target: str, requests: Requests, k: int) -> Rankings:
        return self._rank(requests, k, np.zeros((len(requests), N_ITEMS)))

    def search(self, target: str, requests: Requests, k: int) -> Rankings:
        wanted = [sum(ord(letter) for letter in query) % N_ITEMS for query in requests.query or ()]
        return self._rank(requests, k, 5.0 * np.eye(N_ITEMS)[wanted])

    def predict(self, target: str, snapshots: Snapshots) -> Predictions:
        raw = OFFSET + features_of(snapshots).to_numpy() @ np.array(list(WEIGHTS.values()))
        value = 1 / (1 + np.exp(-raw))
        return Predictions(value, value * 0.8, np.minimum(1, value * 1.2))

    def explain(self, target: str, snapshots: Snapshots, n: int = 4) -> list[list[Reason]]:
        return [
            [
                Reason(name, float(row[name]), float(WEIGHTS[name] * row[name]), MEANINGS[name])
                for name in MEANINGS
            ][:n]
            for _, row in features_of(snapshots).iterrows()
        ]

    def disclosure(self, target: str) -> list[tuple[str, str]]:
        return parameters()


def parameters() -> list[tuple[str, str]]:
    """What decides the ranking of the tiny release."""
    return [
        ("what buyers of the same items bought", "shared buyers say most about taste"),
        ("how often an item is bought", "popular items please where little is known"),
    ]


def events() -> pd.DataFrame:
    """Eight purchases a person, on known days, by a fixed rule with some chance in it."""
    rng = np.random.default_rng(5)
    user = np.repeat(np.arange(N_USERS), N_EVENTS)
    item = (user * 7 + rng.integers(0, 6, len(user)) * 5) % N_ITEMS
    age_days = np.sort(rng.integers(1, 600, (N_USERS, N_EVENTS)), axis=1)[:, ::-1].ravel()
    age_days[N_EVENTS - 1 :: N_EVENTS] = rng.integers(1, 200, N_USERS)
    time = (NOW - age_days * DAY).astype("datetime64[us]")
    ids = np.array(people(), object)
    return pd.DataFrame(
        {
            "event": [f"e{number}" for number in range(len(user))],
            "user": ids[user],
            "item": [f"item-{code:02d}" for code in item],
            "time": time,
            "known_at": time,
            "kind": "purchase",
            "quantity": 1.0,
            "amount_minor": 500,
            "currency": "EUR",
        }
    ).sort_values(["user", "time", "event"], ignore_index=True)


def in_memory(log: pd.DataFrame, vocabulary: Vocabulary) -> Interactions:
    """The log through the contract."""
    users = Vocabulary(people())
    time = log["time"].to_numpy("datetime64[us]").astype(np.int64)
    n = len(log)
    return Interactions(
        users=users,
        items=vocabulary,
        kinds=("purchase",),
        indptr=np.concatenate(
            [[0], np.cumsum(np.bincount(users.encode(log["user"].tolist()), minlength=N_USERS))]
        ),
        item=vocabulary.encode(log["item"].tolist()),
        time=time,
        known_at=time,
        kind=np.zeros(n, np.int8),
        quantity=np.ones(n, np.float32),
        amount_minor=np.full(n, 500, np.int64),
        basket=np.arange(n, dtype=np.int64),
        session=np.full(n, -1, np.int64),
        origin_time=time,
    )


def catalogue() -> pd.DataFrame:
    """Forty items, two of them for adults."""
    frame = pd.DataFrame(dict.fromkeys(ITEM_COLUMNS, ""), index=range(N_ITEMS))
    frame["item"] = [f"item-{code:02d}" for code in range(N_ITEMS)]
    frame["title"] = [f"Walnut bowl no. {code}" for code in range(N_ITEMS)]
    frame["price_minor"] = 1999
    frame["currency"] = "EUR"
    frame["min_age"] = [18 if code in LIMITED else 0 for code in range(N_ITEMS)]
    return frame


def release_of(history: Interactions) -> TinyRelease:
    """Fit the tiny release."""
    bought = np.zeros((N_USERS, N_ITEMS))
    np.add.at(bought, (history.user_of, history.item), 1.0)
    shared = bought.T @ bought
    np.fill_diagonal(shared, 0)
    return TinyRelease(
        vocabulary=history.items,
        min_age=catalogue()["min_age"].to_numpy(np.int64),
        neighbours=shared / shared.sum(1, keepdims=True).clip(1),
        popular=bought.sum(0) / bought.sum(),
    )


def scored(candidate: TinyRelease, snapshots: Snapshots) -> pd.DataFrame:
    """Predictions beside outcomes drawn from them: calibrated by construction."""
    told = candidate.predict("repurchase", snapshots)
    rng = np.random.default_rng(11)
    return pd.DataFrame(
        {
            "unit": list(snapshots.entities),
            "cluster": list(snapshots.entities),
            "as_of": snapshots.as_of,
            "value": told.value,
            "low": told.low,
            "high": told.high,
            "outcome": (rng.random(len(snapshots)) < told.value).astype(np.float64),
            "weight": 1.0,
        }
    )


class NobodyForgotten:
    """A suppression list without entries."""

    def contains(self, ids: list[str]) -> npt.NDArray[np.bool_]:
        return np.zeros(len(ids), bool)


def clean_evidence() -> Evidence:
    """The whole evidence of a run in which nothing is wrong."""
    log, items = events(), catalogue()
    vocabulary = Vocabulary(items["item"])
    history = in_memory(log, vocabulary)
    candidate = release_of(history)
    origin = np.full(N_USERS, int(np.datetime64("2026-07-01", "us").astype(np.int64)), np.int64)
    snapshots = Snapshots(entities=tuple(people()), as_of=origin, history=history.as_of(origin))
    ids = people()
    users = pd.DataFrame(
        {
            "user": ids,
            "jurisdiction": "EU",
            "age": [20 + number % 60 for number in range(N_USERS)],
            "attributes": [json.dumps({"religion": "ab"[(number // 3) % 2]}) for number in range(N_USERS)],
        }
    )
    consents = pd.DataFrame(
        {"user": ids, "purpose": "recommendation", "given": True, "time": np.datetime64("2020-01-01", "us")}
    )
    judgments = pd.DataFrame({"query": ["bowl", "walnut", "oak table"], "item": "item-01", "grade": 1.0})
    return Evidence(
        brief=Brief.parse(BRIEF),
        now=NOW,
        pseudonyms=Pseudonyms(b"a key of tests, of 32 bytes long"),
        tables={
            "events": log,
            "items": items,
            "users": users,
            "consents": consents,
            "judgments": judgments,
        },
        training_events=log[["event", "user", "item", "time", "known_at", "kind"]],
        interactions=history,
        vocabulary=vocabulary,
        items=items,
        features={"repurchase": features_of(snapshots)},
        predictions={"repurchase": scored(candidate, snapshots)},
        snapshots={"repurchase": snapshots},
        parameters={"next-item": parameters(), "find": parameters()},
        suppression=NobodyForgotten(),
        candidate=candidate,
    )
