"""Card numbers in the texts that are indexed, learned from or shown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from mercer.compliance.card_numbers import cards_in, made_up
from mercer.compliance.evidence import Evidence
from mercer.compliance.gates.base import MOST_ROWS, Measured, RuleGate, plural

_TEXTS = (
    ("items", "title"),
    ("items", "text"),
    ("items", "brand"),
    ("items", "attributes"),
    ("requests", "query"),
    ("requests", "context"),
    ("judgments", "query"),
    ("users", "attributes"),
    ("cases", "reasons"),
)


class CardNumbers(RuleGate):
    """No free text holds a card number."""

    name = "card-numbers"
    stage = "data"

    def measure(self, evidence: Evidence) -> Measured:
        """Scan every text, and the detector itself on made-up numbers."""
        examined, found = 0, 0
        offending: list[Mapping[str, Any]] = []
        for place, column, texts in _free_texts(evidence):
            examined += len(texts)
            for key, text in texts.items():
                issuers = list(cards_in(text))
                if not issuers:
                    continue
                found += 1
                if len(offending) < MOST_ROWS:
                    offending.append(
                        {"table": place, "column": column, "row": str(key), "looks_like": issuers[0]}
                    )
        planted = made_up()
        recall = sum(any(cards_in(sentence)) for sentence in planted) / len(planted)
        blind = recall < self.number("least_recall", 1.0)
        return Measured(
            examined=examined,
            violations=found,
            measured=f"{plural(found, 'text')} of {examined} with a card number; the detector finds "
            f"{recall:.0%} of {len(planted)} made-up ones",
            offending=offending,
            missing="The detector misses made-up card numbers." if blind else "",
        )


def _free_texts(evidence: Evidence) -> Iterator[tuple[str, str, pd.Series]]:
    """Each column of free text: distinct texts, keyed by item id or by row number."""
    for table, column in _TEXTS:
        frame = evidence.table(table)
        if frame is None or column not in frame:
            continue
        keyed = frame.set_index("item")[column] if table == "items" else frame[column].reset_index(drop=True)
        yield table, column, _distinct(keyed)
    for column in ("title", "text", "brand"):
        if column in evidence.items and len(evidence.items):
            yield "answers", column, _distinct(evidence.items.set_index("item")[column])


def _distinct(texts: pd.Series) -> pd.Series:
    kept: pd.Series = texts.dropna().astype(str).drop_duplicates()
    return kept[kept != ""]
