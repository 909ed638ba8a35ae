"""GET /live/summary: figures of the last minutes, without Trino and without waiting for it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from app.api.models import LiveSummary
from app.api.parts import Parts
from headrace.assistant.livepart import Rates, Windows
from headrace.assistant.periods import ceil_minute
from headrace.assistant.permit import row_filters, vocabulary_of
from headrace.assistant.rates import RatesUnknown
from headrace.assistant.summary import LiveFigures
from headrace.live.either import of_either
from headrace.live.held import whole_from
from headrace.policy import Identity
from headrace.streams.spec import LiveMeasure

SPEC = "transactions_1m"
_AMOUNT = LiveMeasure("transactions", "sum_amount", "sum", "usd_rate")


def summary(parts: Parts, person: Identity, minutes: int) -> LiveSummary:
    found, source = of_either(parts.windows, parts.second, lambda store: _summary(parts, store, person, minutes))
    return found.model_copy(update={"source": source})


def _summary(parts: Parts, store: Windows, person: Identity, minutes: int) -> LiveSummary:
    now = datetime.now(UTC)
    end = ceil_minute(now)
    start = end - timedelta(minutes=minutes)
    rates = _KnownRates(parts)
    limits = {f.dimension: f.values for f in row_filters(person)}
    punctual, late = (
        [w for w in store.windows(SPEC, start, end, late=late) if _visible(w.keys, limits)] for late in (False, True)
    )
    figures = LiveFigures(SPEC, [*punctual, *late], vocabulary_of(person, parts.vocabulary()), rates)
    found = LiveSummary(
        as_of=now,
        currency=parts.settings.reporting_currency,
        minutes=minutes,
        totals=figures.totals(),
        series=figures.series(start, end),
        by_region=figures.by("region"),
        by_type=figures.amounts_by("transaction_type", _AMOUNT),
        top_merchants=figures.by("merchant_name", "merchant_id"),
        late_events=sum(w.n for w in late),
        coverage_through=parts.coverage(),
        newest_window=store.newest(SPEC),
    )
    return found.model_copy(update={"notes": [*rates.notes(), *_freed(parts, store, start, now)]})


def _freed(parts: Parts, store: Windows, start: datetime, now: datetime) -> list[str]:
    spec = next((spec for spec in parts.vocabulary().windows if spec.name == SPEC), None)
    whole = whole_from(parts.settings, spec, store.since(SPEC), now) if spec else start
    if whole <= start:
        return []
    return [f"What happened before {whole:%H:%M} UTC is not held live any more: ask POST /query for it."]


def _visible(keys: Any, limits: dict[str, tuple[str, ...]]) -> bool:
    """A row limit on something that the windows do not hold hides them all."""
    return all(keys.get(name) in values for name, values in limits.items())


class _KnownRates:
    """The live page shows what it can: a currency without a rate is left out, and named."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._table: Rates | None = None
        self.missing: set[str] = set()
        try:
            self._table = parts.rates()
        except RatesUnknown:
            self._table = None

    def rate(self, currency: str, day: date) -> Decimal | None:
        try:
            if self._table is not None:
                return self._table.rate(currency, day)
        except RatesUnknown:
            pass
        if currency == self._parts.settings.reporting_currency:
            return Decimal(1)
        self.missing.add(currency)
        return None

    def notes(self) -> list[str]:
        named = ", ".join(sorted(self.missing))
        return [f"No exchange rate is known yet for {named}: these amounts are left out."] if named else []
