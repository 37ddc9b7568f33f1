"""Item vectors: near in text, near in baskets; what a text foretells stands in for events; nothing of the future."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from language.semantic_ids.small import Words, catalogue, events
from mercer.contracts import Budget, Floats32, Interactions, Runtime
from mercer.errors import DataError, SpentError
from mercer.language.semantic_ids import ItemVectors, VectorOptions, VectorSpace
from mercer.language.semantic_ids.vectors import encode_items


def built(
    cache: Path, *, log: Interactions | None = None, names: list[str] | None = None, **changes: object
) -> ItemVectors:
    frame, _ = catalogue(names)
    options = VectorOptions(text_width=8, collaborative_width=4, **changes)
    return ItemVectors.build(frame, log, Words(), options, runtime=Runtime(cache_folder=cache))


def same_kind(rows: Floats32) -> bool:
    """Whether each item's nearest other is of its kind: kinds come in turn."""
    apart = ((rows[:, None] - rows[None]) ** 2).sum(axis=2) + 1e9 * np.eye(len(rows))
    return bool((apart.argmin(axis=1) % 4 == np.arange(len(rows)) % 4).all())


def test_the_parts_have_the_declared_form(tmp_path: Path) -> None:
    found = built(tmp_path, log=events())
    assert found.text.shape == (24, 8)
    assert found.collaborative.shape == (24, 4)
    assert found.joined.shape == (24, 12)
    assert found.joined.dtype == np.float32
    assert np.allclose((found.joined**2).sum(axis=1), 1, atol=1e-5)
    assert np.array_equal(found.events, np.bincount(events().item, minlength=24))


def test_what_is_bought_together_is_near(tmp_path: Path) -> None:
    found = built(tmp_path, log=events(), shrinkage=0)
    heard = found.events > 0
    assert heard.all()
    assert same_kind(found.collaborative)


def test_the_weight_is_the_share_of_the_squared_distance(tmp_path: Path) -> None:
    found = built(tmp_path, log=events(), collaborative=0.3)
    apart = ((found.joined[0] - found.joined[1]) ** 2).sum()
    parts = [((one[0] - one[1]) ** 2).sum() for one in (found.text, found.collaborative)]
    assert apart == pytest.approx(0.7 * parts[0] + 0.3 * parts[1], rel=1e-4)


def test_without_a_log_or_without_weight_the_text_is_alone(tmp_path: Path) -> None:
    for found in (built(tmp_path), built(tmp_path, log=events(), collaborative=0.0)):
        assert np.array_equal(found.joined, found.text)
    assert built(tmp_path, log=events().where(np.zeros(60, bool))).joined.shape == (24, 8)


def test_an_item_without_events_has_what_its_text_foretells(tmp_path: Path) -> None:
    log = events()
    log = log.where(log.item != 5)
    found = built(tmp_path, log=log)
    assert found.events[5] == 0
    encoded = encode_items(
        catalogue()[0][5:6], Words(), VectorOptions(), runtime=Runtime(cache_folder=tmp_path)
    )
    assert np.allclose(found.joined[5], found.space.of_new(encoded)[0], atol=1e-5)
    apart = ((found.collaborative - found.collaborative[5]) ** 2).sum(axis=1)
    mine = np.arange(24) % 4 == 1
    assert apart[mine].mean() < apart[~mine].mean()


def test_an_item_without_a_title_lies_at_the_middle_of_the_text(tmp_path: Path) -> None:
    names = catalogue()[0]["title"].tolist()
    names[3] = ""
    found = built(tmp_path, log=events(), names=names)
    assert not found.text[3].any()
    assert found.collaborative[3].any()
    assert np.isfinite(found.joined).all()


def test_no_titles_at_all_and_one_item_are_vectors_too(tmp_path: Path) -> None:
    assert built(tmp_path, names=["", "", ""]).joined.shape == (3, 8)
    assert np.isfinite(built(tmp_path, names=["one mug"], log=events(1, n_users=1)).joined).all()


def test_invalid_unicode_in_a_title_is_read(tmp_path: Path) -> None:
    assert np.isfinite(built(tmp_path, names=["blue \ud800 mug", "desk lamp"]).joined).all()


def test_a_text_vector_that_is_no_number_names_the_item() -> None:
    rows = Words().encode(["a", "b"])[:, None]
    rows[1, 0, 0] = np.inf
    with pytest.raises(DataError, match="item 1 "):
        ItemVectors.of_encoded(rows, None, VectorOptions(), encoder="words")


def test_a_budget_that_ends_keeps_what_was_encoded(tmp_path: Path) -> None:
    frame, _ = catalogue([f"mug {number}" for number in range(300)])
    with pytest.raises(SpentError, match="again"):
        ItemVectors.build(
            frame, None, Words(), runtime=Runtime(cache_folder=tmp_path), budget=Budget(seconds=-1)
        )


def test_the_space_from_its_arrays_is_itself(tmp_path: Path) -> None:
    space = built(tmp_path, log=events()).space
    again = VectorSpace.of(space.arrays(), "words")
    assert again.fingerprint == space.fingerprint
    assert again.fingerprint != VectorSpace.of(space.arrays(), "other").fingerprint


def test_every_field_has_its_weight_and_may_be_missing(tmp_path: Path) -> None:
    frame = pd.DataFrame({"title": ["mug ", None], "brand": ["", "Kru"]})
    options = VectorOptions(fields={"brand": 0.5, "title": 1.0, "category": 2.0})
    found = encode_items(frame, Words(), options, runtime=Runtime(cache_folder=tmp_path))
    assert found.shape == (2, 3, 16), "title, category, brand"
    assert np.allclose(found[0, 0], Words().encode(["mug"])[0])
    assert np.allclose(found[1, 2], 0.5 * Words().encode(["Kru"])[0])
    assert not found[1, 0].any()
    assert not found[:, 1].any()
    assert not found[0, 2].any()


def test_a_field_that_is_missing_pulls_nowhere() -> None:
    rows = np.stack([Words().encode(["mug", "lamp", "boots"]), Words().encode(["a", "b", "c"])], axis=1)
    rows[2, 1] = 0
    space = ItemVectors.of_encoded(rows, None, VectorOptions(text_width=32), encoder="words").space
    centred = np.concatenate([rows[2, 0] - rows[:, 0].mean(axis=0), np.zeros(16)])
    assert np.allclose(space.mean[1], rows[:2, 1].mean(axis=0), atol=1e-6)
    assert np.allclose(space.text(rows)[2], centred @ space.turn / np.linalg.norm(centred), atol=1e-5)


def test_the_same_log_gives_the_same_bytes(tmp_path: Path) -> None:
    one, other = (built(tmp_path, log=events()).joined for _ in range(2))
    assert one.tobytes() == other.tobytes()
