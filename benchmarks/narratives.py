"""What the check of narratives finds, what it costs, and how often a language model's wording passes it.

    .venv/bin/python benchmarks/narratives.py [--planted] [--wording MODEL] [--rewording MODEL] [-n 60] …

--planted: faults planted into true sentences (the template's of drawn narratives, and paraphrases written by hand that
    pass), by kind, and the sentences written by hand: true ones that pass, false ones that are found.
--wording: a model of the store words drawn narratives, greedily, bound by the schema; with 0 and with 2 examples.
--rewording: it says each sentence of the template otherwise, and chooses no evidence.
Without a part named, --planted is run. 95 % intervals of shares are Wilson's, as if sentences were independent.
The narratives are drawn with a seed: alerts, adverse decisions and failed gates, predictions, recommendations. Their
values are random; the names of features, rules and parameters are mercer's own.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from scipy.stats import binomtest

from mercer.compliance import Case
from mercer.contracts import Generation, Reason
from mercer.features import FEATURES
from mercer.recommend.item_knn import ItemKnn
from mercer.recommend.user_knn import UserKnn
from mercer.reporting.narratives import (
    Fact,
    Sentence,
    case_facts,
    check_sentence,
    narrate,
    prediction_facts,
    recommendation_facts,
    reword,
    template,
)
from mercer.reporting.narratives.planting import plant
from mercer.reporting.narratives.reading import normal
from mercer.reporting.narratives.wording import SENTENCE_TOKENS, reworded
from mercer.testing.small_shop import small_catalogue

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))
from reporting.narratives.corpus import sentences as by_hand

Facts = tuple[Fact, ...]

_TOP = {"days": 400, "count": 40, "share": 1, "ratio": 5, "as given": 100}
_RULES = ("repurchase", "churn", "credit-limit", "lapse-90d")
_GATES = ("gdpr-consent", "gdpr-erase", "aia-logs", "dsa-27", "pci-data")


def reasons(rng: random.Random, n: int) -> list[Reason]:
    """Reasons of a prediction, as a model gives them."""
    found = []
    for strength, feature in enumerate(rng.sample(FEATURES, n)):
        top = _TOP.get(feature.unit, 90_000)
        value = (
            round(rng.random() * top, 4) if feature.unit in ("share", "ratio") else float(rng.randrange(top))
        )
        push = rng.choice((-1, 1)) * (1 - 0.2 * strength)
        found.append(Reason(feature.name, value, push, feature.meaning))
    return found


def case(rng: random.Random, number: int) -> Case:
    """A case of any kind."""
    kind = rng.choice(("alert", "adverse-decision", "failed-gate"))
    opened = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=rng.randrange(330))
    told: tuple[dict[str, Any], ...]
    if kind == "failed-gate":
        rule = subject = rng.choice(_GATES)
        told = (
            {"measured": rng.randrange(3, 400), "threshold": rng.randrange(3), "remedy": "Ask for consent."},
        )
    else:
        rule, subject = rng.choice(_RULES), f"customer-{rng.randrange(1000)}"
        told = tuple(
            {"feature": r.feature, "value": r.value, "contribution": r.contribution, "meaning": r.meaning}
            for r in reasons(rng, 3)
        )
    closed = opened + timedelta(days=rng.randrange(1, 30)) if rng.random() < 0.3 else None
    return Case(
        case=f"case-{number:06d}", kind=kind, subject=subject, opened=opened, rule=rule, reasons=told,
        score=None if kind == "failed-gate" else round(rng.random(), 4), closed=closed,
        disposition=rng.choice(("confirmed", "dismissed", "inconclusive")) if closed else None,
        reviewer_role="risk" if closed else None,
    )  # fmt: skip


def drawn(seed: int, n: int) -> Iterator[Facts]:
    """Facts of n narratives: half of cases, a quarter of predictions, a quarter of recommendations."""
    rng = random.Random(seed)
    _, items = small_catalogue()
    titles, brands = items["title"].tolist(), items["brand"].tolist()
    for number in range(n):
        if number % 4 < 2:
            yield case_facts(case(rng, number + 1), currency="GBP")
        elif number % 4 == 2:
            value = round(rng.random(), 4)
            yield prediction_facts(
                f"customer-{rng.randrange(1000)}", value, reasons(rng, 3), target=rng.choice(_RULES),
                interval=(value * 0.8, min(1.0, value * 1.2)), currency="GBP",
            )  # fmt: skip
        else:
            item, *bought = rng.sample(range(len(titles)), 3)
            ranker = rng.choice((ItemKnn, UserKnn))()
            yield recommendation_facts(
                titles[item], parameters=ranker.parameters(), history=[titles[at] for at in bought],
                brand=brands[item], price_minor=rng.randrange(200, 9000), currency="GBP",
            )  # fmt: skip


def share(hits: int, n: int) -> str:
    """Hits, cases, share and Wilson's interval."""
    low, high = binomtest(hits, n).proportion_ci(method="wilson")
    return f"{hits:5} of {n:5}  {hits / n:.3f} [{low:.3f}, {high:.3f}]"


