from __future__ import annotations

from importlib.metadata import EntryPoint, EntryPoints

import pytest

from mercer.contracts import Ranker, plugins
from mercer.errors import NotFoundError, UnsupportedError


def test_the_rankers_of_the_package_are_registered_and_load() -> None:
    names = plugins.names(plugins.RANKERS)
    assert "item-knn" in names
    assert list(names) == sorted(names)
    assert isinstance(plugins.load(plugins.RANKERS, "item-knn")(), Ranker)


def test_a_misspelt_name_is_guessed() -> None:
    with pytest.raises(NotFoundError, match=r"No ranker is called 'item-nn'\. Did you mean 'item-knn'"):
        plugins.load(plugins.RANKERS, "item-nn")


@pytest.mark.parametrize("place", ["no_such_package:Ranker", "mercer.recommend:NoSuchClass"])
def test_a_plug_in_that_cannot_be_imported_is_named(place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    entry = EntryPoint("lost", place, plugins.RANKERS)
    monkeypatch.setattr(plugins, "entry_points", lambda group: EntryPoints([entry]))
    plugins._entries.cache_clear()
    try:
        with pytest.raises(UnsupportedError, match=f"'lost' is registered as {place}"):
            plugins.load(plugins.RANKERS, "lost")
    finally:
        plugins._entries.cache_clear()
