"""What each part of the generative ranker is worth: a row changes one part, and all rows are judged on the same people.

    .venv/bin/python benchmarks/generative_ablations.py --beauty FOLDER --retail FOLDER --keep FOLDER
    … --only whole/default 'small/pretrained, LoRA'      some rows
    … --users 100 --epochs 1                             a short run, to try it

Options of a row stand over the defaults of `generative`, which briefs/beauty-generative.yaml leaves as they are.
whole: Amazon Beauty 2014, leave-last-out, fitted on the training part of everybody. "Tokens": nothing is known of an
item beside its ID; in all other rows its vector is, so random IDs there lose less. "Alone": tokens, and no counts.
small: the same, fitted on the histories of the judged people alone. "Pretrained" are the first --layers layers of
SmolLM2-135M-Instruct with its embedding, as dequantised from 4 bits: a truncated model, not the one that was published.
"From scratch" are the same architecture and sizes with weights drawn anew, text rows included, so that pretraining is
all that differs. Items have vectors beside their tokens, and no rows of their own, which 4,000 histories hardly teach.
Three epochs, two with titles (weight .3), 20 beams. Learning rates were not searched: all weights have the default's in
proportion to the width, LoRA twice that.
retail: UCI Online Retail, the next basket of new items, temporal, as in briefs/online-retail-sequence.yaml.

Judged are at most --users test people, the first by the md5 of their ids; one seed. Intervals: 95 %, bootstrap over
people; differences are paired, tested by sign flips, Holm over each metric of a table. Each row is a process of its
own: CPU seconds of one thread (put OMP_NUM_THREADS=1 before the command), memory the highest of that process while it
fits, data included. Titles are encoded before the clock starts. What a finished row found lies in the folder --keep,
and is not fitted again; a row of other options, people or epochs is.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

import numpy as np
import torch
import transformers
from prompted_recommend import by_hash
from recommend_quality import load, make, scored, values
from semantic_ids import LONG, ONE, Shop, fitted, hidden_of, put_in

from mercer.contracts import Dataset, Holdout
from mercer.data.splits import RecommendSplit
from mercer.evaluation import Scored, adjust, compare
from mercer.language import MiniLm
from mercer.language.decoders import ModelStore
from mercer.language.decoders.importing import SMOLLM2_NAME, import_model
from mercer.language.semantic_ids import SemanticCatalogue, VectorOptions
from mercer.language.semantic_ids.vectors import encode_items
from mercer.recommend.generative.catalogue import encoded_in_time, encoder_of
from mercer.training.memory import Memory

SEED = 1
METRICS = ("ndcg@10", "recall@10")
BRIEF = {"whole": "beauty", "small": "beauty", "retail": "online-retail-sequence"}
PRETRAINED, DRAWN = "cut-pretrained", "cut-drawn"
"""Names in the store of a run."""


@dataclass(frozen=True)
class Row:
    """options: over the defaults. over: the row of the table that it is compared with."""

    options: Mapping[str, Any]
    over: str = ""
    has_old_codebook: bool = False


RANDOM = {"ids": {"kind": "random"}}
ALONE = {"neighbours": 0.0, "shape": {"meaning": "tokens"}}
"""The decoder without what is counted, and without what is known of an item beside its tokens."""

WHOLE = {
    "default": Row({}),
    "random IDs": Row(RANDOM, "default"),
    "RQ-VAE": Row({"ids": {"kind": "rqvae"}}, "default"),
    "balanced": Row({"ids": {"codebook": {"levels": 2, "balance": 0.5}}}, "default"),
    "old codebook": Row({}, "default", has_old_codebook=True),
    "item rows": Row({"shape": {"meaning": "items"}}, "default"),
    "tokens": Row({"shape": {"meaning": "tokens"}}, "default"),
    "tokens, random IDs": Row({"shape": {"meaning": "tokens"}} | RANDOM, "tokens"),
    "no neighbours": Row({"neighbours": 0.0}, "default"),
    "alone": Row(ALONE, "default"),
    "alone, random IDs": Row(ALONE | RANDOM, "alone"),
    "alone, by level": Row(ALONE | {"tasks": {"normalised": "level"}}, "alone"),
    "gpt2": Row({"shape": {"family": "gpt2"}}, "default"),
    "mistral": Row({"shape": {"family": "mistral"}}, "default"),
}

FEW_BEAMS = {"beams": 20, "validation_rows": 250}
LARGE = FEW_BEAMS | {"epochs": 3, "batch_tokens": 1280, "learning_rate": 5e-4}
TITLES = {"epochs": 2, "tasks": {"text_to_item": 0.3}, "events": {"longest_text": 12}}
SCRATCH = LARGE | {"shape": {"start": DRAWN, "method": "full", "meaning": "vectors"}}
FULL = LARGE | {"shape": {"start": PRETRAINED, "method": "full", "meaning": "vectors"}}
LORA = LARGE | {"shape": {"start": PRETRAINED, "method": "lora", "meaning": "vectors"}, "learning_rate": 1e-3}

SMALL = {
    "from scratch": Row(SCRATCH),
    "pretrained, full": Row(FULL, "from scratch"),
    "pretrained, LoRA": Row(LORA, "pretrained, full"),
    "from scratch, no neighbours": Row(SCRATCH | {"neighbours": 0.0}, "from scratch"),
    "pretrained, full, no neighbours": Row(FULL | {"neighbours": 0.0}, "from scratch, no neighbours"),
    "from scratch, titles": Row(SCRATCH | TITLES, "from scratch"),
    "pretrained, full, titles": Row(FULL | TITLES, "from scratch, titles"),
    "pretrained, LoRA, titles": Row(LORA | TITLES, "pretrained, full, titles"),
    "128 wide, from scratch": Row(FEW_BEAMS, "from scratch"),
}

RETURNS = {"kinds": ("purchase", "return"), "kind_weights": {"return": 0.01}}
"""A return is read; it is not foretold, and what is counted hardly hears it."""

RETAIL = {
    "items": Row({}),
    "gap": Row({"events": {"fields": ("gap",)}}, "items"),
    "gap, calendar, amount": Row({"events": {"fields": ("gap", "calendar", "amount")}}, "items"),
    "kind, gap, calendar, amount, with returns": Row(
        RETURNS | {"events": {"fields": ("kind", "gap", "calendar", "amount")}}, "gap, calendar, amount"
    ),
}

TABLES = {"whole": WHOLE, "small": SMALL, "retail": RETAIL}
ROWS = {f"{table}/{name}": row for table, rows in TABLES.items() for name, row in rows.items()}


@dataclass(frozen=True)
class Run:
    """What was asked on the command line."""

    beauty: Path | None
    retail: Path | None
    keep: Path
    users: int
    epochs: int | None
    layers: int

    def options(self, name: str) -> dict[str, Any]:
        """Of a row."""
        short = {} if self.epochs is None else {"epochs": self.epochs}
        return {**ROWS[name].options, **short}

    def folder(self, name: str) -> Path:
        """Where a row is kept."""
        return self.keep / name.replace(", ", "-").replace(" ", "-")

    def asked(self, name: str) -> dict[str, Any]:
        """What decides the result of a row, as JSON holds it."""
        told = {"options": self.options(name), "users": self.users, "seed": SEED, "layers": self.layers}
        held: dict[str, Any] = json.loads(json.dumps(told))
        return held

    def data(self, name: str) -> Path | None:
        """The folder of a row's data, None where it was not given."""
        return self.retail if name.startswith("retail/") else self.beauty

    def kept(self, name: str) -> tuple[Scored, dict[str, Any]] | None:
        """What a finished row found, and its facts."""
        facts = self.folder(name) / "facts.json"
        if not facts.is_file():
            return None
        told = json.loads(facts.read_text("utf-8"))
        return (Scored.load(self.folder(name)), told) if told["asked"] == self.asked(name) else None


