"""The command `mercer`: one command a file, each a thin shell around a documented Python call.

    app.py       the command tree and its help
    terminal.py  consoles, progress, JSON
    run.py demo.py steps.py   the flow, the demo, the flow's steps one by one
    init.py check.py data.py  before any training
    tune.py                   the options of models
    leaderboard.py            leaderboards: runs, compare, evaluate --rankings
    models.py                 the models that can compete, and the store of language models
    cases.py people.py        cases; forget and export
    serve.py doctor.py

Exit codes: 0 done, 1 a rule failed or is not assessed and not accepted, 2 wrong usage or input, 3 a fault.
"""

from __future__ import annotations

import os
import sys


def main() -> None:
    """Run the command line; every deliberate error is one sentence with its remedy, never a traceback."""
    from mercer.cli.app import app
    from mercer.cli.terminal import err
    from mercer.environment import debug
    from mercer.errors import MercerError

    try:
        app(prog_name="mercer", standalone_mode=True)
    except MercerError as fault:
        err.print(f"[bold red]error:[/] {_plain(fault.message)}")
        if fault.remedy:
            err.print(f"  {_plain(fault.remedy)}")
        sys.exit(fault.exit_code)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except Exception as fault:
        if debug():
            raise
        err.print(f"[bold red]fault:[/] {type(fault).__name__} in {_place(fault)}.")
        err.print("  This is a fault of mercer, not of your input. MERCER_DEBUG=1 shows the traceback.")
        sys.exit(MercerError.exit_code)


def _plain(text: str) -> str:
    from rich.markup import escape

    return escape(text)


def _place(fault: BaseException) -> str:
    """Module and line where it arose; the message is left out, for it may hold personal data."""
    trace = fault.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return "mercer"
    return f"{trace.tb_frame.f_globals.get('__name__', '?')}, line {trace.tb_lineno}"
