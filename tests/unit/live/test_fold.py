"""Longer and sliding windows made of minutes equal those counted from the events themselves."""

from __future__ import annotations

import random
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from headrace.live.fold import sliding
from headrace.live.store import WindowRow
from headrace.streams.spec import Accumulator, LiveSpec

START = datetime(2026, 11, 21, 9, 58, tzinfo=UTC)
ADDED = (
    Accumulator("count", "count", "1", "bigint"),
    Accumulator("sum_amount", "sum", "amount", "decimal(38,2)"),
    Accumulator("min_amount", "min", "amount", "decimal(18,2)"),
    Accumulator("max_amount", "max", "amount", "decimal(18,2)"),
)
SPEC = LiveSpec("s", "transactions", 60, ("user_id",), ADDED)
Event = tuple[datetime, str | None, Decimal]


def figures(amounts: list[Decimal]) -> dict[str, Decimal | int]:
    total = sum(amounts, Decimal(0))
    return {"count": len(amounts), "sum_amount": total, "min_amount": min(amounts), "max_amount": max(amounts)}


def minutes(events: list[Event]) -> list[WindowRow]:
    found: dict[tuple[datetime, str | None], list[Decimal]] = defaultdict(list)
    for at, user, amount in events:
        found[at.replace(second=0), user].append(amount)
    return [WindowRow(at, {"user_id": user}, len(a), figures(a), 1) for (at, user), a in found.items()]


@dataclass
class Kept:
    rows: list[WindowRow]

    def windows(self, _: str, start: datetime, end: datetime, *, late: bool = False) -> list[WindowRow]:
        return [row for row in self.rows if start <= row.window_start < end]


def by_hand(events: list[Event], seconds: int, slide: int, end: datetime) -> dict[tuple[datetime, str | None], object]:
    begin = datetime.fromtimestamp(-(-START.timestamp() // slide) * slide, UTC)
    found: dict[tuple[datetime, str | None], object] = {}
    while begin < end:
        within: dict[str | None, list[Decimal]] = defaultdict(list)
        for at, user, amount in events:
            if begin <= at < begin + timedelta(seconds=seconds):
                within[user].append(amount)
        found.update({(begin, user): figures(amounts) for user, amounts in within.items()})
        begin += timedelta(seconds=slide)
    return found


@pytest.mark.parametrize("seed", range(40))
def test_any_length_and_slide_equals_counting_the_events(seed: int) -> None:
    chance = random.Random(seed)
    slide = 60 * chance.choice([1, 1, 2, 5, 60])
    seconds = slide * chance.choice([1, 2, 3, 5, 12])
    end = START + timedelta(minutes=chance.choice([10, 90]))
    events = [
        (
            START + timedelta(seconds=chance.randrange(3 * 3600)),
            chance.choice(["a", "b", None]),
            Decimal(chance.randrange(10_000)) / 100,
        )
        for _ in range(chance.choice([0, 5, 120]))
    ]
    rows = sliding(Kept(minutes(events)), SPEC, START, end, seconds=seconds, slide=slide)
    assert {(row.window_start, row.keys["user_id"]): row.values for row in rows} == by_hand(events, seconds, slide, end)
    assert all(row.n == row.values["count"] for row in rows)
    assert [row.window_start for row in rows] == sorted(row.window_start for row in rows)


@pytest.mark.parametrize(("seconds", "slide"), [(90, 60), (300, 30), (0, 60), (300, 0)])
def test_what_minutes_cannot_make_is_refused(seconds: int, slide: int) -> None:
    with pytest.raises(ValueError, match="multiples"):
        sliding(Kept([]), SPEC, START, START, seconds=seconds, slide=slide)


def test_rows_of_an_earlier_counting_are_left_out_where_they_do_not_say_what_is_asked() -> None:
    def slid(row: WindowRow) -> list[int]:
        return [one.n for one in sliding(Kept([row]), SPEC, START, START + timedelta(minutes=1), seconds=60, slide=60)]

    values = figures([Decimal(1)])
    assert slid(WindowRow(START, {"user_id": "a"}, 1, values, 1)) == [1]
    assert slid(WindowRow(START, {"user_id": "a", "region": "x"}, 1, values, 1)) == [1]
    assert slid(WindowRow(START, {"region": "x"}, 1, values, 1)) == []
    assert slid(WindowRow(START, {"user_id": "a"}, 1, {"count": 1}, 1)) == []
