"""Shows an answer on a terminal: words first, then figures, then what they rest on."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.table import Table


def show(page: Console, answer: dict[str, Any]) -> None:
    page.print(answer.get("text") or "", soft_wrap=True)
    data = answer.get("data") or {}
    if rows := data.get("rows"):
        table = Table(box=None, padding=(0, 2))
        for column in data["columns"]:
            table.add_column(str(column.get("label") or column["name"]))
        for row in rows[:50]:
            table.add_row(*(_cell(value) for value in row))
        page.print(table)
    for insight in answer.get("insights") or ():
        page.print(f"• {insight}", soft_wrap=True)
    for freshness in answer.get("freshness") or ():
        page.print(
            f"[dim]{freshness.get('part')}: {freshness.get('source')}, as of {freshness.get('as_of')}[/dim]",
            soft_wrap=True,
        )
    if suggestions := answer.get("suggestions"):
        page.print("[dim]You could ask:[/dim] " + " · ".join(suggestions), soft_wrap=True)
    if error := answer.get("error"):
        page.print(f"[red]{error.get('message')}[/red] Next: {error.get('next_step')}", soft_wrap=True)


def _cell(value: object) -> str:
    if isinstance(value, float):
        return f"{value:,.2f}"
    return "" if value is None else str(value)
