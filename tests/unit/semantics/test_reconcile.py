"""What is compared, what is said when nothing can be, and for how long a wrong window holds back the others."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from redis.exceptions import ConnectionError as Unreachable

from headrace.live.store import WindowRow
from headrace.semantics import reconcile
from headrace.semantics.comparisons import EVERYTHING, Row
from headrace.semantics.reconcile import Summary, free_before
from headrace.settings import Settings, get_settings
from headrace.streams.spec import Accumulator, LiveSpec

NOW = datetime(2026, 11, 21, 12, 10, tzinfo=UTC)
COVERED = NOW.replace(minute=0)
MINUTE = timedelta(minutes=1)
ORDERS = LiveSpec("order_steps_1m", "orders", 60, ("order_status",), (Accumulator("count", "count", "1", "bigint"),))
Windows = dict[datetime, int]


@dataclass
class World:
    """Live and lake as windows with a number of events, and what a comparison wrote."""

    live: Windows = field(default_factory=dict)
    lake: Windows = field(default_factory=dict)
    late: Windows = field(default_factory=dict)
    covered: datetime | None = COVERED
    mark: datetime | None = None
    run: str = "server"
    down: bool = False
    rows: list[Row] = field(default_factory=list)
    freed: list[datetime] = field(default_factory=list)

    def get(self, _: str) -> str:
        if self.down:
            raise Unreachable("refused")
        return self.run

    def info(self, _: str) -> dict[str, str]:
        return {"run_id": "server"}

    def since(self, _: str) -> datetime | None:
        return min(self.live, default=None)

    def windows(self, _: str, start: datetime, end: datetime) -> list[WindowRow]:
        keys: dict[str, str | None] = {"order_status": "placed"}
        return [WindowRow(w, keys, n, {"count": n}, 1) for w, n in sorted(self.live.items()) if start <= w < end]

    def prune(self, _: str, before: datetime) -> int:
        self.freed.append(before)
        gone = [window for window in self.live if window < before]
        for window in gone:
            del self.live[window]
        return len(gone)

    def figures(self, _: Settings, __: LiveSpec, start: datetime, end: datetime) -> Any:
        return _cells(self.lake, start, end), _cells(self.late, start, end)

    def write(self, _: Settings, __: str, ___: datetime, rows: list[Row], *, held_since: datetime | None) -> None:
        self.rows = rows
        self.mark = max(filter(None, (self.mark, held_since)), default=None)

    def step(self) -> Summary:
        summary = reconcile.compare(get_settings(), ORDERS, now=NOW)
        reconcile.settle(get_settings(), ORDERS, summary, now=NOW)
        return summary


def _cells(windows: Windows, start: datetime, end: datetime) -> dict[Any, Mapping[str, Decimal]]:
    held = ((window, Decimal(n)) for window, n in windows.items() if start <= window < end)
    return {(window, ("placed",)): {"n": n, "count": n} for window, n in held}


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    made = World()
    monkeypatch.setattr(reconcile, "valkey", lambda _: made)
    monkeypatch.setattr(reconcile, "LiveStore", lambda client: client)
    monkeypatch.setattr(reconcile.coverage, "through", lambda *_: made.covered)
    monkeypatch.setattr(reconcile.comparisons, "held_since", lambda *_: made.mark)
    monkeypatch.setattr(reconcile.comparisons, "write", made.write)
    monkeypatch.setattr(reconcile, "lake_figures", made.figures)
    return made


def minutes(*before: int, n: int = 3) -> Windows:
    return {COVERED - m * MINUTE: n for m in before}


def test_a_window_that_the_lake_alone_holds_is_missing(world: World) -> None:
    world.mark = COVERED - 30 * MINUTE
    world.live, world.lake = minutes(20, 5), minutes(20, 10, 5)
    summary = world.step()
    assert not summary.agrees and summary.wrong == [COVERED - 10 * MINUTE]
    wrong = [row for row in world.rows if row.state != "equal"]
    assert wrong == [Row(COVERED - 10 * MINUTE, {}, EVERYTHING, None, Decimal(3), Decimal(0), "missing_live")]


def test_an_empty_live_store_is_not_agreement(world: World) -> None:
    world.mark, world.lake = COVERED - 30 * MINUTE, minutes(10, 5)
    assert world.step().states == {"missing_live": 2}


def test_windows_from_before_the_first_comparison_are_not_missed(world: World) -> None:
    """What a topic held no more when the live job began was landed all the same."""
    world.lake = minutes(90, 10)
    first = world.step()
    assert (first.standing, world.mark, [row.state for row in world.rows]) == ("begun", COVERED, ["begun"])
    world.covered = COVERED + 60 * MINUTE
    world.live = world.lake = {COVERED + MINUTE: 2}
    assert reconcile.compare(get_settings(), ORDERS, now=NOW + 60 * MINUTE).states == {"equal": 1}
    world.live = {}
    assert reconcile.compare(get_settings(), ORDERS, now=NOW + 60 * MINUTE).states == {"missing_live": 1}


def test_what_live_began_with_is_where_comparing_begins(world: World) -> None:
    world.live, world.lake = minutes(20), minutes(90, 20)
    assert world.step().states == {"equal": 1}
    assert world.mark == COVERED - 20 * MINUTE


def _refill(world: World) -> None:
    world.run = "filling:server"


def _restart(world: World) -> None:
    world.run = "an earlier server"


def _stop(world: World) -> None:
    world.down = True


@pytest.mark.parametrize(("happens", "standing"), [(_refill, "filling"), (_restart, "filling"), (_stop, "unreachable")])
def test_what_cannot_be_compared_is_neither_equal_nor_different(
    world: World, happens: Callable[[World], None], standing: str
) -> None:
    world.mark, world.lake = COVERED - 30 * MINUTE, minutes(10)
    happens(world)
    summary = world.step()
    assert (summary.standing, summary.unknown, summary.agrees) == (standing, True, True)
    assert [(row.state, row.window_start) for row in world.rows] == [(standing, COVERED)]
    assert (world.mark, world.freed) == (COVERED - 30 * MINUTE, []), "nothing is freed that was not compared"


def test_before_the_first_build_there_is_nothing_to_say(world: World) -> None:
    world.covered, world.live = None, minutes(10)
    assert (world.step().standing, world.rows, world.freed) == ("uncovered", [], [])


def test_a_wrong_window_is_freed_after_a_while_and_then_is_red_no_more(world: World) -> None:
    world.mark = COVERED - 300 * MINUTE
    world.live, world.lake = minutes(250, 230, 150, 10), minutes(250, 150, 10) | minutes(230, n=4)
    assert world.step().wrong == [COVERED - 230 * MINUTE]
    assert {row.state for row in world.rows if row.window_start == COVERED - 230 * MINUTE} == {"differs"}
    assert sorted(world.live) == sorted(minutes(230, 150, 10)), "it holds back what comes after it"
    world.covered = COVERED + 20 * MINUTE
    assert not world.step().agrees
    assert world.mark == COVERED - 220 * MINUTE, "twice the usual time is over"
    last = world.step()
    assert last.agrees and last.windows == 2


def test_what_late_events_add_is_no_difference(world: World) -> None:
    world.mark, world.live, world.lake, world.late = (
        COVERED - 30 * MINUTE,
        minutes(10),
        minutes(10),
        minutes(10, 9, n=2),
    )
    summary = world.step()
    assert (summary.states, summary.late_events) == ({"equal": 2}, 4)


@pytest.mark.parametrize(
    ("wrong", "minutes_before"), [([], 120), ([10], 120), ([180, 130], 180), ([700], 240)], ids=str
)
def test_how_far_windows_are_freed(wrong: list[int], minutes_before: int) -> None:
    windows = [COVERED - m * MINUTE for m in wrong]
    assert free_before(COVERED, NOW, timedelta(hours=2), windows) == COVERED - minutes_before * MINUTE
