"""Flat labelled examples in a run: what goes with the outcome, and how values spread."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from mercer.brief import Brief
from mercer.data.profile import outcome
from mercer.data.profile.columns import facts_of, quantiles, shapes
from mercer.data.profile.section import Section
from mercer.errors import DamagedError


def sections(folder: Path, brief: Brief) -> tuple[Section | None, ...]:
    """The outcome under its own name, quantiles and shapes; none without examples. Raises DamagedError."""
    place = folder / "examples.parquet"
    if not place.is_file():
        return ()
    try:
        frame = pq.read_table(place).to_pandas()
    except (OSError, pa.ArrowException) as fault:
        raise DamagedError("examples.parquet can't be read.", remedy="Clean the data again.") from fault
    source = brief.data.examples
    label = (source.label if source is not None else None) or "label"
    frame = frame.drop(columns=["unit", "as_of"], errors="ignore").rename(columns={"label": label})
    facts = [facts_of(str(name), frame[name]) for name in frame.columns]
    two = {fact.name: fact for fact in facts}[label].n_distinct == 2
    return outcome.section(facts, label) if two else None, quantiles(facts), shapes(facts)
