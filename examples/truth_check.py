"""Hold a run on the simulated shop against the truth, which no real shop knows.

    .venv/bin/python examples/truth_check.py runs/demo

The shop is written again from the seed in the run's brief, with its truth beside it. Then, on the scored test rows
of the run: how far predicted probabilities of repurchase lie from the true ones, and what each ranker's list of ten
is really worth (the expected share of the customer's next order that the list holds).
Intervals are 95 %, bootstrap over customers, 2,000 draws, seed 0.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from mercer.brief import BehaviorTarget, Brief, RecommendTarget
from mercer.errors import UsageError
from mercer.simulate import ShopOptions, Truth, write_shop

Floats = npt.NDArray[np.float64]


def interval(values: Floats) -> str:
    """`mean [low, high]` of independent values."""
    draws = np.random.default_rng(0).integers(0, len(values), (2000, len(values)))
    low, high = np.quantile(values[draws].mean(axis=1), [0.025, 0.975])
    return f"{values.mean():.4f} [{low:.4f}, {high:.4f}]"


def scored(run: Path, target: str, ending: str) -> Iterator[tuple[str, str, pd.DataFrame]]:
    """Model, what it was fitted on, and its scored test rows."""
    for file in sorted((run / "scores" / target).glob(f"*.test.*{ending}")):
        model, _, fit_on = file.name.removesuffix(ending).split(".")[:3]
        if file.name.removesuffix(ending).count(".") == 2:
            yield model, fit_on, pd.read_parquet(file)


def probabilities(run: Path, name: str, target: BehaviorTarget, truth: Truth) -> list[dict[str, object]]:
    """A row for each predictor: the distance to the truth, beside that of the overall rate."""
    rows = []
    for model, fit_on, frame in scored(run, name, ".parquet"):
        origin_us = int(frame["as_of"].iloc[0].value // 1000)
        true = truth.repurchase(frame["unit"].tolist(), origin_us, target.horizon_days)
        known = np.isfinite(true)
        said = frame["value"].to_numpy(np.float64)[known]
        rows.append(
            {
                "target": name,
                "model": model,
                "fitted on": fit_on,
                "n": int(known.sum()),
                "mean |predicted - true|": interval(np.abs(said - true[known])),
                "predicted - true": interval(said - true[known]),
                "correlation": f"{np.corrcoef(said, true[known])[0, 1]:.3f}",
            }
        )
        rate = np.abs(frame["outcome"].to_numpy(np.float64)[known].mean() - true[known])
    rows.append({"target": name, "model": "(the overall rate)", "mean |predicted - true|": interval(rate)})
    return rows


def lists(run: Path, name: str, target: RecommendTarget, truth: Truth) -> list[dict[str, object]]:
    """A row for each ranker: the true worth of its lists, and by how much it exceeds that of `most-popular`."""
    origin_us = int(pd.Timestamp(str(target.split.test_from)).value // 1000)
    worth: dict[str, Floats] = {}
    for model, fit_on, frame in scored(run, name, ".lists.parquet"):
        if fit_on == "train":
            shown = frame.sort_values(["unit", "position"]).groupby("unit")["item"].agg(list)
            worth[model] = truth.value_of(
                shown.index.tolist(), shown.tolist(), origin_us, repeats=target.repeats
            )
    rival = worth["most-popular"]
    return [
        {
            "target": name,
            "model": model,
            "n": len(values),
            "true worth of ten": interval(values),
            "over most-popular": interval(values - rival),
        }
        for model, values in worth.items()
    ]


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("run", type=Path, help="a run folder whose brief simulates its data")
    run: Path = parser.parse_args().run
    brief = Brief.load(run / "brief.yaml")
    if brief.data.simulate is None:
        raise UsageError(f"{run}: its data are not simulated.", remedy="Give a run of `mercer demo`.")
    with tempfile.TemporaryDirectory() as folder:
        write_shop(Path(folder), ShopOptions.model_validate(brief.data.simulate))
        truth = Truth.load(Path(folder))
    for name, target in brief.targets.items():
        if isinstance(target, BehaviorTarget) and target.kind == "probability":
            show(probabilities(run, name, target, truth))
        elif isinstance(target, RecommendTarget) and target.split.kind == "temporal":
            show(lists(run, name, target, truth))


def show(rows: list[dict[str, object]]) -> None:
    """A table on standard output; what a row lacks is blank."""
    frame = pd.DataFrame(rows, dtype=object)
    sys.stdout.write(frame.where(frame.notna(), "").to_string(index=False) + "\n\n")


if __name__ == "__main__":
    main()
