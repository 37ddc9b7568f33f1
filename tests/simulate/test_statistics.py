"""The shop against a real one, and whether there is something to learn from it.

Real: UCI Online Retail, purchases with a customer, one line an order and code.
"""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from conftest import shared_data

from mercer.simulate import Truth
from mercer.simulate.season import microseconds

DAY = np.timedelta64(1, "D")
Statistic = Callable[[pd.DataFrame], float]


def gini(counts: np.ndarray) -> float:
    ordered = np.sort(counts)
    n = len(ordered)
    return float((2 * np.arange(1, n + 1) - n - 1) @ ordered / (n * ordered.sum()))


def orders_of(lines: pd.DataFrame) -> pd.DataFrame:
    return lines.groupby("basket").agg(user=("user", "first"), time=("time", "min"), n=("item", "nunique"))


def gaps(lines: pd.DataFrame) -> pd.Series:
    orders = orders_of(lines).sort_values(["user", "time"])
    return (orders.groupby("user")["time"].diff().dropna() / DAY).astype(float)


STATISTICS: dict[str, Statistic] = {
    "concentration of sales over items (Gini)": lambda d: gini(d.groupby("item").size().to_numpy()),
    "share of the best tenth of items": lambda d: float(
        d.groupby("item").size().nlargest(d["item"].nunique() // 10).sum() / len(d)
    ),
    "concentration of orders over customers (Gini)": lambda d: gini(
        orders_of(d).groupby("user").size().to_numpy()
    ),
    "orders per customer": lambda d: len(orders_of(d)) / d["user"].nunique(),
    "customers who order again": lambda d: float((orders_of(d).groupby("user").size() > 1).mean()),
    "mean lines of a basket": lambda d: float(orders_of(d)["n"].mean()),
    "median lines of a basket": lambda d: float(orders_of(d)["n"].median()),
    "mean days between orders": lambda d: float(gaps(d).mean()),
    "median days between orders": lambda d: float(gaps(d).median()),
    "lines bought before": lambda d: float(d.sort_values("time").duplicated(["user", "item"]).mean()),
}


@pytest.fixture(scope="module")
def real() -> pd.DataFrame:
    rows = pd.read_parquet(shared_data("online-retail") / "online_retail.parquet")
    rows = rows[rows["CustomerID"].notna() & (rows["Quantity"] > 0) & (rows["UnitPrice"] > 0)]
    names = {"InvoiceNo": "basket", "StockCode": "item", "InvoiceDate": "time", "CustomerID": "user"}
    return rows.rename(columns=names).drop_duplicates(["basket", "item"])


@pytest.mark.parametrize("name", STATISTICS)
def test_statistics_lie_within_a_factor_of_two_of_a_real_shop(
    name: str, real: pd.DataFrame, purchases: pd.DataFrame
) -> None:
    ratio = STATISTICS[name](purchases) / STATISTICS[name](real)
    assert 0.5 < ratio < 2.0


def test_winter_sells_what_summer_does_not(purchases: pd.DataFrame, truth: Truth) -> None:
    kind = dict(zip(truth.items, truth.catalogue.kind_of.tolist(), strict=True))
    number = truth.catalogue.assortment.number
    month = purchases["time"].dt.month
    sold = purchases["item"].map(kind)
    crackers, charcoal = sold == number["Christmas Crackers"], sold == number["Charcoal"]
    assert month[crackers].isin([11, 12]).mean() > 0.6
    assert month[charcoal].isin([5, 6, 7, 8]).mean() > 0.6


def test_what_goes_together_is_bought_together(purchases: pd.DataFrame, truth: Truth) -> None:
    kind = dict(zip(truth.items, truth.catalogue.kind_of.tolist(), strict=True))
    number = truth.catalogue.assortment.number
    types = purchases.assign(type=purchases["item"].map(kind)).drop_duplicates(["basket", "type"])
    n = types["basket"].nunique()
    gin = set(types.loc[types["type"] == number["Gin"], "basket"])
    tonic = set(types.loc[types["type"] == number["Tonic Water"], "basket"])
    assert len(gin & tonic) > 2 * len(gin) * len(tonic) / n


def test_neighbours_beat_popularity_for_new_items_by_hits_and_by_the_truth(
    purchases: pd.DataFrame, truth: Truth
) -> None:
    """Cosine neighbours of co-bought items against popularity, ten items each, the first order after the cut."""
    cut = pd.Timestamp("2026-08-01")
    code = {item: number for number, item in enumerate(truth.items)}
    rows = purchases.assign(item=purchases["item"].map(code))
    past, later = rows[rows["time"] < cut], rows[rows["time"] >= cut]
    first = later[later["basket"].isin(later.sort_values("time").drop_duplicates("user")["basket"])]
    users = sorted(set(past["user"]) & set(first["user"]))
    place = {user: number for number, user in enumerate(users)}
    everybody = {user: number for number, user in enumerate(sorted(set(past["user"])))}
    bought = np.zeros((len(everybody), len(truth.items)), np.float32)
    bought[past["user"].map(everybody), past["item"]] = 1
    norm = np.sqrt(bought.sum(axis=0)) + 3.0
    alike = (bought.T @ bought) / norm / norm[:, None]
    np.fill_diagonal(alike, 0)
    history = bought[[everybody[user] for user in users]]
    scores = {"neighbours": history @ alike, "popular": np.tile(bought.sum(axis=0), (len(users), 1))}
    relevant = np.zeros(history.shape, bool)
    own = first[first["user"].isin(users)]
    relevant[own["user"].map(place), own["item"]] = True
    relevant &= history == 0
    hits, worth = {}, {}
    for name, score in scores.items():
        top = np.argsort(-np.where(history > 0, -np.inf, score), axis=1, kind="stable")[:, :10]
        hits[name] = np.take_along_axis(relevant, top, axis=1).mean()
        lists = [[truth.items[item] for item in row] for row in top]
        worth[name] = truth.value_of(users, lists, microseconds(cut.date()), repeats=False).mean()
    assert len(users) > 800
    assert hits["neighbours"] > 1.3 * hits["popular"]
    assert worth["neighbours"] > 1.3 * worth["popular"]


def test_recency_and_frequency_predict_repurchase_well_but_not_perfectly(
    purchases: pd.DataFrame, truth: Truth
) -> None:
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score

    def examples(origin: str) -> tuple[np.ndarray, np.ndarray, list[str]]:
        cut = pd.Timestamp(origin)
        past = purchases[purchases["time"] < cut]
        orders = past.groupby("user").agg(
            last=("time", "max"), n=("basket", "nunique"), first=("time", "min")
        )
        features = np.column_stack(
            [np.log1p((cut - orders[c]) / DAY) for c in ("last", "first")] + [np.log(orders["n"])]
        )
        window = purchases[(purchases["time"] >= cut) & (purchases["time"] < cut + pd.Timedelta(days=60))]
        return features, orders.index.isin(window["user"]), list(orders.index)

    x, y, _ = examples("2026-05-01")
    model = LogisticRegression().fit(x, y)
    x, y, users = examples("2026-08-01")
    predicted = model.predict_proba(x)[:, 1]
    true = truth.repurchase(users, microseconds(pd.Timestamp("2026-08-01").date()), 60)
    assert 0.70 < roc_auc_score(y, predicted) < roc_auc_score(y, true) < 0.9
    assert np.abs(predicted - true).mean() < np.abs(y.mean() - true).mean() - 0.04
