"""The reference pages name every option and every feature, with what the code says of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from mercer.behavior import DEFAULTS
from mercer.contracts import plugins
from mercer.features import FEATURES

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"


OWN = [
    name
    for name in plugins.names(plugins.PREDICTORS)
    if plugins.load(plugins.PREDICTORS, name).__module__.startswith("mercer.behavior.")
]


@pytest.mark.parametrize("name", OWN)
def test_every_option_is_documented_with_its_default(name):
    page = (REFERENCE / "behavior.md").read_text("utf-8")
    predictor = plugins.load(plugins.PREDICTORS, name)
    assert f"`{name}`" in page
    assert predictor.Options.model_fields
    for name, field in predictor.Options.model_fields.items():
        assert f"| `{name}` | {field.default} | {field.description} |" in page


def test_every_feature_is_documented_with_its_meaning():
    page = (REFERENCE / "features.md").read_text("utf-8")
    for feature in FEATURES:
        assert f"| `{feature.name}` | {feature.meaning} | {feature.unit} | {feature.missing} |" in page


def test_the_defaults_are_registered_predictors():
    assert set(DEFAULTS) <= set(plugins.names(plugins.PREDICTORS))
    assert [plugins.load(plugins.PREDICTORS, name).name for name in DEFAULTS] == list(DEFAULTS)


def test_there_are_as_many_predictors_as_the_page_says():
    rows = (REFERENCE / "behavior.md").read_text("utf-8").split("| predictor |")[1].split("\n\n")[0]
    assert {name for name in OWN if f"`{name}`" in rows} == set(OWN)
    assert len(OWN) == 9
