"""Language models on a server: any that speaks the OpenAI chat protocol, within permission and budget.

permission.py   whether data may leave this machine: the brief's `language.remote`
options.py      the server, patience, prices and budgets
question.py     messages, parameters and schema; the cache key and the worst case
structured.py   answers held to a JSON schema
waiting.py      waits between attempts: full jitter, Retry-After
rate.py         requests and tokens a minute
ledger.py       what was spent, and the limits
transport.py    one HTTP exchange
asking.py       a question asked until it is answered
answers.py      answers kept on disk, erasable by person
audit.py        the record of what was sent where
files.py        files that are whole or absent
batch.py        many calls at once
clock.py        time, so that tests need not wait
generator.py    RemoteGenerator

Feeds whoever takes a TextGenerator. Refuses every host but the loopback unless the brief allows it.
"""

from mercer.language.remote.answers import RemoteAnswers
from mercer.language.remote.batch import SpentPartwayError
from mercer.language.remote.generator import RemoteEstimate, RemoteGeneration, RemoteGenerator
from mercer.language.remote.ledger import Ledger, Usage
from mercer.language.remote.options import RemoteOptions
from mercer.language.remote.permission import Permission

__all__ = [
    "Ledger",
    "Permission",
    "RemoteAnswers",
    "RemoteEstimate",
    "RemoteGeneration",
    "RemoteGenerator",
    "RemoteOptions",
    "SpentPartwayError",
    "Usage",
]