def planted(n: int, seed: int) -> None:
    """The table of planted faults, and the sentences written by hand."""
    print("Sentences written by hand")
    for part in ("tuned", "held"):
        found = by_hand(part)
        print(f"  true, {part:24} pass   {share(sum(not check_sentence(*one) for one in found), len(found))}")
    for part in ("untrue", "untrue_held"):
        found = by_hand(part)
        print(
            f"  false, {part:23} found  {share(sum(bool(check_sentence(*one)) for one in found), len(found))}"
        )
    true: list[tuple[Sentence, Facts]] = [(one, facts) for facts in drawn(seed, n) for one in template(facts)]
    passing = sum(not check_sentence(*one) for one in true)
    print(f"The template's sentences           pass   {share(passing, len(true))}")
    true += [one for part in ("tuned", "held") for one in by_hand(part)]
    rng, hit, all_of = random.Random(seed), Counter[str](), Counter[str]()
    for one, facts in true:
        if not check_sentence(one, facts):
            for kind, false in plant(one, facts, rng):
                all_of[kind] += 1
                hit[kind] += bool(check_sentence(false, facts))
    print("Planted faults")
    for kind in all_of:
        print(f"  {kind:32} found  {share(hit[kind], all_of[kind])}")
    print(f"  {'all':32} found  {share(hit.total(), all_of.total())}", flush=True)


