"""Consent at the time of each training event, read from the consents table row by row."""

from __future__ import annotations

import numpy as np

from mercer.compliance.evidence import Evidence, micros
from mercer.compliance.gates.base import Measured, RuleGate, instant, plural
from mercer.compliance.signals import CONSENT, signals_for


class ConsentAtEvent(RuleGate):
    """Every event that trained a model happened while the person's consent held."""

    name = "consent-at-event"
    stage = "train"

    def measure(self, evidence: Evidence) -> Measured:
        """Look up the consent of each training event at the event's own time."""
        events, consents = evidence.training_events, evidence.table("consents")
        if events is None or events.empty:
            return Measured(examined=0, violations=0, measured="none", missing="No event trained a model.")
        if consents is None:
            return Measured(
                examined=0, violations=0, measured="none",
                missing="The data hold no consents table, so consent can't be looked up.",
                bring="Map data.consents in the brief, or let a role accept the rule by reason and day.",
            )  # fmt: skip
        if not (consents["purpose"] == CONSENT).any():
            # The same reading as data/training.py: consent was never asked for, so it is not what training rests on.
            return Measured(
                examined=0, violations=0, measured="none",
                missing="The consents table holds withdrawals alone, so consent can't be looked up.",
            )  # fmt: skip
        users = events["user"].to_numpy(object)
        held = signals_for(users, consents, micros(events["time"]), purpose=CONSENT)
        wrong = np.flatnonzero(~held.consented)
        people = len(set(users[wrong]))
        rows = [
            {
                "user": evidence.pseudonyms.of(users[row]),
                "event": evidence.pseudonyms.of(events["event"].iloc[row]),
                "time": instant(micros(events["time"].iloc[row : row + 1])[0]),
                "why": "consent withdrawn or refused" if held.recorded[row] else "no consent on record",
            }
            for row in wrong[:20]
        ]
        return Measured(
            examined=len(events),
            violations=len(wrong),
            measured=f"{plural(len(wrong), 'training row')} of {plural(people, 'person')} without consent"
            if len(wrong)
            else f"0 of {len(events)} training rows without consent",
            offending=rows,
        )
