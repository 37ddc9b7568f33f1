from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from mercer.contracts import Budget, Runtime
from mercer.recommend import Ials, MostPopular
from mercer.recommend import matrix_factorisation as mf
from mercer.testing.handmade import dataset, log, requests, scores
from mercer.testing.small_shop import small_dataset

TERMS = {"unobserved": 0.2, "l2": 0.05, "exponent": 0.7}
EVENTS = log(
    [(0, 1), (1, 2)], [(0, 1), (1, 2), (0, 3)], [(2, 1), (3, 2)], [(2, 1), (3, 2)], [(4, 1)], n_items=5
)


def some_rows(rng: np.random.Generator, n: int, m: int, share: float = 0.3) -> csr_array:
    return csr_array((rng.random((n, m)) < share) * rng.uniform(0.5, 3, (n, m))).astype(np.float32)


def ridge(rows: csr_array, other: np.ndarray, *, unobserved: float, l2: float, exponent: float) -> np.ndarray:
    """Row by row, in double precision, as the normal equations are written."""
    dense, other = rows.toarray().astype(float), other.astype(float)
    out = []
    for c in dense:
        penalty = l2 * (c.sum() + unobserved * len(other)) ** exponent
        square = unobserved * other.T @ other + (other.T * c) @ other + penalty * np.eye(other.shape[1])
        out.append(np.linalg.solve(square, other.T @ c))
    return np.array(out)


def loss(
    rows: csr_array, people: np.ndarray, items: np.ndarray, *, unobserved: float, l2: float, exponent: float
) -> float:
    """What training minimises, over dense arrays."""
    c, people, items = rows.toarray().astype(float), people.astype(float), items.astype(float)
    found = people @ items.T
    by_user = l2 * (c.sum(1) + unobserved * len(items)) ** exponent
    by_item = l2 * (c.sum(0) + unobserved * len(people)) ** exponent
    errors = (c * (found - 1) ** 2).sum() + unobserved * (found**2).sum()
    return float(errors + by_user @ (people**2).sum(1) + by_item @ (items**2).sum(1))


@given(st.integers(0, 2**31), st.integers(1, 12), st.integers(1, 15), st.integers(1, 9))
@settings(max_examples=60, deadline=None)
def test_both_ways_of_solving_give_the_normal_equations(seed: int, n: int, m: int, d: int) -> None:
    rng = np.random.default_rng(seed)
    rows, other = some_rows(rng, n, m, 0.5), rng.normal(size=(m, d)).astype(np.float32)
    found = mf.solved(rows, mf.Turned.of(other), **TERMS)
    assert found == pytest.approx(ridge(rows, other, **TERMS), rel=2e-3, abs=2e-4)


def test_chunks_leave_no_seam(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    rows, other = some_rows(rng, 50, 20), mf.Turned.of(rng.normal(size=(20, 6)).astype(np.float32))
    whole = mf.solved(rows, other, **TERMS)
    monkeypatch.setattr(mf, "_CHUNK_CELLS", 100)
    assert mf.solved(rows, other, **TERMS) == pytest.approx(whole, abs=1e-6)


def test_the_objective_falls_with_every_half_sweep() -> None:
    rng = np.random.default_rng(1)
    rows = some_rows(rng, 40, 25)
    items = rng.normal(0, 0.1, (25, 8)).astype(np.float32)
    people = rng.normal(0, 0.1, (40, 8)).astype(np.float32)
    seen = [loss(rows, people, items, **TERMS)]
    for _ in range(6):
        people = mf.solved(rows, mf.Turned.of(items), **TERMS)
        seen.append(loss(rows, people, items, **TERMS))
        items = mf.solved(rows.T.tocsr(), mf.Turned.of(people), **TERMS)
        seen.append(loss(rows, people, items, **TERMS))
    assert all(later <= earlier * (1 + 1e-6) for earlier, later in pairwise(seen))
    assert seen[-1] < 0.8 * seen[0]


def test_a_person_is_worked_out_from_the_faded_history() -> None:
    ranker = Ials(Ials.Options(factors=3, decay=0.5, history_weight=2.0)).fit(dataset(EVENTS), seed=1)
    o, items = ranker.options, ranker.state["factors"]
    history = csr_array(np.array([[0, 2.0, 0, 1.0, 0]]))
    person = ridge(history, items, unobserved=o.unobserved, l2=o.l2, exponent=o.l2_exponent)
    known = scores(ranker, requests(log([(3, 1), (1, 2)], n_items=5)))
    assert known == pytest.approx(person @ items.T, abs=1e-4)


def test_tastes_that_go_together_are_found() -> None:
    ranker = Ials(Ials.Options(factors=2, sweeps=30)).fit(dataset(EVENTS), seed=1)
    known = scores(ranker, requests(log([(0, 1)], [(2, 1)], n_items=5)))
    assert known[0, 1] > known[0, [2, 3, 4]].max()
    assert known[1, 3] > known[1, [0, 1, 4]].max()


def test_no_person_is_kept() -> None:
    ranker = Ials(Ials.Options(factors=4)).fit(dataset(EVENTS))
    assert {name: array.shape for name, array in ranker.state.items()} == {"share": (5,), "factors": (5, 4)}
    assert not ranker.holds_users


def test_a_newcomer_gets_what_is_popular() -> None:
    asked = requests(log([], n_items=5))
    popular = MostPopular().fit(dataset(EVENTS))
    ranker = Ials(Ials.Options(factors=4)).fit(dataset(EVENTS))
    assert np.array_equal(ranker.rank(asked, 5).items, popular.rank(asked, 5).items)


def test_another_seed_gives_another_fit() -> None:
    train = small_dataset()
    one, other = (Ials(Ials.Options(factors=4)).fit(train, seed=seed) for seed in (1, 2))
    assert not np.array_equal(one.state["factors"], other.state["factors"])


class Watch:
    def __init__(self) -> None:
        self.seen: list[tuple[int, int]] = []

    def advance(self, done: int, total: int, note: str = "") -> None:
        self.seen.append((done, total))


def test_it_reports_each_sweep_and_stops_at_its_limit_and_says_so() -> None:
    train = small_dataset()
    bar = Watch()
    ranker = Ials(Ials.Options(factors=4, sweeps=3)).fit(train, runtime=Runtime(progress=bar))
    assert bar.seen == [(1, 3), (2, 3), (3, 3)]
    assert ranker.notes == ()
    hurried = Ials(Ials.Options(factors=4, sweeps=900)).fit(train, budget=Budget(1e-9))
    assert hurried.notes == ("ials stopped after 1 of 900 sweeps, at its limit of 1e-09 s.",)
    again = Ials(Ials.Options(factors=4, sweeps=1)).fit(train)
    assert np.array_equal(hurried.state["factors"], again.state["factors"])
    hurried.fit(train, budget=Budget(60))
    assert hurried.notes == ()
