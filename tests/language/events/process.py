"""A training of an event decoder as a process of its own that kills itself before its Nth checkpoint is in place.

python -m language.events.process OUT N
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

TESTS = Path(__file__).parents[2]
LONGEST = 300


def work(out: Path) -> None:
    """Train with dropout and every field; write the decoder and its record."""
    from language.events.small import EVERY, trainee
    from mercer.contracts import Runtime
    from mercer.training import TrainingOptions, train

    made = trainee(EVERY, dropout=0.2)
    chosen = TrainingOptions(epochs=4, batch_tokens=140, checkpoint_every=2, estimate_steps=2)
    runtime = Runtime(threads=1, checkpoint_folder=out / "checkpoints")
    record = train(made, chosen, seed=3, facts={}, runtime=runtime)
    made.decoder.save(out / "decoder")
    record.save(out)


def killed(out: Path, number: int) -> subprocess.CompletedProcess[str]:
    """Let it run in a process that kills itself before its Nth checkpoint is in place."""
    return subprocess.run(
        [sys.executable, "-m", "language.events.process", str(out), str(number)],
        cwd=TESTS, capture_output=True, text=True, timeout=LONGEST, check=False,
    )  # fmt: skip


if __name__ == "__main__":
    from language.dying import die_at

    die_at(int(sys.argv[2]))
    work(Path(sys.argv[1]))
