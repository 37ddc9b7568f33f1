from __future__ import annotations

import numpy as np

from language.events.small import EVERY, log, tokenizer
from mercer.language.events import TaskOptions
from mercer.language.events.tasks import next_event


def test_every_event_is_foretold_once() -> None:
    for options in (None, EVERY):
        made = tokenizer() if options is None else tokenizer(options)
        shop = log((3, 0, 9, 1, 14, 6, 12, 13))
        lines = next_event(made, shop, TaskOptions())
        assert lines.lengths.max() <= made.longest
        of_items = lines.weight == 1.0
        assert of_items.sum() == shop.n_events * made.n_levels
        assert (lines.weight[lines.indptr[:-1]] == 0).all(), "the start token is never foretold"
        assert (lines.token[lines.indptr[:-1]] == made.special("start")).all()


def test_the_slot_of_a_token_is_its_field() -> None:
    made = tokenizer(EVERY)
    lines = next_event(made, log(), TaskOptions())
    foretold = lines.weight > 0
    start = np.array([slot.start for slot in made.slots])[lines.slot[foretold]]
    stop = np.array([slot.stop for slot in made.slots])[lines.slot[foretold]]
    assert ((lines.token[foretold] >= start) & (lines.token[foretold] < stop)).all()


def test_long_histories_are_cut_from_their_end() -> None:
    made, shop = tokenizer(), log((14,))
    lines = next_event(made, shop, TaskOptions())
    assert sorted(lines.lengths.tolist()) == [1 + 2 * 4, 1 + 6 * 4, 1 + 6 * 4]
    last = lines.token[lines.indptr[-2] + 1 : lines.indptr[-1]]
    assert last.tolist() == made.paths[shop.item[-6:]].ravel().tolist()


def test_weights_choose_what_is_asked() -> None:
    made, shop = tokenizer(), log()
    weights = np.zeros(shop.n_events)
    weights[5] = 0.5
    lines = next_event(made, shop, TaskOptions(), weights=weights)
    assert len(lines) == 1, "rows without a question are left out"
    assert lines.weight[lines.weight > 0].tolist() == [0.5] * 4
    path = lines.token[lines.weight > 0]
    assert path.tolist() == made.paths[shop.item[5]].tolist()


def test_events_of_unknown_items_are_left_out_with_their_weights() -> None:
    made, shop = tokenizer(), log((3,))
    shop.item[0] = -1
    lines = next_event(made, shop, TaskOptions(), weights=np.array([9.0, 1.0, 2.0]))
    assert lines.weight.tolist() == [0.0, *[1.0] * 4, *[2.0] * 4]


def test_other_fields_may_weigh_nothing() -> None:
    made = tokenizer(EVERY)
    lines = next_event(made, log(), TaskOptions(other_fields=0.0))
    names = {made.slots[number].name for number in np.unique(lines.slot[lines.weight > 0])}
    assert names == {"item.0", "item.1", "item.2", "item.3"}
