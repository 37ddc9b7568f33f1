"""How much does the place in a list say, where one prompt lists all candidates? `search-listed` on a real catalogue.

    .venv/bin/python benchmarks/listed_order.py --icecat FOLDER [--questions N] [--precision bf16]

--icecat: as in benchmarks/search.py. The first N judged queries by md5, each with the first ten items of
fields-minilm, in a drawn order and in its reverse (`mercer.language.prompts.spread.order_effect`). Printed: the mean
probability that the model gives each place of the list, whatever stands there, a tenth each where order does not
matter; and the share of queries whose best item is the same in both orders, a tenth by chance.
"""

from __future__ import annotations

import argparse
import hashlib
import time
from pathlib import Path

from search import icecat

from mercer.language.prompts import PromptScorer, load_prompt
from mercer.language.prompts.joining import first
from mercer.language.prompts.models import Bound
from mercer.language.prompts.reordering import titles_of
from mercer.language.prompts.spread import order_effect
from mercer.search import FieldsMinilm

CANDIDATES = 10
SEED = 1


def main() -> None:
    """Print two lines for each wording."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--icecat", type=Path, required=True)
    parser.add_argument("--questions", type=int, default=60)
    parser.add_argument("--wordings", type=int, nargs="+", default=[0], choices=[0, 1, 2])
    parser.add_argument("--model", default="smollm2-135m-instruct")
    parser.add_argument("--precision", default="fp32", choices=["fp32", "bf16"])
    given = parser.parse_args()
    train, held, _ = icecat(given.icecat)
    base, titles = FieldsMinilm(FieldsMinilm.Options(bundle_encoder=False)).fit(train), titles_of(train)
    queries = sorted(held.units, key=lambda q: hashlib.md5(q.encode(), usedforsecurity=False).hexdigest())
    questions = [
        ({"query": query}, [{"title": titles[code]} for code in first(base.score_query(query), CANDIDATES)])
        for query in queries[: given.questions]
    ]
    decoder = Bound.find(given.model, weights="pretrained", precision=given.precision, seed=SEED).decoder()
    for wording in given.wordings:
        began = time.process_time()
        found = order_effect(
            PromptScorer(load_prompt("search-listed"), decoder, wording), questions, seed=SEED
        )
        ms = 1000 * (time.process_time() - began) / (2 * len(questions))
        print(f"wording {wording}, {len(questions)} queries, {ms:.0f} ms a list")
        print("  by place", " ".join(f"{share:.3f}" for share in found.by_place))
        print(f"  the same best item in both orders: {found.agreement:.3f}", flush=True)


if __name__ == "__main__":
    main()
