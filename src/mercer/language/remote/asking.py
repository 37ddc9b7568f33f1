"""One question asked until it is answered: budget, rate, attempts, waits, and the schema."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any, Literal

from mercer.errors import RemoteError
from mercer.language.remote.audit import Record
from mercer.language.remote.clock import Clock
from mercer.language.remote.ledger import Ledger, Usage
from mercer.language.remote.options import RemoteOptions
from mercer.language.remote.permission import server_of
from mercer.language.remote.question import Question
from mercer.language.remote.rate import Rate
from mercer.language.remote.structured import AnswerError
from mercer.language.remote.transport import Fault, Reply, Transport, printable
from mercer.language.remote.waiting import Jitter

_NO_LIST = frozenset({404, 405, 500, 501})
"""Statuses of servers without a list of models; `transformers serve` answers 500 where it has no hub cache."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A usable answer, and what all attempts for it took."""

    reply: Reply
    parsed: Any
    tokens_in: int
    tokens_out: int
    money: float


class Asker:
    """Asks one server. Threads share its budget, rate and connections."""

    def __init__(
        self, options: RemoteOptions, transport: Transport, ledger: Ledger, clock: Clock, jitter: Jitter
    ) -> None:
        self._options = options
        self._transport = transport
        self._ledger = ledger
        self._clock = clock
        self._jitter = jitter
        self._host = server_of(options.base_url).host
        self._rate = Rate(options.requests_per_minute, options.tokens_per_minute, clock)
        self._turns = threading.BoundedSemaphore(options.max_concurrency)
        self._server_takes_schemas = options.structured == "server"

    def ask(self, question: Question, record: Record) -> Asked:
        """The answer, booked; `record` is filled in as it goes.

        Raises SpentError, and RemoteError once attempts or time are used up.
        """
        structured = self._first_way(question)
        deadline = self._clock.now() + self._options.deadline_seconds
        failed = invalid = 0
        while True:
            record.structured = structured
            found, waited = self._attempt(question, structured, invalid, deadline, record)
            deadline += waited
            if isinstance(found, Fault):
                record.faults.append(found.kind)
                if found.status == 400 and structured == "server":
                    structured = "asked"
                    continue
                failed += 1
                self._pause(found, failed, deadline, record)
                continue
            if structured == "asked":
                # Only now: a 400 for another reason comes back without the schema too.
                self._server_takes_schemas = False
            try:
                parsed = None if question.schema is None else question.schema.parse(found.text)
            except AnswerError:
                record.faults.append("invalid")
                invalid += 1
                if invalid > self._options.invalid_retries:
                    raise self._given_up(record, "invalid") from None
                continue
            return Asked(found, parsed, record.tokens_in, record.tokens_out, record.money or 0.0)

    def identify(self) -> dict[str, str]:
        """How the server's list names the model: `id`, and `root` or `parent` where it says them.

        Raises RemoteError where the list can't be had; a server without one answers for the name alone.
        """
        record = Record(host=self._host, model_asked=self._options.model, permission="", purpose="")
        deadline = self._clock.now() + self._options.deadline_seconds
        while True:
            with self._turns:
                found = self._transport.models(deadline)
            if not isinstance(found, Fault):
                break
            if found.status in _NO_LIST:
                found = []
                break
            record.attempts += 1
            record.faults.append(found.kind)
            self._pause(found, record.attempts, deadline, record)
        listed = next((one for one in found if one.get("id") == self._options.model), {})
        told = {key: printable(listed.get(key)) for key in ("root", "parent")}
        return {"id": self._options.model, **{key: name for key, name in told.items() if name}}

    def _first_way(self, question: Question) -> Literal["none", "server", "asked"]:
        if question.schema is None:
            return "none"
        return "server" if self._server_takes_schemas else "asked"

    def _attempt(
        self, question: Question, structured: str, invalid: int, deadline: float, record: Record
    ) -> tuple[Reply | Fault, float]:
        """One request, reserved before and booked after; with the seconds waited for the rate."""
        most = question.most(self._options)
        self._ledger.reserve(most)
        # Until it is known better, the server computed all it was allowed: also where this thread is interrupted.
        tokens: tuple[int | None, int | None] = (None, None)
        sent, answered = False, True
        waited = 0.0
        try:
            waited = self._rate.wait(most.tokens)
            body = question.body(self._options.model, structured=structured, invalid=invalid)
            with self._turns:
                sent = True
                record.attempts += 1
                found = self._transport.ask(body, deadline + waited)
            answered = isinstance(found, Reply) or found.billed
            if isinstance(found, Reply):
                tokens = (found.tokens_in, found.tokens_out)
                record.model = found.model
                record.system_fingerprint = found.system_fingerprint
        finally:
            self._book(question, most, tokens if answered and sent else (0, 0), sent, record)
        return self._not_withheld(found), waited

    def _book(
        self,
        question: Question,
        most: Usage,
        tokens: tuple[int | None, int | None],
        sent: bool,
        record: Record,
    ) -> None:
        worst = (question.most_tokens_in(), question.max_tokens)
        real = [most_ if told is None else told for told, most_ in zip(tokens, worst, strict=True)]
        money = self._options.money(*real)
        self._ledger.settle(most, Usage(int(sent), sum(real), money))
        self._rate.give_back(max(0, most.tokens - sum(real)))
        record.tokens_in += real[0]
        record.tokens_out += real[1]
        record.tokens_assumed += sum(most_ for told, most_ in zip(tokens, worst, strict=True) if told is None)
        if record.money is not None:
            record.money += money

    @staticmethod
    def _not_withheld(found: Reply | Fault) -> Reply | Fault:
        if isinstance(found, Reply) and found.finish_reason == "withheld":
            return Fault(kind="withheld", status=200, billed=True)
        return found

    def _pause(self, fault: Fault, failed: int, deadline: float, record: Record) -> None:
        """Wait for the next attempt. Raises RemoteError where there is none."""
        if not fault.again or failed > self._options.retries:
            raise self._given_up(record, fault.kind)
        seconds = self._jitter.wait(failed, fault.asked)
        if self._clock.now() + seconds >= deadline:
            record.faults.append("deadline")
            raise self._given_up(record, "deadline")
        self._clock.sleep(seconds)

    def _given_up(self, record: Record, kind: str) -> RemoteError:
        seen = ", ".join(dict.fromkeys(record.faults))
        return RemoteError(
            f"{self._host} gave no usable answer in {record.attempts} attempts: {seen}.", remedy=_remedy(kind)
        )


def _remedy(kind: str) -> str:
    remedies = {
        "invalid": "Give a simpler schema or more max_tokens; a server that ignores response_format needs "
        "structured='asked'.",
        "400": "The server does not take the request: check the model's window, max_tokens and the name.",
        "401": "Check the variable that api_key_variable names.",
        "403": "Check the variable that api_key_variable names, and what its key may do.",
        "404": "Check base_url and model.",
        "withheld": "The server's filter withheld the answer.",
        "too long": "The server sent more than any answer has; check base_url.",
        "deadline": "Raise deadline_seconds, or ask when the server is less busy.",
    }
    return remedies.get(kind, "Check that the server runs and base_url is right; call again later.")
