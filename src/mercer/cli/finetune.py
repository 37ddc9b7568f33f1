"""`mercer models finetune` and `mercer models merge`: a language model learns from examples."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mercer.cli.run import DeviceOption, JsonOption

if TYPE_CHECKING:
    from rich.table import Table

    from mercer.language.decoders import StoredModel
    from mercer.language.finetuning import FineTuned, FineTuningOptions, LeftOut
    from mercer.training import TrainingEstimate

ModelArgument = Annotated[
    str,
    typer.Argument(
        metavar="MODEL",
        help="An imported model (its name, see mercer models list), or a folder.",
        show_default=False,
    ),
]


def finetune(
    model: ModelArgument,
    examples: Annotated[
        Path, typer.Argument(metavar="EXAMPLES", help="Examples, a file of JSON lines.", show_default=False)
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", help="The folder for the result. Needed unless --estimate.", show_default=False
        ),
    ] = None,
    method: Annotated[
        str, typer.Option("--method", help="lora, full, or dpo (preferences, with LoRA).")
    ] = "lora",
    validation: Annotated[
        Path | None,
        typer.Option(
            "--validation",
            help="Held-out examples, a file like EXAMPLES: they choose the best weights and end the training early.",
            show_default=False,
        ),
    ] = None,
    rank: Annotated[int, typer.Option("--rank", min=1, help="Width of LoRA's small matrices.")] = 16,
    epochs: Annotated[int, typer.Option("--epochs", min=1, help="Passes over the examples.")] = 3,
    learning_rate: Annotated[
        float | None,
        typer.Option("--learning-rate", help="Left out: lora 5e-4, full 3e-5, dpo 5e-5.", show_default=False),
    ] = None,
    batch_tokens: Annotated[
        int, typer.Option("--batch-tokens", min=1, help="Tokens a step: fewer need less memory.")
    ] = 1024,
    tokens: Annotated[
        Path | None,
        typer.Option(
            "--tokens",
            help="Texts that become tokens of their own, one a line, and are trained.",
            show_default=False,
        ),
    ] = None,
    seed: Annotated[
        int, typer.Option("--seed", min=0, help="Decides the order of examples, and all chance.")
    ] = 1,
    seconds: Annotated[
        float | None,
        typer.Option(
            "--seconds",
            min=0.001,
            help="Stop after so many and keep what was learned. Left out: 3600.",
            show_default=False,
        ),
    ] = None,
    device: DeviceOption = None,
    precision: Annotated[
        str | None,
        typer.Option(
            "--precision",
            help="fp32, or bf16 where the machine multiplies in it: faster, less exact. Left out: MERCER_PRECISION, "
            "or fp32.",
        ),
    ] = None,
    price_per_hour: Annotated[
        float | None,
        typer.Option(
            "--price-per-hour",
            min=0,
            help="What an hour of this machine costs, in any unit of money. Left out: MERCER_PRICE_PER_HOUR.",
        ),
    ] = None,
    estimate: Annotated[
        bool, typer.Option("--estimate", help="Only say what it will take: time, memory, money.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Fine-tune an imported language model on examples: what to answer, or which answer is better.

    A line of EXAMPLES is a JSON object: {"prompt", "answer"}, or {"messages": [{"role", "content"}], "answer"}.
    With --method dpo it has "chosen" and "rejected" in place of "answer". Only answers are learned, not prompts.
    Lines that can't be used are left out; quarantine.jsonl lists them by number, each with a reason.

    The folder gets an adapter, and mercer_adapter.json, which names the model that it belongs to; with --method full
    a whole model. training.json says what it took: tokens, seconds, memory, money, losses.

    What was interrupted, or ended by --seconds, goes on when the same command is typed with more seconds.

    Begin with --estimate. Needs the extra `decoder`: pip install 'mercer\\[decoder]'.

    Example: mercer models finetune smollm2-135m-instruct filters.jsonl --out tuned --seconds 600
    """
    from mercer.cli.run import runtime_of
    from mercer.cli.terminal import TerminalProgress, err, print_json
    from mercer.cli.terminal import out as console
    from mercer.contracts import Budget
    from mercer.errors import UsageError
    from mercer.language import finetuning

    options = _options(
        method=method, rank=rank, epochs=epochs, learning_rate=learning_rate, batch_tokens=batch_tokens,
        added_tokens=_lines(tokens),
    )  # fmt: skip
    if out is None and not estimate:
        raise UsageError("No folder for the result is given.", remedy="Add --out FOLDER, or --estimate.")
    preferences = options.method == "dpo"
    learned = finetuning.read_examples(examples, preferences=preferences)
    held_out = None if validation is None else finetuning.read_examples(validation, preferences=preferences)
    given: dict[str, Any] = {
        "validation": None if held_out is None else held_out.examples,
        "seed": seed,
    }
    runtime = runtime_of(device, precision, price_per_hour)
    source = _source(model)
    if out is None or estimate:
        said = finetuning.estimate_finetuning(source, learned.examples, options, runtime=runtime, **given)
        if as_json:
            print_json({**_plain(said), "money": said.money})
        else:
            console.print(expected_table(said))
        return
    with TerminalProgress() as progress:
        bar = progress.begin(f"fine-tune {model}")
        budget = Budget() if seconds is None else Budget(seconds)
        found = finetuning.finetune(
            source,
            learned.examples,
            options,
            folder=out,
            budget=budget,
            runtime=_with_bar(runtime, bar),
            **given,
        )
    left_out = learned.by_line(found.left_out)
    finetuning.write_quarantine(out, left_out)
    if as_json:
        print_json({"folder": str(out), "left_out": len(left_out), **found.record.to_json()})
    else:
        console.print(result_table(found, left_out))
        console.print(_where(found, model, options.method), soft_wrap=True)
        for note in found.record.notes:
            err.print(note)


