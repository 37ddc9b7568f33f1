import pandas as pd
import pytest


@pytest.fixture(scope="module")
def payments(shop) -> pd.DataFrame:  # type: ignore[no-untyped-def]
    return pd.read_parquet(shop / "payments.parquet")


def test_every_order_is_paid_once_at_its_amount(payments: pd.DataFrame, purchases: pd.DataFrame) -> None:
    orders = purchases.groupby("basket").agg(payer=("user", "first"), amount_minor=("amount_minor", "sum"))
    paid = payments.groupby(["payer", "amount_minor"]).size()
    owed = orders.groupby(["payer", "amount_minor"]).size()
    assert (paid.reindex(owed.index).fillna(0) >= owed).all()
    assert len(orders) < len(payments) < 1.05 * len(orders)


def test_fraud_is_rare_and_its_labels_come_late_or_not_at_all(payments: pd.DataFrame) -> None:
    known = payments["label"].notna()
    assert 0.003 < payments.loc[known, "label"].astype(bool).mean() < 0.02
    assert known.mean() < 0.95
    delay = payments.loc[known, "label_known_at"] - payments.loc[known, "time"]
    assert delay.min() >= pd.Timedelta(days=2)
    assert (payments.loc[known, "label_known_at"] < pd.Timestamp("2026-10-01")).all()
    assert payments.loc[~known, "label_known_at"].isna().all()


def test_the_three_patterns_are_there(payments: pd.DataFrame) -> None:
    fraud = payments[payments["label"].fillna(value=False).astype(bool)].sort_values(["payer", "time"])
    small = fraud[fraud["amount_minor"] < 500]
    bursts = small.groupby("payer")["time"].agg(lambda t: (t.max() - t.min()).total_seconds() / 60)
    assert (bursts < 15).sum() >= 3
    night = fraud[(fraud["amount_minor"] >= 25_000) & fraud["time"].dt.hour.between(1, 4)]
    assert len(night) >= 5
    by_payee = fraud[fraud["amount_minor"].between(500, 25_000)].groupby("payee").size()
    assert by_payee.max() >= 3


def test_instruments_are_tokens_and_no_numbers(payments: pd.DataFrame) -> None:
    assert payments["instrument"].str.fullmatch(r"tok_[a-z]{12}").all()
