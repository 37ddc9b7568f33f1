"""Does preference tuning help a model that was fine-tuned to read categories? Kept only where it gains significantly.

    .venv/bin/python benchmarks/preferences.py --run RUN [--queries 600]

RUN: a run of briefs/wordings.yaml with `understood-decoder`. The fine-tuned model reads made queries that it has not
learned from; where it is wrong, the right answer is preferred to its own (corrected filters), and DPO learns from these
pairs on top of the merged model. Before and after: the share of categories that are right on made queries of other
templates and on benchmarks/development_wordings.yaml, paired, sign flips.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path

import numpy as np
import yaml
from understanding import interval
from wordings import shop

from mercer.contracts import Runtime
from mercer.evaluation.significance import sign_flip_p
from mercer.language.decoders import Decoder, ModelStore
from mercer.language.finetuning import Example, FineTuningOptions, Preference, finetune, merged
from mercer.language.generating import ConstrainedDecoder, Grammar
from mercer.search.understanding.decoded import ADAPTER, STATE, UnderstoodDecoder
from mercer.search.understanding.pairs import Part, make_pairs
from mercer.simulate.tables import items_table

DEVELOPMENT = Path(__file__).parent / "development_wordings.yaml"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--queries", type=int, default=600)
    parser.add_argument("--validation", type=int, default=200)
    given = parser.parse_args()
    folder = given.run / "models" / "find" / "understood-decoder"
    ranker = UnderstoodDecoder.load(folder)
    form, rules = ranker.maker.form, ranker.maker.rules
    world = shop()
    items = items_table(world.catalogue, world.calendar).to_pandas()
    for name in ("title", "text", "category", "brand", "attributes"):
        items[name] = items[name].fillna("")

    def made(n: int, seed: int, part: Part) -> list[Example]:
        drawn = make_pairs(items, ranker.values, ranker.facts, rules.lexicon, n=n, seed=seed, part=part)
        return [form.example(pair, ranker.maker.decoder) for pair in drawn]

    def answers(decoder: Decoder, examples: list[Example]) -> list[str]:
        writer = ConstrainedDecoder(decoder)
        tokens = [decoder.start + decoder.encode(str(one.prompt)) for one in examples]
        return [writer.decode(ids, form.grammar, max_tokens=form.most_tokens).text for ids in tokens]

    asked = made(given.queries, 77, "training")
    said = answers(ranker.maker.decoder, asked)
    wrong = [
        Preference(one.prompt, one.answer, mine)
        for one, mine in zip(asked, said, strict=True)
        if mine != one.answer
    ]
    print(f"{len(asked)} made queries, {len(wrong)} answered wrongly: pairs of preferences", flush=True)
    wordings = [
        Example(
            ranker.maker.decoder.decode(form.tokens(one["text"], ranker.maker.decoder)),
            Grammar.dumps({"category": one["category"]} if one["category"] else {}),
        )
        for one in yaml.safe_load(DEVELOPMENT.read_text("utf-8"))
    ]
    parts = {
        "made queries of other templates": made(given.validation, 78, "validation"),
        "development wordings": wordings,
    }
    with tempfile.TemporaryDirectory() as folders:
        tuned, preferred = Path(folders) / "tuned", Path(folders) / "preferred"
        stored = ModelStore().get(json.loads((folder / STATE).read_text("utf-8"))["hash"])
        merged(stored, folder / ADAPTER).save(tuned)
        options = FineTuningOptions(method="dpo", epochs=3, batch_tokens=512)
        record = finetune(tuned, wrong, options, folder=preferred, seed=1, runtime=Runtime(threads=1)).record
        print(
            f"DPO: {record.seconds:.0f} s, losses {record.losses[0]:.3f} to {record.losses[-1]:.3f}",
            flush=True,
        )
        models = [
            Decoder.load(tuned, precision="bf16"),
            Decoder.load(tuned, adapter=preferred, precision="bf16"),
        ]
        for label, part in parts.items():
            right = [
                np.array([a == one.answer for a, one in zip(answers(model, part), part, strict=True)], float)
                for model in models
            ]
            gap = right[1] - right[0]
            print(
                f"{label}, n {len(part)}: before {interval(right[0])}, after {interval(right[1])}, "
                f"{interval(gap, '+')} p {sign_flip_p(gap):.3f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
