"""A language model that writes the sentences of narratives from facts: zero-shot, with two examples, fine-tuned.

    .venv/bin/python benchmarks/narrative_ways.py --keep FOLDER [--ways zero-shot few-shot lora] [-n 60]

The model is given the facts of one sentence of the template, and writes a sentence of them; it chooses no evidence. The
narratives are the ones of benchmarks/narratives.py, seed 7, and the check is the same: a sentence that fails any part
of it is refused. lora: fine-tuned on the facts and the template's own sentences of narratives of other seeds, so the
best that it can learn is to copy the template. Counted: narratives all of whose sentences pass, sentences that pass,
and those of them that say it otherwise than the template. Greedy; the sentences of one narrative are written together,
and a narrative is one request.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from narratives import Facts, drawn, share
from ways import TOKENS, Times, decoder, tuned

from mercer.contracts import Generation
from mercer.evaluation.significance import sign_flip_p
from mercer.language.finetuning import Example
from mercer.language.generating import LocalGenerator
from mercer.reporting.narratives import Sentence, reword, template
from mercer.reporting.narratives.reading import normal
from mercer.reporting.narratives.wording import SENTENCE_TOKENS, listed

SEED = 7
TASK = "Write one sentence of these facts. Copy names, numbers and dates exactly. Add nothing."
Turns = list[dict[str, str]]


def asked(facts: Facts, sentence: Sentence) -> str:
    """What the model reads: what it is about, whether the reason is the first, the facts of the sentence."""
    kinds = {fact.kind for fact in facts}
    about = "case" if "case-kind" in kinds else "prediction" if "prediction" in kinds else "recommendation"
    cited = [fact for fact in facts if fact.id in sentence.facts]
    firsts = {next((f.id for f in facts if f.kind == kind), "") for kind in ("reason", "parameter")}
    first = ", the first of its kind" if firsts & {fact.id for fact in cited} else ""
    # The ids are no part of a sentence.
    lines = [line.split(" ", 1)[1] for line in listed(cited).split("\n")]
    return "\n".join([f"Of a {about}{first}:", *lines])


def turns(question: str, examples: Sequence[tuple[str, str]] = ()) -> Turns:
    told = [{"role": "system", "content": TASK}]
    for given, wanted in examples:
        told += [{"role": "user", "content": given}, {"role": "assistant", "content": wanted}]
    return [*told, {"role": "user", "content": question}]


def lessons_of(seed: int, n: int) -> list[Example]:
    """The template's sentences of drawn narratives, in an order drawn at random."""
    pairs = [
        Example(turns(asked(facts, one)), one.text) for facts in drawn(seed, n) for one in template(facts)
    ]
    return [pairs[at] for at in np.random.default_rng(seed).permutation(len(pairs))]


def shots() -> list[tuple[str, str]]:
    """Two sentences of a narrative of another seed: what a case is, and its first reason."""
    facts = next(iter(drawn(SEED + 1, 1)))
    sentences = template(facts)
    return [(asked(facts, one), one.text) for one in (sentences[0], sentences[-1])]


class Told:
    """What the model answered, by the template's sentence that it was asked for."""

    def __init__(self, answers: Mapping[str, Generation]) -> None:
        self.answers = answers

    def generate(self, messages: Sequence[Mapping[str, str]], **_: Any) -> Generation:
        return self.answers[messages[-1]["content"]]


def measured(label: str, by: LocalGenerator, examples: Sequence[tuple[str, str]], n: int, keep: Path) -> None:
    times, whole, good, new, total, same = Times(), np.zeros(n), 0, 0, 0, 0
    why, lines = Counter[str](), []
    for number, facts in enumerate(drawn(SEED, n)):
        plain = template(facts)
        with times.one():
            written = by.generate_many(
                [turns(asked(facts, one), examples) for one in plain],
                max_tokens=SENTENCE_TOKENS, temperature=0.0, seed=SEED,
            )  # fmt: skip
            answers = {one.text: answer for one, answer in zip(plain, written, strict=True)}
            made = reword(facts, Told(answers))
        failed = {int(reason.split(" in sentence ")[1].split(" ")[0]) for reason in made.refused}
        why.update(reason.split(" in ")[0] for reason in made.refused)
        whole[number] = not failed
        total += len(plain)
        good += len(plain) - len(failed)
        same += sum(answers[one.text].text.strip() == one.text for one in plain)
        new += sum(
            normal(one.text) != normal(old.text) for one, old in zip(made.sentences, plain, strict=True)
        )
        lines += [
            json.dumps(
                [one.text, answers[one.text].text, place not in failed, answers[one.text].finish_reason],
                ensure_ascii=False,
            )
            for place, one in enumerate(plain, 1)
        ]
    print(f"{label}: narratives {share(int(whole.sum()), n)}, beside the template {whole.mean() - 1:+.3f} p "
          f"{sign_flip_p(whole - 1):.4f}; sentences {share(good, total)}, of them {new} in other words; "
          f"{same} are the template's to the letter")  # fmt: skip
    print("  refused for: " + ", ".join(f"{name} {count}" for name, count in why.most_common()))
    print(f"  a narrative: {times.said()}", flush=True)
    keep.mkdir(parents=True, exist_ok=True)
    (keep / f"narratives.{label}.jsonl").write_text("\n".join(lines) + "\n", "utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    ways = ["zero-shot", "few-shot", "lora"]
    parser.add_argument("--keep", type=Path, required=True)
    parser.add_argument("--ways", nargs="+", default=ways, choices=ways)
    parser.add_argument("-n", type=int, default=60, help="narratives drawn")
    parser.add_argument("--tokens", type=int, default=TOKENS)
    given = parser.parse_args()
    times = Times()
    for facts in drawn(SEED, given.n):
        with times.one():
            template(facts)
    print(f"The template, a narrative: {times.said()}")
    for way in given.ways:
        adapter = None
        if way == "lora":
            adapter = tuned(given.keep / "narratives", lessons_of(101, 200), tokens=given.tokens)
        by = LocalGenerator(decoder(adapter))
        measured(way, by, shots() if way == "few-shot" else (), given.n, given.keep)


if __name__ == "__main__":
    main()
