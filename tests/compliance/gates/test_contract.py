"""Every gate of ours that can fail keeps the contract of gates."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any, ClassVar

import pytest

from compliance.shop import clean_evidence
from mercer.compliance import FAULTS, Evidence, Rule, plant
from mercer.compliance.faults.answers import deciding
from mercer.compliance.gates.age_limits import AgeLimits
from mercer.compliance.gates.calibration import Calibration
from mercer.compliance.gates.cards import CardNumbers
from mercer.compliance.gates.consent import ConsentAtEvent
from mercer.compliance.gates.disclosure import Disclosure
from mercer.compliance.gates.erasure import Children, Erasure
from mercer.compliance.gates.explanation import Explanation
from mercer.compliance.gates.objection import NotProfiled, Objection, OptOut
from mercer.compliance.gates.proxies import ProtectedAndProxies
from mercer.compliance.gates.purposes import OpenBanking, Purposes
from mercer.compliance.gates.retention import LastUse
from mercer.compliance.rules import rule
from mercer.contracts import plugins
from mercer.testing.gates import GateContract

shop = cache(clean_evidence)


class Ours(GateContract):
    fault: ClassVar[str]

    def clean(self) -> Evidence:
        return shop()

    def planted(self) -> Evidence:
        return plant(self.fault, shop())


def of(fault: str) -> Rule:
    return rule(FAULTS[fault].rule)


class TestConsentAtEvent(Ours):
    gate, fault, rule = ConsentAtEvent, "consent", of("consent")


class TestObjection(Ours):
    gate, fault, rule = Objection, "object", of("object")


class TestOptOut(Ours):
    gate, fault, rule = OptOut, "opt-out", of("opt-out")


class TestNotProfiled(Ours):
    gate, fault, rule = NotProfiled, "unprofiled", of("unprofiled")


class TestAgeLimits(Ours):
    gate, fault, rule = AgeLimits, "age", of("age")


class TestCalibration(Ours):
    gate, fault, rule = Calibration, "calibration", of("calibration")


class TestCardNumbers(Ours):
    gate, fault, rule = CardNumbers, "cards", of("cards")


class TestDisclosure(Ours):
    gate, fault, rule = Disclosure, "sellers", of("sellers")


class TestErasure(Ours):
    gate, fault, rule = Erasure, "erase", of("erase")


class TestChildren(Ours):
    gate, fault, rule = Children, "minors", of("minors")


class TestExplanation(Ours):
    gate, fault, rule = Explanation, "explanation", of("explanation")


class TestLastUse(Ours):
    gate, fault, rule = LastUse, "retention", of("retention")


class TestProtected(Ours):
    gate, fault, rule = ProtectedAndProxies, "special", of("special")


class TestProhibitedBasis(Ours):
    gate, fault, rule = ProtectedAndProxies, "basis", of("basis")

    def clean(self) -> Evidence:
        return deciding(shop(), "credit")[1]


class TestPurposes(Ours):
    gate, fault, rule = Purposes, "purpose", of("purpose")


class TestOpenBanking(Ours):
    gate, fault, rule = OpenBanking, "open-banking", of("open-banking")

    def clean(self) -> Evidence:
        return replace(self.planted(), features=shop().features)


def test_every_gate_that_can_fail_is_held_to_the_contract() -> None:
    held: set[Any] = {cls.gate for cls in Ours.__subclasses__()}
    cannot_fail = {"attestation", "absent-function", "not-built"}
    ours = {
        gate
        for name in plugins.names(plugins.GATES)
        if (gate := plugins.load(plugins.GATES, name)).__module__.startswith("mercer.")
        and name not in cannot_fail
    }

    assert held == ours


def test_contract_catches_a_gate_that_always_passes() -> None:
    class Asleep(ConsentAtEvent):
        def measure(self, evidence: Evidence) -> Any:
            return replace(super().measure(evidence), examined=1, violations=0, missing="", offending=())

    class Held(TestConsentAtEvent):
        gate = Asleep

    with pytest.raises(AssertionError):
        Held().test_planted_violation_fails_with_rows_and_remedy()
    with pytest.raises(AssertionError):
        Held().test_without_anything_to_measure_it_does_not_pass()


def test_contract_catches_a_gate_that_names_people() -> None:
    class Chatty(ConsentAtEvent):
        def measure(self, evidence: Evidence) -> Any:
            assert evidence.training_events is not None
            row = {"user": evidence.training_events["user"].iloc[0]}
            return replace(super().measure(evidence), offending=[row])

    class Held(TestConsentAtEvent):
        gate = Chatty

    with pytest.raises(AssertionError, match="people are named"):
        Held().test_no_person_is_named()
