"""How much of the personal data in a text is found, and how much of what is found is some.

    .venv/bin/python benchmarks/personal_data.py --data FOLDER [--shop FILE COLUMN]...

FOLDER holds synth_dataset_v2.json, made-up English texts with their spans (presidio-research, MIT). Texts made from
one template have one sentence around other values, so whole templates go into the half that the rules were tuned on or
into the one that is reported (by the MD5 of the template's number). `--half tune` shows the other one.

recall      of the true spans of a type, how many a find of the right kind overlaps; exact: covers with the same ends
precision   of the finds of a kind, how many overlap a true span of a type of that kind; exact likewise
Intervals are the wider of Wilson's over spans and a bootstrap over templates, 95 %.

--shop counts finds in the distinct texts of a column that should hold none, such as titles of products.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import binomtest

from mercer.brief import Source
from mercer.data.personal import KINDS, Kind, find_personal
from mercer.data.sources import read_frame

FILE = "synth_dataset_v2.json"
KIND_OF: dict[str, Kind] = {
    "CREDIT_CARD": "card",
    "IBAN_CODE": "iban",
    "US_SSN": "social-security",
    "US_DRIVER_LICENSE": "document",
    "EMAIL_ADDRESS": "email",
    "PHONE_NUMBER": "phone",
    "IP_ADDRESS": "ip",
    "DOMAIN_NAME": "url",
    "PERSON": "person",
    "STREET_ADDRESS": "address",
    "ZIP_CODE": "address",
}
"""Type of the data set to kind of ours; the types that are left out are not sought."""


@dataclass(frozen=True)
class Hit:
    """A true span or a find: of which template, its type or kind, and whether it was met."""

    template: int
    name: str
    overlaps: bool
    exact: bool


def half_of(template: int) -> str:
    """`tune` or `report`."""
    return "tune" if hashlib.md5(f"template {template}".encode()).digest()[-1] % 2 == 0 else "report"


def load(folder: Path, half: str) -> list[dict[str, Any]]:
    """The texts of a half."""
    texts: list[dict[str, Any]] = json.loads((folder / FILE).read_text("utf-8"))
    return [text for text in texts if half_of(text["template_id"]) == half]


def compare(texts: Sequence[dict[str, Any]]) -> tuple[list[Hit], list[Hit]]:
    """True spans and finds, each with whether the other side has it."""
    spans, finds = [], []
    for text in texts:
        true = [(s["entity_type"], s["start_position"], s["end_position"]) for s in text["spans"]]
        found = find_personal(text["full_text"])
        for name, start, end in true:
            right = [f for f in found if f.kind == KIND_OF.get(name) and f.start < end and start < f.end]
            exact = any((f.start, f.end) == (start, end) for f in right)
            spans.append(Hit(text["template_id"], name, bool(right), exact))
        for f in found:
            over = [(s, e) for n, s, e in true if KIND_OF.get(n) == f.kind and f.start < e and s < f.end]
            finds.append(Hit(text["template_id"], f.kind, bool(over), (f.start, f.end) in over))
    return spans, finds


def interval(hits: Sequence[Hit], which: str, seed: int = 1, draws: int = 2_000) -> tuple[float, float]:
    """The wider of Wilson's interval over hits and of a bootstrap over templates."""
    by_template: dict[int, list[bool]] = defaultdict(list)
    for hit in hits:
        by_template[hit.template].append(getattr(hit, which))
    good = np.array([sum(values) for values in by_template.values()])
    all_ = np.array([len(values) for values in by_template.values()])
    wilson = binomtest(int(good.sum()), int(all_.sum())).proportion_ci(method="wilson")
    drawn = np.random.default_rng(seed).integers(len(all_), size=(draws, len(all_)))
    low, high = np.quantile(good[drawn].sum(1) / all_[drawn].sum(1), [0.025, 0.975])
    return min(float(low), wilson.low), max(float(high), wilson.high)


def rows(hits: Sequence[Hit], names: Iterable[str]) -> Iterator[str]:
    """A table's rows: name, number, share that overlaps, share that is exact."""
    for name in names:
        of = [hit for hit in hits if hit.name == name]
        if of:
            cells = []
            for which in ("overlaps", "exact"):
                low, high = interval(of, which)
                cells.append(f"{np.mean([getattr(hit, which) for hit in of]):.3f} [{low:.3f}, {high:.3f}]")
            yield f"| {name} | {len(of)} | {cells[0]} | {cells[1]} |"


def show(texts: Sequence[dict[str, Any]], half: str) -> None:
    """Both tables."""
    start = time.perf_counter()
    spans, finds = compare(texts)
    took = time.perf_counter() - start
    templates = len({text["template_id"] for text in texts})
    print(
        f"{half} half: {len(texts)} texts of {templates} templates, {1000 * took / len(texts):.1f} ms a text\n"
    )
    head = "| n | overlap | exact |\n|---|---|---|---|"
    print(f"| recall of {head}")
    print(*rows(spans, KIND_OF), sep="\n")
    others = sorted({span.name for span in spans} - set(KIND_OF))
    print(f"\nnot sought: {', '.join(f'{n} ({sum(s.name == n for s in spans)})' for n in others)}\n")
    print(f"| precision of {head}")
    print(*rows(finds, KINDS), sep="\n")


def shop(file: Path, column: str) -> str:
    """Finds by kind in the distinct texts of a column."""
    texts = read_frame(Source(source=file.name), (file.parent,))[column].dropna().astype(str).unique()
    counts = dict.fromkeys(KINDS, 0)
    for text in texts:
        for kind in {one.kind for one in find_personal(text)}:
            counts[kind] += 1
    said = ", ".join(f"{n} with {kind}" for kind, n in counts.items() if n)
    return f"{file.name}, {column}: of {len(texts):,} distinct texts {said or 'none with a find'}"


def main() -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help=f"folder of {FILE}")
    parser.add_argument("--half", choices=("report", "tune"), default="report")
    parser.add_argument("--shop", nargs=2, action="append", default=[], metavar=("FILE", "COLUMN"))
    asked = parser.parse_args()
    show(load(asked.data, asked.half), asked.half)
    for file, column in asked.shop:
        print(f"\n{shop(Path(file), column)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
