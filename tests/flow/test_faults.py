"""Every fault that can be planted: its gate fails, the page says why and what to do, and nothing is released."""

from __future__ import annotations

import html
from pathlib import Path

import pytest

import mercer
from flow.house import House, steps_done
from mercer.compliance import FAULTS
from mercer.errors import NotFoundError


@pytest.mark.parametrize("name", sorted(FAULTS))
def test_a_planted_violation_stops_the_release(house: House, tmp_path: Path, name: str) -> None:
    fault = FAULTS[name]
    run = mercer.run(house.brief_file, tmp_path / "run", fault=name)
    assert run.exit_code == 1
    assert steps_done(run) == ["gates", "report"]
    assert run.gates is not None
    assert run.gates["verdict"] == "fail"
    [finding] = [one for one in run.gates["findings"] if one["rule"] == fault.rule]
    assert finding["status"] == "FAIL"
    assert finding["blocks"]
    assert finding["examined"] > 0
    assert finding["offending"]
    assert finding["measured"]
    assert run.page is not None
    page = html.unescape(run.page.read_text("utf-8"))
    assert fault.rule in page
    assert finding["measured"] in page
    assert finding["remedy"]
    assert finding["remedy"] in page
    assert run.release is None
    assert run.manifest["fault"] == name
    assert run.summary()["decision"]["verdict"] == "do-not-ship"


def test_a_fault_can_be_named_by_its_rule(house: House, tmp_path: Path) -> None:
    fault = next(iter(FAULTS.values()))
    run = mercer.run(house.brief_file, tmp_path / "run", fault=fault.rule, until="gate")
    assert run.manifest["fault"] == fault.name


def test_after_a_fault_the_same_folder_is_released_again(house: House, tmp_path: Path) -> None:
    mercer.run(house.brief_file, tmp_path / "run", fault="consent")
    run = mercer.run(house.brief_file, tmp_path / "run")
    assert run.exit_code == 0
    assert run.release is not None
    assert run.manifest["fault"] is None


def test_an_unknown_fault_names_the_nearest(house: House, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="consent"):
        mercer.run(house.brief_file, tmp_path / "run", fault="consemt")
    assert not (tmp_path / "run").exists()
