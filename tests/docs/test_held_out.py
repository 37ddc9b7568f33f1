"""The held-out wordings keep their form, their numbers and their distance from training."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from mercer.simulate.kinds import ProductType, assortment

ROOT = Path(__file__).resolve().parent.parent.parent
HELD_OUT = ROOT / "benchmarks" / "held_out"
FILES = ("shop_wordings.yaml", "icecat_wordings.yaml", "spelling_errors.yaml")
NAMED = re.compile(r"held_out/|[\"']held_out[\"']|shop_wordings|icecat_wordings|spelling_errors\.yaml")
ICECAT_ATTRIBUTES = {
    "colour": {"Black", "White", "Grey", "Silver", "Blue", "Red", "Green", "Yellow", "Orange", "Pink"},
    "printing_colours": {"Black", "Cyan", "Magenta", "Yellow"},
}

Entry = dict[str, Any]


def entries(name: str) -> list[Entry]:
    loaded: list[Entry] = yaml.safe_load((HELD_OUT / name).read_text("utf-8"))
    return loaded


SHOP = entries("shop_wordings.yaml")
ICECAT = entries("icecat_wordings.yaml")
SPELLING = entries("spelling_errors.yaml")
TYPES = {kind.name: kind for kind in assortment().types}


@pytest.mark.parametrize("name", FILES)
def test_hash_is_the_one_in_the_readme(name: str) -> None:
    digest = hashlib.sha256((HELD_OUT / name).read_bytes()).hexdigest()
    assert f"`{name}`" in (readme := (HELD_OUT / "README.md").read_text("utf-8"))
    assert f"`{digest}`" in readme, f"{name} changed: say so, and write its new hash"


def test_nothing_in_the_package_names_the_held_out_files() -> None:
    sources = [path for path in (ROOT / "src" / "mercer").rglob("*") if path.is_file()]
    texts = {path: path.read_bytes().decode("utf-8", errors="replace") for path in sources}
    assert len(texts) > 100
    assert [path.name for path, text in texts.items() if NAMED.search(text)] == []


@pytest.mark.parametrize(("wordings", "answer"), [(SHOP, "types"), (ICECAT, "must")], ids=["shop", "icecat"])
def test_wordings_have_the_form_that_the_readme_tells(wordings: list[Entry], answer: str) -> None:
    texts = [entry["text"].casefold() for entry in wordings]
    assert len(texts) == len(set(texts))
    for entry in wordings:
        assert set(entry) == {"text", answer, "filters", "intent"}, entry
        assert entry["intent"] in {"product", "gift", "service"}, entry
        assert all(isinstance(word, str) for word in entry[answer]), entry
        assert 1 <= len(entry["text"].split()) <= 18, entry
        check_numbers(entry["filters"])
        if entry["intent"] == "service":
            assert not entry[answer], entry
            assert not entry["filters"], entry


def check_numbers(filters: Mapping[str, Any]) -> None:
    """Limits are whole minor units in order, ages whole years; every other filter is text."""
    assert set(filters) <= {"category", "brand", "price_min", "price_max", "age", "attributes"}, filters
    for name in {"price_min", "price_max", "age"} & set(filters):
        assert isinstance(filters[name], int), filters
        assert filters[name] > 0, filters
    assert filters.get("price_min", 0) <= filters.get("price_max", 10**9), filters
    assert all(isinstance(value, str) for value in filters.get("attributes", {}).values()), filters


@pytest.mark.parametrize("entry", SHOP, ids=lambda entry: entry["text"])
def test_every_value_is_one_that_all_types_asked_for_have(entry: Entry) -> None:
    filters = entry["filters"]
    if not entry["types"]:
        assert set(filters) <= {"price_min", "price_max", "age"}
    for name in entry["types"]:
        kind = TYPES[name]
        assert f"{kind.category} > ".startswith(f"{filters.get('category', kind.category)} > ")
        assert filters.get("brand", kind.brands[0]) in kind.brands
        assert set(values(kind, filters)) == {True}
        assert filters.get("price_max", kind.price[0]) >= kind.price[0], (
            "no product of the type is that cheap"
        )
        assert filters.get("price_min", kind.price[1]) <= kind.price[1], "no product of the type is that dear"


def values(kind: ProductType, filters: Mapping[str, Any]) -> list[bool]:
    legal = {"variety": kind.kinds, "colour": kind.colours, "size": kind.sizes}
    return [True, *(value in legal[name] for name, value in filters.get("attributes", {}).items())]


def test_icecat_attributes_are_the_three_of_the_readme() -> None:
    for entry in ICECAT:
        assert "category" not in entry["filters"]
        assert all(word == word.lower() for word in entry["must"]), entry
        for name, value in entry["filters"].get("attributes", {}).items():
            if name == "cable_length":
                assert float(value) > 0, entry
            else:
                assert value in ICECAT_ATTRIBUTES[name], entry


def test_spelling_has_errors_and_clean_queries() -> None:
    assert all(set(entry) == {"typed", "meant"} for entry in SPELLING)
    assert len({entry["typed"] for entry in SPELLING}) == len(SPELLING) == 200
    assert sum(entry["typed"] == entry["meant"] for entry in SPELLING) == 50


def test_no_error_is_a_word_of_the_shop() -> None:
    known = set()
    for kind in TYPES.values():
        texts = (kind.name, kind.used_for, *kind.words, *kind.kinds, *kind.colours, *kind.sizes, *kind.brands)
        known |= {word for text in (*texts, *kind.facts) for word in words(text)}
    for entry in SPELLING:
        typed, meant = words(entry["typed"]), words(entry["meant"])
        if len(typed) <= len(meant):
            assert not (set(typed) - set(meant)) & known, entry


def words(text: str) -> list[str]:
    return re.findall(r"[\w']+", text.casefold())


@pytest.mark.parametrize(("name", "wordings"), [("Shop", SHOP), ("Icecat", ICECAT)], ids=["shop", "icecat"])
def test_counts_are_those_of_the_readme(name: str, wordings: list[Entry]) -> None:
    readme = (HELD_OUT / "README.md").read_text("utf-8")
    table = readme.split(f"| {name} wordings |", 1)[1].split("\n\n", 1)[0]
    told = {what: int(number) for what, number in re.findall(r"^\| (.+?) \| (\d+) \|$", table, re.MULTILINE)}
    assert told == counts(wordings, (HELD_OUT / f"{name.lower()}_wordings.yaml").read_text("utf-8"))


def counts(wordings: list[Entry], raw: str) -> dict[str, int]:
    filters = [entry["filters"] for entry in wordings]
    told = {"all": len(wordings)}
    told |= {
        intent: sum(e["intent"] == intent for e in wordings) for intent in ("product", "gift", "service")
    }
    told |= {name: sum(name in one for one in filters) for name in ("category", "brand", "age", "attributes")}
    told["price"] = sum("price_min" in one or "price_max" in one for one in filters)
    told["misspelt"] = raw.count("  # misspelt\n")
    if "types" in wordings[0]:
        told["several types"] = sum(len(entry["types"]) > 1 for entry in wordings)
        told["not sold"] = sum(e["intent"] == "product" and not e["types"] for e in wordings)
        told["types used"] = len({name for entry in wordings for name in entry["types"]})
    return told
