"""The reference page of the rules, written from the packs: `python -m mercer.compliance.reference > FILE`."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from mercer.compliance.faults import FAULTS
from mercer.compliance.rules import Rule, all_rules, omitted

_TITLES = {
    "EU": "European Union",
    "UK": "United Kingdom",
    "US": "United States, federal",
    "US-CA": "California",
    "US-CO": "Colorado",
    "US-NY": "New York",
    "global": "Card schemes, everywhere",
}
_HEAD = """# Rules

This page is written from the policy packs (`src/mercer/compliance/packs/`); a test keeps the two equal.
To change a rule, change its pack, then run `python -m mercer.compliance.reference > docs/reference/rules.md`.

**Nothing here is legal advice.** Obligations are engineering readings in our own words. A quote is verbatim
from a text at hand and carries the SHA-256 of its bytes. Standing says how far a rule was verified: *read in
a text*, *rests on a secondary source*, *unverified*, or *unverifiable*, where no source can be opened,
whatever else is claimed of it. "In force, date unverified" means that nobody checked since when.

A brief that names a state is judged by the federal rules too; the rules of the card schemes bind everywhere.
Which rules bind is decided by the brief's `packs_date`. How to read what a gate found:
[read a gate](../how-to/read-a-gate.md).
"""


def page() -> str:
    """The whole page, Markdown."""
    return "\n".join(_lines()).rstrip() + "\n"


def _lines() -> Iterator[str]:
    yield _HEAD
    faults = {entry.rule: entry for entry in FAULTS.values()}
    for place, title in _TITLES.items():
        rules = [rule for rule in all_rules() if rule.jurisdiction == place]
        if not rules:
            continue
        yield f"## {title}\n"
        for rule in rules:
            yield from _rule(rule, faults[rule.id].name if rule.id in faults else "")
    yield "## Known, and not judged\n"
    yield "Said here, so that silence is not read as a pass.\n"
    for entry in omitted():
        yield f"- `{entry.id}`: {entry.why}"


def _rule(rule: Rule, fault: str) -> Iterator[str]:
    yield f"### `{rule.id}`: {rule.title}\n"
    yield f"{rule.obligation}\n"
    facts = {
        "Citation": f"{rule.citation} ({rule.jurisdiction})",
        "Effective": f"{rule.date_note}; read again by {rule.review_by}",
        "Standing": f"{rule.standing}; source: {rule.source}",
        "Stage and gate": f"{rule.stage}, `{rule.gate}`",
        "Applies": _applies(rule),
        "Measures": rule.evidence,
        "Threshold": f"{rule.threshold} {rule.threshold_unit}".strip(),
        "Remedy": rule.remedy,
        "See it fail": f"`mercer demo --fault {fault}`" if fault else "",
    }
    for name, value in facts.items():
        if value:
            yield f"- **{name}**: {value}"
    yield ""
    if rule.quote:
        yield f"> {rule.quote.text}\n>"
        yield f"> `{rule.quote.source}`, {rule.quote.paragraph}; SHA-256 `{rule.quote.sha256}`\n"


def _applies(rule: Rule) -> str:
    if rule.only_effects:
        return f"only where a behavior target's effect is {', '.join(rule.only_effects)}"
    return f"only where the brief has `data.{rule.only_with}`" if rule.only_with else ""


if __name__ == "__main__":
    sys.stdout.write(page())
