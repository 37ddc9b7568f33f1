"""The contract, which asks everything a ranker must keep, and one example by hand."""

from mercer.testing.rankers import RankerContract
from mercer.testing.small_shop import small_dataset, small_requests

from same_category.ranker import SameCategory


class TestSameCategory(RankerContract):
    ranker = SameCategory


def test_own_categories_come_first() -> None:
    train = small_dataset()
    asked = small_requests(train, "recommend").take([0])
    answer = SameCategory().fit(train).rank(asked, 3)
    bought = set(train.items["category"].iloc[asked.history.only(["purchase"]).item])
    assert set(train.items["category"].iloc[answer.items[0]]) <= bought
