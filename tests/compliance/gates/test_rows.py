"""Gates over data rows: consent, retention, erasure, children, purposes, cards."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from compliance.shop import NOW
from mercer.brief import ColumnNote
from mercer.compliance import Evidence, check
from mercer.compliance.card_numbers import cards_in, issuer_of, luhn_valid, made_up
from mercer.compliance.gates.retention import last_use
from mercer.contracts import Finding

DAY = 86_400_000_000


def found(evidence: Evidence, rule: str) -> Finding:
    return next(one for one in check(evidence).findings if one.rule == rule)


def with_table(evidence: Evidence, name: str, frame: pd.DataFrame | None) -> Evidence:
    tables = {key: value for key, value in evidence.tables.items() if key != name}
    return replace(evidence, tables=tables if frame is None else {**tables, name: frame})


def test_consent_withdrawn_after_the_event_does_no_harm(clean: Evidence) -> None:
    event = clean.tables["events"].iloc[5]
    after = pd.DataFrame(
        {
            "user": [event["user"]],
            "purpose": ["recommendation"],
            "given": [False],
            "time": [np.datetime64(NOW, "us")],
        }
    )
    consents = pd.concat([clean.tables["consents"], after])

    assert found(with_table(clean, "consents", consents), "gdpr-consent").status == "PASS"
    before = consents.assign(time=consents["time"].where(consents["given"], event["time"]))
    assert found(with_table(clean, "consents", before), "gdpr-consent").status == "FAIL"


def test_person_without_an_entry_gave_no_consent(clean: Evidence) -> None:
    consents = clean.tables["consents"].iloc[1:]

    one = found(with_table(clean, "consents", consents), "gdpr-consent")

    assert one.status == "FAIL"
    assert one.measured == "8 training rows of 1 person without consent"
    assert one.offending[0]["why"] == "no consent on record"


def test_without_a_consents_table_consent_is_not_assessed(clean: Evidence) -> None:
    one = found(with_table(clean, "consents", None), "gdpr-consent")

    assert one.status == "NOT_ASSESSED"
    assert "no consents table" in one.because


def test_a_table_of_withdrawals_alone_says_that_consent_was_never_asked_for(clean: Evidence) -> None:
    consents = clean.tables["consents"].assign(purpose="objection", given=False)

    one = found(with_table(clean, "consents", consents), "gdpr-consent")

    assert one.status == "NOT_ASSESSED"
    assert "withdrawals alone" in one.because


def test_use_turns_old_the_day_after_its_limit(clean: Evidence) -> None:
    events = clean.tables["events"].copy()
    mask = events["user"] == events["user"].iloc[0]
    for days, status in ((730, "PASS"), (731, "FAIL")):
        events.loc[mask, "time"] = np.datetime64(NOW - days * DAY, "us")
        assert found(with_table(clean, "events", events), "glba-safeguards").status == status


def test_any_later_use_counts(clean: Evidence) -> None:
    events = clean.tables["events"].head(1).assign(user="old", time=np.datetime64(NOW - 900 * DAY, "us"))
    requests = pd.DataFrame(
        {"request": ["r"], "user": ["old"], "time": [np.datetime64(NOW - DAY, "us")], "query": ["bowl"]}
    )
    evidence = replace(clean, tables={"events": events, "requests": requests})

    assert last_use(evidence).tolist() == [NOW - DAY]


def test_forgotten_person_is_found_wherever_they_are(clean: Evidence) -> None:
    class One:
        def contains(self, ids: list[str]) -> np.ndarray:
            return np.array([external == "person0003@shop.test" for external in ids])

    one = found(replace(clean, suppression=One()), "gdpr-erase")
    places = {row["found_in"] for row in one.offending}

    assert places == {
        "events.user", "users.user", "consents.user", "training rows.user", "histories",
        "features of repurchase", "scores of repurchase",
    }  # fmt: skip
    assert one.measured.startswith("1 forgotten person found in 7 places")


def test_children_are_those_known_to_be_under_thirteen(clean: Evidence) -> None:
    users = clean.tables["users"].copy()
    users["age"] = users["age"].astype(float)
    users.loc[:9, "age"] = [13, 13.0, np.nan, 14, 20, 20, 20, 20, 20, 20]
    assert found(with_table(clean, "users", users), "minors").status == "PASS"
    users.loc[0, "age"] = 12

    one = found(with_table(clean, "users", users), "minors")

    assert one.status == "FAIL"
    assert one.measured.startswith("8 training rows of known children under 13; 8 of 1920 rows of unknown")


def test_column_without_a_shared_purpose_fails(clean: Evidence) -> None:
    for purposes, status in ((["analytics", "billing"], "PASS"), (["billing"], "FAIL"), ([], "FAIL")):
        columns = {"amount_minor": ColumnNote(purposes=purposes)}
        evidence = replace(clean, brief=clean.brief.model_copy(update={"columns": columns}))
        assert found(evidence, "gdpr-purpose").status == status


def test_only_mapped_columns_are_in_use(clean: Evidence) -> None:
    source = clean.brief.data.sources["users"].model_copy(update={"map": {"user": "CustomerID"}})
    data = clean.brief.data.model_copy(update={"users": source})
    columns = {"age": ColumnNote(purposes=["billing"])}
    brief = clean.brief.model_copy(update={"data": data, "columns": columns})
    assert found(replace(clean, brief=brief), "gdpr-purpose").status == "PASS"
    columns = {"CustomerID": ColumnNote(purposes=["billing"])}
    brief = brief.model_copy(update={"columns": columns})

    one = found(replace(clean, brief=brief), "gdpr-purpose")

    assert one.status == "FAIL"
    assert one.offending[0]["column"] == "CustomerID"


@pytest.mark.parametrize(
    ("number", "issuer"),
    [
        ("4111111111111111", "visa"),
        ("5500005555555559", "mastercard"),
        ("2221000000000009", "mastercard"),
        ("2720990000000007", "mastercard"),
        ("378282246310005", "american express"),
        ("6011111111111117", "discover"),
        ("3530111333300000", "jcb"),
        ("30569309025904", "diners club"),
        ("4111111111111112", ""),
        ("1234567890123452", ""),
        ("2720000000000005", "mastercard"),
        ("2721000000000004", ""),
    ],
)
def test_public_test_numbers_are_told_by_issuer(number: str, issuer: str) -> None:
    assert issuer_of(number) == issuer


def test_numbers_are_found_in_groups_and_not_inside_longer_ones() -> None:
    assert list(cards_in("pay 4111 1111-1111 1111 now")) == ["visa"]
    assert list(cards_in("id 99411111111111111199")) == []
    assert list(cards_in("price 12.4111111111111111")) == []
    assert list(cards_in("walnut bowl, 30 cm")) == []
    assert all(list(cards_in(sentence)) for sentence in made_up())


def test_luhn_catches_every_single_digit_error() -> None:
    number = "4111111111111111"
    for place in range(16):
        for digit in "0123456789":
            wrong = number[:place] + digit + number[place + 1 :]
            assert luhn_valid(wrong) == (wrong == number)


def test_card_finding_never_shows_the_number(clean: Evidence) -> None:
    judgments = clean.tables["judgments"].assign(query=["4111 1111 1111 1111", "bowl", "table"])

    one = found(with_table(clean, "judgments", judgments), "pci-data")

    assert one.status == "FAIL"
    assert one.offending == ({"table": "judgments", "column": "query", "row": "0", "looks_like": "visa"},)


def test_blind_detector_is_not_a_pass(clean: Evidence, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mercer.compliance.gates.cards.cards_in", lambda text: iter(()))

    one = found(clean, "pci-data")

    assert one.status == "NOT_ASSESSED"
    assert "0%" in str(one.measured)
