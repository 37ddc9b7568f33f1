"""Two processes that torchrun started train as one does; they add up sums in another order, so to the last digits."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from training.process import LONGEST, TESTS

LAUNCH = (sys.executable, "-m", "torch.distributed.run", "--nproc_per_node")


def shared(out: Path, processes: int, first_budget: float) -> list[dict]:
    """What each process ended with. The first training ends after its budget, the second goes on from there."""
    out.mkdir()
    done = subprocess.run(
        [*LAUNCH, str(processes), "--standalone", "-m", "training.parallel", str(out), str(first_budget)],
        cwd=TESTS,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=LONGEST,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [json.loads((out / f"rank-{rank}.json").read_text()) for rank in range(processes)]


@pytest.mark.slow
def test_two_processes_give_the_losses_of_one(tmp_path: Path) -> None:
    [one] = shared(tmp_path / "one", 1, 60)
    first, second = shared(tmp_path / "two", 2, 60)
    assert (one["world_size"], first["world_size"]) == (1, 2)
    assert first["steps"] == one["steps"] > 20
    np.testing.assert_allclose(first["losses"], one["losses"], rtol=2e-4)
    assert [v["value"] for v in first["validations"]] == pytest.approx(
        [v["value"] for v in one["validations"]], abs=0.01
    )
    assert first["losses"] == second["losses"]
    assert first["checksum"] == second["checksum"], "the processes ended with other weights"


@pytest.mark.slow
def test_two_processes_stop_together_and_go_on_together(tmp_path: Path) -> None:
    """The clock of rank 0 counts; the checkpoint that it wrote is where both go on."""
    whole = shared(tmp_path / "whole", 2, 60)
    parts = shared(tmp_path / "parts", 2, 0.0)
    for unbroken, resumed in zip(whole, parts, strict=True):
        assert resumed["resumed_from"] == [1]
        np.testing.assert_allclose(resumed["losses"], unbroken["losses"], rtol=1e-6)
        assert resumed["checksum"] == pytest.approx(unbroken["checksum"], rel=1e-6)
