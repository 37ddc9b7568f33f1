import numpy as np
import pytest

from mercer.simulate.baskets import COMPANION, _Filler, pick_chances
from mercer.simulate.tastes import blocks
from mercer.simulate.world import World


def filler(world: World, seed: int) -> _Filler:
    block = next(blocks(world.people, world.catalogue))
    return _Filler(world.baskets, world.people, world.catalogue, block, np.random.default_rng(seed))


def test_newer_lines_are_picked_more_often_and_the_chances_sum_to_one() -> None:
    assert pick_chances(1).tolist() == [1.0]
    chances = pick_chances(40)
    assert chances.sum() == pytest.approx(1.0)
    assert (np.diff(chances) > 0).all()


def test_habit_picks_earlier_lines_with_the_documented_chances(small_world: World) -> None:
    baskets, people, catalogue = small_world.baskets, small_world.people, small_world.catalogue
    user = int(np.argmax(np.diff(baskets.first)))
    begin, end = baskets.start[baskets.first[user]], baskets.start[baskets.first[user] + 3]
    n, days = 80_000, 180.0
    nothing = np.full(n, -1)
    many = [np.full(n, value) for value in (user, begin, end)]
    again = filler(small_world, 3)._again(nothing, *many, np.full(n, days))
    earlier = baskets.item[begin:end]
    usable = (catalogue.refill_days[earlier] > 0) & catalogue.on_sale(earlier, days)
    expected = np.zeros(len(catalogue))
    np.add.at(expected, earlier, people.habit[user] * pick_chances(len(earlier)) * usable)
    assert usable.any()
    np.testing.assert_allclose(
        np.bincount(again[again >= 0], minlength=len(catalogue)) / n, expected, atol=0.006
    )


def test_who_has_no_history_buys_nothing_again(small_world: World) -> None:
    items = np.arange(50)
    at = np.zeros(50, np.int64)
    again = filler(small_world, 1)._again(items.copy(), at, at, at, np.full(50, 10.0))
    assert again.tolist() == items.tolist()


def test_companions_are_partners_of_a_line_of_this_basket_or_the_last(small_world: World) -> None:
    """Far more lines have an anchor close by than chance would give: about the share of companions at least."""
    baskets, catalogue = small_world.baskets, small_world.catalogue
    met, shuffled, total = 0, 0, 0
    everything = baskets.item
    rng = np.random.default_rng(0)
    for order in range(len(baskets.visit)):
        begin, end = baskets.start[order], baskets.start[order + 1]
        near = everything[begin:end]
        wished = set(catalogue.partners[near].ravel().tolist())
        met += sum(item in wished for item in near[1:].tolist())
        shuffled += sum(item in wished for item in rng.choice(everything, max(0, len(near) - 1)).tolist())
        total += max(0, len(near) - 1)
    assert met / total > shuffled / total + COMPANION / 8


def test_baskets_hold_one_line_at_least_and_as_many_as_the_person_tends_to(small_world: World) -> None:
    baskets, people = small_world.baskets, small_world.people
    sizes = np.diff(baskets.start)
    user = small_world.visits.user[baskets.visit]
    assert sizes.min() >= 1
    assert sizes.mean() == pytest.approx(1 + people.lines[user].mean(), rel=0.08)
    assert np.corrcoef(sizes, people.lines[user])[0, 1] > 0.4
