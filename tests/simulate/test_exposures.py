import numpy as np
import pandas as pd
import pytest

from mercer.simulate import Truth
from mercer.simulate.exposures import CANDIDATES, PLACES_SHOWN, POLICIES, looked_at, slot_propensity
from mercer.simulate.world import World


def test_propensities_of_all_candidates_at_a_position_sum_to_one() -> None:
    rng = np.random.default_rng(0)
    n, m = 50, 9
    ranks = np.stack([np.argsort(rng.random((n, m)), axis=1) for _ in range(3)])
    arms = rng.dirichlet([1, 1, 1], n)
    # As if candidate c were shown at every slot, one candidate after the other.
    total = sum(
        slot_propensity(ranks, arms, np.full((n, 4), candidate), np.full(n, m)) for candidate in range(m)
    )
    np.testing.assert_allclose(total, 1.0)


def test_a_hand_worked_propensity() -> None:
    # Two candidates; popularity puts 0 first, the guess puts 1 first; arms 0.5, 0.3, 0.2.
    ranks = np.array([[[0, 1]], [[1, 0]], [[0, 1]]])
    arms = np.array([[0.5, 0.3, 0.2]])
    chance = slot_propensity(ranks, arms, np.array([[0, 1]]), np.array([2]))
    np.testing.assert_allclose(chance, [[0.5 + 0.1, 0.5 + 0.1]])


def test_arms_of_each_policy_sum_to_one() -> None:
    assert all(sum(arms) == pytest.approx(1) for arms in POLICIES.values())


def test_candidates_differ_are_on_sale_and_suit_the_age_told(small_world: World) -> None:
    shown, people, catalogue = small_world.exposures, small_world.people, small_world.catalogue
    assert shown.eligible.shape[1] == CANDIDATES
    for row in range(0, len(shown.visit), 7):
        items = shown.eligible[row][shown.eligible[row] >= 0]
        visit = shown.visit[row]
        assert len(set(items.tolist())) == len(items) >= PLACES_SHOWN
        assert catalogue.on_sale(items, small_world.visits.clock[visit]).all()
        assert (catalogue.min_age[items] <= people.told_age[small_world.visits.user[visit]]).all()
        assert np.isin(shown.shown[row], items).all()


def test_inverse_propensities_count_the_candidates(shop) -> None:  # type: ignore[no-untyped-def]
    """E[1 / propensity] over what is shown at a position is the number of eligible items: logged = true."""
    requests = pd.read_parquet(shop / "requests.parquet")
    impressions = pd.read_parquet(shop / "impressions.parquet")
    eligible = requests.set_index("request")["eligible"].map(len)
    impressions = impressions.assign(
        weight=1 / impressions["propensity"], eligible=eligible.reindex(impressions["request"]).to_numpy()
    )
    policy = requests.set_index("request")["policy"].reindex(impressions["request"]).to_numpy()
    for _, part in impressions.groupby([policy, "position"]):
        enough = part["eligible"] >= part["position"]
        spread = (part["weight"] - part["eligible"]).std() / np.sqrt(len(part))
        assert enough.all()
        assert (
            abs(part["weight"].mean() - part["eligible"].mean()) < 4 * spread + 0.02 * part["eligible"].mean()
        )


def test_positions_bias_clicks_as_documented(shop) -> None:  # type: ignore[no-untyped-def]
    """Under the uniform policy, attraction does not depend on the position: click rates follow looked_at."""
    requests = pd.read_parquet(shop / "requests.parquet", columns=["request", "policy"])
    impressions = pd.read_parquet(shop / "impressions.parquet")
    outcomes = pd.read_parquet(shop / "outcomes.parquet")
    clicks = outcomes.loc[outcomes["kind"] == "click", ["request", "item"]].assign(clicked=1.0)
    shown = impressions.merge(requests[requests["policy"] == "uniform"], on="request")
    shown = shown.merge(clicks, on=["request", "item"], how="left").fillna({"clicked": 0.0})
    rate = shown.groupby("position")["clicked"].mean().to_numpy()
    np.testing.assert_allclose(rate / rate[0], looked_at(np.arange(1, 7)), rtol=0.25)


def test_click_probabilities_of_the_truth_are_those_that_were_drawn(shop, truth: Truth) -> None:  # type: ignore[no-untyped-def]
    requests = pd.read_parquet(shop / "requests.parquet")
    requests = requests[requests["query"].isna()].head(1500)
    impressions = pd.read_parquet(shop / "impressions.parquet").merge(
        requests[["request", "user"]], on="request"
    )
    outcomes = pd.read_parquet(shop / "outcomes.parquet")
    clicks = set(
        map(tuple, outcomes.loc[outcomes["kind"] == "click", ["request", "item"]].to_numpy().tolist())
    )
    chance, clicked = [], []
    for (_, user), rows in impressions.groupby(["request", "user"]):
        chance += truth.click_probability(user, rows["item"].tolist(), rows["position"].tolist()).tolist()
        clicked += [pair in clicks for pair in zip(rows["request"], rows["item"], strict=True)]
    p, y = np.array(chance), np.array(clicked)
    for rows in np.array_split(np.argsort(p, kind="stable"), 5):
        assert y[rows].mean() == pytest.approx(p[rows].mean(), abs=4 * np.sqrt(p[rows].mean() / len(rows)))


def test_purchases_come_from_clicks_in_visits_that_end_in_an_order(shop, events: pd.DataFrame) -> None:  # type: ignore[no-untyped-def]
    outcomes = pd.read_parquet(shop / "outcomes.parquet")
    requests = pd.read_parquet(shop / "requests.parquet", columns=["request", "session"])
    bought = outcomes[outcomes["kind"] == "purchase"].merge(requests, on="request")
    clicks = outcomes[outcomes["kind"] == "click"]
    assert len(bought) > 300
    assert bought.merge(clicks, on=["request", "item"]).shape[0] == len(bought)
    lines = events[events["kind"] == "purchase"]
    found = bought.merge(lines, on=["session", "item"], suffixes=("", "_event"))
    assert len(found) == len(bought)
    assert (found["time"] == found["time_event"]).all()
