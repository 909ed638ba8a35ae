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
_TABLE = """
create table lake.curated.transactions_by_minute as
select cast(with_timezone(moment, 'UTC') as timestamp(6) with time zone) as window_start, merchant as merchant_id,
    'purchase' as transaction_type, 'EUR' as currency, 'europe' as region, origin, false as is_late, cast(n as bigint) as n,
    cast(n * price as decimal(38, 2)) as sum_amount, cast(price as decimal(18, 2)) as max_amount
from (
    select moment, merchant, origin, price,
        case
            when merchant = 'steady' and origin = 'file' then 500
            -- One week of the four was bad: ten times as many.
            when merchant = 'steady' then if(day < 7, 20, 2)
            when merchant = 'rare' then if(minute % 20 = 0, 1, 0)
        end as n
    from (
        select day, minute, timestamp '{first}' + day * interval '1' day + minute * interval '1' minute as moment
        from unnest(sequence(0, 27)) as days (day) cross join unnest(sequence(0, 59)) as minutes (minute)
    )
    cross join (values ('steady', 'stream', 30), ('steady', 'file', 30), ('rare', 'stream', 5)) as m (merchant, origin, price)
)
where n > 0
"""


@pytest.fixture(scope="module")
def lake(start_parts: Callable[..., Settings]) -> Settings:
    settings = start_parts("postgres", "trino")
    first = (NOW - timedelta(days=27, hours=2)).replace(tzinfo=None)
    text = _TABLE.format(first=first)
    with closing(connect(settings, service="dbt", timeout=120)) as connection, closing(connection.cursor()) as cursor:
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
    # One event in every fourth window: the median alone would say none.
    assert rate["rare"][HOUR] == pytest.approx(0.25 / WINDOW, rel=0.05)
    assert rate["*"][HOUR] == pytest.approx(2.05, rel=0.15)
    assert np.isnan(rate["steady"][(HOUR + 5) % 24])


def test_the_usual_average(lake: Settings) -> None:
    learned = season.read(lake, AVERAGE, NOW)
    assert isinstance(learned.usual, MeanBaseline)
    assert learned.subjects == ["steady EUR"]
    assert np.exp(learned.usual.values[0, 0]) == pytest.approx(30, rel=0.01)
