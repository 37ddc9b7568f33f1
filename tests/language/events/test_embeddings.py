from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from language.events.small import DAY_US, EVERY, decoder, log
from mercer.language.events.embeddings import event_embeddings

CUT = 200 * DAY_US


def test_changing_the_future_changes_nothing() -> None:
    made, shop = decoder(EVERY), log()
    before = event_embeddings(made, shop, CUT)
    late = shop.known_at > CUT
    assert late.sum() > 3
    assert (~late).sum() > 3
    chance = np.random.default_rng(7)
    other = replace(
        shop,
        item=np.where(late, (shop.item + 3) % 30, shop.item).astype(np.int32),
        kind=np.where(late, 1 - shop.kind, shop.kind).astype(np.int8),
        amount_minor=np.where(late, chance.integers(1, 9, len(late)), shop.amount_minor),
    )
    pd.testing.assert_frame_equal(event_embeddings(made, other, CUT), before)
    pd.testing.assert_frame_equal(event_embeddings(made, shop.where(~late), CUT), before)


def test_what_is_known_late_is_read_late() -> None:
    made, shop = decoder(EVERY), log((3,))
    shop.known_at[1] = shop.time.max() + DAY_US
    now = event_embeddings(made, shop, int(shop.time.max()))
    without = event_embeddings(made, shop.where(np.array([True, False, True])), int(shop.time.max()))
    pd.testing.assert_frame_equal(now, without)


def test_changing_the_past_changes_the_vector() -> None:
    made, shop = decoder(), log((3,))
    end = int(shop.time.max())
    before = event_embeddings(made, shop, end)
    shop.item[0] = (shop.item[0] + 1) % 30
    assert not np.allclose(before.iloc[:, 2:], event_embeddings(made, shop, end).iloc[:, 2:])


def test_a_vector_says_how_long_ago_the_last_event_was() -> None:
    shop = log((3,))
    end, alone, with_gap = int(shop.time.max()), decoder(), decoder(EVERY)
    assert alone.tokenizer.n_before == 0
    for made, changes in ((alone, False), (with_gap, True)):
        soon, late = (event_embeddings(made, shop, end + days * DAY_US).iloc[:, 2:] for days in (1, 90))
        assert np.array_equal(soon, late) != changes
    other = event_embeddings(with_gap, shop, end, kind="view")
    assert not event_embeddings(with_gap, shop, end).equals(other)


def test_columns_say_what_they_are() -> None:
    made, shop = decoder(), log()
    both = event_embeddings(made, shop, CUT)
    assert list(both.columns[:3]) == ["user", "as_of", "last_e0"]
    assert both.shape == (shop.n_users, 2 + 2 * 16)
    assert both["user"].tolist() == list(shop.users.ids)
    last, mean = (event_embeddings(made, shop, CUT, pooling=name) for name in ("last", "mean"))
    assert list(last.columns[2:]) == [f"e{n}" for n in range(16)]
    assert np.array_equal(last.iloc[:, 2:], both.iloc[:, 2:18])
    assert np.array_equal(mean.iloc[:, 2:], both.iloc[:, 18:])


def test_a_cut_off_for_each_user() -> None:
    made, shop = decoder(), log()
    cuts = np.linspace(0, 400 * DAY_US, shop.n_users).astype(np.int64)
    found = event_embeddings(made, shop, cuts)
    assert found["as_of"].tolist() == cuts.tolist()
    for row, cut in enumerate(cuts):
        alone = event_embeddings(made, shop, int(cut)).iloc[row, 2:]
        assert np.allclose(alone.astype(float), found.iloc[row, 2:].astype(float), atol=1e-5)


def test_a_stranger_has_the_state_of_a_start() -> None:
    made = decoder()
    found = event_embeddings(made, log((0, 0)), CUT, pooling="last")
    assert np.isfinite(found.iloc[:, 2:].to_numpy()).all()
    assert np.array_equal(found.iloc[0, 2:], found.iloc[1, 2:])


@pytest.mark.parametrize("window", [1, 3])
def test_only_the_window_is_read(window: int) -> None:
    made, shop = decoder(EVERY.model_copy(update={"window": window, "fields": ()})), log((9,))
    end = int(shop.time.max())
    before = event_embeddings(made, shop, end)
    shop.item[: 9 - window] = 0
    pd.testing.assert_frame_equal(event_embeddings(made, shop, end), before)
