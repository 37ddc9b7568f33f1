"""init, check, data, doctor, demo: what one types before any training."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from flow.house import House

from cli.typed import Typed
from mercer.brief import Brief
from mercer.compliance import FAULTS


@pytest.fixture
def csv(house: House, tmp_path: Path) -> Path:
    """The shop's purchases as a merchant would export them: own names, no zone, no currency."""
    events = pd.read_parquet(house.folder / "data" / "events.parquet")
    bought = events.loc[
        events["kind"] == "purchase", ["event", "user", "item", "time", "quantity", "amount_minor"]
    ]
    place = tmp_path / "orders.csv"
    bought.assign(amount_minor=bought["amount_minor"] / 100).rename(
        columns={
            "event": "line_id",
            "user": "customer_id",
            "item": "sku",
            "time": "order_date",
            "amount_minor": "line_total",
        }
    ).to_csv(place, index=False)
    return place


def test_init_writes_a_brief_that_check_reads(mercer: Typed, csv: Path) -> None:
    made = mercer("init", csv, "--yes")
    assert made.code == 0, made.err
    brief = csv.with_suffix(".brief.yaml")
    assert f"Brief: {brief}" in made.out
    mapped = Brief.load(brief).data.events
    assert mapped is not None
    assert {"user": "customer_id", "item": "sku", "time": "order_date"}.items() <= mapped.map.items()
    checked = mercer("check", brief)
    assert checked.code == 0, checked.err
    assert "quarantined" in checked.out
    assert "next-item" in checked.out
    assert "least difference" in checked.out
    told = json.loads(mercer("check", brief, "--json").out)
    assert told["accounting"]["tables"]["events"]["read"] == len(pd.read_csv(csv))
    assert {one["target"] for one in told["targets"]} == {"next-item", "repurchase"}


def test_init_replaces_no_brief_unasked(mercer: Typed, csv: Path) -> None:
    assert mercer("init", csv, "--yes").code == 0
    brief = csv.with_suffix(".brief.yaml")
    brief.write_text("mine")
    said = mercer("init", csv, "--yes")
    assert said.code == 2
    assert "--force" in said.sentence
    assert brief.read_text() == "mine"
    assert mercer("init", csv, "--yes", "--force").code == 0
    assert brief.read_text() != "mine"


def test_check_of_the_small_shop(mercer: Typed, house: House, house_cache: Path) -> None:
    said = mercer("check", house.brief_file)
    assert said.code == 0
    for target in house.brief.targets:
        assert target in said.out
    assert "missing-user" in said.out


def test_profile_of_a_file(mercer: Typed, csv: Path, tmp_path: Path) -> None:
    page = tmp_path / "profile.html"
    said = mercer("data", "profile", csv, "--out", page)
    assert said.code == 0, said.err
    text = page.read_text("utf-8")
    assert "customer_id" in text
    assert "http://" not in text.replace("http://www.w3.org", "")


def test_clean_stops_after_the_data(mercer: Typed, house: House, house_cache: Path, tmp_path: Path) -> None:
    said = mercer("data", "clean", house.brief_file, "--out", tmp_path / "cleaned")
    assert said.code == 0, said.err
    assert (tmp_path / "cleaned" / "data" / "accounting.json").is_file()
    assert not (tmp_path / "cleaned" / "models").exists()


def test_doctor_finds_this_installation_whole(mercer: Typed) -> None:
    said = mercer("doctor", "--json")
    assert said.code == 0
    told = {row["part"]: row for row in json.loads(said.out)}
    assert told["duckdb"]["state"] == "ok"
    assert told["cache"]["state"] == "ok"
    assert "python" in mercer("doctor").out


def test_doctor_without_a_cache_says_how_to_mend_it(mercer: Typed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MERCER_ENCODERS", "/proc/none")
    said = mercer("doctor")
    assert said.code == 2
    assert "make setup" in said.out


def test_faults_are_listed(mercer: Typed) -> None:
    said = mercer("demo", "--faults")
    assert said.code == 0
    for name, fault in FAULTS.items():
        assert name in said.out
        assert fault.rule in said.out
