"""Can a language model grade search results? Its agreement with people's grades, beside a control judge.

    .venv/bin/python benchmarks/judge_grades.py --icecat FOLDER [--model NAME] [--sample 400] [--pairs 300]

--icecat: folder with products.parquet and ratings.csv of the Chorus electronics catalogue (Icecat), 135 queries graded
    0 to 3 by people; no part of mercer. --model: of the store; without it only the controls are judged.
The sample is fixed before anything is judged: the pairs of query and product with the least md5 of "QUERY<TAB>ID", and
of all pairs of products of one query with different grades the ones with the least md5 of "QUERY<TAB>ID<TAB>ID".

Judges of single products: the model, its expected grade rounded; the same, mapped to grades by an isotonic fit on the
sample's other queries (five folds by md5 of the query); and as control the cosine of MiniLM's vectors of query and
"title description", mapped by an isotonic fit on all grades of the other folds. 95 % intervals: bootstrap over queries.
A judge is accepted where the lower end of kappa reaches 0.40. Pairs: 1 for the people's side, 0.5 for a tie.
"""

from __future__ import annotations

import argparse
import hashlib
import time
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.isotonic import IsotonicRegression

from mercer.errors import UnsupportedError
from mercer.evaluation import Agreement, accept_judge, agreement
from mercer.language import EmbeddingCache, MiniLm
from mercer.language.judging import Item, Pair, PairwiseJudge, PointwiseJudge, signature

Floats = npt.NDArray[np.float64]

FOLDS = 5


def md5(*parts: str) -> int:
    return int(hashlib.md5("\t".join(parts).encode(), usedforsecurity=False).hexdigest(), 16)


def read(folder: Path) -> pd.DataFrame:
    """Every graded pair: query, item, grade, title, text."""
    products = pd.read_parquet(folder / "products.parquet").set_index("id")
    ratings = pd.read_csv(folder / "ratings.csv", dtype={"docid": str})
    frame = ratings.rename(columns={"docid": "item", "rating": "grade"}).drop_duplicates(["query", "item"])
    frame["grade"] = frame["grade"].astype(float)
    frame["title"] = products["title"].reindex(frame["item"]).fillna("").to_numpy()
    frame["text"] = products["short_description"].reindex(frame["item"]).fillna("").to_numpy()
    frame["fold"] = [md5(query) % FOLDS for query in frame["query"]]
    return frame.reset_index(drop=True)


def least(frame: pd.DataFrame, n: int) -> pd.DataFrame:
    """The n pairs with the least hash."""
    order = sorted(range(len(frame)), key=lambda at: md5(frame["query"].iloc[at], frame["item"].iloc[at]))
    return frame.iloc[sorted(order[:n])].reset_index(drop=True)


def by_others(train: pd.DataFrame, scores: Floats, told: pd.DataFrame, own: Floats) -> Floats:
    """Grades of `told` from scores, by isotonic fits on `train` without the fold of the query."""
    grades = np.zeros(len(told))
    for fold in range(FOLDS):
        others, here = (train["fold"] != fold).to_numpy(), (told["fold"] == fold).to_numpy()
        fit = IsotonicRegression(out_of_bounds="clip").fit(scores[others], train["grade"].to_numpy()[others])
        if here.any():
            grades[here] = np.floor(fit.predict(own[here]) + 0.5)
    return grades


def cosines(frame: pd.DataFrame) -> Floats:
    encoder = MiniLm()
    asked = frame["query"].unique()
    queries = dict(zip(asked, encoder.encode(asked.tolist(), "query"), strict=True))
    texts = (frame["title"] + " " + frame["text"]).tolist()
    items, _ = EmbeddingCache(encoder).encode(texts, "passage")
    return np.einsum("nd,nd->n", np.stack([queries[query] for query in frame["query"]]), items).astype(float)


def report(sample: pd.DataFrame, grades: Floats, scores: Floats, *, judge: str, which: str) -> Agreement:
    judged = sample[["query", "item"]].assign(grade=grades, score=scores)
    found = agreement(judged, sample[["query", "item", "grade"]], judge=judge, sample=which)
    try:
        accept_judge(found)
        verdict = "accepted"
    except UnsupportedError as refusal:
        verdict = f"refused: {refusal}"
    print(f"{judge:44} kappa {found.kappa:6.3f} [{found.low:.3f}, {found.high:.3f}]  "
          f"order {found.pairwise:.3f} [{found.pairwise_low:.3f}, {found.pairwise_high:.3f}] of {found.n_pairs}  "
          f"{verdict}", flush=True)  # fmt: skip
    return found


