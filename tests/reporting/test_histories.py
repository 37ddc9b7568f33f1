from __future__ import annotations

from pathlib import Path

import pandas as pd

from mercer.brief import Brief
from mercer.evaluation import Scored
from mercer.reporting.histories import Histories, histories_of
from mercer.reporting.run_files import RunFiles
from reporting.small_run import BRIEF


def histories(run: Path) -> Histories:
    found = histories_of(RunFiles.load(run))
    assert isinstance(found, Histories)
    return found


def test_ten_customers_with_both_lists(whole_run: Path) -> None:
    found = histories(whole_run)
    assert (found.old_model, found.new_model) == ("most-popular", "item-knn")
    assert [person.name for person in found.shown] == [f"Customer {letter}" for letter in "ABCDEFGHIJ"]
    assert all(len(person.old) == len(person.new) == 5 for person in found.shown)
    assert len({tuple(p.title for p in person.new) for person in found.shown}) > 1


def test_what_was_known_after_the_cut_is_not_shown(run: Path) -> None:
    events = pd.read_parquet(run / "data" / "events.parquet")
    late = events.assign(event=events["event"] + "x", item="i001", time=pd.Timestamp("2026-07-02"),
                         known_at=pd.Timestamp("2026-07-02"))  # fmt: skip
    before = histories(run)
    pd.concat([events, late]).to_parquet(run / "data" / "events.parquet")
    assert histories(run) == before


def test_the_latest_item_comes_first_and_none_twice(run: Path) -> None:
    events = pd.read_parquet(run / "data" / "events.parquet")
    last = events.assign(event=events["event"] + "x", item="i059", time=pd.Timestamp("2026-06-30"),
                         known_at=pd.Timestamp("2026-06-30"))  # fmt: skip
    pd.concat([last, events, last]).to_parquet(run / "data" / "events.parquet")
    assert {person.history[0] for person in histories(run).shown} == {"Pearl cake stand"}
    assert all(len(set(person.history)) == len(person.history) for person in histories(run).shown)


def test_hits_are_marked_in_both_lists(whole_run: Path) -> None:
    found = histories(whole_run)
    scored = Scored.load(whole_run / "scores" / "next-item" / "item-knn.test.train.parquet")
    hits = sum(place.relevant for person in found.shown for place in person.new)
    assert hits == sum(any(place.relevant for place in person.new) for person in found.shown)
    assert 0 < hits <= 10
    assert scored.lists is not None


def test_a_decision_on_a_prediction_still_shows_the_lists_at_hand(run: Path) -> None:
    brief = BRIEF.replace("target: next-item", "target: spend").replace(
        "against: most-popular", "against: past-rate"
    )
    (run / "brief.yaml").write_text(Brief.parse(brief).dump(), "utf-8")
    found = histories(run)
    assert (found.target, found.new_model) == ("next-item", "item-knn")


def test_a_brief_without_lists_says_so(run: Path) -> None:
    lines = [line for line in BRIEF.splitlines() if not line.startswith("  next-item:")]
    brief = "\n".join(lines).replace("target: next-item", "target: spend")
    (run / "brief.yaml").write_text(Brief.parse(brief).dump(), "utf-8")
    assert histories_of(RunFiles.load(run)) == "The brief has no target that makes lists."
