"""The guard has been seen red: for every promise of the contract, a ranker that breaks it is caught."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from mercer.contracts import Dataset, Estimate, Interactions, Rankings, Requests, Vocabulary
from mercer.contracts import Options as BaseOptions
from mercer.errors import UnsupportedError
from mercer.recommend import MostPopular, ScoringRanker
from mercer.testing.rankers import RankerContract


class Sound(MostPopular):
    """Scores that depend on the history, so that a broken privacy or mask shows. Breaks nothing."""

    name = "sound"

    def score_rows(self, requests: Requests) -> np.ndarray:
        scores = super().score_rows(requests)
        np.add.at(scores, (requests.history.user_of, requests.history.item), np.float32(0.01))
        return scores


BROKEN: dict[str, list[tuple[type[ScoringRanker], str]]] = {}


def breaks(promise: str, says: str) -> Callable[[type[ScoringRanker]], type[ScoringRanker]]:
    """Register a ranker that breaks one promise, and a part of what the contract says about it."""

    def register(ranker: type[ScoringRanker]) -> type[ScoringRanker]:
        BROKEN.setdefault(promise, []).append((ranker, says))
        return ranker

    return register


@breaks("test_it_is_a_ranker", "lower case")
class ShoutsItsName(Sound):
    name = "Not_A_Name"


@breaks("test_it_is_a_ranker", "lacks a member")
class LacksEstimate(Sound):
    estimate = None  # type: ignore[assignment]


@breaks("test_what_reads_the_catalogue_alone_does_not_read_judgments", "reads judgments or events")
class CountsWhatWasBought(Sound):
    from_catalogue: ClassVar[bool] = True


@breaks("test_options_are_frozen_and_round_trip", "DID NOT RAISE")
class TakesAnyOption(Sound):
    class Options(MostPopular.Options, extra="allow"):  # type: ignore[call-arg]
        pass


@breaks("test_options_are_frozen_and_round_trip", "can be changed")
class OptionsThaw(Sound):
    class Options(MostPopular.Options, frozen=False):  # type: ignore[call-arg]
        pass


@breaks("test_estimate_is_a_cost", "cost is not finite")
class CostsForEver(Sound):
    def estimate(self, train: Dataset) -> Estimate:
        return Estimate(float("inf"), 1.0)


@breaks("test_parameters_are_plain_words", "at least one main parameter")
class SaysNothing(Sound):
    def parameters(self) -> list[tuple[str, str]]:
        return []


@breaks("test_parameters_are_plain_words", "written in code")
class SpeaksCode(Sound):
    def parameters(self) -> list[tuple[str, str]]:
        return [("item_count", "weight of item_count")]


@breaks("test_fit_returns_itself", "fit did not return the ranker")
class FitsACopy(Sound):
    def fit(self, train: Dataset, **rest: Any) -> Any:
        return type(self)(self.options)._really(train, **rest)

    def _really(self, train: Dataset, **rest: Any) -> Any:
        return super().fit(train, **rest)


@breaks("test_same_seed_same_answer", "one seed gave two")
class SeedsItself(Sound):
    def learn(self, train: Dataset, log: Interactions, seed: int) -> Any:
        return {"share": np.random.default_rng().random(len(train.vocabulary)).astype(np.float32)}


@breaks("test_same_seed_same_answer", "`stochastic` is False")
class HidesItsSeed(Sound):
    def learn(self, train: Dataset, log: Interactions, seed: int) -> Any:
        return {"share": np.random.default_rng(seed).random(len(train.vocabulary)).astype(np.float32)}


@breaks("test_a_shop_without_events_has_answers", "no full list")
class DividesByNothing(Sound):
    def learn(self, train: Dataset, log: Interactions, seed: int) -> Any:
        counts = np.bincount(log.item, minlength=len(log.items)).astype(np.float32)
        with np.errstate(invalid="ignore"):
            return {"share": counts / counts.max()}


@breaks("test_inputs_are_left_alone", "training data were changed")
class SortsTheLog(Sound):
    def learn(self, train: Dataset, log: Interactions, seed: int) -> Any:
        learned = super().learn(train, log, seed)
        log.item.sort()
        return learned


@breaks("test_inputs_are_left_alone", "requests were changed")
class RewritesRequests(Sound):
    def rank(self, requests: Requests, k: int) -> Rankings:
        answer = super().rank(requests, k)
        requests.time[:] = 0
        return answer


@breaks("test_the_saved_one_answers_bit_for_bit", "answers differently")
class RoundsWhenSaved(Sound):
    def save(self, folder: Path) -> None:
        self.state = {"share": np.round(self.state["share"], 1)}
        kept, self.state = self.state, dict(self.state)
        super().save(folder)
        self.state = kept

    def restored(self) -> None:
        self.state = {"share": self.state["share"] + np.float32(1e-3)}


@breaks("test_the_saved_one_answers_bit_for_bit", "can run code")
class Pickles(Sound):
    def save(self, folder: Path) -> None:
        super().save(folder)
        (folder / "extra.pkl").write_bytes(b"")


@breaks("test_lists_are_well_formed", "not best first")
class WorstFirst(Sound):
    def rank(self, requests: Requests, k: int) -> Rankings:
        answer = super().rank(requests, k)
        return Rankings(answer.items[:, ::-1], answer.scores[:, ::-1])


@breaks("test_lists_are_well_formed", "answered twice")
class AnswersTwice(Sound):
    def rank(self, requests: Requests, k: int) -> Rankings:
        answer = super().rank(requests, k)
        items = answer.items.copy()
        items[:, -1] = items[:, 0]
        return Rankings(items, answer.scores)


@breaks("test_more_than_the_catalogue_can_be_asked", "not k places")
class NeverPads(Sound):
    def rank(self, requests: Requests, k: int) -> Rankings:
        return super().rank(requests, min(k, len(requests.items)))


@breaks("test_more_than_the_catalogue_can_be_asked", "items are missing")
class HidesTheTail(Sound):
    def score_rows(self, requests: Requests) -> np.ndarray:
        scores = super().score_rows(requests)
        scores[:, -1] = -np.inf
        return scores


@breaks("test_no_request_no_answer", "at least one array")
class NeedsARequest(Sound):
    def rank(self, requests: Requests, k: int) -> Rankings:
        return Rankings.concatenate([super(NeedsARequest, self).rank(b, k) for b in requests.blocks(4)])


@breaks("test_catalogue_of_one", "out of bounds")
class NeedsTwoItems(Sound):
    def score_rows(self, requests: Requests) -> np.ndarray:
        scores = super().score_rows(requests)
        return scores - np.partition(scores, 1, axis=1)[:, :1]


@breaks("test_empty_history_and_unknown_user_are_answered", "no full list")
class KnowsOnlyOldFriends(Sound):
    def score_rows(self, requests: Requests) -> np.ndarray:
        scores = super().score_rows(requests)
        scores[requests.history.lengths == 0] = -np.inf
        return scores


@breaks("test_order_of_the_batch_changes_nothing", "two answers")
class CountsPlaces(Sound):
    def score_rows(self, requests: Requests) -> np.ndarray:
        scores = super().score_rows(requests)
        return scores + np.arange(len(requests), dtype=np.float32)[:, None]


@breaks("test_size_of_the_batch_changes_nothing", "two answers")
class NormalisesByBatch(Sound):
    def score_rows(self, requests: Requests) -> np.ndarray:
        scores = super().score_rows(requests)
        return scores / len(requests)


@breaks("test_allow_and_candidates_bound_the_answer", "outside the list")
class AllowsAll(Sound):
    def rank(self, requests: Requests, k: int) -> Rankings:
        return super().rank(replace(requests, allow=None), k)


@breaks("test_allow_and_candidates_bound_the_answer", "cut the list short")
class FiltersAfterwards(Sound):
    def rank(self, requests: Requests, k: int) -> Rankings:
        answer = super().rank(replace(requests, allow=None, candidates=None), k)
        inside = np.take_along_axis(requests.eligible(), np.maximum(answer.items, 0).astype(np.int64), 1)
        return Rankings(np.where(inside, answer.items, -1).astype(np.int32), answer.scores)


@breaks("test_denied_items_are_not_answered", "denied item was answered")
class DeniesNothing(Sound):
    def rank(self, requests: Requests, k: int) -> Rankings:
        return super().rank(replace(requests, deny=None), k)


@breaks("test_pinned_items_come_first", "do not come first")
class PinsNothing(Sound):
    def rank(self, requests: Requests, k: int) -> Rankings:
        return super().rank(replace(requests, pin=None), k)


@breaks("test_history_is_masked_where_repeats_are_unwanted", "item of the history was answered")
class RepeatsItself(Sound):
    def rank(self, requests: Requests, k: int) -> Rankings:
        return super().rank(replace(requests, repeats=True), k)


@breaks("test_an_answer_without_profiling_ignores_the_person", "in spite of opt_out")
class ProfilesAnyway(Sound):
    def _blocks(self, requests: Requests) -> list[Requests]:
        return requests.blocks()


@breaks("test_user_ids_matter_only_where_declared", "user id is read")
class ReadsNames(Sound):
    def score_rows(self, requests: Requests) -> np.ndarray:
        scores = super().score_rows(requests)
        lengths = np.array([len(user or "") for user in requests.users], np.float32)
        return scores + lengths[:, None]


@breaks("test_scores_are_numbers", "score is NaN")
class ScoresNaN(Sound):
    def score(self, requests: Requests, items: Any) -> np.ndarray:
        scores = super().score(requests, items)
        scores[0, 0] = np.nan
        return scores


@breaks("test_scores_are_numbers", "DID NOT RAISE")
class ScoresWithoutSayingSo(Sound):
    has_scores = False


@breaks("test_scores_of_some_items_are_columns_of_all", "two answers")
class IgnoresTheOrderAsked(Sound):
    def score(self, requests: Requests, items: Any) -> np.ndarray:
        return super().score(requests, np.sort(items))


@breaks("test_ranks_agree_with_scores", "two answers")
class RanksBySomethingElse(Sound):
    def score(self, requests: Requests, items: Any) -> np.ndarray:
        return -super().score(requests, items)


def promises() -> list[str]:
    return [
        name for name, _ in inspect.getmembers(RankerContract, inspect.isfunction) if name.startswith("test_")
    ]


def check(contract: type[RankerContract], promise: str, folder: Path) -> None:
    method = getattr(contract(), promise)
    method(**({"tmp_path": folder} if "tmp_path" in inspect.signature(method).parameters else {}))


def contract_of(tested: type[Any]) -> type[RankerContract]:
    class Contract(RankerContract):
        ranker: ClassVar[Any] = tested

    return Contract


class TestSound(RankerContract):
    ranker = Sound


def test_every_promise_has_a_ranker_that_breaks_it() -> None:
    assert set(BROKEN) == set(promises())


@pytest.mark.parametrize(
    ("promise", "ranker", "says"),
    [(promise, ranker, says) for promise, rankers in BROKEN.items() for ranker, says in rankers],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_the_broken_ranker_is_caught(
    promise: str, ranker: type[ScoringRanker], says: str, tmp_path: Path
) -> None:
    # A skip is no catch: it derives from neither.
    with pytest.raises((Exception, pytest.fail.Exception), match=re.escape(says)):
        check(contract_of(ranker), promise, tmp_path)


class ListsOnly(Sound):
    """A ranker without scores, as a generative one is."""

    name = "lists-only"
    has_scores = False

    def score(self, requests: Requests, items: Any) -> np.ndarray:
        raise UnsupportedError("lists-only has no scores.")


class TestListsOnly(RankerContract):
    ranker = ListsOnly


class WithUsers(Sound):
    """A ranker that keeps something of every user and says so."""

    name = "with-users"
    holds_users = True

    def learn(self, train: Dataset, log: Interactions, seed: int) -> Any:
        liked = {"a": np.zeros(0, np.float32)} if not log.n_users else {}
        return {**super().learn(train, log, seed), **liked, "seen": log.lengths.astype(np.float32)}

    def score_rows(self, requests: Requests) -> np.ndarray:
        known = Vocabulary([f"person-{row:02d}" for row in range(len(self.state["seen"]))])
        codes = known.encode([user or "" for user in requests.users])
        extra = np.append(self.state["seen"], 0)[codes]
        return super().score_rows(requests) + extra[:, None].astype(np.float32)


class TestWithUsers(RankerContract):
    ranker = WithUsers


def test_options_of_the_base_are_the_protocols() -> None:
    assert issubclass(ScoringRanker.Options, BaseOptions)
