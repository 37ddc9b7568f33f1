"""What the recommend baselines cost, as ratios to plain or public code, each pair measured in one run.

    OMP_NUM_THREADS=1 .venv/bin/python benchmarks/baselines.py --beauty FOLDER --implicit VENV [--parts knn als …]

--beauty: folder of Amazon Beauty (see recommend_quality.py); left out: the simulated shop. --implicit: a virtual
environment apart, with the package `implicit` in it (pip install implicit==0.7.3), which mercer does not need.

knn         fit of item-knn against implicit's item-item neighbours on the same log, equally many neighbours kept
als         fit of ials against implicit's alternating least squares, equally many factors and sweeps
ease        fit of EASE against the same formula in plain NumPy, each in a process of its own: time, peak memory, result
evaluation  every test user over the full catalogue (scores, mid-ranks, best ten, rows) against one bare matrix product
            that only makes as many scores

Repeats alternate, so that both sides meet the same weather; printed are medians with the least and the greatest, and
the ratio of the medians. Results are compared before a ratio is printed. Seconds depend on the machine and its load.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from recommend_quality import load
from scipy.sparse import csr_array, save_npz

from mercer.contracts import Holdout, Interactions, Requests, Vocabulary
from mercer.data.splits import RecommendSplit
from mercer.evaluation import score_ranking
from mercer.recommend import Ease, Ials, ItemKnn
from mercer.testing.handmade import dataset

PARTS = ("knn", "als", "ease", "evaluation")


def alternate(sides: dict[str, Callable[[], float]], repeats: int) -> dict[str, list[float]]:
    """Seconds of each side, taken in turn; the first turn warms up and is not counted."""
    taken: dict[str, list[float]] = {name: [] for name in sides}
    for turn in range(repeats + 1):
        for name, side in sides.items():
            seconds = side()
            if turn:
                taken[name].append(seconds)
    return taken


def timed(work: Callable[[], Any]) -> Callable[[], float]:
    def run() -> float:
        start = time.perf_counter()
        work()
        return time.perf_counter() - start

    return run


def show(title: str, taken: dict[str, list[float]], ours: str, other: str) -> None:
    print(f"\n{title}")
    for name, seconds in taken.items():
        print(f"  {name:44} {median(seconds):8.3f} s  [{min(seconds):.3f}, {max(seconds):.3f}]")
    print(f"  {'ratio: ' + other + ' / ' + ours:44} {median(taken[other]) / median(taken[ours]):8.2f}")


def user_rows(log: Interactions) -> csr_array:
    rows = csr_array((np.ones(log.n_events), log.item, log.indptr), shape=(log.n_users, len(log.items)))
    rows = rows.copy()
    rows.sum_duplicates()
    return rows


# implicit, in its own environment

IMPLICIT = """
import json, sys, time
from importlib.metadata import version
import scipy.sparse as sp
rows = sp.csr_matrix(sp.load_npz(sys.argv[1]))  # float64 and 32-bit places: what its neighbours take
rows.indices, rows.indptr = rows.indices.astype("int32"), rows.indptr.astype("int32")
for line in sys.stdin:
    asked = json.loads(line)
    if asked["model"] == "knn":
        from implicit.nearest_neighbours import ItemItemRecommender
        model = ItemItemRecommender(K=asked["k"], num_threads=asked["threads"])
    else:
        from implicit.cpu.als import AlternatingLeastSquares
        model = AlternatingLeastSquares(
            factors=asked["factors"], iterations=asked["sweeps"], num_threads=asked["threads"], random_state=1
        )
    start = time.perf_counter()
    model.fit(rows, show_progress=False)
    seconds = time.perf_counter() - start
    versions = {name: version(name) for name in ("implicit", "numpy", "scipy")}
    print(json.dumps({"seconds": seconds, "versions": versions}), flush=True)
