"""The model picked most often, and what decides where two are picked as often."""

from __future__ import annotations

from mercer.pipeline.folds import most_picked

GOODNESS = {"simple": 0.3, "better": 0.5, "equal": 0.5}


def test_the_model_picked_in_most_folds_is_selected_whatever_its_mean() -> None:
    assert most_picked(["simple", "better", "simple"], GOODNESS) == "simple"


def test_of_equally_often_picked_the_better_on_validation_is_selected() -> None:
    assert most_picked(["simple", "better"], GOODNESS) == "better"


def test_of_equals_the_first_named_is_selected() -> None:
    assert most_picked(["equal", "better"], GOODNESS) == "better"
