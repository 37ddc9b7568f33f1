"""The contract, which asks everything a ranker must keep, and one example by hand."""

from mercer.testing.rankers import RankerContract
from mercer.testing.small_shop import small_dataset, small_requests

from keras_gru4rec.ranker import Gru4Rec


class TestGru4Rec(RankerContract):
    ranker = Gru4Rec
    options = {"width": 8, "window": 10, "epochs": 2, "batch": 64}  # noqa: RUF012
    tolerance = 1e-5


def test_it_learns_who_buys_what() -> None:
    """People of the small shop keep to one kind of goods: six items of 24."""
    train = small_dataset()
    asked = small_requests(train, "recommend").take([0])
    answer = (
        Gru4Rec(Gru4Rec.Options(width=16, epochs=30, batch=32, learning_rate=0.01))
        .fit(train, seed=1)
        .rank(asked, 5)
    )
    assert [int(item) // 6 for item in answer.items[0]].count(0) >= 4
