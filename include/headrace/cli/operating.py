"""Commands that run the platform: up, down, status, logs, restart, doctor, and what each part is started by."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Annotated

import typer
from rich.table import Table

from headrace.cli.output import Json, console, fail, page, print_json
from headrace.runtime.model import Part
from headrace.settings import Settings, get_settings

PartName = Annotated[str, typer.Argument(metavar="PART", help="A part's name, as `./headrace status` lists it.")]


def _names(text: str | None) -> list[str]:
    return [name.strip() for name in (text or "").split(",") if name.strip()]


def up(
    only: Annotated[str | None, typer.Option(help="Start only these parts and what they need: kafka,trino")] = None,
    json_: Json = False,
) -> None:
    """Run the platform: fetch what is missing, start every part, end with where to look.

    Safe to repeat: what runs is left alone, what is missing is started.
    """
    from headrace.cli.starting import bring_up

    bring_up(_names(only), as_json=json_)


def down(json_: Json = False) -> None:
    """Stop every part in order; no process is left behind, and the data stays."""
    from headrace.runtime import platform

    settings = get_settings()
    if not (settings.home / "secrets").exists():
        fail(f"Nothing was ever started in {settings.home}. Next: ./headrace up")
    with platform.only_one(settings, "changing"):
        platform.stop(settings, lambda title: console.print(f"  stopping {title}"))
    if json_:
        print_json({"stopped": True})
    else:
        console.print("[green]✓[/green] Everything is down; the data is kept. `./headrace up` goes on from here.")


def _table(settings: Settings) -> tuple[Table, bool]:
    from headrace.runtime import status as reading

    statuses = reading.read(settings)
    table = Table(box=None, padding=(0, 1))
    for heading in ("part", "state", "pid", "memory", "address"):
        table.add_column(heading, justify="right" if heading in ("pid", "memory") else "left", no_wrap=True)
    for s in statuses:
        mark = (
            "[green]●[/green]"
            if s.healthy
            else ("[yellow]◐[/yellow]" if s.state in ("running", "starting") else "[red]○[/red]")
        )
        address = s.url or (f"{settings.bind}:{s.port}" if s.port else "")
        # What reads a topic has no address; so the table keeps to eighty columns.
        address = address or ("" if s.lag is None else f"{s.lag} records behind")
        table.add_row(f"{mark} {s.name}", s.state, str(s.pid or ""), f"{s.rss_mb} MB" if s.pid else "", address)
    table.add_row("", "", "", f"[bold]{sum(s.rss_mb for s in statuses)} MB[/bold]", "")
    return table, all(s.healthy for s in statuses)


def status(json_: Json = False) -> None:
    """Show every part: state, memory, address. Exit status 0 only when all are healthy."""
    from headrace.runtime import status as reading

    settings = get_settings()
    if json_:
        statuses = reading.read(settings)
        print_json(reading.as_document(statuses))
        raise typer.Exit(0 if all(s.healthy for s in statuses) else 1)
    table, healthy = _table(settings)
    page.print(table)
    if not healthy:
        console.print(
            "Not everything is healthy. Next: ./headrace up   ·   ./headrace logs PART   ·   ./headrace doctor"
        )
    raise typer.Exit(0 if healthy else 1)


def logs(
    part: PartName,
    lines: Annotated[int, typer.Option("--lines", "-n", help="How many lines of the past.")] = 50,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on as lines are written; Ctrl-C ends.")] = False,
) -> None:
    """Show a part's log."""
    settings = get_settings()
    path = settings.logs / f"{part}.log"
    if not path.exists():
        known = ", ".join(sorted(p.stem for p in settings.logs.glob("*.log"))) or "none yet"
        fail(f"There is no log of {part!r}. Logs: {known}.")
    subprocess.run(["tail", "-n", str(lines), *(["-F"] if follow else []), str(path)], check=False)


