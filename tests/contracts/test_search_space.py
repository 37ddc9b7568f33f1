"""The search space declared on options."""

import pytest
from pydantic import ValidationError

from mercer.contracts import Options, Range, search_space, searched


class _Options(Options):
    decay: float = searched(0.5, low=0.1, high=1.0, ge=0, description="weight kept")
    size: int = searched(8, low=1, high=64, log=True)
    kind: str = searched("a", choices=("a", "b"))
    fixed: int = 3


def test_only_searched_fields_are_in_the_space():
    assert search_space(_Options) == {
        "decay": Range(low=0.1, high=1.0),
        "size": Range(low=1, high=64, log=True, integer=True),
        "kind": Range(choices=("a", "b")),
    }


def test_the_fields_stay_pydantic_fields():
    assert _Options().decay == 0.5
    assert _Options.model_fields["decay"].description == "weight kept"
    with pytest.raises(ValidationError):
        _Options(decay=-1)


@pytest.mark.parametrize(
    "wrong",
    [{}, {"low": 1}, {"low": 2, "high": 3}, {"low": 0, "high": 3, "log": True}, {"choices": (2, 3)},
     {"choices": (1, 2), "low": 0}],
)  # fmt: skip
def test_a_space_that_makes_no_sense_is_refused(wrong):
    with pytest.raises(ValueError, match="default"):
        searched(1, **wrong)
