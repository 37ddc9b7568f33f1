"""What is handed in by mistake is refused with what is wrong and what to do, or answered in a stated way."""

from __future__ import annotations

import json
import pickle
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mercer.contracts import NO_ITEM, Dataset, Floats32, Runtime
from mercer.errors import ConflictError, DamagedError, DataError, MercerError, NotFoundError, UsageError
from mercer.language import vectors
from mercer.language.decoders import import_model
from mercer.language.decoders.card import file_sha256
from mercer.language.events.storing import MANIFEST
from mercer.recommend.generative import Generative
from mercer.recommend.generative.catalogue import encoded_in_time
from mercer.recommend.generative.parts import DECODER, Parts, _digest
from mercer.testing.decoders import tiny_decoder
from mercer.testing.handmade import log, requests, scores
from recommend.generative.test_ranker import circle
from recommend.generative.tiny import TINY, N, ended_by_time, fitted, walks

WITH_TEXTS: dict[str, Any] = {
    "epochs": 1,
    "events": {"window": 4, "text_tokens": 300, "longest_text": 8},
    "tasks": {"text_to_item": 0.5, "item_to_text": 0.5},
}
HISTORIES: dict[str, Any] = {"epochs": 1, "events": {"window": 4}}
PICKLE = pickle.dumps({"weight": [1.0]})


def titled(titles: Sequence[object]) -> Dataset:
    """The circle with these titles."""
    made = walks()
    frame = pd.DataFrame({"item": made.vocabulary.ids, "title": pd.Series(titles, dtype=object)})
    return replace(made, items=frame)


def rows(made: Generative) -> int:
    """Lines that it was trained on."""
    assert made.training is not None
    return made.training.rows


class Letters:
    """An encoder that counts letters, remembers what it was asked, and says that a call took a second."""

    fingerprint = "letters-of-the-alphabet"
    dimension = 27

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.now = 0.0

    def encode(self, texts: Sequence[str], role: str = "passage") -> Floats32:
        self.asked += texts
        self.now += 1.0
        return np.array([[text.count(chr(97 + n)) for n in range(26)] + [1] for text in texts], np.float32)


@pytest.fixture
def letters(monkeypatch: pytest.MonkeyPatch) -> Letters:
    """The encoder that the options name is this one."""
    made = Letters()
    monkeypatch.setattr("mercer.recommend.generative.catalogue.encoder_of", lambda _: made)
    return made


# Titles and texts


def test_items_without_a_title_teach_no_words_and_are_answered() -> None:
    empty = ["", "  ", None, float("nan")]
    made = fitted(titled([*empty, *(f"good number {n}" for n in range(4, N))]), **WITH_TEXTS)
    assert rows(made) == rows(fitted(walks(), **HISTORIES)) + 2 * (N - len(empty))
    assert (np.sort(made.rank(circle(repeats=True), N).items, axis=1) == np.arange(N)).all()


def test_a_catalogue_without_titles_is_learned_from_histories_alone() -> None:
    """Whether the column is empty or absent."""
    wanted = rows(fitted(walks(), **HISTORIES))
    assert rows(fitted(titled([""] * N), **WITH_TEXTS)) == wanted
    assert rows(fitted(walks(), **WITH_TEXTS)) == wanted


def test_bytes_that_are_no_utf8_are_read_as_question_marks(letters: Letters, tmp_path: Path) -> None:
    """As Python has them where a file's bytes are no text: lone surrogates."""
    titles = [f"caf\udce9 {chr(97 + n)} \ud83d" for n in range(N)]
    runtime = Runtime(threads=1, cache_folder=tmp_path / "cache")
    options = Generative.Options(**{**TINY, **WITH_TEXTS, "encoder": "minilm"})
    made = Generative(options).fit(titled(titles), seed=1, runtime=runtime)
    marked = [title.encode("utf-8", "replace").decode() for title in titles]
    plain = Generative(options).fit(titled(marked), seed=1, runtime=runtime)
    assert letters.asked
    assert np.array_equal(scores(made, circle()), scores(plain, circle()))
    (tmp_path / "saved").mkdir()
    made.save(tmp_path / "saved")
    assert np.array_equal(scores(Generative.load(tmp_path / "saved"), circle()), scores(made, circle()))


