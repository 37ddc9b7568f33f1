"""`mercer models ask`: one question to an imported language model, to see what it can do before it is put to use."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mercer.cli.run import JsonOption


def ask(
    model: Annotated[
        str, typer.Argument(metavar="MODEL", help="Name or hash of an imported model (mercer models list).")
    ],
    question: Annotated[
        str, typer.Argument(metavar="QUESTION", help="What to ask; `-` reads standard input.")
    ],
    system: Annotated[
        str, typer.Option("--system", help="An instruction that goes before the question.")
    ] = "",
    adapter: Annotated[
        Path | None,
        typer.Option(
            "--adapter", metavar="FOLDER", help="An adapter of this model (mercer models finetune)."
        ),
    ] = None,
    schema: Annotated[
        Path | None,
        typer.Option(
            "--schema", metavar="FILE", help="A JSON Schema: the answer is valid JSON of it, always."
        ),
    ] = None,
    max_tokens: Annotated[int, typer.Option("--max-tokens", min=1, help="Longest answer, in tokens.")] = 200,
    temperature: Annotated[
        float, typer.Option("--temperature", min=0.0, help="0: the likeliest answer; more: chance.")
    ] = 0.0,
    seed: Annotated[int, typer.Option("--seed", help="Seed of that chance.")] = 1,
    as_json: JsonOption = False,
) -> None:
    """Ask an imported language model something.

    The answer goes to standard output; tokens, seconds and why it ended to standard error. Nothing leaves this machine.

    Example: mercer models ask smollm2-135m-instruct "Name three colours."
    """
    import json
    import sys
    import time

    from mercer.cli.terminal import err, print_json
    from mercer.errors import UsageError
    from mercer.language.decoders import Decoder, ModelStore
    from mercer.language.generating import LocalGenerator

    wanted = None
    if schema is not None:
        try:
            wanted = json.loads(schema.read_text("utf-8"))
        except (OSError, ValueError) as fault:
            raise UsageError(f"{schema} holds no JSON.", remedy="Give a file with a JSON Schema.") from fault
    told = sys.stdin.read() if question == "-" else question
    messages = [{"role": "system", "content": system}] if system else []
    messages.append({"role": "user", "content": told})
    decoder = Decoder.load(ModelStore().get(model), adapter=adapter)
    begun = time.perf_counter()
    answer = LocalGenerator(decoder).generate(
        messages, max_tokens=max_tokens, temperature=temperature, seed=seed, json_schema=wanted
    )
    seconds = time.perf_counter() - begun
    if as_json:
        print_json(
            {
                "text": answer.text,
                "parsed": answer.parsed,
                "finish_reason": answer.finish_reason,
                "tokens_in": answer.tokens_in,
                "tokens_out": answer.tokens_out,
                "seconds": round(seconds, 3),
                "fingerprint": answer.fingerprint,
            }
        )
        return
    typer.echo(answer.text)
    err.print(
        f"[dim]{answer.tokens_in} tokens in, {answer.tokens_out} out, {seconds:.1f} s; "
        f"ended by {answer.finish_reason}[/]"
    )
