from __future__ import annotations

import inspect
import re

import pytest

from mercer import errors
from mercer.errors import MercerError, MissingExtraError, nearest

CLASSES = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, MercerError)]


def test_a_message_is_followed_by_its_remedy() -> None:
    fault = MercerError("The cup is empty.", remedy="Fill it.")
    assert str(fault) == "The cup is empty. Fill it."
    assert (fault.message, fault.remedy) == ("The cup is empty.", "Fill it.")
    assert str(MercerError("The cup is empty.")) == "The cup is empty."


def test_a_missing_extra_says_how_to_install_it() -> None:
    assert str(MissingExtraError("PyTorch", "encoder")) == (
        "PyTorch is not installed. Install it with: pip install 'mercer[encoder]'"
    )


def test_the_tree_in_the_docstring_is_the_tree_in_the_code() -> None:
    drawn: dict[str, tuple[str, int | None]] = {}
    path: list[str] = []
    for line in (errors.__doc__ or "").splitlines():
        found = re.match(r"    ([│├└─ ]*)(\w+Error)\b(?:.*exit code (\d))?", line)
        if found:
            depth = len(found[1]) // 4
            path[depth:] = [found[2]]
            drawn[found[2]] = (path[depth - 1] if depth else "Exception", int(found[3]) if found[3] else None)
    assert set(drawn) == {kind.__name__ for kind in CLASSES}
    for kind in CLASSES:
        parent, code = drawn[kind.__name__]
        assert kind.__bases__[0].__name__ == parent
        if code is not None:
            assert kind.exit_code == code


@pytest.mark.parametrize(
    ("name", "sentence"),
    [("purchse", "Did you mean 'purchase'?"), ("zzz", "Valid names: purchase, view.")],
)
def test_the_nearest_name_is_offered(name: str, sentence: str) -> None:
    assert nearest(name, ["view", "purchase", "view"]) == sentence
