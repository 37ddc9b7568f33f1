from __future__ import annotations

from mercer.reporting.words import memory, money, seconds, signed, signed_share, slice_label


def test_numbers_as_people_say_them() -> None:
    assert money(1_230_000, "GBP") == "£12,300"
    assert money(-150, "CHF") == "−CHF 1.50"
    assert [seconds(s) for s in (0.42, 38, 700, 11000)] == ["0.4 s", "38 s", "12 min", "3.1 h"]
    assert [memory(m) for m in (350, 1946)] == ["350 MiB", "1.9 GiB"]
    assert [slice_label(s) for s in ("all", "history=new", "country=UK", "tier=gold")] == [
        "everybody", "new customers", "UK", "tier: gold",
    ]  # fmt: skip
    assert [signed(v) for v in (0.0081, -0.0091, 1240)] == ["+0.0081", "−0.0091", "+1,240"]
    assert [signed_share(v) for v in (0.065, -0.12, 1.068)] == ["+6.5 %", "−12 %", "+107 %"]
    assert slice_label("country=other") == "other countries"
