"""Failed gates and the day's most adverse predictions become cases, and nothing else does."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd

from compliance.shop import NOW, people
from mercer.compliance import (
    CaseStore,
    Evidence,
    NewCase,
    cases_from_findings,
    cases_from_predictions,
    check,
    most_adverse,
    plant,
)
from mercer.contracts import Reason

LATEST = int(np.datetime64("2026-07-01", "us").astype(np.int64))


def predictions() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "unit": ["a", "b", "c", "d", "old"],
            "cluster": ["a", "b", "c", "d", "old"],
            "as_of": [LATEST] * 4 + [LATEST - 1],
            "value": [0.5, 0.1, 0.9, 0.1, 0.0],
        }
    )


def test_clean_report_opens_no_case(clean: Evidence) -> None:
    assert cases_from_findings(check(clean), NOW) == []


def test_failed_gate_opens_one_case_without_any_persons_id(clean: Evidence, tmp_path: Path) -> None:
    report = check(plant("consent", clean))
    store = CaseStore(f"sqlite:///{tmp_path / 'cases.db'}")

    first = store.open(cases_from_findings(report, NOW))
    again = store.open(cases_from_findings(check(plant("consent", clean)), NOW + 1))

    assert first == again == ["case-000001"]
    (case,) = store.list(kind="failed-gate")
    assert case.rule == "gdpr-consent"
    told = json.dumps(case.to_json())
    assert "training rows" in told
    assert not any(person in told for person in people())


def test_most_adverse_is_the_latest_days_worst_within_capacity() -> None:
    assert most_adverse(predictions(), 2, "low").tolist() == [1, 3]
    assert most_adverse(predictions(), 2, "high").tolist() == [2, 0]
    assert most_adverse(predictions(), 0, "low").tolist() == []
    assert most_adverse(predictions().iloc[:0], 3, "low").tolist() == []


def test_predictions_open_cases_with_their_reasons(clean: Evidence) -> None:
    target = clean.behavior_targets["repurchase"]
    asked: list[list[int]] = []

    def reasons(rows):  # type: ignore[no-untyped-def]
        asked.append(rows.tolist())
        assert clean.candidate is not None
        return clean.candidate.explain("repurchase", clean.snapshots["repurchase"].take(rows))

    cases = cases_from_predictions(
        "repurchase",
        clean.predictions["repurchase"],
        reasons,
        3,
        NOW,
        adverse=target.adverse,
        effect=target.effect,
    )

    assert len(cases) == 3
    assert len(asked) == 1
    assert [case.subject for case in cases] == [people()[row] for row in asked[0]]
    assert cases[0].kind == "adverse-decision"
    assert cases[0].reasons[0]["feature"] == "recency_days"
    assert cases[0].opened == datetime(2026, 10, 1, 23, 59, 59, 999999, UTC)


def test_reasons_may_come_for_every_row() -> None:
    told = [[Reason("f", float(row), 1.0, "a feature")] for row in range(5)]

    (case,) = cases_from_predictions("repurchase", predictions(), told, 1, NOW, adverse="high")

    assert case.reasons[0]["value"] == 2.0


def test_a_new_case_survives_json(clean: Evidence) -> None:
    cases = cases_from_findings(check(plant("consent", clean)), NOW)

    assert [NewCase.from_json(json.loads(json.dumps(case.to_json()))) for case in cases] == cases


def test_target_without_effect_opens_alerts() -> None:
    (case,) = cases_from_predictions("repurchase", predictions(), None, 1, NOW)

    assert (case.kind, case.subject, case.score, case.reasons) == ("alert", "b", 0.1, ())
