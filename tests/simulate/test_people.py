import json

import pandas as pd
import pytest


@pytest.fixture(scope="module")
def users(shop) -> pd.DataFrame:  # type: ignore[no-untyped-def]
    return pd.read_parquet(shop / "users.parquet")


def test_every_jurisdiction_has_customers(users: pd.DataFrame) -> None:
    counts = users["jurisdiction"].value_counts()
    assert set(counts.index) == {"EU", "UK", "US", "US-CA", "US-CO", "US-NY"}
    assert counts.min() >= 100


def test_some_ages_are_unknown_and_a_few_are_of_children(users: pd.DataFrame) -> None:
    assert 0.10 < users["age"].isna().mean() < 0.18
    assert 3 <= (users["age"] < 13).sum() <= 25
    assert (users["age"] < 18).sum() > (users["age"] < 13).sum()


def test_protected_attributes_are_in_the_json_of_adults_who_answered_alone(users: pd.DataFrame) -> None:
    assert set(users.columns) == {"user", "jurisdiction", "age", "attributes"}
    told = [json.loads(text) for text in users["attributes"]]
    answered = pd.Series(["ethnicity" in record for record in told])
    assert 0.3 < answered.mean() < 0.6
    assert not answered[users["age"] < 18].any()
    assert all(set(record) <= {"tier", "newsletter", "sex", "ethnicity"} for record in told)


def test_ids_are_those_of_accounts_and_each_is_one_person(users: pd.DataFrame) -> None:
    assert users["user"].is_unique
    assert users["user"].str.fullmatch(r"c\d{6}").all()
