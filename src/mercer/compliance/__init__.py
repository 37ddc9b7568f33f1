"""Law and governance as measurements: dated rules, gates over evidence, an evidence log, and cases.

packs/           the rules, as dated data
rules.py         Rule, load_rules: which rules bind on a day
evidence.py      Evidence: what the gates measure
gates/           one gate a file, loaded by entry point
signals.py       consent, objection and opt-out of people at a time
judgement.py     check: every rule, every gate, every acceptance
report.py        GateReport: findings, verdict, gates.json
pseudonyms.py    short keyed hashes that stand for people
faults/          a planted violation for every executable rule
evidence_log.py  append-only, hash-chained, signed log
case_records.py  what a case is, and what it may be closed as
cases.py         cases in a database, with their history
openings.py      which findings and predictions open a case
reference.py     the reference page of the rules, written from the packs
"""

from mercer.compliance.case_records import DISPOSITIONS, Case, NewCase
from mercer.compliance.cases import CaseStore
from mercer.compliance.evidence import Evidence, Suppressed
from mercer.compliance.evidence_log import Entry, EvidenceLog
from mercer.compliance.faults import FAULTS, Fault, fault, plant
from mercer.compliance.judgement import check, check_acceptances
from mercer.compliance.openings import cases_from_findings, cases_from_predictions, most_adverse
from mercer.compliance.pseudonyms import Pseudonyms
from mercer.compliance.report import GateReport, Judged, Verdict
from mercer.compliance.rules import Rule, all_rules, load_rules, upcoming
from mercer.compliance.signals import Signals, signals_for

__all__ = [
    "DISPOSITIONS",
    "FAULTS",
    "Case",
    "CaseStore",
    "Entry",
    "Evidence",
    "EvidenceLog",
    "Fault",
    "GateReport",
    "Judged",
    "NewCase",
    "Pseudonyms",
    "Rule",
    "Signals",
    "Suppressed",
    "Verdict",
    "all_rules",
    "cases_from_findings",
    "cases_from_predictions",
    "check",
    "check_acceptances",
    "fault",
    "load_rules",
    "most_adverse",
    "plant",
    "signals_for",
    "upcoming",
]