# Histories and rules


@pytest.mark.parametrize("length", [9, 300])
def test_a_history_longer_than_the_window_is_its_newest_events(length: int) -> None:
    made = fitted(epochs=2, events={"window": 8})
    long = [(place * 7 % N, place) for place in range(length)]
    newest = [(item, place) for place, (item, _) in enumerate(long[-8:])]
    whole, cut = scores(made, requests(log(long, newest, n_items=N, clock=False)))
    np.testing.assert_allclose(whole, cut, rtol=1e-5, atol=1e-5)


def test_a_window_that_the_pretrained_model_can_not_read_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MERCER_MODELS", str(tmp_path / "models"))
    tiny_decoder("llama", folder=tmp_path / "tiny")
    import_model(tmp_path / "tiny", name="tiny")
    with pytest.raises(UsageError, match="model reads 256") as refused:
        fitted(shape={"start": "tiny"}, events={"window": 200, "longest_text": 8}, epochs=1)
    assert "window" in refused.value.remedy


@pytest.mark.parametrize("pinned", [False, True])
def test_an_empty_allow_set_gets_an_empty_list(pinned: bool) -> None:
    """Also where one of several requests has it, and where something is pinned."""
    from mercer.contracts import Ragged

    made = fitted(epochs=1)
    allow = Ragged.from_rows([[], *[[3, 4]] * (N - 1)])
    rules = {"pin": Ragged.from_rows([[3]] * N)} if pinned else {}
    answer = made.rank(circle(allow=allow, **rules), 3).items
    assert (answer[0] == NO_ITEM).all()
    assert all(set(row.tolist()) == {3, 4, NO_ITEM} for row in answer[1:])


def test_a_catalogue_of_one_item_is_answered_with_it_or_not_at_all() -> None:
    made = fitted(walks(n_items=N), epochs=1)
    assert made.parts_ is not None
    history = log(*[[(0, 0), (0, 1)]] * 4, n_items=1, clock=False)
    from mercer.testing.handmade import dataset

    only = fitted(dataset(history), **{**WITH_TEXTS, "epochs": 2})
    assert only.rank(requests(log([], n_items=1)), 3).items.tolist() == [[0, NO_ITEM, NO_ITEM]]
    held = requests(log([(0, 0)], n_items=1), repeats=False)
    assert only.rank(held, 1).items.tolist() == [[NO_ITEM]]


# Checkpoints and weights


def test_a_checkpoint_over_another_vocabulary_is_refused_with_what_differs(tmp_path: Path) -> None:
    runtime = Runtime(threads=1, checkpoint_folder=tmp_path / "kept")
    options = Generative.Options(**{**TINY, "epochs": 1})
    Generative(options).fit(walks(), seed=1, runtime=runtime)
    with pytest.raises(ConflictError, match=r"facts\.catalogue") as refused:
        Generative(options).fit(walks(n_items=N + 1), seed=1, runtime=runtime)
    assert "remove this one" in refused.value.remedy


def test_requests_over_another_catalogue_are_refused() -> None:
    with pytest.raises(DataError, match="another catalogue") as refused:
        fitted(epochs=1).rank(requests(log([(0, 0)], n_items=N + 1, clock=False)), 3)
    assert refused.value.remedy


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("saved")
    fitted(epochs=1).save(folder)
    return folder


def forged(folder: Path) -> tuple[Path, Any]:
    """Put the hashes of a decoder's folder right after its files were changed."""
    place = folder / DECODER / MANIFEST
    told = json.loads(place.read_text("utf-8"))
    told["files"] = {name: file_sha256(folder / DECODER / name) for name in told["files"]}
    place.write_text(json.dumps(told), "utf-8")
    return folder, _digest(folder)


