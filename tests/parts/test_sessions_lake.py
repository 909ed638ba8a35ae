"""Sessions in the lake, against hand-written SQL over raw: what the stream closed, and what late events make of it."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from operator import attrgetter
from typing import Any

import pytest

from headrace.keys.lake import LakeRecords
from headrace.keys.lake_sessions import LakeSessions
from headrace.lake import trino
from headrace.sessions.arrivals import Arrivals, Record
from headrace.sessions.layout import message
from headrace.settings import Settings
from tests.parts.lake_home import START, Lake, open_lake
from tests.parts.raw_rows import Landed

SOON, SINCE, LATER = START + timedelta(hours=1), START + timedelta(hours=2), START + timedelta(hours=4)
"""The second build looks at what landed half an hour before SINCE or later: not at what landed SOON."""
_TIMES = (1, 12, 29.999999, 30, 41, 300)
# Another way than the model's: a session begins where nothing lies within half a minute before.
BY_HAND = """
with parsed as (
    select
        json_extract_scalar(doc, '$.event_id') as event_id, json_extract_scalar(doc, '$.user_id') as user_id,
        json_extract_scalar(doc, '$.event_type') as event_type,
        from_iso8601_timestamp_nanos(json_extract_scalar(doc, '$.event_time')) as at, arrived_at,
        row_number() over (
            partition by json_extract_scalar(doc, '$.event_id') order by arrived_at, topic, partition, "offset"
        ) as place
    from (select *, json_parse(from_utf8(value)) as doc from lake.raw.app_events where user_id like 'walker-%')
),
events as (select * from parsed where place = 1 and (arrived_at <= at + interval '5' minute or {late})),
begins as (
    select distinct e.user_id, e.at from events as e where not exists (
        select 1 from events as b where b.user_id = e.user_id and b.at < e.at and b.at + interval '30' second > e.at
    )
),
placed as (
    select e.event_id, e.user_id, e.event_type, e.at, e.arrived_at, max(b.at) as started_at
    from events as e inner join begins as b on b.user_id = e.user_id and b.at <= e.at group by 1, 2, 3, 4, 5
)
select
    user_id, cast(started_at as timestamp(6) with time zone), cast(max(at) as timestamp(6) with time zone),
    count(*), count_if(event_type = 'purchase'), count_if(event_type = 'search'),
    count_if(arrived_at > at + interval '5' minute)
from placed group by user_id, started_at order by 1, 2
"""
_BUILT = """
select user_id, started_at, ended_at, events, purchases, coalesce(element_at(by_type, 'search'), 0), late_events
from curated.fct_sessions where user_id like 'walker-%' order by 1, 2
"""
_TOLD = """
select user_id, started_at, ended_at, events,
    cast(coalesce(json_extract_scalar(by_type, '$.purchase'), '0') as bigint),
    cast(coalesce(json_extract_scalar(by_type, '$.search'), '0') as bigint), 0
