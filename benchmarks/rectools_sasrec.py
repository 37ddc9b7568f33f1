"""What RecTools' SASRec takes for an epoch of the log that `benchmarks/sequence.py --export` writes.

    .venv/bin/python benchmarks/sequence.py --beauty FOLDER --export log.csv
    python3.11 -m venv VENV && VENV/bin/pip install "rectools[torch]==0.19.0"
    OMP_NUM_THREADS=1 VENV/bin/python benchmarks/rectools_sasrec.py log.csv [--loss softmax] [--batches 8]

Runs in an environment of its own, with the older libraries RecTools asks for, and imports nothing of mercer. Width,
blocks, heads, window and dropout are those of `sasrec`; everything else, its loss of all items among it, is RecTools'
own default. CPU seconds of one thread, from `--batches` batches after the first.
"""

from __future__ import annotations

import argparse
import resource
import time
from importlib.metadata import version

import numpy as np
import pandas as pd
import torch
from pytorch_lightning import Callback, Trainer
from rectools.dataset import Dataset
from rectools.models import SASRecModel


class Clock(Callback):
    """CPU seconds between the end of the first batch and the end of the last; `n`: batches between the two."""

    begun = ended = 0.0
    n = -1

    def on_train_batch_end(self, *_: object, **__: object) -> None:
        self.n += 1
        self.ended = time.process_time()
        if not self.n:
            self.begun = self.ended


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("log")
    parser.add_argument("--loss", default="softmax", choices=("softmax", "BCE", "gBCE", "sampled_softmax"))
    parser.add_argument("--negatives", type=int, default=1, help="of each answer, for the other losses")
    parser.add_argument("--batches", type=int, default=8)
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    log = pd.read_csv(chosen.log)
    frame = pd.DataFrame(
        {
            "user_id": log["user"],
            "item_id": log["item"],
            "weight": 1.0,
            # Places in a history as days: RecTools sorts by time.
            "datetime": np.datetime64("2000-01-01") + pd.to_timedelta(log["place"], unit="D"),
        }
    )
    quiet = {
        "logger": False,
        "enable_checkpointing": False,
        "enable_progress_bar": False,
        "enable_model_summary": False,
    }

    def trainer() -> Trainer:
        return Trainer(
            max_epochs=1,
            accelerator="cpu",
            callbacks=[Clock()],
            limit_train_batches=chosen.batches + 1,
            **quiet,
        )

    model = SASRecModel(
        n_factors=128,
        n_blocks=2,
        n_heads=2,
        session_max_len=50,
        dropout_rate=0.3,
        loss=chosen.loss,
        n_negatives=chosen.negatives,
        get_trainer_func=trainer,
    )
    model.fit(Dataset.construct(frame))
    [clock] = [one for one in model.fit_trainer.callbacks if isinstance(one, Clock)]
    batches = int(np.ceil((log.groupby("user").size() >= 2).sum() / model.batch_size))
    seconds = (clock.ended - clock.begun) / clock.n * batches
    highest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    names = ("rectools", "torch", "pytorch-lightning", "numpy")
    print(", ".join(f"{name} {version(name)}" for name in names))
    print(
        f"RecTools SASRec, {chosen.loss}: {seconds:.1f} CPU s an epoch, from {clock.n} of {batches} batches of "
        f"{model.batch_size} histories; highest memory {highest:.0f} MiB"
    )


if __name__ == "__main__":
    main()