@pytest.mark.parametrize("content", [PICKLE, b"", b"\x08" + b"\0" * 7 + b"{}      "])
def test_weights_that_are_no_safetensors_are_refused_even_where_the_hashes_are_right(
    saved: Path, tmp_path: Path, content: bytes
) -> None:
    copy = Path(shutil.copytree(saved, tmp_path / "copy"))
    options = Generative.load(copy).options
    (copy / DECODER / "model.safetensors").write_bytes(content)
    with pytest.raises(DamagedError, match="belong to this fit"):
        Generative.load(copy)
    folder, digest = forged(copy)
    with pytest.raises(DamagedError) as refused:
        Parts.load(folder, options, catalogue=walks().vocabulary.fingerprint, digest=digest)
    assert refused.value.remedy


@pytest.mark.parametrize("content", [PICKLE, b"", b"no weights"])
def test_a_pretrained_folder_whose_weights_are_no_safetensors_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes
) -> None:
    monkeypatch.setenv("MERCER_MODELS", str(tmp_path / "models"))
    tiny_decoder("mistral", folder=tmp_path / "tiny")
    (tmp_path / "tiny" / "model.safetensors").write_bytes(content)
    with pytest.raises(MercerError) as refused:
        import_model(tmp_path / "tiny", name="tiny")
    assert refused.value.exit_code == 2
    assert refused.value.remedy


@pytest.fixture
def with_adapter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A saved ranker whose decoder is what was learned beside a model of the store."""
    monkeypatch.setenv("MERCER_MODELS", str(tmp_path / "models"))
    tiny_decoder("llama", folder=tmp_path / "tiny")
    import_model(tmp_path / "tiny", name="tiny")
    (tmp_path / "saved").mkdir()
    shape = {"start": "tiny", "rank": 2}
    fitted(titled(["good"] * N), shape=shape, events={"window": 4, "longest_text": 8}, epochs=1).save(
        tmp_path / "saved"
    )
    return tmp_path / "saved"


@pytest.mark.parametrize("name", ["rows.safetensors", "adapter/adapter_model.safetensors"])
def test_learned_rows_that_are_no_safetensors_are_refused(with_adapter: Path, name: str) -> None:
    options = Generative.load(with_adapter).options
    (with_adapter / DECODER / name).write_bytes(PICKLE)
    folder, digest = forged(with_adapter)
    with pytest.raises(DamagedError) as refused:
        Parts.load(folder, options, catalogue=walks().vocabulary.fingerprint, digest=digest)
    assert refused.value.remedy


def test_a_store_that_lacks_the_model_below_is_told_with_what_to_do(
    with_adapter: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("MERCER_MODELS", str(tmp_path / "none"))
    with pytest.raises(NotFoundError, match="stands beside the pretrained model") as refused:
        Generative.load(with_adapter)
    assert "MERCER_MODELS" in refused.value.remedy


# Time


def test_texts_that_there_was_no_time_for_are_told_and_the_next_fit_encodes_the_rest(
    letters: Letters, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vectors, "CHUNK", 4)
    monkeypatch.setattr(vectors.time, "monotonic", lambda: letters.now)
    runtime, options = Runtime(threads=1, cache_folder=tmp_path), Generative.Options(encoder="minilm")
    items = titled([f"good {chr(97 + n)}" for n in range(N)]).items
    some, said = encoded_in_time(items, options, runtime, 0.5)
    assert said == ("8 texts were not encoded in time.",)
    assert int((some != 0).any(axis=(1, 2)).sum()) == 4
    every, said = encoded_in_time(items, options, runtime, 60)
    assert said == ()
    assert (every != 0).any(axis=(1, 2)).all()
    assert sorted(letters.asked) == sorted(items["title"])


def test_a_budget_that_ends_in_the_middle_is_kept_and_gone_on_with(tmp_path: Path) -> None:
    options, runtime, short = ended_by_time(tmp_path / "kept", epochs=3)
    assert short.training is not None
    (tmp_path / "saved").mkdir()
    short.save(tmp_path / "saved")
    assert np.array_equal(scores(Generative.load(tmp_path / "saved"), circle()), scores(short, circle()))
    whole = Generative(options).fit(walks(), seed=1, runtime=runtime)
    assert whole.training is not None
    assert whole.training.resumed_from == (len(short.training.losses),)
    assert whole.training.losses[: len(short.training.losses)] == short.training.losses
