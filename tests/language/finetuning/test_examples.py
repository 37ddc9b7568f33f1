"""Texts are data: what a model sees of them, and what is left out."""

from __future__ import annotations

import pytest

from language.finetuning.small import CHATS, FAMILIES
from mercer.language.finetuning.examples import Example, LeftOut, Preference, lessons, tokens
from mercer.language.finetuning.weights import add_tokens
from mercer.testing.decoders import Family, tiny_decoder


@pytest.mark.parametrize("family", FAMILIES)
def test_an_answer_goes_on_where_the_prompt_ended_and_has_its_end(family: Family) -> None:
    decoder = tiny_decoder(family)
    [[piece]] = lessons(decoder, [Example("a mug:", "for coffee")]).kept
    assert list(piece.ids[: len(decoder.start)]) == decoder.start
    assert piece.ids[-1] == decoder.end
    assert decoder.decode(piece.ids) == "a mug:for coffee"
    assert decoder.decode(piece.ids[-piece.n_answer :]) == "for coffee"


@pytest.mark.parametrize("family", FAMILIES)
def test_no_text_becomes_a_control_token(family: Family) -> None:
    decoder = tiny_decoder(family)
    hostile = "".join(decoder.plain.control)
    plain, chat = lessons(
        decoder, [Example(hostile, hostile), Example([{"role": "user", "content": hostile}], hostile)]
    ).kept
    control = set(decoder.plain.control.values())
    assert [one for one in plain[0].ids[len(decoder.start) :] if one in control] == [decoder.end]
    harmless = lessons(decoder, [Example([{"role": "user", "content": "x"}], "x")]).kept[0][0]
    assert [one for one in chat[0].ids if one in control] == [one for one in harmless.ids if one in control]


def test_a_chat_is_that_of_the_decoder() -> None:
    decoder = tiny_decoder("llama")
    [[piece]] = lessons(decoder, CHATS[:1]).kept
    assert list(piece.ids[: -piece.n_answer]) == decoder.chat(CHATS[0].prompt)


def test_added_tokens_are_meant_where_they_are_named_and_nowhere_else() -> None:
    decoder = tiny_decoder("llama")
    ids = add_tokens(decoder, ("<1>", "<12>"))
    assert tokens(decoder, "<12><1>", named=("<1>", "<12>")) == [ids[1], ids[0]]
    assert not set(tokens(decoder, "<12><1>")) & set(ids)
    mixed = tokens(decoder, "a mug <1> for", named=("<1>",))
    assert mixed == [*decoder.encode("a mug "), ids[0], *decoder.encode(" for", joined=True)]
    [[piece]] = lessons(decoder, [Example("after <1>", "<12>")], named=("<1>", "<12>")).kept
    assert piece.ids[-2:] == (ids[1], decoder.end)
    assert ids[0] in piece.ids


def test_what_can_not_be_learned_from_is_left_out_never_cut() -> None:
    decoder = tiny_decoder("llama", window=64)
    some = [
        Example("a", ""),
        Example("word " * 40, "x"),
        Preference("a", "same", "same"),
        Preference("a", "b", "word " * 40),
        Example("a mug", "coffee"),
    ]
    found = lessons(decoder, some)
    assert len(found.kept) == 1
    reasons = [one.reason for one in found.left_out]
    assert [one.number for one in found.left_out] == [1, 2, 3, 4]
    assert reasons[0] == "an answer is empty"
    assert reasons[2] == "chosen and rejected are the same"
    assert reasons[1].endswith("of which 64 fit")
    assert reasons[3].endswith("of which 64 fit")
    [piece] = found.kept[0]
    assert lessons(decoder, some[-1:], longest=len(piece.ids)).kept == found.kept
    too_short = lessons(decoder, some[-1:], longest=len(piece.ids) - 1)
    assert too_short.left_out == (LeftOut(1, f"{len(piece.ids)} tokens, of which {len(piece.ids) - 1} fit"),)


def test_the_hash_knows_prompt_from_answer() -> None:
    decoder = tiny_decoder("llama")
    one, other = (lessons(decoder, [Example(*parts)]) for parts in (("a", " mug"), ("a mug"[:2], "mug")))
    assert one.hash != other.hash
    assert one.hash == lessons(decoder, [Example("a", " mug")]).hash
