"""Does a language model judge search results better with examples, or fine-tuned? Beside benchmarks/judge_grades.py.

    .venv/bin/python benchmarks/judge_ways.py --icecat FOLDER --keep FOLDER [--ways few-shot lora] [--times 40]

The sample of judge_grades.py and its control. few-shot: one graded example for each grade, of the queries that the
sample leaves out, the pair of each grade with the least md5. lora: the queries are cut in two halves by md5; a model
fine-tuned on graded pairs of one half (as many of each grade, the scale shown in either order) grades the sample's
pairs of the other. As in judge_grades.py also the grades that an isotonic fit on other queries makes of the expected
grade; for lora within a half, since the model of the other half has learned this one's grades.

Kappa beside the control: both over the same drawn queries, 2,000 times; p is twice the smaller tail.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from judge_grades import FOLDS, Floats, by_others, cosines, least, md5, read, report
from safetensors.numpy import load_file, save_file
from sklearn.metrics import confusion_matrix
from ways import TOKENS, Times, scorer, tuned

from mercer.language import MiniLm
from mercer.language.finetuning import Example
from mercer.language.judging import Grade, Item, Pair, PointwiseJudge
from mercer.language.scoring import LocalScorer

GRADES = (0, 1, 2, 3)


class Shown(PointwiseJudge):
    """Grades after graded examples."""

    def __init__(self, by: LocalScorer, examples: Sequence[tuple[Pair, int]]) -> None:
        super().__init__(by)
        self.examples = examples

    def prompt(self, pair: Pair, *, turned: bool) -> str:
        head, asked = super().prompt(pair, turned=turned).split("\n\n", 1)
        told = [
            f"{PointwiseJudge.prompt(self, one, turned=turned).split(chr(10) * 2, 1)[1]}{letter(grade, turned)}"
            for one, grade in self.examples
        ]
        return "\n\n".join([head, *told, asked])


def letter(grade: int, turned: bool) -> str:
    return " " + "ABCD"[GRADES[-1] - grade if turned else grade]


def pairs_of(frame: pd.DataFrame) -> list[Pair]:
    return [Pair(row.query, Item(row.title, row.text)) for row in frame.itertuples()]


def half(query: str) -> int:
    return md5(query) // FOLDS % 2


def shots(frame: pd.DataFrame, sample: pd.DataFrame) -> list[tuple[Pair, int]]:
    """A pair for each grade, of queries outside the sample."""
    other = frame[~frame["query"].isin(sample["query"])]
    chosen = [least(other[other["grade"] == grade], 1) for grade in GRADES]
    return [(pairs_of(one)[0], grade) for one, grade in zip(chosen, GRADES, strict=True)]


def lessons_of(frame: pd.DataFrame, n: int = 2000) -> list[Example]:
    """Questions of the judge and the letters that people gave, a quarter of them for each grade."""
    rng, asks = np.random.default_rng(5), PointwiseJudge.prompt
    by_grade = {grade: rng.permutation(np.flatnonzero(frame["grade"] == grade)) for grade in GRADES}
    pairs, found = pairs_of(frame), []
    judge = PointwiseJudge(None)  # type: ignore[arg-type]  # asked for its prompt alone
    for number in range(n):
        grade = GRADES[number % 4]
        own = by_grade[grade]
        place, turn = number // 4 % len(own), number // 4 // len(own)
        turned = bool((place + turn) % 2)
        found.append(Example(asks(judge, pairs[own[place]], turned=turned), letter(grade, turned)))
    return found


def told(judge: PointwiseJudge, sample: pd.DataFrame) -> tuple[Floats, Floats]:
    """Grades and expected grades."""
    graded: list[Grade] = judge.grade(pairs_of(sample))
    return np.array([float(one.grade) for one in graded]), np.array([one.score for one in graded])


def beside(sample: pd.DataFrame, grades: Floats, other: Floats) -> str:
    """Difference of the kappas, its interval, p."""
    queries, cluster = np.unique(sample["query"], return_inverse=True)

    def tables(of: Floats) -> Floats:
        rows = [
            confusion_matrix(sample["grade"][cluster == q], of[cluster == q], labels=GRADES)
            for q in range(len(queries))
        ]
        return np.array(rows, float)

    far = np.subtract.outer(np.array(GRADES), np.array(GRADES)) ** 2.0

    def kappa(summed: Floats) -> Floats:
        n = summed.sum(axis=(1, 2))
        chance = np.einsum("bi,bj->bij", summed.sum(axis=2), summed.sum(axis=1)) / n[:, None, None]
        return 1 - (summed * far).sum(axis=(1, 2)) / (chance * far).sum(axis=(1, 2))

    one, two = tables(grades), tables(other)
    draws = np.random.default_rng(0).multinomial(len(queries), np.full(len(queries), 1 / len(queries)), 2000)
    gap = kappa(np.einsum("bq,qij->bij", draws, one)) - kappa(np.einsum("bq,qij->bij", draws, two))
    own = float((kappa(one.sum(axis=0)[None]) - kappa(two.sum(axis=0)[None]))[0])
    low, high = np.quantile(gap, [0.025, 0.975])
    p = min(1.0, 2 * min((1 + (gap <= 0).sum()) / 2001, (1 + (gap >= 0).sum()) / 2001))
    return f"    beside the control: {own:+.3f} [{low:+.3f}, {high:+.3f}] p {p:.4f}"


def timed(label: str, grade: Callable[[Pair], object], pairs: list[Pair]) -> None:
    times = Times()
    for pair in pairs:
        with times.one():
            grade(pair)
    print(f"    a pair, {label}: {times.said()}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--icecat", type=Path, required=True)
    parser.add_argument("--keep", type=Path, required=True)
    parser.add_argument(
        "--ways", nargs="+", default=["few-shot", "lora"], choices=["zero-shot", "few-shot", "lora"]
    )
    parser.add_argument("--sample", type=int, default=400)
    parser.add_argument("--tokens", type=int, default=TOKENS)
    parser.add_argument("--times", type=int, default=40, help="pairs graded one at a time")
    given = parser.parse_args()
    frame = read(given.icecat)
    sample, which = least(frame, given.sample), f"{given.sample} of {len(frame)} by md5"
    few = pairs_of(sample.head(given.times))
    kept = given.keep / "cosines.safetensors"
    if not kept.exists():
        given.keep.mkdir(parents=True, exist_ok=True)
        save_file({"values": cosines(frame)}, kept)
    all_cosines = load_file(kept)["values"]
    rows = frame.set_index(["query", "item"]).index.get_indexer(
        pd.MultiIndex.from_frame(sample[["query", "item"]])
    )
    control = by_others(frame, all_cosines, sample, all_cosines[rows])
    report(sample, control, all_cosines[rows], judge="minilm cosine, isotonic", which=which)
    encoder = MiniLm()
    timed(
        "minilm cosine, query and item encoded",
        lambda pair: (
            encoder.encode([pair.query], "query")
            @ encoder.encode([f"{pair.item.title} {pair.item.text}"], "passage").T
        ),
        few,
    )

    def line(label: str, grades: Floats, scores: Floats) -> None:
        report(sample, grades, scores, judge=label, which=which)
        print(beside(sample, grades, control), flush=True)

    for way in given.ways:
        if way == "lora":
            halves = np.array([half(query) for query in sample["query"]])
            of = np.array([half(query) for query in frame["query"]])
            grades, scores, fitted = (np.zeros(len(sample)) for _ in range(3))
            for own in (0, 1):
                there, here = frame[of != own].reset_index(drop=True), halves == own
                folder = tuned(given.keep / f"judge-{own}", lessons_of(there), tokens=given.tokens)
                judge = PointwiseJudge(scorer(folder))
                part = sample[here].reset_index(drop=True)
                grades[here], scores[here] = told(judge, part)
                fitted[here] = by_others(part, scores[here], part, scores[here])
        else:
            by = scorer()
            judge = PointwiseJudge(by) if way == "zero-shot" else Shown(by, shots(frame, sample))
            grades, scores = told(judge, sample)
            fitted = by_others(sample, scores, sample, scores)
        line(f"SmolLM2 {way}", grades, scores)
        line(f"SmolLM2 {way}, isotonic", fitted, scores)
        timed(way, lambda pair, by=judge: by.grade([pair]), few)


if __name__ == "__main__":
    main()
