"""The online state: a database of everything that serving knows and a release must not hold.

schema.py     the tables
database.py   SQLite in WAL mode, or PostgreSQL
event_log.py  events, idempotent, and histories
person.py     ages, consents, objections
catalogue.py  the versioned catalogue overlay
exposures.py  requests, impressions and predictions; export in canonical form
api_keys.py   hashed keys with scopes
online.py     all of it as one Erasable object
seed.py       the events, people and consents of a run, loaded once
"""

from mercer.serving.state.api_keys import SCOPES, ApiKeys, KeyHolder
from mercer.serving.state.catalogue import CatalogueState, ItemChange
from mercer.serving.state.database import Database
from mercer.serving.state.event_log import Added, Event, EventLog
from mercer.serving.state.exposures import Exposure, ExposureLog, PredictionRecord
from mercer.serving.state.online import OnlineState
from mercer.serving.state.person import Consent, Person, Register
from mercer.serving.state.seed import Seeded, seed_from_run

__all__ = [
    "SCOPES",
    "Added",
    "ApiKeys",
    "CatalogueState",
    "Consent",
    "Database",
    "Event",
    "EventLog",
    "Exposure",
    "ExposureLog",
    "ItemChange",
    "KeyHolder",
    "OnlineState",
    "Person",
    "PredictionRecord",
    "Register",
    "Seeded",
    "seed_from_run",
]
