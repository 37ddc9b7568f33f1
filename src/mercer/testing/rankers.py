"""The contract every ranker must pass, for the tasks recommend and search alike.

    class TestMyRanker(RankerContract):
        ranker = MyRanker

A ranker is built as `MyRanker(MyRanker.Options(**options))`; override `make` where yours needs more. Each
test states one promise that evaluation, gates or serving rely on. Needs pytest.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from pydantic import ValidationError

from mercer.contracts import (
    NO_ITEM,
    Budget,
    Context,
    Dataset,
    Ragged,
    Ranker,
    Rankings,
    Requests,
    Runtime,
    Vocabulary,
)
from mercer.errors import UnsupportedError
from mercer.testing.small_shop import every_row, small_dataset, small_holdout, small_requests

_K = 5


class RankerContract:
    """Inherit in a pytest class and name the ranker.

    options: options of the ranker under test. tolerance: how far a score may lie from itself when the batch
    is cut otherwise; 0 asks for equal bits, and neural rankers need about 1e-5.
    Stability: callers stable; new promises may be added with a minor version.
    """

    ranker: ClassVar[Any]
    options: ClassVar[Mapping[str, Any]] = {}
    tolerance: ClassVar[float] = 0.0

    def make(self) -> Ranker:
        """A new ranker, not fitted."""
        made: Ranker = self.ranker(self.ranker.Options(**self.options))
        return made

    def fit(self, train: Dataset, seed: int = 1) -> Ranker:
        """A new ranker fitted on `train`."""
        return self.make().fit(
            train, validation=None, budget=Budget(60), seed=seed, runtime=Runtime(threads=1)
        )

    @property
    def train(self) -> Dataset:
        """The small shop, repeats allowed."""
        return small_dataset()

    @property
    def fitted(self) -> Ranker:
        """The ranker fitted on the small shop, once for the class."""
        cls = type(self)
        if "_fitted" not in cls.__dict__:
            cls._fitted = self.fit(self.train)
        return cls._fitted

    _fitted: ClassVar[Ranker]

    def requests(self, train: Dataset | None = None, **changes: Any) -> Requests:
        """Eight requests of the small shop; `changes` replaces fields."""
        return small_requests(train or self.train, self.ranker.task, **changes)

    # What it says of itself

    def test_it_is_a_ranker(self) -> None:
        """It has every member of the protocol, and its declarations hold legal values."""
        made = self.make()
        assert isinstance(made, Ranker), f"{type(made).__name__} lacks a member of the Ranker protocol"
        assert made.name, "name is empty"
        assert made.name == made.name.lower().replace("_", "-"), "a name is lower case with hyphens"
        assert made.task in ("recommend", "search")
        assert all(
            isinstance(getattr(made, flag), bool) for flag in ("stochastic", "holds_users", "has_scores")
        )

    def test_options_are_frozen_and_round_trip(self) -> None:
        """Options can't be changed or misspelt, and what was dumped loads as equal."""
        options = self.make().options
        assert type(options)(**options.model_dump(mode="json")) == options, "dumped options load differently"
        assert type(options).model_config.get("frozen"), "options can be changed after they were read"
        with pytest.raises(ValidationError):
            type(options).model_validate({"no_such_option": 1})

    def test_estimate_is_a_cost(self) -> None:
        """Seconds and memory are finite and not negative before any fit."""
        cost = self.make().estimate(self.train)
        assert 0 <= cost.seconds < math.inf, "the cost is not finite"
        assert 0 <= cost.peak_mib < math.inf, "the cost is not finite"

    def test_parameters_are_plain_words(self) -> None:
        """The published main parameters: at least one, each a name and a reason that a customer can read."""
        parameters = self.fitted.parameters()
        assert parameters, "a ranking has at least one main parameter"
        for name, reason in parameters:
            assert name.strip(), "a parameter has no name"
            assert " " in reason.strip(), f"{name!r} has no reason"
            assert "_" not in name + reason, f"{name!r} is written in code, not in words"

    # Fitting

    def test_fit_returns_itself(self) -> None:
        """`fit` returns the ranker, also when a validation set is at hand."""
        made = self.make()
        holdout = small_holdout(self.train, self.ranker.task)
        back = made.fit(self.train, validation=holdout, budget=Budget(60), seed=1, runtime=Runtime(threads=1))
        assert back is made, "fit did not return the ranker"

    def test_same_seed_same_answer(self) -> None:
        """Two fits with one seed answer alike; without chance, so do two seeds."""
        first = self._answers(self.fitted)
        assert _equal(first, self._answers(self.fit(self.train, seed=1))), "one seed gave two answers"
        if not self.ranker.stochastic:
            other = self._answers(self.fit(self.train, seed=2))
            assert _equal(first, other), "the seed changes the answer, yet `stochastic` is False"

    def test_a_shop_without_events_has_answers(self) -> None:
        """A log without an event, and no log at all, can be fitted and asked."""
        train = small_dataset(empty=True)
        for data in (train, replace(train, interactions=None)):
            answer = self.fit(data).rank(self.requests(train), _K)
            _check_shape(answer, len(train.vocabulary), _K)
            if self.ranker.task == "recommend":
                assert (answer.items != NO_ITEM).all(), "a shop without events gets no full list"

    def test_what_reads_the_catalogue_alone_does_not_read_judgments(self) -> None:
        """One fit then serves every fold, tested rows included; who does not declare it promises nothing here."""
        if not getattr(self.make(), "from_catalogue", False):
            return
        bare = self.fit(replace(self.train, judgments=None, interactions=None))
        assert _equal(self._answers(self.fitted), self._answers(bare)), "it reads judgments or events"

    def test_inputs_are_left_alone(self) -> None:
        """Neither the training data nor the requests are changed."""
        train, requests = self.train, self.requests()
        before = _content(train), _content(requests)
        ranker = self.fit(train)
        ranker.rank(requests, _K)
        if self.ranker.has_scores:
            ranker.score(requests, _codes(train))
        assert _content(train) == before[0], "the training data were changed"
        assert _content(requests) == before[1], "the requests were changed"

    # Saving

    def test_the_saved_one_answers_bit_for_bit(self, tmp_path: Path) -> None:
        """Save and load keep options, scores and answers, and no file needs pickle."""
        self.fitted.save(tmp_path)
        loaded = self.ranker.load(tmp_path)
        assert loaded.options == self.fitted.options, "options were lost"
        assert _equal(self._answers(self.fitted), self._answers(loaded)), (
            "the loaded ranker answers differently"
        )
        suffixes = {path.suffix for path in tmp_path.rglob("*") if path.is_file()}
        assert suffixes, "nothing was written"
        assert not suffixes & {".pkl", ".pickle", ".joblib", ".pt", ".pth"}, (
            "a file that can run code was written"
        )

    # The form of an answer

    def test_lists_are_well_formed(self) -> None:
        """Shape (n, k), best first, no item twice, -1 and -inf after the last answer, no NaN."""
        for k in (1, _K):
            answer = self.fitted.rank(self.requests(), k)
            assert len(answer) == 8
            _check_shape(answer, len(self.train.vocabulary), k)

    def test_more_than_the_catalogue_can_be_asked(self) -> None:
        """k beyond the catalogue pads the lists; a recommender then answers every item."""
        n_items = len(self.train.vocabulary)
        answer = self.fitted.rank(self.requests(), n_items + 7)
        _check_shape(answer, n_items, n_items + 7)
        if self.ranker.task == "recommend":
            assert ((answer.items != NO_ITEM).sum(1) == n_items).all(), "eligible items are missing"

    def test_no_request_no_answer(self) -> None:
        """An empty batch gives an empty answer."""
        answer = self.fitted.rank(self.requests().take([]), _K)
        assert answer.items.shape == (0, _K)

    def test_catalogue_of_one(self) -> None:
        """One item can be fitted and ranked."""
        train = small_dataset(n_items=1)
        answer = self.fit(train).rank(self.requests(train), _K)
        _check_shape(answer, 1, _K)
        if self.ranker.task == "recommend":
            assert (answer.items[:, 0] == 0).all(), "the only item is not recommended"

    def test_empty_history_and_unknown_user_are_answered(self) -> None:
        """A person nobody knows and a stranger get full lists of recommendations, and the same ones."""
        answer = self.fitted.rank(self.requests().take([6, 7]), _K)
        _check_shape(answer, len(self.train.vocabulary), _K)
        if self.ranker.task == "recommend":
            assert (answer.items != NO_ITEM).all(), "a newcomer gets no full list"
            assert np.array_equal(answer.items[0], answer.items[1]), "two newcomers get different lists"

    # Batches

    def test_order_of_the_batch_changes_nothing(self) -> None:
        """Turned round, the batch gets the same answers."""
        backward = np.arange(8)[::-1].copy()
        whole, turned = self._answers(self.fitted), self._answers(self.fitted, self.requests().take(backward))
        self._check_close(whole, [part[backward] for part in turned])

    def test_size_of_the_batch_changes_nothing(self) -> None:
        """One by one, the requests get the same answers."""
        single = [self._answers(self.fitted, self.requests().take([row])) for row in range(8)]
        self._check_close(
            self._answers(self.fitted), [np.concatenate(parts) for parts in zip(*single, strict=True)]
        )

    # Rules

    def test_allow_and_candidates_bound_the_answer(self) -> None:
        """Only listed items are answered, both lists together intersect, and no list is cut short by it."""
        whole = self._everything()
        for rules in ({"allow": range(3, 15)}, {"candidates": range(3, 15)},
                      {"allow": range(15), "candidates": range(3, 24)}):  # fmt: skip
            ragged: dict[str, Any] = {name: every_row(list(codes), 8) for name, codes in rules.items()}
            self._check_rule(whole, set(range(3, 15)), self.requests(**ragged))

    def test_denied_items_are_not_answered(self) -> None:
        """The best answers, denied, are gone, and others move up."""
        whole = self._everything()
        best = Ragged.from_rows([row[row != NO_ITEM][:3] for row in whole.items])
        answer = self.fitted.rank(self.requests(deny=best), _K)
        for row in range(8):
            assert not set(answer.items[row]) & set(best[row].tolist()), "a denied item was answered"
            left = set(whole.items[row].tolist()) - set(best[row].tolist()) - {NO_ITEM}
            assert (answer.items[row] != NO_ITEM).sum() >= min(_K, len(left)), "denying cut the list short"

    def test_pinned_items_come_first(self) -> None:
        """Eligible pins lead in the order given, a denied pin stays away, the rest keeps its order."""
        plain = self.fitted.rank(self.requests(deny=every_row([4], 8)), 24)
        answer = self.fitted.rank(self.requests(pin=every_row([9, 4, 2], 8), deny=every_row([4], 8)), 24)
        for row in range(8):
            assert answer.items[row, :2].tolist() == [9, 2], "eligible pins do not come first in their order"
            rest = [code for code in answer.items[row, 2:].tolist() if code != NO_ITEM]
            wanted = [code for code in plain.items[row].tolist() if code not in (9, 2, NO_ITEM)]
            assert rest == wanted, "pinning changed the order of the rest, or let a denied item in"

    def test_history_is_masked_where_repeats_are_unwanted(self) -> None:
        """No item that the person has had is answered when `repeats` is False; with it, all may be."""
        train = small_dataset(repeats=False)
        requests = self.requests(train)
        answer = self.fit(train).rank(requests, 24)
        held = requests.masked_history.item_rows
        assert held.lengths.sum() > 0
        for row in range(8):
            assert not set(answer.items[row]) & set(held[row].tolist()), "an item of the history was answered"

    # Privacy

    def test_an_answer_without_profiling_ignores_the_person(self) -> None:
        """Under each signal the answer is the same as for a stranger, history, user id and mask included."""
        for signal in ("opt_out", "objected", "not_profiled"):
            for repeats in (True, False):
                said: dict[str, Any] = {signal: np.ones(8, bool)}
                context = replace(Context.unknown(8), **said)
                known = self.requests(context=context, repeats=repeats)
                stranger = replace(known, users=(None,) * 8, history=known.history.blank(np.ones(8, bool)))
                one, other = self._answers(self.fitted, known), self._answers(self.fitted, stranger)
                assert _equal(one, other), f"the answer depends on the person in spite of {signal}"

    def test_user_ids_matter_only_where_declared(self) -> None:
        """Without per-user parameters, another id with the same history gets the same answer."""
        if self.ranker.holds_users:
            pytest.skip("the ranker declares per-user parameters")
        requests = self.requests()
        names = tuple(f"other-{row}" for row in range(8))
        renamed = replace(requests, users=names, history=replace(requests.history, users=Vocabulary(names)))
        assert _equal(self._answers(self.fitted), self._answers(self.fitted, renamed)), "the user id is read"

    # Scores

    def test_scores_are_numbers(self) -> None:
        """float32 of shape (n, m), never NaN nor +inf; a ranker without scores says so."""
        codes = _codes(self.train)
        if not self.ranker.has_scores:
            with pytest.raises(UnsupportedError):
                self.fitted.score(self.requests(), codes)
            return
        scores = self.fitted.score(self.requests(), codes)
        assert scores.shape == (8, len(codes))
        assert scores.dtype == np.float32
        assert not np.isnan(scores).any(), "a score is NaN"
        assert not np.isposinf(scores).any(), "a score is +inf"

    def test_scores_of_some_items_are_columns_of_all(self) -> None:
        """Asked for some items in another order, `score` answers the same numbers."""
        self._need_scores()
        whole = self.fitted.score(self.requests(), _codes(self.train))
        some = np.array([17, 3, 3, 20], np.int32)
        self._check_close([whole[:, some]], [self.fitted.score(self.requests(), some)])

    def test_ranks_agree_with_scores(self) -> None:
        """`rank` answers the eligible items of highest `score`, best first, with those scores."""
        self._need_scores()
        for changes in ({}, {"deny": every_row([0, 1, 6, 13], 8)}, {"repeats": False}):
            requests = self.requests(**changes)
            scores = self.fitted.score(requests, _codes(self.train))
            self._check_close(
                [Rankings.top_k(scores, _K, eligible=requests.eligible()).scores],
                [self.fitted.rank(requests, _K).scores],
            )
            answer = self.fitted.rank(requests, _K)
            rows, places = np.nonzero(answer.items != NO_ITEM)
            self._check_close([scores[rows, answer.items[rows, places]]], [answer.scores[rows, places]])

    # Parts of the tests

    def _need_scores(self) -> None:
        if not self.ranker.has_scores:
            pytest.skip("the ranker declares that it has no scores")

    def _everything(self) -> Rankings:
        return self.fitted.rank(self.requests(), len(self.train.vocabulary))

    def _answers(self, ranker: Ranker, requests: Requests | None = None) -> list[npt.NDArray[Any]]:
        """Scores and, where there are scores, the scores of all items, for comparison."""
        requests = requests if requests is not None else self.requests()
        answer = ranker.rank(requests, _K)
        parts: list[npt.NDArray[Any]] = [answer.items, answer.scores]
        if self.ranker.has_scores:
            parts.append(ranker.score(requests, _codes(self.train)))
        return parts

    def _check_rule(self, whole: Rankings, allowed: set[int], requests: Requests) -> None:
        answer = self.fitted.rank(requests, _K)
        for row in range(8):
            got = set(answer.items[row].tolist()) - {NO_ITEM}
            assert got <= allowed, "an item outside the list was answered"
            possible = len(set(whole.items[row].tolist()) & allowed)
            assert len(got) >= min(_K, possible), "the rule cut the list short"

    def _check_close(self, one: list[npt.NDArray[Any]], other: list[npt.NDArray[Any]]) -> None:
        for left, right in zip(one, other, strict=True):
            if self.tolerance == 0:
                assert np.array_equal(left, right), "the same request got two answers"
            elif left.dtype.kind == "f":
                np.testing.assert_allclose(left, right, rtol=self.tolerance, atol=self.tolerance)