def restart(part: PartName, json_: Json = False) -> None:
    """Restart one part; a streaming job (`live` or `lake`) is replaced by Airflow, or here if Airflow is down.

    Of a job it is said first whether it keeps its state, or counts a stream anew beside the old figures, and why.
    """
    from headrace.cli.starting import foretell
    from headrace.runtime import foretelling, jobs, parts

    settings = get_settings()
    known = parts.by_name()
    if part in jobs.JOBS:
        told = foretelling.restarted(settings, part)
        foretell(told)
        jobs.stop(part)
        jobs.start(part)
        done = f"The streaming job {part} was started again."
    elif part in known:
        told = []
        _restart(settings, known[part])
        done = f"{known[part].title} is running again."
    else:
        fail(f"There is no part {part!r}. Parts: {', '.join([*known, *jobs.JOBS])}.")
    if json_:
        print_json({"part": part, "jobs": [asdict(one) for one in told]})
    else:
        console.print(f"[green]✓[/green] {done}")


def _restart(settings: Settings, part: Part) -> None:
    from headrace.runtime.supervise import Supervisor

    supervisor = Supervisor(settings)
    supervisor.stop(part.name)
    supervisor.start(part.name)
    deadline = time.monotonic() + part.start_seconds
    while not part.healthy(settings):
        if time.monotonic() > deadline:
            fail(f"{part.title} is not healthy again. Next: ./headrace logs {part.name}")
        time.sleep(0.3)


def doctor() -> None:
    """Look for what usually goes wrong, and say what to do about it."""
    from headrace.runtime import diagnosis

    findings = diagnosis.examine(get_settings())
    for finding in findings:
        mark = "[green]✓[/green]" if finding.fine else "[red]✗[/red]"
        page.print(
            f"{mark} {finding.what}" + ("" if finding.fine else f"\n    Next: {finding.next_step}"), soft_wrap=True
        )
    raise typer.Exit(0 if all(f.fine for f in findings) else 1)


def run(part: PartName) -> None:
    """Become a part's own process (used by the supervisor, compose and Kubernetes)."""
    from headrace.runtime import parts, priority, scratch

    settings = get_settings()
    found = parts.by_name()[part]
    found.prepare(settings)
    command = found.command(settings)
    scratch_folder = str(scratch.fresh(settings, part))
    ours = {"HEADRACE_PART": part, "HEADRACE_HOME": str(settings.home), "TMPDIR": scratch_folder}
    environment = os.environ | dict(command.env) | ours
    if command.cwd:
        os.chdir(command.cwd)
    if found.can_wait:
        priority.let_live_go_first()
    os.execvpe(command.argv[0], command.argv, environment)


def health(
    part: PartName, settle: Annotated[bool, typer.Option(help="Also settle it: databases, topics, subjects.")] = False
) -> None:
    """Exit 0 when a part is healthy (the health check in compose and Kubernetes)."""
    from headrace.runtime import parts

    settings = get_settings()
    found = parts.by_name()[part]
    if not found.healthy(settings):
        raise typer.Exit(1)
    if settle:
        found.settle(settings)


def fetch() -> None:
    """Bring everything into the cache without starting anything (for images and offline machines)."""
    from headrace.cli.starting import fetch_all

    fetch_all(get_settings())
    console.print("[green]✓[/green] Everything is in the cache.")


def secrets() -> None:
    """Generate the secrets of this installation, if they are not there."""
    from headrace.runtime import vault

    vault.ensure_secrets(get_settings())


def compose() -> None:
    """Print docker-compose.yaml, made from the list of parts."""
    from headrace.runtime.compose import document

    page.out(document(), end="", highlight=False)


def register(app: typer.Typer) -> None:
    run_commands: tuple[Callable[..., None], ...] = (up, down, status, logs, restart, doctor)
    for command in run_commands:
        app.command(rich_help_panel="Run")(command)
    app.command(rich_help_panel="Develop")(compose)
    app.command(rich_help_panel="Develop")(fetch)
    for command in (run, health, secrets):
        app.command(hidden=True)(command)
