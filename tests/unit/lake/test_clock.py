"""A clock that goes back takes its claims with it; one that goes ahead deletes nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from headrace.lake import coverage, lived
from headrace.lake.clock import Clock
from headrace.settings import Settings
from headrace.streams.landing.stamps import Stamps

NOON = datetime(2026, 3, 1, 12, 0, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path)  # type: ignore[call-arg]


@pytest.fixture
def withdrawn(monkeypatch: pytest.MonkeyPatch) -> list[datetime]:
    moments: list[datetime] = []
    monkeypatch.setattr(coverage, "withdraw", lambda _, moment: moments.append(moment))
    return moments


def test_a_clock_that_goes_on_takes_nothing_back(settings: Settings, withdrawn: list[datetime]) -> None:
    clock = Clock(settings, NOON - HOUR)
    assert not any(clock.went_back(NOON + n * HOUR) for n in (0, 0, 1, 30))
    assert withdrawn == []


def test_what_was_claimed_before_the_clock_went_back_is_taken_back_once(
    settings: Settings, withdrawn: list[datetime]
) -> None:
    clock = Clock(settings, None)
    back = NOON - 2 * HOUR
    assert [clock.went_back(now) for now in (NOON, back, back + HOUR)] == [False, True, False]
    assert withdrawn == [back.replace(second=0) - timedelta(minutes=settings.lateness_minutes)]


def test_a_clock_that_went_back_while_the_job_was_down_is_seen(settings: Settings, withdrawn: list[datetime]) -> None:
    assert Clock(settings, NOON + 24 * HOUR).went_back(NOON)
    assert len(withdrawn) == 1


def test_what_cannot_be_taken_back_is_tried_again_to_the_first_moment(
    settings: Settings, withdrawn: list[datetime], monkeypatch: pytest.MonkeyPatch
) -> None:
    def down(*_: Any) -> None:
        raise psycopg.OperationalError("no connection")

    clock = Clock(settings, NOON + HOUR)
    with monkeypatch.context() as patch:
        patch.setattr(coverage, "withdraw", down)
        assert clock.went_back(NOON)
    assert clock.went_back(NOON + HOUR / 2)
    assert not clock.went_back(NOON + HOUR)
    assert withdrawn == [NOON.replace(second=0) - timedelta(minutes=settings.lateness_minutes)]


def test_stamps_never_go_back() -> None:
    stamps = Stamps(NOON)
    assert [stamps.next(NOON + n * HOUR) for n in (-24, -1, 0, 2, 1)] == [
        NOON,
        NOON,
        NOON,
        NOON + 2 * HOUR,
        NOON + 2 * HOUR,
    ]
    assert Stamps().next(NOON) == NOON


class Cursor:
    """Raw tables in which nothing but one moment arrived."""

    def __init__(self, arrived: datetime | None) -> None:
        self._arrived = f"{arrived:%Y-%m-%d %H:%M:%S}" if arrived else None

    def execute(self, sql: str) -> None:
        if "information_schema" in sql:
            self._rows = [["transactions"]]
        else:
            first, last = sql.split("timestamp '")[1:]
            self._rows = [[1]] if self._arrived and first[:19] <= self._arrived < last[:19] else []

    def fetchall(self) -> list[list[Any]]:
        return self._rows


@pytest.mark.parametrize(
    ("ago", "trusted"),
    [(timedelta(days=2), True), (timedelta(hours=2), False), (timedelta(days=8), False), (None, False)],
    ids=["a day that passed", "only since a jump", "only before a jump", "nothing"],
)
def test_who_deletes_by_age_has_seen_the_days_pass(settings: Settings, ago: timedelta | None, trusted: bool) -> None:
    assert lived.through_last_week(settings, Cursor(NOON - ago if ago else None), NOON) is trusted
