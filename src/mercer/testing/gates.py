"""The contract of a gate: it measures, fails on a planted violation, and a guard of nothing is never green.

    from mercer.testing.gates import GateContract

    class TestMyGate(GateContract):
        gate = MyGate
        rule = my_rule                      # a mercer.compliance.Rule

        def clean(self):                    # Evidence in which the rule holds
            return small_shop()

        def planted(self):                  # Evidence in which it is broken
            return with_a_violation(small_shop())

Stability: implementers stable; tests may be added.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, replace
from typing import Any, ClassVar

import pandas as pd

from mercer.compliance import Evidence, Rule
from mercer.contracts import Finding, Gate

_PEOPLE = ("user", "payer", "payee")


class GateContract:
    """Inherit in a pytest class, name `gate` and `rule`, and give clean and planted evidence."""

    gate: ClassVar[type[Any]]
    rule: ClassVar[Rule]

    def clean(self) -> Evidence:
        """Evidence in which the rule applies and holds."""
        raise NotImplementedError

    def planted(self) -> Evidence:
        """Evidence in which the rule applies and is broken."""
        raise NotImplementedError

    def _found(self, evidence: Evidence) -> Finding:
        finding = self.gate(self.rule).check(evidence)
        assert isinstance(finding, Finding)
        return finding

    def test_gate_is_a_gate_and_names_itself(self) -> None:
        """The protocol's members are there, and findings carry the rule's names."""
        made = self.gate(self.rule)
        assert isinstance(made, Gate)
        assert made.stage in ("data", "train", "evaluate", "serve")
        found = self._found(self.clean())
        assert (found.rule, found.gate) == (self.rule.id, self.gate.name)

    def test_clean_evidence_passes_and_something_was_examined(self) -> None:
        """PASS, with a count over zero and nothing offending."""
        found = self._found(self.clean())
        assert found.status == "PASS", found
        assert found.examined > 0
        assert found.offending == ()
        assert found.measured != ""

    def test_planted_violation_fails_with_rows_and_remedy(self) -> None:
        """FAIL, with at most twenty rows that can be written as JSON."""
        found = self._found(self.planted())
        assert found.status == "FAIL", found
        assert 1 <= len(found.offending) <= 20
        assert found.remedy
        json.dumps(asdict(found), allow_nan=False)

    def test_without_anything_to_measure_it_does_not_pass(self) -> None:
        """NOT_ASSESSED or NOT_APPLICABLE, saying why."""
        whole = self.clean()
        found = self._found(Evidence(brief=whole.brief, now=whole.now, pseudonyms=whole.pseudonyms))
        assert found.status in ("NOT_ASSESSED", "NOT_APPLICABLE"), found
        assert found.because

    def test_no_person_is_named(self) -> None:
        """No raw id of any person of the evidence is in a finding."""
        evidence = self.planted()
        told = json.dumps(asdict(self._found(evidence)), ensure_ascii=False)
        named = [person for person in _people(evidence) if f'"{person}"' in told or f" {person} " in told]
        assert not named, f"{len(named)} people are named"

    def test_same_evidence_gives_the_same_finding_and_stays_as_it_was(self) -> None:
        """A gate measures; it changes nothing and throws no dice."""
        evidence = self.planted()
        copies = {name: frame.copy(deep=True) for name, frame in evidence.tables.items()}
        shared = replace(evidence, tables=copies)
        assert self._found(shared) == self._found(evidence)
        for name, frame in evidence.tables.items():
            pd.testing.assert_frame_equal(copies[name], frame)


def _people(evidence: Evidence) -> Iterable[str]:
    frames = [*evidence.tables.values()]
    if evidence.training_events is not None:
        frames.append(evidence.training_events)
    return {
        str(person)
        for frame in frames
        for column in _PEOPLE
        if column in frame
        for person in frame[column].dropna().unique()
    }