def judged(split: RecommendSplit, table: str, users: int) -> tuple[Dataset, Holdout, Holdout]:
    """What is fitted, what stops it, and the people who are judged."""
    test = split.test.take(np.sort(by_hash(split.test)[:users]))
    train, validation = split.train, split.validation
    if table == "small":
        assert train.interactions is not None
        names = set(test.units)
        there = [row for row, user in enumerate(train.interactions.users.ids) if user in names]
        train = replace(train, interactions=train.interactions.take(np.array(there)))
        held = [row for row, user in enumerate(validation.units) if user in names]
        validation = validation.take(np.array(held))
    return train, validation, test


@contextmanager
def old_codebook(train: Dataset) -> Iterator[None]:
    """While it lasts, `generative` gets IDs by a codebook that a tenth of the items came after."""

    def named(items: Any, vocabulary: Any, heard: Any, options: Any, **limits: Any) -> Any:  # noqa: ARG001
        encoded, notes = encoded_in_time(items, options, limits["runtime"], limits["seconds"])
        shop = Shop(train, encoded, encoder_of(options).fingerprint)
        hidden = hidden_of(shop)
        part: SemanticCatalogue = fitted(shop.only(~hidden), options.ids, limits["seed"])[0]
        return put_in(part, shop, hidden)[0], notes

    with patch("mercer.recommend.generative.ranker.named", named):
        yield


def cut(store: ModelStore, layers: int) -> None:
    """Put the first layers of SmolLM2 into a store, and the same architecture with weights drawn anew."""
    held = {model.card.name for model in store.list()}
    source = ModelStore().get(SMOLLM2_NAME).folder
    config = transformers.AutoConfig.from_pretrained(source, num_hidden_layers=layers)
    family: Any = transformers.AutoModelForCausalLM
    for name in (one for one in (PRETRAINED, DRAWN) if one not in held):
        if name == DRAWN:
            torch.manual_seed(SEED)
            model = family.from_config(config).half()
        else:
            model = family.from_pretrained(source, config=config, dtype=torch.float16, local_files_only=True)
        with TemporaryDirectory() as place:
            model.save_pretrained(place)
            for file in source.glob("tokenizer*.json"):
                shutil.copy(file, place)
            import_model(Path(place), name=name, store=store)


