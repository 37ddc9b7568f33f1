"""A key that would change nothing is an error, not a silence."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from mercer.brief import Brief
from mercer.errors import BriefError
from mercer.pipeline.supported import check_supported
from mercer.simulate import demo_brief


def changed(**targets: dict[str, Any]) -> Brief:
    content = yaml.safe_load(demo_brief().read_text("utf-8"))
    for name, values in targets.items():
        content["targets"][name].update(values)
    return Brief.model_validate(content)


def test_the_demo_uses_only_what_is_done() -> None:
    check_supported(changed())


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("train_days", 7),
        ("test_days", 7),
        ("exclude", "known-positive-entities"),
        ("exclude_columns", ["PageValues"]),
        ("split", {"repeats": 5}),
        ("split", {"kind": "folds"}),
    ],
)
def test_an_idle_key_of_a_behavior_target_is_named(key: str, value: Any) -> None:
    with pytest.raises(BriefError, match=rf"targets\.repurchase\.{key}"):
        check_supported(changed(repurchase={key: value}))


def test_labels_of_payments_are_refused() -> None:
    with pytest.raises(BriefError, match="label payments"):
        check_supported(changed(repurchase={"label": "payments"}))


def test_examples_in_repeated_folds_are_done() -> None:
    split = {"kind": "folds", "repeats": 5}
    check_supported(changed(repurchase={"label": "examples", "split": split, "exclude_columns": ["pages"]}))


def test_a_refit_of_rankers_needs_one() -> None:
    content = yaml.safe_load(demo_brief().read_text("utf-8"))
    content["fit"] = {"refit": True}
    check_supported(Brief.model_validate(content))
    content["targets"] = {"repurchase": content["targets"]["repurchase"]}
    content["decision"]["target"] = "repurchase"
    with pytest.raises(BriefError, match=r"fit\.refit"):
        check_supported(Brief.model_validate(content))
