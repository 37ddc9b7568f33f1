"""A planted violation for every executable rule: how one learns to trust a gate.

rows.py         violations in data rows, people and columns
predictions.py  violations in features and predictions
answers.py      a candidate release that really misbehaves
registry.py     FAULTS: every fault by its short name, and `plant`
"""

from mercer.compliance.faults.registry import FAULTS, Fault, fault, plant

__all__ = ["FAULTS", "Fault", "fault", "plant"]
