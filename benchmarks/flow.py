"""What the flow costs over its model fits, and what a second run costs over the first, in one run.

    python benchmarks/flow.py [BRIEF]

Prints ratios: the wall time of a first run over that of its fits alone (simulating, cleaning, scoring, intervals,
gates, page and release are the rest), by step, and the second run over the first.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mercer.environment import encoder_folder


def main() -> None:
    """Run the demo's brief, or the one given, twice in an own cache."""
    os.environ["MERCER_ENCODERS"] = str(encoder_folder())
    with tempfile.TemporaryDirectory() as folder:
        os.environ["MERCER_CACHE"] = str(Path(folder) / "cache")
        import mercer
        from mercer.simulate import demo_brief

        brief = Path(sys.argv[1]) if len(sys.argv) > 1 else demo_brief()
        first, run = timed(lambda: mercer.run(brief, Path(folder) / "first"))
        second, _ = timed(lambda: mercer.run(brief, Path(folder) / "second"))
        spent: dict[str, float] = {}
        for step in run.manifest["steps"]:
            name = step["name"].split(":")[0]
            spent[name] = spent.get(name, 0.0) + step["seconds"]
    print(f"{brief.name}: first run {first:.1f} s, second {second:.2f} s (ratio {second / first:.3f})")
    print(f"first run over its fits alone: {first / spent['fit']:.1f} ({spent['fit']:.1f} s of fits)")
    for name, seconds in sorted(spent.items(), key=lambda one: -one[1]):
        print(f"  {name:<12} {seconds:7.1f} s  {seconds / first:5.1%}")


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """Wall seconds and result."""
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result


if __name__ == "__main__":
    main()
