"""What is usual, read from the lake's minute table through Trino: once an hour, beside the work.

Trino counts quartiles over all 5-minute windows in which the platform was at work, so a merchant's empty windows weigh
as much as its full ones. Only what came through the stream counts: files of the past have a density of their own.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

import requests
import trino.exceptions

from headrace.anomalies.baseline import LEAST_EVENTS, Learned, Usual
from headrace.anomalies.measures import EVERYTHING, MEASURES, Measure
from headrace.lake.trino import connect
from headrace.log import get_logger
from headrace.settings import MissingSecret, Settings

_LOG = get_logger(__name__)
_WEEKS = 4
_WEEKLY = 36
"""Windows of one hour of the week, three weeks', from which on it is not mixed with other days."""
_REFRESH_SECONDS = 3600.0
_RETRY_SECONDS = 60.0
_QUERY_SECONDS = 300.0
_WINDOWS = """
windows as (
    select merchant_id, currency, transaction_type,
        from_unixtime(floor(to_unixtime(window_start) / 300) * 300, 'UTC') as five,
        sum(n) as n, cast(sum(sum_amount) as double) as total, cast(max(max_amount) as double) as largest
    from transactions_by_minute
    where origin = 'stream' and not is_late
        and window_start >= timestamp '{since}' and window_start < timestamp '{until}'
    group by 1, 2, 3, 4
)"""
_COUNTS = """
with {windows},
-- Each window stands for its hour of every day, and for its hour of this weekday.
counted as (
    select coalesce(merchant_id, '{everything}') as subject, five, sum(n) as n
    from windows where transaction_type = '{type}'
    group by grouping sets ((merchant_id, five), (five))
),
slotted as (
    select subject, hour(five) as hour, day, n
    from counted cross join unnest(array[0, day_of_week(five)]) as days (day)
    where day = 0 or day = if(hour(five) >= {hour}, {today}, {tomorrow})
),
lit as (
    select hour(five) as hour, day, count(*) as windows
    from (select distinct five from windows) cross join unnest(array[0, day_of_week(five)]) as days (day)
    group by 1, 2
),
present as (select subject, hour, day, count(*) as windows from slotted group by 1, 2, 3),
weighted as (
    select subject, hour, day, n, 1 as weight from slotted
    union all
    select subject, hour, day, 0, lit.windows - present.windows
    from present inner join lit using (hour, day)
    where lit.windows > present.windows
)
select subject, hour, sum(weight), cast(sum(n) as double) / sum(weight),
    approx_percentile(cast(n as double), weight, array[0.25, 0.5, 0.75])
from weighted
group by subject, hour, day
having day = 0 or sum(weight) >= {weekly}
order by day
"""
_MEANS = """
with {windows},
logs as (
    select merchant_id || ' ' || currency as subject, n, ln(greatest(total - largest, 0.005) / (n - 1)) as average
    from windows where transaction_type = '{type}' and n >= {least}
)
select subject, cast(null as bigint), count(*), avg(cast(n as double)), approx_percentile(average, array[0.25, 0.5, 0.75])
from logs
group by subject
"""


def query(measure: Measure, now: datetime) -> str:
    """Rows (subject, hour, windows, mean, quartiles) for the coming day."""
    until = now.replace(minute=0, second=0, microsecond=0, tzinfo=None)
    windows = _WINDOWS.format(since=f"{until - timedelta(weeks=_WEEKS)} UTC", until=f"{until} UTC")
    text = _COUNTS if measure.kind == "count" else _MEANS
    tomorrow = now + timedelta(days=1)
    return text.format(
        windows=windows.strip(), everything=EVERYTHING, type=measure.transaction_type, hour=now.hour,
        today=now.isoweekday(), tomorrow=tomorrow.isoweekday(), weekly=_WEEKLY, least=LEAST_EVENTS,
    )  # fmt: skip


def read(settings: Settings, measure: Measure, now: datetime) -> Learned:
    with closing(connect(settings, timeout=_QUERY_SECONDS)) as connection, closing(connection.cursor()) as cursor:
        cursor.execute(query(measure, now))
        return Learned.gather(measure.kind, _rows(cursor))


def _rows(cursor: Any) -> Iterator[Usual]:
    while found := cursor.fetchmany(2000):
        for subject, hour, windows, mean, quartiles in found:
            yield Usual(subject, hour, int(windows), float(mean), *map(float, quartiles))


class Season:
    """Refreshes in a thread; while Trino is away the last baselines stay, and before the first there are none."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._fresh: dict[str, Learned] = {}
        self._lock = threading.Lock()
        self._stop = threading.Event()
        threading.Thread(target=self._work, name="season", daemon=True).start()

    def take(self) -> dict[str, Learned]:
        """What was read since the last call, by measure."""
        with self._lock:
            fresh, self._fresh = self._fresh, {}
            return fresh

    def close(self) -> None:
        self._stop.set()

    def _work(self) -> None:
        wait = 0.0
        while not self._stop.wait(wait):
            wait = _REFRESH_SECONDS if self._refresh() else _RETRY_SECONDS

    def _refresh(self) -> bool:
        began = time.monotonic()
        try:
            for measure in MEASURES:
                learned = read(self._settings, measure, datetime.now(UTC))
                with self._lock:
                    self._fresh[measure.name] = learned
        except (
            trino.exceptions.Error,
            trino.exceptions.HttpError,
            requests.RequestException,
            OSError,
            MissingSecret,
        ) as error:
            _LOG.info(
                "no new baselines; the last stay, and the last hour stands in where there are none",
                reason=str(error)[:300],
            )
            return False
        _LOG.info("baselines read", seconds=round(time.monotonic() - began, 1))
        return True
