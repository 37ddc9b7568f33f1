"""One request after the other through a saved ranker, in a process that PyTorch has no part in.

Run by `benchmarks/sequence.py --latency`, which saves the ranker and pickles the requests:
    .venv/bin/python benchmarks/sequence_serving.py MODEL FOLDER REQUESTS
"""

from __future__ import annotations

import pickle
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from mercer.contracts import plugins

WARM = 20
"""Requests that are answered first and not counted."""


def milliseconds(ask: Callable[[], object]) -> float:
    """CPU time of this thread."""
    begun = time.thread_time()
    ask()
    return 1000 * (time.thread_time() - begun)


def main() -> None:
    model, folder, requests = sys.argv[1:]
    asked = pickle.loads(Path(requests).read_bytes())
    ranker = plugins.load(plugins.RANKERS, model).load(Path(folder))
    whole = [milliseconds(lambda one=one: ranker.rank(one, 10)) for one in asked][WARM:]
    alone = [milliseconds(lambda one=one: ranker.score_rows(one)) for one in asked][WARM:]
    assert "torch" not in sys.modules, "serving imported PyTorch"
    for what, took in (("rank(request, 10)", whole), ("scores alone", alone)):
        p50, p99 = np.percentile(took, [50, 99])
        print(f"  {what} p50 {p50:.2f} ms, p99 {p99:.2f} ms of {len(took)} requests; torch imported: no")


if __name__ == "__main__":
    main()
