"""Few-shot examples: drawn or nearest, never the request's own."""

from __future__ import annotations

import json

import pytest

from mercer.environment import encoder_folder
from mercer.language.exported import MODEL
from mercer.language.prompts import Examples

PAIRS = [(text, {"query": text, "title": text.title()}) for text in
         ("blue mug", "warm scarf", "desk lamp", "ruled notebook", "steel bottle", "cup for coffee")]  # fmt: skip
with_encoder = pytest.mark.skipif(
    not (encoder_folder() / MODEL).is_dir(), reason="the encoder is not exported; run: make setup"
)


def test_drawn_ones_are_the_same_for_every_request_and_another_seed_draws_others() -> None:
    drawn = Examples.of(PAIRS, n=2, by="random", seed=1)
    assert len(drawn.chosen("a")) == 2
    assert drawn.chosen("a") == drawn.chosen("b")
    assert (
        len({json.dumps(Examples.of(PAIRS, n=2, by="random", seed=seed).chosen("a")) for seed in range(9)})
        > 1
    )


def test_a_request_is_never_its_own_example() -> None:
    drawn = Examples.of(PAIRS, n=6, by="random", seed=1)
    for text, _ in PAIRS:
        assert text not in [one["query"] for one in drawn.chosen(text.upper())]
        assert len(drawn.chosen(text)) == 5


def test_none_are_wanted_or_there_are_none() -> None:
    assert Examples.of(PAIRS, n=0, by="random", seed=1).chosen("a") == ()
    assert Examples.of([], n=3, by="nearest", seed=1).chosen("a") == ()


@pytest.mark.encoder
@with_encoder
def test_the_nearest_come_last_and_are_found_again_after_saving() -> None:
    near = Examples.of(PAIRS, n=2, by="nearest", seed=1)
    found = [one["query"] for one in near.chosen("mug for tea")]
    assert found[-1] in ("blue mug", "cup for coffee")
    assert set(found) == {"blue mug", "cup for coffee"}
    again = Examples.from_json(json.loads(json.dumps(near.to_json())))
    assert again.chosen("mug for tea") == near.chosen("mug for tea")
    with pytest.raises(ValueError, match="another encoder"):
        Examples.from_json({**near.to_json(), "encoder": "0" * 64})


def test_drawn_ones_are_found_again_after_saving() -> None:
    drawn = Examples.of(PAIRS, n=2, by="random", seed=1)
    assert Examples.from_json(json.loads(json.dumps(drawn.to_json()))).chosen("x") == drawn.chosen("x")
