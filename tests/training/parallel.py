"""A training shared by the processes that torchrun started; rank 0 writes what came of it.

torchrun --nproc_per_node 2 -m training.parallel OUT
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from mercer.contracts import Budget
from mercer.training import train
from training.small import FACTS, NextItem, here, options


def main() -> None:
    out = Path(sys.argv[1])
    rank, size = int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1"))
    runtime = here(world_size=size, checkpoint_folder=out / "saved")
    # Each process begins with weights of its own: those of rank 0 count.
    trainee = NextItem(dropout=0.0, weight_seed=rank)
    given = {"average": 0.9, "accumulate": 2, "estimate_steps": 2, "checkpoint_every": 5}
    train(trainee, options(**given), seed=1, facts=FACTS, runtime=runtime, budget=Budget(float(sys.argv[2])))
    record = train(trainee, options(**given), seed=1, facts=FACTS, runtime=runtime)
    checksum = sum(float(one.double().abs().sum()) for one in trainee.module.parameters())
    (out / f"rank-{rank}.json").write_text(json.dumps({**record.to_json(), "checksum": checksum}))


if __name__ == "__main__":
    main()
