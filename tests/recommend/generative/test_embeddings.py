"""What the ranker's decoder makes of histories: a table of features as of a cut-off, for any model."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import mercer
from mercer.behavior import LightGbm
from mercer.contracts import Budget, Interactions, Labelled, Runtime, Snapshots
from mercer.errors import DataError, UnsupportedError
from mercer.features import FEATURES
from mercer.language.events.embeddings import event_embeddings
from mercer.recommend.generative import Generative
from mercer.testing.handmade import VIEW, dataset, log
from recommend.generative.test_run import brief
from recommend.generative.tiny import N, fitted, walks

PAGE = Path(__file__).resolve().parents[3] / "docs" / "how-to" / "event-embeddings.md"
WIDTH = 16


@pytest.fixture(scope="module")
def made() -> Generative:
    return fitted(epochs=2)


def mixed() -> Interactions:
    """Four people who look at things, too, of whom the last has done nothing."""
    rows = [[(i, 0), (i + 1, 1, VIEW), (i + 5, 2), (i + 6, 3)] for i in range(3)]
    return log(*rows, [], n_items=N, clock=False)


def test_the_events_that_the_ranker_hears_are_read(made: Generative) -> None:
    shop = mixed()
    table = made.embeddings(shop, 2)
    assert list(table.columns) == [
        "user",
        "as_of",
        *(f"{p}_e{n}" for p in ("last", "mean") for n in range(WIDTH)),
    ]
    assert made.parts_ is not None
    heard = event_embeddings(made.parts_.decoder, shop.only(["purchase"]), 2)
    pd.testing.assert_frame_equal(table, heard)


def test_neither_the_future_nor_what_is_not_heard_changes_a_number(made: Generative) -> None:
    shop = mixed()
    free = (shop.known_at > 2) | (shop.kind == VIEW)
    assert free.any()
    assert not free.all()
    other = replace(shop, item=np.where(free, (shop.item + 3) % N, shop.item).astype(np.int32))
    pd.testing.assert_frame_equal(made.embeddings(other, 2), made.embeddings(shop, 2))
    assert not made.embeddings(other, 3).equals(made.embeddings(shop, 3))


def test_a_stored_and_a_grown_ranker_make_the_same_vectors(made: Generative, tmp_path: Path) -> None:
    shop = mixed()
    made.save(tmp_path)
    pd.testing.assert_frame_equal(Generative.load(tmp_path).embeddings(shop, 3), made.embeddings(shop, 3))
    larger = log(*([] for _ in range(4)), n_items=N + 2, clock=False)
    items = pd.DataFrame({"item": larger.items.ids, "title": "", "text": "", "category": "", "brand": ""})
    grown = made.grown(items, larger.items)
    found = grown.embeddings(replace(shop, items=larger.items), 3)
    pd.testing.assert_frame_equal(found, made.embeddings(shop, 3))


def test_lightgbm_takes_them_beside_the_aggregates_and_alone(made: Generative) -> None:
    shop = walks().interactions
    assert shop is not None
    cut = np.arange(shop.n_users, dtype=np.int64) % 4
    seen = Snapshots(
        entities=shop.users.ids, as_of=cut, history=shop.as_of(cut),
        columns=made.embeddings(shop, cut).drop(columns=["user", "as_of"]),
    )  # fmt: skip
    outcome = (shop.lengths > 5).astype(np.float64)
    alone = replace(seen, history=shop.where(np.zeros(shop.n_events, bool)))
    names = {feature.name for feature in FEATURES}
    for snapshots, reads_aggregates in ((seen, True), (alone, False)):
        rows = Labelled(snapshots=snapshots, outcome=outcome, label_known_at=cut + 1)
        model = LightGbm().fit(rows, budget=Budget(60), seed=1, runtime=Runtime(threads=1))
        read = set(model.feature_names())
        assert bool(read & names) == reads_aggregates
        assert {name for name in read if "_e" in name and name not in names}
        assert np.isfinite(model.predict(snapshots).value).all()


def test_what_has_no_decoder_says_so(made: Generative) -> None:
    shop = mixed()
    with pytest.raises(UnsupportedError, match="not fitted"):
        Generative().embeddings(shop, 1)
    nothing = fitted(dataset(log([(1, 0, VIEW)], n_items=N)))
    with pytest.raises(UnsupportedError, match="no decoder"):
        nothing.embeddings(shop, 1)
    with pytest.raises(DataError, match="another catalogue"):
        made.embeddings(log([(1, 0)], n_items=N + 1), 1)


def test_the_pages_code_runs_on_a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MERCER_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("MERCER_THREADS", "1")
    monkeypatch.chdir(tmp_path)
    mercer.run(brief("next-item"), Path("runs/demo-generative"), until="fit")
    names: dict[str, Any] = {}
    for block in re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL):
        exec(compile(block, str(PAGE), "exec"), names)
    assert len(names["table"]) == names["log"].n_users == len(pd.read_parquet("embeddings.parquet"))
    assert len(names["features"]) == len(names["train"]) > 0
    assert names["features"].shape[1] == len(FEATURES) + 2 * WIDTH
    assert np.isfinite(names["found"].value).all()
    manifest = json.loads(Path("runs/demo-generative/manifest.json").read_text("utf-8"))
    assert manifest["audit"]["next-item"]["protocol"]["validation_from"] in PAGE.read_text("utf-8")
