"""A language model's wording of facts, used only when the check finds every claim among them; else the template."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from mercer.contracts.protocols import TextGenerator
from mercer.errors import MercerError
from mercer.reporting.narratives.check import LONGEST, check, check_sentence
from mercer.reporting.narratives.fact import Fact
from mercer.reporting.narratives.narrative import Fault, Narrative, Sentence, reasons_of
from mercer.reporting.narratives.numbers import say
from mercer.reporting.narratives.template import template

MAX_TOKENS = 512
SENTENCE_TOKENS = 80
ENDED = ("stop", "schema")
"""An answer that the model or the schema ended; any other was cut."""

TASK = (
    "You write short reports from a list of facts. Write one plain sentence for each fact or two. Use only the facts. "
    "Copy every name, number and date exactly. Say for each reason whether it raises or lowers the score. Give no "
    "advice and add nothing. Answer with JSON: a list of objects, each with a sentence and the ids of its facts."
)

REWORD = (
    "Say the sentence in other plain words. Keep every name, number and date exactly as it is. Add nothing and leave "
    "nothing out. Answer with the one sentence and nothing else."
)


def narrate(
    facts: Sequence[Fact],
    generator: TextGenerator | None = None,
    *,
    shots: Sequence[Sequence[Fact]] = (),
    max_tokens: int = MAX_TOKENS,
    seed: int = 0,
) -> Narrative:
    """A narrative of the facts: the template, or the generator's wording where it passes the check.

    shots: facts of examples, which the template words for the model. A generator that fails, or that answers
    something else than sentences, is a refusal and no error: the record says which, and the template stands.
    """
    plain = Narrative(facts=tuple(facts), sentences=template(facts))
    if generator is None or not facts:
        return plain
    try:
        answer = generator.generate(
            messages(facts, shots),
            max_tokens=max_tokens,
            temperature=0.0,
            seed=seed,
            json_schema=schema(facts),
        )
    except MercerError as fault:
        return _refused(plain, (f"generator: {type(fault).__name__}",))
    sentences = _sentences(answer.parsed)
    if answer.finish_reason not in ENDED or sentences is None:
        return _refused(plain, (f"generator: {answer.finish_reason}",))
    faults = check(sentences, facts)
    if faults:
        return _refused(plain, reasons_of(faults))
    return Narrative(facts=tuple(facts), sentences=sentences, made_by=answer.fingerprint)


def reword(
    facts: Sequence[Fact],
    generator: TextGenerator,
    *,
    examples: Sequence[tuple[str, str]] = (),
    max_tokens: int = SENTENCE_TOKENS,
    seed: int = 0,
) -> Narrative:
    """The template, each sentence in the generator's words where these pass the check, and as it was where not.

    The model chooses no evidence: a sentence keeps the facts of the one that it was made from. So a model that is too
    small for `narrate` may serve here. examples: sentences and how to say them otherwise, given as turns. made_by is
    the model's fingerprint where one of its sentences is used; refused names the places where none was.
    """
    plain = Narrative(facts=tuple(facts), sentences=template(facts))
    told, why, made_by = [], list[str](), plain.made_by
    for place, one in enumerate(plain.sentences, 1):
        try:
            answer = generator.generate(
                reworded(one.text, examples), max_tokens=max_tokens, temperature=0.0, seed=seed
            )
        except MercerError as fault:
            told.append(one)
            why.append(f"generator: {type(fault).__name__} in sentence {place}")
            continue
        other = Sentence(text=answer.text.strip(), facts=one.facts)
        faults = _sentence_faults(other, facts, place)
        if answer.finish_reason not in ENDED:
            why.append(f"generator: {answer.finish_reason} in sentence {place}")
        why += reasons_of(faults)
        passes = not faults and answer.finish_reason in ENDED
        told.append(other if passes else one)
        made_by = answer.fingerprint if passes else made_by
    return Narrative(facts=plain.facts, sentences=tuple(told), made_by=made_by, refused=tuple(why))


def _sentence_faults(sentence: Sentence, facts: Sequence[Fact], place: int) -> tuple[Fault, ...]:
    """Faults of a sentence, and what it leaves out of the facts that it was made from."""
    made_from = [replace(fact, required=True) for fact in facts if fact.id in sentence.facts]
    left = [fault for fault in check((sentence,), made_from) if fault.check == "incomplete"]
    return (
        *check_sentence(sentence, facts, place=place),
        *(replace(fault, sentence=place) for fault in left),
    )


def reworded(text: str, examples: Sequence[tuple[str, str]] = ()) -> list[dict[str, str]]:
    """The prompt of `reword`: the task, the examples as turns, and the sentence."""
    turns = [{"role": "system", "content": REWORD}]
    for given, wanted in examples:
        turns += [{"role": "user", "content": given}, {"role": "assistant", "content": wanted}]
    return [*turns, {"role": "user", "content": text}]


def messages(facts: Sequence[Fact], shots: Sequence[Sequence[Fact]] = ()) -> list[dict[str, str]]:
    """The prompt: the task, the examples as turns, and the facts."""
    turns = [{"role": "system", "content": TASK}]
    for example in shots:
        worded = [{"sentence": one.text, "facts": list(one.facts)} for one in template(example)]
        turns += [
            {"role": "user", "content": listed(example)},
            {"role": "assistant", "content": json.dumps(worded, ensure_ascii=False)},
        ]
    return [*turns, {"role": "user", "content": listed(facts)}]


def listed(facts: Sequence[Fact]) -> str:
    """The facts as a model reads them, one a line."""
    return "\n".join(_line(fact) for fact in facts)


def schema(facts: Sequence[Fact]) -> dict[str, Any]:
    """What the model must answer: sentences, each with ids out of those of the facts."""
    cited = {"type": "array", "items": {"enum": [fact.id for fact in facts]}, "minItems": 1, "maxItems": 6}
    one = {
        "type": "object",
        "properties": {"sentence": {"type": "string", "maxLength": LONGEST // 2}, "facts": cited},
        "required": ["sentence", "facts"],
        "additionalProperties": False,
    }
    return {"type": "array", "items": one, "minItems": 1, "maxItems": len(facts)}


def _line(fact: Fact) -> str:
    value = "" if fact.value == "" or fact.name == fact.value else f": {say(fact)}"
    moves = f" ({fact.direction} the score)" if fact.direction else ""
    more = f". {fact.meaning}" if fact.meaning else ""
    return f"{fact.id} {fact.kind}: {fact.name}{value}{moves}{more}"


def _sentences(parsed: Any) -> tuple[Sentence, ...] | None:
    if not isinstance(parsed, list) or not parsed:
        return None
    found = []
    for one in parsed:
        if not isinstance(one, Mapping) or not isinstance(one.get("sentence"), str):
            return None
        ids = one.get("facts")
        if not isinstance(ids, list) or not all(isinstance(fact, str) for fact in ids):
            return None
        found.append(Sentence(text=one["sentence"], facts=tuple(dict.fromkeys(ids))))
    return tuple(found)


def _refused(plain: Narrative, why: tuple[str, ...]) -> Narrative:
    return Narrative(facts=plain.facts, sentences=plain.sentences, refused=why)
