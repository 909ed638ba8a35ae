"""The part `anomalies`: reads live windows and accepted transactions along, judges every few seconds, tells once.

Started with `python -m headrace.anomalies.part`. Nothing is kept on disk: after a start the last hour is read again,
open incidents and the progress come from PostgreSQL, and the minutes in between are judged one by one.
"""

from __future__ import annotations

import sys
import time
from dataclasses import replace

import psycopg
import redis
from confluent_kafka import KafkaException

from headrace.anomalies.arrivals import People, put_rows
from headrace.anomalies.detector import Detector
from headrace.anomalies.incidents import Incident, Incidents
from headrace.anomalies.ledger import Ledger
from headrace.anomalies.measures import WATCHED, Tuning
from headrace.anomalies.ring import SHOWN
from headrace.anomalies.season import Season
from headrace.anomalies.tail import Tail
from headrace.anomalies.telling import Alerts, show
from headrace.anomalies.users import Users
from headrace.contracts.model import load_contracts
from headrace.live.client import valkey
from headrace.live.projector import touch_alive
from headrace.log import configure, get_logger
from headrace.settings import Settings, get_settings
from headrace.streams.job import stop_signal
from headrace.streams.topics import METRICS

_LOG = get_logger(__name__)
STEP_SECONDS = 5.0
_GRACE_SECONDS = 1.0
"""Behind the clock, so that what has happened has also arrived."""
_SHOW_SECONDS = 60.0
STREAM = "transactions"


class Anomalies:
    def __init__(self, settings: Settings, tuning: Tuning | None = None) -> None:
        tuning = tuning or Tuning()
        self._ledger = Ledger(settings)
        self._alerts, self._store = Alerts(settings, self._ledger), valkey(settings)
        self._detector, self._users, self._incidents = Detector(tuning), Users(tuning), Incidents(tuning)
        self._people = People(self._users)
        now = time.time()
        self._through = self._restored(now)
        since = now - SHOWN * 60
        self._rows = Tail(settings, METRICS, since)
        self._events = Tail(settings, load_contracts(settings.contracts)[STREAM].processed_topic, since)
        self._unwritten: dict[str, Incident] = {}
        self._began, self._heard = int(now // 60), False
        self._judged = self._shown = 0.0
        self._season = Season(settings)

    def step(self) -> None:
        """Reads what came; every few seconds also judges, writes and tells. Raises when a server cannot be reached."""
        now = time.time()
        newest = put_rows(self._detector.ring, self._rows.read(0.2), now)
        self._people.put(self._events.read(0.05), now)
        # Silence counts once something was heard since the start: before that the platform may be starting too.
        self._heard = self._heard or newest >= self._began
        if now - self._judged >= STEP_SECONDS:
            until = min(self._rows.seen_until(), self._events.seen_until())
            if until - self._judged >= STEP_SECONDS:
                self._judge(until - _GRACE_SECONDS)
                self._judged = until

    def close(self) -> None:
        self._season.close()
        self._rows.close()
        self._events.close()
        self._ledger.close()

    def _restored(self, now: float) -> float:
        """Up to when everything was judged, and what was open then."""
        through = self._ledger.through() or now
        mine = [i for i in self._ledger.recent() if i.scope in WATCHED]
        self._incidents.restore([replace(i, last_at=max(i.last_at, through)) for i in mine])
        oldest = now - SHOWN * 60
        if through < oldest:
            _LOG.warning(
                "away for more than an hour: what lies before it is not judged", minutes=round((oldest - through) / 60)
            )
        return max(through, oldest)

    def _judge(self, at: float) -> None:
        """The minutes that were missed, each at its end, then this moment."""
        for measure, learned in self._season.take().items():
            self._detector.learn(measure, learned)
        begin = int(self._through // 60) + 1
        for minute in range(begin, int(at // 60)):
            self._follow((minute + 1) * 60 - 0.001)
        if self._heard:
            self._detector.ring.watch(int(at // 60))
        self._follow(at)
        self._ledger.write(self._unwritten.values(), at)
        self._through = at
        told = self._alerts.send()
        if self._unwritten or told or at - self._shown > _SHOW_SECONDS:
            show(self._store, self._ledger.recent())
            self._shown = at
        self._unwritten.clear()

    def _follow(self, at: float) -> None:
        for look in (self._detector, self._users):
            for incident in self._incidents.step(look.judge(at, self._incidents.open)):
                self._unwritten[incident.id] = incident
                # Who a person is stays out of the logs.
                told = "" if incident.scope == "user" else incident.sentence
                _LOG.info("anomaly", state=incident.state, scope=incident.scope, measure=incident.measure, told=told)


def main() -> int:
    settings = get_settings()
    configure("anomalies")
    stop = stop_signal()
    settings.run.mkdir(parents=True, exist_ok=True)
    part: Anomalies | None = None
    alive, wait = 0.0, 0.1
    while not stop.is_set():
        try:
            part = part or Anomalies(settings)
            part.step()
            alive, wait = touch_alive(settings, alive, "anomalies"), 0.1
        except (KafkaException, redis.RedisError, psycopg.Error, TimeoutError) as error:
            _LOG.warning("a server cannot be reached; trying again", error=str(error), seconds=wait)
            stop.wait(wait)
            wait = min(wait * 2, 5.0)
    if part is not None:
        part.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
