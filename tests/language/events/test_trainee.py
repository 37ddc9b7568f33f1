from __future__ import annotations

import numpy as np
import pytest
import torch

from language.events.small import EVERY, ITEMS_ALONE, decoder, log
from mercer.contracts import Runtime
from mercer.errors import DataError
from mercer.language.events import Lines, TaskOptions
from mercer.language.events.tasks import next_event
from mercer.language.events.trainee import EventTrainee
from mercer.training import TrainingOptions, train


@pytest.mark.parametrize("family", ["gpt2", "llama", "mistral"])
@pytest.mark.parametrize("options", [ITEMS_ALONE, EVERY], ids=["items", "every field"])
def test_the_loss_is_that_of_a_plain_forward_over_each_field(family: str, options: object) -> None:
    """Row by row, token by token, through the model's own head: what batches and slots must not change."""
    made = decoder(options, family=family)
    lines = next_event(made.tokenizer, log(), TaskOptions(other_fields=0.5))
    loss, weight = EventTrainee(made, lines).loss(np.arange(len(lines)), torch.Generator())
    expected, weights = 0.0, 0.0
    for row in range(len(lines)):
        part = slice(lines.indptr[row], lines.indptr[row + 1])
        ids = torch.from_numpy(lines.token[part].astype(np.int64))[None]
        logits = made.model(input_ids=ids).logits[0]
        for at in range(1, ids.shape[1]):
            slot = made.tokenizer.slots[lines.slot[part][at]]
            logs = torch.log_softmax(logits[at - 1, slot.start : slot.stop], 0)
            expected -= float(lines.weight[part][at]) * float(logs[ids[0, at] - slot.start])
            weights += float(lines.weight[part][at])
    assert float(loss) == pytest.approx(expected, rel=1e-5)
    assert weight == pytest.approx(weights)


def test_training_learns_an_order() -> None:
    """Users who walk the catalogue in its order: the next item is certain, and becomes likely."""
    shop = log((12,) * 20)
    shop.item[:] = (np.arange(12) + 2 * np.arange(20)[:, None]).ravel() % 30
    made = decoder(width=32)
    lines = next_event(made.tokenizer, shop, TaskOptions())
    held_out = lines.take(np.arange(4))
    trainee = EventTrainee(made, lines.take(np.arange(4, len(lines))), validation=held_out)
    before = trainee.validate()
    chosen = TrainingOptions(epochs=30, batch_tokens=400, learning_rate=1e-2, estimate_steps=0, patience=0)
    record = train(trainee, chosen, seed=1, facts={}, runtime=Runtime(threads=1))
    assert before is not None
    assert record.validations[-1].value > before / 3 > before


def test_dropout_sleeps_in_evaluation() -> None:
    made, plain = decoder(dropout=0.5), decoder()
    ids = torch.arange(8)[None]
    assert torch.equal(made.states(ids), plain.states(ids))
    made.model.train()
    torch.manual_seed(1)
    first = made.states(ids)
    assert not torch.equal(first, plain.states(ids))
    torch.manual_seed(1)
    assert torch.equal(made.states(ids), first)


@pytest.mark.parametrize("family", ["gpt2", "llama", "mistral"])
def test_dropout_reaches_what_enters_and_both_parts_of_every_layer(family: str) -> None:
    made = decoder(family=family, dropout=0.3)
    hooked = [name for name, part in made.model.named_modules() if part._forward_hooks]
    assert len(hooked) == 1 + 2 * 2


def test_smoothing_is_part_of_the_loss_and_not_of_the_metric() -> None:
    made = decoder()
    lines = next_event(made.tokenizer, log(), TaskOptions())
    sharp, smooth = (EventTrainee(made, lines, label_smoothing=one, validation=lines) for one in (0.0, 0.1))
    rows = np.arange(len(lines))
    assert float(sharp.loss(rows, torch.Generator())[0]) != float(smooth.loss(rows, torch.Generator())[0])
    assert sharp.validate() == smooth.validate()


def test_nothing_to_learn_is_refused() -> None:
    with pytest.raises(DataError, match="foretells"):
        EventTrainee(decoder(), Lines.joined([]))
