"""Longer and sliding windows out of short ones: sums add up and extremes compare, so nothing is lost and nothing guessed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from headrace.streams.spec import LiveSpec

if TYPE_CHECKING:
    from headrace.live.store import WindowRow

Number = Decimal | int
_COMBINE: dict[str, Callable[[Number, Number], Number]] = {
    "sum": lambda a, b: a + b,
    "count": lambda a, b: a + b,
    "min": min,
    "max": max,
}


def fold(
    rows: Iterable[WindowRow], spec: LiveSpec, start: datetime, end: datetime, *, seconds: int, slide: int
) -> list[WindowRow]:
    """Windows of `seconds` that begin each `slide` seconds since 1970 in [start, end), oldest first, by key.

    Both are whole multiples of the short windows; the rows are those from `start` up to `end` and one length more.
    """
    if slide <= 0 or seconds <= 0 or seconds % spec.window_seconds or slide % spec.window_seconds:
        raise ValueError(f"windows of {spec.name} are made of {spec.window_seconds} seconds: give multiples of them")
    first, last = int(start.timestamp()), end.timestamp()
    found: dict[tuple[int, tuple[str | None, ...]], WindowRow] = {}
    for row in rows:
        moment = int(row.window_start.timestamp())
        keys = tuple(row.keys[key] for key in spec.keys)
        # The latest window that holds this moment, and those before it that still do.
        begin = moment // slide * slide
        while begin > moment - seconds:
            if first <= begin < last:
                known = found.get((begin, keys))
                found[begin, keys] = _add(spec, known, row) if known else _moved(row, begin)
            begin -= slide
    return [found[place] for place in sorted(found, key=lambda place: (place[0], [key or "" for key in place[1]]))]


def _moved(row: WindowRow, begin: int) -> WindowRow:
    return replace(row, window_start=datetime.fromtimestamp(begin, UTC))


def _add(spec: LiveSpec, known: WindowRow, row: WindowRow) -> WindowRow:
    values = {a.name: _COMBINE[a.agg](known.values[a.name], row.values[a.name]) for a in spec.accumulators}
    moments = [moment for moment in (known.last_event, row.last_event) if moment]
    return replace(
        known,
        n=known.n + row.n,
        values=values,
        generation=max(known.generation, row.generation),
        last_event=max(moments, default=None),
    )
