"""What a person sees of `up`: fetching with progress bars, parts as they start, and where to look afterwards."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict

from rich.live import Live
from rich.panel import Panel
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TransferSpeedColumn
from rich.table import Table

from headrace.cli.output import console, print_json
from headrace.runtime import artifacts, bootstrap, foretelling, parts, platform, ports, preflight, tools, vault
from headrace.runtime import status as reading
from headrace.runtime.model import Part
from headrace.semantics import live_specs
from headrace.settings import Settings, get_settings
from headrace.streams.landing import objects

GROUPS = {"kafka": ["kafka"], "registry": ["registry"], "trino": ["trino"]}
QUESTIONS = (
    "What were sales today, including the last minute?",
    "Sales by region in the last 7 days",
    "Top 5 merchants by sales this month",
)


def bring_up(only: list[str], *, as_json: bool) -> None:
    began = time.monotonic()
    settings = get_settings()
    wanted = parts.with_needs(only) if only else list(parts.PARTS)
    for warning in preflight.check_machine(settings):
        console.print(f"[yellow]![/yellow] {warning}")
    with platform.only_one(settings, "starting"):
        _fetch(settings, {part.name for part in wanted}, streams=not only)
        vault.ensure_secrets(settings)
        if strays := platform.clear_strays(settings):
            console.print(f"Ended {strays} processes that an earlier run left without a supervisor.")
        running = platform.running_parts(settings)
        chosen = ports.choose(settings, wanted, running)
        if ports.remember(settings, chosen):
            get_settings.cache_clear()
            settings = get_settings()
        already = all(part.name in running for part in wanted)
        told = [] if only else foretelling.brought_up(settings)
        foretell(told)
        with _board() as show:
            platform.start(settings, wanted, show)
        if not only:
            # Parts that ran already have published nothing: as with contracts, `up` brings what is in the repository.
            live_specs.publish(settings)
    if as_json:
        print_json(reading.as_document(reading.read(settings)) | {"jobs": [asdict(one) for one in told]})
        return
    _finish(settings, wanted, seconds=time.monotonic() - began, already=already, complete=not only)


def foretell(told: list[foretelling.Told]) -> None:
    """Before a job starts: what becomes of its state."""
    for one in told:
        mark = "[dim]\u00b7[/dim]" if one.keeps else "[yellow]![/yellow]"
        console.print(f"{mark} {one}", soft_wrap=True)


def fetch_all(settings: Settings) -> None:
    """Everything the platform and its tests need, in the cache."""
    _fetch(settings, {part.name for part in parts.PARTS}, streams=True)


def _fetch(settings: Settings, names: set[str], *, streams: bool) -> None:
    groups = [group for name in sorted(names) for group in GROUPS.get(name, [])]
    if streams:
        groups += ["spark-live", "spark-lake", *(["spark-s3"] if objects.store(settings) else [])]
        bootstrap.ensure_environment("live")
    if names & {"kafka", "registry"} or streams:
        tools.ensure_java(21)
    if "trino" in names or streams:
        tools.ensure_java(25)
    missing = [group for group in groups if not artifacts.is_fetched(settings, group)]
    if not missing:
        return
    total = sum(item.size for group in missing for item in artifacts.locked()[group])
    console.print(f"Fetching {', '.join(missing)} ({total / 1e6:.0f} MB, once).")
    with _bars() as report:
        artifacts.fetch(settings, missing, report)


@contextmanager
def _bars() -> Iterator[artifacts.Progress]:
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    tasks: dict[str, TaskID] = {}
    lock = threading.Lock()
    with Progress(*columns, console=console, transient=True) as progress:

        def report(name: str, done: int, size: int) -> None:
            with lock:
                if name not in tasks:
                    tasks[name] = progress.add_task(name, total=size)
            progress.update(tasks[name], completed=done, visible=done < size)

        yield report


_MARKS = {"waiting": "[dim]·[/dim]", "starting": "[yellow]◐[/yellow]", "settling": "[yellow]◑[/yellow]",
          "healthy": "[green]●[/green]", "running": "[green]●[/green]", "failed": "[red]✗[/red]"}  # fmt: skip


def _picture(board: list[platform.Progress]) -> Table:
    table = Table(box=None, padding=(0, 1), show_header=False)
    for item in board:
        passed = item.took or (time.monotonic() - item.since if item.since else 0)
        state = f"needs {', '.join(item.part.needs)}" if item.state == "waiting" else item.state
        table.add_row(
            _MARKS[item.state], item.part.title, f"[dim]{state}[/dim]", f"[dim]{passed:.1f} s[/dim]" if passed else ""
        )
    return table


@contextmanager
def _board() -> Iterator[platform.Show]:
    """A live picture on a terminal; elsewhere a line when a part becomes healthy."""
    if console.is_terminal:
        with Live(console=console, refresh_per_second=8) as live:
            yield lambda board: live.update(_picture(board))
        return
    told: set[str] = set()

    def lines(board: list[platform.Progress]) -> None:
        for item in board:
            if item.state in ("healthy", "failed") and item.part.name not in told:
                told.add(item.part.name)
                console.print(f"  {item.part.title}: {item.state} after {item.took:.1f} s")

    yield lines


def _finish(settings: Settings, wanted: list[Part], *, seconds: float, already: bool, complete: bool) -> None:
    if already:
        console.print("[green]✓[/green] Everything was running already.")
    else:
        console.print(f"[green]✓[/green] Up in {seconds:.0f} s.")
    pages = Table(box=None, padding=(0, 2), show_header=False)
    for part in wanted:
        if url := part.url(settings):
            pages.add_row(part.title, f"[link={url}]{url}[/link]")
    console.print(pages)
    if not complete:
        return
    console.print(
        f"Sign in as [bold]admin[/bold]; the password is in {settings.home / 'secrets' / 'admin_password'}",
        soft_wrap=True,
    )
    ask = "\n".join(f'./headrace ask "{question}"' for question in QUESTIONS)
    note = (
        "\n\n[dim]The first history is being built; Airflow shows how far it is (DAG first_build).[/dim]"
        if not already
        else ""
    )
    console.print(Panel(ask + note, title="Try", title_align="left", expand=False))
