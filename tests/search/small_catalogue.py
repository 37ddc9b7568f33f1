"""A catalogue of electronics small enough to read, and requests for it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from mercer.contracts import Context, Dataset, Interactions, Ragged, Requests, Vocabulary

ROWS: tuple[dict[str, Any], ...] = (
    {"item": "100", "title": "Brother TN-2110 toner black", "text": "Original toner for HL-2140 printers.",
     "brand": "Brother", "ean": "4977766654319"},
    {"item": "200", "title": "Laser printer HL-2140", "text": "Prints 22 pages a minute; uses toner TN-2110.",
     "brand": "Brother", "ean": "0012502618843"},
    {"item": "300", "title": "Notebook 15.6\" 256GB SSD", "text": "Laptop computer with Wi-Fi and Bluetooth.",
     "brand": "Acme", "attributes": json.dumps({"colour": "Silver", "mpn": "DV7-1211EA", "touch": True})},
    {"item": "400", "title": "USB-C hub", "text": "Adds four ports to laptops.", "brand": "Acme"},
    {"item": "500", "title": "USB-C hub", "text": "Adds four ports to laptops.", "brand": "Acme"},
    {"item": "600", "title": "Rechargeable batteries AA, 4 pieces", "text": "", "brand": "Volt"},
    {"item": "700", "title": "Café crème capsules", "text": "For coffee machines.", "brand": "Matin"},
    {"item": "800", "title": "Gift card", "text": "", "brand": ""},
)  # fmt: skip


def catalogue(rows: Sequence[dict[str, Any]] = ROWS) -> Dataset:
    """The rows as a Dataset; what a row leaves out is empty."""
    blank = {
        "title": "", "text": "", "category": "", "brand": "", "price_minor": -1, "currency": "",
        "available_from": 0, "available_until": 0, "min_age": 0, "attributes": "", "ean": "",
    }  # fmt: skip
    frame = pd.DataFrame([{**blank, **row} for row in rows])
    return Dataset(vocabulary=Vocabulary(frame["item"].tolist()), items=frame, as_of=0)


def asked(train: Dataset, *queries: str, **rules: Ragged) -> Requests:
    """Strangers who ask the queries."""
    n = len(queries)
    users = Vocabulary([f"row-{row}" for row in range(n)])
    return Requests(
        users=(None,) * n,
        history=Interactions.empty(users, train.vocabulary),
        time=np.zeros(n, np.int64),
        context=Context.unknown(n),
        query=queries,
        **rules,
    )
