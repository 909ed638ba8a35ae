"""Live figures against the lake's, window by window and to the cent: the promise of one definition, checked.

Only closed windows are compared: nothing that is not late can still enter them, and the lake has said that it is
complete. Late events are in the lake alone; how much they add is shown beside each window.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Literal

import psycopg
from psycopg.types.json import Jsonb

from headrace.lake import coverage
from headrace.live.client import valkey
from headrace.live.store import LiveStore
from headrace.log import get_logger
from headrace.semantics.twin import Cell, Figures, lake_figures
from headrace.settings import Settings
from headrace.streams.published import live_specs_path
from headrace.streams.spec import LiveSpec, load_live_specs

_LOG = get_logger(__name__)
_KEPT_IN_LEDGER = timedelta(days=30)
_INSERT = """
insert into reconciliation (run_at, spec, window_start, keys, measure, live, lake, late, state)
values (%s, %s, %s, %s, %s, %s, %s, %s, %s)
"""

State = Literal["equal", "differs", "missing_live", "missing_lake"]
EVERYTHING = "*"
"""The measure of a row that stands for a whole window in which every key and measure agreed; its figures are events."""


class Differs(AssertionError):
    """Live and lake disagree about a closed window; the rows of this run in `reconciliation` say where."""


@dataclass(frozen=True)
class Row:
    window_start: datetime
    keys: dict[str, str | None]
    measure: str
    live: Decimal | None
    lake: Decimal | None
    late: Decimal | None
    state: State


@dataclass
class Summary:
    spec: str
    through: datetime | None
    windows: int = 0
    states: Counter[str] = field(default_factory=Counter)
    late_events: int = 0
    pruned: int = 0
    rows: list[Row] = field(default_factory=list)

    @property
    def agrees(self) -> bool:
        return set(self.states) <= {"equal"}


def run(settings: Settings) -> list[Summary]:
    """Compares every specification, writes what it found, frees live windows up to the first wrong one; Differs if any do."""
    now = datetime.now(UTC)
    summaries = [reconcile(settings, spec, now=now) for spec in load_live_specs(live_specs_path(settings))]
    if wrong := [s for s in summaries if not s.agrees]:
        told = "; ".join(f"{s.spec}: {dict(s.states)} of {s.windows} windows before {s.through}" for s in wrong)
        raise Differs(f"{told}. Look at table reconciliation, newest run_at, state <> 'equal'.")
    return summaries


def reconcile(settings: Settings, spec: LiveSpec, *, now: datetime) -> Summary:
    store = LiveStore(valkey(settings))
    covered = coverage.through(settings, spec.stream)
    end = _closed(min(covered, now - timedelta(minutes=settings.lateness_minutes)), spec) if covered else None
    summary = Summary(spec.name, end)
    live = {_cell(row.window_start, row.keys, spec): _live(row.n, row.values) for row in _live_rows(store, spec, end)}
    if covered and end and live:
        punctual, late = lake_figures(settings, spec, min(cell[0] for cell in live), end)
        _compare(summary, spec, live, punctual, late)
        _write(settings, summary, now)
        wrong = [row.window_start for row in summary.rows if row.state != "equal"]
        summary.pruned = store.prune(spec.name, min([covered - _kept(settings, spec), end, *wrong]))
    _LOG.info(
        "reconciled", spec=spec.name, through=str(end), windows=summary.windows, states=dict(summary.states),
        late_events=summary.late_events, pruned=summary.pruned,
    )  # fmt: skip
    return summary


def _compare(
    summary: Summary,
    spec: LiveSpec,
    live: Mapping[Cell, Figures],
    lake: Mapping[Cell, Figures],
    late: Mapping[Cell, Figures],
) -> None:
    by_window: dict[datetime, list[Cell]] = {}
    for cell in sorted({*live, *lake, *late}, key=lambda cell: (cell[0], [key or "" for key in cell[1]])):
        by_window.setdefault(cell[0], []).append(cell)
    for window, cells in by_window.items():
        wrong = [
            row for cell in cells for row in _differences(spec, cell, live.get(cell), lake.get(cell), late.get(cell))
        ]
        summary.rows += wrong or [_agreed(window, cells, live, late)]
        summary.states.update(row.state for row in wrong or summary.rows[-1:])
        summary.windows += 1
    summary.late_events = int(sum((figures["n"] for figures in late.values()), Decimal(0)))


def _differences(
    spec: LiveSpec, cell: Cell, live: Figures | None, lake: Figures | None, late: Figures | None
) -> Iterable[Row]:
    measures = ["n", *(a.name for a in spec.accumulators)]
    for measure in measures if live or lake else ():
        ours, theirs = (live or {}).get(measure), (lake or {}).get(measure)
        if ours != theirs:
            state: State = "missing_live" if live is None else "missing_lake" if lake is None else "differs"
            keys = dict(zip(spec.keys, cell[1], strict=True))
            yield Row(cell[0], keys, measure, ours, theirs, (late or {}).get(measure), state)


def _agreed(window: datetime, cells: list[Cell], live: Mapping[Cell, Figures], late: Mapping[Cell, Figures]) -> Row:
    events = sum((live[cell]["n"] for cell in cells if cell in live), Decimal(0))
    belated = sum((late[cell]["n"] for cell in cells if cell in late), Decimal(0))
    return Row(window, {}, EVERYTHING, events, events, belated, "equal")


def _write(settings: Settings, summary: Summary, now: datetime) -> None:
    rows = [
        (now, summary.spec, r.window_start, Jsonb(r.keys), r.measure, r.live, r.lake, r.late, r.state)
        for r in summary.rows
    ]
    with (
        psycopg.connect(settings.postgres_dsn("headrace"), connect_timeout=5) as connection,
        connection.cursor() as cursor,
    ):
        cursor.executemany(_INSERT, rows)
        cursor.execute(
            "delete from reconciliation where spec = %s and state = 'equal' and run_at < %s",
            (summary.spec, now - _KEPT_IN_LEDGER),
        )


def _live_rows(store: LiveStore, spec: LiveSpec, end: datetime | None) -> list[Any]:
    return store.windows(spec.name, datetime.fromtimestamp(0, UTC), end) if end else []


def _closed(moment: datetime, spec: LiveSpec) -> datetime:
    """The start of the first window that is not over at this moment."""
    return datetime.fromtimestamp(moment.timestamp() // spec.window_seconds * spec.window_seconds, UTC)


def _live(events: int, values: Mapping[str, Decimal | int]) -> Figures:
    return {"n": Decimal(events), **{name: Decimal(value) for name, value in values.items()}}


def _kept(settings: Settings, spec: LiveSpec) -> timedelta:
    """Windows by person are many and small: they go sooner."""
    return timedelta(minutes=settings.live_kept_person_minutes if spec.person else settings.live_kept_minutes)


def _cell(window: datetime, keys: Mapping[str, str | None], spec: LiveSpec) -> Cell:
    return window, tuple(keys[key] for key in spec.keys)
