from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mercer.serving import OnlineState
from mercer.serving.state import Consent, Event, Exposure, PredictionRecord
from mercer.testing.stores import ErasableContract

EVENT = Event(event="e", user="", item="a", time=1, known_at=1, kind="purchase", basket="b")
SHOWN = Exposure(
    request="",
    user="",
    time=5,
    query="chair",
    session=None,
    policy="p",
    release="r",
    context={},
    eligible=np.ones(2, bool),
    items=["a"],
    propensity=[1.0],
)


def fill(state: OnlineState, user: str) -> None:
    state.events.add([replace(EVENT, event=f"{n}-{len(user)}", user=user) for n in range(3)])
    state.people.say([Consent(user, "objection", given=True, time=3)])
    state.exposures.record(replace(SHOWN, request=f"q-{len(user)}", user=user))
    state.exposures.record_prediction(
        PredictionRecord(
            request=f"p-{len(user)}",
            user=user,
            time=5,
            as_of=5,
            policy="p",
            release="r",
            context={},
            value=0.5,
            low=0.1,
            high=0.9,
            reasons=[{"feature": "f"}],
        )
    )


class TestOnlineState(ErasableContract):
    @pytest.fixture
    def store(self, state: OnlineState) -> OnlineState:
        fill(state, self.user)
        fill(state, self.other)
        return state

    @pytest.fixture
    def files(self, tmp_path: Path) -> Path:
        return tmp_path / "state"


def test_everything_held_is_told(state: OnlineState) -> None:
    fill(state, "u")
    held = state.held("u")
    assert {name: len(rows) for name, rows in held.items()} == {
        "events": 3,
        "people": 0,
        "consents": 1,
        "requests": 1,
        "predictions": 1,
        "impressions": 1,
    }
    assert held["impressions"][0]["item"] == "a"


def test_answers_shown_to_the_user_go_with_the_user(state: OnlineState) -> None:
    fill(state, "u")
    fill(state, "vv")
    assert state.erase("u") == 3 + 1 + 1 + 1 + 1
    assert state.exposures.tables()["impressions"].num_rows == 1
