"""The reference pages name every option and every feature, with what the code says of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from mercer.behavior import DEFAULTS, LightGbm, PastRate
from mercer.contracts import plugins
from mercer.features import FEATURES

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"


@pytest.mark.parametrize("predictor", [PastRate, LightGbm])
def test_every_option_is_documented_with_its_default(predictor):
    page = (REFERENCE / "behavior.md").read_text("utf-8")
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