def merge(
    model: ModelArgument,
    adapter: Annotated[
        Path, typer.Argument(metavar="ADAPTER", help="The folder of its adapter.", show_default=False)
    ],
    name: Annotated[
        str, typer.Option("--name", help="What to call the new model in the store.", show_default=False)
    ],
) -> None:
    """Put an adapter and its model together into one model of the store, with a card that names the parent.

    The adapter must have been trained on this very model. ADAPTER may also be the folder that a full fine-tuning of
    MODEL wrote: a whole model already, which is stored as it is.

    Example: mercer models merge smollm2-135m-instruct tuned --name smollm2-filters
    """
    from mercer.cli.terminal import out as console
    from mercer.language.decoders import Decoder, ModelStore
    from mercer.language.finetuning import ADAPTER_CARD, store_merged, store_model

    parent = ModelStore().get(model)
    if (adapter / ADAPTER_CARD).exists():
        stored = store_merged(parent, adapter, name)
    else:
        stored = store_model(Decoder.load(adapter, precision="fp32"), name, parent=parent)
    console.print(f"Stored as {stored.card.name} ({stored.card.hash[:12]}): {stored.folder}", soft_wrap=True)


def _options(**chosen: Any) -> FineTuningOptions:
    from pydantic import ValidationError

    from mercer.errors import UsageError
    from mercer.language.finetuning import FineTuningOptions

    try:
        return FineTuningOptions(**{name: value for name, value in chosen.items() if value is not None})
    except ValidationError as fault:
        first = fault.errors()[0]
        where = "--" + "-".join(str(part) for part in first["loc"] or ("tokens",)).replace("_", "-")
        raise UsageError(f"{where}: {first['msg']}.", remedy="See mercer models finetune --help.") from fault


def _lines(path: Path | None) -> tuple[str, ...] | None:
    """The texts of a file, one a line."""
    if path is None:
        return None
    from mercer.errors import DataError

    try:
        return tuple(line for line in path.read_text("utf-8").split("\n") if line)
    except (OSError, UnicodeDecodeError) as fault:
        raise DataError(
            f"{path} can't be read as UTF-8 text.", remedy="Give a file with a text a line."
        ) from fault


def _source(model: str) -> StoredModel | Path:
    """An imported model, or the folder of one where there is such a folder."""
    from mercer.language.decoders import ModelStore

    folder = Path(model)
    return folder if (folder / "config.json").is_file() else ModelStore().get(model)


def _with_bar(runtime: Any, bar: Any) -> Any:
    from dataclasses import replace

    return replace(runtime, progress=bar)


def _plain(said: TrainingEstimate) -> dict[str, Any]:
    from dataclasses import asdict

    return asdict(said)


def expected_table(said: TrainingEstimate) -> Table:
    """What a fine-tuning will take at most."""
    table = _rows("Expected, at most")
    table.add_row("time", f"{said.seconds:,.0f} s ({said.epochs:g} epochs of {said.epoch:,.1f} s)")
    table.add_row("evaluations", f"{said.evaluations} of {said.evaluation:,.1f} s")
    table.add_row("memory", f"{said.peak_mib:,.0f} MiB")
    table.add_row("money", _money(said.money))
    return table


def result_table(found: FineTuned, left_out: list[LeftOut]) -> Table:
    """What a fine-tuning took and came to."""
    record = found.record
    table = _rows(
        "Fine-tuned" if record.stopped_because != "budget" else "Fine-tuned, as far as the time went"
    )
    table.add_row("examples left out", f"{len(left_out)}" + (", see quarantine.jsonl" if left_out else ""))
    table.add_row("weights trained", f"{record.weights:,}")
    table.add_row("steps", f"{record.steps:,} ({record.epochs:.2f} epochs)")
    table.add_row("tokens", f"{record.tokens:,} ({record.tokens_per_second:,.0f} a second)")
    expected = "" if record.expected_seconds is None else f", {record.expected_seconds:,.0f} s were expected"
    table.add_row("time", f"{record.seconds:,.1f} s{expected}")
    table.add_row("memory", f"{record.peak_mib:,.0f} MiB")
    table.add_row("money", _money(record.money))
    table.add_row("loss, first and last step", f"{record.losses[0]:.4f}, {record.losses[-1]:.4f}")
    best = record.best
    table.add_row("validation", "none" if best is None else f"{best.value:.4f} after step {best.step}")
    return table


def _rows(title: str) -> Table:
    from rich.table import Table

    table = Table(title=title, title_justify="left", box=None, show_header=False, padding=(0, 2, 0, 0))
    table.add_column()
    table.add_column()
    return table


def _money(amount: float | None) -> str:
    return "not known: give --price-per-hour" if amount is None else f"{amount:,.4f}"


def _where(found: FineTuned, model: str, method: str) -> str:
    kind = "The model is" if method == "full" else f"The adapter of {model} is"
    return f"{kind} in {found.folder}. Into the store: mercer models merge {model} {found.folder} --name NAME"
