"""The judge that is expected to be refused: SmolLM2 against people's grades of a real catalogue."""

from __future__ import annotations

import hashlib

import pandas as pd
import pytest
from conftest import shared_data

from mercer.environment import model_folder
from mercer.errors import UnsupportedError
from mercer.evaluation import accept_judge, agreement
from mercer.language.judging import Item, Pair, PointwiseJudge, signature

NAME = "smollm2-135m-instruct"
PAIRS = 120

_models = model_folder()


@pytest.mark.smollm2
def test_smollm2_is_refused_as_a_judge() -> None:
    from mercer.language.decoders import Decoder, ModelStore
    from mercer.language.scoring import LocalScorer

    folder = shared_data("icecat-search")
    store = ModelStore(_models)
    if not any(model.card.name == NAME for model in store.list()):
        pytest.skip("SmolLM2 is not imported; run: mercer models import smollm2")
    products = pd.read_parquet(folder / "products.parquet").set_index("id")
    ratings = pd.read_csv(folder / "ratings.csv", dtype={"docid": str})
    key = [
        hashlib.md5(f"{query}\t{item}".encode(), usedforsecurity=False).hexdigest()
        for query, item in zip(ratings["query"], ratings["docid"], strict=True)
    ]
    sample = ratings.assign(key=key).sort_values("key").head(PAIRS)
    sample = sample.rename(columns={"docid": "item", "rating": "grade"})
    shown = products.loc[sample["item"], ["title", "short_description"]].fillna("").itertuples(index=False)
    pairs = [Pair(query, Item(*texts)) for query, texts in zip(sample["query"], shown, strict=True)]
    scorer = LocalScorer(Decoder.load(store.get(NAME)))

    judged = sample.assign(grade=[float(grade.grade) for grade in PointwiseJudge(scorer).grade(pairs)])
    found = agreement(judged, sample, judge=signature(NAME, scorer.fingerprint), sample="by md5")

    assert found.n == PAIRS
    with pytest.raises(UnsupportedError, match="does not agree with people"):
        accept_judge(found)
