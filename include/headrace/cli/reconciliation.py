"""`./headrace reconciliation`: each metric from live windows and from the lake, as they were compared last."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer
from rich.table import Table

from headrace.cli.output import Json, console, fail, page, print_json
from headrace.settings import get_settings

if TYPE_CHECKING:
    from headrace.assistant.figures import Value
    from headrace.assistant.reconciled import Reconciled


def reconciliation(json_: Json = False) -> None:
    """Show whether live figures and the lake agree: both, the difference, and how much of it came late.

    Task `reconcile` of DAG `curate` compares every closed window each hour. What came late is in the lake alone; whatever
    else differs is told in `alerts`, with both figures of each window in table `reconciliation`.
    """
    from headrace.assistant import reconciled

    found = reconciled.newest(get_settings())
    if not found:
        fail("Nothing was compared within a day. Next: see task reconcile of DAG curate, or ./headrace status")
    if json_:
        print_json({"metrics": [one.document() for one in found]})
        return
    page.print(_shown(found))
    wrong = [one.metric for one in found if one.state != "equal"]
    if wrong:
        console.print(f"[red]✗[/red] Not explained by late events: {', '.join(wrong)}", soft_wrap=True)
    console.print("Next: ./headrace reconciliation --json   ·   ./headrace quality", soft_wrap=True)


def _shown(found: list[Reconciled]) -> Table:
    table = Table(box=None, padding=(0, 1))
    table.add_column("metric", overflow="fold")
    for name in ("live", "lake", "difference", "of it late", "relative", "windows before"):
        table.add_column(name, justify="right", no_wrap=True)
    for one in found:
        figures = [_number(value) for value in (one.live, one.lake, one.difference, one.late)]
        share = "–" if one.relative is None else f"{one.relative:.3%}"
        style = None if one.state == "equal" else "red"
        table.add_row(one.metric, *figures, share, f"{one.through:%m-%d %H:%M}", style=style)
    return table


def _number(value: Value) -> str:
    return "–" if value is None else f"{value:,.4f}".rstrip("0").rstrip(".")


def register(app: typer.Typer) -> None:
    app.command(rich_help_panel="Use")(reconciliation)