def _codes(train: Dataset) -> npt.NDArray[np.int32]:
    return np.arange(len(train.vocabulary), dtype=np.int32)


def _equal(one: list[npt.NDArray[Any]], other: list[npt.NDArray[Any]]) -> bool:
    return all(np.array_equal(left, right) for left, right in zip(one, other, strict=True))


def _check_shape(answer: Rankings, n_items: int, k: int) -> None:
    """The form of a list of answers without pins."""
    items, scores = answer.items, answer.scores
    assert items.shape == scores.shape == (len(answer), k), "a list has not k places"
    assert items.dtype == np.int32
    assert scores.dtype == np.float32
    found = items != NO_ITEM
    assert (items[found] >= 0).all(), "an answer is no item"
    assert (items[found] < n_items).all(), "an answer is no item"
    assert not (~found[:, :-1] & found[:, 1:]).any(), "an empty place lies before an answer"
    assert not np.isnan(scores).any(), "a score is NaN"
    assert np.isneginf(scores[~found]).all(), "an empty place has a score"
    assert np.isfinite(scores[found]).all(), "an answer has no finite score"
    assert (scores[:, :-1] >= scores[:, 1:]).all(), "the list is not best first"
    for row in items:
        held = row[row != NO_ITEM]
        assert len(set(held.tolist())) == len(held), "an item is answered twice"


def _content(thing: Any) -> bytes:
    """Everything a value type holds, as bytes, for comparison before and after."""
    return b"\0".join(_parts(thing))


def _parts(thing: Any) -> Iterator[bytes]:
    if isinstance(thing, np.ndarray):
        yield thing.tobytes()
    elif isinstance(thing, pd.DataFrame):
        yield thing.to_json().encode()
    elif isinstance(thing, Vocabulary):
        yield thing.fingerprint.encode()
    elif is_dataclass(thing):
        for spec in fields(thing):
            yield from _parts(getattr(thing, spec.name))
    else:
        yield repr(thing).encode()
