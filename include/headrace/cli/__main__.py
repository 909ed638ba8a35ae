"""`./headrace`: the commands a person types."""

from __future__ import annotations

import sys

import typer
from rich.markup import escape

from headrace import log
from headrace.cli import (
    asking,
    backfill,
    developing,
    features,
    letters,
    lineage,
    operating,
    quality,
    reconciliation,
    streaming,
)
from headrace.cli.output import fail

app = typer.Typer(
    name="headrace",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    help="Streams in, live figures at once, a curated lake of the same events, and answers that join the two.\n\n"
    'Start with [bold]./headrace up[/bold], then [bold]./headrace ask "What were sales today?"[/bold]',
)
for module in (operating, asking, features, quality, reconciliation, lineage, letters, backfill, developing, streaming):
    module.register(app)


def main() -> None:
    # A person reads this terminal: only what needs attention is logged to it.
    log.configure("cli", level="WARNING")
    try:
        app(prog_name="./headrace")
    except KeyboardInterrupt:
        fail("Interrupted. What is running goes on; ./headrace up continues, ./headrace down stops.", status=130)
    except Exception as error:
        if "--debug" in sys.argv or not error.args:
            raise
        fail(escape(str(error)))


if __name__ == "__main__":
    main()
