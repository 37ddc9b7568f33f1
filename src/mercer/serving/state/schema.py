"""Tables of the online state: columns named as in the canonical tables, times int64 microseconds in UTC."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
)

SCHEMA = 1

metadata = MetaData()

# SQLite counts up only what it calls INTEGER; PostgreSQL needs eight bytes for a log that grows for years.
_NUMBER = BigInteger().with_variant(Integer, "sqlite")

meta = Table(
    "meta", metadata, Column("name", String, primary_key=True), Column("value", Text, nullable=False)
)

events = Table(
    "events",
    metadata,
    Column("number", _NUMBER, primary_key=True, autoincrement=True),
    Column("event", String, nullable=False, unique=True),
    Column("user", String, nullable=False),
    Column("item", String, nullable=False),
    Column("time", BigInteger, nullable=False),
    Column("known_at", BigInteger, nullable=False),
    Column("kind", String, nullable=False),
    Column("quantity", Float),
    Column("amount_minor", BigInteger),
    Column("currency", String),
    Column("basket", String),
    Column("session", String),
    Column("channel", String),
    Column("country", String),
    Column("origin", String),
    Column("request", String),
    Column("digest", LargeBinary, nullable=False),
    Index("events_by_user", "user", "time", "event"),
)
"""`number`: order of arrival. `request`: the answer that the event followed from. `digest`: of content."""

people = Table(
    "people",
    metadata,
    Column("user", String, primary_key=True),
    Column("jurisdiction", String),
    Column("age", Integer),
)

consents = Table(
    "consents",
    metadata,
    Column("number", _NUMBER, primary_key=True, autoincrement=True),
    Column("user", String, nullable=False, index=True),
    Column("purpose", String, nullable=False),
    Column("given", Boolean, nullable=False),
    Column("time", BigInteger, nullable=False),
)

overlay = Table(
    "overlay",
    metadata,
    Column("version", _NUMBER, primary_key=True, autoincrement=True),
    Column("item", String, nullable=False, index=True),
    Column("withdrawn", Boolean, nullable=False),
    Column("title", Text),
    Column("price_minor", BigInteger),
    Column("currency", String),
    Column("min_age", Integer),
    Column("available_from", BigInteger),
    Column("available_until", BigInteger),
    Column("details", Text, nullable=False),
    Column("time", BigInteger, nullable=False),
)
"""Every change of the catalogue; the highest version of an item holds. `details`: JSON of what a later
release learns from (text, category, brand)."""

requests = Table(
    "requests",
    metadata,
    Column("number", _NUMBER, primary_key=True, autoincrement=True),
    Column("request", String, nullable=False, unique=True),
    Column("user", String, index=True),
    Column("time", BigInteger, nullable=False),
    Column("query", Text),
    Column("session", String),
    Column("policy", String, nullable=False),
    Column("release", String, nullable=False),
    Column("context", Text, nullable=False),
    Column("eligible", LargeBinary),
)
"""`eligible`: packed bits over the release's vocabulary, deflated; null: the whole catalogue."""

impressions = Table(
    "impressions",
    metadata,
    Column("request", String, primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("item", String, nullable=False),
    Column("propensity", Float, nullable=False),
    Column("propensity_kind", String, nullable=False),
)

predictions = Table(
    "predictions",
    metadata,
    Column("request", String, primary_key=True),
    Column("user", String, index=True),
    Column("time", BigInteger, nullable=False),
    Column("as_of", BigInteger, nullable=False),
    Column("policy", String, nullable=False),
    Column("release", String, nullable=False),
    Column("context", Text, nullable=False),
    Column("value", Float, nullable=False),
    Column("low", Float, nullable=False),
    Column("high", Float, nullable=False),
    Column("reasons", Text),
)

vocabularies = Table(
    "vocabularies",
    metadata,
    Column("release", String, primary_key=True),
    Column("ids", LargeBinary, nullable=False),
)
"""Item ids of every release that answered, JSON deflated: what `requests.eligible` counts."""

keys = Table(
    "api_keys",
    metadata,
    Column("id", String, primary_key=True),
    Column("name", String, nullable=False),
    Column("hash", String, nullable=False),
    Column("scopes", Text, nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("revoked", BigInteger),
)

PERSONAL = (events, people, consents, requests, predictions)
"""Tables with a column `user`."""