def mb(folder: Path) -> float:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) / 1e6


def measure(name: str, run: Run) -> None:
    """Fit one row, judge it, and keep what was found."""
    table, row, options = name.split("/", 1)[0], ROWS[name], run.options(name)
    [split] = load(BRIEF[table], run.data(name)).values()
    train, validation, test = judged(split, table, run.users)
    start = options.get("shape", {}).get("start")
    if start:
        store = ModelStore(run.keep / f"models-{run.layers}")
        cut(store, run.layers)
        os.environ["MERCER_MODELS"] = str(store.folder)
    encode_items(train.items, MiniLm(), VectorOptions(), budget=LONG)
    ranker = make("generative", options)
    with Memory(torch.device("cpu")) as memory:
        begun = time.process_time()
        if row.has_old_codebook:
            with old_codebook(train):
                ranker.fit(train, validation=validation, budget=LONG, seed=SEED, runtime=ONE)
        else:
            ranker.fit(train, validation=validation, budget=LONG, seed=SEED, runtime=ONE)
        seconds, mib = time.process_time() - begun, memory.peak_mib
    begun = time.process_time()
    found = scored(ranker, test)
    facts = {
        "asked": run.asked(name),
        "fit_seconds": seconds,
        "peak_mib": mib,
        "request_ms": 1000 * (time.process_time() - begun) / len(test),
        "epochs": ranker.training.epochs,
        "weights": ranker.training.weights,
    }
    with TemporaryDirectory() as place:
        ranker.save(Path(place))
        facts["saved_mb"] = mb(Path(place))
    if start and options["shape"]["method"] == "lora":
        facts["beside_mb"] = mb(store.get(start).folder)
    folder = run.folder(name)
    folder.mkdir(parents=True, exist_ok=True)
    found.save(folder)
    (folder / "facts.json").write_text(json.dumps(facts, indent=1), "utf-8")


def said(name: str, found: Scored, facts: Mapping[str, Any]) -> str:
    """One line: quality, time, memory, size."""
    beside = f" beside {facts['beside_mb']:.0f} MB of the store" if "beside_mb" in facts else ""
    return (
        f"{name}: {values(found, name)}  {len(found.units)} people; fit {facts['fit_seconds']:.0f} CPU s, "
        f"{facts['epochs']:g} epochs, {facts['weights']:,} weights learned, {facts['peak_mib']:.0f} MiB; "
        f"saved {facts['saved_mb']:.1f} MB{beside}; {facts['request_ms']:.1f} ms a request"
    )


def differences(table: str, rows: Mapping[str, Scored]) -> None:
    """Every row less the one that it is compared with, of those that are there."""
    pairs = [(name, row.over) for name, row in TABLES[table].items() if {name, row.over} <= rows.keys()]
    for metric in METRICS:
        for one in adjust(
            [
                compare(rows[a], rows[b], metric, names=(a, b), task="recommend", target=table)
                for a, b in pairs
            ]
        ):
            interval = f"{one.difference:+.4f} [{one.low:+.4f}, {one.high:+.4f}]"
            print(
                f"{table} {metric}: {one.a} over {one.b} {interval} p {one.p:.4f}, adjusted {one.p_adjusted:.4f}"
            )


def main() -> None:
    """Print a line a row as it is found, then the differences."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--beauty", type=Path)
    parser.add_argument("--retail", type=Path)
    parser.add_argument("--keep", type=Path, required=True)
    parser.add_argument("--only", nargs="+", default=list(ROWS), choices=list(ROWS), metavar="NAME")
    parser.add_argument("--users", type=int, default=4000)
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--layers", type=int, default=3)
    parser.add_argument("--one", choices=list(ROWS), help=argparse.SUPPRESS)
    given = parser.parse_args()
    run = Run(given.beauty, given.retail, given.keep, given.users, given.epochs, given.layers)
    logging.disable(logging.WARNING)
    torch.set_num_threads(1)
    if given.one:
        measure(given.one, run)
        return
    found: dict[str, dict[str, Scored]] = {table: {} for table in TABLES}
    for name in (one for one in given.only if run.data(one) is not None):
        if run.kept(name) is None:
            subprocess.run([sys.executable, __file__, *sys.argv[1:], "--one", name], check=True)
        kept = run.kept(name)
        assert kept is not None
        table, _, row = name.partition("/")
        found[table][row] = kept[0]
        print(said(name, *kept), flush=True)
    for table, rows in found.items():
        differences(table, rows)


if __name__ == "__main__":
    main()
