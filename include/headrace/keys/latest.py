"""The latest value of every live metric, folded from the minutes that the live store holds anyway, every few seconds.

It takes a small share of a core and no more: the next fold waits in proportion to what the last one cost. Windows with more
rows than a fold may read are left out, those by person first; such a metric is read when somebody asks.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import msgspec
import redis

from headrace.assistant.figures import Part, evaluate, join
from headrace.assistant.livepart import NO_RATES, LiveRequest, Rates, as_live, total
from headrace.assistant.periods import ceil_minute
from headrace.assistant.rates import RatesUnknown
from headrace.assistant.vocabulary import Metric, Vocabulary
from headrace.assistant.wording import number
from headrace.live.either import LiveNotFilled
from headrace.live.fold import Window, Windows
from headrace.live.kept import METRIC_SECONDS, metric_key
from headrace.log import get_logger

_LOG = get_logger(__name__)
MINUTES = (5, 15, 60)
SPLITS: tuple[str | None, ...] = (None, "region")
MOST_ROWS = 50_000
_SECONDS, _SHARE = 5.0, 0.05


class Sized(Protocol):
    def sizes(self, spec: str, start: datetime, end: datetime) -> Mapping[datetime, int]: ...


class LatestMetrics:
    def __init__(
        self,
        client: redis.Redis,
        windows: Windows,
        sizes: Sized,
        vocabulary: Callable[[], Vocabulary],
        rates: Callable[[], Rates],
    ) -> None:
        self._client, self._windows, self._sizes = client, windows, sizes
        self._vocabulary, self._rates = vocabulary, rates

    def run(self, stop: threading.Event) -> None:
        said = ""
        while not stop.is_set():
            began = time.thread_time()
            try:
                self.step(datetime.now(UTC))
                said = ""
            except (redis.RedisError, LiveNotFilled, LookupError) as error:
                if str(error) != said:
                    _LOG.warning("latest metrics wait", reason=str(error))
                said = str(error)
            except Exception as error:  # noqa: BLE001 - figures for convenience must not end what writes the sinks
                _LOG.error("latest metrics were not folded", kind=type(error).__name__, reason=str(error)[:300])
            stop.wait(max(_SECONDS, (time.thread_time() - began) / _SHARE))

    def step(self, now: datetime) -> int:
        """Writes every metric that the windows tell, each with its time to live; how many keys."""
        with self._client.pipeline(transaction=False) as pipeline:
            for key, document in self.documents(now):
                pipeline.set(key, msgspec.json.encode(document), ex=METRIC_SECONDS)
            return len(pipeline.execute())

    def documents(self, now: datetime) -> Iterator[tuple[str, dict[str, Any]]]:
        """Keys with what they hold."""
        vocabulary, end = self._vocabulary(), ceil_minute(now)
        metrics = [name for name in vocabulary.metrics if _live(vocabulary.components([name]))]
        reader = _Reader(self._windows, self._sizes, end)
        for by in SPLITS:
            for minutes in MINUTES:
                for name, part in self._parts(metrics, by, minutes, vocabulary, reader):
                    yield metric_key(name, minutes, by), _document(name, part, by, minutes, now, end, vocabulary)

    def _parts(
        self, metrics: Iterable[str], by: str | None, minutes: int, vocabulary: Vocabulary, reader: _Reader
    ) -> Iterator[tuple[str, Part]]:
        folded: dict[str, Part | None] = {}
        for name in metrics:
            components = vocabulary.components([name])
            for component in components:
                if component.name not in folded:
                    folded[component.name] = self._fold(component, by, minutes, vocabulary, reader)
            parts = [part for component in components if (part := folded[component.name]) is not None]
            if len(parts) == len(components):
                yield name, join(parts, components)

    def _fold(
        self, component: Metric, by: str | None, minutes: int, vocabulary: Vocabulary, reader: _Reader
    ) -> Part | None:
        """None: the windows do not tell it, or there are too many of them, or a rate is not known."""
        if by is not None and by not in vocabulary.dimensions:
            return None
        requests = as_live((component,), (by,) if by else (), (), None, vocabulary)
        if not requests:
            return None
        rows = reader.rows(requests[0].spec, minutes)
        return None if rows is None else _total(rows, requests[0], self._rates)


class _Reader:
    """Reads the windows of a specification once, as far back as they are few enough."""

    def __init__(self, windows: Windows, sizes: Sized, end: datetime) -> None:
        self._windows, self._sizes, self._end = windows, sizes, end
        self._read: dict[str, tuple[int, list[Window]]] = {}

    def rows(self, spec: str, minutes: int) -> list[Window] | None:
        if spec not in self._read:
            self._read[spec] = self._all(spec)
        reach, found = self._read[spec]
        start = self._end - timedelta(minutes=minutes)
        return [window for window in found if window.window_start >= start] if minutes <= reach else None

    def _all(self, spec: str) -> tuple[int, list[Window]]:
        begins = {minutes: self._end - timedelta(minutes=minutes) for minutes in MINUTES}
        sizes = self._sizes.sizes(spec, begins[max(MINUTES)], self._end)
        fit = [m for m, start in begins.items() if sum(n for at, n in sizes.items() if at >= start) <= MOST_ROWS]
        if not fit:
            return 0, []
        start = begins[max(fit)]
        return max(fit), [w for late in (False, True) for w in self._windows.windows(spec, start, self._end, late=late)]


def _live(components: Iterable[Metric]) -> bool:
    return all(component.live for component in components)


def _total(rows: list[Window], request: LiveRequest, rates: Callable[[], Rates]) -> Part | None:
    try:
        factor = any(component.live and component.live.factor for component in request.components)
        return total(rows, request, rates() if factor else NO_RATES)
    except RatesUnknown:
        return None


def _document(
    name: str, part: Part, by: str | None, minutes: int, now: datetime, end: datetime, vocabulary: Vocabulary
) -> dict[str, Any]:
    metric = vocabulary.metrics[name]
    made = {
        "metric": name, "minutes": minutes, "unit": metric.unit, "start": end - timedelta(minutes=minutes), "end": end,
        "as_of": now,
    }  # fmt: skip
    if by is None:
        return made | {"value": number(evaluate(name, part.get((None, ()), {}), vocabulary), metric)}
    values = {keys[0] or "": number(evaluate(name, cells, vocabulary), metric) for (_, keys), cells in part.items()}
    return made | {"by": by, "values": dict(sorted(values.items()))}
