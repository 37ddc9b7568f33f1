"""Packed rows give what their examples give alone."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from language.finetuning.small import CHATS, EXAMPLES, FAMILIES, PREFERENCES, alone, kept, network, options
from mercer.language.finetuning.packing import attention_mask, batch_of, packed, tokens_of
from mercer.testing.decoders import Family

CPU = torch.device("cpu")


@given(st.lists(st.integers(1, 60), min_size=1, max_size=40), st.integers(1, 50))
def test_every_example_is_in_one_row_and_rows_keep_their_length(lengths: list[int], row_tokens: int) -> None:
    rows = packed(lengths, row_tokens)
    assert sorted(number for row in rows for number in row) == list(range(len(lengths)))
    for row in rows:
        assert len(row) == 1 or sum(lengths[number] for number in row) <= row_tokens
    assert packed(lengths, row_tokens) == rows


@given(st.lists(st.integers(1, 50), min_size=1, max_size=40))
def test_no_two_rows_would_fit_into_one(lengths: list[int]) -> None:
    full = sorted(sum(lengths[number] for number in row) for row in packed(lengths, 50))
    assert len(full) == 1 or full[0] + full[1] > 50


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("chat", [False, True])
def test_a_packed_row_gives_what_its_examples_give_alone(family: Family, chat: bool) -> None:
    some, decoder = network(family, options())
    lessons = kept(decoder, CHATS if chat else EXAMPLES)
    rows = [[lessons[at] for at in row] for row in packed([tokens_of(one) for one in lessons], 120)]
    assert max(map(len, rows)) > 2
    batch = batch_of(rows, CPU)
    with torch.no_grad():
        found = some.eval()(batch)
    expected = torch.cat([alone(some, lesson) for row in rows for lesson in row])
    assert torch.allclose(found, expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize("family", FAMILIES)
def test_log_probabilities_are_those_of_the_whole_model(family: Family) -> None:
    some, decoder = network(family, options())
    for lesson in kept(decoder, EXAMPLES):
        [piece] = lesson
        with torch.no_grad():
            whole = decoder.model(torch.tensor([piece.ids])).logits[0].log_softmax(-1)
        places = range(len(piece.ids) - piece.n_answer, len(piece.ids))
        expected = torch.stack([whole[at - 1, piece.ids[at]] for at in places])
        assert torch.allclose(alone(some, lesson), expected, atol=1e-5, rtol=0)


def test_the_sliding_window_matters_here() -> None:
    """Examples are longer than the tiny Mistral's window, or the test above would show nothing of it."""
    some, decoder = network("mistral", options())
    longest = max(kept(decoder, EXAMPLES), key=tokens_of)
    assert tokens_of(longest) > decoder.model.config.sliding_window
    assert some._window == decoder.model.config.sliding_window


def test_pieces_add_up_their_own_tokens() -> None:
    some, decoder = network("llama", options())
    lessons = kept(decoder, PREFERENCES[:3])
    batch = batch_of([lessons[:2], lessons[2:]], CPU)
    with torch.no_grad():
        found = some.eval().pieces(batch)
    expected = [alone(some, (piece,)).sum() for lesson in lessons for piece in lesson]
    assert torch.allclose(found, torch.stack(expected), atol=1e-4)


def test_the_mask_by_hand() -> None:
    blocks = torch.tensor([[0, 0, 0, 1, -1]])
    seen = attention_mask(blocks, 2)[0, 0].int().tolist()
    assert seen == [
        [1, 0, 0, 0, 0],
        [1, 1, 0, 0, 0],
        [0, 1, 1, 0, 0],
        [0, 0, 0, 1, 0],
        [0, 0, 0, 0, 1],
    ]