def duels(frame: pd.DataFrame, n: int) -> list[tuple[int, int]]:
    """Pairs of rows of one query with different grades, the n with the least hash; the order is of the hash too."""
    found = []
    for _, rows in frame.groupby("query"):
        places = rows.index.tolist()
        found += [(a, b) for a in places for b in places if frame["grade"][a] > frame["grade"][b]]
    keyed = sorted((md5(frame["query"][a], frame["item"][a], frame["item"][b]), a, b) for a, b in found)
    return [(a, b) if key % 2 else (b, a) for key, a, b in keyed[:n]]


def share_by_query(frame: pd.DataFrame, pairs: list[tuple[int, int]], verdicts: Floats) -> str:
    """Share on the people's side, a tie is half, with a bootstrap over queries."""
    better = np.array([np.sign(frame["grade"][a] - frame["grade"][b]) for a, b in pairs])
    right = (1 + better * verdicts) / 2
    queries = np.unique([frame["query"][a] for a, _ in pairs], return_inverse=True)[1]
    sums, counts = np.bincount(queries, right), np.bincount(queries)
    draws = np.random.default_rng(0).multinomial(len(sums), np.full(len(sums), 1 / len(sums)), 1000)
    low, high = np.quantile((draws @ sums) / (draws @ counts), (0.025, 0.975))
    return (
        f"{right.mean():.3f} [{low:.3f}, {high:.3f}], ties {np.mean(verdicts == 0):.3f}, {len(pairs)} pairs"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--icecat", type=Path, required=True)
    parser.add_argument("--model", help="a model of the store")
    parser.add_argument("--sample", type=int, default=400)
    parser.add_argument("--pairs", type=int, default=300)
    chosen = parser.parse_args()
    frame = read(chosen.icecat)
    sample, which = least(frame, chosen.sample), f"{chosen.sample} of {len(frame)} by md5"
    pairs = duels(frame, chosen.pairs)
    print(f"{which}, {sample['query'].nunique()} queries, grades {sample['grade'].value_counts().to_dict()}")
    all_cosines = cosines(frame)
    rows = frame.set_index(["query", "item"]).index.get_indexer(
        pd.MultiIndex.from_frame(sample[["query", "item"]])
    )
    control = by_others(frame, all_cosines, sample, all_cosines[rows])
    report(sample, control, all_cosines[rows], judge="minilm cosine, isotonic", which=which)
    verdicts = np.array([np.sign(all_cosines[a] - all_cosines[b]) for a, b in pairs])
    print(f"minilm cosine, which of two: {share_by_query(frame, pairs, verdicts)}", flush=True)
    if chosen.model:
        by_model(chosen.model, frame, sample, pairs, which)


def by_model(
    model: str, frame: pd.DataFrame, sample: pd.DataFrame, pairs: list[tuple[int, int]], which: str
) -> None:
    from mercer.language.decoders import Decoder, ModelStore
    from mercer.language.scoring import LocalScorer

    scorer = LocalScorer(Decoder.load(ModelStore().get(model)))
    name = signature(model, scorer.fingerprint)
    items = [Item(title, text) for title, text in zip(frame["title"], frame["text"], strict=True)]
    begun = time.perf_counter()
    graded = PointwiseJudge(scorer).grade(
        [Pair(row.query, Item(row.title, row.text)) for row in sample.itertuples()]
    )
    seconds = time.perf_counter() - begun
    scores = np.array([grade.score for grade in graded])
    report(sample, np.array([float(grade.grade) for grade in graded]), scores, judge=name, which=which)
    fitted = by_others(sample, scores, sample, scores)
    report(sample, fitted, scores, judge=f"{name}, isotonic", which=which)
    print(f"{1000 * seconds / len(sample):.0f} ms a pair")
    verdicts = PairwiseJudge(scorer).compare(
        [frame["query"][a] for a, _ in pairs], [(items[a], items[b]) for a, b in pairs]
    )
    print(f"{name}, which of two: {share_by_query(frame, pairs, verdicts.astype(float))}")


if __name__ == "__main__":
    main()
