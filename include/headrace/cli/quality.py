"""`./headrace quality`: how good each table's day is, by five figures that can be counted again."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from headrace.cli.output import Json, console, fail, page, print_json
from headrace.settings import Settings, get_settings

if TYPE_CHECKING:
    from headrace.quality.figures import Figure

_MARKS = {"passed": "green", "failed": "red", "empty": "dim"}


def quality(
    table: Annotated[
        str | None, typer.Argument(help="A table, such as curated.fct_transactions or transactions; none: every one.")
    ] = None,
    day: Annotated[
        str | None, typer.Option(help="Day of arrival, 2026-01-31; default: the newest that was measured.")
    ] = None,
    days: Annotated[int, typer.Option(min=1, help="With a table: how many days of history.")] = 7,
    measure: Annotated[
        bool, typer.Option("--measure", help="Count now, rather than show what DAG quality counted.")
    ] = False,
    json_: Json = False,
) -> None:
    """Show how good the data is: completeness, consistency, timeliness, uniqueness and accuracy, with what they are made of.

    Each figure is a share of counted rows; --json shows both numbers and what lies behind them.
    """
    from headrace.quality import measure as measuring

    settings = get_settings()
    asked = _day(day)
    if measure:
        measuring.run(
            settings,
            asked,
            asked,
            {f"{schema}.{table.split('.')[-1]}" for schema in ("processed", "curated")} if table else (),
        )
    figures = _found(settings, table, asked, days)
    if not figures:
        fail("Nothing was measured" + (f" of {table}" if table else "") + ". Next: ./headrace quality --measure")
    if json_:
        print_json({"figures": [figure.document() for figure in figures]})
        return
    page.print(_shown(figures))
    failed = [figure for figure in figures if figure.state == "failed"]
    for figure in failed[:12]:
        page.print(f"[red]✗[/red] {escape(f'{figure.table} on {figure.day}: {figure.sentence}')}", soft_wrap=True)
    console.print(
        "Next: ./headrace quality TABLE   ·   ./headrace quality --json   ·   ./headrace lineage TABLE", soft_wrap=True
    )


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        fail(f"{text!r} is no day: write it as 2026-01-31.")


def _found(settings: Settings, table: str | None, day: date | None, days: int) -> list[Figure]:
    """One day of every table, or some days of one."""
    from headrace.quality import ledger

    last = day or datetime.now(UTC).date()
    first = day or last - timedelta(days=max(days, 2) - 1)
    figures = [
        f for f in ledger.read(settings, first, last) if table is None or table in (f.table, f.table.split(".")[1])
    ]
    if table is None and day is None and figures:
        newest = max(figure.day for figure in figures)
        figures = [figure for figure in figures if figure.day == newest]
    return figures


def _shown(figures: list[Figure]) -> Table:
    from headrace.quality.figures import NAMES, shown, verdicts

    table = Table(box=None, padding=(0, 1))
    table.add_column("table", overflow="fold")
    table.add_column("day", no_wrap=True)
    for name in NAMES:
        table.add_column(name, justify="right", no_wrap=True)
    for verdict in verdicts(figures):
        known = {figure.name: figure for figure in verdict.figures}
        cells = [
            f"[{_MARKS[f.state]}]{'–' if f.percent is None else shown(f.percent)}[/]" if (f := known.get(name)) else ""
            for name in NAMES
        ]
        table.add_row(verdict.table, f"{verdict.day:%m-%d}", *cells)
    return table


def register(app: typer.Typer) -> None:
    app.command(rich_help_panel="Use")(quality)
