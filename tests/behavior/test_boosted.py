"""`lightgbm`: its own promises beyond the contract."""

from __future__ import annotations

import json
import time
from dataclasses import replace

import numpy as np
import pytest

from behavior.examples import QUICK, examples
from mercer.behavior import LightGbm
from mercer.behavior.storage import FILE
from mercer.contracts import Budget, Runtime
from mercer.errors import DamagedError
from mercer.testing.customers import customer_log, labelled_customers, snapshots_at

LOG = customer_log(300)
EVERYONE = snapshots_at(LOG, np.arange(LOG.n_users), 300)


@pytest.fixture(scope="module")
def flat():
    train, _ = examples(3000, 1)
    return LightGbm().fit(train, **QUICK)


@pytest.fixture(scope="module", params=["probability", "amount"])
def fitted(request):
    return LightGbm().fit(labelled_customers(LOG, request.param), **QUICK)


def test_contributions_sum_to_the_raw_score(fitted):
    contributions, base = fitted.contributions(EVERYONE)
    assert contributions.to_numpy().sum(axis=1) + base == pytest.approx(fitted.raw_score(EVERYONE), abs=1e-9)
    assert tuple(contributions.columns) == fitted.feature_names()


def test_reasons_are_the_largest_contributions(fitted):
    contributions, _ = fitted.contributions(EVERYONE)
    for row, reasons in enumerate(fitted.explain(EVERYONE, n=2)):
        largest = np.sort(np.abs(contributions.to_numpy()[row]))[::-1][:2]
        assert [abs(reason.contribution) for reason in reasons] == pytest.approx(largest)


def test_probabilities_are_calibrated_against_the_truth(flat):
    held, truth = examples(4000, 2)
    found = flat.predict(held.snapshots)
    assert np.mean(np.abs(found.value - truth)) < 0.07
    assert found.value.mean() == pytest.approx(truth.mean(), abs=0.02)
    for part in np.array_split(np.argsort(found.value), 10):
        assert found.value[part].mean() == pytest.approx(truth[part].mean(), abs=0.05)


def test_intervals_hold_the_true_rate_among_entities_with_a_like_score(flat):
    held, truth = examples(4000, 3)
    found = flat.predict(held.snapshots)
    parts = np.array_split(np.argsort(found.value), 20)
    inside = [found.low[p].mean() <= truth[p].mean() <= found.high[p].mean() for p in parts]
    assert np.mean(inside) >= 0.9
    assert np.mean(found.high - found.low) < 0.3


def test_more_data_give_narrower_intervals():
    held, _ = examples(500, 4)
    widths = []
    for n in (300, 6000):
        found = LightGbm().fit(examples(n, 5)[0], **QUICK).predict(held.snapshots)
        widths.append(np.mean(found.high - found.low))
    assert widths[1] < 0.7 * widths[0]


def test_reasons_name_the_category(flat):
    held, _ = examples(200, 6)
    meanings = {r.meaning for row in flat.explain(held.snapshots) for r in row if r.feature == "channel"}
    assert "channel is app" in meanings


def test_amounts_have_no_bias_on_what_they_were_fitted_to():
    train = labelled_customers(LOG, "amount")
    found = LightGbm().fit(train, **QUICK).predict(train.snapshots)
    assert found.value.sum() == pytest.approx(train.outcome.sum(), rel=0.1)
    assert np.mean((found.low <= train.outcome) & (train.outcome <= found.high)) > 0.9


def test_amounts_scale_with_the_currency():
    """The same log in a currency of a hundredth of the value gives a hundred times the amounts."""
    train = labelled_customers(LOG, "amount")
    small = LightGbm().fit(train, **QUICK).predict(EVERYONE).value
    history = train.snapshots.history
    rich = replace(history, amount_minor=history.amount_minor * 100)
    much = replace(train, snapshots=replace(train.snapshots, history=rich), outcome=train.outcome * 100)
    richer = replace(
        EVERYONE, history=replace(EVERYONE.history, amount_minor=EVERYONE.history.amount_minor * 100)
    )
    large = LightGbm().fit(much, **QUICK).predict(richer).value
    assert large == pytest.approx(small * 100, rel=0.02)


def test_a_fit_stops_within_its_budget_and_says_so():
    train, _ = examples(20_000, 7)
    slow = LightGbm(LightGbm.Options(rounds=5000, patience=5000, leaves=255, learning_rate=0.001))
    start = time.perf_counter()
    slow.fit(train, validation=None, budget=Budget(1.0), seed=1, runtime=Runtime(threads=1))
    assert time.perf_counter() - start < 8
    assert "1 s were spent" in slow.notes[0]


def test_progress_is_reported():
    class Heard:
        def __init__(self):
            self.reports = []

        def advance(self, done, total, note=""):
            self.reports.append((done, total, note))

    heard = Heard()
    runtime = Runtime(threads=1, progress=heard)
    train, _ = examples(500, 8)
    LightGbm(LightGbm.Options(rounds=5)).fit(
        train, validation=None, budget=Budget(60), seed=1, runtime=runtime
    )
    assert [done for done, _, _ in heard.reports] == [1, 2, 3, 4, 5]


def test_threads_do_not_change_the_fit(monkeypatch):
    from mercer.behavior import boosted

    monkeypatch.setattr(boosted, "ONE_THREAD_CELLS", 0)
    train, _ = examples(1000, 9)
    one, two = (
        LightGbm(LightGbm.Options(rounds=20))
        .fit(train, validation=None, budget=Budget(60), seed=1, runtime=Runtime(threads=threads))
        .predict(train.snapshots)
        for threads in (1, 2)
    )
    assert np.array_equal(one.value, two.value)


def test_too_few_entities_get_the_average_and_a_note():
    train, _ = examples(10, 10)
    fitted = LightGbm().fit(train, **QUICK)
    assert fitted.notes
    assert fitted.feature_names() == ()
    assert fitted.predict(train.snapshots).value == pytest.approx(
        np.full(10, (train.outcome.sum() + 0.5) / 11)
    )
    assert fitted.explain(train.snapshots) == [[] for _ in range(10)]


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[:40],
        lambda text: json.dumps(json.loads(text) | {"predictor": "other"}),
        lambda text: json.dumps(json.loads(text) | {"features": "0" * 64}),
        lambda text: json.dumps({k: v for k, v in json.loads(text).items() if k != "head"}),
        lambda text: json.dumps(json.loads(text) | {"options": {"leaves": "many"}}),
        lambda text: json.dumps(json.loads(text) | {"schema": 99}),
    ],
)
def test_a_damaged_description_is_refused(flat, tmp_path, damage):
    flat.save(tmp_path)
    path = tmp_path / FILE
    path.write_text(damage(path.read_text("utf-8")), "utf-8")
    with pytest.raises(DamagedError):
        LightGbm.load(tmp_path)


@pytest.mark.parametrize(
    "damage", [lambda b: b[: len(b) // 2], lambda b: b"", lambda b: b.replace(b"7", b"8", 1)]
)
def test_damaged_trees_are_refused_before_lightgbm_reads_them(flat, tmp_path, damage):
    flat.save(tmp_path)
    path = tmp_path / "trees.0.txt"
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(DamagedError, match=r"trees\.0\.txt"):
        LightGbm.load(tmp_path)
