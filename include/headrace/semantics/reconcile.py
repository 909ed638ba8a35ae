"""Live figures against the lake's, window by window and to the cent: the promise of one definition, checked.

Only closed windows are compared: nothing that is not late can still enter them, and the lake has said that it is
complete. Late events are in the lake alone; how much they add is shown beside each window. Which windows the live store
must hold is known from the comparison before: all that it did not free. See decision 0038.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Literal

from redis.exceptions import RedisError

from headrace.lake import coverage
from headrace.live.client import valkey
from headrace.live.fold import fits
from headrace.live.held import filled, first_open, kept
from headrace.live.store import LiveStore
from headrace.log import get_logger
from headrace.semantics import comparisons
from headrace.semantics.comparisons import EVERYTHING, Row, State
from headrace.semantics.twin import Cell, Figures, lake_figures
from headrace.settings import Settings
from headrace.streams.spec import LiveSpec

_LOG = get_logger(__name__)
_WRONG_KEPT = 2
"""A wrong window stays so many times as long as a right one: it is compared again some hours, and the store, which refuses
writes when it is full, holds no more than so many times its usual. What differed stays in the ledger."""

Standing = Literal["compared", "begun", "uncovered", "filling", "unreachable"]
"""begun: the first time, and live holds nothing yet that could be compared; from here on it must. uncovered: the lake was
not built yet. filling, unreachable: nobody can say whether live and lake agree."""


@dataclass(frozen=True)
class Sides:
    """The cells of the windows that were compared."""

    live: Mapping[Cell, Figures]
    lake: Mapping[Cell, Figures]
    late: Mapping[Cell, Figures]


@dataclass
class Summary:
    spec: str
    through: datetime | None
    standing: Standing = "compared"
    since: datetime | None = None
    """Windows were compared from here on."""
    free_before: datetime | None = None
    """Older windows are not needed any more."""
    windows: int = 0
    states: Counter[str] = field(default_factory=Counter)
    late_events: int = 0
    pruned: int = 0
    rows: list[Row] = field(default_factory=list)
    sides: Sides | None = field(default=None, repr=False)

    @property
    def agrees(self) -> bool:
        return set(self.states) <= {"equal"}

    @property
    def unknown(self) -> bool:
        return self.standing in ("filling", "unreachable")

    @property
    def wrong(self) -> list[datetime]:
        return sorted({row.window_start for row in self.rows if row.state != "equal"})


def compare(settings: Settings, spec: LiveSpec, *, now: datetime) -> Summary:
    """Looks only: what was found is told first, and then settled."""
    covered = coverage.through(settings, spec.stream)
    if covered is None:
        return Summary(spec.name, None, "uncovered")
    end = first_open(min(covered, now - timedelta(minutes=settings.lateness_minutes)), spec)
    mark = comparisons.held_since(settings, spec.name)
    client = valkey(settings)
    store = LiveStore(client)
    try:
        since = mark or store.since(spec.name)
        rows = store.windows(spec.name, since, end) if since else []
        # Asked afterwards: a store that lost its rows before they were read says so now.
        if not filled(client):
            return Summary(spec.name, end, "filling")
    except RedisError as error:
        _LOG.warning("the live store cannot be reached; nothing is compared", spec=spec.name, error=str(error))
        return Summary(spec.name, end, "unreachable")
    if since is None:
        return Summary(spec.name, end, "begun")
    summary = Summary(spec.name, end, since=since)
    if since < end:
        # Rows of an earlier counting with other keys cannot be compared: they go when the new one is shown.
        alike = (row for row in rows if fits(row, spec) and len(row.keys) == len(spec.keys))
        live = {_cell(row.window_start, row.keys, spec): _live(row.n, row.values) for row in alike}
        summary.sides = Sides(live, *lake_figures(settings, spec, since, end))
        examine(summary, spec, summary.sides)
    summary.free_before = first_open(free_before(covered, end, kept(settings, spec), summary.wrong), spec)
    return summary


def settle(settings: Settings, spec: LiveSpec, summary: Summary, *, now: datetime) -> None:
    """Writes what was found, then frees what the lake answers for: killed in between, the next one frees more."""
    comparisons.write(settings, spec.name, now, _told(summary), held_since=_held_since(summary))
    if summary.free_before:
        summary.pruned = LiveStore(valkey(settings)).prune(spec.name, summary.free_before)
    _LOG.info(
        "reconciled", spec=spec.name, standing=summary.standing, through=str(summary.through), windows=summary.windows,
        states=dict(summary.states), late_events=summary.late_events, pruned=summary.pruned,
    )  # fmt: skip


def examine(summary: Summary, spec: LiveSpec, sides: Sides) -> None:
    by_window: dict[datetime, list[Cell]] = {}
    cells_of_all = {*sides.live, *sides.lake, *sides.late}
    for cell in sorted(cells_of_all, key=lambda cell: (cell[0], [key or "" for key in cell[1]])):
        by_window.setdefault(cell[0], []).append(cell)
    for window, cells in by_window.items():
        rows = _missing(window, cells, sides) or [row for cell in cells for row in _differences(spec, cell, sides)]
        summary.rows += rows or [_whole(window, cells, sides, "equal")]
        summary.states.update(row.state for row in rows or summary.rows[-1:])
        summary.windows += 1
    summary.late_events = int(_events(sides.late, sides.late) or 0)


def free_before(covered: datetime, end: datetime, stays: timedelta, wrong: Iterable[datetime]) -> datetime:
    """Wrong windows hold back what comes after them, but only for a while."""
    return min(covered - stays, end, max(min(wrong, default=end), covered - _WRONG_KEPT * stays))


def _held_since(summary: Summary) -> datetime | None:
    """What the next comparison may expect of the live store: what was freed is not in it, nor what was before its first window."""
    if summary.standing == "begun":
        return summary.through
    return max(summary.since, summary.free_before) if summary.since and summary.free_before else None


def _told(summary: Summary) -> list[Row]:
    """What could not be compared is a row too."""
    if summary.through and (summary.unknown or summary.standing == "begun"):
        return [Row(summary.through, {}, EVERYTHING, None, None, None, summary.standing)]
    return summary.rows


def _missing(window: datetime, cells: list[Cell], sides: Sides) -> list[Row]:
    """A window that one side has nothing of is one row: how many events the other has in it."""
    live, lake = (any(cell in side for cell in cells) for side in (sides.live, sides.lake))
    if live == lake:
        return []
    return [_whole(window, cells, sides, "missing_lake" if live else "missing_live")]


def _differences(spec: LiveSpec, cell: Cell, sides: Sides) -> Iterable[Row]:
    live, lake, late = (side.get(cell) for side in (sides.live, sides.lake, sides.late))
    for measure in ["n", *(a.name for a in spec.accumulators)] if live or lake else ():
        ours, theirs = (live or {}).get(measure), (lake or {}).get(measure)
        if ours != theirs:
            state: State = "missing_live" if live is None else "missing_lake" if lake is None else "differs"
            keys = dict(zip(spec.keys, cell[1], strict=True))
            yield Row(cell[0], keys, measure, ours, theirs, (late or {}).get(measure), state)


def _whole(window: datetime, cells: list[Cell], sides: Sides, state: State) -> Row:
    live, lake, late = (_events(side, cells) for side in (sides.live, sides.lake, sides.late))
    if state == "equal":
        live, lake = live or Decimal(0), lake or Decimal(0)
    return Row(window, {}, EVERYTHING, live, lake, late or Decimal(0), state)


def _events(side: Mapping[Cell, Figures], cells: Iterable[Cell]) -> Decimal | None:
    found = [side[cell]["n"] for cell in cells if cell in side]
    return sum(found, Decimal(0)) if found else None


def _live(events: int, values: Mapping[str, Decimal | int]) -> Figures:
    return {"n": Decimal(events), **{name: Decimal(value) for name, value in values.items()}}


def _cell(window: datetime, keys: Mapping[str, str | None], spec: LiveSpec) -> Cell:
    return window, tuple(keys[key] for key in spec.keys)
