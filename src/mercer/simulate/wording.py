"""Titles, descriptions and attribute records written from an item's attributes."""

from __future__ import annotations

import json

from mercer.simulate.catalogue import Catalogue

_FOOD = ("Food & Drink",)


def attributes_of(catalogue: Catalogue, item: int) -> dict[str, str]:
    """What is known of one item: type, brand, variety, colour, size; absent ones are left out."""
    kind = catalogue.type_of(item)
    found = {
        "type": kind.name,
        "brand": catalogue.brands[catalogue.brand[item]],
        "variety": kind.kinds[catalogue.variety[item]],
        "size": kind.sizes[catalogue.size[item]],
    }
    if catalogue.colour[item] >= 0:
        found["colour"] = kind.colours[catalogue.colour[item]]
    return found


def title_of(catalogue: Catalogue, item: int) -> str:
    """Such as 'Larkfield Stoneware Mug in Moss Green, 350 ml' or 'Saltmarsh Coffee Beans, Ethiopia, 250 g'."""
    known = attributes_of(catalogue, item)
    if catalogue.type_of(item).category.startswith(_FOOD):
        return f"{known['brand']} {known['type']}, {known['variety']}, {known['size']}"
    coloured = f" in {known['colour']}" if "colour" in known else ""
    return f"{known['brand']} {known['variety']} {known['type']}{coloured}, {known['size']}"


def text_of(catalogue: Catalogue, item: int) -> str:
    """Three short sentences: what it is for, and two facts that vary between items of a type."""
    kind = catalogue.type_of(item)
    known = attributes_of(catalogue, item)
    variety = known["variety"] if known["variety"].startswith("Damascus") else known["variety"].lower()
    article = "An" if variety[0] in "aeiou" else "A"
    plural = kind.name.endswith("s") and not kind.name.endswith("ss")
    opening = variety[0].upper() + variety[1:] if plural else f"{article} {variety}"
    skipped = (item + catalogue.variety[item]) % len(kind.facts)
    facts = [fact for number, fact in enumerate(kind.facts) if number != skipped or "adults" in fact]
    if kind.category.startswith(_FOOD):
        return f"{kind.name} for {kind.used_for}: {known['variety']}. {' '.join(facts)}"
    return f"{opening} {kind.name.lower()} for {kind.used_for}. {' '.join(facts)}"


def attribute_json(catalogue: Catalogue, item: int) -> str:
    """The attributes column: a JSON object in a fixed order, the type's other names left out."""
    known = attributes_of(catalogue, item)
    kept = {name: known[name] for name in ("variety", "colour", "size") if name in known}
    return json.dumps(kept, ensure_ascii=False)
