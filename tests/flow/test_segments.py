from __future__ import annotations

import json

import pandas as pd

from flow.house import House


def test_customers_are_divided_as_of_the_first_test_and_none_is_named(house: House) -> None:
    place = house.folder / "data" / "segments.json"
    content = place.read_text("utf-8")
    found = json.loads(content)
    first = pd.Timestamp(house.run.manifest["audit"]["next-item"]["protocol"]["test_from"], tz="UTC")
    assert found["as_of"] < first.value // 1000
    assert all(view["sentence"] for view in found["views"])
    assert "Customers, by how they buy" in (house.folder / "report.html").read_text("utf-8")
    users = pd.read_parquet(house.folder / "data" / "events.parquet")["user"].unique()
    assert not [user for user in users if f'"{user}"' in content]
    assert all(group["customers"] >= 20 for view in found["views"] for group in view["segments"])
