from __future__ import annotations

import numpy as np
import pytest

from language.events.small import ITEMS_ALONE, dataset, decoder, frame, log, tokenizer
from mercer.errors import DamagedError, UnsupportedError
from mercer.language.events import EventOptions, TaskOptions
from mercer.language.events.tasks import mixed
from mercer.language.events.text import TextTokens
from mercer.language.events.texts import asked, item_to_text, text_to_item
from mercer.language.events.trainee import EventTrainee
from mercer.testing.trainees import TraineeContract
from mercer.training import Trainee

TEXTS = EventOptions(window=5, text_tokens=320, longest_text=12)
HARD = ("", " ", "\0", "a\ud800b", "🎧 日本", "<end>", "<|endoftext|>", "x" * 500)


def test_texts_come_back_from_their_tokens() -> None:
    made = TextTokens.learned(frame()["title"].tolist(), 320)
    assert made.size <= 320
    assert made.end == made.size - 1
    for text in HARD:
        numbers = made.encode(text, 1000)
        assert all(0 <= n < made.end for n in numbers), "no text is the end of a text"
        assert made.decode([*numbers, made.end, 5]) == text.encode("utf-8", "replace").decode()
    assert made.encode("x" * 500, 7) == made.encode("x" * 500, 1000)[:7]


def test_learning_repeats_itself_and_is_bound_by_its_hash() -> None:
    titles = frame()["title"].tolist()
    one, same = TextTokens.learned(titles, 320), TextTokens.learned(titles, 320)
    assert one.hash == same.hash == TextTokens.from_json(one.to_json()).hash
    assert one.hash != TextTokens.learned(["another shop " * 3], 320).hash
    with pytest.raises(DamagedError):
        TextTokens.from_json('{"size": 3}')


def test_an_item_is_foretold_after_its_title() -> None:
    made = tokenizer(TEXTS)
    lines = text_to_item(made, ["a red mug", "  "], np.array([4, 5]))
    assert len(lines) == 1, "an empty title teaches nothing"
    assert lines.token[0] == made.special("start")
    assert lines.token[1] == made.special("text")
    assert lines.token[-5] == made.special("item")
    assert lines.token[lines.weight > 0].tolist() == made.paths[4].tolist()
    assert lines.slot[lines.weight > 0].tolist() == [0, 1, 2, 3]


def test_a_title_is_foretold_after_its_item_to_the_end() -> None:
    made = tokenizer(TEXTS)
    lines = item_to_text(made, ["a red mug", ""], np.array([4, 5]), weight=0.5)
    assert len(lines) == 1
    start, stop = made.ranges["text"]
    foretold = lines.token[lines.weight > 0]
    assert ((foretold >= start) & (foretold < stop)).all()
    assert made.text is not None
    assert made.text.decode((foretold - start).tolist()) == "a red mug"
    assert foretold[-1] - start == made.text.end
    assert lines.token[2:6].tolist() == made.paths[4].tolist()


def test_a_query_follows_a_history() -> None:
    made, shop = tokenizer(TEXTS), log((2, 0))
    rows = asked(made, ["red", "blue"], history=shop)
    assert rows[0][:9].tolist() == made.rows(shop)[0].tolist()
    assert rows[0][9] == rows[1][1] == made.special("query")
    assert rows[0][-1] == rows[1][-1] == made.special("item")


def test_rows_with_texts_fit_the_model() -> None:
    made, shop = tokenizer(TEXTS), log((30,))
    long = "a very long text " * 50
    lines = [
        text_to_item(made, [long], np.array([0]), opening="query", history=shop),
        item_to_text(made, [long], np.array([0])),
    ]
    for one in lines:
        assert one.lengths.max() <= made.longest
    assert lines[0].lengths.max() > made.longest - made.n_event - 2


def test_without_texts_they_are_refused() -> None:
    with pytest.raises(UnsupportedError, match="text_tokens"):
        text_to_item(tokenizer(ITEMS_ALONE), ["red"], np.array([0]))
    with pytest.raises(UnsupportedError):
        mixed(tokenizer(), log(), TaskOptions(text_to_item=1.0), dataset=dataset())


def test_tasks_are_mixed_by_their_weights() -> None:
    made, shop = tokenizer(TEXTS), log()
    lines = mixed(made, shop, TaskOptions(next_event=2.0, text_to_item=0.5), dataset=dataset())
    weights, count = np.unique(lines.weight[lines.weight > 0], return_counts=True)
    assert weights.tolist() == [0.5, 2.0]
    assert count.tolist() == [30 * 4, shop.n_events * 4]
    only = mixed(made, shop, TaskOptions(next_event=0.0, item_to_text=1.0), dataset=dataset())
    assert len(only) == 30


class TestEveryTask(TraineeContract):
    def make(self) -> Trainee:
        made = decoder(TEXTS)
        lines = mixed(
            made.tokenizer, log(), TaskOptions(text_to_item=1.0, item_to_text=0.3), dataset=dataset()
        )
        return EventTrainee(made, lines, validation=lines.take(np.array([0, 30])))
