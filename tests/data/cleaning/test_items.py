from __future__ import annotations

from pathlib import Path

import pytest

from ..made import EVENT, brief_of, clean, table, written

MUG = {"item": "mug", "title": "Blue mug"}


def test_an_item_without_a_title_is_set_aside_but_its_events_stay(tmp_path: Path) -> None:
    products = [{"shelf": "1", "id": "mug", "name": "Blue mug"}, {"shelf": "2", "id": "lamp", "name": None}]
    log = [{**EVENT, "event": str(at), "item": item} for at, item in enumerate(["mug", "lamp", "stranger"])]
    brief = brief_of(
        {
            "items": {
                "source": written(tmp_path, "products", products),
                "map": {"item": "id", "title": "name"},
            },
            "events": {"source": written(tmp_path, "log", log)},
        }
    )
    cleaned = clean(brief, tmp_path)
    assert cleaned.reasons("items") == {1: "item-without-title"}
    assert cleaned.reasons() == {2: "unknown-item"}
    assert cleaned.kept()["item"].tolist() == ["mug", "lamp"]


def test_a_catalogue_from_the_log_gets_one_title_an_item(tmp_path: Path) -> None:
    rows = [
        {**MUG, "title": title}
        for title in ["Blue mug", "BLUE MUG?", "Blue mug", None, "Another", "BLUE MUG?"]
    ] + [{"item": "lamp", "title": "Lamp"}, {"item": "vase", "title": None}, {"item": "vase", "title": None}]
    cleaned = table(tmp_path, "items", *rows)
    count = cleaned.accounting.tables["items"]
    assert dict(cleaned.kept("items")[["item", "title"]].to_numpy().tolist()) == {
        "lamp": "Lamp",
        "mug": "BLUE MUG?",
    }
    assert (count.read, count.kept, count.quarantined, count.merged) == (9, 2, 1, 6)


@pytest.mark.parametrize(
    "change",
    [
        {"min_age": "x"},
        {"min_age": -1},
        {"min_age": 200},
        {"available_from": "soon"},
        {"available_until": "n/a"},
    ],
)
def test_an_item_with_a_limit_that_cannot_be_read_is_not_shown(
    tmp_path: Path, change: dict[str, object]
) -> None:
    sound = {
        **MUG,
        "min_age": 18,
        "available_from": "2026-01-01T00:00:00Z",
        "available_until": "2030-01-01T00:00:00Z",
    }
    cleaned = table(tmp_path, "items", sound, {**sound, "item": "lamp", **change})
    assert cleaned.reasons("items") == {1: "bad-limit"}
    assert cleaned.kept("items")["min_age"].tolist() == [18]


def test_an_impossible_price_is_unknown(tmp_path: Path) -> None:
    rows = [
        {**MUG, "item": str(at), "price": price} for at, price in enumerate([2.5, -1.0, float("inf"), None])
    ]
    cleaned = table(tmp_path, "items", *rows, currency="GBP")
    assert cleaned.rules("items") == {"bad-price": 2}
    assert cleaned.kept("items")["price_minor"].astype("Int64").tolist()[0] == 250
    assert cleaned.kept("items")["price_minor"].isna().tolist() == [False, True, True, True]


def test_a_text_with_a_card_number_goes_and_its_number_is_kept_nowhere(tmp_path: Path) -> None:
    cleaned = table(
        tmp_path, "items", MUG, {"item": "lamp", "title": "Lamp", "text": "pay 4111 1111 1111 1111"}
    )
    assert cleaned.reasons("items") == {1: "card-number-in-text"}
    assert cleaned.quarantined("items")["content"].tolist() == [
        '{"item":"lamp","title":"Lamp","text":"pay ‹card›"}'
    ]
