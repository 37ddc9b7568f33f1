"""A language model's wording is used when the check passes it, and else the record says why the template stands."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import pytest

from mercer.contracts import Generation
from mercer.errors import RemoteError
from mercer.reporting.narratives import Fact, narrate, reword, template
from mercer.reporting.narratives.wording import listed, messages, reworded, schema

from .corpus import fact_sets

Finish = Literal["stop", "length", "schema", "budget"]


class Scripted:
    """A generator by hand that answers what it was told to, and keeps what it was asked."""

    def __init__(self, answer: Any, finish: Finish = "stop") -> None:
        self.answer, self.finish = answer, finish
        self.asked: list[Mapping[str, str]] = []

    def generate(
        self,
        messages: Sequence[Mapping[str, str]],
        *,
        max_tokens: int,
        temperature: float,
        seed: int,
        json_schema: Mapping[str, Any] | None = None,
    ) -> Generation:
        self.asked = list(messages)
        if isinstance(self.answer, Exception):
            raise self.answer
        return Generation(
            text=json.dumps(self.answer), parsed=self.answer, finish_reason=self.finish, tokens_in=1,
            tokens_out=1, cost=0.0, fingerprint="by-hand",
        )  # fmt: skip


def worded(facts: Sequence[Fact], **changes: str) -> list[dict[str, Any]]:
    """The template as a model's answer, with texts changed."""
    answer = [{"sentence": one.text, "facts": list(one.facts)} for one in template(facts)]
    for old, new in changes.items():
        answer = [{**one, "sentence": one["sentence"].replace(old.replace("_", " "), new)} for one in answer]
    return answer


FACTS = fact_sets()["alert"]


def test_wording_that_passes_is_used() -> None:
    answer = worded(FACTS, The_score_is="The model gives a score of")

    made = narrate(FACTS, Scripted(answer))

    assert (made.made_by, made.refused) == ("by-hand", ())
    assert "The model gives a score of 0.0823." in made.text


def test_a_single_false_claim_gives_the_template_and_the_reason_without_the_text() -> None:
    made = narrate(FACTS, Scripted(worded(FACTS, lowers="raises")))

    assert made.made_by == "template"
    assert made.sentences == template(FACTS)
    assert made.refused == ("direction in sentence 3 (f7)", "direction in sentence 4 (f8)")


def test_wording_that_leaves_out_the_score_is_refused() -> None:
    answer = [one for one in worded(FACTS) if "f6" not in one["facts"]]

    assert narrate(FACTS, Scripted(answer)).refused == ("incomplete (f6)",)


@pytest.mark.parametrize(
    "answer",
    [None, [], {}, "text", [1], [{"sentence": 3, "facts": ["f1"]}], [{"sentence": "It is.", "facts": "f1"}],
     [{"sentence": "It is.", "facts": [1]}], [{"facts": ["f1"]}]],
)  # fmt: skip
def test_answers_that_are_no_sentences_are_refused(answer: Any) -> None:
    assert narrate(FACTS, Scripted(answer)).refused == ("generator: stop",)


def test_a_cut_answer_and_a_silent_server_are_refusals_and_no_errors() -> None:
    cut = narrate(FACTS, Scripted(worded(FACTS), "length"))
    silent = narrate(FACTS, Scripted(RemoteError("The server does not answer.")))

    assert (cut.refused, silent.refused) == (("generator: length",), ("generator: RemoteError",))
    assert cut.sentences == silent.sentences == template(FACTS)


def test_without_a_model_or_without_facts_the_template_stands() -> None:
    generator = Scripted([])

    assert narrate(FACTS).sentences == template(FACTS)
    assert narrate((), generator).sentences == ()
    assert generator.asked == []


def test_prompt_holds_every_fact_and_the_examples() -> None:
    example = fact_sets()["gate"]
    turns = messages(FACTS, [example])

    assert [turn["role"] for turn in turns] == ["system", "user", "assistant", "user"]
    assert all(
        line.split()[0] == fact.id for line, fact in zip(listed(FACTS).splitlines(), FACTS, strict=True)
    )
    assert json.loads(turns[2]["content"])[0]["facts"] == ["f1", "f2", "f4", "f3"]


def test_schema_allows_the_ids_of_the_facts_alone() -> None:
    cited = schema(FACTS)["items"]["properties"]["facts"]["items"]

    assert cited == {"enum": [fact.id for fact in FACTS]}


class Rewriter(Scripted):
    """A generator by hand that says a sentence with words of it changed."""

    def generate(self, messages: Sequence[Mapping[str, str]], **more: Any) -> Generation:
        text = messages[-1]["content"]
        for old, new in self.answer.items():
            text = text.replace(old, new)
        return Generation(
            text=f" {text}\n", parsed=None, finish_reason=self.finish, tokens_in=1, tokens_out=1, cost=0.0,
            fingerprint="by-hand",
        )  # fmt: skip


def test_sentences_that_pass_are_used_and_the_others_stay() -> None:
    made = reword(
        FACTS, Rewriter({"The score is": "A score of", "0.0823": "0.0823 was recorded", "lowers": "raises"})
    )
    plain = template(FACTS)

    assert made.made_by == "by-hand"
    assert made.sentences[1].text == "A score of 0.0823 was recorded."
    assert (made.sentences[2], made.sentences[3]) == (plain[2], plain[3])
    assert made.refused == ("direction in sentence 3 (f7)", "direction in sentence 4 (f8)")


def test_rewording_that_fails_everywhere_is_the_template() -> None:
    for generator in (Rewriter({" ": " not "}), Rewriter({}, "length"), Scripted(RemoteError("Silent."))):
        made = reword(FACTS, generator)
        assert (made.made_by, made.sentences) == ("template", template(FACTS))
        assert len(made.refused) >= len(made.sentences)


def test_rewording_that_leaves_a_direction_out_is_refused() -> None:
    made = reword(FACTS, Rewriter({"; it lowers the score": ""}))

    assert made.sentences == template(FACTS)
    assert made.refused == ("incomplete in sentence 3 (f7)", "incomplete in sentence 4 (f8)")


def test_examples_of_rewording_are_turns() -> None:
    assert [turn["role"] for turn in reworded("It is.", [("a", "b")])] == [
        "system",
        "user",
        "assistant",
        "user",
    ]


def test_record_is_plain_json() -> None:
    content = json.loads(json.dumps(narrate(FACTS).to_json()))

    assert content["made_by"] == "template"
    assert Fact.from_json(content["facts"][4]) == FACTS[4]
