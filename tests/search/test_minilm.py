"""`minilm`: meaning alone."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

from mercer.contracts import NO_ITEM, Budget
from mercer.environment import encoder_folder
from mercer.language import MiniLm
from mercer.language.exported import MODEL
from mercer.search import Minilm
from mercer.testing.rankers import RankerContract

from .small_catalogue import asked, catalogue

pytestmark = [
    pytest.mark.encoder,
    pytest.mark.skipif(
        not (encoder_folder() / MODEL).is_dir(), reason="the encoder is not exported; run: make setup"
    ),
]

TRAIN = catalogue()
ALL = np.arange(len(TRAIN.vocabulary), dtype=np.int32)


class TestContract(RankerContract):
    ranker = Minilm
    options: ClassVar[dict[str, bool]] = {"bundle_encoder": False}


@pytest.fixture(scope="module")
def fitted() -> Minilm:
    return Minilm().fit(TRAIN)


def test_a_score_is_a_cosine(fitted: Minilm) -> None:
    encoder = MiniLm()
    title = "USB-C hub. Adds four ports to laptops."
    wanted = float(encoder.encode([title])[0] @ encoder.encode(["usb"], "query")[0])
    got = fitted.score(asked(TRAIN, "usb"), ALL)[0]
    assert got[3] == got[4] == pytest.approx(wanted, abs=1e-6)


def test_meaning_finds_what_no_word_does(fitted: Minilm) -> None:
    assert fitted.rank(asked(TRAIN, "espresso"), 1).items[0, 0] == 6


@pytest.mark.parametrize("query", ["", "  ", "?!"])
def test_nothing_to_look_for_gives_an_empty_list(fitted: Minilm, query: str) -> None:
    assert (fitted.rank(asked(TRAIN, query), 3).items == NO_ITEM).all()


def test_an_item_that_was_not_encoded_is_not_found() -> None:
    ranker = Minilm().fit(TRAIN, budget=Budget(0.0))
    assert (ranker.rank(asked(TRAIN, "usb"), 3).items == NO_ITEM).all()


def test_the_saved_folder_needs_no_other_encoder(
    fitted: Minilm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fitted.save(tmp_path)
    monkeypatch.setenv("MERCER_ENCODERS", str(tmp_path / "nowhere"))
    request = asked(TRAIN, "laptop")
    assert np.array_equal(Minilm.load(tmp_path).score(request, ALL), fitted.score(request, ALL))
