"""The canonical tables of the shop as Arrow tables: codes become ids, texts and instants."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from mercer.contracts import TABLES
from mercer.simulate.catalogue import Catalogue
from mercer.simulate.consents import PURPOSES, Consents
from mercer.simulate.events import KINDS, Events
from mercer.simulate.judgments import Judgments
from mercer.simulate.payments import N_PAYEES, Payments
from mercer.simulate.people import People
from mercer.simulate.season import DAY_US, Calendar, Floats, Ints
from mercer.simulate.visits import CHANNELS
from mercer.simulate.wording import attribute_json, text_of, title_of

CURRENCY = "EUR"


def instants(time: Ints, missing: int | None = None) -> pa.Array:
    """Microseconds as timestamps; `missing` stands for null."""
    mask = None if missing is None else time == missing
    return pa.array(time, pa.timestamp("us"), mask=mask)


def texts(values: Sequence[str], codes: Ints) -> pa.Array:
    """The text of each code; a negative code is null."""
    index = pa.array(codes, pa.int64(), mask=codes < 0)
    return pa.array(values, pa.string()).take(index)


def numbered(prefix: str, n: int, digits: int = 6) -> list[str]:
    """Readable ids that count from 1."""
    return [f"{prefix}-{number:0{digits}d}" for number in range(1, n + 1)]


def numbered_by_time(prefix: str, time: Ints) -> list[str]:
    """Ids by row that count from 1 in the order of time."""
    ids = np.empty(len(time), object)
    ids[np.argsort(time, kind="stable")] = numbered(prefix, len(time))
    return list(ids)


def constant(value: str, n: int) -> pa.Array:
    """One text n times."""
    return pa.repeat(pa.scalar(value, pa.string()), n)


def iso(column: pa.Array) -> pa.Array:
    """Instants (whole seconds) as text: 2026-08-01T09:30:00Z."""
    return pc.strftime(column.cast(pa.timestamp("s")), "%Y-%m-%dT%H:%M:%SZ")


def events_table(events: Events, people: People, catalogue: Catalogue, starts: Ints, paid: Ints) -> pa.Table:
    """The event log. starts: when each visit begins; paid: when each order is paid."""
    ids = events.ids()
    return TABLES["events"].conform(
        pa.table(
            {
                "event": ids,
                "user": texts(people.ids, events.user),
                "item": texts(catalogue.ids, events.item),
                "time": instants(events.time),
                "known_at": instants(events.known_at),
                "kind": texts(KINDS, events.kind),
                "quantity": events.quantity.astype(np.float64),
                "amount_minor": events.amount_minor,
                "currency": constant(CURRENCY, len(events)),
                "basket": texts(numbered_by_time("order", paid), events.order),
                "session": texts(numbered_by_time("visit", starts), events.visit),
                "channel": texts(CHANNELS, events.channel),
                "country": texts(people.country, events.user),
                "origin": texts(ids, events.origin),
            }
        )
    )


def items_table(catalogue: Catalogue, calendar: Calendar) -> pa.Table:
    """The catalogue."""
    n = len(catalogue)
    return TABLES["items"].conform(
        pa.table(
            {
                "item": pa.array(catalogue.ids, pa.string()),
                "title": [title_of(catalogue, item) for item in range(n)],
                "text": [text_of(catalogue, item) for item in range(n)],
                "category": texts(catalogue.categories, catalogue.category),
                "brand": texts(catalogue.brands, catalogue.brand),
                "price_minor": catalogue.price_minor,
                "currency": constant(CURRENCY, n),
                "available_from": _limits(catalogue.begins, calendar),
                "available_until": _limits(catalogue.ends, calendar),
                "min_age": pa.array(catalogue.min_age, pa.int64()),
                "attributes": [attribute_json(catalogue, item) for item in range(n)],
            }
        )
    )


def _limits(days: Floats, calendar: Calendar) -> pa.Array:
    known = np.isfinite(days)
    instant = calendar.start_us + np.where(known, days, 0).astype(np.int64) * DAY_US
    return pa.array(instant, pa.timestamp("us"), mask=~known)


def users_table(people: People) -> pa.Table:
    """Customers; protected attributes are in the JSON column alone."""
    return TABLES["users"].conform(
        pa.table(
            {
                "user": pa.array(people.ids, pa.string()),
                "jurisdiction": pa.array(people.jurisdiction, pa.string()),
                "age": pa.array(people.age, pa.int64(), mask=~people.age_known),
                "attributes": pa.array(people.attributes, pa.string()),
            }
        )
    )


def consents_table(consents: Consents, people: People) -> pa.Table:
    """Consents, withdrawals and objections."""
    return TABLES["consents"].conform(
        pa.table(
            {
                "user": texts(people.ids, consents.user),
                "purpose": texts(PURPOSES, consents.purpose),
                "given": pa.array(consents.given, pa.bool_()),
                "time": instants(consents.time),
            }
        )
    )


def judgments_table(judgments: Judgments, catalogue: Catalogue) -> pa.Table:
    """Graded judgments."""
    return TABLES["judgments"].conform(
        pa.table(
            {
                "query": texts([query.text for query in judgments.queries], judgments.query),
                "item": texts(catalogue.ids, judgments.item),
                "grade": judgments.grade.astype(np.float64),
                "judge": constant("truth", len(judgments.item)),
            }
        )
    )


def payments_table(payments: Payments, people: People) -> pa.Table:
    """Payments with what is known of fraud."""
    n = len(payments.user)
    known = payments.label_known_at >= 0
    status = np.where(payments.declined, 0, np.where(known & payments.fraud, 1, 2))
    return TABLES["payments"].conform(
        pa.table(
            {
                "payment": numbered("pay", n),
                "payer": texts(people.ids, payments.user),
                "payee": texts(numbered("merchant", N_PAYEES, 3), payments.payee),
                "instrument": [token(number) for number in payments.instrument.tolist()],
                "amount_minor": payments.amount_minor,
                "currency": constant(CURRENCY, n),
                "time": instants(payments.time),
                "status": texts(("declined", "disputed", "settled"), status),
                "label": pa.array(payments.fraud, pa.bool_(), mask=~known),
                "label_known_at": instants(payments.label_known_at, missing=-1),
            }
        )
    )


def token(number: int) -> str:
    """The token of an instrument: letters after tok_, so that it can't be taken for a card number."""
    digest = hashlib.blake2b(str(number).encode(), digest_size=6).hexdigest()
    return "tok_" + digest.translate(str.maketrans("0123456789", "ghjkmnpqrs"))


def contexts(jurisdiction: Sequence[str], age: Ints, known: npt.NDArray[np.bool_]) -> list[str]:
    """The context of each customer's requests as JSON."""
    bands = [(0, "under 18"), (18, "18-29"), (30, "30-44"), (45, "45-61"), (62, "62 and over")]
    out = []
    for place, years, told in zip(jurisdiction, age.tolist(), known.tolist(), strict=True):
        band = next(name for least, name in reversed(bands) if years >= least) if told else "unknown"
        out.append(json.dumps({"jurisdiction": place, "age_band": band}))
    return out
