"""Commands that ask questions and send sample traffic."""

from __future__ import annotations

from typing import Annotated

import typer

from headrace.cli.output import Json, page, print_json
from headrace.settings import get_settings


def ask(
    question: Annotated[str, typer.Argument(help='In plain English: "Top 5 merchants by sales this month"')],
    json_: Json = False,
) -> None:
    """Ask a question; the answer joins the last second with the last year."""
    from headrace.assistant import client
    from headrace.cli.answering import show

    answer = client.ask(get_settings(), question)
    if json_:
        print_json(answer)
    else:
        show(page, answer)
    raise typer.Exit(1 if answer.get("error") else 0)


def simulate(
    rate: Annotated[float, typer.Option(help="Events a second.")] = 20.0,
    seconds: Annotated[float, typer.Option(help="How long; 0 goes on until Ctrl-C.")] = 30.0,
    bad: Annotated[
        float, typer.Option(help="Share of events that break the contract (sent past the REST check).")
    ] = 0.0,
    late: Annotated[float, typer.Option(help="Share of events that come late.")] = 0.0,
    duplicates: Annotated[float, typer.Option(help="Share of events sent twice.")] = 0.0,
    json_: Json = False,
) -> None:
    """Send sample traffic through the REST service."""
    from headrace.sources import simulate as simulation

    result = simulation.run(
        get_settings(), rate=rate, seconds=seconds, bad_share=bad, late_share=late, duplicate_share=duplicates
    )
    if json_:
        print_json(result)
    else:
        page.print(result)


def register(app: typer.Typer) -> None:
    for command in (ask, simulate):
        app.command(rich_help_panel="Use")(command)