from processed.sessions where user_id like 'walker-%' order by 1, 2
"""
_ALIKE = """
select count(*), count_if(found.session_id = told.session_id)
from processed.sessions as told
inner join curated.fct_sessions as found on found.user_id = told.user_id and found.started_at = told.started_at
where told.user_id like 'walker-%'
"""


@pytest.fixture(scope="module")
def lake(start_parts: Callable[..., Settings]) -> Lake:
    return open_lake(start_parts("trino"))


def _records(rng: random.Random) -> list[Landed]:
    found: list[Landed] = []
    for user in range(12):
        at = START
        for number in range(20):
            at += timedelta(seconds=rng.choice(_TIMES))
            event = {
                "event_id": f"walk-{user:03d}-{number:03d}", "event_time": at.isoformat(), "user_id": f"walker-{user}",
                "session_id": "visit", "event_type": rng.choice(("page_view", "search", "purchase")), "platform": "web",
                "country": "DE", "region": "europe",
            }  # fmt: skip
            delays = [rng.choice((1, 1, 40, 250, 400 if user % 3 == 0 else 5))]
            delays += [delays[0] + rng.choice((2, 600))] if number % 7 == 0 else []
            found += [
                Landed(event, at + timedelta(seconds=delay), _landed_at(user, number), partition=user % 2)
                for delay in delays
            ]
    return found


def _landed_at(user: int, number: int) -> datetime:
    if number % 5 == 0:
        return LATER
    return SINCE if (user, number) == (11, 1) else SOON


def _told(lake: Lake, records: list[Landed]) -> list[Landed]:
    """What the part closes when it reads these records as the topic holds them."""
    arrivals = Arrivals(lake.contracts["app_events"], lake.settings)
    for landed in sorted(records, key=attrgetter("arrived_at", "offset")):
        arrivals.take(Record("app_events", landed.partition, landed.offset, landed.arrived_at, landed.value))
    book = arrivals.book
    closed = sorted(book.close(START + timedelta(days=1)), key=attrgetter("started_at"))
    return [Landed(_event(message(s, book.final_at(s))), book.final_at(s), SOON) for s in closed]


def _event(value: bytes) -> dict[str, Any]:
    event: dict[str, Any] = json.loads(value)
    return event


def test_closed_sessions_and_those_of_the_lake_are_those_of_hand_written_sql(lake: Lake) -> None:
    records = _records(random.Random(3))
    told = _told(lake, records)
    lake.land("app_events", [record for record in records if record.landed_at < LATER])
    lake.land("sessions", told[::2])
    lake.build("--select", "+fct_sessions")
    assert lake.query(_BUILT) == lake.query(BY_HAND.format(late="true"))

    late_to_land = [record for record in records if record.landed_at == LATER]
    lake.land("app_events", late_to_land)
    lake.land("sessions", [Landed(one.event, one.arrived_at, LATER) for one in told[1::2]])
    said = lake.build("--select", "+fct_sessions")
    assert "WARN=0 ERROR=0" in said
    built = lake.query(_BUILT)
    assert built == lake.query(BY_HAND.format(late="true"))
    assert lake.query(_TOLD) == lake.query(BY_HAND.format(late="false"))
    assert any(row[6] for row in built)
    same_start, same_id = lake.query(_ALIKE)[0]
    assert same_start == same_id > 0


def test_a_closed_session_that_the_lake_does_not_find_is_told(lake: Lake) -> None:
    wrong = _event(lake.landed["sessions"][0].value) | {"session_id": "0" * 32, "events": 99}
    lake.land("sessions", [Landed(wrong, LATER, LATER + timedelta(hours=1))])
    assert "WARN=1 ERROR=0" in lake.build("--select", "sessions", "fct_sessions")


def test_one_session_is_found_by_its_id(lake: Lake) -> None:
    """In curated; and what was told since that was built, in raw."""
    settings = lake.settings
    records = LakeRecords(partial(trino.connect, settings), lambda _: None, settings.future_minutes)
    sessions = LakeSessions(records, lambda: lake.contracts, settings.lateness_minutes)
    names = "session_id, user_id, started_at, ended_at, events, by_type"
    row = lake.query(f"select {names} from curated.fct_sessions where user_id like 'walker-%' order by 1 limit 1")[0]
    found = sessions.find(row[0])
    assert found is not None
    began, ended = (datetime.fromisoformat(found[name]) for name in ("started_at", "ended_at"))
    assert [found["session_id"], found["user_id"], began, ended, found["events"], found["by_type"]] == row
    assert (found["state"], found["source"]) == ("closed", "curated")

    told = _event(lake.landed["sessions"][0].value) | {"session_id": "f" * 32}
    assert sessions.find(told["session_id"]) is None
    lake.land("sessions", [Landed(told, LATER, LATER + timedelta(hours=2))])
    found = sessions.find(told["session_id"])
    assert found is not None
    assert (found["user_id"], found["events"], found["source"]) == (told["user_id"], told["events"], "raw")
    assert found["by_type"] == json.loads(told["by_type"])
