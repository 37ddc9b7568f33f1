"""Every exception mercer raises on purpose, in one tree.

    MercerError                    exit code 3: a fault of mercer or of the machine
    ├── UsageError                 exit code 2: wrong usage or input
    │   ├── BriefError             the brief: file, field, nearest valid name
    │   ├── DataError              a data file: file, column, row
    │   ├── OutputError            a folder that can't be written
    │   ├── UnsupportedError       asked for what a part can't do
    │   ├── MissingExtraError      a library that is not installed, with the command that mends it
    │   ├── NotFoundError          a run, case, user or target that is not there
    │   ├── TooLargeError          needs more memory than there is
    │   ├── ConflictError          the same id with other content
    │   └── SpentError             a budget of requests, tokens or money that is used up
    ├── GateError                  exit code 1: a rule failed or is not assessed and not accepted
    │   └── LeakageError           a training row lies after its cut
    ├── RemoteError                a server that does not answer, or not as it should
    ├── DivergedError              a training whose loss is no longer a number
    └── DamagedError               a release, checkpoint, cache entry or evidence unlike its manifest

A message says what is wrong, where, and what is legal; `remedy` says what to do.
Messages hold no personal data and no secrets.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import ClassVar


class MercerError(Exception):
    """Root of the tree. `remedy` is a sentence that says what to do next."""

    exit_code: ClassVar[int] = 3

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message} {self.remedy}".strip()


class UsageError(MercerError):
    """The caller asked for something that can't be done as asked."""

    exit_code: ClassVar[int] = 2


class BriefError(UsageError):
    """The brief is not valid; the message names file, field and the nearest valid name."""


class DataError(UsageError):
    """A data file is not usable; the message names file, column or row."""


class OutputError(UsageError):
    """A folder or file can't be written."""


class UnsupportedError(UsageError):
    """A part was asked for something it declares it can't do."""


class NotFoundError(UsageError):
    """A run, case, user, item or target that does not exist."""


class TooLargeError(UsageError):
    """Something needs more memory than there is; the remedy names the option to change."""


class ConflictError(UsageError):
    """Something with the same id but other content exists already."""


class SpentError(UsageError):
    """A budget of requests, tokens, money or time is used up; what was done until then is kept."""


class MissingExtraError(UsageError):
    """A library of an optional extra is not installed."""

    def __init__(self, library: str, extra: str) -> None:
        super().__init__(
            f"{library} is not installed.", remedy=f"Install it with: pip install 'mercer[{extra}]'"
        )


class GateError(MercerError):
    """A rule failed, or is not assessed and not accepted."""

    exit_code: ClassVar[int] = 1


class LeakageError(GateError):
    """Something known only after a cut would have been used before it."""


class RemoteError(MercerError):
    """A server that does not answer, or not as it should; the message quotes nothing that it said."""


class DivergedError(MercerError):
    """A training whose loss, gradient or metric is no longer a number."""


class DamagedError(MercerError):
    """Stored files differ from the manifest that describes them."""


def nearest(name: str, valid: Iterable[str]) -> str:
    """A sentence naming the valid name nearest to `name`, or all valid names when none is near."""
    names = sorted(set(valid))
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    if close:
        return f"Did you mean {close[0]!r}?"
    return f"Valid names: {', '.join(names)}."
