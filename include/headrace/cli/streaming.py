"""`./headrace stream`: a new stream is one file. Write it, check it, apply it, list what there is."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from headrace.cli.output import Json, console, fail, page, print_json
from headrace.settings import get_settings

stream = typer.Typer(
    name="stream",
    no_args_is_help=True,
    help="A new stream is one file: a contract in include/contracts.\n\n"
    "[bold]new[/bold] writes it, [bold]check[/bold] explains what is wrong with it, [bold]apply[/bold] makes topic, schema, "
    "tables, dead letters and a first live metric, while everything goes on running.",
)
Names = Annotated[list[str] | None, typer.Argument(metavar="[NAME]...", help="Streams; none: every one.")]


@stream.command()
def new(
    name: Annotated[str, typer.Argument(help="Small letters, digits and _: clicks, stock_levels.")],
    kind: Annotated[
        str, typer.Option(help="events: each row is a fact; entity: the newest row of a key is its state.")
    ] = "events",
    key: Annotated[
        str, typer.Option(help="The property that order is kept by; default: user_id, or NAME's id for an entity.")
    ] = "",
    source: Annotated[
        str, typer.Option(help="Where the events come from; the first part of the topic's name.")
    ] = "rest",
    database: Annotated[str, typer.Option(help="Whose they are; the second part of the topic's name.")] = "marketplace",
    owner: Annotated[str, typer.Option(help="The team that answers for it.")] = "",
    description: Annotated[str, typer.Option(help="What the stream is for, in a sentence.")] = "",
    json_: Json = False,
) -> None:
    """Write a first contract, which works as it is; its comments say what else could stand there."""
    from headrace.contracts import template

    asked = template.Beginning(name, kind, key, source, database, owner, description)  # type: ignore[arg-type]
    path = template.write(get_settings().contracts, asked)
    if json_:
        print_json({"name": name, "file": str(path)})
        return
    page.print(f"[green]✓[/green] {path}", soft_wrap=True)
    page.print(
        f"Next: edit it   ·   ./headrace stream check {name}   ·   ./headrace stream apply {name}", soft_wrap=True
    )


@stream.command()
def check(names: Names = None, json_: Json = False) -> None:
    """Explain every mistake at its line, and what a change would break for readers, the registry and dbt's models."""
    from headrace.runtime import stream_check

    report = stream_check.check(get_settings(), names or ())
    wrong = [one for one in report.streams if not one.right]
    if json_:
        print_json({"streams": [_checked(one) for one in report.streams], "registry_asked": report.registry_asked})
        raise typer.Exit(1 if wrong else 0)
    for line in (line for one in wrong for line in _told(one)):
        page.print(f"[red]✗[/red] {escape(line)}", soft_wrap=True)
    if wrong:
        fail(f"{len(wrong)} of {len(report.streams)} contracts need a change.")
    asked = "" if report.registry_asked else " The registry is not running, so it was not asked."
    page.print(f"[green]✓[/green] {len(report.streams)} right.{asked}")


def _told(one: Any) -> list[str]:
    lost = (
        "Readers of what is written already would fail. Add optional properties or widen instead, "
        "or give the changed stream a new name"
    )
    said = [f"{one.file}: {reason}. {lost}." for reason in one.breaks] + [
        f"{one.file}: {reason}." for reason in one.models
    ]
    return [f"{one.file.parent}/{mistake}" for mistake in one.mistakes] + said


def _checked(one: Any) -> dict[str, Any]:
    mistakes = [asdict(mistake) for mistake in one.mistakes]
    return {"name": one.name, "file": str(one.file), "mistakes": mistakes, "breaks": one.breaks, "models": one.models}


@stream.command()
def apply(
    names: Names = None,
    force: Annotated[bool, typer.Option("--force", help="Write files anew that a person has edited.")] = False,
    wait: Annotated[bool, typer.Option(help="Wait until the jobs run with it, and build its tables.")] = True,
    json_: Json = False,
) -> None:
    """Make the stream: schema, topics, dead letters, raw table, dbt models, a first live metric. Nothing is restarted by hand.

    Safe to repeat. A file that you have edited is left alone, and what differs is said.
    """
    from headrace.runtime import applying, stream_check

    settings = get_settings()
    report = stream_check.check(settings, ())
    if any(one.mistakes or one.breaks for one in report.streams):
        fail("The contracts have mistakes, so nothing was changed. Next: ./headrace stream check")
    stream_check.files(settings, names or ())
    marks = {
        "made": "[green]✓[/green]",
        "same": "[dim]·[/dim]",
        "kept": "[yellow]![/yellow]",
        "waits": "[yellow]…[/yellow]",
    }

    def tell(step: applying.Step) -> None:
        if not json_:
            page.print(
                f"{marks[step.state]} {step.what}" + (f" [dim]{escape(step.detail)}[/dim]" if step.detail else ""),
                soft_wrap=True,
            )

    steps = applying.apply(settings, names or (), force=force, wait=wait, tell=tell)
    if json_:
        print_json({"steps": [asdict(step) for step in steps]})


@stream.command("list")
def list_(json_: Json = False) -> None:
    """Show every stream: kind, topic, owner, and whether what runs is what its file says."""
    from headrace.runtime import stream_check
    from headrace.streams import published

    settings = get_settings()
    running = published.read(settings) if published.path(settings).is_file() else {}
    rows = []
    for path in stream_check.files(settings, ()):
        rows.append(_listed(path, running))
    if json_:
        print_json({"streams": rows})
        return
    table = Table(box=None, padding=(0, 2))
    for heading in ("stream", "kind", "version", "state", "topic"):
        table.add_column(heading, overflow="fold")
    for row in rows:
        table.add_row(*(str(row[name]) for name in ("name", "kind", "version", "state", "topic")))
    page.print(table)
    console.print(
        "Next: ./headrace stream new NAME   ·   ./headrace stream check   ·   ./headrace stream apply", soft_wrap=True
    )


def _listed(path: Any, running: dict[str, Any]) -> dict[str, Any]:
    from headrace.contracts.model import ContractError, load_contract

    try:
        contract = load_contract(path)
    except ContractError:
        return {"name": path.stem, "kind": "", "version": "", "topic": "", "owner": "", "state": "has mistakes"}
    known = running.get(contract.name)
    state = "new" if known is None else "runs" if known == contract else "changed"
    shown = {"name": contract.name, "kind": contract.kind, "version": contract.version, "topic": contract.topic}
    return {**shown, "owner": contract.owner, "state": state}


def register(app: typer.Typer) -> None:
    app.add_typer(stream, rich_help_panel="Develop")
