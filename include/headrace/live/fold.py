"""Longer and sliding windows out of short ones: sums add up and extremes compare, so nothing is lost and nothing guessed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Protocol

from headrace.streams.spec import LiveSpec

Number = Decimal | int
_COMBINE: dict[str, Callable[[Number, Number], Number]] = {
    "sum": lambda a, b: a + b,
    "count": lambda a, b: a + b,
    "min": min,
    "max": max,
}


class Window(Protocol):
    @property
    def window_start(self) -> datetime: ...
    @property
    def keys(self) -> Mapping[str, str | None]: ...
    @property
    def n(self) -> int: ...
    @property
    def values(self) -> Mapping[str, Number]: ...


class Windows(Protocol):
    """The live store, as far as its windows are read."""

    def windows(self, spec: str, start: datetime, end: datetime, *, late: bool = False) -> Iterable[Window]: ...


@dataclass(frozen=True)
class Folded:
    window_start: datetime
    keys: dict[str, str | None]
    n: int
    values: dict[str, Number]


def sliding(
    store: Windows, spec: LiveSpec, start: datetime, end: datetime, *, seconds: int, slide: int, late: bool = False
) -> list[Folded]:
    """Windows of `seconds` that begin each `slide` seconds (counted from 1970) in [start, end), oldest first, by key."""
    if slide <= 0 or seconds <= 0 or seconds % spec.window_seconds or slide % spec.window_seconds:
        raise ValueError(f"windows of {spec.name} are made of {spec.window_seconds} seconds: give multiples of that")
    first, last = start.timestamp(), end.timestamp()
    found: dict[tuple[int, tuple[str | None, ...]], Folded] = {}
    for row in store.windows(spec.name, start, end + timedelta(seconds=seconds), late=late):
        if not fits(row, spec):
            continue
        moment = int(row.window_start.timestamp())
        keys = tuple(row.keys[key] for key in spec.keys)
        # The newest window that holds this moment, and those before it that still do.
        begin = moment // slide * slide
        while begin > moment - seconds:
            if first <= begin < last:
                found[begin, keys] = _add(spec, found.get((begin, keys)), row, begin)
            begin -= slide
    return [found[place] for place in sorted(found, key=lambda place: (place[0], [key or "" for key in place[1]]))]


def fits(row: Window, spec: LiveSpec) -> bool:
    """Rows of an earlier counting may lack keys or sums that were declared since: they do not say what is asked."""
    return row.keys.keys() >= set(spec.keys) and row.values.keys() >= {a.name for a in spec.accumulators}


def _add(spec: LiveSpec, known: Folded | None, row: Window, begin: int) -> Folded:
    values = {a.name: row.values[a.name] for a in spec.accumulators}
    if known is None:
        keys = {key: row.keys[key] for key in spec.keys}
        return Folded(datetime.fromtimestamp(begin, UTC), keys, row.n, values)
    added = {a.name: _COMBINE[a.agg](known.values[a.name], values[a.name]) for a in spec.accumulators}
    return Folded(known.window_start, known.keys, known.n + row.n, added)
