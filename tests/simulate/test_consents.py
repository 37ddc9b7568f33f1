import numpy as np
import pandas as pd
import pytest

from mercer.simulate.consents import draw_consents
from mercer.simulate.options import stream
from mercer.simulate.world import World


@pytest.fixture(scope="module")
def entries(shop) -> pd.DataFrame:  # type: ignore[no-untyped-def]
    return pd.read_parquet(shop / "consents.parquet")


def test_everybody_was_asked_before_the_first_visit(small_world: World) -> None:
    consents = small_world.consents
    first = np.full(300, np.iinfo(np.int64).max)
    np.minimum.at(first, small_world.events.user, small_world.events.time)
    asked = np.full(300, np.iinfo(np.int64).max)
    rows = consents.purpose == 0
    np.minimum.at(asked, consents.user[rows], consents.time[rows])
    assert (asked <= first).all()


def test_consent_is_given_refused_withdrawn_and_given_again(entries: pd.DataFrame) -> None:
    asked = entries[entries["purpose"] == "recommendation"].sort_values("time")
    first = asked.groupby("user")["given"].first()
    n = asked.groupby("user").size()
    assert 0.85 < first.mean() < 0.96
    assert (n == 2).sum() > 100
    assert (n == 3).sum() > 20
    again = asked[asked["user"].isin(n.index[n == 3])].groupby("user")["given"].agg(list)
    assert all(history == [True, False, True] for history in again)


def test_objections_and_browser_opt_outs_are_withdrawals(entries: pd.DataFrame, shop) -> None:  # type: ignore[no-untyped-def]
    users = pd.read_parquet(shop / "users.parquet").set_index("user")
    objections = entries[entries["purpose"] == "objection"]
    opt_outs = entries[entries["purpose"] == "opt-out"]
    assert len(objections) > 40
    assert objections["given"].all()
    assert len(opt_outs) > 30
    assert users.loc[opt_outs["user"], "jurisdiction"].str.startswith("US").all()


def test_no_entry_lies_after_the_log(small_world: World) -> None:
    assert (small_world.consents.time < small_world.calendar.end_us).all()
    again = draw_consents(small_world.people, small_world.calendar, stream(1, "consents"))
    assert again.time.tolist() == small_world.consents.time.tolist()
