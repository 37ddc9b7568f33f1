"""The command `python -m mercer.language.export`: export the text encoder unless it is there and intact."""

from __future__ import annotations

import sys

from mercer.errors import MercerError
from mercer.language.onnx_export import export_minilm


def main() -> int:
    """Export into `mercer.environment.encoder_folder()`. Returns the exit code, 0 when done."""
    try:
        export_minilm(say=_say)
    except MercerError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    return 0


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
