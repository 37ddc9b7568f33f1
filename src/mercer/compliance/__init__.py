"""Law and governance as measurements: dated rules, gates over evidence, an evidence log, and cases.

packs/           the rules, as dated data
rules.py         Rule, load_rules: which rules bind on a day
evidence.py      Evidence: what the gates measure
gates/           one gate a file, loaded by entry point
signals.py       consent, objection and opt-out of people at a time
check.py         check: every rule, every gate, every acceptance
report.py        GateReport: findings, verdict, gates.json
pseudonyms.py    short keyed hashes that stand for people
faults/          a planted violation for every executable rule
evidence_log.py  append-only, hash-chained, signed log
cases.py         cases in a database, with their history
openings.py      which findings and predictions open a case
reference.py     the reference page of the rules, written from the packs
"""

from mercer.compliance.check import check, check_acceptances
from mercer.compliance.evidence import Evidence, Suppressed
from mercer.compliance.faults import FAULTS, Fault, fault, plant
from mercer.compliance.pseudonyms import Pseudonyms
from mercer.compliance.report import GateReport, Judged, Verdict
from mercer.compliance.rules import Rule, all_rules, load_rules, upcoming
from mercer.compliance.signals import Signals, signals_for

__all__ = [
    "FAULTS",
    "Evidence",
    "Fault",
    "GateReport",
    "Judged",
    "Pseudonyms",
    "Rule",
    "Signals",
    "Suppressed",
    "Verdict",
    "all_rules",
    "check",
    "check_acceptances",
    "fault",
    "load_rules",
    "plant",
    "signals_for",
    "upcoming",
]
