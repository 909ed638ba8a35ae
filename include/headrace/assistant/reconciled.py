"""Each metric from both sides of a comparison, by the functions that answers are made with, so that only windows can differ.

A metric is read from the windows that an answer would take. `lake` is what history says of the streamed events, late ones
included; what these add is `late`. What is left of the difference must be nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import psycopg
from psycopg.rows import class_row

from headrace.assistant.choose import smallest
from headrace.assistant.figures import Cells, Value, combine, evaluate
from headrace.assistant.livepart import NO_RATES, LiveRequest, Rates, total
from headrace.assistant.rates import RatesUnknown
from headrace.assistant.vocabulary import Metric, Vocabulary
from headrace.live.fold import Folded
from headrace.log import get_logger
from headrace.semantics.reconcile import Summary
from headrace.semantics.twin import Cell, Figures
from headrace.settings import Settings
from headrace.streams.spec import LiveSpec

_LOG = get_logger(__name__)
_NAMES = ("metric", "since", "through", "live", "lake", "late", "difference", "relative", "state")
_INSERT = f"""
insert into reconciled_metrics (run_at, {", ".join(_NAMES)})
values (%(run_at)s, {", ".join(f"%({name})s" for name in _NAMES)})
"""  # noqa: S608 - names of columns from the list above
_NEWEST = f"""
select distinct on (metric) {", ".join(_NAMES)} from reconciled_metrics
where run_at > now() - interval '1 day' order by metric, run_at desc
"""  # noqa: S608


@dataclass(frozen=True)
class Reconciled:
    metric: str
    since: datetime
    through: datetime
    live: Value
    lake: Value
    late: Value
    """What late events add in the lake, or take away: they are in no live window of their time."""
    difference: Value
    """Lake less live."""
    relative: float | None
    """As a share of the lake's; none where that is nothing."""
    state: str

    def document(self) -> dict[str, Any]:
        return {name: str(value) if isinstance(value, Decimal) else value for name, value in asdict(self).items()}


class Metrics:
    """Collects the parts of metrics, specification by specification."""

    def __init__(self, vocabulary: Vocabulary, rates: Callable[[], Rates]) -> None:
        self._vocabulary, self._rates = vocabulary, rates
        self._read_from: dict[str, list[Metric]] = {}
        for metric in vocabulary.components(vocabulary.metrics):
            if spec := smallest(metric, (), vocabulary):
                self._read_from.setdefault(spec.name, []).append(metric)
        self._live: Cells = {}
        self._lake: Cells = {}
        self._all: Cells = {}
        self._periods: dict[str, tuple[datetime, datetime]] = {}

    def add(self, spec: LiveSpec, summary: Summary) -> None:
        """Amounts are left out while nobody knows the rates: their windows were compared all the same."""
        sides, since, through = summary.sides, summary.since, summary.through
        if sides is None or since is None or through is None:
            return
        mine = self._read_from.get(spec.name, [])
        for money in (False, True):
            group = tuple(metric for metric in mine if bool(metric.live and metric.live.factor) is money)
            if not group:
                continue
            request = LiveRequest(spec.name, group, (), (), None)
            try:
                rates = self._rates() if money else NO_RATES
                live, lake, late = (
                    _cells(_windows(spec, side), request, rates) for side in (sides.live, sides.lake, sides.late)
                )
            except RatesUnknown as error:
                _LOG.warning("amounts are not reconciled by metric", spec=spec.name, reason=str(error))
                continue
            self._live |= live
            self._lake |= lake
            self._all |= {m.name: combine(m.agg, lake.get(m.name), late.get(m.name)) for m in group}
            self._periods |= {metric.name: (since, through) for metric in group}

    def rows(self) -> list[Reconciled]:
        """Also ratios and what is derived, where all that they are made of is of the same windows."""
        found = []
        for name in self._vocabulary.metrics:
            periods = {self._periods.get(part.name) for part in self._vocabulary.components([name])}
            period = periods.pop() if len(periods) == 1 else None
            if period:
                sides = (self._live, self._lake, self._all)
                found.append(reconciled(name, *period, *(evaluate(name, side, self._vocabulary) for side in sides)))
        return found


def reconciled(name: str, since: datetime, through: datetime, live: Value, punctual: Value, lake: Value) -> Reconciled:
    difference, late = _less(lake, live), _less(lake, punctual)
    relative = None if difference is None or not lake else float(difference / abs(lake))
    state = "equal" if live == punctual else "differs"
    return Reconciled(name, since, through, live, lake, late, difference, relative, state)


def write(settings: Settings, now: datetime, rows: Iterable[Reconciled]) -> None:
    with _connect(settings) as connection, connection.cursor() as cursor:
        cursor.executemany(_INSERT, [asdict(row) | {"run_at": now} for row in rows])


def newest(settings: Settings) -> list[Reconciled]:
    """Each metric as it was compared last, within a day."""
    with _connect(settings) as connection, connection.cursor(row_factory=class_row(Reconciled)) as cursor:
        return cursor.execute(_NEWEST).fetchall()


def _connect(settings: Settings) -> psycopg.Connection[Any]:
    return psycopg.connect(settings.postgres_dsn("headrace"), connect_timeout=3, options="-c timezone=UTC")


def _windows(spec: LiveSpec, side: Mapping[Cell, Figures]) -> Iterator[Folded]:
    for (start, values), figures in side.items():
        yield Folded(start, dict(zip(spec.keys, values, strict=True)), int(figures["n"]), dict(figures))


def _cells(windows: Iterable[Folded], request: LiveRequest, rates: Rates) -> Cells:
    part = total(windows, request, rates)
    return part.get((None, ()), {})


def _less(left: Value, right: Value) -> Value:
    """What only one side has a figure of cannot be subtracted: it differs."""
    return None if left is None or right is None else left - right
