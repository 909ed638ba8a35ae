"""The live page's figures: the last minutes from the live store alone, by the same metric definitions as answers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from headrace.assistant.figures import Cells, Part, Value, evaluate, finished
from headrace.assistant.livepart import LiveRequest, Rates, total
from headrace.assistant.periods import Grain
from headrace.assistant.vocabulary import Metric, Vocabulary
from headrace.assistant.wording import number
from headrace.live.fold import Window
from headrace.streams.spec import LiveMeasure

METRICS = ("sales", "refunds", "net_sales", "transactions", "purchases", "average_purchase")
_TOP = 10


class LiveFigures:
    """Windows read once, added up in several ways."""

    def __init__(self, spec: str, windows: Iterable[Window], vocabulary: Vocabulary, rates: Rates) -> None:
        self._spec = spec
        self._windows: Sequence[Window] = list(windows)
        self._vocabulary, self._rates = vocabulary, rates
        self._names = [n for n in METRICS if n in vocabulary.metrics and self._is_live(n)]

    def _is_live(self, name: str) -> bool:
        return all(c.live for c in self._vocabulary.components([name]))

    def _part(self, keys: tuple[str, ...] = (), grain: Grain | None = None) -> Part:
        request = LiveRequest(self._spec, self._vocabulary.components(self._names), keys, (), grain)
        return total(self._windows, request, self._rates)

    def _number(self, name: str, value: Value) -> int | float | None:
        return number(value, self._vocabulary.metrics[name])

    def _row(self, cells: Cells) -> dict[str, Any]:
        return {name: self._number(name, evaluate(name, cells, self._vocabulary)) for name in self._names}

    def totals(self) -> dict[str, Any]:
        return self._row(self._part().get((None, ()), {}))

    def series(self, start: datetime, end: datetime) -> list[dict[str, Any]]:
        """One entry a minute, also for minutes in which nothing happened."""
        part = self._part(grain="minute")
        count = int((end - start) / timedelta(minutes=1))
        minutes = [start + timedelta(minutes=i) for i in range(count)]
        return [{"minute": m.isoformat(), **self._row(part.get((m, ()), {}))} for m in minutes]

    def by(self, *names: str, most: int = _TOP) -> list[dict[str, Any]]:
        """The largest by sales first; each row is called by all the keys."""
        found = self._part(names).items()
        rows = [{**dict(zip(names, keys, strict=True)), **self._row(cells)} for (_, keys), cells in found]
        return sorted(rows, key=lambda r: (-(r.get("sales") or 0), str(r[names[0]])))[:most]

    def amounts_by(self, key: str, measure: LiveMeasure) -> list[dict[str, Any]]:
        """Amounts of every kind of event, in the reporting currency."""
        amount = Metric("amount", "Amount", money=True, agg="sum", live=measure)
        count = Metric("events", "Events", agg="count", live=LiveMeasure(measure.stream, "n", "count"))
        part = total(self._windows, LiveRequest(self._spec, (amount, count), (key,), (), None), self._rates)
        rows = [
            {key: keys[0], "amount": _number(cells, amount), "events": _number(cells, count)}
            for (_, keys), cells in part.items()
        ]
        return sorted(rows, key=lambda r: (-(r["amount"] or 0), str(r[key])))


def _number(cells: Cells, metric: Metric) -> int | float | None:
    return number(finished(cells.get(metric.name)), metric)
