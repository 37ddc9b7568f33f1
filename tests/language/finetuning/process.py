"""A fine-tuning as a process of its own that kills itself before the Nth saving of a checkpoint is done.

python -m language.finetuning.process BASE OUT METHOD N
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

TESTS = Path(__file__).parents[2]
LONGEST = 300


def work(base: Path, out: Path, method: str) -> None:
    """The fine-tuning."""
    from language.finetuning.small import EXAMPLES, PREFERENCES, options
    from mercer.contracts import Runtime
    from mercer.language.finetuning import finetune

    examples = PREFERENCES if method == "dpo" else EXAMPLES
    chosen = options(
        method=method, epochs=4, batch_tokens=100, checkpoint_every=2, learning_rate=2e-3, dropout=0.1
    )
    finetune(
        base, examples[3:], chosen, folder=out, validation=examples[:3], seed=3, runtime=Runtime(threads=1)
    )


def killed(base: Path, out: Path, method: str, number: int) -> subprocess.CompletedProcess[str]:
    """Let it run in a process that kills itself before its Nth checkpoint is in place."""
    return subprocess.run(
        [sys.executable, "-m", "language.finetuning.process", str(base), str(out), method, str(number)],
        cwd=TESTS, capture_output=True, text=True, timeout=LONGEST, check=False,
    )  # fmt: skip


if __name__ == "__main__":
    from language.dying import die_at

    die_at(int(sys.argv[4]))
    work(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
