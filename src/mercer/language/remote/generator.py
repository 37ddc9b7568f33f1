"""RemoteGenerator: a chat model behind any OpenAI-compatible server, as a TextGenerator."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, NoReturn, Self

from mercer.contracts import Generation, Progress, Silent
from mercer.environment import cache_folder
from mercer.errors import RemoteError, SpentError, UnsupportedError
from mercer.language.remote.answers import Kept, Mark, RemoteAnswers
from mercer.language.remote.asking import Asker
from mercer.language.remote.audit import AuditLog, Record
from mercer.language.remote.batch import run_batch
from mercer.language.remote.clock import Clock, SystemClock
from mercer.language.remote.ledger import Ledger
from mercer.language.remote.options import RemoteOptions
from mercer.language.remote.permission import Permission, check_leave, server_of
from mercer.language.remote.question import Question
from mercer.language.remote.structured import AnswerError
from mercer.language.remote.transport import Transport
from mercer.language.remote.waiting import Jitter


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteGeneration(Generation):
    """A Generation that says where it came from.

    cached: it was kept and cost nothing now. structured: who held it to the schema: the server, or the prompt
    that asked for it; none without a schema. cost: in the unit of the prices; 0 where none is given.
    """

    cached: bool
    structured: Literal["none", "server", "asked"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteEstimate:
    """What requests cost at most, one attempt each. money is None where no price is given."""

    requests: int
    cached: int
    tokens_in: int
    tokens_out: int
    money: float | None


class RemoteGenerator:
    """A chat model on a server; threads may share it. Close it, or use it in a `with`.

    Before anything is sent the permission is checked and the worst case reserved; after it a line is in the audit
    record. Stability: caller stable.
    """

    Options: ClassVar = RemoteOptions

    def __init__(
        self,
        options: RemoteOptions,
        *,
        permission: Permission | None = None,
        ledger: Ledger | None = None,
        mark: Mark | None = None,
        clock: Clock | None = None,
        jitter_seed: int | None = None,
    ) -> None:
        """permission: what `Permission.of` read from the brief; only a server on the loopback needs none.

        ledger: what counts spending (default: one with the limits of `options`). mark: keyed hash of a person's id, for
        questions about people. jitter_seed: of the waits between attempts; None draws one.
        Raises UnsupportedError naming the brief's key where the server is not permitted, UsageError for a key that is
        not set, OutputError for a folder that can't be written, MissingExtraError without httpx.
        """
        self.options = options
        self.ledger = ledger or Ledger(
            max_requests=options.max_requests, max_tokens=options.max_tokens, max_money=options.max_money
        )
        self._clock = clock or SystemClock()
        self._server = server_of(options.base_url)
        self._permission = permission
        self._check_leave()
        folder = options.folder or cache_folder() / "remote"
        self._audit = AuditLog(folder)
        self.answers = RemoteAnswers(folder / "answers", mark)
        self._transport = Transport(options, self._clock)
        self._asker = Asker(options, self._transport, self.ledger, self._clock, Jitter(jitter_seed))
        self._lock = threading.Lock()
        self._named: dict[str, str] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()

    def generate(
        self,
        messages: Sequence[Mapping[str, str]],
        *,
        max_tokens: int,
        temperature: float,
        seed: int,
        json_schema: Mapping[str, Any] | None = None,
        subjects: Iterable[str] = (),
    ) -> RemoteGeneration:
        """One answer; with a schema, `parsed` is valid against it.

        subjects: ids of the people whose data the prompt holds: the kept answer is found and erased by their
        keyed hashes.
        Raises SpentError where a budget would be passed (nothing is sent), RemoteError where the server gives no
        usable answer within the retries and the deadline, UnsupportedError once the permission has ended,
        UsageError for messages, parameters or a schema that are not legal.
        """
        question = Question.of(
            messages, max_tokens=max_tokens, temperature=temperature, seed=seed, json_schema=json_schema
        )
        marks = self.answers.marks(subjects) if self.options.cache else []
        record = self._record(question)
        try:
            return self._answer(question, marks, record)
        except SpentError:
            record.outcome = "spent"
            raise
        except UnsupportedError:
            record.outcome = "refused"
            raise
        except RemoteError:
            record.outcome = "invalid" if record.faults and record.faults[-1] == "invalid" else "failed"
            raise
        finally:
            record.time = self._clock.time().isoformat(timespec="milliseconds")
            self._audit.write(record)

    def generate_many(
        self,
        requests: Sequence[Sequence[Mapping[str, str]]],
        *,
        max_tokens: int,
        temperature: float,
        seed: int,
        json_schema: Mapping[str, Any] | None = None,
        subjects: Sequence[Iterable[str]] | None = None,
        progress: Progress | None = None,
    ) -> list[RemoteGeneration]:
        """Answers in the order of `requests`, `max_concurrency` under way at once.

        subjects: for each request, as in `generate`. The first error ends it: nothing new is begun, what is under
        way is finished and kept. Raises SpentPartwayError (a SpentError) with the answers that there are in `results`;
        RemoteError and the others as `generate` does. Called again, what was kept costs nothing.
        """
        about = [()] * len(requests) if subjects is None else [tuple(one) for one in subjects]

        def one(at: int) -> RemoteGeneration:
            return self.generate(
                requests[at],
                max_tokens=max_tokens,
                temperature=temperature,
                seed=seed,
                json_schema=json_schema,
                subjects=about[at],
            )

        return run_batch(one, len(requests), self.options.max_concurrency, progress or Silent())

    def estimate_cost(
        self,
        requests: Sequence[Sequence[Mapping[str, str]]],
        *,
        max_tokens: int,
        temperature: float,
        seed: int,
        json_schema: Mapping[str, Any] | None = None,
    ) -> RemoteEstimate:
        """What `generate_many` costs at most, without retries; kept answers count nothing.

        Asks the server for the model's name where answers are kept, as `generate` does. Raises as `generate` does.
        """
        n_cached = tokens_in = 0
        for messages in requests:
            question = Question.of(
                messages, max_tokens=max_tokens, temperature=temperature, seed=seed, json_schema=json_schema
            )
            if self.options.cache and self.answers.get(self._key(question)) is not None:
                n_cached += 1
            else:
                tokens_in += question.most_tokens_in()
        n_asked = len(requests) - n_cached
        return RemoteEstimate(
            requests=n_asked,
            cached=n_cached,
            tokens_in=tokens_in,
            tokens_out=n_asked * max_tokens,
            money=None
            if self.options.price_in is None
            else self.options.money(tokens_in, n_asked * max_tokens),
        )

    def score(self, *_: object, **__: object) -> NoReturn:
        """What a TokenScorer does. Raises UnsupportedError: a server does not show its model token by token."""
        raise UnsupportedError(
            f"{self.options.model} is a remote model: it is no TokenScorer.",
            remedy="Score with a local decoder: mercer models import, then LocalScorer.",
        )

    def _answer(self, question: Question, marks: list[str], record: Record) -> RemoteGeneration:
        self._check_leave()
        key = self._key(question) if self.options.cache else ""
        kept = self.answers.get(key, marks) if self.options.cache else None
        if kept is None:
            asked = self._asker.ask(question, record)
            kept = Kept(
                text=asked.reply.text,
                finish_reason=asked.reply.finish_reason,
                tokens_in=asked.tokens_in,
                tokens_out=asked.tokens_out,
                fingerprint=self._fingerprint(asked.reply.model, asked.reply.system_fingerprint),
                structured=record.structured,
            )
            if self.options.cache:
                self.answers.put(key, kept, marks)
            record.outcome = "answered"
            return _generation(kept, asked.parsed, cost=asked.money, cached=False)
        record.outcome = "kept"
        record.structured = _how(kept.structured)
        parsed = None
        if question.schema is not None:
            try:
                parsed = question.schema.parse(kept.text)
            except AnswerError:
                raise RemoteError("A kept answer is not valid.", remedy="Remove the kept answers.") from None
        return _generation(kept, parsed, cost=0.0, cached=True)

    def _key(self, question: Question) -> str:
        identity = {"server": str(self._server), "structured": self.options.structured, **self._identity()}
        return question.key(identity)

    def _identity(self) -> dict[str, str]:
        """The model as the server's list names it, asked once; as it was asked for where there is no list."""
        with self._lock:
            if self._named is None:
                self._named = self._asker.identify()
            return self._named

    def _fingerprint(self, model: str | None, system_fingerprint: str | None) -> str:
        return f"{self._server.host}/{model or self.options.model}/{system_fingerprint or 'unreported'}"

    def _check_leave(self) -> None:
        check_leave(self._server, self._permission, self._clock.time().date())

    def _record(self, question: Question) -> Record:
        permission, schema = self._permission, question.schema
        return Record(
            host=self._server.host,
            model_asked=self.options.model,
            prompt=self._audit.hash(question.text()),
            schema_hash=None if schema is None else hashlib.sha256(schema.text.encode("ascii")).hexdigest(),
            permission="loopback" if self._server.is_local or permission is None else permission.reference,
            purpose=permission.purpose if permission else "",
            money=None if self.options.price_in is None else 0.0,
        )


def _generation(kept: Kept, parsed: Any, *, cost: float, cached: bool) -> RemoteGeneration:
    return RemoteGeneration(
        text=kept.text,
        parsed=parsed,
        finish_reason="length" if kept.finish_reason == "length" else "stop",
        tokens_in=kept.tokens_in,
        tokens_out=kept.tokens_out,
        cost=cost,
        fingerprint=kept.fingerprint,
        cached=cached,
        structured=_how(kept.structured),
    )


def _how(structured: str) -> Literal["none", "server", "asked"]:
    return "server" if structured == "server" else "asked" if structured == "asked" else "none"