"""


class Implicit:
    """A process of the other environment that fits on request and says how long the fit alone took."""

    def __init__(self, venv: Path, rows: csr_array) -> None:
        self._folder = tempfile.TemporaryDirectory()
        file = Path(self._folder.name) / "rows.npz"
        save_npz(file, rows)
        self._process = subprocess.Popen(
            [venv / "bin" / "python", "-c", IMPLICIT, file],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
        )
        self.versions: dict[str, str] = {}

    def fit(self, **asked: Any) -> float:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(asked) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        self.versions = answer["versions"]
        return float(answer["seconds"])

    def close(self) -> None:
        self._process.communicate()
        self._folder.cleanup()


def against_implicit(split: RecommendSplit, venv: Path, parts: list[str], threads: int, repeats: int) -> None:
    train = split.train
    assert train.interactions is not None
    other = Implicit(venv, user_rows(train.interactions))
    if "knn" in parts:
        o = ItemKnn.Options()
        sides = {
            "mercer item-knn": timed(lambda: ItemKnn().fit(train)),
            "implicit ItemItemRecommender": lambda: other.fit(model="knn", k=o.neighbours, threads=threads),
        }
        title = f"fit of neighbours, {o.neighbours} kept an item"
        show(title, alternate(sides, repeats), *sides)
    if "als" in parts:
        a = Ials.Options()
        sides = {
            "mercer ials": timed(lambda: Ials().fit(train, seed=1)),
            "implicit AlternatingLeastSquares": lambda: other.fit(
                model="als", factors=a.factors, sweeps=a.sweeps, threads=threads
            ),
        }
        show(f"fit of {a.factors} factors, {a.sweeps} sweeps", alternate(sides, repeats), *sides)
    print(f"  versions beside: {other.versions}")
    other.close()


# EASE


def most_sold(log: Interactions, n_items: int) -> Interactions:
    """The events of the n items sold most: plain NumPy takes minutes for the square of a whole catalogue."""
    counts = np.bincount(log.item, minlength=len(log.items))
    kept = np.sort(np.argsort(-counts, kind="stable")[:n_items])
    code = np.full(len(log.items), -1, np.int32)
    code[kept] = np.arange(len(kept))
    some = log.where(code[log.item] >= 0)
    return replace(some, items=Vocabulary([log.items.ids[item] for item in kept]), item=code[some.item])


def plain_ease(rows: csr_array, l2: float) -> np.ndarray:
    """The formula as the paper writes it."""
    gram = (rows.T @ rows).toarray().astype(np.float64)
    gram[np.diag_indices(len(gram))] += l2
    inverse = np.linalg.inv(gram)
    weights = inverse / -np.diag(inverse)
    weights[np.diag_indices(len(gram))] = 0
    return weights


def ease_child(side: str, folder: Path, out: Path) -> None:
    """One fit in a process of its own; prints its seconds and how far its peak of memory lies above the start."""
    log = Interactions.load(folder)
    np.linalg.inv(np.eye(200) + 1)  # libraries are loaded before the clock starts
    Ease().fit(dataset(most_sold(log, 100), repeats=False))
    before = resident_kib("VmRSS")
    start = time.perf_counter()
    if side == "plain":
        rows = user_rows(log)
        rows.data[:] = 1
        weights = plain_ease(rows, Ease.Options().l2)
    else:
        ranker = Ease().fit(dataset(log, repeats=False))
    seconds = time.perf_counter() - start
    mib = (resident_kib("VmHWM") - before) / 1024
    if side == "plain":
        np.save(out, weights)
    else:
        np.savez(out, **ranker.state)  # type: ignore[arg-type]
    print(json.dumps({"seconds": seconds, "mib": mib}))


def resident_kib(field: str) -> int:
    """VmRSS (resident now) or VmHWM (its peak) of this process, from Linux.

    Not getrusage's ru_maxrss: after fork and exec that begins at the resident size of the parent, which holds the whole
    split, so a child that stays below the parent would seem to take nothing.
    """
    lines = Path("/proc/self/status").read_text("ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{field}:"))


def ease_sides(split: RecommendSplit, n_items: int, repeats: int) -> None:
    assert split.train.interactions is not None
    log = most_sold(split.train.interactions, n_items)
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        log.save(place / "log")
        mib: dict[str, list[float]] = {"mercer": [], "plain": []}

        def child(side: str, out: str) -> float:
            command = [sys.executable, __file__, "--child", side, place / "log", place / out]
            told = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
            mib[side].append(told["mib"])
            return float(told["seconds"])

        sides = {
            "mercer ease, float32, 500 kept a row": lambda: child("mercer", "mercer.npz"),
            "plain NumPy inverse, float64": lambda: child("plain", "plain.npy"),
        }
        taken = alternate(sides, repeats)
        plain, ours = np.load(place / "plain.npy"), np.load(place / "mercer.npz")
        row = np.repeat(np.arange(len(plain)), np.diff(ours["indptr"]))
        apart = float(np.abs(plain[row, ours["indices"]] - ours["data"]).max())
        assert apart < 1e-4, f"weights differ by {apart}"
        show(f"fit of EASE over {len(log.items)} items", taken, *sides)
        most = {side: median(rises) for side, rises in mib.items()}
        ratio = most["plain"] / most["mercer"]
        print(
            f"  peak memory, MiB: plain {most['plain']:.0f}, mercer {most['mercer']:.0f}, ratio {ratio:.2f}"
        )
        print(
            f"  greatest difference of a kept weight {apart:.1e}, of weights up to {np.abs(plain).max():.2f}"
        )


# Evaluation


def evaluation(split: RecommendSplit, repeats: int) -> None:
    holdout = split.test
    n, n_items = len(holdout), len(holdout.requests.items)
    codes = np.arange(n_items, dtype=np.int32)
    rng = np.random.default_rng(1)
    row_of = {user: row for row, user in enumerate(holdout.requests.users)}
    neighbours = ItemKnn().fit(split.train)
    for factors in (64, 128, 256):
        people = rng.normal(size=(n, factors)).astype(np.float32)
        items = rng.normal(size=(factors, n_items)).astype(np.float32)

        def product(requests: Requests, people: np.ndarray = people, items: np.ndarray = items) -> np.ndarray:
            first = row_of[requests.users[0]]
            return people[first : first + len(requests)] @ items

        sides = {
            "evaluation of those scores": timed(lambda score=product: score_ranking(holdout, score=score)),
            "evaluation of item-knn, its scores included": timed(
                lambda: score_ranking(holdout, score=lambda block: neighbours.score(block, codes))
            ),
            "bare product": timed(lambda people=people, items=items: people @ items),
        }
        taken = alternate(sides, repeats)
        bare = median(taken["bare product"])
        print(f"\n{n} users, {n_items} items; product ({n} x {factors}) ({factors} x {n_items}), float32")
        for name, seconds in taken.items():
            ends = f"[{min(seconds):.3f}, {max(seconds):.3f}]"
            print(f"  {name:44} {median(seconds):8.3f} s  {ends}  {median(seconds) / bare:5.2f} products")


def check_ranks(holdout: Holdout) -> None:
    """The evaluation timed gives what sorting every row gives: mid-ranks of a few hundred users, worked out apart."""
    some = holdout.take(np.arange(0, len(holdout), max(1, len(holdout) // 300)))
    n_items = len(some.requests.items)
    scores = np.random.default_rng(2).integers(0, 500, (len(some), n_items)).astype(np.float32)
    masked = np.where(some.requests.eligible(), scores, -np.inf)
    own = masked[some.relevant.row_of, some.relevant.values][:, None]
    rows = masked[some.relevant.row_of]
    expected = 1 + (rows > own).sum(1) + ((rows == own).sum(1) - 1) / 2
    row_of = {user: row for row, user in enumerate(some.requests.users)}
    found = score_ranking(some, score=lambda asked: scores[[row_of[user] for user in asked.users]])
    np.testing.assert_array_equal(found.rows["rank"].to_numpy(), expected)


def main() -> None:
    if len(sys.argv) == 5 and sys.argv[1] == "--child":
        ease_child(sys.argv[2], Path(sys.argv[3]), Path(sys.argv[4]))
        return
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--beauty", type=Path)
    parser.add_argument("--implicit", type=Path)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--ease-items", type=int, default=6000)
    chosen = parser.parse_args()
    threads = int(os.environ.get("OMP_NUM_THREADS", "0"))
    [split, *_] = (load("beauty", chosen.beauty) if chosen.beauty is not None else load("demo")).values()
    log = split.train.interactions
    print(
        f"{log.n_events} events, {log.n_users} users, {len(log.items)} items; OMP_NUM_THREADS {threads or 'unset'}"
    )
    print({name: version(name) for name in ("numpy", "scipy")})
    if {"knn", "als"} & set(chosen.parts):
        if chosen.implicit is None:
            parser.error("knn and als need --implicit")
        against_implicit(split, chosen.implicit, chosen.parts, threads, chosen.repeats)
    if "ease" in chosen.parts:
        ease_sides(split, chosen.ease_items, min(3, chosen.repeats))
    if "evaluation" in chosen.parts:
        check_ranks(split.test)
        evaluation(split, chosen.repeats)


if __name__ == "__main__":
    main()
