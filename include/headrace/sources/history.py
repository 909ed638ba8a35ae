"""Writes the generated past into the landing folder, from where it enters raw like any file, with its provenance.

Idempotent: the end of the history is written down first and kept for ever, files appear whole or not at all, and the
same settings give the same lines, so an interrupted run is simply run again.
"""

from __future__ import annotations

import json
import os
import random
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import count, islice
from pathlib import Path
from typing import Any

import msgspec

from headrace.log import get_logger
from headrace.settings import Settings
from headrace.sources.entities import versions
from headrace.sources.rates import rates
from headrace.sources.season import day_factor, moments
from headrace.sources.traffic import Happening, Traffic
from headrace.sources.world import World, build, utc_now

log = get_logger(__name__)
Progress = Callable[[int, int], None]
_ORDER_STEPS = 0.45
_APP_EVENTS = 0.8
_encode = msgspec.json.Encoder(decimal_format="number").encode


@dataclass(frozen=True)
class HistoryReport:
    through: datetime
    files: int
    rows: int


def history_end(settings: Settings) -> datetime | None:
    """Where the generated history stops and live begins; None before the first `up`."""
    path = settings.run / "history.json"
    return datetime.fromisoformat(json.loads(path.read_text())["through"]) if path.is_file() else None


def write_history(settings: Settings, through: datetime, progress: Progress | None = None) -> HistoryReport:
    """The history of every stream before `through`, or before the end that an earlier run wrote down."""
    state = _state(settings, through)
    end = datetime.fromisoformat(state["through"])
    if state.get("complete"):
        return HistoryReport(end, int(state.get("files", 0)), int(state.get("rows", 0)))
    files = rows = 0
    days = settings.history_days + 1
    for number, (day, lines) in enumerate(_days(settings, end), start=1):
        for stream, events in sorted(lines.items()):
            _write(settings.landing / stream / f"{day.isoformat()}.jsonl", events)
            files, rows = files + 1, rows + len(events)
        if progress:
            progress(number, days)
    _save(settings, {**state, "complete": True, "files": files, "rows": rows})
    log.info("history written", files=files, rows=rows, through=end.isoformat())
    return HistoryReport(end, files, rows)


def ensure(settings: Settings) -> HistoryReport:
    """What the first `up` calls, and every later one: the past up to now, once."""
    return write_history(settings, utc_now())


def _state(settings: Settings, through: datetime) -> dict[str, Any]:
    path = settings.run / "history.json"
    if path.is_file():
        return dict(json.loads(path.read_text()))
    minute = through.astimezone(UTC).replace(second=0, microsecond=0)
    state = {"through": minute.isoformat()}
    _save(settings, state)
    return state


def _save(settings: Settings, state: dict[str, Any]) -> None:
    settings.run.mkdir(parents=True, exist_ok=True)
    _replace(settings.run / "history.json", json.dumps(state).encode())


def _replace(path: Path, content: bytes) -> None:
    """A reader sees the old file, the new one, or none; the temporary name starts with a dot, which readers skip."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    temporary.write_bytes(content)
    temporary.replace(path)


def _write(path: Path, events: Iterable[dict[str, Any]]) -> None:
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    _replace(path, b"".join(_encode(event) + b"\n" for event in events))


def world_of(settings: Settings, end: datetime) -> World:
    return build(settings.seed, end, settings.history_days)


def _days(settings: Settings, end: datetime) -> Iterator[tuple[date, dict[str, list[dict[str, Any]]]]]:
    """Every day's events by stream; the first day also brings the state of every entity that is older."""
    world = world_of(settings, end)
    known = _entities_by_day(settings, world, end)
    numbers = count(1)
    traffic = Traffic(world, random.Random(), lambda prefix: f"{prefix}-h{next(numbers):08d}")
    for offset in range(settings.history_days + 1):
        day = (world.born + timedelta(days=offset)).date()
        lines: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for happening in _before(_traffic_of_day(settings, traffic, day), end):
            lines[happening.stream].append(happening.event)
        for happening in known.get(day, ()):
            lines[happening.stream].append(happening.event)
        yield day, lines


def _before(happenings: Iterable[Happening], end: datetime) -> Iterator[Happening]:
    return (happening for happening in happenings if happening.event["event_time"] < end)


def _traffic_of_day(settings: Settings, traffic: Traffic, day: date) -> Iterator[Happening]:
    """Transactions, order steps and app events of one day, in the order in which they happened."""
    rng = random.Random(f"{settings.seed}:{day.isoformat()}")
    traffic.rng = rng
    total = round(settings.history_per_day * day_factor(day, traffic.world.born.date()))
    makers = (
        (traffic.transaction, total),
        (traffic.order, round(total * _ORDER_STEPS)),
        (traffic.app_event, round(total * _APP_EVENTS)),
    )
    planned = [(at, make) for make, number in makers for at in moments(rng, day, number)]
    for at, make in sorted(planned, key=lambda plan: plan[0]):
        yield from make(at)


def _entities_by_day(settings: Settings, world: World, end: datetime) -> dict[date, list[Happening]]:
    found: dict[date, list[Happening]] = defaultdict(list)
    first = world.born.date()
    for version in versions(world, end):
        found[max(first, version.updated_at.date())].append(Happening(version.stream, version.event))
    for rate in rates(settings, first, end.date()):
        found[rate.rate_date].append(Happening("exchange_rates", rate.event()))
    return found


def sample(settings: Settings, end: datetime, number: int) -> list[Happening]:
    """The first events of a history, without writing it."""
    made = (
        Happening(stream, event)
        for _, lines in _days(settings, end)
        for stream, events in lines.items()
        for event in events
    )
    return list(islice(made, number))
