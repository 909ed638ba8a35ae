"""How commands speak: people on standard error and pages, programs in one JSON document on standard output."""

from __future__ import annotations

import json
import sys
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console

console = Console(stderr=True, highlight=False)
page = Console(highlight=False)

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else on standard output.")]


def print_json(document: Any) -> None:
    json.dump(document, sys.stdout, indent=1, default=str)
    sys.stdout.write("\n")


def fail(message: str, *, status: int = 1) -> NoReturn:
    console.print(f"[bold red]✗[/bold red] {message}", soft_wrap=True)
    sys.exit(status)
