"""`./headrace features`: what a model learns from, by the same definitions that it is asked with."""

from __future__ import annotations

import csv
import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from headrace.cli.output import Json, fail, print_json
from headrace.settings import get_settings

_AT_ONCE = 400
_SECONDS = 190.0


def features(
    entity: Annotated[str, typer.Option(help="Whose features: customer or merchant, as the metrics declare them.")],
    at: Annotated[
        Path, typer.Option(help="A CSV file with the columns id and at (a moment, UTC if it names no zone).")
    ],
    json_: Json = False,
) -> None:
    """Features of each id in a file as they were known at its moment: a CSV on standard output, nothing of the future in it.

    Example: [bold]./headrace features --entity customer --at labels.csv > training.csv[/bold]
    Live, the same values are at GET /features/ENTITY/ID of the API.
    """
    from headrace.assistant.client import post

    asked = _read(at)
    found: list[dict[str, Any]] = []
    for begin in range(0, len(asked), _AT_ONCE):
        body = {"rows": asked[begin : begin + _AT_ONCE]}
        answer = post(get_settings(), f"/features/{entity}/as-of", body, seconds=_SECONDS)
        if error := answer.get("error"):
            fail(f"{error['message']} Next: {error['next_step']}")
        found += answer["rows"]
    if json_:
        print_json({"entity": entity, "rows": found})
    else:
        _write(found)


def _read(path: Path) -> list[dict[str, str]]:
    from headrace.keys.features import moment

    if not path.is_file():
        fail(f"There is no file {path}. Next: write a CSV with the columns id and at.")
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    if not rows or not {"id", "at"} <= rows[0].keys():
        fail(f"{path} needs a header with the columns id and at, and a row below it.")
    found = []
    for number, row in enumerate(rows, 2):
        try:
            at: datetime = moment(row["at"])
        except ValueError:
            fail(f"{path}, line {number}: {row['at']!r} is no moment such as 2026-01-31T09:30:00Z.")
        found.append({"id": row["id"], "at": at.isoformat()})
    return found


def _write(rows: list[dict[str, Any]]) -> None:
    names = list(rows[0]["features"])
    writer = csv.writer(sys.stdout)
    writer.writerow(["id", "at", "complete", *names])
    for row in rows:
        writer.writerow([row["id"], row["at"], row["complete"], *(row["features"][name] for name in names)])


def register(app: typer.Typer) -> None:
    app.command(rich_help_panel="Use")(features)
