"""Serving: an HTTP app over a release and an online state.

app.py         the app as a value: routes, middleware, errors
settings.py    what an app is made of
answering.py   the answers, without HTTP
understood.py  what a search is ranked by: understood in time, given, or plain
crew.py        work with a deadline, in threads that can't pile up
deadline.py    understanding within a deadline
hurry.py       a target's own ranker within a deadline, and its fallback after it
asking.py      from a call to what a model reads
calls.py       what callers send
replies.py     what they get
wire.py        base of both
problems.py    the one error body
server.py      start a server for a run or a release
erasure.py     find, forget and export one person over every store
access.py      what an export holds
state/         the online state: events, people, overlay, exposures, keys
middleware/    a file each
routes/        a file for each group
pages/         the console and the reference, without internet
"""

from mercer.serving.answering import Answering
from mercer.serving.app import build_app
from mercer.serving.server import Served, create_key, prepare, serve, state_url_of
from mercer.serving.settings import Settings
from mercer.serving.state import OnlineState, seed_from_run

__all__ = [
    "Answering",
    "OnlineState",
    "Served",
    "Settings",
    "build_app",
    "create_key",
    "prepare",
    "seed_from_run",
    "serve",
    "state_url_of",
]
