"""Baselines as Trino counts them: empty windows weigh, bad hours do not, files of the past and late events are left out."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from headrace.anomalies import season
from headrace.anomalies.baseline import WINDOW, CountBaseline, MeanBaseline
from headrace.anomalies.measures import AVERAGE, PURCHASES
from headrace.lake.trino import connect
from headrace.settings import Settings

NOW = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
HOUR = (NOW - timedelta(hours=2)).hour
DAYS = 28
_TABLE = """
create table lake.curated.transactions_by_minute as
select minute as window_start, merchant as merchant_id, 'purchase' as transaction_type, 'EUR' as currency, 'europe' as region,
    origin, false as is_late, cast(n as bigint) as n, cast(n * price as decimal(38, 2)) as sum_amount,
    cast(price as decimal(18, 2)) as max_amount
from (
    select minute, merchant, origin, price,
        case
            when merchant = 'steady' and origin = 'file' then 500
            -- A bad hour a week: ten times as many.
            when merchant = 'steady' then if(day_of_week(minute) = {today} and day_of_month(minute) % 7 = 0, 20, 2)
            when merchant = 'rare' then if(minute(minute) % 10 = 0, 1, 0)
        end as n
    from unnest(sequence(timestamp '{begin} UTC', timestamp '{end} UTC', interval '1' minute)) as minutes (minute)
    cross join (values ('steady', 'stream', 30), ('steady', 'file', 30), ('rare', 'stream', 5)) as m (merchant, origin, price)
    where hour(minute) = {hour}
)
where n > 0
"""


@pytest.fixture(scope="module")
def lake(start_parts: Callable[..., Settings]) -> Settings:
    settings = start_parts("postgres", "trino")
    begin = (NOW - timedelta(days=DAYS)).replace(tzinfo=None)
    text = _TABLE.format(today=NOW.isoweekday(), begin=begin, end=begin + timedelta(days=DAYS), hour=HOUR)
    with closing(connect(settings, service="admin", timeout=120)) as connection, closing(connection.cursor()) as cursor:
        for statement in ("create schema if not exists lake.curated", text):
            cursor.execute(statement)
            cursor.fetchall()
    return settings


def test_rates_by_hour(lake: Settings) -> None:
    learned = season.read(lake, PURCHASES, NOW)
    assert isinstance(learned.usual, CountBaseline)
    rate = {name: learned.usual.rate[place] for place, name in enumerate(learned.subjects)}
    assert set(rate) == {"steady", "rare", "*"}
    assert rate["steady"][HOUR] == pytest.approx(2, rel=0.1)
    # One event in every second window: less than half of the windows, so the median alone would say none.
    assert rate["rare"][HOUR] == pytest.approx(0.5 / WINDOW, rel=0.05)
    assert rate["*"][HOUR] == pytest.approx(2.1, rel=0.1)
    assert np.isnan(rate["steady"][(HOUR + 5) % 24])


def test_the_usual_average(lake: Settings) -> None:
    learned = season.read(lake, AVERAGE, NOW)
    assert isinstance(learned.usual, MeanBaseline)
    assert learned.subjects == ["steady EUR"]
    assert np.exp(learned.usual.values[0, 0]) == pytest.approx(30, rel=0.01)
