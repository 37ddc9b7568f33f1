"""The table of cleaning rules as the reference prints it, written from the rules themselves."""

from __future__ import annotations

from mercer.contracts import TABLES
from mercer.data.cleaning.order import all_rules, rules_for


def rules_table() -> str:
    """A table in Markdown: every rule with the tables it runs on, what it says, what it does, and whether a brief may
    switch it off, or has to switch it on."""
    lines = ["| rule | tables | what it says | action | switch |", "|---|---|---|---|---|"]
    for name, rule in all_rules().items():
        on = [table for table in TABLES if any(one.name == name for one in rules_for(table))]
        where = "all" if len(on) == len(TABLES) else ", ".join(on)
        if len(on) == len(TABLES) - 1:
            where = "all but " + next(table for table in TABLES if table not in on)
        switch = "none" if rule.fixed else "`rules_on`" if rule.asked else "`rules_off`"
        lines.append(f"| `{name}` | {where} | {rule.sentence} | {rule.action} | {switch} |")
    return "\n".join(lines)
