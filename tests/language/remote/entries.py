"""Entries of the cache of answers, for tests and the processes that they start; imports nothing heavy."""

from __future__ import annotations

import hashlib

from mercer.language.remote.answers import Kept

LONG = "long " * 800_000
"""Takes a while to write."""


def mark(person: str) -> str:
    return "p:" + hashlib.sha256(b"key" + person.encode()).hexdigest()[:12]


def kept(text: str = "an answer") -> Kept:
    return Kept(
        text=text, finish_reason="stop", tokens_in=1, tokens_out=2, fingerprint="f", structured="none"
    )


def key(at: int) -> str:
    return hashlib.sha256(str(at).encode()).hexdigest()
