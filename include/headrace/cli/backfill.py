"""`./headrace backfill`: a range of days of the lake anew from raw, by Airflow."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table

from headrace.cli.output import Json, console, page, print_json
from headrace.settings import get_settings

First = Annotated[str, typer.Option("--from", metavar="DAY", help="The first day, UTC: 2026-01-30.")]
Last = Annotated[str, typer.Option("--to", metavar="DAY", help="The last day, whole.")]
Wait = Annotated[float, typer.Option(help="Wait so many seconds for the run; 0: only order it.", min=0)]


def backfill(first: First, last: Last, wait: Wait = 3600, json_: Json = False) -> None:
    """Build a range of days anew from raw: rows that were built wrongly are right afterwards.

    Airflow's DAG backfill does it, and its page shows how far it is. Tables are changed only where they differ from what
    raw gives now, so it may be repeated. What the retention of raw has deleted cannot be built again.
    """
    from headrace.runtime import backfilling

    settings = get_settings()
    run = backfilling.order(settings, first, last)
    console.print(f"Ordered: {settings.airflow_url}/dags/backfill/runs/{run}")
    outcome = backfilling.follow(settings, run, wait) if wait else {"run": run, "state": "queued", "changed": None}
    if json_:
        print_json(outcome)
        return
    if outcome["changed"] is None:
        console.print(f"The run is {outcome['state']}; its page tells when it is done.")
        return
    table = Table(box=None, padding=(0, 1))
    for heading in ("table", "wrong rows", "right rows"):
        table.add_column(heading, justify="left" if heading == "table" else "right")
    for one in outcome["changed"]:
        table.add_row(one["table"], str(one["removed"]), str(one["added"]))
    page.print(table)


def register(app: typer.Typer) -> None:
    app.command(rich_help_panel="Run")(backfill)
