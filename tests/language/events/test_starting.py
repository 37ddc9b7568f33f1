from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from language.events.small import dataset, ids, log, shape, tokenizer
from mercer.errors import ConflictError, NotFoundError, UsageError
from mercer.language.beams import DecoderSteps
from mercer.language.decoders import Decoder, ModelStore, import_model
from mercer.language.events import EventOptions, EventTokenizer, TaskOptions, starting
from mercer.language.events.decoder import EventDecoder
from mercer.language.events.tasks import mixed
from mercer.language.events.text import TextTokens
from mercer.language.events.trainee import EventTrainee
from mercer.testing.decoders import tiny_decoder
from mercer.testing.trainees import TraineeContract
from mercer.training import Trainee

OPTIONS = EventOptions(window=5, longest_text=12)
IDS = torch.tensor([[1, 401, 5, 410, 402]])


def base(family: str = "llama", *, tied: bool = True) -> Decoder:
    made = tiny_decoder(family)
    if not tied:
        made.model.set_output_embeddings(torch.nn.Linear(32, len(made.tokenizer), bias=False))
        made.model.config.tie_word_embeddings = False
    return made


def started(method: str, family: str = "llama", *, tied: bool = True) -> EventDecoder:
    below = base(family, tied=tied)
    made = EventTokenizer.build(dataset(), ids(), OPTIONS, text=TextTokens.pretrained(below))
    torch.manual_seed(1)
    return EventDecoder.new(made, shape(start="tiny", method=method, rank=4), seed=1, base=below)


def trainee(method: str, family: str = "llama") -> EventTrainee:
    made = started(method, family)
    lines = mixed(made.tokenizer, log(), TaskOptions(text_to_item=1.0, item_to_text=0.3), dataset=dataset())
    return EventTrainee(made, lines)


class TestLora(TraineeContract):
    def make(self) -> Trainee:
        return trainee("lora")


class TestFull(TraineeContract):
    def make(self) -> Trainee:
        return trainee("full", "gpt2")


@pytest.mark.parametrize("family", ["gpt2", "llama", "mistral"])
@pytest.mark.parametrize("method", ["lora", "full"])
def test_what_the_model_knew_of_texts_it_still_knows(family: str, method: str) -> None:
    text = torch.tensor([[5, 17, 30, 8]])
    below = base(family)
    before = below.model(input_ids=text).logits
    made = started(method, family)
    start, stop = made.tokenizer.ranges["text"]
    assert (start, stop) == (0, before.shape[-1])
    assert torch.allclose(made.logits(made.states(text), start, stop), before, atol=1e-5)


@pytest.mark.parametrize("tied", [True, False])
def test_with_lora_only_new_rows_and_small_matrices_learn(tied: bool) -> None:
    made = started("lora", tied=tied)
    learning = {name for name, weight in made.model.named_parameters() if weight.requires_grad}
    rows = {name for name in learning if "lora_" not in name}
    assert rows == ({"model.embed_tokens.new"} if tied else {"model.embed_tokens.new", "event_head.new"})
    weights = dict(made.model.named_parameters())
    assert all(len(weights[name]) == made.tokenizer.size - made.tokenizer.ranges["text"][1] for name in rows)


@pytest.mark.parametrize("tied", [True, False])
def test_the_head_sees_what_the_rows_learned(tied: bool) -> None:
    """One matrix: after a step on the new rows the model's own logits are those of the decoder."""
    made = started("lora", tied=tied)
    with torch.no_grad():
        for name, weight in made.model.named_parameters():
            if name.endswith(".new"):
                weight.add_(torch.randn(weight.shape, generator=torch.Generator().manual_seed(3)))
    start, stop = made.tokenizer.item_rows[0]
    own = made.model(input_ids=IDS).logits[..., start:stop]
    assert torch.allclose(made.logits(made.states(IDS), start, stop), own, atol=1e-5)
    with torch.no_grad():
        assert torch.allclose(made.logits(made.states(IDS), start, stop), own, atol=1e-5)


