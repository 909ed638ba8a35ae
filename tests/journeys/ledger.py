"""Acknowledged events against what the platform holds of them: each in raw once, each counted live once."""

from __future__ import annotations

import threading
import time
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import httpx
from trino.exceptions import TrinoConnectionError, TrinoQueryError

from headrace.lake.trino import connect
from headrace.live.client import valkey
from headrace.live.store import LiveStore
from headrace.settings import Settings

SPEC = "transactions_1m"


@dataclass
class Ledger:
    """Sends purchases of one merchant that nobody else has, and remembers the acknowledged ones."""

    settings: Settings
    merchant: str = field(default_factory=lambda: f"m-ledger-{uuid.uuid4().hex[:8]}")
    batch: int = 20
    repeated: int = 1
    """Every how manieth batch is sent again: a sender that missed the answer repeats itself."""
    pause: float = 0.05
    acknowledged: dict[str, Decimal] = field(default_factory=dict)
    unanswered: int = 0
    """Calls that were not acknowledged, and were made again."""
    began: datetime = field(default_factory=lambda: datetime.now(UTC).replace(second=0, microsecond=0))

    def __post_init__(self) -> None:
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []
        self._wrong: list[AssertionError] = []

    def _event(self, number: int, sender: str) -> dict[str, object]:
        return {
            "event_id": uuid.uuid4().hex,
            "event_time": datetime.now(UTC).isoformat(),
            "user_id": f"u-{sender}-{number % 50}",
            "merchant_id": self.merchant,
            "transaction_type": "purchase",
            "amount": f"{number % 1000}.{number % 100:02d}",
            "currency": "USD",
            "region": "europe",
        }

    def send(self, count: int, *, seconds: float = 60) -> None:
        """Sends this many, of people of its own; each batch again, with the same ids, until it is acknowledged in time."""
        sender = uuid.uuid4().hex[:6]
        key = {"X-API-Key": self.settings.secret("ingest_api_key")}
        with httpx.Client(base_url=self.settings.ingest_url, headers=key, timeout=10) as client:
            for number, first in enumerate(range(0, count, self.batch), start=1):
                batch = [self._event(first + i, sender) for i in range(min(self.batch, count - first))]
                deadline = time.monotonic() + seconds
                while not self._accepted(client, batch):
                    self.unanswered += 1
                    assert time.monotonic() < deadline, "ingest did not acknowledge in time"
                    time.sleep(0.2)
                if number % self.repeated == 0:
                    self._accepted(client, batch)
                self.acknowledged.update({str(e["event_id"]): Decimal(str(e["amount"])) for e in batch})
                if self._stop.wait(self.pause):
                    return

    def _accepted(self, client: httpx.Client, batch: list[dict[str, object]]) -> bool:
        try:
            response = client.post("/events/transactions", json={"events": batch})
        except httpx.HTTPError:
            return False
        assert response.status_code in (202, 503), response.text
        return response.status_code == 202

    def send_meanwhile(self, senders: int = 1) -> None:
        """Goes on in the background until `finish`."""
        for _ in range(senders):
            thread = threading.Thread(target=self._send_on, daemon=True)
            thread.start()
            self._threads.append(thread)

    def _send_on(self) -> None:
        try:
            self.send(1_000_000, seconds=600)
        except AssertionError as error:
            self._wrong.append(error)

    def finish(self) -> None:
        """What went wrong in the background is raised here."""
        self._stop.set()
        for thread in self._threads:
            thread.join(60)
        if self._wrong:
            raise self._wrong[0]

    def live(self) -> tuple[int, Decimal]:
        """What live windows say of this merchant: how many, how much."""
        end = datetime.now(UTC) + timedelta(minutes=2)
        rows = LiveStore(valkey(self.settings)).windows(SPEC, self.began - timedelta(minutes=1), end)
        mine = [row for row in rows if row.keys["merchant_id"] == self.merchant]
        total = sum((_amount(row.values) for row in mine), Decimal(0))
        return sum(row.n for row in mine), total

    def raw(self) -> tuple[int, int, int]:
        """Of raw: distinct acknowledged ids, rows, distinct places (topic, partition, offset)."""
        sql = f"""
            select count(distinct json_extract_scalar(from_utf8(value), '$.event_id')), count(*),
                   count(distinct (topic, partition, "offset"))
            from lake.raw.transactions
            where json_extract_scalar(from_utf8(value), '$.merchant_id') = '{self.merchant}'
        """
        cursor = connect(self.settings, service="admin").cursor()
        ids, rows, places = cursor.execute(sql).fetchone()
        return ids, rows, places

    def _raw_now(self) -> tuple[int, int, int]:
        """Nothing while the lake cannot answer, as just after its catalogue was killed."""
        try:
            return self.raw()
        except (TrinoQueryError, TrinoConnectionError):
            return 0, 0, 0

    def await_exact(self, *, seconds: float = 150) -> None:
        """Live equals the ledger, raw holds every acknowledged id, and no record twice."""
        want = (len(self.acknowledged), sum(self.acknowledged.values(), Decimal(0)))
        deadline = time.monotonic() + seconds
        live, raw = self.live(), self._raw_now()
        while live != want or raw[0] != want[0]:
            assert time.monotonic() < deadline, f"acknowledged {want}, live {live}, raw {raw}"
            time.sleep(2)
            live, raw = self.live(), self._raw_now()
        assert raw[1] == raw[2], f"a record is in raw twice: {raw}"


def _amount(values: dict[str, Decimal | int]) -> Decimal:
    """The sum of amounts, whatever the semantic layer calls it."""
    name = next(name for name in values if "sum" in name or name in ("amount", "gross_amount", "total_amount"))
    return Decimal(values[name])
