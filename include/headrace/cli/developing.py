"""Commands for those who carry the project on: test, bench, lock, check."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Annotated

import typer

from headrace.cli import suites
from headrace.cli.output import Json, console, fail
from headrace.settings import get_settings


def test(
    suite: Annotated[
        str | None, typer.Argument(help=f"One of {', '.join(suites.SUITES)}; none: all but the long faults.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of the fault tests.")] = 1,
    kills: Annotated[
        int, typer.Option(help="Kills of each process in the fault tests; a round of all seven takes a minute or two.")
    ] = 20,
    match: Annotated[str | None, typer.Option("-k", help="Only tests whose name matches.")] = None,
    failed: Annotated[bool, typer.Option("--failed", help="Only files in which a test failed the last time.")] = False,
) -> None:
    """Pass the tests: on real parts, in a state folder of their own."""
    if suite and suite not in suites.SUITES:
        fail(f"There is no suite {suite!r}. Suites: {', '.join(suites.SUITES)}.")
    if suite != "unit":
        from headrace.cli.starting import fetch_all

        fetch_all(get_settings())
    options = [f"--seed={seed}", f"--kills={kills}", *(["-k", match] if match else [])]
    repo, planned = get_settings().repo, suites.runs(suite)
    raise typer.Exit(suites.perform(repo, suites.with_failures(repo, planned) if failed else planned, options))


def check() -> None:
    """Run the checks that reviewers run: formatting, lint, types, import rules."""
    commands = (
        ("ruff", "format", "--check", "."),
        ("ruff", "check", "."),
        ("mypy", "include/headrace"),
        ("lint-imports",),
    )
    from headrace.runtime import tools

    bin_folder = tools.python_of("main").parent
    environment = os.environ | {"PATH": f"{bin_folder}{os.pathsep}{os.environ['PATH']}"}
    failed = []
    for command in commands:
        console.print(f"[dim]{' '.join(command)}[/dim]")
        if subprocess.run(
            [str(bin_folder / command[0]), *command[1:]], cwd=get_settings().repo, env=environment, check=False
        ).returncode:
            failed.append(command[0])
    if failed:
        fail(f"Not clean: {', '.join(failed)}.")
    console.print("[green]✓[/green] Clean.")


def bench(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="latency, throughput, lake, modes, anomalies, quality")],
    json_: Json = False,
) -> None:
    """Measure: each benchmark prints one table and writes its raw results. Options of its own follow its name.

    latency: on the running platform, from REST call to live figure (6 minutes a rate: --rates 500,1000; --seconds 30 for a look).
    throughput: beside a Kafka that runs; the live windows on Spark, Flink SQL and Quix Streams (--runs 3, --add-to FILE).
    lake: starts a Trino of its own; builds and questions of a filled lake beside DuckDB and chdb (--rows 1000000 --keep).
    modes: starts a Trino and an Airflow of its own; the hour's build by the way in which Airflow runs dbt (--runs 2 --keep).
    anomalies: no part is started; what the detector finds of planted anomalies (--hours 8, --tune).
    quality: no part is started; what the watch finds of planted defects of data (--hours 14, --tune).
    """
    path = get_settings().repo / "benchmarks" / f"{name}.py"
    if not path.exists():
        known = ", ".join(sorted(p.stem for p in path.parent.glob("*.py") if "__main__" in p.read_text()))
        fail(f"There is no benchmark {name!r}. Benchmarks: {known}.")
    command = [sys.executable, "-m", f"benchmarks.{name}", *context.args, *(["--json"] if json_ else [])]
    raise typer.Exit(subprocess.run(command, cwd=get_settings().repo, check=False).returncode)


def lock() -> None:
    """Pin every Python requirement again, from requirements/*.in to the .txt beside it."""
    from headrace.runtime import bootstrap

    for source in sorted(bootstrap.LOCKS.glob("*.in")):
        console.print(f"Locking {source.name}")
        bootstrap.run(
            [bootstrap.uv(), "pip", "compile", "--quiet", "--universal", "--generate-hashes", "--no-header",
             "--no-emit-index-url", "--no-emit-find-links", "--python-version", "3.11", "--override", bootstrap.LOCKS / "overrides.txt",
             source, "-o", source.with_suffix(".txt")], f"Locking {source.name}",
        )  # fmt: skip


def register(app: typer.Typer) -> None:
    for command in (test, check, lock):
        app.command(rich_help_panel="Develop")(command)
    passed_on = {"allow_extra_args": True, "ignore_unknown_options": True}
    app.command(rich_help_panel="Develop", context_settings=passed_on)(bench)
