"""The live part of an answer: windows of the live store, filtered, multiplied by the day's rate and added up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Protocol

from headrace.assistant.figures import Part, Value, combine
from headrace.assistant.periods import Grain, floor
from headrace.assistant.plan import Filter
from headrace.assistant.vocabulary import LiveMeasure, Metric, Vocabulary

COUNT = "n"


class Window(Protocol):
    @property
    def window_start(self) -> datetime: ...
    @property
    def keys(self) -> Mapping[str, str]: ...
    @property
    def n(self) -> int: ...
    @property
    def values(self) -> Mapping[str, Decimal | int]: ...


class Windows(Protocol):
    """The live store, as far as answers need it."""

    def windows(self, spec: str, start: datetime, end: datetime, *, late: bool = False) -> Iterable[Window]: ...

    def newest(self, spec: str) -> datetime | None: ...


class Rates(Protocol):
    def rate(self, currency: str, day: date) -> Decimal | None: ...


class _NoRates:
    def rate(self, currency: str, day: date) -> Decimal:
        raise LookupError(f"a rate of {currency} on {day} was asked for, where none is needed")


NO_RATES: Rates = _NoRates()


@dataclass(frozen=True)
class LiveRequest:
    components: tuple[Metric, ...]
    keys: tuple[str, ...]
    """Live keys of the plan's dimensions, in its order."""
    filters: tuple[Filter, ...]
    """Filters whose dimension is already a live key."""
    grain: Grain | None


def as_live(components: tuple[Metric, ...], group_by: Iterable[str], filters: Iterable[Filter], grain: Grain | None,
            vocabulary: Vocabulary) -> LiveRequest | None:  # fmt: skip
    """The request in the live store's terms, or None when it does not hold what is asked."""
    live_keys = {name: d.live_key for name, d in vocabulary.dimensions.items() if d.live_key}
    group_by, filters = tuple(group_by), tuple(filters)
    if not {*group_by, *(f.dimension for f in filters)} <= set(live_keys) or any(c.live is None for c in components):
        return None
    # Windows of another stream may be split by what these are not.
    asked = {live_keys[name] for name in (*group_by, *(f.dimension for f in filters))}
    if any(c.live and c.live.keys and not asked <= set(c.live.keys) for c in components):
        return None
    renamed = tuple(f.model_copy(update={"dimension": live_keys[f.dimension]}) for f in filters)
    return LiveRequest(components, tuple(live_keys[name] for name in group_by), renamed, grain)


def total(windows: Iterable[Window], request: LiveRequest, rates: Rates) -> Part:
    """Windows of one specification added up; those that no component counts leave no row."""
    part: Part = {}
    for window in windows:
        if not all(_passes(f, window.keys) for f in request.filters):
            continue
        bucket = floor(window.window_start, request.grain) if request.grain else None
        key = (bucket, tuple(window.keys.get(k) for k in request.keys))
        for component in request.components:
            measure = component.live
            if measure and _counts(measure, window):
                row = part.setdefault(key, {})
                row[component.name] = combine(measure.agg, row.get(component.name), _value(measure, window, rates))
    return part


def events(windows: Iterable[Window], request: LiveRequest) -> int:
    """How many events the windows hold that the request counts."""
    return sum(
        window.n
        for window in windows
        if all(_passes(f, window.keys) for f in request.filters)
        and any(_counts(c.live, window) for c in request.components if c.live)
    )


def _counts(measure: LiveMeasure, window: Window) -> bool:
    return all(window.keys.get(k) in values for k, values in measure.only)


def _passes(filter_: Filter, keys: Mapping[str, str]) -> bool:
    return (keys.get(filter_.dimension) in filter_.values) is not filter_.negated


def _value(measure: LiveMeasure, window: Window, rates: Rates) -> Value:
    raw = window.n if measure.accumulator == COUNT else window.values.get(measure.accumulator)
    if raw is None:
        return None
    value = Decimal(raw)
    if measure.factor is None:
        return value
    rate = rates.rate(window.keys["currency"], window.window_start.date())
    return None if rate is None else value * rate