def wording(model: str, shots: int, n: int, seed: int, keep: Path | None) -> None:
    """A model's wording of n narratives: whole ones and single sentences that pass, and what was found in others."""
    from mercer.language.decoders import Decoder, ModelStore
    from mercer.language.generating import LocalGenerator

    local = LocalGenerator(Decoder.load(ModelStore().get(model)))

    class Kept:
        """The same generator; what it answered last is kept to look at single sentences."""

        last: Generation | None = None

        def generate(self, *args: Any, **more: Any) -> Generation:
            self.last = local.generate(*args, **more)
            return self.last

    examples = list(drawn(seed + 1, 4))
    # A case and a recommendation: the two forms that differ most.
    chosen = [examples[0], examples[3]][:shots]
    passed, why, n_sentences, good = 0, Counter[str](), 0, 0
    seconds = 0.0
    kept = None if keep is None else (keep / f"{model}.{shots}.jsonl")
    if kept is not None:
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_text("", "utf-8")
    for facts in drawn(seed, n):
        lines: list[dict[str, Any]] = []
        generator = Kept()
        begun = time.perf_counter()
        made = narrate(facts, generator, shots=chosen, seed=seed, max_tokens=192)
        seconds += time.perf_counter() - begun
        passed += made.made_by != "template"
        why.update({reason.split(" in ")[0].split(" (")[0] for reason in made.refused})
        answer = generator.last.parsed if generator.last else []
        for one in answer:
            faults = check_sentence(
                Sentence(text=one["sentence"], facts=tuple(dict.fromkeys(one["facts"]))), facts
            )
            n_sentences += 1
            good += not faults
            lines.append({"sentence": one, "faults": sorted({fault.check for fault in faults})})
        lines.append({"refused": made.refused, "made_by": made.made_by})
        if kept is not None:
            with kept.open("a", encoding="utf-8") as file:
                file.writelines(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    print(f"{model}, {shots} examples: narratives {share(passed, n)}; sentences {share(good, max(n_sentences, 1))}; "
          f"{seconds / n:.1f} s a narrative")  # fmt: skip
    print("  refused for: " + ", ".join(f"{name} {count}" for name, count in why.most_common()), flush=True)


EXAMPLES = (
    ("The score is 0.3100.", "The model gives a score of 0.3100."),
    (
        "A reason is “Number of orders” at 4; it lowers the score.",
        "The number of orders is 4, and it lowers the score.",
    ),
)


def rewording(model: str, shots: int, n: int, seed: int, keep: Path | None) -> None:
    """The template's sentences in a model's words: those that pass, and narratives of which all pass."""
    from mercer.language.decoders import Decoder, ModelStore
    from mercer.language.generating import LocalGenerator

    local = LocalGenerator(Decoder.load(ModelStore().get(model)))
    narratives = list(drawn(seed, n))
    prompts = {
        one.text: reworded(one.text, EXAMPLES[:shots]) for facts in narratives for one in template(facts)
    }
    begun = time.perf_counter()
    answers = local.generate_many(
        list(prompts.values()), max_tokens=SENTENCE_TOKENS, temperature=0.0, seed=seed
    )
    seconds = time.perf_counter() - begun
    told = dict(zip(prompts, answers, strict=True))

    class Asked:
        """What the model answered, all sentences having been written together."""

        def generate(self, messages: Sequence[Mapping[str, str]], **_: Any) -> Generation:
            return told[messages[-1]["content"]]

    whole, good, new, total, why = 0, 0, 0, 0, Counter[str]()
    for facts in narratives:
        made = reword(facts, Asked(), examples=EXAMPLES[:shots])
        failed = {int(reason.split(" in sentence ")[1].split(" ")[0]) for reason in made.refused}
        plain = template(facts)
        total += len(plain)
        good += len(plain) - len(failed)
        new += sum(
            normal(one.text) != normal(old.text) for one, old in zip(made.sentences, plain, strict=True)
        )
        whole += not failed
        why.update(reason.split(" in ")[0] for reason in made.refused)
    print(f"{model}, {shots} examples, sentence by sentence: narratives {share(whole, n)}; sentences "
          f"{share(good, total)}, of them {new} in other words; {seconds / len(prompts):.2f} s a sentence")  # fmt: skip
    print("  refused for: " + ", ".join(f"{name} {count}" for name, count in why.most_common()), flush=True)
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=True)
        lines = [json.dumps([given, answer.text], ensure_ascii=False) for given, answer in told.items()]
        (keep / f"{model}.{shots}.reworded.jsonl").write_text("\n".join(lines) + "\n", "utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--planted", action="store_true")
    parser.add_argument("--wording", metavar="MODEL", help="a model of the store")
    parser.add_argument("--rewording", metavar="MODEL", help="a model of the store")
    parser.add_argument("--shots", type=int, nargs="+", default=[0, 2], choices=[0, 1, 2])
    parser.add_argument("-n", type=int, default=60, help="narratives drawn")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--keep", type=Path, help="folder for what the model wrote")
    chosen = parser.parse_args()
    if chosen.planted or not (chosen.wording or chosen.rewording):
        planted(chosen.n, chosen.seed)
    for shots in chosen.shots if chosen.rewording else ():
        rewording(chosen.rewording, shots, chosen.n, chosen.seed, chosen.keep)
    for shots in chosen.shots if chosen.wording else ():
        wording(chosen.wording, shots, chosen.n, chosen.seed, chosen.keep)


if __name__ == "__main__":
    main()