def test_moved_it_is_still_one_matrix() -> None:
    made = started("lora")
    made.model.to(torch.float64).to(torch.float32)
    rows = made.model.get_input_embeddings()
    assert rows.new.data_ptr() == rows.whole[rows.n_old :].data_ptr()
    assert made.model.get_output_embeddings().weight.data_ptr() == rows.whole.data_ptr()


def test_beams_read_it_as_any_other() -> None:
    made = started("lora")
    steps = DecoderSteps(made.model, made.tokenizer.item_rows)
    prompts = [made.tokenizer.rows(log())[row] for row in (0, 2)]
    _, first = steps.begin(prompts, width=2, steps=4)
    start, stop = made.tokenizer.item_rows[0]
    for row, prompt in enumerate(prompts):
        states = made.states(torch.from_numpy(prompt.astype(np.int64))[None])
        own = torch.log_softmax(made.logits(states[:, -1], start, stop), -1)
        assert np.allclose(first[row, 0], own[0].detach().numpy(), atol=1e-4)


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModelStore:
    """A store with one model, named tiny."""
    monkeypatch.setenv("MERCER_MODELS", str(tmp_path / "store"))
    tiny_decoder("llama", folder=tmp_path / "source")
    found = ModelStore(tmp_path / "store")
    import_model(tmp_path / "source", name="tiny", store=found)
    return found


@pytest.mark.parametrize("method", ["lora", "full"])
def test_it_comes_back_from_a_folder(method: str, store: ModelStore, tmp_path: Path) -> None:
    chosen = shape(start="tiny", method=method, rank=4)
    made = EventDecoder.build(dataset(), ids(), OPTIONS, chosen, seed=1)
    with torch.no_grad():
        for weight in made.model.parameters():
            if weight.requires_grad:
                weight.add_(0.1 * torch.randn(weight.shape, generator=torch.Generator().manual_seed(4)))
    made.save(tmp_path / "out")
    again = EventDecoder.load(tmp_path / "out", ids())
    assert torch.equal(again.states(IDS), made.states(IDS))
    start, stop = made.tokenizer.item_rows[1]
    assert torch.equal(
        again.logits(again.states(IDS), start, stop), made.logits(made.states(IDS), start, stop)
    )
    again.save(tmp_path / "again")
    assert torch.equal(EventDecoder.load(tmp_path / "again", ids()).states(IDS), made.states(IDS))
    size = sum(path.stat().st_size for path in (tmp_path / "out").rglob("*.safetensors"))
    if method == "lora":
        assert size < 0.7 * next(store.get("tiny").folder.glob("*.safetensors")).stat().st_size


def test_a_store_without_the_model_is_named(store: ModelStore) -> None:
    with pytest.raises(NotFoundError):
        starting.pretrained(shape(start="tinny"))
    assert starting.pretrained(shape()) is None


def test_a_fit_is_known_by_the_model_and_not_by_its_name(store: ModelStore, tmp_path: Path) -> None:
    """Another model under the name is another option, so no cached fit of the first stands for it."""
    before = shape(start="tiny")
    assert before.start_hash == store.get("tiny").card.hash
    tiny_decoder("llama", seed=2, folder=tmp_path / "another")
    import_model(tmp_path / "another", name="tiny", store=store)
    after = shape(start="tiny")
    assert after.start_hash == store.get("tiny").card.hash != before.start_hash
    found = starting.pretrained(before)
    assert found is not None
    assert found.base == before.start_hash
    assert shape(start="nowhere").start_hash == shape().start_hash == ""


def test_the_texts_must_be_those_of_the_model() -> None:
    with pytest.raises(ConflictError, match="texts"):
        EventDecoder.new(tokenizer(), shape(start="tiny"), seed=1, base=base())


def test_the_window_of_the_model_is_a_limit() -> None:
    below = base()
    wide = OPTIONS.model_copy(update={"window": 100})
    made = EventTokenizer.build(dataset(), ids(), wide, text=TextTokens.pretrained(below))
    with pytest.raises(UsageError, match="window"):
        EventDecoder.new(made, shape(start="tiny"), seed=1, base=below)
