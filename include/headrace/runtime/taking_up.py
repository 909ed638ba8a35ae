"""Follows what was published until the streaming jobs run with it, and builds the stream's first tables."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime
from typing import Literal

import psycopg

from headrace.lake import coverage, dbt
from headrace.runtime import curation, jobs, platform
from headrace.settings import Settings
from headrace.streams import heartbeat, published

_SECONDS = 240.0
Told = tuple[str, Literal["made", "waits"], str]


def follow(settings: Settings, names: list[str]) -> Iterator[Told]:
    """What was taken up, one thing after the other; what nobody runs is said to wait."""
    prints = {"live": ("specs", published.live_print), "lake": ("contracts", published.contracts_print)}
    through: datetime | None = None
    for job, (word, print_of) in prints.items():
        wanted = print_of(settings)
        if jobs.status(job, settings).state in ("absent", "stopped"):
            yield f"{job} job", "waits", "it is not running: it takes the stream up when it starts"
        elif not _said(settings, job, word, wanted):
            yield f"{job} job", "waits", f"it has not taken the stream up in {_SECONDS:.0f} s: ./headrace logs {job}"
        else:
            yield f"{job} job", "made", "runs with it"
            through = curation.watermark(settings) if job == "lake" else None
    if through is None:
        return
    if not platform.serves(settings, "trino"):
        yield "first build", "waits", "Trino is not running: the DAG curate builds it"
        return
    yield from _build(settings, names, through)


def _said(settings: Settings, job: str, word: str, wanted: str) -> bool:
    deadline = time.monotonic() + _SECONDS
    while time.monotonic() < deadline:
        try:
            beat = heartbeat.read(settings, job)
        except (psycopg.Error, OSError):
            beat = None
        if beat and beat.detail.get(word) == wanted and beat.state == "running":
            return True
        time.sleep(0.5)
    return False


def _build(settings: Settings, names: list[str], through: datetime) -> Iterator[Told]:
    """The moment was taken before, so everything before it is in raw now."""
    live = {contract.name: specs for contract, specs in published.live_streams(settings)}
    for name in names:
        minutes = [spec.table for spec in live.get(name, ()) if spec.table]
        models = [f"valid_{name}", name, f"fct_{name}", *minutes]
        dbt.run(settings, ["build", "--select", *models], timeout=600)
        if name in curation.streams(settings) and coverage.through(settings, name) is None:
            coverage.advance(settings, name, through)
        yield f"tables of {name}", "made", ", ".join(models)
