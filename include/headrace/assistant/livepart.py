"""The live part of an answer: windows of the live store, filtered, multiplied by the day's rate and added up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Protocol

from headrace.assistant.choose import smallest
from headrace.assistant.figures import Cell, Part, Value, combine
from headrace.assistant.periods import Grain, floor
from headrace.assistant.plan import Filter
from headrace.assistant.sketches import Distinct, Histogram, middle
from headrace.assistant.vocabulary import Metric, Vocabulary
from headrace.live import fold
from headrace.live.fold import Window
from headrace.streams.spec import CURRENCY, LiveMeasure

COUNT = "n"


class Windows(fold.Windows, Protocol):
    """The live store, as far as answers need it."""

    def newest(self, spec: str) -> datetime | None: ...

    def since(self, spec: str) -> datetime | None: ...


class Rates(Protocol):
    def rate(self, currency: str, day: date) -> Decimal | None: ...


class _NoRates:
    def rate(self, currency: str, day: date) -> Decimal:
        raise LookupError(f"a rate of {currency} on {day} was asked for, where none is needed")


NO_RATES: Rates = _NoRates()


@dataclass(frozen=True)
class LiveRequest:
    """What is wanted of the windows of one specification."""

    spec: str
    components: tuple[Metric, ...]
    keys: tuple[str, ...]
    """Live keys of the plan's dimensions, in its order."""
    filters: tuple[Filter, ...]
    """Filters whose dimension is already a live key."""
    grain: Grain | None


def as_live(components: tuple[Metric, ...], group_by: Iterable[str], filters: Iterable[Filter], grain: Grain | None,
            vocabulary: Vocabulary) -> tuple[LiveRequest, ...] | None:  # fmt: skip
    """The request in the live store's terms, or None when it does not hold what is asked."""
    live = {name: d for name, d in vocabulary.dimensions.items() if d.live_key}
    group_by, filters = tuple(group_by), tuple(filters)
    asked = {*group_by, *(f.dimension for f in filters)}
    if not asked <= set(live):
        return None
    by_spec: dict[str, tuple[Metric, ...]] = {}
    for component in components:
        spec = smallest(component, {live[name].live_from or str(live[name].live_key) for name in asked}, vocabulary)
        if spec is None:
            return None
        by_spec[spec.name] = (*by_spec.get(spec.name, ()), component)
    keys = tuple(str(live[name].live_key) for name in group_by)
    renamed = tuple(f.model_copy(update={"dimension": live[f.dimension].live_key}) for f in filters)
    return tuple(LiveRequest(spec, counted, keys, renamed, grain) for spec, counted in by_spec.items())


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
                row[component.name] = _add(measure, row.get(component.name), window, rates)
    return part


def _add(measure: LiveMeasure, known: Cell, window: Window, rates: Rates) -> Cell:
    if measure.agg == "distinct":
        kept = known if isinstance(known, Distinct) else Distinct()
        kept.add(window.keys[measure.over or ""] or "")
        return kept
    if measure.agg == "percentile":
        counts = known if isinstance(known, Histogram) else Histogram(measure.share)
        value = _rated(middle(measure.base, window.keys[measure.over or ""]), measure, window, rates)
        if value is not None:
            counts.add(value, window.n)
        return counts
    return combine(measure.agg, known, _value(measure, window, rates))


def events(windows: Iterable[Window], request: LiveRequest) -> int:
    """How many events the windows hold that the request counts."""
    return sum(
        window.n
        for window in windows
        if all(_passes(f, window.keys) for f in request.filters)
        and any(_counts(c.live, window) for c in request.components if c.live)
    )


def _counts(measure: LiveMeasure, window: Window) -> bool:
    """A row of an earlier counting may lack a key that was declared since: it does not say what is asked."""
    asked = (measure.over, CURRENCY if measure.factor else None)
    if not all(key in window.keys for key in asked if key):
        return False
    return all(window.keys.get(k) in values for k, values in measure.only)


def _passes(filter_: Filter, keys: Mapping[str, str | None]) -> bool:
    return (keys.get(filter_.dimension) in filter_.values) is not filter_.negated


def _value(measure: LiveMeasure, window: Window, rates: Rates) -> Value:
    raw = window.n if measure.accumulator == COUNT else window.values.get(measure.accumulator)
    if raw is None:
        return None
    return _rated(Decimal(raw), measure, window, rates)


def _rated(value: Decimal, measure: LiveMeasure, window: Window, rates: Rates) -> Value:
    if measure.factor is None:
        return value
    rate = rates.rate(window.keys[CURRENCY] or "", window.window_start.date())
    return None if rate is None else value * rate
