"""What the sequence rankers promise: they learn an order, place new items by content, and take any history."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mercer.contracts import Budget, Dataset, Runtime
from mercer.errors import ConflictError, DataError, TooLargeError
from mercer.recommend.sequence import Ligr, Sasrec
from mercer.recommend.sequence.memory import needed_mib, refuse_without_room
from mercer.testing.handmade import dataset, log, requests, scores
from mercer.testing.small_shop import small_dataset, small_holdout, small_requests
from mercer.training import TrainingEstimate

N = 12
QUICK: dict[str, Any] = {
    "width": 16, "heads": 2, "dropout": 0.0, "embedding_dropout": 0.0, "learning_rate": 1e-2, "epochs": 30,
    "batch_tokens": 256, "content": (), "neighbours": 0.0, "estimate_steps": 0, "window": 10,
}  # fmt: skip


def walks(n: int = 60, *, step: int = 5) -> Dataset:
    """People who each go round a circle of items, from anywhere: after i comes i + step, whatever i."""
    rows = [[((user + step * place) % N, place) for place in range(4 + user % 3)] for user in range(n)]
    return dataset(log(*rows, n_items=N, clock=False))


def fitted(ranker: type = Sasrec, train: Dataset | None = None, **changes: Any) -> Any:
    made = ranker(ranker.Options(**{**QUICK, **changes}))
    return made.fit(train or walks(), seed=1, runtime=Runtime(threads=1))


def items(category: list[str]) -> pd.DataFrame:
    return pd.DataFrame({"item": [f"i{code}" for code in range(len(category))], "category": category})


@pytest.mark.parametrize("ranker", [Sasrec, Ligr])
@pytest.mark.parametrize("loss", ["sampled-softmax", "softmax", "bce"])
def test_it_learns_what_comes_next(ranker: type, loss: str) -> None:
    made = fitted(ranker, loss=loss, negatives=6, epochs=150 if loss == "bce" else 30)
    asked = requests(
        log(*[[((i + 5 * place) % N, place) for place in range(3)] for i in range(N)], n_items=N, clock=False)
    )
    best = made.rank(asked, 1).items[:, 0]
    assert np.mean(best == (np.arange(N) + 15) % N) >= 0.9
    assert made.training.losses[-1] < made.training.losses[0]


def test_ligr_learns_from_the_time_between_events() -> None:
    """After a day comes one item, after a year another; the items before are the same."""
    rows = [[(0, 0), (1, 1 if user % 2 else 365), (2 + user % 2, 400)] for user in range(40)]
    train = dataset(log(*rows, n_items=4), as_of_day=500)
    asked = requests(log([(0, 0), (1, 1)], [(0, 0), (1, 365)], n_items=4))
    assert fitted(Ligr, train).rank(asked, 1).items[:, 0].tolist() == [3, 2]
    blind = fitted(Sasrec, train).rank(asked, 1).items[:, 0]
    assert blind[0] == blind[1]


def test_a_new_item_stands_where_its_content_says() -> None:
    """Two kinds of goods; the last item of each was never bought by anybody."""
    category = ["Tea"] * 6 + ["Tools"] * 6
    rng = np.random.default_rng(1)
    rows = [
        [(int(i) + 6 * (user % 2), place) for place, i in enumerate(rng.permutation(5)[:4])]
        for user in range(60)
    ]
    train = replace(dataset(log(*rows, n_items=N, clock=False)), items=items(category))
    made = fitted(train=train, content=("category",), id_dropout=0.3)
    likes_tea, likes_tools = scores(
        made, requests(log([(0, 0), (1, 1)], [(6, 0), (7, 1)], n_items=N, clock=False))
    )
    assert likes_tea[5] > likes_tea[11]
    assert likes_tools[11] > likes_tools[5]
    assert likes_tea[5] > likes_tea[6:11].max()


def test_only_the_last_events_of_a_long_history_are_read() -> None:
    made = fitted()
    long = [(place * 7 % N, place) for place in range(200)]
    end = [(item, place) for place, (item, _) in enumerate(long[-10:])]
    whole, cut = scores(made, requests(log(long, end, n_items=N, clock=False)))
    np.testing.assert_allclose(whole, cut, rtol=1e-5, atol=1e-5)


def test_items_that_the_catalogue_lacks_are_skipped() -> None:
    made = fitted()
    known = log([(3, 0), (8, 1)], n_items=N, clock=False)
    holed = log([(3, 0), (0, 1), (8, 2), (0, 3)], n_items=N, clock=False)
    holed = replace(holed, item=np.array([3, -1, 8, N], np.int32))
    assert np.array_equal(scores(made, requests(known)), scores(made, requests(holed)))


def test_nobody_known_gets_what_is_popular() -> None:
    train = walks()
    made = fitted(train=train)
    found = scores(made, requests(log([], n_items=N, clock=False)))[0]
    counts = np.bincount(train.interactions.item, minlength=N)
    np.testing.assert_allclose(found, counts / counts.max(), rtol=1e-6)


def test_people_who_are_all_alike_can_be_learned_from() -> None:
    train = dataset(log(*[[(0, 0), (1, 1), (2, 2)]] * 20, n_items=4, clock=False))
    made = fitted(train=train)
    asked = requests(log([(0, 0)], [(0, 0), (1, 1)], n_items=4, clock=False))
    assert made.rank(asked, 1).items[:, 0].tolist() == [1, 2]


@pytest.mark.parametrize("ranker", [Sasrec, Ligr])
@pytest.mark.parametrize("repeats", [True, False])
def test_a_catalogue_of_one_item_is_answered_with_it(ranker: type, repeats: bool) -> None:
    train = dataset(log(*[[(0, 0), (0, 1), (0, 2)]] * 5, n_items=1), repeats=repeats)
    made = fitted(ranker, train, content=("brand", "category"), neighbours=1.2)
    assert made.rank(requests(log([], n_items=1)), 1).items.tolist() == [[0]]
    assert np.isfinite(scores(made, requests(log([(0, 0)], n_items=1)))).all()


def test_without_two_events_in_a_row_answers_follow_popularity() -> None:
    made = fitted(train=dataset(log([(1, 0)], [(1, 0)], [(2, 0)], n_items=4)))
    assert made.training is None
    assert "popularity" in made.notes[0]
    assert made.rank(requests(log([(0, 0)], n_items=4)), 2).items.tolist() == [[1, 2]]


def test_a_price_that_is_no_number_is_refused_before_training() -> None:
    train = walks()
    priced = replace(train, items=train.items.assign(price_minor=np.where(np.arange(N) == 4, np.nan, 5.0)))
    with pytest.raises(DataError, match="price_minor"):
        fitted(train=priced, content=("price",))


@pytest.mark.parametrize(
    ("changes", "option"), [({"width": 4096}, "width"), ({"batch_tokens": 10**10}, "batch_tokens")]
)
def test_too_little_memory_names_the_option(changes: dict[str, Any], option: str) -> None:
    chosen = Sasrec.Options(**changes)
    with pytest.raises(TooLargeError, match=rf"Lower the option `{option}`"):
        refuse_without_room(10**8 if option == "width" else 100, 1000, chosen)


def test_a_batch_too_large_is_refused_before_training() -> None:
    with pytest.raises(TooLargeError, match="batch_tokens"):
        fitted(batch_tokens=10**11)


def test_memory_grows_with_what_makes_it_grow() -> None:
    chosen = Sasrec.Options()
    least = needed_mib(10**4, 10**5, chosen)
    assert needed_mib(10**6, 10**5, chosen) > least + 4 * 4 * 10**6 * chosen.width / 2**20
    assert needed_mib(10**4, 10**7, chosen) > least
    wider = chosen.model_copy(update={"width": 2 * chosen.width})
    assert needed_mib(10**4, 10**5, wider) > least


def test_a_checkpoint_of_other_data_or_options_is_refused(tmp_path: Path) -> None:
    runtime = Runtime(threads=1, checkpoint_folder=tmp_path)
    chosen = Sasrec.Options(**{**QUICK, "epochs": 1})
    first = Sasrec(chosen).fit(walks(), seed=1, runtime=runtime)
    again = Sasrec(chosen).fit(walks(), seed=1, runtime=runtime)
    assert all(np.array_equal(first.state[name], again.state[name]) for name in first.state)
    with pytest.raises(ConflictError, match="log"):
        Sasrec(chosen).fit(walks(step=7), seed=1, runtime=runtime)
    with pytest.raises(ConflictError, match="options"):
        Sasrec(chosen.model_copy(update={"asked": "event"})).fit(walks(), seed=1, runtime=runtime)


def test_a_short_budget_ends_the_training_and_says_so() -> None:
    made = Sasrec(Sasrec.Options(**QUICK)).fit(
        walks(), budget=Budget(0.0), seed=1, runtime=Runtime(threads=1)
    )
    assert made.training.stopped_because == "budget"
    assert any("ended it" in note for note in made.notes)
    assert np.isfinite(scores(made, requests(log([(3, 0)], n_items=N, clock=False)))).all()


def test_validation_chooses_among_the_states() -> None:
    train = small_dataset(repeats=False)
    made = Sasrec(Sasrec.Options(**{**QUICK, "epochs": 4, "evaluate_every": 0.5}))
    made.fit(train, validation=small_holdout(train, "recommend"), seed=1, runtime=Runtime(threads=1))
    values = [one.value for one in made.training.validations]
    assert len(values) >= 6
    assert made.training.best.value == max(values)
    assert made.training.best_step == made.training.best.step


def test_the_record_travels_with_the_weights(tmp_path: Path) -> None:
    made = fitted(epochs=1)
    made.save(tmp_path)
    assert Sasrec.load(tmp_path).training == made.training
    assert {path.name for path in tmp_path.iterdir()} == {
        "options.yaml",
        "weights.safetensors",
        "training.json",
    }


def test_the_estimate_counts_the_epochs() -> None:
    one, many = (Sasrec(Sasrec.Options(**{**QUICK, "epochs": n})).estimate(walks()) for n in (1, 400))
    assert many.seconds > 3 * one.seconds > 0
    assert many.peak_mib > 0


def test_a_price_with_validation_counts_its_evaluations() -> None:
    ranker = Sasrec(Sasrec.Options(**{**QUICK, "epochs": 3}))
    train = small_dataset()
    held = small_holdout(train, "recommend")
    found = ranker.measure(train, validation=held, seed=1, runtime=Runtime(threads=1))
    assert isinstance(found, TrainingEstimate)
    assert found.evaluations == 3
    assert found.evaluation > 0
    assert ranker.training is None, "measuring fitted it"
    assert ranker.state == {}


def test_nothing_of_the_person_is_kept() -> None:
    made = fitted(train=small_dataset(), epochs=1)
    people = small_dataset().interactions.n_users
    assert people != made.options.width
    assert all(people not in array.shape for array in made.state.values())
    asked = small_requests(small_dataset(), "recommend")
    assert np.isfinite(scores(made, asked)).all()
