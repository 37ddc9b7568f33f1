from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mercer.data.personal import KINDS, WORDS, Kind, find_personal, holds, redact
from mercer.data.personal.found import Found, apart


@pytest.mark.parametrize(
    ("kind", "text", "found"),
    [
        ("iban", "pay to GB82 WEST 1234 5698 7654 32 by Friday", "GB82 WEST 1234 5698 7654 32"),
        ("iban", "de89370400440532013000", "de89370400440532013000"),
        ("social-security", "my SSN: 219-09-9999.", "219-09-9999"),
        ("document", "My driver's license number is U6292878", "U6292878"),
        ("email", "write to ann.b+c@shop.example.", "ann.b+c@shop.example"),
        ("phone", "ring 020 7946 0018 today", "020 7946 0018"),
        ("phone", "Could you call me on 8723 4492?", "8723 4492"),
        ("phone", "+49 30 23125 042", "+49 30 23125 042"),
        ("ip", "from 106.31.73.20, at noon", "106.31.73.20"),
        ("ip", "host 2001:db8::8a2e:370:7334 down", "2001:db8::8a2e:370:7334"),
        ("url", "see https://shop.example/me?id=7.", "https://shop.example/me?id=7"),
        ("person", "a parcel for Mrs. Nováková, please", "Nováková"),
        ("person", "Hello, my name is Jonas van der Berg", "Jonas van der Berg"),
        ("person", "it was signed for by Maria Lindqvist at noon", "Maria Lindqvist"),
        ("address", "deliver to 14 Crown Street, Suite 321", "14 Crown Street, Suite 321"),
        ("address", "wohnt in der Lindenstraße 12", "Lindenstraße 12"),
        ("address", "my zip code is 394 13", "394 13"),
    ],
)
def test_each_kind_is_found_where_it_stands(kind: Kind, text: str, found: str) -> None:
    at = text.index(found)
    assert find_personal(text, [kind]) == [Found(at, at + len(found), kind)]
    assert redact(text, kind) == text.replace(found, f"‹{kind}›")


@pytest.mark.parametrize(
    "text",
    [
        "SET OF 12 ROSE PEG PLACE SETTINGS",
        "DELL U2412M 24 inch 1920 x 1200",
        "Jam Making Set With Jars",
        "3 Pink Square Coasters",
        "Kingston 16GB USB 1 Flash Drive",
        "firmware 1.2.3.4 of 12:30:00",
        "GB82 WEST 1234 5698 7654 33",
        "000-12-3456 and 987-65-4321",
        "Size 10-12, 2026-03-01",
        "",
    ],
)
def test_words_of_a_catalogue_are_nobodys(text: str) -> None:
    assert find_personal(text) == []


def test_of_two_finds_in_one_place_the_surer_stands() -> None:
    assert apart([Found(0, 20, "phone"), Found(4, 20, "card"), Found(30, 35, "ip")]) == [
        Found(4, 20, "card"),
        Found(30, 35, "ip"),
    ]


@given(st.text(max_size=200))
def test_finds_lie_in_the_text_apart_and_in_order(text: str) -> None:
    found = find_personal(text)
    ends = [0, *(edge for one in found for edge in (one.start, one.end)), len(text)]
    assert ends == sorted(ends)
    assert all(text[one.start : one.end].strip() for one in found)
    assert set(WORDS) == set(KINDS)


@given(st.text(max_size=60), st.text(max_size=60))
def test_an_address_of_mail_is_gone_after_redaction(before: str, after: str) -> None:
    assert not holds(redact(f"{before} ann@shop.example {after}", "email"), "email")


def test_digits_of_an_account_or_of_a_machine_are_no_card_and_no_phone() -> None:
    text = "GB56HXDO88167774656119 paid from 36.160.14.148"
    assert [one.kind for one in find_personal(text)] == ["iban", "ip"]


def test_floors_on_made_up_texts_of_other_people() -> None:
    place = Path(__file__).parents[4] / "shared" / "data" / "pii-text" / "synth_dataset_v2.json"
    if not place.is_file():
        pytest.skip(
            "shared/data/pii-text/synth_dataset_v2.json is not beside this checkout (presidio-research, synthetic, MIT)"
        )
    wanted: dict[str, tuple[Kind, float]] = {
        "CREDIT_CARD": ("card", 0.85),
        "IBAN_CODE": ("iban", 0.99),
        "EMAIL_ADDRESS": ("email", 0.99),
        "PHONE_NUMBER": ("phone", 0.80),
    }
    hits: dict[str, list[bool]] = {name: [] for name in wanted}
    for text in json.loads(place.read_text("utf-8")):
        for span in text["spans"]:
            if span["entity_type"] in wanted:
                kind, _ = wanted[span["entity_type"]]
                found = find_personal(text["full_text"], [kind])
                hits[span["entity_type"]].append(
                    any(f.start < span["end_position"] and span["start_position"] < f.end for f in found)
                )
    assert all(len(found) > 20 for found in hits.values())
    assert {name: sum(found) / len(found) for name, found in hits.items() if
            sum(found) / len(found) < wanted[name][1]} == {}  # fmt: skip
